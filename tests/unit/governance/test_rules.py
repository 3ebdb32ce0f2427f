"""Rule sets as data: equal to what their publishers do, count by count, and refused when they mean nothing."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from riskmodel.errors import DeclarationError
from riskmodel.governance.disclosure import released
from riskmodel.governance.rules import RULES, RuleSet

EVERY = list(range(1003))


def printed(name: str) -> list[int | None]:
    figures: list[int | None] = released(pa.table({"n": EVERY}), ["n"], rules=RULES[name])["n"].to_pylist()
    return figures


def test_opensafely_as_ehrql_does_it() -> None:
    # ehrql, measures: a count of 7 or fewer becomes 0, then the nearest multiple of 5
    assert printed("opensafely") == [0 if n <= 7 else int(5 * round(n / 5, ndigits=0)) for n in EVERY]


def test_hospital_episode_statistics_as_published() -> None:
    # NHS Digital: 0 is displayed; 1 to 7 an asterisk; all others to the nearest 5
    assert printed("hes") == [0 if n == 0 else None if n <= 7 else int(n / 5 + 0.5) * 5 for n in EVERY]


def test_the_10_5_rule_as_published() -> None:
    # ONS: counts below ten suppressed, the others to the nearest five
    assert printed("ons-10-5") == [0 if n == 0 else None if n < 10 else int(n / 5 + 0.5) * 5 for n in EVERY]


def test_a_partnership_brings_its_own(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    path.write_text(
        'name = "ours"\nsource = "our agreement"\nsmallest_shown = 20\nround_to = 10\n[amounts]\np_percent = 15\n'
    )
    rules = RuleSet.load(path)
    assert (rules.smallest_shown, rules.round_to, rules.largest, rules.p_percent) == (20, 10, 2, 15)
    assert released(pa.table({"n": [19, 24, 25]}), ["n"], rules=rules)["n"].to_pylist() == [None, 20, 30]
    assert RuleSet(**rules.document()) == rules


def test_every_fault_of_a_rule_set_at_once(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    path.write_text('name = "ours"\nsmallest_shown = 0\nround_up = 5\nround_to = 5\n[amounts]\nlargest_percent = 120\n')
    with pytest.raises(DeclarationError, match="Did you mean round_to") as refused:
        RuleSet.load(path)
    wheres = [fault.where for fault in refused.value.faults]
    assert wheres == ["rules.round_up", "rules.source", "rules.smallest_shown", "rules.largest_percent"]
    path.write_text('name = "ours"\namounts = 3\n')
    with pytest.raises(DeclarationError, match="no table"):
        RuleSet.load(path)

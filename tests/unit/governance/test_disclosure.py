"""Counts that leave: hidden when small, hidden when they could be worked out, rounded otherwise. Worked by hand."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.governance.derivable import Cell, Sum, further_hidden
from riskmodel.governance.disclosure import RULES, Edition, RuleSet, Total, released
from riskmodel.governance.ledger import Ledger

EXACT = RuleSet("exact", "for tests: below 8 hidden, nothing rounded", 8, 1)
ALL = [Total("group", "all")]


def counted(numbers: list[int], **more: list[Any]) -> pa.Table:
    groups = [*"abcdefgh"[: len(numbers) - 1], "all"]
    return pa.table({"group": groups, "n": numbers, **more})


def shown(table: pa.Table, **how: Any) -> list[int | None]:
    values: list[int | None] = released(table, ["n"], **how)["n"].to_pylist()
    return values


def test_the_published_behaviour_of_hospital_episode_statistics() -> None:
    # 0 stays, 1 to 7 are hidden, 8 and more go to the nearest 5
    table = pa.table({"n": [0, 1, 7, 8, 12, 13, 17, 18, 102, 103]})
    assert shown(table) == [0, None, None, 10, 10, 15, 15, 20, 100, 105]


def test_the_published_behaviour_of_opensafely() -> None:
    # 7 and fewer become 0, nought and small alike; then to the nearest 5
    table = pa.table({"n": [0, 1, 7, 8, 12, 13, 102]})
    made = released(table, ["n"], rules=RULES["opensafely"])
    assert made["n"].to_pylist() == [0, 0, 0, 10, 10, 15, 100]
    assert made["disclosure"].to_pylist() == ["shown", "suppressed", "suppressed", *["shown"] * 4]


def test_ten_and_five() -> None:
    assert shown(pa.table({"n": [0, 9, 10, 12, 13]}), rules=RULES["ons-10-5"]) == [0, None, 10, 10, 15]


def test_one_hidden_group_beside_a_total_takes_the_next_smallest_with_it() -> None:
    # exact figures: 103 - 40 - 60 = 3, so the 40 has to go too
    assert shown(counted([3, 40, 60, 103]), totals=ALL, rules=EXACT) == [None, None, 60, 103]
    # two are hidden already and share 9: each can be 1 (beside 8) to 8, so nothing more has to go
    assert shown(counted([4, 5, 60, 69]), totals=ALL, rules=EXACT) == [None, None, 60, 69]


def test_nothing_but_the_total_is_left_to_hide() -> None:
    # 1 + 1 + 6 = 8: with the total shown, no part can be 7
    assert shown(counted([1, 1, 6, 8]), totals=ALL, rules=EXACT) == [None, None, None, None]


def test_rounding_may_already_protect() -> None:
    # shown 40 (38 to 42) and 45 (43 to 47): the rest lies between 1 and 9, which covers 1 to 7
    assert shown(counted([3, 41, 44]), totals=ALL) == [None, 40, 45]
    # shown 40 and 40: the rest lies between 1 and 4, which tells too much
    assert shown(counted([1, 41, 42]), totals=ALL) == [None, None, 40]


def test_totals_in_two_directions_are_looked_at_together() -> None:
    table = pa.table(
        {
            "sex": ["f", "f", "f", "m", "m", "m", "all", "all", "all"],
            "group": ["a", "b", "all"] * 3,
            "n": [3, 20, 23, 30, 40, 70, 33, 60, 93],
        }
    )
    both = [Total("group", "all", ("sex",)), Total("sex", "all", ("group",))]
    # f/a hidden; with exact figures b/f, a/m and then b/m have to go: the classic rectangle
    assert shown(table, totals=both, rules=EXACT) == [None, None, 23, None, None, 70, 33, 60, 93]


def test_three_overlapping_pairs_cannot_be_solved_for_one_another() -> None:
    # x + y = 12, y + z = 34, x + z = 36 gives x = 7 although every sum has two unknowns; without the 12, x - y = 2
    # still says that x is 3 or more, so the 36 goes as well; then the 12 may stay: x can be anything from 1 to 11
    x, y, z = (Cell(n, None, (1, np.inf), (1, 7) if n < 8 else None) for n in (7, 5, 29))
    pairs = [Cell(n, (n, n), (1, np.inf), None) for n in (12, 34, 36)]
    assert further_hidden([x, y, z, *pairs], [Sum(3, (0, 1)), Sum(4, (1, 2)), Sum(5, (0, 2))]) == {5}


def test_the_people_without_the_outcome_are_protected_too() -> None:
    table = pa.table({"n": [20, 200], "positives": [18, 30]})
    made = released(table, ["n", "positives"], within_counts={"n": ["positives"]}, rules=EXACT)
    # 20 - 18 leaves 2 people without: the 18 is hidden, 20 stays
    assert made["n"].to_pylist() == [20, 200]
    assert made["positives"].to_pylist() == [None, 30]
    assert made["disclosure"].to_pylist() == ["suppressed", "shown"]


def test_rates_are_made_again_from_rounded_counts() -> None:
    table = pa.table({"positives": [9, 3, 0], "n": [27, 90, 0], "rate": [9 / 27, 3 / 90, float("nan")]})
    made = released(table, ["positives", "n"], ratios={"rate": ("positives", "n")})
    assert made["rate"].to_pylist() == [10 / 25, None, None]


def test_rows_that_do_not_add_up_are_not_taken_for_a_sum() -> None:
    assert shown(counted([3, 40, 60, 99]), totals=ALL, rules=EXACT) == [None, 40, 60, 99]


def test_totals_hold_within_their_own_attribute() -> None:
    table = pa.table(
        {
            "attribute": ["sex", "sex", "sex", "age", "age", "age"],
            "group": ["f", "m", "all", "y", "o", "all"],
            "n": [3, 50, 53, 20, 33, 53],
        }
    )
    made = shown(table, totals=[Total("group", "all", ("attribute",))], rules=EXACT)
    assert made == [None, None, 53, 20, 33, 53]


def test_other_columns_and_the_order_of_rows_stay() -> None:
    made = released(counted([30, 70, 100], words=["x", "y", "z"]), ["n"], totals=ALL)
    assert made.column_names == ["group", "n", "words", "disclosure"]
    assert made["words"].to_pylist() == ["x", "y", "z"]
    assert made["n"].type == pa.int64()


def test_the_release_is_in_the_ledger(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "l.jsonl")
    released(counted([3, 60, 63]), ["n"], totals=ALL, rules=EXACT, ledger=ledger, name="flow")
    assert next(ledger.entries()).facts == {"table": "flow", "rules": "exact", "rows": 3, "suppressed": 2}


@pytest.mark.parametrize("values", [[1, None], [-1, 2], [1.5, 2.0], [float("nan"), 1.0]])
def test_what_is_no_count_is_refused(values: list[Any]) -> None:
    with pytest.raises(DataRefused, match="count-invalid"):
        released(pa.table({"n": values}), ["n"])


def test_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(DeclarationError, match=r"without m.*column-missing"):
        released(pa.table({"n": [1]}), ["n", "m"])


def test_attack_differencing_two_editions_to_find_a_change_of_one(tmp_path: Path) -> None:
    first = released(counted([40, 60, 100]), ["n"], totals=ALL, rules=EXACT)
    second = counted([41, 60, 101])
    # shown exactly, 41 beside 40 and 101 beside 100 say that one person came
    assert released(second, ["n"], totals=ALL, rules=EXACT)["n"].to_pylist() == [41, 60, 101]
    ledger = Ledger(tmp_path / "l.jsonl")
    guarded = released(second, ["n"], totals=ALL, rules=EXACT, earlier=Edition(first, ("group",)), ledger=ledger)
    assert guarded["n"].to_pylist() == [None, 60, None]
    assert next(ledger.entries()).facts["suppressed"] == 2  # the attack leaves a trace


def test_rounding_protects_small_changes_by_itself() -> None:
    first = released(counted([41, 60, 101]), ["n"], totals=ALL)
    for came in range(8):
        now = released(counted([41 + came, 60, 101 + came]), ["n"], totals=ALL, earlier=Edition(first, ("group",)))
        # 40 beside 40, 45 or 50: from nobody up to more than seven people could have come
        assert None not in now["n"].to_pylist()


def test_large_changes_new_rows_and_hidden_figures_of_an_earlier_edition_are_no_matter() -> None:
    first = released(counted([40, 3, 60, 103]), ["n"], totals=ALL, rules=EXACT)
    assert first["n"].to_pylist() == [None, None, 60, 103]
    later = pa.table({"group": ["a", "b", "c", "d", "all"], "n": [41, 20, 69, 50, 180]})
    made = released(later, ["n"], totals=ALL, rules=EXACT, earlier=Edition(first, ("group",)))
    assert made["n"].to_pylist() == [41, 20, 69, 50, 180]
    assert repr(Edition(first, ("group",))) == "Edition(4 rows)"


def test_rules_are_data() -> None:
    assert RuleSet(**RULES["hes"].document()) == RULES["hes"]


@settings(max_examples=60)
@given(st.lists(st.integers(0, 24), min_size=2, max_size=4), st.sampled_from(sorted(RULES)))
def test_no_small_count_can_be_pinned_down_by_trying_every_possibility(parts: list[int], name: str) -> None:
    """An attacker who knows the rules and tries all tables that would print the same learns no more than "1 to 7"."""
    rules = RULES[name]
    table = counted([*parts, sum(parts)])
    printed = shown(table, totals=ALL, rules=rules)
    hidden = [figure in ((0, None) if rules.small_becomes_zero else (None,)) for figure in printed]
    if len(parts) == 4:  # too many tables to try: only that small ones are hidden
        assert all(closed for closed, true in zip(hidden, parts, strict=False) if 0 < true < rules.smallest_shown)
        return
    possible = [guess for guess in product(range(33), repeat=len(parts)) if _prints(guess, printed, hidden, rules)]
    for place, true in enumerate(parts):
        if 0 < true < rules.smallest_shown:
            assert set(range(1, rules.smallest_shown)) <= {guess[place] for guess in possible}


def _prints(guess: tuple[int, ...], printed: list[int | None], hidden: list[bool], rules: RuleSet) -> bool:
    """Whether these counts and their total agree with every figure that is shown."""
    for count, figure, closed in zip((*guess, sum(guess)), printed, hidden, strict=True):
        if not closed and (rules.rounded(count) != figure or 0 < count < rules.smallest_shown):
            return False
    return True


def test_a_figure_of_the_last_edition_that_still_holds_protects_nothing_when_hidden_now():
    """Edition 1 showed b = 40 of 100; hiding b again in edition 2 would leave a = 100 - 40 - 55 to the reader."""
    groups, totals = ["a", "b", "c", "all"], [Total("group", "all")]
    exact = RuleSet("exact", "for this test", 8, 1)
    first = pa.table({"group": ["b", "all"], "n": [40, 100]})
    now = pa.table({"group": groups, "n": [5, 40, 55, 100]})
    alone = released(now, ["n"], totals=totals, rules=exact)
    assert alone.column("n").to_pylist() == [None, None, 55, 100]  # the smallest other one
    made = released(now, ["n"], totals=totals, rules=exact, earlier=Edition(first, ("group",)))
    assert made.column("n").to_pylist()[2] is None  # the reader remembers b, so c has to go too


def test_a_promise_that_cannot_be_kept_does_not_hide_the_whole_table():
    """2 + 1 people, both hidden, add up to at least 2: no hiding makes their total look like 1, so the rest stays."""
    cells = {("x", "g"): 60, ("x", "n"): 40, ("y", "g"): 12, ("y", "n"): 9, ("z", "g"): 2, ("z", "n"): 1}
    rows = [*cells, *((name, "all") for name in "xyz"), ("all", "g"), ("all", "n"), ("all", "all")]
    counts = [sum(n for (one, other), n in cells.items() if a in (one, "all") and b in (other, "all")) for a, b in rows]
    table = pa.table({"a": [a for a, _ in rows], "b": [b for _, b in rows], "n": counts})
    made = released(table, ["n"], totals=[Total("a", "all", ("b",)), Total("b", "all", ("a",))])
    shown = dict(zip(rows, made.column("n").to_pylist(), strict=True))
    assert shown["z", "g"] is shown["z", "n"] is shown["z", "all"] is None
    assert shown["all", "all"] == 125  # 124
    assert shown["x", "g"] == 60

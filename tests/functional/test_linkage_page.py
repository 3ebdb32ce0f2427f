"""The page on linkage, followed literally: its blocks run one after the other, with clerks who know the truth."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pytest

from riskmodel.linkage.rates import LinkRates

PAGE = (Path(__file__).parents[2] / "docs" / "linkage.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_page_runs_and_gives_what_it_says(tmp_path: Path) -> None:
    made: dict = {"folder": tmp_path}
    made["judged"] = lambda pairs: judged(pairs, made["truth"])
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "linkage.md", "exec"), made)
    people = made["by_truth"].everybody.missed.people
    assert people <= made["found"]["people"].value  # those known once are people too
    assert made["found"]["people"].low <= made["found"]["people"].value <= made["found"]["people"].high
    for name in ("by_doubt", "by_truth", "by_clerks"):
        assert isinstance(made[name], LinkRates)
        assert 0 <= made[name].everybody.missed.value < 0.1
    assert made["by_truth"].everybody.missed.people > 250
    assert made["by_clerks"].everybody.false.low <= made["by_truth"].everybody.false.value


def judged(pairs: pa.Table, truth: pa.Table) -> pa.Array:
    """What clerks write who know who is who."""
    known = zip(*(truth.column(name).to_pylist() for name in ("agency", "person_key", "person")), strict=True)
    person = {(agency, key): who for agency, key, who in known}
    rows = pairs.to_pylist()
    return pa.array(
        [person[one["agency_l"], one["person_key_l"]] == person[one["agency_r"], one["person_key_r"]] for one in rows]
    )

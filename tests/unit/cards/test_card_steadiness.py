"""Whose score would be withheld, on the card: by group, and no small number of people worked out from the others."""

from __future__ import annotations

from typing import Any

from riskmodel.models.uncertainty import wilson


def row(attribute: str, group: str, people: int, withheld: int) -> dict[str, Any]:
    low, high = wilson(withheld / people, people)
    figures = {"share": withheld / people, "low": low, "high": high, "state": "ok"}
    return {"attribute": attribute, "group": group, "people": people, "withheld": withheld, **figures}


def shown(case: Any, *rows: dict[str, Any]) -> dict[str, Any]:
    found = {"as_of": "2021-01-01", "people": 605, "refused_above": 0.25, "moved_most": "age", "index": 0.07}
    card = case.draft(withheld={**found, "rows": list(rows)})
    (table,) = [block for section in card.document["sections"] for block in section["blocks"]
                if block.get("caption") == "Scores withheld"]  # fmt: skip
    return {cells[0]: cells[2]["value"] for cells in table["rows"]}


def test_attack_the_few_of_one_group_are_not_worked_out_from_everybody(case: Any) -> None:
    """3 men of 320 are hidden; with 8 women of 285 and 11 of everybody they could be worked out."""
    found = shown(case, row("all", "all", 605, 11), row("sex", "female", 285, 8), row("sex", "male", 320, 3))
    assert found["Sex: Male"] is None
    assert None in (found["Everybody"], found["Sex: Female"])


def test_shares_that_tell_nobody_are_shown(case: Any) -> None:
    found = shown(case, row("all", "all", 605, 60), row("sex", "female", 285, 25), row("sex", "male", 320, 35))
    assert found == {"Everybody": 60 / 605, "Sex: Female": 25 / 285, "Sex: Male": 35 / 320}

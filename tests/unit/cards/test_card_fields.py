"""The card says which fields were asked for and what came of each."""

from __future__ import annotations

from typing import Any

from riskmodel.explain.fields import FieldReport, FieldUse

FEEDS = {"police.events": {"delivered": 1000, "accepted": 1000, "quarantined": {}}}
REPORT = FieldReport(
    (
        FieldUse("birth_date", "needed", ("linkage",), 1, 0.25, 0.2, 0.3),
        FieldUse("ended_at", "in every record"),
        FieldUse("ethnicity", "never read"),
        FieldUse("value", "no weight", (), 2, 0.001, 0.0, 0.004),
    ),
    rows=2000,
    people=500,
)


def test_fields_asked_for_in_vain_stand_on_the_card(case: Any) -> None:
    card = case.draft(intake_report={"feeds": FEEDS, "fields_used": REPORT.document()})
    text = card.files()["card.md"]
    assert "Asked for and without use in this model: ethnicity and value." in text
    assert "because a record means nothing without it: ended at." in text
    assert "25.0% (20.0% to 30.0%)" in text
    assert "Linkage, 1 feature" in text


def test_a_card_whose_run_did_not_ask_says_nothing_of_fields(card: Any) -> None:
    assert "Fields asked for" not in card.files()["card.md"]

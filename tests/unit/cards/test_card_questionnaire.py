"""The questions others ask: each answered by people, by the card, or said to be missing; the list of fields is data."""

from __future__ import annotations

import re
from typing import Any

import pytest

from riskmodel.cards.answers import answers_of
from riskmodel.cards.model_card import ModelCard
from riskmodel.cards.questionnaire import MARKS, algo_care_record, atrs_record, questions
from riskmodel.errors import DeclarationError


@pytest.mark.parametrize(("standard", "count"), [("atrs", 57), ("algo_care", 18)])
def test_the_fields_are_whole(standard: str, count: int, card: ModelCard) -> None:
    _, _, asked = questions(standard)
    ids = [question.id for question in asked]
    assert len(ids) == len(set(ids)) == count
    assert {question.mark for question in asked} <= set(MARKS)
    aliases = [question.alias for question in asked if question.alias]
    assert len(aliases) == len(set(aliases))
    # a fact that no card has would leave a field missing for ever
    optional = {"benefits", "alternatives", "legal"}
    assert {question.answer for question in asked if question.answer} - optional <= set(answers_of(card.document))


def test_the_ids_of_the_standard_stand_in_their_order() -> None:
    _, _, asked = questions("atrs")
    ids = [[int(part) for part in question.id.split(".")] for question in asked]
    assert ids == sorted(ids)


def test_a_field_is_answered_from_the_card_or_is_missing(card: ModelCard) -> None:
    record = atrs_record(card)
    found = {answer.question.id: answer for answer in record.answers}
    assert found["2.1.3"].text == "Head of early support"
    assert found["2.1.3"].origin == "from the card"
    assert found["1.3"].origin == "missing"
    assert found["1.3"].text == ""
    assert "1.3" in record.missing
    assert record.card == card.fingerprint
    assert "Ranking (AUROC): 0." in found["2.4.2.7"].text
    assert found["2.4.3.4"].text == "ethnicity and sex, for the audit by group."


def test_what_people_wrote_comes_first_by_id_or_older_name(case: Any) -> None:
    text = case.draft().document["text"] | {
        "atrs": {"1.3": "https://example.org", "team": "Early help", "2.1.3": "Director"}
    }
    found = {answer.question.id: answer for answer in atrs_record(case.draft(text)).answers}
    assert (found["1.3"].text, found["1.3"].origin) == ("https://example.org", "written by people")
    assert (found["2.1.2"].text, found["2.1.2"].origin) == ("Early help", "written by people")
    assert found["2.1.3"].text == "Director"


def test_a_field_the_standard_does_not_have_is_refused(case: Any) -> None:
    drafted = case.draft(case.draft().document["text"] | {"atrs": {"9.9": "x", "teem": "y"}})
    with pytest.raises(DeclarationError) as refused:
        atrs_record(drafted)
    assert [fault.where for fault in refused.value.faults] == ["card.atrs.9.9", "card.atrs.teem"]


def test_algo_care_leaves_judgements_to_people(card: ModelCard) -> None:
    record = algo_care_record(card)
    assert {"lawful.proportionate", "ownership", "accuracy.errors", "responsible.interest"} <= set(record.missing)
    assert "advisory" not in record.missing


def test_the_document_and_the_table_hold_every_field(card: ModelCard) -> None:
    record = atrs_record(card)
    assert len(record.document()["fields"]) == len(record.table().rows) == len(record.answers)
    missing = [row for row in record.table().worded() if row[2].startswith("Missing")]
    assert len(missing) == len(record.missing)


def test_no_answer_is_a_placeholder(card: ModelCard) -> None:
    for answer in (*atrs_record(card).answers, *algo_care_record(card).answers):
        assert not re.search(r"\b(todo|tbc|none$|null|nan)\b", answer.text, re.IGNORECASE), answer

"""The questions others ask: each answered by people, by the card, or said to be missing; the list of fields is data."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from riskmodel.cards.answers import answers_of
from riskmodel.cards.model_card import ModelCard
from riskmodel.cards.questionnaire import (
    MARKS,
    MISSING,
    Record,
    algo_care_record,
    atrs_record,
    duties_record,
    probast_record,
    questions,
    tripod_record,
)
from riskmodel.cards.records_page import records_files
from riskmodel.errors import DeclarationError
from riskmodel.models.checking import Check
from riskmodel.models.checks import referee


def checks_of(case: Any) -> tuple[Check, ...]:
    return referee(case.model, case.training)


@pytest.fixture(scope="module")
def checked(case: Any) -> ModelCard:
    drafted: ModelCard = case.draft(checks=checks_of(case))
    return drafted


@pytest.mark.parametrize(
    ("standard", "count"), [("atrs", 57), ("algo_care", 18), ("tripod_ai", 52), ("probast_ai", 34), ("duties", 21)]
)
def test_the_fields_are_whole(standard: str, count: int, card: ModelCard) -> None:
    _, _, asked = questions(standard)
    ids = [question.id for question in asked]
    assert len(ids) == len(set(ids)) == count
    assert {question.mark for question in asked} <= set(MARKS)
    aliases = [question.alias for question in asked if question.alias]
    assert len(aliases) == len(set(aliases))
    # a fact that no card has would leave a field missing for ever
    optional = {"benefits", "alternatives", "legal", "participation", "fairness_choice", "missing"}
    optional |= {"equality", "impact_assessment", "training", "oversight"}
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


def rows_of(record: Record) -> list[list[str]]:
    return [row for table in record.tables() for row in table.worded()]


@pytest.mark.parametrize("made", [atrs_record, algo_care_record, duties_record, tripod_record, probast_record])
def test_the_document_and_the_tables_hold_every_field(made: Any, card: ModelCard) -> None:
    record = made(card)
    assert len(record.document()["fields"]) == len(rows_of(record)) == len(record.answers)
    missing = [row for row in rows_of(record) if row[2] == MISSING]
    assert len(missing) == len(record.missing) > 0


def test_the_numbers_of_items_are_the_statements_own() -> None:
    _, _, tripod = questions("tripod_ai")
    assert len({re.match(r"\d+", question.id)[0] for question in tripod}) == 27  # type: ignore[index] - each has digits
    _, _, probast = questions("probast_ai")
    assert [sum(question.id[0] == part for question in probast) for part in "de"] == [16, 18]


def test_every_answer_of_a_machine_points_at_a_section_of_the_card(checked: ModelCard) -> None:
    sections = {section["name"] for section in checked.document["sections"]}
    for record in (atrs_record(checked), algo_care_record(checked), tripod_record(checked), probast_record(checked)):
        for answer in record.answers:
            if answer.origin in ("from the card", "asked by machine"):
                page, _, at = answer.evidence.partition("#")
                assert page == "card.html", answer.question.id
                assert at in sections, answer.question.id


def test_what_the_referee_asked_answers_the_questions_on_bias(case: Any, checked: ModelCard) -> None:
    found = {answer.question.id: answer for answer in probast_record(checked).answers}
    assert found["e4.2"].origin == "asked by machine"
    assert found["e4.2"].text == "A person must look. Were enough outcomes judged to say how good it is? Look."
    assert found["d2.3"].text.startswith("Yes, as far as is seen. ")
    assert found["d1.1"].origin == "missing"  # whether a source is right is a judgement
    failed = [dataclasses.replace(check, answer="fail") for check in checks_of(case)]
    assert {answer.question.id: answer for answer in probast_record(case.draft(checks=failed)).answers}["e4.2"].text[
        :4
    ] == "No. "


def test_a_referees_question_that_no_standard_uses_is_known(case: Any) -> None:
    asked = {check.name for check in checks_of(case)} | {"filled-in-later", "own-time"}  # these two ask the histories
    used = {
        check for standard in ("tripod_ai", "probast_ai") for each in questions(standard)[2] for check in each.checks
    }
    assert used == asked


def test_people_may_name_evidence_owner_and_day(case: Any) -> None:
    own = {
        "answer": "The council.",
        "evidence": "https://example.org/contract",
        "owner": "Lawyer",
        "date": "2026-10-01",
    }
    drafted = case.draft(case.draft().document["text"] | {"algo_care": {"ownership": own}})
    row = next(row for row in rows_of(algo_care_record(drafted)) if row[0] == "ownership")
    assert row[2:] == ["The council.", "written by people, example.org/contract", "Lawyer, 1 October 2026"]
    assert '<a href="https://example.org/contract">' in records_files(drafted)["records.html"]


def test_evidence_never_leads_to_a_script(case: Any) -> None:
    own = {"answer": "Yes.", "evidence": "javascript:alert(1)"}
    drafted = case.draft(case.draft().document["text"] | {"algo_care": {"ownership": own}})
    assert 'href="javascript' not in records_files(drafted)["records.html"]


def test_no_answer_is_a_placeholder(card: ModelCard) -> None:
    records = (atrs_record(card), algo_care_record(card), tripod_record(card), probast_record(card))
    for answer in (answer for record in records for answer in record.answers):
        assert not re.search(r"\b(todo|tbc|none$|null|nan)\b", answer.text, re.IGNORECASE), answer

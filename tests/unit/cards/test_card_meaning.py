"""Whose records, which feature, which group: a card says it as its readers know it, never by a machine's name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow.compute as pc

from riskmodel.cards.evidence import Evidence
from riskmodel.cards.given import Given
from riskmodel.cards.public import public_summary
from riskmodel.cards.sections.reasons import reasons
from riskmodel.cards.text import CardText

CODED = "domestic_abuse_victim_count_5y"


def given(case: Any, **changed: Any) -> Given:
    text = CardText.from_mapping(case.draft().document["text"])
    made = Given(case.model, case.audit, case.purpose, case.training, case.explanation, text, {}, None, None, (),
                 Evidence())  # fmt: skip
    made.evidence.artefact("explanation", case.explanation.fingerprint, "explanation of the model")
    return replace(made, **changed)


def test_agencies_are_called_as_was_written_else_as_their_contracts_call_them(case: Any) -> None:
    report = {"contracts": {"police": {"title": "Police force"}}, "feeds": {}}
    assert case.draft(intake_report=report).document["whose_records"] == ["Police force", "health"]
    text = case.draft().document["text"] | {"whose": {"police": "the State of Georgia"}}
    card = case.draft(text, intake_report=report)
    assert card.document["whose_records"] == ["the State of Georgia", "health"]
    assert "It reads records that are kept by: the State of Georgia; health." in str(public_summary(card)["sections"])
    assert "The State of Georgia; Health" in str(card.document["sections"])  # among the facts of the purpose


def test_features_and_days_stand_in_words(case: Any) -> None:
    made = given(case)
    meaning = made.meaning(CODED)
    assert " " in meaning
    said = made.in_words(f"{CODED} looks back beyond 2011-12-30; age does not")
    assert said == f"“{meaning}” looks back beyond 30 December 2011; age does not"
    assert made.in_words("nothing to say of x_1") == "nothing to say of x_1"
    columns = {name: {"says": "Band: 1 < 2"} for name in case.model.feature_names[1:]}
    alike = given(case, training=replace(case.training, manifest={**case.training.manifest, "columns": columns}))
    assert alike.called_feature(CODED) == f"Band ({CODED})"  # another feature is called so, too


def test_groups_are_drawn_by_family_where_nobody_knows_how_people_came_on_record(case: Any) -> None:
    groups = case.explanation.groups
    one_way = pc.and_(pc.equal(groups["level"], "contact"), pc.not_equal(groups["name"], "other records"))
    alone = replace(case.explanation, groups=groups.filter(pc.invert(one_way)))
    for explanation, name in ((case.explanation, "Help sought or given: "), (alone, "Violence events: ")):
        blocks = reasons(given(case, explanation=explanation)).document()["blocks"]
        (drawn,) = (one for one in blocks if one.get("caption") == "What raises or lowers the scores of groups, by sex")
        lines = [f"{row['name']}: {row['group']}" for row in drawn["data"]["rows"]]
        assert {f"{name}Female", f"{name}Male"} <= set(lines)


def test_where_no_gap_is_clear_it_is_said_and_no_empty_table_is_shown(case: Any) -> None:
    groups = case.explanation.groups
    wide = groups.set_column(groups.schema.get_field_index("gap_low"), groups.schema.field("gap_low"),
                             pc.if_else(pc.is_valid(groups["gap"]), -9.0, groups["gap_low"]))  # fmt: skip
    wide = wide.set_column(wide.schema.get_field_index("gap_high"), wide.schema.field("gap_high"),
                           pc.if_else(pc.is_valid(wide["gap"]), 9.0, wide["gap_high"]))  # fmt: skip
    blocks = reasons(given(case, explanation=replace(case.explanation, groups=wide))).document()["blocks"]
    assert not [one for one in blocks if str(one.get("caption", "")).startswith("Gaps that are clear")]
    said = [one["text"] for one in blocks if one["block"] == "paragraph" and "gaps is clear of 0" in one["text"]]
    assert said
    assert all(one.startswith("By ") for one in said)

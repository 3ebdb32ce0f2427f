"""The board brief: what stands on the card and nothing else, and the questions that only people can answer."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

import jsonschema

from riskmodel.cards.blocks import Block, Bullets, Callout, Heading, Section
from riskmodel.cards.brief import board_brief
from riskmodel.cards.model_card import ModelCard
from riskmodel.cards.questionnaire import algo_care_record


def section(card: ModelCard, name: str) -> dict[str, Any]:
    return next(one for one in board_brief(card)["sections"] if one["name"] == name)


def texts(given: Any) -> list[str]:
    if isinstance(given, str):
        return [given]
    if isinstance(given, dict):
        return [text for value in given.values() for text in texts(value)]
    return [text for value in given for text in texts(value)] if isinstance(given, list) else []


def test_its_sections_have_the_form_of_the_cards(card: ModelCard) -> None:
    schema = json.loads((files("riskmodel.cards") / "card.schema.json").read_text(encoding="utf-8"))
    sections = {"$ref": "#/properties/sections", **{name: schema[name] for name in ("$defs", "properties")}}
    jsonschema.Draft202012Validator(sections).validate(board_brief(card)["sections"])


def test_every_figure_in_it_stands_on_the_card(card: ModelCard) -> None:
    on_the_card = set(re.findall(r"\d+\.\d+", card.files()["card.md"].replace("\u2212", "")))
    for part in ("finding", "good", "groups", "limits"):
        for text in texts(section(card, part)["blocks"]):
            assert set(re.findall(r"\d+\.\d+", text.replace("\u2212", ""))) <= on_the_card, part


def test_it_tells_each_simpler_way_by_what_was_shown(case: Any, card: ModelCard) -> None:
    said = section(card, "good")["blocks"][-1]["items"]
    assert len(said) == len(case.model.evaluation.models) - 1
    lead = case.model.evaluation.difference("auroc", "base_rate")
    (sentence,) = [one for one in said if one.startswith("Against base rate for everyone")]
    assert ("ranks people better" in sentence) == (lead.low > 0)


def test_it_says_what_was_found_by_each_attribute_and_how_many_differences_there_are(card: ModelCard) -> None:
    def with_groups(*found: tuple[str, ...]) -> list[dict[str, Any]]:
        blocks: list[Block] = [Callout("By sex: it differs."), Callout("By age: no difference was shown.")]
        blocks += [Heading("How to read the figures"), Bullets(("Found: of 100 with the outcome, those on the list.",))]
        for items in found:
            blocks += [Heading("By sex"), Bullets(items), Bullets(("Not shown.",), folded="1 comparison")]
        blocks += [Heading("What cannot be said"), Bullets(("Fewer than two groups.",))]
        groups = Section("groups", "Is it the same for everyone", tuple(blocks)).document()
        sections = [groups if one["name"] == "groups" else one for one in card.document["sections"]]
        return list(section(ModelCard.from_document({**card.document, "sections": sections}), "groups")["blocks"])

    *headlines, last = with_groups(("One.", "Two."), ("Three.",))
    assert [one["text"] for one in headlines] == ["By sex: it differs.", "By age: no difference was shown."]
    assert last["text"].startswith("3 differences between groups were found")
    assert with_groups(("One.",))[-1]["text"].startswith("1 difference between groups was found")
    assert with_groups()[-1]["text"].startswith("All figures")


def test_it_asks_the_board_what_nobody_has_answered(card: ModelCard) -> None:
    record = algo_care_record(card)
    asked = section(card, "questions")["blocks"][-1]["items"]
    assert asked == [answer.question.label for answer in record.answers if answer.origin == "missing"]


def test_with_every_question_answered_it_says_so(case: Any) -> None:
    answers = dict.fromkeys(algo_care_record(case.draft()).missing, "Answered.")
    answered = case.draft(case.draft().document["text"] | {"algo_care": answers})
    assert "Every question of ALGO-CARE has an answer" in section(answered, "questions")["blocks"][0]["text"]

"""What changed since the board last saw the card: every difference in a sentence, nothing called better or worse."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from riskmodel.cards import html
from riskmodel.cards.diff import CardDiff, Moved, card_diff, diff_document
from riskmodel.cards.evidence import Claim
from riskmodel.cards.model_card import ModelCard
from riskmodel.errors import EvidenceError


def changed(card: ModelCard, **parts: Any) -> ModelCard:
    """The card with parts of its document replaced, by path with double underscores."""
    document: dict[str, Any] = copy.deepcopy(dict(card.document))
    for path, value in parts.items():
        *way, last = path.split("__")
        at = document
        for step in way:
            at = at[step]
        at[last] = value
    return ModelCard.from_document(document)


def said(card: ModelCard, **parts: Any) -> tuple[str, ...]:
    return card_diff(card, changed(card, **parts)).sentences


def test_a_card_does_not_differ_from_itself(card: ModelCard) -> None:
    assert card_diff(card, card) == CardDiff((), (), ())


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("edition", "2", "This is edition 2 (23 November 2026); the last was edition 1 (23 November 2026)."),
        ("state", "in_use", "Its state went from draft to in use."),
        ("purpose__expires", "2028-01-01", "The purpose now holds until 1 January 2028; it was 1 June 2027."),
        ("purpose__controllers", ["police", "housing"], "New agency of the purpose: housing."),
        ("purpose__controllers", ["police"], "No longer an agency of the purpose: health."),
        ("outcome__within", "2y", "What is predicted changed: within was 1y and is 2y."),
        ("cohort__aged", [10, 17], "Who is in question changed: aged was 10 and 25 and is 10 and 17."),
        ("text__owner", "Someone else", "People wrote something else about: owner."),
    ],
)
def test_each_change_has_its_sentence(card: ModelCard, path: str, value: Any, sentence: str) -> None:
    assert sentence in said(card, **{path: value})


def test_another_model_is_told_with_what_changed_in_it(card: ModelCard) -> None:
    learner = {**card.document["model"]["learner"], "rounds": 99}
    features = [*card.document["model"]["features"][1:], "arson_count_2y"]
    sentences = said(card, model__fingerprint="0" * 64, model__learner=learner, model__features=features)
    assert sentences == (
        "The model is another one.",
        "Its settings changed: rounds.",
        "New feature: arson_count_2y.",
        "No longer a feature: age.",
    )


def test_a_headline_figure_is_told_with_both_values(card: ModelCard) -> None:
    document = copy.deepcopy(dict(card.document))
    claim = document["evidence"]["claims"]["performance.model.all.auroc"]
    before = Claim.from_document("x", claim).words()
    claim |= {"value": 0.999, "low": 0.998, "high": 1.0}
    (sentence,) = card_diff(card, ModelCard.from_document(document)).sentences
    assert sentence == f"Ranking (AUROC) was {before} and is 0.999 (0.998 to 1.000): moved beyond its interval."


def test_figures_of_groups_that_can_no_longer_be_shown_are_counted(card: ModelCard) -> None:
    document = copy.deepcopy(dict(card.document))
    claims = document["evidence"]["claims"]
    key = next(key for key, claim in claims.items() if key.startswith("audit.sex.") and claim["state"] == "ok")
    claims[key] |= {"value": None, "low": None, "high": None, "state": "suppressed"}
    found = card_diff(card, ModelCard.from_document(document))
    assert "Of these, 1 can no longer be shown or estimated." in found.sentences
    assert found.table().rows[0][2:] == ("suppressed", "Can no longer be shown")


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (Claim("k", 0.7, "m", 0.6, 0.8), Claim("k", 0.75, "m", 0.7, 0.9), "moved within its interval"),
        (Claim("k", 0.7, "m", 0.6, 0.8), Claim("k", 0.9, "m", 0.7, 0.95), "moved beyond its interval"),
        (Claim("k", 5.0, "m"), Claim("k", 6.0, "m"), "changed"),
        (None, Claim("k", 6.0, "m"), "new"),
        (Claim("k", 5.0, "m"), None, "gone"),
        (Claim("k", None, "m", state="not_estimable"), Claim("k", 5.0, "m"), "can now be shown"),
    ],
)
def test_what_became_of_a_figure(before: Claim | None, after: Claim | None, says: str) -> None:
    assert Moved("k", before, after).says == says


def evaluation() -> ModelCard:
    folder = Path(__file__).parents[3] / "model_cards" / "policy"
    return ModelCard.load(folder)


def test_an_evaluation_card_does_not_differ_from_itself() -> None:
    assert card_diff(evaluation(), evaluation()) == CardDiff((), (), ())


def test_an_evaluation_tells_its_answer_its_grade_and_its_departures() -> None:
    before = evaluation()
    grade = {**before.document["evaluation"]["grade"], "words": "Level 2"}
    sentences = said(
        before,
        evaluation__finding="No change is shown.",
        evaluation__grade=grade,
        evaluation__deviations=["A check was left out."],
        evaluation__conclusion__harmed=[],
    )
    assert sentences[0].endswith("It is now “No change is shown.”")
    assert sentences[1].endswith("It is: Level 2.")
    assert sentences[2].startswith("No longer. Harm is shown to ")
    assert sentences[3] == "New. Not as planned: A check was left out."


def test_a_figure_of_an_evaluation_is_told_by_its_outcome() -> None:
    before = evaluation()
    key = next(key for key in before.document["evidence"]["claims"] if key.startswith("effect."))
    document = copy.deepcopy(dict(before.document))
    document["evidence"]["claims"][key] |= {"value": 5.0, "low": 4.0, "high": 6.0}
    made = card_diff(before, ModelCard.from_document(document))
    assert made.sentences[0].startswith(f"Effect on {key.removeprefix('effect.').replace('_', ' ')} was ")
    assert [section.name for section in made.sections()] == ["changes", "figures"]


def test_cards_of_different_kinds_are_not_compared(card: ModelCard) -> None:
    with pytest.raises(EvidenceError, match="the card of a model and the card of an evaluation"):
        card_diff(card, evaluation())


def test_the_difference_is_a_page_of_its_own(card: ModelCard) -> None:
    document = diff_document(card, changed(card, edition="2", text__owner="Someone else"))
    assert [section["name"] for section in document["sections"]] == ["changes", "texts"]
    assert "the last was edition 1" in html.page(document)

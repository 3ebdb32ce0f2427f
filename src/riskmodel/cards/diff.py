"""What changed between two cards: first in sentences for the board, then the figures side by side.

The board reads a card once and has to know, the next time, what is different: the purpose, who is in it, the model,
what people wrote, and each figure. A figure is said to have moved beyond its interval, moved within it, appeared, or
gone; no change is called better or worse where more is not plainly better. Nothing is left out for being small. What an
evaluation card says of its own is compared in `riskmodel.cards.diff_evaluation`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from riskmodel.cards.blocks import Bullets, Column, Paragraph, Section, Table
from riskmodel.cards.diff_evaluation import evaluation_sentences
from riskmodel.cards.evaluation import KIND as EVALUATION
from riskmodel.cards.evidence import Claim, count_words, share_words
from riskmodel.cards.model_card import ModelCard
from riskmodel.cards.text import REQUIRED
from riskmodel.cards.words import capital, day_words, group_words, learner_words, listed, measure_words, plain
from riskmodel.errors import EvidenceError
from riskmodel.fairness.findings import WORDS

_HEADLINE = ("auroc", "auprc", "expected_observed", "calibration_slope", "precision", "recall")


@dataclass(frozen=True, slots=True)
class Moved:
    """One figure on two cards.

    Attributes
    ----------
    key : str
    before, after : Claim or None where that card has no such figure
    """

    key: str
    before: Claim | None
    after: Claim | None

    @property
    def says(self) -> str:
        """What became of it.

        Examples
        --------
        >>> Moved("k", Claim("k", 0.7, "m", 0.6, 0.8), Claim("k", 0.9, "m", 0.85, 0.95)).says
        'moved beyond its interval'
        >>> Moved("k", Claim("k", 0.7, "m"), None).says
        'gone'
        """
        before, after = self.before, self.after
        if before is None or after is None:
            return "new" if before is None else "gone"
        if before.usable != after.usable:
            return "can no longer be shown" if before.usable else "can now be shown"
        if before.low is None or before.high is None or after.value is None:
            return "changed"
        return "moved within its interval" if before.low <= after.value <= before.high else "moved beyond its interval"


@dataclass(frozen=True, slots=True)
class CardDiff:
    """What is different between the card the board last saw and this one.

    Attributes
    ----------
    sentences : tuple of str, for the board; empty when nothing changed
    texts : tuple of (name, before, after), what people wrote differently
    moved : tuple of Moved, every figure that is not the same
    """

    sentences: tuple[str, ...]
    texts: tuple[tuple[str, str, str], ...]
    moved: tuple[Moved, ...]

    def sections(self) -> tuple[Section, ...]:
        """The sentences, then what people wrote differently and every figure that changed, as sections of a card."""
        said = Bullets(self.sentences) if self.sentences else Paragraph("Nothing changed.")
        made = [Section("changes", "What changed", (said,))]
        if self.texts:
            columns = (Column("Text"), Column("Before"), Column("Now"))
            rows = tuple((capital(plain(name)), before, after) for name, before, after in self.texts)
            made.append(Section("texts", "What people wrote", (Table("Before and now", columns, rows),)))
        if self.moved:
            made.append(Section("figures", "Figures", (self.table(),)))
        return tuple(made)

    def table(self) -> Table:
        """Every figure that changed."""
        rows = tuple(
            (figure_words(one.key), _words(one.before), _words(one.after), capital(one.says)) for one in self.moved
        )
        columns = (Column("Figure"), Column("Before"), Column("Now"), Column("What became of it"))
        return Table("Every figure that is not the same", columns, rows)


def card_diff(before: ModelCard, after: ModelCard) -> CardDiff:
    """What changed from one card to another of the same kind.

    Parameters
    ----------
    before : the card the board last saw
    after : the card it is shown now

    Raises
    ------
    EvidenceError : one is the card of a model and the other of an evaluation
    """
    old, new = before.document, after.document
    if old.get("kind") != new.get("kind"):
        raise EvidenceError(
            "cards-unlike",
            found=f"{_a_kind(old)} and {_a_kind(new)}",
            expected="two cards of the same kind",
            repair="Give two editions of the same card.",
        )
    evaluation = old.get("kind") == EVALUATION
    texts = _texts(old, new)
    moved = _moved(old["evidence"]["claims"], new["evidence"]["claims"])
    sentences = (
        *_editions(old, new),
        *_purpose(old["purpose"], new["purpose"]),
        *(evaluation_sentences(old, new) if evaluation else _of_models(old, new)),
        *_figures(moved),
        *_written(texts),
        *_sections(old, new),
    )
    return CardDiff(sentences, texts, moved)


def diff_document(before: ModelCard, after: ModelCard) -> dict[str, Any]:
    """What changed, as a document of the card's own form; render it with `cards.html`."""
    sections = [section.document() for section in card_diff(before, after).sections()]
    return {**after.document, "kind": "What changed since the last edition", "sections": sections}


def _a_kind(document: Mapping[str, Any]) -> str:
    return "the card of an evaluation" if document.get("kind") == EVALUATION else "the card of a model"


def _of_models(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return [
        *_definitions(old, new),
        *_model(old["model"], new["model"]),
        *_people(old["evidence"]["claims"], new["evidence"]["claims"]),
    ]


def figure_words(key: str) -> str:
    """The key of a figure as a reader knows it.

    Examples
    --------
    >>> figure_words("performance.model.all.auroc"), figure_words("audit.sex.female.tpr")
    ('Ranking (AUROC)', 'Female, by sex: share found')
    >>> figure_words("performance.logistic.2.precision@5%")
    'On the list with the outcome, list of 5%, logistic regression, period 2'
    """
    kind, _, rest = key.partition(".")
    if kind in ("performance", "lead") and rest.count(".") >= 2:
        who, fold, metric = rest.split(".", 2)
        parts = [measure_words(metric)]
        if kind == "lead":
            parts.append(f"lead over {learner_words(who).lower()}")
        elif who != "model":
            parts.append(learner_words(who).lower())
        return ", ".join([*parts, *([] if fold == "all" else [f"period {fold}"])])
    if kind == "audit" and rest.count(".") == 2:
        attribute, group, metric = rest.split(".")
        return f"{group_words(group)}, by {listed(attribute.split(', '))}: {WORDS.get(metric, plain(metric))}"
    if kind in ("effect", "edge"):
        return f"Effect on {plain(rest)}"
    if kind == "path" and "." in rest:
        outcome, _, at = rest.rpartition(".")
        return f"Effect on {plain(outcome)}, {at.lstrip('-')} {'before' if at.startswith('-') else 'after'} the start"
    return capital(plain(key).replace(".", ", "))


def _editions(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    said = []
    if (old["edition"], old["date"]) != (new["edition"], new["date"]):
        said.append(
            f"This is edition {new['edition']} ({day_words(new['date'])}); the last was edition {old['edition']}"
            f" ({day_words(old['date'])})."
        )
    if old["state"] != new["state"]:
        said.append(f"Its state went from {plain(old['state'])} to {plain(new['state'])}.")
    return said


def _purpose(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    said = []
    for name, words in (
        ("name", "The purpose"),
        ("statement", "The statement of the purpose"),
        ("lawful_basis", "The lawful basis"),
    ):
        before, now = (purpose.get(name, "nothing") for purpose in (old, new))  # older cards may lack it
        if before != now:
            said.append(f"{words} was “{before}” and is now “{now}”.")
    ends = [day_words(purpose.get("expires")) for purpose in (old, new)]
    if ends[0] != ends[1]:
        said.append(f"The purpose now holds until {ends[1]}; it was {ends[0]}.")
    for name, words in (("controllers", "agency"), ("fields", "field")):
        said += _added_and_gone(old[name], new[name], f"{words} of the purpose")
    return said


def _definitions(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    said = []
    for part, words in (("cohort", "Who is in question"), ("outcome", "What is predicted")):
        before, after = old[part] or {}, new[part] or {}
        for name in sorted({*before, *after}):
            if before.get(name) != after.get(name):
                said.append(
                    f"{words} changed: {plain(name)} was {_value(before.get(name))} and is {_value(after.get(name))}."
                )
    return said


def _model(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    if old["fingerprint"] == new["fingerprint"]:
        return []
    said = ["The model is another one."]
    if old["learner"]["kind"] != new["learner"]["kind"]:
        said.append(f"It was {learner_words(old['learner']['kind'])}; it is {learner_words(new['learner']['kind'])}.")
    elif old["learner"] != new["learner"]:
        names = sorted(
            name for name in {*old["learner"], *new["learner"]} if old["learner"].get(name) != new["learner"].get(name)
        )
        said.append(f"Its settings changed: {listed([plain(name) for name in names])}.")
    if old["training_fingerprint"] != new["training_fingerprint"]:
        said.append("It was made from other training rows.")
    return said + _added_and_gone(old["features"], new["features"], "feature")


def _people(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    said = []
    for name, words in (
        ("cohort.all", "rows"),
        ("cohort.yes", "rows with the outcome"),
        ("cohort.unknown", "rows whose outcome is unknown"),
    ):
        before, after = (claims.get(name, {}).get("value") for claims in (old, new))
        if before != after:
            said.append(f"There are now {count_words(after)} {words}; there were {count_words(before)}.")
    before, after = (claims.get("performance.base_rate", {}).get("value") for claims in (old, new))
    if before != after:
        said.append(f"Among those judged, {share_words(after)} had the outcome; it was {share_words(before)}.")
    return said


def _figures(moved: tuple[Moved, ...]) -> list[str]:
    """The model's headline figures one by one, the rest counted."""
    said = [
        f"{figure_words(one.key)} was {_words(one.before)} and is {_words(one.after)}: {one.says}."
        for one in moved
        if one.key.startswith("effect.")
        or (one.key.startswith("performance.model.all.") and one.key.split(".", 3)[3].split("@")[0] in _HEADLINE)
    ]
    groups = [one for one in moved if one.key.startswith("audit.") and one.before and one.after]
    beyond = [one for one in groups if one.says == "moved beyond its interval"]
    hidden = [one for one in groups if one.says == "can no longer be shown"]
    if groups:
        said.append(f"{len(groups):,} figures of groups changed, {len(beyond):,} of them beyond their interval.")
    if hidden:
        said.append(f"Of these, {len(hidden):,} can no longer be shown or estimated.")
    return said


def _texts(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    before, after = old["text"], new["text"]
    names = [
        name for name in (*REQUIRED, *sorted({*before, *after} - set(REQUIRED))) if before.get(name) != after.get(name)
    ]
    return tuple((name, _value(before.get(name)), _value(after.get(name))) for name in names)


def _written(texts: tuple[tuple[str, str, str], ...]) -> list[str]:
    if not texts:
        return []
    return [f"People wrote something else about: {listed([plain(name) for name, _, _ in texts])}."]


def _sections(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    titles = [{section["name"]: section["title"] for section in document["sections"]} for document in (old, new)]
    return _added_and_gone(list(titles[0].values()), list(titles[1].values()), "section")


def _moved(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Moved, ...]:
    made = []
    for key in sorted({*old, *new}):
        before, after = (Claim.from_document(key, claims[key]) if key in claims else None for claims in (old, new))
        same = before is not None and after is not None and _seen(before) == _seen(after)
        if not same:
            made.append(Moved(key, before, after))
    return tuple(made)


def _seen(claim: Claim) -> tuple[Any, ...]:
    return claim.value, claim.low, claim.high, claim.state


def _added_and_gone(before: list[str], after: list[str], what: str) -> list[str]:
    added = [name for name in after if name not in before]
    gone = [name for name in before if name not in after]
    said = [f"New {what}: {listed(added)}."] if added else []
    article = "an" if what[0] in "aeiou" else "a"
    return said + ([f"No longer {article} {what}: {listed(gone)}."] if gone else [])


def _words(claim: Claim | None) -> str:
    return "not on the card" if claim is None else claim.words()


def _value(value: object) -> str:
    if value is None or value in ("", [], {}):
        return "nothing"
    return listed([str(item) for item in value]) if isinstance(value, list) else str(value)

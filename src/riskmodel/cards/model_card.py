"""The model card: one typed document, drafted from what a run made and what people wrote, rendered for readers.

A card is evidence, not prose. Every figure on it points at a fingerprinted artefact; a text that people must write and
did not, an artefact that does not belong to the model, or a section with nothing in it stops the card. The same inputs
give the same bytes: no clock, no randomness. A card never says that a model is fair, safe or fit: the board decides.
"""

from __future__ import annotations

import datetime as dt
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from riskmodel import __version__
from riskmodel.cards import html
from riskmodel.cards.blocks import Section
from riskmodel.cards.evidence import Evidence
from riskmodel.cards.given import Given, gathered
from riskmodel.cards.provenance import seal
from riskmodel.cards.sections import (
    annex,
    challenge,
    context,
    fairness,
    opening,
    performance,
    questions,
    reasons,
    records,
    safeguards,
)
from riskmodel.cards.sections import linked_worlds as worlds
from riskmodel.cards.text import CardText
from riskmodel.errors import EvidenceError
from riskmodel.explain.summary import Explanation
from riskmodel.fairness.audit import Audit
from riskmodel.features.training_set import TrainingSet
from riskmodel.governance.purposes import Purpose
from riskmodel.models.checking import Check
from riskmodel.models.membership import Membership
from riskmodel.models.risk_model import RiskModel
from riskmodel.tables import fingerprint_document

FORMAT = "riskmodel-card/1"
JSON_FILE, PAGE_FILE, MARKDOWN_FILE = "card.json", "card.html", "card.md"
_SOFTWARE = (
    "numpy",
    "scipy",
    "pyarrow",
    "pandas",
    "scikit-learn",
    "lightgbm",
    "shap",
    "numba",
    "duckdb",
    "splink",
    "matplotlib",
    "jinja2",
)


@dataclass(frozen=True)
class ModelCard:
    """A card as a document.

    Attributes
    ----------
    document : mapping, the whole card as JSON, with its fingerprint
    """

    document: Mapping[str, Any] = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the document without the fingerprint itself and without what is said about its making."""
        return str(self.document["fingerprint"])

    @classmethod
    def draft(
        cls,
        model: RiskModel,
        audit: Audit,
        purpose: Purpose,
        *,
        training: TrainingSet,
        explanation: Explanation,
        text: CardText | Mapping[str, Any],
        study: Mapping[str, Any] | None = None,
        intake_report: Mapping[str, Any] | None = None,
        linkage_quality: Mapping[str, Any] | None = None,
        published: Sequence[Mapping[str, Any]] | None = None,
        scored: Mapping[str, Any] | None = None,
        linked_worlds: Mapping[str, Any] | None = None,
        membership: Membership | None = None,
        withheld: Mapping[str, Any] | None = None,
        checks: Sequence[Check] = (),
        date: dt.date | None = None,
        edition: str = "1",
    ) -> ModelCard:
        """Draft a card.

        Parameters
        ----------
        model, audit, training, explanation : what the run made; they must belong together
        purpose : why the records may be read
        text : what people must write (`riskmodel.cards.text.REQUIRED` names it)
        study : the study's name and title
        intake_report, linkage_quality : the reports of those stages, None where there was none
        published : figures that others have published, beside the same computed here
        scored : scores of a forecasting challenge on its judged rows, with published scores beside them
        linked_worlds : the audit over linked worlds (`fairness.linked_worlds`), for studies that drew some
        membership : attacks on what the model remembers of people, None where there were too few
        withheld : how many scores would be withheld (`advisory.rehearsal.rehearsed`), where advice has a footing
        checks : a referee's questions and their answers (`models.checks.referee`)
        date, edition : of the card; a card that is given no date has none, because no clock is read

        Raises
        ------
        EvidenceError : texts are missing, artefacts do not belong together, or a section is empty; all are named
        """
        written = text if isinstance(text, CardText) else CardText.from_mapping(text)
        _must_belong_together(model, audit, training, explanation)
        given = Given(
            model,
            audit,
            purpose,
            training,
            explanation,
            written,
            dict(study or {}),
            _json(intake_report),
            _json(linkage_quality),
            _json(list(published or ())),
            Evidence(),
            _json(scored),
            _json(linked_worlds),
            membership,
            _json(withheld),
        )
        gathered(given)
        used = software()
        sections = _sections(given, used, checks)
        _must_be_full(sections)
        document = {
            **_head(given, date, edition),
            "checks": [{name: getattr(check, name) for name in ("name", "question", "answer")} for check in checks],
            "software": used,
            "evidence": given.evidence.document(),
            "sections": [section.document() for section in sections],
        }
        return cls.from_document(document)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> ModelCard:
        """A card from its document; the fingerprint is made anew, of all but what is said about its making."""
        plain = json.loads(json.dumps({name: part for name, part in document.items() if name != "fingerprint"}))
        said = {name: part for name, part in plain.items() if name != "made"}
        return cls({**plain, "fingerprint": fingerprint_document(said)})

    def dated(self, made: Mapping[str, str]) -> ModelCard:
        """The same card with what is known of its making (`cards.provenance`); its fingerprint stays."""
        return type(self)({**self.document, "made": {**made, "seal": seal(made, self.fingerprint)}})

    @classmethod
    def load(cls, folder: str | Path) -> ModelCard:
        """The card in a folder; `riskmodel.cards.verify.verify_card` says whether it was altered.

        Raises
        ------
        EvidenceError : no card there, or one that cannot be read
        """
        try:
            document = json.loads((Path(folder) / JSON_FILE).read_text(encoding="utf-8"))
            return cls({"fingerprint": document["fingerprint"], **document})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EvidenceError(
                "card-unreadable",
                found=f"no readable {JSON_FILE} in {Path(folder).name} ({type(error).__name__})",
                expected="a card as it was saved",
                repair="Give the folder of a card, or make the card again.",
            ) from error

    def save(self, folder: str | Path) -> ModelCard:
        """Write ``card.json``, ``card.md`` and ``card.html`` into a folder; returns the card."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.files().items():
            (folder / name).write_text(content, encoding="utf-8", newline="\n")
        return self

    def files(self) -> dict[str, str]:
        """The card's files by name."""
        return {
            JSON_FILE: json.dumps(self.document, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n",
            MARKDOWN_FILE: html.markdown(self.document),
            PAGE_FILE: html.page(self.document),
        }

    def __repr__(self) -> str:
        return f"ModelCard({self.document['title']!r}, {self.document['state']}, {self.fingerprint[:12]})"


def _head(given: Given, date: dt.date | None, edition: str) -> dict[str, Any]:
    text, training, model = given.text, given.training, given.model
    cohort, outcome = training.cohort, training.outcome_definition
    return {
        "format": FORMAT,
        "state": "draft",
        "title": text.title,
        "summary": text.summary,
        "organisation": text.organisation or text.owner,
        "edition": edition,
        "date": date.isoformat() if date else None,
        "study": dict(given.study),
        "purpose": purpose_document(given.purpose),
        "whose_records": list(given.whose),
        "model": {
            "fingerprint": model.fingerprint,
            "learner": model.learner.document(),
            "features": list(model.feature_names),
            "training_fingerprint": model.training_fingerprint,
        },
        "cohort": cohort.document() if cohort else None,
        "outcome": outcome.document() if outcome else None,
        "text": text.document(),
        "published": list(given.published),
        **({} if given.scored is None else {"scored": dict(given.scored)}),
    }


def _sections(given: Given, software: Mapping[str, str], checks: Sequence[Check]) -> list[Section]:
    made = [
        opening.finding(given),
        opening.what_it_is(given),
        records.purpose(given),
        records.label(given),
        records.feeds(given),
        records.linkage(given),
        records.cohort(given),
        performance.performance(given),
        annex.published(given),
        challenge.challenge(given),
        fairness.fairness(given),
        worlds.linked_worlds(given),
        reasons.reasons(given),
        safeguards.limits(given),
        context.context(),
        safeguards.people_decide(given),
        questions.questions(checks) if checks else None,
        annex.annex(given, software),
    ]
    return [section for section in made if section is not None]


def _must_belong_together(model: RiskModel, audit: Audit, training: TrainingSet, explanation: Explanation) -> None:
    """Refuse artefacts of different runs, and those with nothing in them, all at once."""
    wrong = []
    if model.training_fingerprint != training.fingerprint:
        wrong.append("the model was made from another training set")
    if audit.settings.get("model") not in (None, model.fingerprint):
        wrong.append("the audit is of another model")
    if explanation.settings.get("model") not in (None, model.fingerprint):
        wrong.append("the explanation is of another model")
    if not model.evaluation.metrics.num_rows:
        wrong.append("the evaluation has no figure (section performance)")
    if not audit.table.num_rows:
        wrong.append("the audit has no figure (section groups)")
    if not explanation.importance.num_rows:
        wrong.append("the explanation has no figure (section reasons)")
    if wrong:
        raise EvidenceError(
            "card-evidence",
            found="; ".join(wrong),
            expected="one training set, its model, and that model's evaluation and audit, each with figures",
            repair="Make what is missing or does not belong again, then draft the card.",
        )


def _must_be_full(sections: Sequence[Section]) -> None:
    empty = [section.name for section in sections if not section.blocks]
    if empty:
        raise EvidenceError(
            "card-incomplete",
            found=f"nothing in the sections {', '.join(empty)}",
            expected="something in every section",
            repair="Give the card what the sections are made from.",
        )


def purpose_document(purpose: Purpose) -> dict[str, Any]:
    """The purpose as a card holds it."""
    return {
        "name": purpose.name,
        "statement": purpose.statement,
        "lawful_basis": purpose.lawful_basis,
        "controllers": list(purpose.controllers),
        "fields": list(purpose.fields),
        "expires": purpose.expires.isoformat(),
    }


def software() -> dict[str, str]:
    """Versions of what cards are made with."""
    made = {"riskmodel": __version__, "python": platform.python_version()}
    for name in _SOFTWARE:
        try:
            made[name] = version(name)
        except PackageNotFoundError:
            made[name] = "not installed"
    return made


def _json(value: Any) -> Any:
    """The value as JSON has it, so that a card read back is the card that was drafted."""
    return json.loads(json.dumps(value, default=str))

"""What a card is drafted from, and how its figures are read out of it: each becomes a claim with its evidence.

Only here are tables of the evaluation and the audit opened. A figure that a table does not have is None, and the
sections then say that it is missing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from riskmodel.cards.blocks import Cell
from riskmodel.cards.disclosed import count_cell, count_or_none, gives_away, is_small
from riskmodel.cards.evidence import Claim, Evidence, State, Unit
from riskmodel.cards.lists import Place, is_of, telling_lists
from riskmodel.cards.text import CardText
from riskmodel.cards.words import day_words, learner_words, plain
from riskmodel.dates import duration_words
from riskmodel.explain.summary import Explanation
from riskmodel.fairness.audit import Audit
from riskmodel.fairness.measures import MEASURE
from riskmodel.features.training_set import TrainingSet
from riskmodel.governance.purposes import Purpose
from riskmodel.models.membership import Membership
from riskmodel.models.risk_model import RiskModel
from riskmodel.tables import fingerprint_document

MODEL, ALL = "model", "all"
SHARES = ("precision", "recall", "base_rate", "selection_rate", "tpr", "fnr", "fpr", "ppv", "npv", "mean_score")


class Words(Protocol):
    """What people wrote, as far as every card's sections use it."""

    @property
    def people(self) -> str: ...

    @property
    def fairness_choice(self) -> str: ...


class Audited(Protocol):
    """What the sections on groups and lists ask, whatever the card is made from."""

    @property
    def audit(self) -> Audit: ...

    @property
    def text(self) -> Words: ...

    @property
    def outcome_words(self) -> str: ...

    def group_figure(self, attribute: str, group: str, metric: str) -> Claim | None: ...


@dataclass(frozen=True)
class Given:
    """Everything that a card is made from."""

    model: RiskModel
    audit: Audit
    purpose: Purpose
    training: TrainingSet
    explanation: Explanation
    text: CardText
    study: Mapping[str, Any]
    intake: Mapping[str, Any] | None
    linkage: Mapping[str, Any] | None
    published: Sequence[Mapping[str, Any]]
    evidence: Evidence
    scored: Mapping[str, Any] | None = None
    linked_worlds: Mapping[str, Any] | None = None
    membership: Membership | None = None
    withheld: Mapping[str, Any] | None = None

    @property
    def outcome_words(self) -> str:
        """The outcome as the end of a sentence."""
        if self.text.outcome_words:
            return self.text.outcome_words
        outcome = self.training.outcome_definition
        if outcome is None:
            return "had the recorded outcome"
        return f"had a recorded {plain(outcome.kind)} within {duration_words(outcome.within)}"

    @property
    def whose(self) -> tuple[str, ...]:
        """Whose records these are, as a reader knows them: as was written, else as their contracts have it."""
        contracts: Mapping[str, Any] = (self.intake or {}).get("contracts", {})
        names = self.purpose.controllers
        return tuple(self.text.whose.get(name) or contracts.get(name, {}).get("title") or plain(name) for name in names)

    @property
    def comparators(self) -> tuple[str, ...]:
        """The names under which comparators stand in the tables."""
        return tuple(name for name in self.model.evaluation.models if name != MODEL)

    def called(self, name: str) -> str:
        """The model or a comparator as a reader knows it."""
        if name == MODEL:
            return "This model"
        return learner_words(name)

    def meaning(self, feature: str) -> str:
        """What a feature is, in words, as its training set or its definition has it."""
        says = (self.training.manifest.get("columns") or {}).get(feature, {}).get("says")
        return str(says or next((each.sentence for each in self.model.features if each.name == feature), ""))

    def called_feature(self, feature: str) -> str:
        """A feature in a sentence or a drawing: its meaning, without the values that it may take.

        A feature that shares its meaning with another keeps its name beside it.
        """
        said = self._called.get(feature) or plain(feature)
        return f"{said} ({feature})" if list(self._called.values()).count(said) > 1 else said

    @cached_property
    def _called(self) -> Mapping[str, str]:
        return {name: self.meaning(name).partition(": ")[0] for name in self.model.feature_names}

    def in_words(self, text: str) -> str:
        """A text in which features stand by their names and days as numbers, as a reader has it.

        A name that is a plain word, such as "age", stays: it may be one in the text.
        """
        names = sorted((name for name in self.model.feature_names if "_" in name), key=len, reverse=True)
        known = "|".join(re.escape(name) for name in names) or r"(?!)"
        said = re.sub(rf"(?<!\w)({known})(?!\w)", lambda found: f"“{self.called_feature(found[0])}”", text)
        return re.sub(r"\b\d{4}-\d\d-\d\d\b", lambda found: day_words(found[0]), said)

    def figure(self, metric: str, who: str = MODEL, fold: str = ALL) -> Claim | None:
        """One figure of the evaluation as a claim, or None when the evaluation has none."""
        return self._from_table("metrics", metric, who, fold)

    def lead(self, metric: str, comparator: str) -> Claim | None:
        """The model's lead over a comparator as a claim."""
        return self._from_table("differences", metric, comparator, ALL)

    def group_figure(self, attribute: str, group: str, metric: str) -> Claim | None:
        """One figure of the audit as a claim."""
        return group_claim(self.evidence, self._rows["table"], attribute, group, metric)

    def worked_out(
        self, key: str, value: float | None, artefact: str, n: int | None = None, unit: Unit = "number"
    ) -> Claim:
        """A figure that is worked out here from an artefact's own figures; no count of people."""
        return self.evidence.claim(Claim(key, value, artefact, n=n, unit=unit))

    def counted(self, key: str, count: int, artefact: str) -> Claim:
        """A count of people or of their rows, as it may be shown."""
        shown = count_cell(count)
        if isinstance(shown, str):
            return self.evidence.claim(Claim(key, None, artefact, state="suppressed", unit="count"))
        return self.evidence.claim(Claim(key, shown, artefact, unit="count"))

    @cached_property
    def _rows(self) -> Mapping[str, Mapping[tuple[str, ...], Mapping[str, Any]]]:
        """The rows of the evaluation and of the audit by what names them."""
        evaluation = self.model.evaluation
        return {
            "metrics": indexed(evaluation.metrics, "model", "fold", "metric"),
            "differences": indexed(evaluation.differences, "model", "fold", "metric"),
            "table": indexed(self.audit.table, "attribute", "group", "metric"),
        }

    @cached_property
    def _telling(self) -> frozenset[Place]:
        return telling_lists(self.model.evaluation.metrics)

    def _from_table(self, name: str, metric: str, who: str, fold: str) -> Claim | None:
        at = {"model": who, "fold": fold, "metric": metric}
        row = self._rows[name].get((who, fold, metric))
        if row is None:
            return None
        part = "performance" if name == "metrics" else "lead"
        if name == "metrics" and is_of(row, self._telling):
            key, found_at = f"{part}.{who}.{fold}.{metric}", {"table": name, **at}
            return self.evidence.claim(Claim(key, None, "evaluation", state="suppressed", found_at=found_at))
        return row_claim(self.evidence, f"{part}.{who}.{fold}.{metric}", row, "evaluation", {"table": name, **at})


def row_claim(
    evidence: Evidence, key: str, row: Mapping[str, Any], artefact: str, found_at: Mapping[str, str]
) -> Claim:
    """A row of a table of figures as a claim."""
    metric = str(row["metric"]).split("@")[0]
    unit: Unit = "share" if metric in SHARES else "number"
    state: State = row["state"]
    return evidence.claim(
        Claim(
            key=key,
            value=clean(row["value"]),
            artefact=artefact,
            low=clean(row["low"]),
            high=clean(row["high"]),
            n=count_or_none(row["n"]),
            state=state,
            unit=unit,
            found_at=found_at,
        )
    )


def group_claim(
    evidence: Evidence, rows: Mapping[tuple[str, ...], Mapping[str, Any]], attribute: str, group: str, metric: str
) -> Claim | None:
    """A row of an audit's table as a claim, suppressed where it would tell a few people; None without such a row."""
    at = {"attribute": attribute, "group": group, "metric": metric}
    row = rows.get((attribute, group, metric))
    if row is None:
        return None
    key = f"audit.{attribute}.{group}.{metric}"
    measure = MEASURE[metric]
    counted = measure.kind in ("share", "ratio")
    if row["value"] is not None and counted and _tells(row, share=measure.kind == "share"):
        return evidence.claim(Claim(key, None, "audit", state="suppressed", found_at={"table": "table", **at}))
    return row_claim(evidence, key, row, "audit", {"table": "table", **at})


def gathered(given: Given) -> None:
    """Register every artefact that the card may point at."""
    evidence, model = given.evidence, given.model
    evidence.artefact("training", given.training.fingerprint, "training set")
    evidence.artefact("model", model.fingerprint, "fitted model")
    kind = {"forward": "forward folds", "place": "places held out"}.get(
        model.declaration["folds"]["kind"], "folds of people"
    )
    evidence.artefact("evaluation", model.evaluation.fingerprint, f"evaluation on {kind}")
    evidence.artefact("audit", given.audit.fingerprint, "audit by group")
    evidence.artefact("explanation", given.explanation.fingerprint, "explanation of the model")
    if given.membership is not None:
        evidence.artefact("membership", given.membership.fingerprint, "attacks on what the model remembers of people")
    for name, document, holds in (
        ("intake", given.intake, "report of the intake of records"),
        ("linkage", given.linkage, "report of the linkage of records"),
        ("published", list(given.published) or None, "comparison with published figures"),
        ("linked_worlds", given.linked_worlds, "audit over linked worlds"),
        ("withheld", given.withheld, "people of the newest date whose score would be withheld"),
        ("scored", given.scored, "scores on the judged rows, with the choice that came before them"),
    ):
        if document is not None:
            evidence.artefact(name, fingerprint_document(document), holds)


def cell(claim: Claim | None) -> Cell:
    """A claim as the cell of a table."""
    if claim is None:
        return {"value": None, "low": None, "high": None, "state": "not_estimable"}
    return {"value": claim.value, "low": claim.low, "high": claim.high, "state": claim.state}


def point(label: str, claim: Claim | None, *, marked: bool = False) -> dict[str, Any]:
    """A claim as a line of a drawing."""
    usable = claim is not None and claim.usable
    return {
        "label": label,
        "value": claim.value if claim and usable else None,
        "low": claim.low if claim and usable else None,
        "high": claim.high if claim and usable else None,
        "state": claim.state if claim else "not_estimable",
        "marked": marked,
        "said": "suppressed" if claim and claim.state == "suppressed" else "not estimable",
    }


def clean(value: float | None) -> float | None:
    """The number, or None where it is missing or not a number."""
    return None if value is None or math.isnan(value) else float(value)


def _tells(row: Mapping[str, Any], *, share: bool) -> bool:
    """Whether a figure of a group would tell a small number of people."""
    if share:
        return gives_away(row["numerator"], row["denominator"])
    return is_small(row["numerator"])


def indexed(table: Any, *names: str) -> dict[tuple[str, ...], Mapping[str, Any]]:
    """The rows of an Arrow table by the values that name them."""
    return {tuple(str(row[name]) for name in names): row for row in table.to_pylist()}

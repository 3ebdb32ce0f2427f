"""What the card of a run made without riskmodel is drafted from: the run's record, scored rows, and what people wrote.

Little is known of such a run, and nothing is guessed. What a person alone can say is asked for by name; a question that
nobody answered stays on the card as a question, and a card with one cannot be put before a board.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from riskmodel.cards.blocks import Block, Callout, text_blocks
from riskmodel.cards.capacity import Working
from riskmodel.cards.disclosed import count_or_none, gives_away
from riskmodel.cards.evidence import Claim, Evidence
from riskmodel.cards.given import group_claim, indexed, row_claim
from riskmodel.cards.text import REQUIRED, CardText, is_empty
from riskmodel.dates import parse_date
from riskmodel.errors import DeclarationError, Fault
from riskmodel.fairness.audit import Audit
from riskmodel.governance.purposes import Purpose
from riskmodel.models.evaluation import calibration_rows
from riskmodel.models.judging import Figure, judge, places
from riskmodel.models.metrics import Numbers
from riskmodel.models.uncertainty import Resampling

OWN: Final[Mapping[str, str]] = {
    "rows_are": "who these rows are, from when, and who was left out of them",
    "records": "which agencies' records they were made from, and how records were joined into people",
    "held_out": "whether the model was made without these rows, and how that is known",
    "known_when": "how it is known that nothing was used that came to light only after the moment of advice",
    "compared_with": "what is done today, and whether the model does better than that or than a simpler rule",
    "fairness_choice": "which fairness measure comes first, who chose it and why",
}
"""What a run of riskmodel's own would know, and here a person must say."""
OF_SCORES: Final = {"scores_are": "how it is known that the scores given are those of this run's model"}
"""Asked as well where the model was not opened."""
ASKED: Final[Mapping[str, str]] = {**REQUIRED, **OWN, **OF_SCORES}
MUST: Final = "A person must answer"
RANKING: Final = ("auroc", "auprc")
OF_PROBABILITIES: Final = (
    "scaled_brier",
    "brier",
    "expected_observed",
    "calibration_in_the_large",
    "calibration_slope",
)
_OPTIONAL = tuple(
    each.name for each in fields(CardText) if each.name not in ASKED and each.name not in ("atrs", "algo_care")
)


@dataclass(frozen=True, slots=True)
class FoundRun:
    """What MLflow has about a run.

    Attributes
    ----------
    run_id, experiment, name : str
    began : str, the day, ISO 8601
    made_by : str, the learner in words
    model : str, SHA-256 of the model's file; of the run's record where it has no model
    opened : bool, whether the scores were made here by the model itself
    columns : tuple of str, what the model takes; empty when not known
    parameters : mapping of name to text
    metrics : mapping of name to the run's own figure
    datasets : tuple of (name, digest, used for)
    source : mapping of further facts, such as the code's commit
    taught_by : tuple of the names of data that the run names and whose digest these rows have
    """

    run_id: str
    experiment: str
    name: str
    began: str
    made_by: str
    model: str
    opened: bool
    columns: tuple[str, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    datasets: tuple[tuple[str, str, str], ...] = ()
    source: Mapping[str, str] = field(default_factory=dict)
    taught_by: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """The run as JSON."""
        return {
            "run_id": self.run_id,
            "experiment": self.experiment,
            "name": self.name,
            "began": self.began,
            "made_by": self.made_by,
            "parameters": dict(self.parameters),
            "metrics": dict(self.metrics),
            "datasets": [list(each) for each in self.datasets],
            "source": dict(self.source),
            "taught_by": list(self.taught_by),
        }


@dataclass(frozen=True, slots=True)
class FoundText:
    """What people wrote.

    Attributes
    ----------
    answers : mapping of a name of `ASKED`, or of another text of a card, to what was written
    asked : mapping of the names that need an answer to the question
    """

    answers: Mapping[str, Any]
    asked: Mapping[str, str]

    @classmethod
    def of(cls, given: Mapping[str, Any], *, opened: bool) -> FoundText:
        """The texts from a ``[card]`` table; those that are empty or only hold their place are no answer.

        Raises
        ------
        DeclarationError : names that no such card has, or a day that is none
        """
        asked = {**REQUIRED, **OWN, **({} if opened else OF_SCORES)}
        known = (*ASKED, *_OPTIONAL)
        faults = [
            Fault(f"card.{name}", "a text that no such card has", f"one of {', '.join(known)}", "Correct the name.")
            for name in given
            if name not in known
        ]
        if faults:
            raise DeclarationError("card-text", faults=faults)
        answers = {name: value for name, value in given.items() if not is_empty(value)}
        if "review_by" in answers:
            answers["review_by"] = parse_date(answers["review_by"], "card.review_by").isoformat()
        return cls(answers, asked)

    @property
    def unanswered(self) -> tuple[str, ...]:
        """The names that nobody answered."""
        return tuple(name for name in self.asked if name not in self.answers)

    @property
    def people(self) -> str:
        """What the people in question are called."""
        return str(self.answers.get("people", "people"))

    @property
    def fairness_choice(self) -> str:
        """Which measure comes first, or the question."""
        return self.said("fairness_choice")

    def said(self, name: str) -> str:
        """The answer in one line, or that a person must give it."""
        return str(self.answers[name]) if name in self.answers else f"{MUST}: {ASKED[name]}."

    def blocks(self, name: str) -> list[Block]:
        """The answer as it stands on the card, or the question set apart."""
        if name in self.answers:
            return text_blocks(str(self.answers[name]))
        return [Callout(self.said(name), "warning")]


@dataclass(frozen=True)
class Scored:
    """The rows that were scored. Held in memory only; the card gets counts, figures and a fingerprint.

    Attributes
    ----------
    score : (n,) float64
    outcome : (n,) float64, NaN where unknown
    person : (n,) int64, whose row it is
    probabilities : bool
    fingerprint : str, SHA-256 of scores, outcomes, people and groups
    """

    score: Numbers = field(repr=False)
    outcome: Numbers = field(repr=False)
    person: npt.NDArray[np.int64] = field(repr=False)
    probabilities: bool
    fingerprint: str

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """(n,) bool, the rows whose outcome is known."""
        return np.isfinite(self.outcome)


@dataclass(frozen=True)
class FoundGiven:
    """Everything that the card of a run made elsewhere is drafted from."""

    run: FoundRun
    scored: Scored
    audit: Audit
    purpose: Purpose
    text: FoundText
    outcome: str
    capacities: tuple[float, ...]
    evidence: Evidence
    seed: int = 0

    @property
    def outcome_words(self) -> str:
        """The outcome as the end of a sentence."""
        return str(self.text.answers.get("outcome_words", f"had “{self.outcome}” recorded"))

    @cached_property
    def on_list(self) -> Mapping[str, float]:
        """Places on a list of each length, by its label."""
        return places(self.capacities, int(self.scored.known.sum()))

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        """The figures of the scores on the rows whose outcome is known, with intervals from drawing whole people."""
        known = self.scored.known
        score = self.scored.score[known]
        if not self.scored.probabilities:  # ranks alone; figures that need probabilities are left out below
            distinct = np.unique(score, return_inverse=True)[1]
            score = (distinct + 0.5) / (distinct.max() + 1)
        judged = judge(
            self.scored.outcome[known], {"model": score}, self.scored.person[known], self.on_list,
            Resampling(seed=self.seed), "found run",
        )  # fmt: skip
        shown = RANKING + (OF_PROBABILITIES if self.scored.probabilities else ())
        return tuple(each for each in judged.figures["model"] if "@" in each.metric or each.metric in shown)

    @cached_property
    def bands(self) -> list[dict[str, Any]]:
        """What was said and what happened, in tenths of the rows; empty for scores that are no probabilities."""
        if not self.scored.probabilities:
            return []
        known = self.scored.known
        return calibration_rows(
            "model", self.scored.outcome[known], self.scored.score[known], self.scored.person[known]
        )  # fmt: skip

    def judged_document(self) -> dict[str, Any]:
        """Figures and bands as JSON: what the fingerprint of the evaluation is made of."""
        return {"figures": [each.row() for each in self.figures], "bands": self.bands, "seed": self.seed}

    def figure(self, metric: str) -> Claim | None:
        """One figure as a claim, or None where there is none; suppressed where it would tell a few people."""
        found = next((each for each in self.figures if each.metric == metric), None)
        if found is None:
            return None
        key, at = f"performance.model.all.{metric}", {"table": "figures", "metric": metric}
        if metric.partition("@")[2] in self._telling:
            return self.evidence.claim(Claim(key, None, "evaluation", state="suppressed", unit="share", found_at=at))
        return row_claim(self.evidence, key, found.row(), "evaluation", at)

    @cached_property
    def working(self) -> Working | None:
        """The list at which the card tells its finding: the middle one."""
        labels = tuple(self.on_list)
        if not labels:
            return None
        label = labels[len(labels) // 2]
        scores = "highest scores" if not label.endswith("%") else f"highest-scoring {label}"
        places_ = f" (about {self.on_list[label]:,.0f} of them)" if label.endswith("%") else ""
        words = f"a list of the {scores if label.endswith('%') else f'{label} {scores}'}{places_}"
        return Working(
            label, words, self.figure(f"precision@{label}"), self.figure(f"recall@{label}"), self.base_rate, None
        )

    @cached_property
    def base_rate(self) -> Claim:
        """The share with the outcome among the rows whose outcome is known."""
        known = self.scored.outcome[self.scored.known]
        share = None if gives_away(float(known.sum()), len(known)) else float(known.mean())
        state: Any = "ok" if share is not None else "suppressed"
        return self.evidence.claim(
            Claim("performance.base_rate", share, "evaluation", n=count_or_none(len(known)), state=state, unit="share")
        )

    def group_figure(self, attribute: str, group: str, metric: str) -> Claim | None:
        """One figure of the audit as a claim."""
        return group_claim(self.evidence, self._audited, attribute, group, metric)

    @cached_property
    def _telling(self) -> frozenset[str]:
        """The lists whose figures would tell a few people; of such a list none is shown, as each tells the others."""
        held = {each.metric: each for each in self.figures}
        telling = set()
        for label, number in self.on_list.items():
            positives = held[f"recall@{label}"].positives
            found = held[f"recall@{label}"].value * positives
            if gives_away(found, number) or gives_away(found, positives):
                telling.add(label)
        return frozenset(telling)

    @cached_property
    def _audited(self) -> Mapping[tuple[str, ...], Mapping[str, Any]]:
        return indexed(self.audit.table, "attribute", "group", "metric")

"""Mitigation as a frontier, not a button: what each candidate costs, whom it moves, and who chose what, and why.

Every candidate is judged on the same rows with the same draws of people: accuracy, calibration, the gaps between
groups, and the people displaced: listed by the model as it is and not by the candidate, or the other way round.
Nothing here ranks the candidates or picks one. The choice is people's, and its record says who, when and why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from riskmodel.errors import DeclarationError, Fault
from riskmodel.fairness.audit import Audit, audit_scores
from riskmodel.fairness.intervals import wilson
from riskmodel.fairness.mitigate import AS_IT_IS, Candidate
from riskmodel.fairness.plots import Plot, frontier_plot
from riskmodel.fairness.rules import Row, Rules
from riskmodel.fairness.scored import numbers, refused
from riskmodel.tables import fingerprint_document

if TYPE_CHECKING:
    import pandas as pd

OVERALL: Final = ("auroc", "brier", "tpr", "ppv", "observed_expected")
GAPS: Final = ("selection_rate", "tpr", "fpr", "ppv", "observed_expected")
EVERYBODY: Final = "everybody"


@dataclass(frozen=True)
class Frontier:
    """Candidates side by side.

    Attributes
    ----------
    table : DataFrame, one row a candidate and figure: candidate, advice, figure, group, reference, value, low, high,
        state. A figure of everybody has no reference; a gap is the group less the reference.
    reference : str, the group that gaps are against
    attribute : str
    """

    table: pd.DataFrame = field(repr=False)
    reference: str
    attribute: str

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the table, with nine significant digits."""
        rows = [
            {name: float(f"{value:.9g}") if isinstance(value, float) and value == value else str(value)
             for name, value in row.items()}
            for row in self.table.to_dict("records")
        ]  # fmt: skip
        return fingerprint_document(rows)

    @property
    def names(self) -> tuple[str, ...]:
        """The candidates, the model as it is first."""
        return tuple(dict.fromkeys(self.table["candidate"]))

    def plot(self, metric: str = "tpr", cost: str = "found") -> Plot:
        """The gap in a figure against what is found, every candidate with its intervals."""
        return frontier_plot(self.table, metric, cost, self.attribute, self.reference)

    def chosen(self, candidate: str, *, by: str, on: date, why: str, legal_advice: str = "") -> Alternatives:
        """Record which of the candidates people chose; see `Alternatives`."""
        if candidate not in self.names:
            raise refused(f"a choice of {candidate!r}, which is none of the {len(self.names)} candidates")
        advice = str(self.table.loc[self.table["candidate"] == candidate, "advice"].iloc[0])
        return Alternatives(self.fingerprint, self.names, candidate, by, on.isoformat(), why, advice, legal_advice)


@dataclass(frozen=True)
class Alternatives:
    """The record of less discriminatory alternatives: what was looked at, what was chosen, by whom, when and why.

    Attributes
    ----------
    frontier : fingerprint of the table that was looked at
    considered : names of the candidates
    chosen : one of them
    by : the body or role that chose, not a person's name
    on : ISO date
    why : the reasons, in a sentence or more
    advice : what had to come first ("legal advice first"), or empty
    legal_advice : where that advice is kept; needed when `advice` says so
    """

    frontier: str
    considered: tuple[str, ...]
    chosen: str
    by: str
    on: str
    why: str
    advice: str = ""
    legal_advice: str = ""

    def __post_init__(self) -> None:
        faults = [
            Fault(f"alternatives.{name}", "nothing", what, repair)
            for name, what, repair in (
                ("by", "the body or role that chose", "Say who chose."),
                ("why", "a reason of some words", "Say why this one and not another."),
            )
            if len(str(getattr(self, name)).split()) < (1 if name == "by" else 3)
        ]
        if self.advice and not self.legal_advice.strip():
            text = "where the legal advice is kept: this candidate uses the protected attribute at prediction"
            faults.append(
                Fault("alternatives.legal_advice", "nothing", text, "Take advice first, and say where it is.")
            )
        if faults:
            raise DeclarationError("alternatives-incomplete", faults=faults)

    def document(self) -> dict[str, Any]:
        """The record as JSON, for the ledger or the tracking of runs."""
        return {**asdict(self), "considered": list(self.considered)}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the document."""
        return fingerprint_document(self.document())


def mitigation_frontier(
    candidates: Sequence[Candidate],
    outcomes: Any,
    group: Any,
    *,
    attribute: str = "group",
    people: Any = None,
    rules: Rules | None = None,
    seed: int = 0,
) -> Frontier:
    """Judge every candidate on the same rows.

    Parameters
    ----------
    candidates : of `mitigate.mitigation_candidates`; the first is the model as it is
    outcomes, group, people, rules, seed : as of `audit_scores`
    attribute : what the group is called

    Raises
    ------
    DataRefused : no candidates, or input that means nothing
    """
    import pandas as pd

    if not candidates or candidates[0].name != AS_IT_IS:
        raise refused(f"{len(candidates)} candidates of which the first is not the model as it is")
    outcome, rows, reference = numbers(outcomes), [], ""
    values = np.asarray(group, dtype=object)
    for candidate in candidates:
        made = audit_scores(
            candidate.scores,
            outcome,
            {attribute: values, EVERYBODY: np.full(len(outcome), EVERYBODY)},
            people=people,
            listed=candidate.listed,
            probabilities=candidate.probabilities,
            rules=rules,
            seed=seed,
        )
        head: Row = {"candidate": candidate.name, "advice": candidate.advice}
        own, reference = _figures(made, attribute)
        own += _displaced(candidate, candidates[0])
        rows += [{**head, **row} for row in own]
    return Frontier(pd.DataFrame(rows), reference, attribute)


def _figures(made: Audit, attribute: str) -> tuple[list[Row], str]:
    """Figures of everybody, and the gaps."""
    names = {"tpr": "found"}
    rows: list[Row] = [
        {"figure": names.get(row["metric"], row["metric"]), "group": EVERYBODY, "reference": "",
         **{name: row[name] for name in ("value", "low", "high", "state")}}
        for row in made.table.to_pylist()
        if row["attribute"] == EVERYBODY and row["metric"] in OVERALL
    ]  # fmt: skip
    reference = ""
    for row in made.disparities.to_pylist():
        if row["attribute"] == attribute and row["metric"] in GAPS:
            reference = row["reference"]
            rows.append({"figure": f"gap in {row['metric']}", "group": row["group"], "reference": reference,
                         "value": row["difference"], "low": row["low"], "high": row["high"],
                         "state": row["state"]})  # fmt: skip
    return rows, reference


def _displaced(candidate: Candidate, plain: Candidate) -> list[Row]:
    """Places, and those listed by the one and not by the other, as shares of the places of the model as it is."""
    before = float(plain.listed.sum())
    moves = {
        "places": float(candidate.listed.sum()),
        "no longer listed": float(np.maximum(plain.listed - candidate.listed, 0).sum()),
        "newly listed": float(np.maximum(candidate.listed - plain.listed, 0).sum()),
    }
    made: list[Row] = []
    for name, count in moves.items():
        low, high = (None, None)
        if name == "no longer listed" and count > 0:
            low, high = (before * float(end) for end in wilson(min(count / before, 1.0), before, 1.959964))
        made.append({"figure": name, "group": EVERYBODY, "reference": "", "value": count, "low": low, "high": high,
                     "state": "ok"})  # fmt: skip
    return made

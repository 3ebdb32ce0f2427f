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
import numpy.typing as npt

from riskmodel.errors import DeclarationError, Fault
from riskmodel.fairness.audit import Audit, audit_scores
from riskmodel.fairness.estimability import OK
from riskmodel.fairness.groups import groupings
from riskmodel.fairness.intervals import wilson
from riskmodel.fairness.mitigate import AS_IT_IS, Candidate
from riskmodel.fairness.plots import Plot, frontier_plot
from riskmodel.fairness.rules import Row, Rules
from riskmodel.fairness.scored import numbers, refused
from riskmodel.fairness.view import told_html
from riskmodel.models.metrics import Numbers
from riskmodel.tables import fingerprint_document

if TYPE_CHECKING:
    import pandas as pd

OVERALL: Final = ("auroc", "brier", "tpr", "ppv", "observed_expected")
GAPS: Final = ("selection_rate", "tpr", "fpr", "ppv", "observed_expected")
EVERYBODY: Final = "everybody"
COUNTS: Final = ("places", "no longer listed", "newly listed")
"""Figures that count places, which those of the groups add up to."""
NORMAL: Final = 1.959964
"""For 95 in 100."""


@dataclass(frozen=True)
class Frontier:
    """Candidates side by side.

    Attributes
    ----------
    table : DataFrame, one row a candidate and figure: candidate, advice, figure, group, reference, value, low, high,
        state, numerator, denominator. Of everybody: accuracy (auroc, brier, found, ppv) and calibration
        (observed_expected, slope). Of each group: the gaps, the group less the reference. Of both: places, no longer
        listed and newly listed, against the model as it is.
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

    @property
    def wide(self) -> pd.DataFrame:
        """One row a candidate, figures of everybody across: for reading, without intervals."""
        own = self.table[self.table["group"] == EVERYBODY]
        names = list(dict.fromkeys(own["figure"]))
        return own.pivot(index="candidate", columns="figure", values="value").loc[list(self.names), names]

    def _repr_html_(self) -> str:
        """The candidates for a notebook."""
        said = f"{len(self.names)} candidates by {self.attribute}; none is picked here, and none is called fair."
        tables = {"Everybody, by candidate": self.wide.reset_index(), "Every figure with its interval": self.table}
        return told_html("What could be done instead", [said], tables)

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
    (grouping,) = groupings({attribute: values})
    person = np.arange(len(outcome)) if people is None else np.unique(np.asarray(people), return_inverse=True)[1]
    who = _Who(person, grouping.codes, grouping.names)
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
        own += _displaced(candidate, candidates[0], who)
        rows += [{**head, **row} for row in own]
    return Frontier(pd.DataFrame(rows), reference, attribute)


def _figures(made: Audit, attribute: str) -> tuple[list[Row], str]:
    """Figures of everybody, and the gaps."""
    names = {"tpr": "found"}
    table = {(row["attribute"], row["group"], row["metric"]): row for row in made.table.to_pylist()}
    rows: list[Row] = [
        _row(names.get(metric, metric), EVERYBODY, row)
        for (by, _, metric), row in table.items()
        if by == EVERYBODY and metric in OVERALL
    ]
    rows += [_row("slope", EVERYBODY, row) for row in made.slopes.to_pylist() if row["attribute"] == EVERYBODY]
    reference = ""
    for row in made.disparities.to_pylist():
        if row["attribute"] == attribute and row["metric"] in GAPS:
            reference, own = row["reference"], table[attribute, row["group"], row["metric"]]
            counts = {name: own[name] for name in ("numerator", "denominator")}
            gap = row | {"value": row["difference"]} | counts
            rows.append(_row(f"gap in {row['metric']}", row["group"], gap, reference))
    return rows, reference


def _row(figure: str, group: str, found: Row, reference: str = "") -> Row:
    kept = {name: found[name] for name in ("value", "low", "high", "state")}
    counts = {name: found.get(name) for name in ("numerator", "denominator")}
    return {"figure": figure, "group": group, "reference": reference, **kept, **counts}


@dataclass(frozen=True, slots=True)
class _Who:
    """Whose rows they are, and of which group."""

    person: npt.NDArray[np.int64]
    codes: npt.NDArray[np.int32]
    names: tuple[str, ...]


def _displaced(candidate: Candidate, plain: Candidate, who: _Who) -> list[Row]:
    """Places, and those listed by the one and not by the other, of everybody and of each group."""
    gone, come = (np.maximum(move, 0) for move in (plain.listed - candidate.listed, candidate.listed - plain.listed))
    made: list[Row] = []
    for group, own in [
        (EVERYBODY, np.ones(len(gone), bool)),
        *((name, who.codes == code) for code, name in enumerate(who.names)),
    ]:
        places, rows = float(candidate.listed[own].sum()), float(own.sum())
        counted: Row = {"value": places, "low": None, "high": None, "state": OK, "numerator": places}
        made.append(_row(COUNTS[0], group, counted | {"denominator": rows}))
        # Those who lose a place are a part of the places there were, those who gain one of the places there are.
        for figure, moved, of in zip(COUNTS[1:], (gone, come), (plain, candidate), strict=True):
            made.append(_row(figure, group, _moved(moved[own], of.listed[own], who.person[own])))
    return made


def _moved(moved: Numbers, places: Numbers, person: npt.NDArray[np.int64]) -> Row:
    """How many moved of so many places, with an interval that keeps the rows of a person together."""
    count, total = float(moved.sum()), float(places.sum())
    made: Row = {"value": count, "low": None, "high": None, "state": OK, "numerator": count, "denominator": total}
    if not total:
        return made
    share = min(count / total, 1.0)
    error = np.bincount(np.unique(person, return_inverse=True)[1], moved - share * places) / total
    squares = float(error @ error)
    worth = share * (1 - share) / squares if squares > 0 and 0 < share < 1 else total
    low, high = (total * float(end) for end in wilson(share, min(worth, total), NORMAL))
    return made | {"low": low, "high": high}

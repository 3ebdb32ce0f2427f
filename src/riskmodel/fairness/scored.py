"""Scores, what followed, and whose rows they are: checked once, in one form for all that an audit looks at.

An outcome is yes, no or unknown, never guessed; a row without a score is refused, never dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riskmodel.errors import DataRefused
from riskmodel.fairness.bootstrap import in_units
from riskmodel.fairness.capacity import attention
from riskmodel.fairness.capacity import listed as on_the_list
from riskmodel.fairness.groups import Grouping
from riskmodel.fairness.measures import placements
from riskmodel.models.metrics import Numbers


@dataclass(frozen=True)
class Scored:
    """Scores and what followed, one row each, in ascending order of score: every figure that ranks needs that order.

    Attributes
    ----------
    score : (n,) float64, ascending
    outcome : (n,) float64, 0 or 1, NaN where unknown
    listed : (n,) float64, chance to be on the list (or the decision, 0 or 1)
    attention : (n,) float64, what attention a list read from the top gives a row (`capacity.attention`); 0 without list
    person : (n,) int64, 0 .. n_people - 1
    order : (n,) int64, which of the rows given each row is; `Grouping.aligned` puts groups in the same order
    """

    score: Numbers
    outcome: Numbers
    listed: Numbers
    attention: Numbers
    person: npt.NDArray[np.int64]
    n_people: int
    order: npt.NDArray[np.int64]

    def __repr__(self) -> str:
        return f"Scored({len(self.score)} rows of {self.n_people} people)"

    @cached_property
    def common(self) -> list[Numbers]:
        """What is added up whatever the groups are, in the order of `measures.SUMS`, in exact units."""
        known = np.isfinite(self.outcome).astype(np.float64)
        yes = np.where(known > 0, self.outcome, 0.0)
        expected = known * self.score
        columns = (
            np.ones(len(known)),
            self.listed,
            self.score,
            known,
            yes,
            self.listed * known,
            self.listed * yes,
            expected,
            yes * self.score,
            expected * (1 - self.score),
            known * (self.score - yes) ** 2,
            self.attention,
        )
        return [in_units(column) for column in columns]

    def columns(self, grouping: Grouping) -> list[Numbers]:
        """What is added up, in the order of `measures.SUMS`, in exact units."""
        won = placements(self.score, self.outcome, grouping.codes, len(grouping.names))
        return [*self.common, *(in_units(part) for part in won)]

    @cached_property
    def known_by_person(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Numbers, Numbers]:
        """Rows with a known outcome, those of one person together, and their people, scores and outcomes."""
        rows = np.flatnonzero(np.isfinite(self.outcome))
        rows = rows[np.argsort(self.person[rows], kind="stable")]
        return rows, self.person[rows], self.score[rows], self.outcome[rows]

    @cached_property
    def _marks(self) -> dict[str, npt.NDArray[np.bool_]]:
        known = np.isfinite(self.outcome)
        return {
            "rows": np.ones(len(known), bool),
            "known": known,
            "yes": self.outcome == 1,
            "no": self.outcome == 0,
            "listed": known & (self.listed > 0),
            "unlisted": known & (self.listed < 1),
        }

    @cached_property
    def _marks_of_people(self) -> dict[str, npt.NDArray[np.bool_]]:
        made = {name: np.zeros(self.n_people, bool) for name in self._marks}
        for name, mark in self._marks.items():
            made[name][self.person[mark]] = True
        return made

    def people(self, grouping: Grouping) -> dict[str, Numbers]:
        """Different people in each group on whom figures rest."""
        n_groups = len(grouping.names)
        group = np.zeros(self.n_people, grouping.codes.dtype)
        group[self.person] = grouping.codes
        if (group[self.person] == grouping.codes).all():  # nobody changes group: people are counted, not their rows
            counts = {
                name: np.bincount(group[mark], minlength=n_groups) for name, mark in self._marks_of_people.items()
            }
        else:
            key = self.person * n_groups + grouping.codes
            counts = {}
            for name, mark in self._marks.items():
                seen = np.zeros(n_groups * self.n_people, bool)
                seen[key[mark]] = True
                counts[name] = seen.reshape(self.n_people, n_groups).sum(axis=0)
        made = {name: count.astype(np.float64) for name, count in counts.items()}
        return {**made, "both": np.minimum(made["yes"], made["no"])}


def scored_rows(
    scores: Any,
    outcomes: Any,
    people: Any,
    capacity: float | None,
    decisions: Any,
    lists: Any,
    *,
    listed: Any = None,
    probabilities: bool,
) -> Scored:
    """Scores, outcomes and who they are of, checked; see `audit.audit_scores`."""
    score, outcome = numbers(scores), numbers(outcomes)
    given = decisions if listed is None else listed
    told = None if given is None else numbers(given)
    person = np.arange(len(score)) if people is None else np.unique(np.asarray(people), return_inverse=True)[1]
    lengths = {len(part) for part in (score, outcome, person, told, lists) if part is not None}
    if len(lengths) > 1 or not len(score):
        raise refused(f"scores, outcomes, people, decisions and lists of lengths {sorted(lengths)}")
    if sum(one is not None for one in (capacity, decisions, listed)) > 1:
        raise refused("more than one of a capacity, decisions and a list")
    if not np.isfinite(score).all():
        raise refused(f"{int((~np.isfinite(score)).sum())} rows without a score")
    if not (np.isnan(outcome) | (outcome == 0) | (outcome == 1)).all():
        raise refused("outcomes other than 0, 1 and unknown")
    if probabilities and (score.min() < 0 or score.max() > 1):
        raise refused("scores outside 0 to 1; say probabilities=False when they are not probabilities")
    if decisions is not None and told is not None and not np.isin(told, (0.0, 1.0)).all():
        raise refused("decisions other than 0 and 1")
    if told is not None and not ((told >= 0) & (told <= 1)).all():
        raise refused("chances of being listed outside 0 to 1")
    of_list = None if lists is None else np.asarray(lists)
    on_list, seen = np.zeros(len(score)) if told is None else told, np.zeros(len(score))
    if capacity is not None:
        on_list, seen = on_the_list(score, capacity, of_list), attention(score, capacity, of_list)
    order = np.argsort(score, kind="stable")
    who = np.asarray(person, np.int64)
    return Scored(score[order], outcome[order], on_list[order], seen[order], who[order], int(who.max()) + 1, order)


def numbers(values: Any) -> Numbers:
    """Numbers as (n,) float64, NaN where there is none; refuses what is no number."""
    try:
        if isinstance(values, pa.Array | pa.ChunkedArray):
            values = pa.chunked_array([values]) if isinstance(values, pa.Array) else values
            return np.asarray(values.cast(pa.float64()).to_numpy(), np.float64)
        if isinstance(values, list | tuple):
            values = [np.nan if value is None else value for value in values]
        return np.asarray(values, np.float64)
    except (TypeError, ValueError, pa.ArrowException) as error:
        # The cause is not chained: its words hold the cell.
        raise refused(f"values that are no numbers ({type(error).__name__})") from None


def refused(found: str) -> DataRefused:
    """The refusal of an input that means nothing."""
    return DataRefused(
        "audit-input",
        found=found,
        expected="one score, one outcome (0, 1 or unknown) and one group a row, and either a capacity or decisions",
        repair="Correct the input of the audit.",
    )

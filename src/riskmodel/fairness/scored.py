"""Scores, what followed, and whose rows they are: checked once, in one form for all that an audit looks at.

An outcome is yes, no or unknown, never guessed; a row without a score is refused, never dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riskmodel.errors import DataRefused
from riskmodel.fairness.capacity import listed
from riskmodel.fairness.groups import Grouping
from riskmodel.fairness.measures import placements
from riskmodel.models.metrics import Numbers


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores and what followed, one row each.

    Attributes
    ----------
    score : (n,) float64
    outcome : (n,) float64, 0 or 1, NaN where unknown
    listed : (n,) float64, chance to be on the list (or the decision, 0 or 1)
    person : (n,) int64, 0 .. n_people - 1
    """

    score: Numbers
    outcome: Numbers
    listed: Numbers
    person: npt.NDArray[np.int64]
    n_people: int

    def __repr__(self) -> str:
        return f"Scored({len(self.score)} rows of {self.n_people} people)"

    def columns(self, grouping: Grouping) -> list[Numbers]:
        """What is added up, in the order of `measures.SUMS`."""
        known = np.isfinite(self.outcome).astype(np.float64)
        yes = np.where(known > 0, self.outcome, 0.0)
        expected = known * self.score
        won_by_yes, won_by_no = placements(self.score, self.outcome, grouping.codes, len(grouping.names))
        return [
            np.ones(len(known)),
            self.listed,
            self.score,
            known,
            yes,
            self.listed * known,
            self.listed * yes,
            expected,
            expected * (1 - self.score),
            known * (self.score - yes) ** 2,
            won_by_yes,
            won_by_no,
        ]

    def people(self, grouping: Grouping) -> dict[str, Numbers]:
        """Different people in each group on whom figures rest."""
        n_groups = len(grouping.names)
        key = grouping.codes.astype(np.int64) * self.n_people + self.person

        def different(rows: npt.NDArray[np.bool_]) -> Numbers:
            seen = np.zeros(n_groups * self.n_people, bool)
            seen[key[rows]] = True
            return np.asarray(seen.reshape(n_groups, self.n_people).sum(axis=1), np.float64)

        known = np.isfinite(self.outcome)
        counts = {
            "rows": different(np.ones(len(known), bool)),
            "known": different(known),
            "yes": different(self.outcome == 1),
            "no": different(self.outcome == 0),
            "listed": different(known & (self.listed > 0)),
            "unlisted": different(known & (self.listed < 1)),
        }
        return {**counts, "both": np.minimum(counts["yes"], counts["no"])}


def scored_rows(
    scores: Any, outcomes: Any, people: Any, capacity: float | None, decisions: Any, lists: Any, *, probabilities: bool
) -> Scored:
    """Scores, outcomes and who they are of, checked; see `audit.audit_scores`."""
    score, outcome = numbers(scores), numbers(outcomes)
    decided = None if decisions is None else numbers(decisions)
    person = np.arange(len(score)) if people is None else np.unique(np.asarray(people), return_inverse=True)[1]
    lengths = {len(part) for part in (score, outcome, person, decided, lists) if part is not None}
    if len(lengths) > 1 or not len(score):
        raise refused(f"scores, outcomes, people, decisions and lists of lengths {sorted(lengths)}")
    if capacity is not None and decided is not None:
        raise refused("a capacity and decisions together")
    if not np.isfinite(score).all():
        raise refused(f"{int((~np.isfinite(score)).sum())} rows without a score")
    if not np.isin(outcome[~np.isnan(outcome)], (0.0, 1.0)).all():
        raise refused("outcomes other than 0, 1 and unknown")
    if probabilities and (score.min() < 0 or score.max() > 1):
        raise refused("scores outside 0 to 1; say probabilities=False when they are not probabilities")
    if decided is not None and not np.isin(decided, (0.0, 1.0)).all():
        raise refused("decisions other than 0 and 1")
    on_list = np.zeros(len(score)) if decided is None else decided
    if capacity is not None:
        on_list = listed(score, capacity, None if lists is None else np.asarray(lists))
    return Scored(score, outcome, on_list, np.asarray(person, np.int64), int(person.max()) + 1)


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

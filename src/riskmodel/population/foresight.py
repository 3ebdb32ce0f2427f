"""Who was seen coming by whom: the counts of one replay over many coalitions of agencies, as they may leave.

A replay (of a rule, or of a model) says for each coalition how many days before the harm it would have pointed to each
person who came to harm. What only the pooled records showed, and how much earlier they showed the rest, is missed use;
everybody whom a replay pointed to, harmed or not, is its price and leaves in the same table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy import stats

from riskmodel.population.estimate import Estimate, Numbers
from riskmodel.population.publication import Publication

ENOUGH = 0.95
"""A coalition that sees this share of what all together see counts as seeing as much."""
_ALL = "all agencies"
_FEW, _WEEK = 20, 7.0


@dataclass(frozen=True, slots=True, repr=False)
class Foreseen:
    """What one coalition would have seen coming, person by person; it never leaves as it is.

    Attributes
    ----------
    agencies : tuple of str
    days : (n_harmed,) float64, from the first pointing to the harm; NaN where it never pointed
    people : (k,) int64, whom it pointed to at any time, harmed or not
    """

    agencies: tuple[str, ...]
    days: Numbers
    people: npt.NDArray[np.int64]

    @property
    def pointed_to(self) -> int:
        """How many it pointed to at any time, harmed or not."""
        return len(self.people)

    @property
    def found(self) -> int:
        """Harmed people whom it pointed to."""
        return int(np.isfinite(self.days).sum())

    def __repr__(self) -> str:
        return f"Foreseen({len(self.agencies)} agencies)"


@dataclass(frozen=True, slots=True)
class View:
    """What one coalition would have seen coming, as released.

    Attributes
    ----------
    agencies : tuple of str
    harmed, foreseen : int or None, people harmed, and those of them pointed to before
    flagged : int or None, people pointed to at any time: the price
    lead : Estimate, median days from the first pointing to the harm, in whole weeks
    """

    agencies: tuple[str, ...]
    harmed: int | None
    foreseen: int | None
    flagged: int | None
    lead: Estimate


@dataclass(frozen=True, slots=True)
class Beside:
    """What all together see beside agencies alone, as released.

    Attributes
    ----------
    who : tuple of str, the agencies that look alone, each for itself
    only_together : int or None, harmed people seen coming by all together and by none of these
    earlier : int or None, those seen earlier by all together than by any of these
    pointed_to : int or None, people that these point to, each for itself, counted once
    gained : Estimate, median days gained over the earliest of these, among all whom the pooled view saw coming
    """

    who: tuple[str, ...]
    only_together: int | None
    earlier: int | None
    pointed_to: int | None
    gained: Estimate


@dataclass(frozen=True, slots=True)
class Foresight:
    """One replay as it may leave.

    Attributes
    ----------
    table : name of the released table with a row for each coalition
    views : tuple of View, the smallest coalitions first, all together last
    any_alone : Beside, all together beside every agency that looks alone
    best_alone : Beside, all together beside the one agency that alone sees most
    smallest : of the coalitions replayed, the one of fewest agencies that sees `ENOUGH` of what all see, or None
    """

    table: str
    views: tuple[View, ...]
    any_alone: Beside
    best_alone: Beside
    smallest: tuple[str, ...] | None

    @property
    def only_pooled(self) -> int | None:
        """Harmed people seen coming by all together and by no agency alone."""
        return self.any_alone.only_together

    @property
    def pooled(self) -> View:
        """All agencies together."""
        return self.views[-1]

    @property
    def singles(self) -> tuple[View, ...]:
        """One agency alone, each."""
        return tuple(view for view in self.views if len(view.agencies) == 1)


def coalitions(agencies: Sequence[str], most: int) -> list[tuple[str, ...]]:
    """Every coalition of at most `most` agencies; of more of them one, two, all but one, and all.

    Examples
    --------
    >>> coalitions(["health", "police"], 7)
    [('health',), ('police',), ('health', 'police')]
    >>> len(coalitions("abcdefghi", 7))
    55
    """
    whole = len(agencies)
    sizes = range(1, whole + 1) if whole <= most else (1, 2, whole - 1, whole)
    return [chosen for size in sizes for chosen in combinations(agencies, size)]


def nested(replayed: Sequence[Foreseen], agencies: Sequence[str]) -> list[tuple[str, ...]]:
    """Coalitions still to be replayed: agencies joined one by one, first those that are missed most when left out."""
    done = {made.agencies: made.found for made in replayed}
    without = {name: done.get(tuple(one for one in agencies if one != name), 0) for name in agencies}
    order = sorted(agencies, key=lambda name: (without[name], name))
    path = [tuple(sorted(order[:size])) for size in range(2, len(order) - 1)]
    return [chosen for chosen in path if chosen not in done]


def leave_foresight(
    publication: Publication, replayed: Sequence[Foreseen], *, name: str, title: str, when: str
) -> Foresight:
    """Release the counts of a replay.

    Parameters
    ----------
    replayed : with one coalition of all agencies; all over the same people harmed
    name : of the replay, "rule" or "model"; the tables are named after it
    title : what would have been seen, for the tables
    when : the period in words
    """
    made = sorted(replayed, key=lambda one: (len(one.agencies), one.agencies))
    left = publication.leave(
        f"missed_use_by_{name}",
        f"Harm {title} would have seen coming, by coalition, {when}",
        _by_coalition(made),
        keys=("coalition",),
        counts=("harmed", "foreseen", "not_foreseen", "flagged"),
        within_counts={"harmed": ["foreseen", "not_foreseen"]},
    )
    views = tuple(
        View(one.agencies, row["harmed"], row["foreseen"], row["flagged"], median_days(one.days, row["foreseen"]))
        for one, row in zip(made, left.to_pylist(), strict=True)
    )
    alone = [one for one in made if len(one.agencies) == 1]
    best = max(alone, key=lambda one: (one.found, one.agencies))
    any_alone, best_alone = _leave_beside(
        publication, made[-1], {"any agency alone": alone, "the best alone": [best]}, name
    )
    return Foresight(f"missed_use_by_{name}", views, any_alone, best_alone, _smallest(views))


def median_days(days: Numbers, shown: int | None) -> Estimate:
    """The median in whole weeks with the interval that order statistics give, whatever the distribution.

    Parameters
    ----------
    days : (n,) float64; NaN is left out
    shown : the count as it was released; None hides the median too

    Examples
    --------
    >>> made = median_days(np.arange(1.0, 101.0), 100)
    >>> made.value, made.low, made.high
    (49.0, 42.0, 63.0)
    """
    method = "order statistics (David and Nagaraja 2003, section 7.1), in whole weeks"
    held = np.sort(days[np.isfinite(days)])
    if shown is None:
        return Estimate.hidden(method)
    if len(held) < _FEW:
        return Estimate.none(shown, method, f"fewer than {_FEW} people")
    below = int(stats.binom.ppf(0.025, len(held), 0.5))
    middle, low, high = (
        _WEEK * round(float(value) / _WEEK)
        for value in (np.median(held), held[max(below - 1, 0)], held[min(len(held) - below, len(held) - 1)])
    )
    return Estimate.of(middle, low, high, shown, method)


def _by_coalition(made: Sequence[Foreseen]) -> pa.Table:
    whole = len(made[-1].agencies)
    rows = [
        {
            "coalition": _ALL if len(one.agencies) == whole else " + ".join(one.agencies),
            "harmed": len(one.days),
            "foreseen": one.found,
            "not_foreseen": len(one.days) - one.found,
            "flagged": one.pointed_to,
        }
        for one in made
    ]
    return pa.Table.from_pylist(rows)


def _leave_beside(
    publication: Publication, pooled: Foreseen, alone: Mapping[str, Sequence[Foreseen]], name: str
) -> list[Beside]:
    """Of those whom all together saw coming: seen by none of these, earlier than by any of these, or no earlier."""
    gains = {label: _gain(pooled, these) for label, these in alone.items()}
    rows = [
        {
            "beside": label,
            "foreseen": pooled.found,
            "only_together": int(np.isinf(gain).sum()),
            "earlier_together": int((np.isfinite(gain) & (gain > 0)).sum()),
            "no_earlier": int((gain <= 0).sum()),
            "alone_pointed_to": len(np.unique(np.concatenate([one.people for one in alone[label]]))),
        }
        for label, gain in gains.items()
    ]
    parts = ["only_together", "earlier_together", "no_earlier"]
    left = publication.leave(
        f"seen_only_together_by_{name}",
        "People whose harm all agencies together would have seen coming, beside agencies alone",
        pa.Table.from_pylist(rows),
        keys=("beside",),
        counts=("foreseen", *parts, "alone_pointed_to"),
        within_counts={"foreseen": parts},
    ).to_pylist()
    first = pooled.days[np.isfinite(pooled.days)]
    return [
        Beside(
            tuple(one.agencies[0] for one in alone[row["beside"]]),
            row["only_together"],
            row["earlier_together"],
            row["alone_pointed_to"],
            # whom none of them saw coming gains all the days
            median_days(np.minimum(gains[row["beside"]].clip(0), first), row["foreseen"]),
        )
        for row in left
    ]


def _gain(pooled: Foreseen, alone: Sequence[Foreseen]) -> Numbers:
    """Days gained by each whom all together saw coming, over the earliest of these; infinite where none saw them."""
    seen = np.isfinite(pooled.days)
    best = np.fmax.reduce([one.days for one in alone])[seen]
    return np.where(np.isfinite(best), pooled.days[seen] - np.nan_to_num(best), np.inf)


def _smallest(views: Sequence[View]) -> tuple[str, ...] | None:
    goal = views[-1].foreseen
    if not goal:
        return None
    enough = [view for view in views if view.foreseen is not None and view.foreseen >= ENOUGH * goal]
    return min(enough, key=lambda view: (len(view.agencies), -(view.foreseen or 0), view.agencies)).agencies

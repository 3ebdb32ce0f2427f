"""How many links are missed and how many are false, by group, with intervals: one result, whoever told the truth.

A missed link is a pair of records of one person that linkage left apart; a false link a pair it joined that is of two
people. Who is who can be told by a truth (a synthetic society), by clerks who judged pairs (`clerical`), or, where
nobody knows, by the linked worlds: how often a world drawn from the match probabilities would have it otherwise. What
linkage misses in one group no later audit of that group can see, so the rates belong beside every audit.

Each record of a pair carries half of it, so that a pair across two groups counts half for each. Pairs of one person
stand or fall together: the variance is that of a ratio over people (Taylor linearisation, Cochran 1977, section 6.4;
over joined people for false links), the interval Wilson's at the sample size that this variance amounts to (Korn and
Graubard 1998).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riskmodel.errors import NotFound

Source: TypeAlias = Literal["truth", "labels", "worlds"]
Numbers: TypeAlias = "npt.NDArray[np.float64]"

EVERYBODY: Final = "everybody"
UNKNOWN: Final = "unknown"
LEAST_PEOPLE: Final = 10
"""With fewer people below the line one of them moves the rate by more than ten in a hundred: nothing is estimated."""
WIDEST: Final = 0.10
"""Half a width from which a rate is imprecise."""
_LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True)
class LinkRate:
    """A share of pairs, with its interval.

    Attributes
    ----------
    state : "ok", "imprecise" (half the interval is wider than .10) or "not_estimable" (value, interval, variance None)
    value, low, high : float in 0 to 1, the share and its 95 % interval
    variance : float, sampling variance of the share, over people; with worlds also between them
    pairs : float, pairs below the line (weighted where they are a sample)
    people : int, people that these pairs are of
    """

    state: Literal["ok", "imprecise", "not_estimable"]
    value: float | None
    low: float | None
    high: float | None
    variance: float | None
    pairs: float
    people: int


@dataclass(frozen=True, slots=True)
class GroupLinks:
    """The rates of one group.

    Attributes
    ----------
    records : int, records of the group that were looked at
    missed : LinkRate, of the pairs of one person, those not linked (1 - recall)
    false : LinkRate, of the linked pairs, those of two people (1 - precision)
    """

    group: str
    records: int
    missed: LinkRate
    false: LinkRate


@dataclass(frozen=True, slots=True)
class LinkRates:
    """Missed and false links of everybody and of each group.

    Attributes
    ----------
    by : str, the column of the groups
    source : who told who is who: "truth", "labels" (clerks) or "worlds" (the linkage's own doubt)
    everybody : GroupLinks
    groups : tuple of GroupLinks, by name; records of no known group are the group "unknown"
    """

    by: str
    source: Source
    everybody: GroupLinks
    groups: tuple[GroupLinks, ...]

    def of(self, group: str) -> GroupLinks:
        """The rates of one group.

        Raises
        ------
        NotFound : no records of that group
        """
        for one in self.groups:
            if one.group == group:
                return one
        known = ", ".join(one.group for one in self.groups)
        raise NotFound(
            "group-missing", found=f"no group {group!r}", expected=known, repair="Ask for one of these groups."
        )

    def document(self) -> dict[str, Any]:
        """The rates as JSON."""
        return asdict(self)

    def table(self) -> pa.Table:
        """One row a group and kind of error: group, error ("missed" or "false"), records and the fields of LinkRate."""
        return pa.Table.from_pylist(
            [
                {"group": one.group, "error": error, "records": one.records, **asdict(rate)}
                for one in (self.everybody, *self.groups)
                for error, rate in (("missed", one.missed), ("false", one.false))
            ],
            _TABLE,
        )


_TABLE: Final = pa.schema(
    [
        pa.field("group", pa.string()),
        pa.field("error", pa.string()),
        pa.field("records", pa.int64()),
        pa.field("state", pa.string()),
        *(pa.field(name, pa.float64()) for name in ("value", "low", "high", "variance", "pairs")),
        pa.field("people", pa.int64()),
    ]
)


def ratio(above: Numbers, below: Numbers) -> LinkRate:
    """The share sum(above) / sum(below) over independent people, with its interval.

    Parameters
    ----------
    above, below : (n_people,) float64, pairs in error and pairs of each, all below greater than 0

    Examples
    --------
    Forty people with one pair each, four of them missed. Wilson's interval of one in ten at 39, one spent on the mean.

    >>> found = ratio(np.repeat([1.0, 0.0], [4, 36]), np.ones(40))
    >>> found.value, round(found.low, 3), round(found.high, 3), found.state
    (0.1, 0.039, 0.233, 'ok')
    """
    people, whole = len(below), float(below.sum())
    if people < LEAST_PEOPLE:
        return not_estimable(whole, people)
    value = float(above.sum()) / whole
    variance = people / (people - 1) * float(((above - value * below) ** 2).sum()) / whole**2
    return rate(value, variance, whole, people)


def not_estimable(pairs: float, people: int) -> LinkRate:
    """No rate: too few people."""
    return LinkRate("not_estimable", None, None, None, None, pairs, people)


def rate(value: float, variance: float, pairs: float, people: int) -> LinkRate:
    """A share with its variance: Wilson's (1927) interval at the sample size that the variance amounts to."""
    size = value * (1 - value) / variance if variance > 0 else float(people)
    z = NormalDist().inv_cdf((1 + _LEVEL) / 2)
    middle = (value + z * z / (2 * size)) / (1 + z * z / size)
    half = z / (1 + z * z / size) * math.sqrt(value * (1 - value) / size + z * z / (4 * size * size))
    low = max(0.0, middle - half) if value > 0 else 0.0
    high = min(1.0, middle + half) if value < 1 else 1.0
    state: Literal["ok", "imprecise"] = "imprecise" if (high - low) / 2 > WIDEST else "ok"
    return LinkRate(state, value, low, high, variance, pairs, people)

"""A measure over several linked worlds: one estimate with an interval that holds the doubt about who is who.

The same measure - a feature's mean, a metric, a line of an audit - is taken in every drawn world and combined by
Rubin's rules for multiple imputation (Rubin 1987, equations 3.1.2 to 3.1.6): the variance is what it is within a world
on average, plus what lies between worlds, raised by 1/K for having drawn only K. Nothing here knows what is measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.linkage.people import People

LEAST_DRAWS: Final = 2


class Measured(NamedTuple):
    """One value taken in one world: the value, and its sampling variance there (0 for a count of what is there)."""

    value: float
    variance: float = 0.0


@dataclass(frozen=True, slots=True)
class Pooled:
    """One measure over all worlds.

    Attributes
    ----------
    state : "ok", or "not_estimable" when a world gave no number; then the rest is None
    value : float, the mean over worlds
    low, high : float, the interval of the level asked for, from Student's t
    within, between : float, mean variance within a world, and variance between worlds
    extra_share : float in 0 to 1, how much of the whole variance is there because links are in doubt
    draws : int, worlds
    """

    state: Literal["ok", "not_estimable"]
    value: float | None
    low: float | None
    high: float | None
    within: float | None
    between: float | None
    extra_share: float | None
    draws: int


def over_draws(
    people: People, measure: Callable[[People], Mapping[str, Measured]], *, level: float = 0.95
) -> dict[str, Pooled]:
    """Take measures in every drawn world and combine them.

    Parameters
    ----------
    people : People, linked with draws
    measure : from the people of one world to named values with their variances: it may assemble their histories, build
        features, score and audit; the names must be the same in every world
    level : float, of the intervals

    Raises
    ------
    DeclarationError : fewer than two draws, or a level outside (0, 1)
    DataRefused : a measure that gives other names in another world
    """
    if people.draws < LEAST_DRAWS:
        raise DeclarationError.of(
            "draws-missing",
            where="link.draws",
            found=f"people linked with {people.draws} draws",
            expected=f"at least {LEAST_DRAWS}: one world has no variance between worlds",
            repair="Link with draws=20.",
        )
    taken = [measure(people.drawn(number)) for number in range(people.draws)]
    names = list(taken[0])
    if any(set(one) != set(names) for one in taken):
        raise DataRefused(
            "measures-differ",
            found="measures with other names in one world than in another",
            expected="the same names in every world",
            repair="Give a value for every name; where there is none, give nan.",
        )
    return {name: pooled([one[name] for one in taken], level=level) for name in names}


def pooled(values: list[Measured], *, level: float = 0.95) -> Pooled:
    """Combine one measure over worlds by Rubin's rules.

    Examples
    --------
    Three worlds count 98, 100 and 102, each with a sampling variance of 9. Between worlds the variance is 4, raised by
    a third to 16/3; the whole is 43/3, of which 16/43 is doubt about links.

    >>> found = pooled([Measured(98, 9), Measured(100, 9), Measured(102, 9)])
    >>> found.value, found.within, found.between, round(found.extra_share, 4) == round(16 / 43, 4)
    (100.0, 9.0, 4.0, True)
    """
    if not 0 < level < 1:
        raise DeclarationError.of(
            "level-invalid", where="level", found=repr(level), expected="between 0 and 1", repair="Write 0.95."
        )
    draws = len(values)
    if draws < LEAST_DRAWS or not all(math.isfinite(number) for one in values for number in one):
        return Pooled("not_estimable", None, None, None, None, None, None, draws)
    mean = math.fsum(one.value for one in values) / draws
    within = math.fsum(one.variance for one in values) / draws
    between = math.fsum((one.value - mean) ** 2 for one in values) / (draws - 1)
    extra = (1 + 1 / draws) * between
    total = within + extra
    half = 0.0
    if total > 0:
        half = _quantile(level, math.inf if not extra else (draws - 1) * (1 + within / extra) ** 2) * math.sqrt(total)
    share = extra / total if total > 0 else 0.0
    return Pooled("ok", mean, mean - half, mean + half, within, between, share, draws)


def _quantile(level: float, freedom: float) -> float:
    from scipy.stats import norm, t

    place = (1 + level) / 2
    return float(norm.ppf(place) if math.isinf(freedom) else t.ppf(place, freedom))

"""Rates per person-time at risk, standardised where two populations differ in their make-up, with honest intervals.

A count of events is Poisson as long as the events are independent; where one person can have several (searches,
attendances), the interval has to say so and `repeats` makes it wider. A standardised rate of fewer than ten events
is not given: its interval does not cover what it promises (Morris, Tan, Fryers and Bestwick 2018). No rate here is a
person's risk.

Sources: Garwood 1936 (exact limits of a Poisson mean); Breslow and Day 1987, p. 69 (Byar); Dobson, Kuulasmaa,
Eberle and Scherer 1991 (weighted sums of Poisson counts); Eayres 2008, APHO Technical Briefing 3 (which to use when).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

from riskmodel.dates import Moments
from riskmodel.population.estimate import Estimate, Numbers, checked, critical_value, same_length

LEAST_FOR_BYAR = 10
"""Below that many events the exact limits are used; from there on Byar's are within 0.2 % of them."""

LEAST_TO_STANDARDISE = 10
"""Below that many events no standardised rate is given."""

_YEAR_DAYS = 365.25


def exact_limits(count: float, confidence: float = 0.95) -> tuple[float, float]:
    """Exact limits of a Poisson mean (Garwood 1936).

    Examples
    --------
    >>> [round(limit, 4) for limit in exact_limits(5)]
    [1.6235, 11.6683]
    >>> [round(limit, 4) for limit in exact_limits(0)]
    [0.0, 3.6889]
    """
    critical_value(confidence)
    (events,) = checked("count", count)
    tail = (1 - confidence) / 2
    low = float(stats.chi2.ppf(tail, 2 * events) / 2) if events > 0 else 0.0
    return low, float(stats.chi2.ppf(1 - tail, 2 * events + 2) / 2)


def byar_limits(count: float, confidence: float = 0.95) -> tuple[float, float]:
    """Byar's approximation to `exact_limits` (Breslow and Day 1987, p. 69).

    Examples
    --------
    >>> [round(limit, 4) for limit in byar_limits(65)]
    [50.1632, 82.8491]
    """
    critical = critical_value(confidence)
    (events,) = checked("count", count)
    above = events + 1
    low = 0.0 if events == 0 else events * max(0.0, 1 - 1 / (9 * events) - critical / (3 * np.sqrt(events))) ** 3
    return float(low), float(above * (1 - 1 / (9 * above) + critical / (3 * np.sqrt(above))) ** 3)


def limits(count: float, confidence: float = 0.95) -> tuple[float, float, str]:
    """Limits of a count, and the name of the method: exact below ten events, Byar's from ten on."""
    if count < LEAST_FOR_BYAR:
        return *exact_limits(count, confidence), "exact (Garwood 1936)"
    return *byar_limits(count, confidence), "Byar (Breslow and Day 1987)"


def rate(count: float, person_time: float, *, per: float = 1000, confidence: float = 0.95) -> Estimate:
    """Events per so much person-time at risk.

    Parameters
    ----------
    count : events, whole number
    person_time : person-years at risk (or people, for one year), above 0
    per : the person-time that the rate is for, such as 1,000 person-years

    Raises
    ------
    DataRefused : a negative or broken count, or no person-time

    Examples
    --------
    >>> made = rate(20, 100, per=100)
    >>> round(made.value, 1), round(made.low, 3), round(made.high, 3)
    (20.0, 12.211, 30.89)
    """
    (events,), (time,) = checked("count", count, whole=True), checked("person_time", person_time, above=0)
    low, high, method = limits(float(events), confidence)
    scale = per / time
    return Estimate.of(events * scale, low * scale, high * scale, int(events), method)


def standardised_rate(
    counts: npt.ArrayLike,
    person_time: npt.ArrayLike,
    standard: npt.ArrayLike,
    *,
    per: float = 1000,
    confidence: float = 0.95,
    repeats: npt.ArrayLike | None = None,
) -> Estimate:
    """The rate that a standard population would have with these strata's own rates.

    Parameters
    ----------
    counts : (strata,) whole numbers, events
    person_time : (strata,) above 0
    standard : (strata,) weights of the standard population, not all 0
    repeats : (strata, k) whole numbers, the people with exactly 1, 2 .. k events, when one person can have several;
        the events counted are then ``repeats @ (1..k)``, and the variance that of people, not of events

    Returns
    -------
    Estimate; no value below ten events

    Examples
    --------
    >>> made = standardised_rate([20, 30], [100, 100], [1, 1], per=100)     # (0.2 + 0.3) / 2
    >>> round(made.value, 6)
    25.0
    """
    events, time = checked("counts", counts, whole=True), checked("person_time", person_time, above=0)
    weights = checked("standard", standard)
    same_length(counts=events, person_time=time, standard=weights)
    checked("the sum of standard", weights.sum(), above=0)
    total = int(events.sum())
    method = "Dobson 1991 with Byar's limits of the total"
    if total < LEAST_TO_STANDARDISE:
        why = f"fewer than {LEAST_TO_STANDARDISE} events: a standardised rate would not be reliable"
        return Estimate.none(total, method, why)
    spread = events if repeats is None else _squared_repeats(events, repeats)
    share = weights / weights.sum()
    value, variance = float(share @ (events / time)), float(share**2 @ (spread / time**2))
    low, high = byar_limits(total, confidence)
    step = np.sqrt(variance / total)
    if repeats is not None:
        method += ", widened for people with several events"
    below, above = (max(0.0, value + step * (limit - total)) * per for limit in (low, high))
    return Estimate.of(value * per, below, above, total, method)


def standardised_ratio(
    counts: npt.ArrayLike,
    person_time: npt.ArrayLike,
    reference_counts: npt.ArrayLike,
    reference_time: npt.ArrayLike,
    standard: npt.ArrayLike,
    *,
    confidence: float = 0.95,
) -> Estimate:
    """A directly standardised rate over another with the same standard (Rothman, Greenland and Lash 2008, ch. 15).

    Both variances are those of weighted Poisson counts, taken to the log scale. Not given below ten events on either
    side.
    """
    sides = []
    for events, time in ((counts, person_time), (reference_counts, reference_time)):
        made = standardised_rate(events, time, standard, per=1, confidence=confidence)
        share = checked("standard", standard) / float(np.sum(checked("standard", standard)))
        variance = float(share**2 @ (checked("counts", events) / checked("person_time", time) ** 2))
        sides.append((made, variance))
    (one, one_variance), (other, other_variance) = sides
    total, method = min(one.n, other.n), "log ratio of two standardised rates"
    if one.value is None or other.value is None:
        return Estimate.none(total, method, one.note or other.note)
    if one.value == 0 or other.value == 0:
        return Estimate.none(total, method, "no events in the strata that the standard weighs")
    error = np.sqrt(one_variance / one.value**2 + other_variance / other.value**2)
    value, factor = one.value / other.value, float(np.exp(critical_value(confidence) * error))
    return Estimate.of(value, value / factor, value * factor, total, method)


def rate_ratio(
    count: float,
    person_time: float,
    reference_count: float,
    reference_time: float,
    *,
    confidence: float = 0.95,
) -> Estimate:
    """One rate over another, with exact limits given the sum of both counts (Clopper and Pearson 1934).

    Given their sum, the one count is binomial with share ``r t1 / (r t1 + t2)``, so that the limits of the share are
    those of the ratio. ``n`` is the smaller count.

    Examples
    --------
    >>> made = rate_ratio(30, 1000, 10, 1000)
    >>> round(made.value, 3), round(made.low, 3), round(made.high, 3)
    (3.0, 1.427, 6.879)
    """
    (one, other) = checked("counts", [count, reference_count], whole=True)
    (time, reference) = checked("person_time", [person_time, reference_time], above=0)
    tail = (1 - confidence) / 2
    critical_value(confidence)
    method = "exact, given both counts (Clopper and Pearson 1934)"
    least = int(min(one, other))
    if one + other == 0 or other == 0:
        return Estimate.none(least, method, "no events in the group that is compared with")
    low = float(stats.beta.ppf(tail, one, other + 1)) if one > 0 else 0.0
    high = float(stats.beta.ppf(1 - tail, one + 1, other))
    times = reference / time
    return Estimate.of(one / other * times, low / (1 - low) * times, high / (1 - high) * times, least, method)


def share(count: float, of: float, *, confidence: float = 0.95) -> Estimate:
    """A share of people or of searches, with Wilson's interval (Wilson 1927).

    Examples
    --------
    >>> made = share(65, 100)
    >>> round(made.value, 2), round(made.low, 4), round(made.high, 4)
    (0.65, 0.5525, 0.7364)
    """
    checked("count and whole", [count, of], whole=True)
    critical_value(confidence)
    method = "Wilson 1927"
    if of == 0:
        return Estimate.none(0, method, "there is nobody to have a share of")
    checked("the whole less the count", of - count)
    interval = stats.binomtest(int(count), int(of)).proportion_ci(confidence, method="wilson")
    return Estimate.of(count / of, interval.low, interval.high, int(of), method)


def person_years(entity: npt.NDArray[np.int64], starts: Moments, ends: Moments, opens: object, closes: object) -> float:
    """Years at risk of all people in the half-open period ``[opens, closes)``; overlapping spells count once a person.

    Parameters
    ----------
    entity : (n,) int64, whose spell it is
    starts, ends : (n,) datetime64[us]; NaT in `ends` is a spell still open
    opens, closes : datetime64 or ISO text

    Examples
    --------
    >>> from riskmodel.dates import moments
    >>> who = np.array([1, 1, 2])
    >>> starts, ends = moments(["2020-01-01", "2020-03-01", "2019-01-01"]), moments(["2020-04-01", "2020-07-01", "NaT"])
    >>> round(person_years(who, starts, ends, "2020-01-01", "2021-01-01") * 365.25)   # 182 days and 366 days
    548
    """
    first, last = np.datetime64(str(opens), "us"), np.datetime64(str(closes), "us")
    begin = np.maximum(starts.astype("datetime64[us]"), first)
    end = np.minimum(np.where(np.isnat(ends), last, ends.astype("datetime64[us]")), last)
    held = ~np.isnat(begin) & (begin < end)
    who, begin, end = entity[held], begin[held].astype(np.int64), end[held].astype(np.int64)
    order = np.lexsort((end, begin, who))
    who, begin, end = who[order], begin[order], end[order]
    total, seen, reached = 0, None, 0
    for person, spell_begin, spell_end in zip(who.tolist(), begin.tolist(), end.tolist(), strict=True):
        if person != seen:
            seen, reached = person, spell_begin
        total += max(0, spell_end - max(spell_begin, reached))
        reached = max(reached, spell_end)
    return float(total / (_YEAR_DAYS * 86_400 * 1_000_000))


def _squared_repeats(events: Numbers, repeats: npt.ArrayLike) -> Numbers:
    """Sum over people of their events squared, by stratum; refuses repeats that do not add up to the events."""
    people = np.atleast_2d(np.asarray(repeats, dtype=np.float64))
    checked("repeats", people.ravel(), whole=True)
    times = np.arange(1, people.shape[1] + 1)
    same_length(counts=events, repeats=people[:, 0])
    differing = people @ times != events
    if differing.any():
        checked("repeats that add up to the counts", np.where(differing, np.nan, events))
    return np.asarray(people @ times**2, dtype=np.float64)

"""How early: the days between a person's first place on the list and the event that the list is about.

A list that finds people the day before is of little use to anybody who wants to help. For each event in the judged
time, the person's rows before it are looked at in order: on which as-of date did they first have a place? Whoever
never had one before the event was missed, and is counted among all events, never left out of the average.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from riskmodel.dates import Moments
from riskmodel.errors import DataRefused
from riskmodel.models.judging import capacity_label, places, share_of_a_place
from riskmodel.models.metrics import Numbers
from riskmodel.models.uncertainty import Resampling, person_weights

QUANTILES = (0.25, 0.5, 0.75)
_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class LeadTime:
    """How early the events were seen coming.

    Attributes
    ----------
    capacity : str, places at each as-of date, such as "5%"
    events : int, events of people who had at least one row before
    unasked : int, events of people without a row before: nobody asked about them, so no list could have had them
    found : float, share of the events before which the person had a place; `found_low`, `found_high` its interval
    days : (3,) float64, quartiles of the days from the first place to the event, among those found; NaN for none
    low, high : (3,) float64, intervals of the quartiles
    table : Arrow, rows {at_least (days), share, low, high}: share of all events seen at least so many days before
    """

    capacity: str
    events: int
    unasked: int
    found: float
    found_low: float
    found_high: float
    days: Numbers = field(repr=False)
    low: Numbers = field(repr=False)
    high: Numbers = field(repr=False)
    table: pa.Table = field(repr=False)

    @property
    def sentence(self) -> str:
        """In words, for a card."""
        if not self.events:
            return "No event can be said to have been seen coming or missed: nobody with one was asked about before."
        said = f"Of 100 people with the outcome, {100 * self.found:.0f} had a place on the list before it"
        if not np.isfinite(self.days[1]):
            return f"{said}."
        return f"{said}; half of them at least {self.days[1]:.0f} days before."


def lead_time(
    predictions: pa.Table,
    events: pa.Table,
    capacity: float,
    *,
    column: str = "p",
    within_days: float = 365.0,
    steps: tuple[float, ...] = (1, 7, 30, 90, 180, 365),
    resampling: Resampling = Resampling(500),  # noqa: B008 - frozen settings, safe to share
) -> LeadTime:
    """Judge how early a list would have had those to whom it happened.

    Parameters
    ----------
    predictions : Arrow, rows {entity_id, as_of, p, ...}, such as `Evaluation.predictions`
    events : Arrow, rows {entity_id, happened_at}; only the first event after a person's first row counts
    capacity : places at each as-of date: a share of its rows (below 1) or a number (from 1); ties have a place when
        more than half of them do
    column : the probability, such as "p" or "p_logistic"
    within_days : a place longer ago than this is not counted as having seen it coming
    steps : days of the table
    resampling : draws of people for the intervals

    Raises
    ------
    DataRefused : the predictions have no such column
    """
    if column not in predictions.column_names:
        raise DataRefused(
            "column-missing",
            found=f"predictions without {column!r}",
            expected=f"one of {', '.join(name for name in predictions.column_names if name.startswith('p'))}",
            repair="Name the column of a judged model.",
        )
    people = predictions["entity_id"].to_numpy()
    as_of = np.asarray(predictions["as_of"].to_numpy(), "datetime64[us]")
    on_list = on_the_list(predictions[column].to_numpy(), as_of, capacity)
    who, when = first_events(events, people, as_of)
    unasked = len(np.unique(events["entity_id"].to_numpy())) - len(who)
    days = days_before(who, when, people[on_list], as_of[on_list], within_days)
    exact = _summary(days, np.ones(len(days)), steps)
    drawn = np.array(
        [
            _summary(days, block[:, number], steps)
            for block in (person_weights(len(days), resampling, "lead-time") if len(days) else ())
            for number in range(block.shape[1])
        ]
    )
    low, high = _bounds(drawn, exact)
    table = {"at_least": steps, "share": exact[4:], "low": low[4:], "high": high[4:]}
    return LeadTime(
        capacity_label(capacity),
        len(days),
        unasked,
        float(exact[0]),
        float(low[0]),
        float(high[0]),
        exact[1:4],
        low[1:4],
        high[1:4],
        pa.table({name: pa.array(np.asarray(values, np.float64)) for name, values in table.items()}),
    )


def on_the_list(p: Numbers, as_of: Moments, capacity: float) -> np.ndarray:
    """Which rows have a place, a list being made at each date: (n_rows,) bool."""
    made = np.zeros(len(p), bool)
    for date in np.unique(as_of):
        rows = np.flatnonzero(as_of == date)
        number = next(iter(places([capacity], len(rows)).values()))
        made[rows] = share_of_a_place(p[rows], number) > 0.5
    return made


def first_events(events: pa.Table, people: np.ndarray, as_of: Moments) -> tuple[np.ndarray, Moments]:
    """Each person's first event at or after their first row: who it happened to, in order, and when."""
    known, place = np.unique(people, return_inverse=True)
    first_row = np.full(len(known), np.datetime64("9999-01-01", "us"))
    np.minimum.at(first_row, place, as_of)
    who = events["entity_id"].to_numpy()
    when = np.asarray(events["happened_at"].to_numpy(), "datetime64[us]")
    at = np.searchsorted(known, who).clip(0, max(len(known) - 1, 0))
    kept = (known[at] == who) & (when >= first_row[at]) if len(known) else np.zeros(len(who), bool)
    order = np.lexsort((when[kept], who[kept]))
    who, when = who[kept][order], when[kept][order]
    firsts = np.append(True, who[1:] != who[:-1]) if len(who) else np.zeros(0, bool)
    return who[firsts], when[firsts]


def days_before(who: np.ndarray, when: Moments, listed: np.ndarray, listed_at: Moments, within_days: float) -> Numbers:
    """Days from the first place inside the time that counts to the event; NaN for whoever had none."""
    made = np.full(len(who), np.nan)
    if not len(listed) or not len(who):
        return made
    at = np.searchsorted(who, listed).clip(0, len(who) - 1)
    before = (when[at] - listed_at) / _DAY
    kept = (who[at] == listed) & (before >= 0) & (before <= within_days)
    np.fmax.at(made, at[kept], before[kept])
    return made


def _summary(days: Numbers, weight: Numbers, steps: tuple[float, ...]) -> Numbers:
    """Share found, quartiles of the days among them, and the share of all seen at least so many days before."""
    total = weight.sum()
    found = np.isfinite(days)
    if not total:
        return np.full(4 + len(steps), np.nan)
    order = np.argsort(days[found], kind="stable")
    ranked, mass = days[found][order], np.cumsum(weight[found][order])
    quartiles = [
        ranked[np.searchsorted(mass, share * mass[-1])] if len(mass) and mass[-1] else np.nan for share in QUANTILES
    ]
    seen = [weight[found & (days >= step)].sum() / total for step in steps]
    return np.array([weight[found].sum() / total, *quartiles, *seen])


def _bounds(drawn: Numbers, exact: Numbers) -> tuple[Numbers, Numbers]:
    """Percentiles of each column over the draws; NaN where there is nothing to draw."""
    low, high = np.full(len(exact), np.nan), np.full(len(exact), np.nan)
    for column in range(len(exact)):
        known = drawn[np.isfinite(drawn[:, column]), column] if len(drawn) else np.empty(0)
        if len(known):
            low[column], high[column] = np.quantile(known, [0.025, 0.975])
    return low, high

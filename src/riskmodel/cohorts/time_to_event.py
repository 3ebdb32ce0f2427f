"""How long until it happened, or until something else made it impossible to see: the outcome with a clock.

For each row the first of these counts: the outcome, a competing event (death, custody, moving away), or the end of
follow-up. A person in custody for a year was not safe for a year, and one who moved away was not followed: taking
either for "no" understates the risk of those it happens to, and taking both for censored overstates it (Austin, Lee
and Fine 2016). Only what was known by the end of follow-up and settling counts; later records do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.cohorts.outcome import Outcome, follow_up_ends, recording_agencies
from riskmodel.dates import moments
from riskmodel.engines.duckdb import query
from riskmodel.errors import DeclarationError
from riskmodel.histories.store import Histories
from riskmodel.histories.visibility import visible_sql

CENSORED, OUTCOME = 0, 1
_DAY = np.timedelta64(1, "D") / np.timedelta64(1, "us")


@dataclass(frozen=True, slots=True)
class Competing:
    """Events after which the outcome can no longer happen, or no longer be seen.

    Parameters
    ----------
    name : str, such as "custody"
    kinds : event kinds, such as ("custody_start",)
    role : str or None, count only events with this role
    """

    name: str
    kinds: tuple[str, ...]
    role: str | None = None


def time_to_event(
    histories: Histories, outcome: Outcome, rows: pa.Table, competing: Sequence[Competing] = ()
) -> pa.Table:
    """Time and cause of each row.

    Parameters
    ----------
    histories : Histories
    outcome : Outcome; `within` bounds the follow-up of each row, `settles_after` is taken off the end of the data
    rows : (n_rows,) Arrow table with entity_id and as_of
    competing : in the order of their numbers, from 2

    Returns
    -------
    (n_rows,) Arrow: days (float64, from the as-of date), cause (int8: 0 followed to the end without, 1 the outcome,
    2 and above the competing events). A row whose as-of date lies at or beyond the end of follow-up has null in both.

    Raises
    ------
    DeclarationError : a kind that nobody records, or two competing events of one name
    """
    _must_be_recorded(histories, outcome, competing)
    end = moments([follow_up_ends(histories, outcome)])[0] - _span(outcome)
    as_of = np.asarray(rows["as_of"].to_numpy(), "datetime64[us]")
    until = np.minimum(outcome.within.after(as_of), end)
    asked = pa.table(
        {
            "row": np.arange(rows.num_rows),
            "entity_id": rows["entity_id"],
            "as_of": as_of,
            "until": until,
            "judged_at": np.full(rows.num_rows, end + _span(outcome)),
        }
    )
    days, cause = (until - as_of) / np.timedelta64(1, "D"), np.zeros(rows.num_rows, np.int8)
    wanted: list[tuple[int, tuple[str, ...], str | None, str | None]] = [
        (OUTCOME, (outcome.kind,), outcome.role, outcome.agency)
    ]
    wanted += [(number, one.kinds, one.role, None) for number, one in enumerate(competing, start=2)]
    # From the last cause to the first: at the same moment the outcome wins, as it did happen.
    for number, kinds, role, agency in reversed(wanted):
        row, first = _first(histories.events, asked, kinds, role, agency)
        sooner = first <= days[row]
        days[row[sooner]], cause[row[sooner]] = first[sooner], number
    followed = until > as_of
    return pa.table({"days": pa.array(days, mask=~followed), "cause": pa.array(cause, mask=~followed)})


def _span(outcome: Outcome) -> np.timedelta64:
    return np.timedelta64(round(outcome.settles_after.nominal_days), "D")


def _first(
    events: pa.Table, asked: pa.Table, kinds: Sequence[str], role: str | None, agency: str | None
) -> tuple[np.ndarray, np.ndarray]:
    """Rows with such an event in their follow-up, and days until the first one."""
    chosen = pc.is_in(events["kind"], value_set=pa.array(list(kinds)))
    for column, value in (("role", role), ("agency", agency)):
        if value is not None:
            chosen = pc.and_kleene(chosen, pc.equal(events[column], value))
    sql = f"""SELECT a.row, min(epoch_us(e.happened_at) - epoch_us(a.as_of)) AS after FROM asked a JOIN chosen e
              ON e.entity_id = a.entity_id AND a.as_of <= e.happened_at AND e.happened_at < a.until
              WHERE {visible_sql("a.judged_at", "e")} GROUP BY a.row ORDER BY a.row"""
    found = query(sql, asked=asked, chosen=events.filter(chosen))
    return found["row"].to_numpy(), found["after"].to_numpy() / _DAY


def _must_be_recorded(histories: Histories, outcome: Outcome, competing: Sequence[Competing]) -> None:
    recording_agencies(histories, outcome)
    unknown = sorted({kind for one in competing for kind in one.kinds if kind not in histories.kinds})
    names = [one.name for one in competing]
    if unknown or len(set(names)) < len(names):
        raise DeclarationError.of(
            "competing-invalid",
            where="competing",
            found=f"kinds nobody records: {', '.join(unknown)}" if unknown else f"the names {', '.join(names)}",
            expected=f"kinds among {', '.join(sorted(histories.kinds))}" if unknown else "each name once",
            repair="Correct the competing events.",
        )

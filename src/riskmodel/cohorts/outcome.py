"""The outcome: yes, no, or unknown. Follow-up that is not complete is unknown, never no - and never yes.

An outcome is judged once, at the end of its window plus the time that records take to settle. A row whose judging
day lies beyond what the recording agencies have delivered is unknown whether or not an event is already seen:
keeping the early yes and dropping the late no is how a study comes to overstate risk (Barenstein 2019, on
ProPublica's COMPAS sample).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.dates import Duration, Moments, moments
from riskmodel.engines.duckdb import query
from riskmodel.errors import DeclarationError, Fault
from riskmodel.histories.store import Histories
from riskmodel.histories.visibility import visible_sql

YES, NO = 1, 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is at stake: an event of `kind` in ``[as_of, as_of + within)``, judged `settles_after` later.

    Parameters
    ----------
    kind : str, the event kind
    within : Duration, the prediction horizon
    settles_after : Duration, how long records take to arrive; an event known only later does not count
    role, agency : str, count only events with this role, or recorded by this agency
    """

    kind: str
    within: Duration
    settles_after: Duration = Duration()
    role: str | None = None
    agency: str | None = None

    def __post_init__(self) -> None:
        faults = []
        if not self.kind:
            faults.append(Fault("outcome.kind", "nothing", "an event kind", "Name the kind of event that is at stake."))
        if self.within.nominal_days < 1:
            faults.append(
                Fault("outcome.within", str(self.within), "a horizon of at least a day", 'Write, say, within = "1y".')
            )
        if faults:
            raise DeclarationError("outcome-invalid", faults=faults)

    @property
    def horizon(self) -> Duration:
        """From the as-of date until the outcome is judged."""
        return Duration(self.within.months + self.settles_after.months, self.within.days + self.settles_after.days)

    def document(self) -> dict[str, Any]:
        """The declaration as a JSON-able document."""
        return {
            "kind": self.kind,
            "within": str(self.within),
            "settles_after": str(self.settles_after),
            "role": self.role,
            "agency": self.agency,
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Outcome:
        """The outcome that `document` describes."""
        return cls(
            kind=document["kind"],
            within=Duration.parse(document["within"]),
            settles_after=Duration.parse(document["settles_after"]),
            role=document["role"],
            agency=document["agency"],
        )


def recording_agencies(histories: Histories, outcome: Outcome) -> tuple[str, ...]:
    """The agencies whose feeds record the outcome's kind; refuses a kind that nobody records."""
    agencies = tuple(sorted(histories.kinds.get(outcome.kind, ())))
    if outcome.agency is not None:
        agencies = tuple(agency for agency in agencies if agency == outcome.agency)
    if not agencies:
        by = f" by {outcome.agency}" if outcome.agency else ""
        raise DeclarationError.of(
            "kind-unknown",
            where="outcome.kind",
            found=f"{outcome.kind!r}, which is not recorded{by} in the histories",
            expected=f"one of the kinds in the histories: {', '.join(sorted(histories.kinds))}",
            repair="Name a kind that a feed records.",
        )
    return agencies


def follow_up_ends(histories: Histories, outcome: Outcome) -> dt.date:
    """The first day for which the outcome's agencies have not delivered everything."""
    return min(histories.covered_until[agency] for agency in recording_agencies(histories, outcome))


def outcome_of(histories: Histories, outcome: Outcome, rows: pa.Table) -> pa.Array:
    """The outcome of each row.

    Parameters
    ----------
    rows : (n_rows,) Arrow table with entity_id and as_of

    Returns
    -------
    (n_rows,) Arrow int8: 1 yes, 0 no, null unknown
    """
    judged_at = judged(outcome, rows["as_of"].to_numpy())
    complete = judged_at <= moments([follow_up_ends(histories, outcome)])[0]
    happened = _happened(histories.events, outcome, rows, judged_at)
    return pa.array(np.where(happened, YES, NO).astype(np.int8), mask=~complete)


def judged(outcome: Outcome, as_of: Moments) -> Moments:
    """When each row's outcome is judged: the end of its window plus the settling time."""
    return outcome.settles_after.after(outcome.within.after(as_of))


def _happened(events: pa.Table, outcome: Outcome, rows: pa.Table, judged_at: Moments) -> np.ndarray:
    chosen = pc.equal(events["kind"], outcome.kind)
    for column, wanted in (("role", outcome.role), ("agency", outcome.agency)):
        if wanted is not None:
            chosen = pc.and_kleene(chosen, pc.equal(events[column], wanted))
    asked = pa.table(
        {
            "row": np.arange(rows.num_rows),
            "entity_id": rows["entity_id"],
            "as_of": rows["as_of"],
            "until": outcome.within.after(rows["as_of"].to_numpy()),
            "judged_at": judged_at,
        }
    )
    sql = f"""SELECT DISTINCT a.row FROM asked a JOIN chosen e
              ON e.entity_id = a.entity_id AND a.as_of <= e.happened_at AND e.happened_at < a.until
              WHERE {visible_sql("a.judged_at", "e")}"""
    found = query(sql, asked=asked, chosen=events.filter(chosen))
    happened = np.zeros(rows.num_rows, bool)
    happened[found["row"].to_numpy()] = True
    return happened

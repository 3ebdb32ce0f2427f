"""One person's single picture: what was visible of them on a day, to everybody or to a coalition of agencies.

The difference between the picture of one agency and that of all of them is what was known and not put together.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import pyarrow.compute as pc

from riskmodel.errors import DeclarationError
from riskmodel.histories.event import Event, events_of
from riskmodel.histories.store import Histories
from riskmodel.histories.visibility import visible_rows


def timeline(
    histories: Histories,
    entity_id: int,
    as_of: dt.datetime | dt.date | str,
    agencies: Collection[str] | None = None,
) -> list[Event]:
    """The events of one person that could be seen at a moment, oldest first; that somebody looked is in the ledger.

    Parameters
    ----------
    entity_id : int
    as_of : datetime, date or ISO text; nothing that happened or became known at that moment or later is in
    agencies : whose records are looked at; None for all

    Raises
    ------
    DeclarationError : an agency of which the histories hold nothing
    """
    unknown = sorted(set(agencies or ()) - set(histories.agencies))
    if unknown:
        raise DeclarationError.of(
            "agency-unknown",
            where="agencies",
            found=", ".join(unknown),
            expected=f"some of {', '.join(histories.agencies)}",
            repair="Name agencies whose feeds were received.",
        )
    if histories.store is not None:
        histories.store.ledger.append("looked-at", what="timeline of a person", purpose=histories.store.purpose.name)
    return picture(histories, entity_id, as_of, agencies)


def picture(
    histories: Histories,
    entity_id: int,
    as_of: dt.datetime | dt.date | str,
    agencies: Collection[str] | None = None,
) -> list[Event]:
    """The same for those who have written down why they look."""
    own = histories.events.filter(pc.equal(histories.events.column("entity_id"), entity_id))
    return events_of(visible_rows(own, _moment(as_of), agencies=agencies))


def _moment(as_of: dt.datetime | dt.date | str) -> dt.datetime:
    if isinstance(as_of, str):
        return dt.datetime.fromisoformat(as_of)
    return as_of if isinstance(as_of, dt.datetime) else dt.datetime.combine(as_of, dt.time())

"""How late each agency's records arrive: from the moment something happened until the partnership knew of it.

An event counts by its first version. These are counts of records, all of them, and of no person.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa

from riskmodel.histories.store import Histories

SOON: Final = (7, 30)
"""Days within which a record is counted as soon known."""
LEAST: Final = 20
"""Records below which an agency's delay is not told."""
_DAY: Final = np.timedelta64(1, "D")


def delays(histories: Histories) -> dict[str, dict[str, Any]]:
    """How late records of events arrive, by agency.

    Parameters
    ----------
    histories : Histories

    Returns
    -------
    dict : by agency ``events``, and unless there are fewer than `LEAST` of them ``half_days`` and ``nine_tenths_days``
        (int, whole days until so many were known) and ``within_7`` and ``within_30`` (shares, 0 to 1)
    """
    return delays_of(histories.result.table("events", ["event_id", "agency", "happened_at", "known_at"]))


def delays_of(events: pa.Table) -> dict[str, dict[str, Any]]:
    """The same of a table of events and their versions.

    Examples
    --------
    >>> from datetime import datetime
    >>> happened, known = datetime(2021, 5, 3), datetime(2021, 5, 7, 12)
    >>> rows = [{"event_id": n, "agency": "police", "happened_at": happened, "known_at": known} for n in range(20)]
    >>> delays_of(pa.Table.from_pylist(rows))["police"]
    {'events': 20, 'half_days': 5, 'nine_tenths_days': 5, 'within_7': 1.0, 'within_30': 1.0}
    """
    first = events.group_by(["agency", "event_id"]).aggregate([("happened_at", "min"), ("known_at", "min")])
    agencies = first.column("agency").to_numpy(zero_copy_only=False)
    ends = (first.column(name).cast(pa.timestamp("us")).to_numpy() for name in ("happened_at_min", "known_at_min"))
    happened, known = ends
    found = {}
    for agency in sorted(set(agencies.tolist())):
        waited = (known - happened)[agencies == agency]
        waited = waited[~np.isnat(waited)]
        found[agency] = {"events": len(waited), **(_told(waited) if len(waited) >= LEAST else {})}
    return found


def _told(waited: Any) -> dict[str, Any]:
    days = np.maximum(np.ceil(waited / _DAY), 0).astype(np.int64)  # known within the first day is 1 day, at once is 0
    half, most = (int(np.quantile(days, at, method="inverted_cdf")) for at in (0.5, 0.9))
    soon = {f"within_{limit}": float(np.mean(days <= limit)) for limit in SOON}
    return {"half_days": half, "nine_tenths_days": most, **soon}

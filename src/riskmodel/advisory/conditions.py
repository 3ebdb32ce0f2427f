"""The board's conditions that look at people's work and places: enough reviews of earlier lists, and only some areas.

The share reviewed is worked out from the ledger alone: how many people stood on the lists that were given out under
the approval, and how many reviews of them came to a conclusion. Nobody is named there, so a person reviewed twice
counts twice, up to the length of the list.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import pyarrow as pa

from riskmodel.cohorts.cohort import Eligible, Step
from riskmodel.engines.duckdb import query
from riskmodel.errors import NotPermitted
from riskmodel.governance.approvals import Approval
from riskmodel.governance.entries import Entry
from riskmodel.governance.ledger import Ledger
from riskmodel.histories.store import Histories
from riskmodel.histories.visibility import visible_rows


def reviewed_share(ledger: Ledger, approval: str) -> float | None:
    """Of the people on lists given out under an approval, the share with a concluded review; None before any list.

    Parameters
    ----------
    ledger : Ledger
    approval : str, its fingerprint
    """
    counts = shares_of(ledger.entries(), approval)
    return None if counts is None else counts[0] / counts[1]


def shares_of(entries: Iterable[Entry], approval: str) -> tuple[int, int] | None:
    """How many people on lists given out under an approval were reviewed, and of how many; None before any list."""
    under: set[str] = set()
    length: dict[str, int] = {}
    concluded = Counter[str]()
    for entry in entries:
        name, facts = str(entry.facts.get("list")), entry.facts
        if entry.action == "score" and facts.get("approval") == approval:
            under.add(name)
        elif entry.action == "export" and name in under:
            length[name] = max(length.get(name, 0), int(facts.get("people") or 0))
        elif entry.action == "review" and facts.get("stage") == "concluded":
            concluded[name] += 1
    people = sum(length.values())
    return (sum(min(concluded[name], most) for name, most in length.items()), people) if people else None


def must_be_reviewed(ledger: Ledger, approval: Approval) -> None:
    """Refuse a further list while fewer people on the earlier ones were reviewed than the board demands.

    Raises
    ------
    NotPermitted : with the share reached
    """
    wanted = approval.limits.reviewed_percent
    if wanted is None:
        return
    share = reviewed_share(ledger, approval.fingerprint)
    if share is not None and 100 * share < wanted:
        raise NotPermitted(
            "reviews-too-few",
            found=f"concluded reviews for {100 * share:.0f} of 100 people on the lists given out so far",
            expected=f"at least {wanted} of 100, as the board decided",
            repair="Conclude the reviews of the earlier lists, then ask again.",
        )


def within_areas(histories: Histories, found: Eligible, as_of: dt.date, approval: Approval) -> Eligible:
    """The eligible people who live in the areas of the approval on the date; all of them where it names none.

    The address counts that was known and lived at on the as-of date. Nobody whose area is not known is left in.

    Raises
    ------
    NotPermitted : nobody is left
    """
    if not approval.limits.areas:
        return found
    areas = pa.table({"area": list(approval.limits.areas)})
    at = dt.datetime.combine(as_of, dt.time())
    homes = visible_rows(histories.residences, at, begins="starts_at")
    living = query(
        "SELECT DISTINCT entity_id FROM homes SEMI JOIN areas USING (area) WHERE coalesce(ends_at >= asked, true)",
        homes=homes.append_column("asked", pa.array([at] * homes.num_rows, pa.timestamp("us"))),
        areas=areas,
    )
    rows = query("SELECT rows.* FROM rows SEMI JOIN living USING (entity_id) ORDER BY entity_id, as_of",
                 rows=found.rows, living=living)  # fmt: skip
    if not rows.num_rows:
        raise NotPermitted(
            "areas-empty",
            found="no eligible person who is known to live in the areas of the approval",
            expected=f"people who live in {', '.join(approval.limits.areas)}",
            repair="Check the area codes with the board, or deliver the addresses.",
        )
    people = len(set(rows["entity_id"].to_pylist()))
    step = Step("living in the areas the board allows", people, rows.num_rows)
    return replace(found, rows=rows.cast(found.rows.schema), flow=(*found.flow, step))

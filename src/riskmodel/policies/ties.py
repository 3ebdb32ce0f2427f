"""Who stands at the edge of a policy: people with a tie to somebody, and when something first reached them through it.

A tie is one that agencies told of ("parent", "partner") or one that is derived from where people lived and what they
were suspected of together. Two ties in a row ("parent.co_resident") are the periphery: who lives with a parent's kin.
What reaches somebody must have happened while the tie held, and be known by the day of counting. It estimates nothing.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.dates import moments
from riskmodel.engines.duckdb import query
from riskmodel.errors import DeclarationError
from riskmodel.histories.relations import co_residents
from riskmodel.histories.store import Histories
from riskmodel.histories.visibility import visible_rows
from riskmodel.tables import RELATIONS

TIES: Final = ("co_resident", "former_occupant", "co_offender", "neighbour")
"""Ties that are derived; others are those that feeds tell of."""
MOST_OCCUPANTS: Final = 40
"""Places with more former occupants than these are hostels or wrong addresses, and tie nobody to anybody."""


def first_exposures(histories: Histories, through: str, agency: str, kind: str, as_of: dt.date) -> pa.Table:
    """Everybody who has such a tie, and when an event of the kind first reached them through it.

    Parameters
    ----------
    through : str, a tie, or two joined by a dot: "parent.co_resident" is the co-resident of a parent
    agency, kind : str, the event
    as_of : date, nothing known on or after it counts

    Returns
    -------
    Arrow table: entity_id, and first (timestamp, null when nothing reached them), sorted by entity_id

    Raises
    ------
    DeclarationError : a tie that nobody told of and that is not derived
    """
    at = moments([as_of])[0].item()
    chosen = pc.and_(pc.equal(histories.events["kind"], kind), pc.equal(histories.events["agency"], agency))
    events = visible_rows(histories.events.filter(chosen), at)
    if through == "neighbour":
        return query(_NEIGHBOURS, lived=visible_rows(histories.residences, at, begins="starts_at"), events=events)
    return query(_REACHED, ties=tied(histories, through, as_of), events=events)


def tied(histories: Histories, through: str, as_of: dt.date) -> pa.Table:
    """The ties known on a day, RELATIONS; `through` as in `first_exposures`, without neighbours."""
    parts = through.split(".")
    made = [_known(_one(histories, tie), as_of) for tie in parts]
    if len(made) == 1:
        return made[0]
    if len(made) == 2:
        return query(_CHAINED, near=made[0], far=made[1]).cast(RELATIONS)
    raise _unknown(through, histories)


def _one(histories: Histories, tie: str) -> pa.Table:
    told = histories.relations.filter(pc.equal(histories.relations["kind"], tie))
    if tie == "co_resident":
        return pa.concat_tables([told, co_residents(histories.residences)[0]])
    if tie == "former_occupant":
        return query(_FORMER.format(most=MOST_OCCUPANTS), lived=histories.residences).cast(RELATIONS)
    if tie == "co_offender":
        return query(_TOGETHER, events=histories.events).cast(RELATIONS)
    if told.num_rows == 0:
        raise _unknown(tie, histories)
    return told


def _known(ties: pa.Table, as_of: dt.date) -> pa.Table:
    at = moments([as_of])[0].item()
    begun = pc.if_else(pc.is_null(ties["starts_at"]), ties["known_at"], ties["starts_at"])
    return visible_rows(ties.append_column("begun", begun), at, begins="begun").drop_columns(["begun"])


def _unknown(tie: str, histories: Histories) -> DeclarationError:
    told = sorted(set(histories.relations["kind"].unique().to_pylist()))
    return DeclarationError.of(
        "tie-unknown",
        where="spillover",
        found=f"the tie {tie!r}",
        expected=f"one of {', '.join([*TIES, *told])}, or two of them joined by a dot",
        repair="Name a tie that some agency told of, or one that is derived.",
    )


_REACHED: Final = """
WITH reached AS (
    SELECT t.entity_id, min(e.happened_at) AS first FROM ties t JOIN events e ON e.entity_id = t.other_id
    WHERE (t.starts_at IS NULL OR t.starts_at <= e.happened_at) AND (t.ends_at IS NULL OR e.happened_at < t.ends_at)
      AND e.entity_id <> t.entity_id
    GROUP BY t.entity_id
)
SELECT entity_id, first FROM (SELECT DISTINCT entity_id FROM ties) LEFT JOIN reached USING (entity_id)
ORDER BY entity_id
"""
_NEIGHBOURS: Final = """
WITH homes AS (
    SELECT entity_id, area, place_id FROM lived WHERE area IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY entity_id ORDER BY starts_at DESC, place_id) = 1
), there AS (
    SELECT l.area, l.place_id, min(e.happened_at) AS first FROM events e JOIN lived l ON l.entity_id = e.entity_id
    WHERE l.area IS NOT NULL AND l.starts_at <= e.happened_at AND (l.ends_at IS NULL OR e.happened_at < l.ends_at)
    GROUP BY ALL
), two AS (
    SELECT * FROM there QUALIFY row_number() OVER (PARTITION BY area ORDER BY first, place_id) <= 2
)
SELECT h.entity_id, min(t.first) AS first FROM homes h
LEFT JOIN two t ON t.area = h.area AND t.place_id <> h.place_id GROUP BY h.entity_id ORDER BY h.entity_id
"""
_CHAINED: Final = """
SELECT DISTINCT n.entity_id, f.other_id, n.kind || '.' || f.kind AS kind,
       greatest(n.starts_at, f.starts_at) AS starts_at, least(n.ends_at, f.ends_at) AS ends_at,
       greatest(n.known_at, f.known_at) AS known_at, least(n.known_until, f.known_until) AS known_until
FROM near n JOIN far f ON f.entity_id = n.other_id
WHERE f.other_id <> n.entity_id AND f.other_id NOT IN (SELECT other_id FROM near WHERE entity_id = n.entity_id)
"""
_FORMER: Final = """
WITH crowded AS (
    SELECT place_id FROM lived WHERE ends_at IS NOT NULL GROUP BY place_id HAVING count(DISTINCT entity_id) > {most}
)
SELECT l.entity_id, o.entity_id AS other_id, 'former_occupant' AS kind, l.starts_at, l.ends_at,
       greatest(l.known_at, o.known_at) AS known_at, least(l.known_until, o.known_until) AS known_until
FROM lived l JOIN lived o ON o.place_id = l.place_id AND o.entity_id <> l.entity_id AND o.ends_at <= l.starts_at
WHERE l.place_id NOT IN (SELECT place_id FROM crowded)
"""
_TOGETHER: Final = """
SELECT a.entity_id, b.entity_id AS other_id, 'co_offender' AS kind, a.happened_at + INTERVAL 1 MICROSECOND AS starts_at,
       NULL::TIMESTAMP AS ends_at, greatest(a.known_at, b.known_at) AS known_at,
       least(a.known_until, b.known_until) AS known_until
FROM events a JOIN events b USING (agency, kind, happened_at, place_id, role)
WHERE role = 'suspect' AND a.entity_id <> b.entity_id
"""

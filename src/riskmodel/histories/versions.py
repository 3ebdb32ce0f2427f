"""Accepted events become versions of facts: who, when, and from when until when that was what the partnership knew.

Rows of one feed with one event_key are versions of one fact. Each is known until the next comes; a row that says
nothing new is no version; of two that became known at the same moment the later one in delivery order stands, and the
other was never to be seen. A retraction closes the version before it and leaves none of its own.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from riskmodel.engines.duckdb import query
from riskmodel.tables import EVENTS, conform, pseudonyms


def event_versions(events: pa.Table, links: pa.Table, places: pa.Table, salt: str) -> tuple[pa.Table, int]:
    """The event history, and how many rows were left out because their person is in no register.

    Parameters
    ----------
    events : Arrow table of FEED_EVENTS, in delivery order
    links : Arrow table of LINKS
    places : Arrow table (address, postcode, place_id)
    salt : str, behind the event ids
    """
    numbered = events.append_column("ordinal", pa.array(range(events.num_rows), pa.int64()))
    facts = query("SELECT DISTINCT feed, agency, event_key FROM e ORDER BY ALL", e=events)
    texts = zip(*(facts.column(name).to_pylist() for name in ("agency", "feed", "event_key")), strict=True)
    ids = pseudonyms(["\x1f".join(parts) for parts in texts], salt)
    facts = facts.append_column("event_id", pa.array(ids))
    placed = query(_PLACED, e=numbered, facts=facts, links=links, places=places)
    unknown = query("SELECT count(*) AS n FROM p WHERE person_key IS NOT NULL AND entity_id IS NULL", p=placed)
    return conform(query(_VERSIONS, p=placed), EVENTS), int(unknown.column("n")[0].as_py())


_PLACED: Final = """
SELECT e.*, f.event_id, l.entity_id, p.place_id
FROM e JOIN facts f USING (feed, agency, event_key)
LEFT JOIN (SELECT agency, person_key, entity_id FROM links) l ON e.agency = l.agency AND e.person_key = l.person_key
LEFT JOIN places p ON e.address IS NOT DISTINCT FROM p.address AND e.postcode IS NOT DISTINCT FROM p.postcode
"""
_VERSIONS: Final = """
WITH said AS (
    SELECT * FROM p WHERE person_key IS NULL OR entity_id IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY event_id, known_at ORDER BY ordinal DESC) = 1
), marked AS (
    SELECT *, (entity_id, happened_at, ended_at, kind, role, value, place_id, retracted) AS content,
           lag((entity_id, happened_at, ended_at, kind, role, value, place_id, retracted))
               OVER (PARTITION BY event_id ORDER BY known_at) AS before,
           row_number() OVER (PARTITION BY event_id ORDER BY known_at) AS number
    FROM said
), versions AS (
    SELECT *, lead(known_at) OVER (PARTITION BY event_id ORDER BY known_at) AS known_until
    FROM marked WHERE number = 1 OR content IS DISTINCT FROM before
)
SELECT entity_id, happened_at, ended_at, known_at, known_until, agency, kind, role, value, place_id, event_id
FROM versions WHERE NOT retracted
"""

"""Who lived where, when - as it was believed at each time. Registers say an address; spells follow from them.

Each agency knows its own address of a person, since a date of its own, and tells late or never of a move. Put together:
a person lives at an address from its date until the next address that anyone gave begins. What was believed changes
whenever a register says something new, so a spell has versions. A worked example: housing says on 5 March 2019 "Mill
Lane since 2019-03-01"; on 20 September 2020 the police say "Oak Road since 2020-09-15".

=========  ==========  ==========  ==========  ===========
place      starts_at   ends_at     known_at    known_until
=========  ==========  ==========  ==========  ===========
Mill Lane  2019-03-01  null        2019-03-05  2020-09-20
Mill Lane  2019-03-01  2020-09-15  2020-09-20  null
Oak Road   2020-09-15  null        2020-09-20  null
=========  ==========  ==========  ==========  ===========

An address without a date starts when it was first known. A record without an address says nothing about a move.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from riskmodel.engines.duckdb import query
from riskmodel.tables import RESIDENCES, conform


def residences_of(people: pa.Table, links: pa.Table, places: pa.Table) -> pa.Table:
    """The residence spells of everybody, with their versions: RESIDENCES.

    Parameters
    ----------
    people : Arrow table of PERSON_RECORDS
    links : Arrow table of LINKS
    places : Arrow table (address, postcode, place_id)
    """
    said = query(_SAID, people=people.drop_columns(["given_name", "family_name"]), links=links, places=places)
    return conform(query(_SPELLS, said=said), RESIDENCES)


_SAID: Final = """
WITH placed AS (
    SELECT l.entity_id, r.agency, r.person_key, p.place_id, r.area, r.address_from::TIMESTAMP AS since, r.known_at
    FROM people r
    JOIN links l ON r.agency = l.agency AND r.person_key = l.person_key
    JOIN places p ON r.address IS NOT DISTINCT FROM p.address AND r.postcode IS NOT DISTINCT FROM p.postcode
    WHERE p.place_id IS NOT NULL
), news AS (  -- an agency that repeats the address it gave before says nothing new, unless it now knows since when
    SELECT *, lag(place_id) OVER mine AS place_before, lag(since) OVER mine AS since_before FROM placed
    WINDOW mine AS (PARTITION BY agency, person_key ORDER BY known_at, since, place_id)
)
SELECT entity_id, place_id, min(area) AS area, coalesce(since, known_at) AS since, min(known_at) AS known_at
FROM news
WHERE place_before IS DISTINCT FROM place_id OR (since IS NOT NULL AND since IS DISTINCT FROM since_before)
GROUP BY entity_id, place_id, coalesce(since, known_at)
"""
_SPELLS: Final = """
WITH moments AS (  -- the times at which something new was said of a person
    SELECT entity_id, known_at AS said_at, row_number() OVER (PARTITION BY entity_id ORDER BY known_at) AS turn
    FROM (SELECT DISTINCT entity_id, known_at FROM said)
), believed AS (  -- all that had been said by then; of two addresses since one day, the one said last
    SELECT m.entity_id, m.said_at, m.turn, s.place_id, s.area, s.since
    FROM moments m JOIN said s ON m.entity_id = s.entity_id AND s.known_at <= m.said_at
    QUALIFY row_number() OVER (PARTITION BY m.entity_id, m.turn, s.since ORDER BY s.known_at DESC, s.place_id) = 1
), moves AS (
    SELECT *, lag(place_id) OVER (PARTITION BY entity_id, turn ORDER BY since) AS place_before FROM believed
), spells AS (
    SELECT entity_id, said_at, turn, place_id, area, since AS starts_at,
           lead(since) OVER (PARTITION BY entity_id, turn ORDER BY since) AS ends_at
    FROM moves WHERE place_before IS DISTINCT FROM place_id
), runs AS (  -- the same spell believed at successive turns is one version
    SELECT *, turn - row_number() OVER (
        PARTITION BY entity_id, place_id, area, starts_at, ends_at ORDER BY turn) AS run FROM spells
), versions AS (
    SELECT entity_id, place_id, area, starts_at, ends_at, min(said_at) AS known_at, max(turn) AS last_turn
    FROM runs GROUP BY entity_id, place_id, area, starts_at, ends_at, run
)
SELECT v.entity_id, v.place_id, v.area, v.starts_at, v.ends_at, v.known_at, m.said_at AS known_until
FROM versions v LEFT JOIN moments m ON m.entity_id = v.entity_id AND m.turn = v.last_turn + 1
"""

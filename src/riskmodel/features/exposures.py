"""Ties turn into exposures: the event of one person, or at one place, reaches another.

A tie carries an event that happened while the tie held; the exposure stays after the tie has ended. It is known from
the moment at which both the event and the tie were known, until either was superseded. A spell is cut to the time of
the tie. An event that reaches somebody through several ties counts once. The joins run in the engine; nothing is
computed here.

One who shares an address with very many others (a hostel) would be exposed to everything: only the first known
`MOST_TIES` tie rows of an entity carry events, and what is left out is counted. "First known" and not "nearest",
because a tie that becomes known later must never change an earlier day.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.engines.duckdb import connect, query
from riskmodel.histories.store import Histories
from riskmodel.tables import EVENTS, RELATIONS

MOST_TIES: Final = 1000
"""How many tie rows may carry events to one entity through one choice of ties."""

EVERY_TIE: Final = np.iinfo(np.int32).max
"""No bound: between an area and those who live in it, where each event has one way to go."""

_EARLIEST: Final = "TIMESTAMP '0001-01-01'"
_FOREVER: Final = "TIMESTAMP '9999-12-31'"


def known_ties(histories: Histories) -> list[str]:
    """Every tie that a feature may name: those that somebody told of, and those derived from residences and events.

    A tie that nobody told of is unknown, and a count through it would be 0 for everybody: it is refused instead.
    """
    told = set(histories.relations["kind"].unique().to_pylist())
    return sorted({*_DERIVED, *told, *(["co_resident"] if histories.residences.num_rows else [])})


def tie_table(histories: Histories, through: tuple[str, ...]) -> pa.Table:
    """The ties of these kinds as RELATIONS; of a tie to a place, other_id is the place.

    Some ties are derived, beside what feeds tell of them: to one's own and former addresses, to former occupants of
    one's address (from the day one moved in), and to those suspected of the same offence at the same moment and
    place (from then on).
    """
    recorded = pc.is_in(histories.relations["kind"], value_set=pa.array(through, pa.string()))
    parts = [histories.relations.filter(recorded)]
    for tie in through:
        if tie in _DERIVED:
            parts.append(query(_DERIVED[tie], lived=histories.residences, events=histories.events).cast(RELATIONS))
    return pa.concat_tables(parts)


def own_stream(histories: Histories, stream: str) -> pa.Table:
    """Where a person lived, or who lives with them, as events with a column `spell`."""
    at_home = stream.startswith("household")
    ties = tie_table(histories, ("co_resident",)) if at_home else histories.relations.schema.empty_table()
    name, _, under = stream.partition("_under_")
    sql = _YOUNG.format(under=int(under)) if under else _STREAMS[name]
    made = query(sql, lived=histories.residences, ties=ties, persons=histories.persons)
    return made.select([*EVENTS.names, "spell"]).cast(pa.schema([*EVENTS, pa.field("spell", pa.bool_())]))


def is_own_stream(tie: str) -> bool:
    """Whether the word names a stream of a person's own that is no event in the tables."""
    return tie.partition("_under_")[0] in _STREAMS


def exposures(
    ties: pa.Table,
    events: pa.Table,
    entities: pa.Table,
    *,
    places: bool,
    points: bool,
    spells: bool,
    most_ties: int = MOST_TIES,
    threads: int | None = None,
) -> tuple[pa.Table, int]:
    """Events as they reach the entities through the ties.

    Parameters
    ----------
    ties : RELATIONS, of one choice of ties
    events : EVENTS that somebody asks for, in any order
    entities : one column entity_id, who is in question
    places : whether other_id is a place
    points, spells : which forms are asked for

    Returns
    -------
    table : the columns of EVENTS, and spell: whether the row is a spell cut to its tie
    left_out : int, tie rows beyond the bound
    """
    join = f"e.{'place_id' if places else 'entity_id'} = t.other_id AND e.entity_id IS DISTINCT FROM t.entity_id"
    forms = [sql for sql, wanted in ((_POINTS, points), (_SPELLS, spells)) if wanted]
    connection = connect(threads=threads)
    try:
        for name, table in (("given", ties), ("events", events), ("entities", entities)):
            connection.register(name, table)
        connection.execute(_TIES)
        connection.execute("CREATE TEMP TABLE numbered AS SELECT row_number() OVER () AS number, * FROM events")
        left_out = connection.execute(f"SELECT count(*) FROM ranked WHERE rank > {most_ties}").fetchall()[0][0]
        connection.execute(f"CREATE TEMP VIEW ties AS SELECT * FROM ranked WHERE rank <= {most_ties}")
        union = " UNION ALL ".join(form.format(join=join, earliest=_EARLIEST, forever=_FOREVER) for form in forms)
        return connection.sql(union).to_arrow_table(), int(left_out)
    finally:
        connection.close()


_TIES: Final = """
CREATE TEMP TABLE ranked AS
SELECT g.*, row_number() OVER (
    PARTITION BY entity_id ORDER BY known_at, starts_at NULLS FIRST, other_id, known_until, ends_at) AS rank
FROM given g SEMI JOIN entities USING (entity_id)
"""

_POINTS: Final = """
SELECT entity_id, happened_at, known_from AS known_at, until AS known_until, NULL::TIMESTAMP AS ended_at,
       agency, kind, role, value, place_id, event_id, false AS spell
FROM (
  SELECT *, greatest(known, coalesce(max(until) OVER (PARTITION BY entity_id, number ORDER BY known, until
           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), {earliest})) AS known_from
  FROM (
    SELECT t.entity_id, e.number, e.happened_at, greatest(e.known_at, t.known_at) AS known,
           least(coalesce(e.known_until, {forever}), coalesce(t.known_until, {forever})) AS until,
           e.agency, e.kind, e.role, e.value, e.place_id, e.event_id
    FROM ties t JOIN numbered e ON {join}
    WHERE e.happened_at >= coalesce(t.starts_at, {earliest}) AND e.happened_at < coalesce(t.ends_at, {forever})
  ) WHERE known < until
) WHERE known_from < until
"""

_SPELLS: Final = """
SELECT entity_id, happened_at, known AS known_at, until AS known_until, ended_at,
       agency, kind, role, value, place_id, event_id, true AS spell
FROM (
  SELECT t.entity_id, greatest(e.happened_at, t.starts_at) AS happened_at, least(e.ended_at, t.ends_at) AS ended_at,
         greatest(e.known_at, t.known_at) AS known,
         least(coalesce(e.known_until, {forever}), coalesce(t.known_until, {forever})) AS until,
         e.agency, e.kind, e.role, e.value, e.place_id, e.event_id
  FROM ties t JOIN numbered e ON {join}
  WHERE e.happened_at < coalesce(t.ends_at, {forever})
    AND coalesce(e.ended_at, {forever}) > coalesce(t.starts_at, {earliest})
) WHERE known < until
"""

_MOST_OCCUPANTS: Final = 1000
"""How many residences of one place (the first known) may make a tie to those who live there later."""

_DERIVED: Final = {
    "own_address": """
        SELECT entity_id, place_id AS other_id, 'own_address' AS kind, starts_at, ends_at, known_at, known_until
        FROM lived""",
    "former_address": """
        SELECT entity_id, place_id AS other_id, 'former_address' AS kind, ends_at AS starts_at,
               NULL::TIMESTAMP AS ends_at, known_at, known_until
        FROM lived WHERE ends_at IS NOT NULL""",
    "former_occupant": f"""
        SELECT l.entity_id, o.entity_id AS other_id, 'former_occupant' AS kind, l.starts_at, l.ends_at,
               greatest(l.known_at, o.known_at) AS known_at, least(l.known_until, o.known_until) AS known_until
        FROM lived l JOIN (
            SELECT * FROM lived WHERE ends_at IS NOT NULL
            QUALIFY row_number() OVER (PARTITION BY place_id ORDER BY known_at, starts_at, entity_id, ends_at)
                <= {_MOST_OCCUPANTS}
        ) o ON o.place_id = l.place_id AND o.entity_id <> l.entity_id AND o.ends_at <= l.starts_at
        WHERE greatest(l.known_at, o.known_at) < coalesce(least(l.known_until, o.known_until), {_FOREVER})""",
    "co_offender": f"""
        SELECT a.entity_id, b.entity_id AS other_id, 'co_offender' AS kind,
               a.happened_at + INTERVAL 1 MICROSECOND AS starts_at, NULL::TIMESTAMP AS ends_at,
               greatest(a.known_at, b.known_at) AS known_at, least(a.known_until, b.known_until) AS known_until
        FROM events a JOIN events b USING (agency, kind, happened_at, place_id, role)
        WHERE role = 'suspect' AND a.entity_id <> b.entity_id
          AND greatest(a.known_at, b.known_at) < coalesce(least(a.known_until, b.known_until), {_FOREVER})""",
}

_COLUMNS: Final = "NULL::VARCHAR AS role, NULL::DOUBLE AS value, '-' AS agency"
_STREAMS: Final = {
    "residence": f"""
        SELECT entity_id, starts_at AS happened_at, ends_at AS ended_at, known_at, known_until, 'residence' AS kind,
               place_id, place_id AS event_id, false AS spell, {_COLUMNS} FROM lived""",
    "household": f"""
        SELECT entity_id, coalesce(starts_at, {_EARLIEST}) AS happened_at, ends_at AS ended_at, known_at,
               known_until, 'co_resident' AS kind, other_id AS place_id, other_id AS event_id, true AS spell, {_COLUMNS}
        FROM ties""",
    "area": """
        SELECT entity_id, starts_at AS happened_at, ends_at AS ended_at, known_at, known_until, 'area' AS kind,
               place_id, epoch_us(known_at) AS event_id, true AS spell, NULL::VARCHAR AS role,
               number::DOUBLE AS value, '-' AS agency
        FROM lived LEFT JOIN (
            SELECT area, row_number() OVER (ORDER BY area) - 1 AS number
            FROM (SELECT DISTINCT area FROM lived WHERE area IS NOT NULL)) USING (area)""",
}
_YOUNG: Final = f"""
    SELECT * FROM (
        SELECT t.entity_id, greatest(coalesce(t.starts_at, {_EARLIEST}), p.birth_date::TIMESTAMP) AS happened_at,
               least(t.ends_at, p.birth_date::TIMESTAMP + INTERVAL {{under}} YEAR - INTERVAL 1 MICROSECOND) AS ended_at,
               greatest(t.known_at, p.known_at) AS known_at, t.known_until, 'co_resident' AS kind,
               t.other_id AS place_id, t.other_id AS event_id, true AS spell, {_COLUMNS}
        FROM ties t JOIN persons p ON p.entity_id = t.other_id WHERE p.birth_date IS NOT NULL
    ) WHERE happened_at <= ended_at"""
"""Who lives at the same address and has not come to an age: spells that end the moment before that birthday."""

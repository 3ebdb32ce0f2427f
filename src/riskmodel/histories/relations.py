"""Who is tied to whom, when, and since when that was known: from registers of families, and from shared addresses.

A tie is told from the side of the one who receives: ``kind`` says what *other* is to *entity*, so that
``through="parent"`` carries what happened to, or was done by, a parent. Every tie is there in both directions. Nothing
here looks at events; a tie is known only when both sides of it were.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from riskmodel.engines.duckdb import query
from riskmodel.tables import RELATIONS, conform

CROWDED: Final = 40
"""Residents at one time from which a place is a hostel, a prison or a wrong address, and ties nobody to anybody."""

INVERSE: Final = {"parent": "child", "child": "parent", "carer": "cared_for", "cared_for": "carer"}
"""Ties that differ by direction; any other kind (partner, sibling, co_offender ...) is the same both ways."""
_SAME_AS: Final = {"parent_of": "parent", "child_of": "child", "partner_of": "partner", "carer_of": "carer"}


def told_relations(relations: pa.Table, links: pa.Table) -> tuple[pa.Table, int]:
    """Ties that agencies recorded, and how many rows were left out: somebody unregistered, or tied to oneself.

    In a feed, person is the kind of other: ("P1", "C1", "parent") says that P1 is a parent of C1; ("C1", "P1",
    "child_of") says the same. Both give C1 a "parent" and P1 a "child".

    Parameters
    ----------
    relations : Arrow table of FEED_RELATIONS, in delivery order
    links : Arrow table of LINKS
    """
    kinds = relations.column("kind").unique().to_pylist()
    words = [_SAME_AS.get(kind, kind) for kind in kinds]
    table = pa.table({"kind": kinds, "forth": words, "back": [INVERSE.get(word, word) for word in words]})
    numbered = relations.append_column("ordinal", pa.array(range(relations.num_rows), pa.int64()))
    joined = query(_JOINED, r=numbered, links=links, kinds=table)
    left_out = relations.num_rows - joined.num_rows
    return conform(query(_TOLD, r=joined), RELATIONS), left_out


def co_residents(residences: pa.Table) -> tuple[pa.Table, int]:
    """Ties between people whose spells at one place overlap, and how many places were too crowded to count.

    Each pair of versions that were believed at one time gives a tie over the time that both spells cover. Whether a
    place is crowded is judged on what is believed last.

    Parameters
    ----------
    residences : Arrow table of RESIDENCES
    """
    crowded = query(_CROWDS.format(crowded=CROWDED), s=residences)
    return conform(query(_TOGETHER, s=residences, crowded=crowded), RELATIONS), crowded.num_rows


_JOINED: Final = """
SELECT r.*, k.forth, k.back, one.entity_id AS person, other.entity_id AS other_person
FROM r JOIN kinds k USING (kind)
JOIN links one ON r.agency = one.agency AND r.person_key = one.person_key
JOIN links other ON r.agency = other.agency AND r.other_person_key = other.person_key
WHERE one.entity_id <> other.entity_id
"""
_TOLD: Final = """
WITH said AS (
    SELECT * FROM r
    QUALIFY row_number() OVER (PARTITION BY feed, person_key, other_person_key, kind, starts_at, known_at
                               ORDER BY ordinal DESC) = 1
), marked AS (
    SELECT *, lag(ends_at) OVER tie AS end_before, row_number() OVER tie AS number FROM said
    WINDOW tie AS (PARTITION BY feed, person_key, other_person_key, kind, starts_at ORDER BY known_at)
), versions AS (
    SELECT *, lead(known_at) OVER (PARTITION BY feed, person_key, other_person_key, kind, starts_at ORDER BY known_at)
        AS known_until
    FROM marked WHERE number = 1 OR ends_at IS DISTINCT FROM end_before
)
SELECT DISTINCT other_person AS entity_id, person AS other_id, forth AS kind, starts_at, ends_at, known_at, known_until
FROM versions
UNION
SELECT DISTINCT person, other_person, back, starts_at, ends_at, known_at, known_until FROM versions
"""
_CROWDS: Final = """
WITH last_believed AS (
    SELECT DISTINCT entity_id, place_id, starts_at, ends_at FROM s WHERE known_until IS NULL
), turns AS (
    SELECT place_id, starts_at AS moment, 1 AS change FROM last_believed
    UNION ALL SELECT place_id, ends_at, -1 FROM last_believed WHERE ends_at IS NOT NULL
), living AS (
    SELECT place_id, sum(change) OVER (
        PARTITION BY place_id ORDER BY moment, change ROWS UNBOUNDED PRECEDING) AS residents
    FROM turns
)
SELECT place_id FROM living GROUP BY place_id HAVING max(residents) > {crowded}
"""
_TOGETHER: Final = """
WITH kept AS (
    SELECT * FROM s WHERE place_id NOT IN (SELECT place_id FROM crowded)
), pairs AS (
    SELECT a.entity_id, b.entity_id AS other_id, greatest(a.starts_at, b.starts_at) AS starts_at,
           least(coalesce(a.ends_at, TIMESTAMP '9999-12-31'), coalesce(b.ends_at, TIMESTAMP '9999-12-31')) AS ends_at,
           greatest(a.known_at, b.known_at) AS known_at,
           least(coalesce(a.known_until, TIMESTAMP '9999-12-31'), coalesce(b.known_until, TIMESTAMP '9999-12-31'))
               AS known_until
    FROM kept a JOIN kept b ON a.place_id = b.place_id AND a.entity_id <> b.entity_id
), overlapping AS (
    SELECT * FROM pairs WHERE starts_at < ends_at AND known_at < known_until
), marked AS (  -- the same tie believed without a break is one version
    SELECT *, known_at > max(known_until) OVER (
        PARTITION BY entity_id, other_id, starts_at, ends_at ORDER BY known_at, known_until
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS broken
    FROM overlapping
), runs AS (
    SELECT *, sum(CASE WHEN broken THEN 1 ELSE 0 END) OVER (
        PARTITION BY entity_id, other_id, starts_at, ends_at ORDER BY known_at, known_until
        ROWS UNBOUNDED PRECEDING) AS run
    FROM marked
)
SELECT entity_id, other_id, 'co_resident' AS kind, starts_at, nullif(ends_at, TIMESTAMP '9999-12-31') AS ends_at,
       min(known_at) AS known_at, nullif(max(known_until), TIMESTAMP '9999-12-31') AS known_until
FROM runs GROUP BY entity_id, other_id, starts_at, ends_at, run
"""

"""Known to several services, not at once, and below every threshold: counted for a whole population in the engine.

The same questions as `contact` and `thresholds` put to histories in memory, here for millions of people: an agency is
in contact in a quarter of a year in which it recorded something, so that "at once" is "in the same quarter". What a
joint rule would cost is judged a year back, on what could be seen then.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pyarrow as pa

from riskmodel.dates import Duration, moments
from riskmodel.errors import DeclarationError
from riskmodel.governance.disclosure import Total
from riskmodel.histories.visibility import visible_sql
from riskmodel.population.cube import ALL
from riskmodel.population.harm import Harm, harms_sql
from riskmodel.population.periods import text_sql
from riskmodel.population.publication import Publication
from riskmodel.population.reading import Reading
from riskmodel.population.thresholds import BELOW, JOINT_ONLY, OWN, JointRule, Threshold

KNOWN, FIRST, STANDING = "known_to_agencies", "who_knew_first", "below_every_threshold"
MOST_SETS = 24
"""Combinations that are named; the rest are one row by number of agencies."""


def measure_overlap(publication: Publication, reading: Reading, agencies: Sequence[str]) -> None:
    """Count who is known to which agencies, ever and in one quarter, and who knew them first."""
    bits = " ".join(f"WHEN {text_sql(agency)} THEN {1 << at}" for at, agency in enumerate(agencies))
    # one bit a quarter; what lies more than 30 years back is one quarter
    quarter = f"greatest(0, 4 * (year(happened_at) - {reading.as_of.year - 30}) + quarter(happened_at))"
    reading.keep(
        "of_agency",
        f"""SELECT entity_id, CASE agency {bits} ELSE 0 END AS agency,
                   bit_or(1::HUGEINT << ({quarter})::INT) AS quarters
            FROM events WHERE entity_id IS NOT NULL GROUP BY ALL""",
    )
    # two agencies share a quarter if their quarters, counted one by one, are more than the quarters there are
    reading.keep(
        "of_person",
        """WITH since AS (
               SELECT *, min(quarters & -quarters) OVER (PARTITION BY entity_id) AS first_quarter FROM of_agency)
           SELECT entity_id, bit_or(agency) AS agencies, bit_count(bit_or(agency)) AS number,
                  sum(bit_count(quarters)) > bit_count(bit_or(quarters)) AS at_once,
                  bit_or(agency) FILTER (WHERE quarters & -quarters = first_quarter) AS first
           FROM since GROUP BY entity_id""",
    )
    _leave_known(publication, reading, agencies)
    _leave_first(publication, reading, agencies)


def _leave_known(publication: Publication, reading: Reading, agencies: Sequence[str]) -> None:
    found = reading.query(
        """SELECT agencies, number, count(*) AS people, count(*) FILTER (WHERE at_once) AS at_once FROM of_person
           GROUP BY 1, 2 ORDER BY people DESC, agencies"""
    ).to_pylist()
    rows: dict[tuple[str, str], list[int]] = {}
    for place, row in enumerate(found):
        names = [agency for at, agency in enumerate(agencies) if int(row["agencies"]) >> at & 1]
        label = " + ".join(names) if place < MOST_SETS else "other combinations"
        number = str(len(names))
        for key in ((number, label), (number, ALL), (ALL, ALL)):
            held = rows.setdefault(key, [0, 0])
            held[0], held[1] = held[0] + row["people"], held[1] + row["at_once"]
    table = pa.Table.from_pylist(
        [
            {
                "number": key[0],
                "agencies": key[1],
                "people": held[0],
                "same_quarter": held[1],
                "never_same_quarter": held[0] - held[1],
            }
            for key, held in sorted(rows.items(), key=lambda item: (item[0][0], -item[1][0]))
        ]
    )
    publication.leave(
        KNOWN,
        "People by the agencies that ever knew them",
        table,
        keys=("number", "agencies"),
        counts=("people", "same_quarter", "never_same_quarter"),
        totals=[Total("agencies", ALL, ("number",)), Total("number", ALL, ("agencies",))],
        within_counts={"people": ["same_quarter", "never_same_quarter"]},
    )


def _leave_first(publication: Publication, reading: Reading, agencies: Sequence[str]) -> None:
    """Of people known to several: in whose quarter the first record lies; two in that quarter are "several"."""
    names = " ".join(f"WHEN first = {1 << at} THEN {text_sql(agency)}" for at, agency in enumerate(agencies))
    table = reading.query(
        f"""SELECT CASE WHEN grouping(f) = 1 THEN '{ALL}' ELSE f END AS first, count(*) AS people
            FROM (SELECT CASE {names} ELSE 'several at once' END AS f FROM of_person WHERE number >= 2)
            GROUP BY GROUPING SETS ((f), ()) ORDER BY first"""
    )
    publication.leave(
        FIRST,
        "People known to several agencies, by who knew them first",
        table,
        keys=("first",),
        counts=("people",),
        totals=[Total("first", ALL)],
    )


def measure_standing(
    publication: Publication,
    reading: Reading,
    thresholds: Sequence[Threshold],
    joint: JointRule,
    harms: Sequence[Harm],
    *,
    settle_days: int,
) -> dt.date:
    """Count who was below every threshold and above the joint rule a year ago, and who was harmed within the year.

    Returns
    -------
    date : the day on which it was asked

    Raises
    ------
    DeclarationError : no threshold in force on that day
    """
    asked = reading.as_of - dt.timedelta(days=365 + settle_days)
    current = [rule for rule in thresholds if rule.in_force(asked.date())]
    if not current:
        raise DeclarationError.of(
            "thresholds-none-in-force",
            where="thresholds",
            found=f"none in force on {asked.date()}",
            expected="at least one agency's threshold",
            repair="Write down the thresholds with the dates they held.",
        )
    _keep_standing(reading, current, joint, harms, asked)
    table = reading.query(
        f"""SELECT CASE WHEN grouping(standing) = 1 THEN '{ALL}' ELSE standing END AS standing, count(*) AS people,
                   count(*) FILTER (WHERE harmed) AS harmed, count(*) FILTER (WHERE NOT harmed) AS not_harmed
            FROM standing GROUP BY GROUPING SETS ((standing), ()) ORDER BY standing"""
    )
    publication.leave(
        STANDING,
        "People below every threshold, above the joint rule only, and above an agency's own",
        table,
        keys=("standing",),
        counts=("people", "harmed", "not_harmed"),
        totals=[Total("standing", ALL)],
        within_counts={"people": ["harmed", "not_harmed"]},
    )
    return asked.date()


def _keep_standing(
    reading: Reading, current: Sequence[Threshold], joint: JointRule, harms: Sequence[Harm], asked: dt.datetime
) -> None:
    """Where everybody known by then stood, and whether they were harmed within the year."""
    moment = f"TIMESTAMP '{asked.isoformat(sep=' ')}'"
    own = " OR ".join(_own_sql(rule, asked) for rule in current)
    since = _since(joint.within, asked)
    # what lies before every rule's window counts for none of them
    recent = " OR ".join({since, *(_since(rule.within, asked) for rule in current)})
    reading.keep(
        "standing",
        f"""WITH seen AS (SELECT entity_id, coalesce({own}, false) AS own,
                    count(*) FILTER (WHERE {since}) >= {joint.count}
                        AND count(DISTINCT agency) FILTER (WHERE {since}) >= {joint.agencies} AS joint
                FROM kept_events WHERE {visible_sql(moment)} AND entity_id IS NOT NULL AND ({recent})
                GROUP BY entity_id),
            harmed AS (SELECT DISTINCT entity_id FROM events WHERE {harms_sql(harms)} AND entity_id IS NOT NULL
                AND happened_at >= {moment} AND happened_at < {moment} + INTERVAL 365 DAY)
            SELECT CASE WHEN coalesce(s.own, false) THEN '{OWN.replace("'", "''")}'
                        WHEN coalesce(s.joint, false) THEN '{JOINT_ONLY}' ELSE '{BELOW}' END AS standing,
                   h.entity_id IS NOT NULL AS harmed
            FROM kept_persons p LEFT JOIN seen s USING (entity_id) LEFT JOIN harmed h USING (entity_id)
            WHERE p.known_at < {moment}""",
    )


def _own_sql(rule: Threshold, at: dt.datetime) -> str:
    kinds = f" AND kind IN ({', '.join(text_sql(kind) for kind in rule.kinds)})" if rule.kinds else ""
    value = "" if rule.least_value is None else f" AND value >= {float(rule.least_value)!r}"
    since = _since(rule.within, at)
    return f"count(*) FILTER (WHERE agency = {text_sql(rule.agency)} AND {since}{kinds}{value}) >= {int(rule.count)}"


def _since(within: Duration, at: dt.datetime) -> str:
    return f"happened_at >= TIMESTAMP '{within.before(moments([at]))[0]}'"

"""The relations step on Spark: which rows of which table the people of each partition need, as Spark SQL.

A partition holds the people whose number has the same hash. It gets its people's as-of dates, events, ties and births,
and whatever their ties can reach: events of the others, events at their places, who else lived there. One row is sent
once to a partition, however many of its people it may reach. What a tie carries, and from when on, is settled in the
partition by the same code as in process; here nothing is computed, and too much may be sent but never too little.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from riskmodel.features.pieces import Needs
from riskmodel.features.program import Program
from riskmodel.features.selection import PLACE_TIES, Events
from riskmodel.tables import EVENTS

ASKED, EVENT, RELATION, RESIDENCE, PERSON = range(5)
"""What a row is: the column `part`. All are sent in the columns of EVENTS, and `target`, whom the row is for."""

HOMES: Final = ("residence", "household")
"""Streams of a person's own, made of residences and ties; `household_under_18` is a household too."""
_BY_PLACE: Final = ("former_occupant",)
_OF_RESIDENCES: Final = ("residence", *PLACE_TIES, *_BY_PLACE)

_TYPES: Final = {
    name: {"int64": "BIGINT", "timestamp[us]": "TIMESTAMP_NTZ", "string": "STRING", "double": "DOUBLE"}[str(kind)]
    for name, kind in zip(EVENTS.names, EVENTS.types, strict=True)
}


@dataclass(frozen=True, slots=True)
class Reach:
    """What has to be brought together.

    Attributes
    ----------
    columns : of EVENTS that are sent; of a plain job those that the kernel reads
    chosen : the selections whose events are sent
    ties : the words that recorded relations are chosen by
    residences : whether residences are sent
    others : whether events of other people are
    places : whether events at places are
    by_place : whether all who lived at a place are sent, not only the person's own residences
    offences : whether people suspected of the same offence are reached
    births : whether births are sent
    """

    columns: tuple[str, ...]
    chosen: tuple[Events, ...]
    ties: tuple[str, ...]
    residences: bool
    others: bool
    places: bool
    by_place: bool
    offences: bool
    births: bool

    @property
    def plain(self) -> bool:
        """Whether the partition needs nobody's rows but those of its own people."""
        return not (self.ties or self.residences)


def reach_of(program: Program, needs: Needs, held: Mapping[str, str], *, births: bool) -> Reach:
    """What the program needs of other people and places.

    Parameters
    ----------
    held : what the files call the columns of EVENTS that they hold
    births : whether the people's own dates of birth are needed
    """
    through = {tie.partition("_under_")[0] for step in program.steps for tie in step.events.through}
    under = any("_under_" in tie for step in program.steps for tie in step.events.through)
    reaching = through - set(HOMES)
    ties = reaching | ({"co_resident"} if "household" in through else set())
    chosen = [step.events for step in program.steps]
    if "co_offender" in through:
        chosen.append(Events(roles=("suspect",)))
    at_once = held["known_at"] == held["happened_at"] and not births
    own = [
        name for name in EVENTS.names if name in needs.columns and name in held and not (name == "known_at" and at_once)
    ]
    return Reach(
        columns=tuple(EVENTS.names if through else own),
        chosen=tuple(dict.fromkeys(chosen)),
        ties=tuple(sorted(ties)),
        residences=bool(through & set(_OF_RESIDENCES)),
        others=bool(reaching - set(PLACE_TIES)) or under,
        places=bool(through & set(PLACE_TIES)),
        by_place=bool(through & set(_BY_PLACE)),
        offences="co_offender" in through and {"role", "place_id"} <= set(held),
        births=births or under,
    )


def gathering(reach: Reach, events: Mapping[str, str], partitions: int) -> str:
    """The SQL over the views asked, events, relations, residences and persons; sorted by nothing, sent to nobody yet.

    Parameters
    ----------
    events : what the files call the columns of EVENTS that they hold
    partitions : how many the result will be split into, by `target`
    """
    if reach.plain:
        parts = [_sent(reach, ASKED, "asked", "entity_id", {"happened_at": "as_of"})]
        own = _sent(reach, EVENT, "events e", f"e.`{events['entity_id']}`", _named(events))
        parts.append(f"{own} WHERE e.`{events['entity_id']}` IS NOT NULL AND {_holds(reach.chosen, events)}")
        if reach.births:
            parts.append(_births(reach, "persons p", "p.entity_id"))
        return " UNION ALL ".join(parts)
    wanted = {"event_id": "0"} | _named(events)
    holds = _holds(reach.chosen, events)
    person, place = (
        f"e.`{events[name]}`" if name in events else "CAST(NULL AS BIGINT)" for name in ("entity_id", "place_id")
    )
    tie = {"entity_id": "t.entity_id", "place_id": "t.other_id", "kind": "t.kind", "happened_at": "t.starts_at",
           "ended_at": "t.ends_at", "known_at": "t.known_at", "known_until": "t.known_until"}  # fmt: skip
    lived = tie | {"entity_id": "l.entity_id", "place_id": "l.place_id", "kind": "l.area"}
    lived = {name: column.replace("t.", "l.", 1) for name, column in lived.items()}
    parts = [
        _sent(reach, ASKED, "asked", "entity_id", {"entity_id": "entity_id", "happened_at": "as_of"}),
        f"{_sent(reach, EVENT, 'events e', 'r.target', wanted)} JOIN reached r ON {person} = r.person WHERE {holds}",
    ]
    if reach.ties:
        parts.append(_sent(reach, RELATION, "tied t", "t.entity_id", tie))
    if reach.places:
        parts.append(
            f"{_sent(reach, EVENT, 'events e', 'h.target', wanted)} JOIN homes h ON {place} = h.place_id "
            f"LEFT ANTI JOIN reached r ON r.bucket = h.bucket AND r.person = {person} WHERE {holds}"
        )
    if reach.residences:
        source = ("residences l JOIN homes h ON l.place_id = h.place_id", "h.target") if reach.by_place else (
            "lived l", "l.entity_id"
        )  # fmt: skip
        parts.append(_sent(reach, RESIDENCE, *source, lived))
    if reach.births:
        parts.append(_births(reach, "persons p JOIN reached r ON p.entity_id = r.person", "r.target"))
    return f"WITH {_reached(reach, events, partitions)} {' UNION ALL '.join(parts)}"


def _reached(reach: Reach, events: Mapping[str, str], partitions: int) -> str:
    """The common tables: who asks, their ties and homes, and every person that a partition needs to know of."""
    bucket = f"pmod(hash({{}}), {partitions})"  # the partition that Spark's hash partitioning sends this person to
    tables = [
        "askers AS (SELECT DISTINCT entity_id FROM asked)",
        f"told AS (SELECT * FROM relations WHERE kind IN ({_quoted(reach.ties)}))",
        "tied AS (SELECT * FROM told LEFT SEMI JOIN askers USING (entity_id))",
        "lived AS (SELECT * FROM residences LEFT SEMI JOIN askers USING (entity_id))",
        f"housed AS (SELECT {bucket.format('entity_id')} AS bucket, place_id, entity_id FROM lived)",
        "homes AS (SELECT bucket, place_id, min(entity_id) AS target FROM housed GROUP BY 1, 2)",
    ]
    people = [f"SELECT {bucket.format('entity_id')} AS bucket, entity_id AS person, entity_id AS target FROM askers"]
    if reach.others:
        people.append(f"SELECT {bucket.format('entity_id')}, other_id, entity_id FROM tied")
    if reach.by_place:
        people.append("SELECT h.bucket, o.entity_id, h.target FROM homes h JOIN residences o USING (place_id)")
    if reach.offences:
        same = [f"`{events[name]}`" for name in ("agency", "kind", "happened_at", "place_id", "role")]
        who, role = f"`{events['entity_id']}`", f"`{events['role']}`"
        mine = bucket.format(f"CAST(a.{who} AS BIGINT)")  # a narrower whole number would hash otherwise
        people.append(
            f"SELECT {mine}, b.{who}, a.{who} FROM events a LEFT SEMI JOIN askers q "
            f"ON a.{who} = q.entity_id JOIN events b USING ({', '.join(same)}) WHERE b.{who} IS NOT NULL "
            f"AND a.{role} = 'suspect'"
        )
    tables.append(
        f"reached AS (SELECT bucket, person, min(target) AS target FROM ({' UNION ALL '.join(people)}) GROUP BY 1, 2)"
    )
    return ", ".join(tables)


def _sent(reach: Reach, part: int, source: str, target: str, columns: Mapping[str, str]) -> str:
    """Rows of one table in the common columns; what the table has not is null."""
    picked = [f"CAST({columns.get(name, 'NULL')} AS {_TYPES[name]}) AS {name}" for name in reach.columns]
    if reach.plain:
        picked = [column for name, column in zip(reach.columns, picked, strict=True) if name != "entity_id"]
    return f"SELECT CAST({target} AS BIGINT) AS target, {part}Y AS part, {', '.join(picked)} FROM {source}"


def _births(reach: Reach, source: str, target: str) -> str:
    columns = {"entity_id": "p.entity_id", "happened_at": "p.birth_date", "known_at": "p.known_at"}
    return f"{_sent(reach, PERSON, source, target, columns)} WHERE p.birth_date IS NOT NULL"


def _named(events: Mapping[str, str]) -> dict[str, str]:
    return {name: f"e.`{column}`" for name, column in events.items()}


def _holds(chosen: Iterable[Events], events: Mapping[str, str]) -> str:
    """Whether an event is one of those chosen."""
    either = []
    for one in chosen:
        words = {"kind": one.kinds, "role": one.roles, "agency": one.agencies}
        named = [f"e.`{events[part]}` IN ({_quoted(w)})" for part, w in words.items() if w and part in events]
        either.append(f"({' AND '.join(named)})" if named else "true")
    return f"({' OR '.join(either)})" if either else "false"


def _quoted(words: Iterable[str]) -> str:
    """Words of small letters, digits and underscores, which nodes hold them to."""
    return ", ".join(f"'{word}'" for word in words) or "NULL"

"""The histories of linked people, as they are kept: events, persons, residences, relations, and what they cover.

`Histories` is a noun over four Arrow tables, read when first asked for and then held. Its repr shows counts only. It
must never hold a name, an address or an agency's own number: those stay behind in linkage.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import pyarrow as pa

from riskmodel.engines.folders import Result
from riskmodel.errors import DataRefused
from riskmodel.feeds.intake import NAME as RECEIVED
from riskmodel.governance.access import Store
from riskmodel.histories.relations import co_residents, told_relations
from riskmodel.histories.residences import residences_of
from riskmodel.histories.versions import event_versions
from riskmodel.linkage import addresses
from riskmodel.linkage.people import People
from riskmodel.linkage.pseudonyms import salt_of
from riskmodel.tables import (
    AREA_VALUES,
    EVENTS,
    PERSONS,
    RELATIONS,
    RESIDENCES,
    combined_fingerprint,
    conform,
    fingerprint_document,
    fingerprint_table,
    ordered,
    pseudonyms,
)

SORTED_BY: Mapping[str, list[str]] = {
    "events": ["entity_id", "happened_at", "known_at", "event_id", "kind", "role", "agency"],
    "persons": ["entity_id"],
    "residences": ["entity_id", "starts_at", "known_at", "place_id", "ends_at"],
    "relations": ["entity_id", "kind", "other_id", "starts_at", "known_at", "ends_at"],
}
"""The order in which each table is stored; what goes beyond the schema's own order only settles ties."""

_SCHEMAS = {"events": EVENTS, "persons": PERSONS, "residences": RESIDENCES, "relations": RELATIONS}


NAME = "histories"


class Kept(Protocol):
    """Where the tables come from: a result in a store, or tables in memory."""

    @property
    def fingerprint(self) -> str: ...

    @property
    def rows(self) -> Mapping[str, int]: ...

    def table(self, name: str, columns: list[str] | None = None) -> pa.Table: ...

    def document(self, name: str) -> Any: ...


@dataclass(frozen=True, repr=False, eq=False)
class Histories:
    """What is known of the people of a partnership, with the time at which it was known.

    Attributes
    ----------
    events, persons, residences, relations : Arrow tables with the schemas of `riskmodel.tables`
    covered_until : mapping of agency to date; everything recorded before that day has been delivered
    kinds : mapping of event kind to a mapping of agency to the number of facts of that kind it recorded
    agencies : tuple of str, every agency that delivered anything
    fingerprint : str
    """

    store: Store | None
    result: Kept

    @cached_property
    def events(self) -> pa.Table:
        return self.result.table("events")

    @cached_property
    def persons(self) -> pa.Table:
        return self.result.table("persons")

    @cached_property
    def residences(self) -> pa.Table:
        return self.result.table("residences")

    @cached_property
    def relations(self) -> pa.Table:
        return self.result.table("relations")

    @cached_property
    def area_values(self) -> pa.Table:
        """Dated measures of areas, where there are any (`overlaid.with_area_values`)."""
        return self.result.table("area_values") if "area_values" in self.result.rows else AREA_VALUES.empty_table()

    @cached_property
    def coverage(self) -> Mapping[str, Any]:
        """The document of what the histories cover: covered_until, kinds, and the counts of what was left out."""
        document: Mapping[str, Any] = self.result.document("coverage")
        return document

    @cached_property
    def covered_until(self) -> dict[str, dt.date]:
        return {agency: dt.date.fromisoformat(day) for agency, day in self.coverage["covered_until"].items()}

    @cached_property
    def kinds(self) -> dict[str, dict[str, int]]:
        return {kind: dict(counts) for kind, counts in self.coverage["kinds"].items()}

    @cached_property
    def agencies(self) -> tuple[str, ...]:
        by_kind = {agency for counts in self.kinds.values() for agency in counts}
        return tuple(sorted(by_kind | set(self.covered_until)))

    @property
    def fingerprint(self) -> str:
        return self.result.fingerprint

    @classmethod
    def of(
        cls,
        *,
        events: pa.Table,
        persons: pa.Table | None = None,
        residences: pa.Table | None = None,
        relations: pa.Table | None = None,
        covered_until: Mapping[str, dt.date] | None = None,
    ) -> Histories:
        """Histories from Arrow tables in memory: for tests, and for people whose data is linked already.

        Tables are conformed to their schemas (absent columns that may be null become null), sorted, and checked.

        Parameters
        ----------
        persons : when None, everyone in the other tables, with nothing known of them but since when
        covered_until : when None, each agency covers the days up to its last known record, that day included

        Raises
        ------
        DataRefused : a column that may not be null is missing or has nulls, or a person stands twice in `persons`
        """
        given = {"events": events, "persons": persons, "residences": residences, "relations": relations}
        made = {name: _conformed(name, table) for name, table in given.items()}
        if persons is None:
            made["persons"] = _persons_in(made)
        _check_persons(made["persons"])
        coverage = coverage_of(made["events"], covered_until)
        return cls(None, HeldTables(made, {"coverage": coverage}))

    def __repr__(self) -> str:
        counts = ", ".join(f"{self.result.rows.get(name, 0):,} {name}" for name in SORTED_BY)
        return f"Histories({counts})"


@dataclass(frozen=True, repr=False, eq=False)
class HeldTables:
    """Tables and documents in memory, read in the same way as a stored result."""

    tables: Mapping[str, pa.Table]
    documents: Mapping[str, Any]

    @cached_property
    def fingerprint(self) -> str:
        parts = {name: fingerprint_table(table) for name, table in self.tables.items()}
        return combined_fingerprint(
            parts | {name: fingerprint_document(document) for name, document in self.documents.items()}
        )

    @property
    def rows(self) -> Mapping[str, int]:
        return {name: table.num_rows for name, table in self.tables.items()}

    def table(self, name: str, columns: list[str] | None = None) -> pa.Table:
        return self.tables[name] if columns is None else self.tables[name].select(columns)

    def document(self, name: str) -> Any:
        return self.documents[name]


def assemble(store: Store, people: People) -> Histories:
    """Put the linked people's events, residences and relations together.

    Parameters
    ----------
    people : People, linked from the records that the same store received

    Returns
    -------
    Histories; kept in the store as "histories", so that the same inputs are put together once. Those of a drawn world
    (`People.drawn`) are in memory only: they never take the place of the best one.
    """
    received = store.result(RECEIVED)
    if people.draw is not None:
        tables, coverage = _put_together(received, people, salt_of(store))
        held = {name: ordered(conform(table, _SCHEMAS[name]), SORTED_BY[name]) for name, table in tables.items()}
        return Histories(None, HeldTables(held, {"coverage": coverage}))
    inputs = {"received": received.fingerprint, "linked": people.fingerprint}
    kept = store.kept(NAME, inputs)
    if kept is None:
        salt = salt_of(store)
        tables, coverage = _put_together(received, people, salt)
        with store.writing(NAME, inputs) as draft:
            for name, order in SORTED_BY.items():
                draft.write(name, tables[name], order)
            draft.write_document("coverage", coverage)
        kept = store.result(NAME)
    return Histories(store, kept)


def _put_together(received: Result, people: People, salt: str) -> tuple[dict[str, pa.Table], dict[str, Any]]:
    """The tables of the histories, by name, and the document of what they cover."""
    registers, feed_events = received.table("people"), received.table("events")
    links = people.links
    places = _places(registers, feed_events, salt)
    events, unregistered = event_versions(feed_events, links, places, salt)
    residences = residences_of(registers, links, places)
    told, ties_left_out = told_relations(received.table("relations"), links)
    together, crowded = co_residents(residences)
    tables = {
        "events": events,
        "persons": people.persons,
        "residences": residences,
        "relations": pa.concat_tables([told, together]),
    }
    covered = {
        agency: dt.date.fromisoformat(day)
        for agency, day in received.document("report")["coverage"]["agencies"].items()
    }
    left_out = {
        "event_rows_of_people_in_no_register": unregistered,
        "relation_rows_without_two_linked_people": ties_left_out,
        "crowded_places_without_co_residents": crowded,
    }
    return tables, coverage_of(events, covered) | {"left_out": left_out}


def _places(registers: pa.Table, feed_events: pa.Table, salt: str) -> pa.Table:
    """(address, postcode, place_id) of every address in the registers and on events."""
    spelt = pa.concat_tables(table.select(["address", "postcode"]) for table in (registers, feed_events))
    found = addresses.places(spelt)
    place = found.column("place").combine_chunks().dictionary_encode()
    ids = pa.array(pseudonyms(place.dictionary.to_pylist(), f"place {salt}"), pa.int64())
    return found.select(["address", "postcode"]).append_column("place_id", ids.take(place.indices))


def coverage_of(events: pa.Table, covered_until: Mapping[str, dt.date] | None) -> dict[str, Any]:
    """What a table of events covers: until when, by agency, and which kinds each agency recorded (facts, not versions).

    Examples
    --------
    >>> from datetime import datetime
    >>> at = datetime(2021, 5, 3)
    >>> rows = [{"happened_at": at, "known_at": at, "agency": "police", "kind": "arson", "event_id": 1}]
    >>> coverage_of(conform(pa.Table.from_pylist(rows), EVENTS), None)
    {'covered_until': {'police': '2021-05-04'}, 'kinds': {'arson': {'police': 1}}}
    """
    facts = events.group_by(["kind", "agency"]).aggregate([("event_id", "count_distinct")])
    counted = sorted(zip(*(facts.column(name).to_pylist() for name in facts.column_names), strict=True))
    kinds: dict[str, dict[str, int]] = {}
    for kind, agency, number in counted:
        kinds.setdefault(kind, {})[agency] = number
    if covered_until is None:
        last = events.group_by("agency").aggregate([("known_at", "max")])
        days = zip(last.column("agency").to_pylist(), last.column("known_at_max").to_pylist(), strict=True)
        covered_until = {agency: moment.date() + dt.timedelta(days=1) for agency, moment in days}
    return {
        "covered_until": {agency: str(day) for agency, day in sorted(covered_until.items())},
        "kinds": kinds,
    }


def _conformed(name: str, table: pa.Table | None) -> pa.Table:
    schema = _SCHEMAS[name]
    return schema.empty_table() if table is None else ordered(conform(table, schema), SORTED_BY[name])


def _persons_in(tables: Mapping[str, pa.Table]) -> pa.Table:
    people = (
        ("events", "entity_id"),
        ("residences", "entity_id"),
        ("relations", "entity_id"),
        ("relations", "other_id"),
    )
    schema = pa.schema([EVENTS.field("entity_id"), EVENTS.field("known_at")])
    seen = pa.concat_tables(
        pa.table([tables[name].column(column), tables[name].column("known_at")], schema=schema)
        for name, column in people
    )
    seen = seen.filter(seen.column("entity_id").is_valid())
    first = seen.group_by("entity_id").aggregate([("known_at", "min")]).rename_columns(["entity_id", "known_at"])
    return _conformed("persons", first)


def _check_persons(persons: pa.Table) -> None:
    twice = persons.num_rows - len(persons.column("entity_id").unique())
    if twice:
        raise DataRefused(
            "persons-repeated",
            found=f"{twice} rows of persons for an entity that has one already",
            expected="one row a person",
            repair="Agree on one birth date, sex and ethnicity for each person first.",
        )

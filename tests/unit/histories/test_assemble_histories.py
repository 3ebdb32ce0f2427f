"""From received records and links to histories: versions, residences as believed, ties, coverage; by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from riskmodel.errors import DeclarationError
from riskmodel.feeds.intake import Intake
from riskmodel.governance.access import Store, connect
from riskmodel.governance.purposes import Purpose
from riskmodel.histories.relations import CROWDED, co_residents, told_relations
from riskmodel.histories.residences import residences_of
from riskmodel.histories.store import Histories, assemble
from riskmodel.histories.timeline import timeline
from riskmodel.histories.versions import event_versions
from riskmodel.linkage.identity import link
from riskmodel.tables import (
    EVENTS,
    FEED_EVENTS,
    FEED_RELATIONS,
    LINKS,
    PERSON_RECORDS,
    RELATIONS,
    RESIDENCES,
    conform,
    ordered,
)


def at(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)


def table(schema: pa.Schema, *rows: dict[str, Any]) -> pa.Table:
    columns = {field.name: pa.array([row.get(field.name) for row in rows], field.type) for field in schema}
    return conform(pa.table(columns), schema)


def event(key: str, happened: str, known: str, **also: Any) -> dict[str, Any]:
    base = {"feed": "police.events", "agency": "police", "event_key": key, "person_key": "P1", "kind": "violence"}
    return base | {"happened_at": at(happened), "known_at": at(known), "retracted": False} | also


def record(
    agency: str, key: str, known: str, place: str | None, since: str | None = None, **also: Any
) -> dict[str, Any]:
    return {
        "feed": f"{agency}.people", "agency": agency, "person_key": key, "known_at": at(known), "address": place,
        "address_from": None if since is None else dt.date.fromisoformat(since),
    } | also  # fmt: skip


def links(**entities: int) -> pa.Table:
    """police_P1=1 links the police's P1 to entity 1."""
    parts = [(name.split("_"), entity) for name, entity in entities.items()]
    rows = [
        {"feed": f"{agency}.people", "agency": agency, "person_key": key, "entity_id": entity, "probability": 1.0}
        for (agency, key), entity in parts
    ]
    return table(LINKS, *rows)


PLACES = pa.table(
    {"address": ["Mill", "Oak", "Elm"], "postcode": pa.array([None] * 3, pa.string()), "place_id": [10, 20, 30]}
)
NOWHERE = PLACES.slice(0, 0)


def versions(*rows: dict[str, Any]) -> list[tuple[Any, ...]]:
    found, _ = event_versions(table(FEED_EVENTS, *rows), links(police_P1=1), NOWHERE, "salt")
    assert found.schema.equals(EVENTS, check_metadata=False)
    listed = ordered(found, ["event_id", "known_at"]).to_pylist()
    return [(row["happened_at"], row["known_at"], row["known_until"], row["value"]) for row in listed]


def test_a_correction_closes_the_version_before_it():
    assert versions(
        event("a", "2021-05-01", "2021-05-03", value=1.0), event("a", "2021-04-30", "2021-06-10", value=1.0)
    ) == [
        (at("2021-05-01"), at("2021-05-03"), at("2021-06-10"), 1.0),
        (at("2021-04-30"), at("2021-06-10"), None, 1.0),
    ]


def test_a_row_sent_again_is_nothing_new():
    same = event("a", "2021-05-01", "2021-05-03", value=None)
    assert versions(same, same, same | {"known_at": at("2021-09-01")}) == [
        (at("2021-05-01"), at("2021-05-03"), None, None)
    ]


def test_of_two_known_at_one_moment_the_later_row_stands():
    first = event("a", "2021-05-01", "2021-05-03", value=1.0)
    assert versions(first, first | {"value": 2.0}) == [(at("2021-05-01"), at("2021-05-03"), None, 2.0)]


def test_a_retraction_leaves_no_version_of_its_own_and_can_be_taken_back():
    first = event("a", "2021-05-01", "2021-05-03")
    gone = first | {"known_at": at("2021-06-01"), "retracted": True}
    again = first | {"known_at": at("2021-07-01")}
    assert versions(first, gone) == [(at("2021-05-01"), at("2021-05-03"), at("2021-06-01"), None)]
    assert versions(first, gone, again) == [
        (at("2021-05-01"), at("2021-05-03"), at("2021-06-01"), None),
        (at("2021-05-01"), at("2021-07-01"), None, None),
    ]
    assert versions(gone) == []


def test_an_end_that_becomes_known_later_is_a_version():
    start = event("a", "2021-05-01", "2021-05-03")
    found, _ = event_versions(
        table(FEED_EVENTS, start, start | {"known_at": at("2021-08-02"), "ended_at": at("2021-08-01")}),
        links(police_P1=1), NOWHERE, "salt",
    )  # fmt: skip
    ends = [(row["ended_at"], row["known_until"]) for row in ordered(found, ["known_at"]).to_pylist()]
    assert ends == [(None, at("2021-08-02")), (at("2021-08-01"), None)]


def test_places_unknown_people_and_ids():
    rows = table(
        FEED_EVENTS,
        event("a", "2021-05-01", "2021-05-03", person_key=None, address="Oak"),
        event("b", "2021-05-01", "2021-05-03", person_key="nobody"),
        event("a", "2021-05-01", "2021-05-03", feed="police.stops"),
    )
    found, left_out = event_versions(rows, links(police_P1=1), PLACES, "salt")
    assert left_out == 1
    listed = sorted(((row["entity_id"] or 0, row["place_id"]) for row in found.to_pylist()), key=str)
    assert listed == [(0, 20), (1, None)]
    ids = set(found["event_id"].to_pylist())
    assert len(ids) == 2  # one key in two feeds is two facts
    assert min(ids) >= 0
    assert set(event_versions(rows, links(police_P1=1), PLACES, "salt")[0]["event_id"].to_pylist()) == ids
    assert set(event_versions(rows, links(police_P1=1), PLACES, "other")[0]["event_id"].to_pylist()).isdisjoint(ids)


def spells(*rows: dict[str, Any], **entities: int) -> list[tuple[Any, ...]]:
    found = residences_of(table(PERSON_RECORDS, *rows), links(**entities), PLACES)
    assert found.schema.equals(RESIDENCES, check_metadata=False)
    listed = ordered(found, ["entity_id", "known_at", "starts_at"]).to_pylist()
    names = ("place_id", "starts_at", "ends_at", "known_at", "known_until")
    return [
        tuple(value.date().isoformat() if isinstance(value, dt.datetime) else value for value in map(row.get, names))
        for row in listed
    ]


def test_residences_as_believed():
    """The example of the module's docstring."""
    found = spells(
        record("housing", "H1", "2019-03-05", "Mill", "2019-03-01"),
        record("police", "P1", "2020-09-20", "Oak", "2020-09-15"),
        housing_H1=1, police_P1=1,
    )  # fmt: skip
    assert found == [
        (10, "2019-03-01", None, "2019-03-05", "2020-09-20"),
        (10, "2019-03-01", "2020-09-15", "2020-09-20", None),
        (20, "2020-09-15", None, "2020-09-20", None),
    ]


def test_a_register_that_repeats_an_old_address_moves_nobody_back():
    found = spells(
        record("housing", "H1", "2019-03-05", "Mill"),
        record("police", "P1", "2020-09-20", "Oak", "2020-09-15"),
        record("housing", "H1", "2021-01-01", "Mill", given_name="x"),
        record("housing", "H1", "2021-06-01", None),
        housing_H1=1, police_P1=1,
    )  # fmt: skip
    assert found == [
        (10, "2019-03-05", None, "2019-03-05", "2020-09-20"),
        (10, "2019-03-05", "2020-09-15", "2020-09-20", None),
        (20, "2020-09-15", None, "2020-09-20", None),
    ]


def test_an_address_learned_late_lies_between_the_others():
    """In 2022 health tells of a stay at Elm from 2019-06: the spell at Mill is now believed to have ended then."""
    found = spells(
        record("housing", "H1", "2019-03-05", "Mill", "2019-03-01"),
        record("housing", "H1", "2020-09-20", "Oak", "2020-09-15"),
        record("health", "N1", "2022-01-01", "Elm", "2019-06-01"),
        housing_H1=1, health_N1=1,
    )  # fmt: skip
    assert found == [
        (10, "2019-03-01", None, "2019-03-05", "2020-09-20"),
        (10, "2019-03-01", "2020-09-15", "2020-09-20", "2022-01-01"),
        (20, "2020-09-15", None, "2020-09-20", None),
        (10, "2019-03-01", "2019-06-01", "2022-01-01", None),
        (30, "2019-06-01", "2020-09-15", "2022-01-01", None),
    ]


def residence(
    entity: int, place: int, start: str, end: str | None, known: str, until: str | None = None
) -> dict[str, Any]:
    return {
        "entity_id": entity, "place_id": place, "starts_at": at(start), "ends_at": at(end), "known_at": at(known),
        "known_until": at(until),
    }  # fmt: skip


def ties(found: pa.Table) -> list[tuple[Any, ...]]:
    assert found.schema.equals(RELATIONS, check_metadata=False)
    names = ("entity_id", "kind", "other_id", "starts_at", "ends_at", "known_at", "known_until")
    listed = ordered(found, ["entity_id", "kind", "other_id", "known_at"]).to_pylist()
    return [
        tuple(value.date().isoformat() if isinstance(value, dt.datetime) else value for value in map(row.get, names))
        for row in listed
    ]


def test_people_of_one_place_at_one_time_are_co_residents():
    found, crowded = co_residents(
        table(
            RESIDENCES,
            residence(1, 10, "2019-01-01", None, "2019-01-05", "2020-06-05"),
            residence(1, 10, "2019-01-01", "2020-06-01", "2020-06-05"),
            residence(2, 10, "2019-03-01", None, "2019-03-02"),
            residence(3, 10, "2018-01-01", "2019-01-01", "2018-02-01"),  # left on the day that 1 came
            residence(4, 20, "2019-03-01", None, "2019-03-02"),
        )
    )
    assert crowded == 0
    assert ties(found) == [
        (1, "co_resident", 2, "2019-03-01", None, "2019-03-02", "2020-06-05"),
        (1, "co_resident", 2, "2019-03-01", "2020-06-01", "2020-06-05", None),
        (2, "co_resident", 1, "2019-03-01", None, "2019-03-02", "2020-06-05"),
        (2, "co_resident", 1, "2019-03-01", "2020-06-01", "2020-06-05", None),
    ]


def test_one_tie_from_versions_that_do_not_touch_it_is_one_version():
    """1's own end changes twice after 2 had left: the tie of the two stays what it was."""
    found, _ = co_residents(
        table(
            RESIDENCES,
            residence(1, 10, "2019-01-01", None, "2019-01-05", "2020-06-05"),
            residence(1, 10, "2019-01-01", "2020-06-01", "2020-06-05", "2020-07-01"),
            residence(1, 10, "2019-01-01", "2020-05-20", "2020-07-01"),
            residence(2, 10, "2019-03-01", "2019-09-01", "2019-03-02"),
        )
    )
    assert ties(found)[0] == (1, "co_resident", 2, "2019-03-01", "2019-09-01", "2019-03-02", None)
    assert found.num_rows == 2


def test_a_crowded_place_ties_nobody():
    rows = [residence(n, 10, "2019-01-01", None, "2019-01-05") for n in range(CROWDED + 1)]
    found, crowded = co_residents(table(RESIDENCES, *rows, residence(91, 20, "2019-01-01", None, "2019-01-05"),
                                        residence(92, 20, "2019-01-01", None, "2019-01-05")))  # fmt: skip
    assert crowded == 1
    assert found.num_rows == 2
    assert co_residents(table(RESIDENCES, *rows[:CROWDED]))[0].num_rows == CROWDED * (CROWDED - 1)


def relation(one: str, other: str, kind: str, known: str, **also: Any) -> dict[str, Any]:
    base = {"feed": "childrens_services.relations", "agency": "care", "person_key": one, "other_person_key": other}
    return base | {"kind": kind, "known_at": at(known)} | also


def test_told_ties_run_both_ways():
    rows = table(
        FEED_RELATIONS,
        relation("mum", "kid", "parent", "2019-01-01"),
        relation("kid", "dad", "child_of", "2019-02-01", starts_at=at("2010-01-01")),
        relation("mum", "dad", "partner", "2019-01-01", starts_at=at("2008-01-01")),
        relation("mum", "dad", "partner", "2020-01-01", starts_at=at("2008-01-01"), ends_at=at("2019-12-01")),
        relation("kid", "twin", "sibling", "2019-01-01"),  # twin is linked to the same person
        relation("kid", "gone", "sibling", "2019-01-01"),  # in no register
    )
    found, left_out = told_relations(rows, links(care_kid=1, care_mum=2, care_dad=3, care_twin=1))
    assert left_out == 2
    assert ties(found) == [
        (1, "parent", 2, None, None, "2019-01-01", None),
        (1, "parent", 3, "2010-01-01", None, "2019-02-01", None),
        (2, "child", 1, None, None, "2019-01-01", None),
        (2, "partner", 3, "2008-01-01", None, "2019-01-01", "2020-01-01"),
        (2, "partner", 3, "2008-01-01", "2019-12-01", "2020-01-01", None),
        (3, "child", 1, "2010-01-01", None, "2019-02-01", None),
        (3, "partner", 2, "2008-01-01", None, "2019-01-01", "2020-01-01"),
        (3, "partner", 2, "2008-01-01", "2019-12-01", "2020-01-01", None),
    ]


@pytest.fixture
def intake(tmp_path) -> Intake:
    """Two agencies that know one woman and her son, each under its own number."""
    law = "Crime and Disorder Act 1998, section 115"
    purpose = Purpose("early-support", "To help.", law, ("housing", "police"), ("address",), dt.date(9999, 1, 1))
    store = connect(f"duckdb:///{tmp_path / 'run'}", purpose)
    her = {
        "given_name": "Wilhelmina",
        "family_name": "Featherstone",
        "birth_date": dt.date(1987, 3, 9),
        "postcode": "QX1 2AB",
    }
    son = {
        "given_name": "Bartholomew",
        "family_name": "Featherstone",
        "birth_date": dt.date(2009, 7, 2),
        "postcode": "QX1 2AB",
    }
    people = table(
        PERSON_RECORDS,
        record("housing", "H1", "2019-03-05", "14 Oak Street", "2019-03-01", **her),
        record("housing", "H2", "2019-03-05", "14 Oak Street", "2019-03-01", **son),
        record("police", "P1", "2020-01-01", "14 oak st", **her),
    )
    events = table(
        FEED_EVENTS,
        event("e1", "2020-01-01", "2020-01-02", role="victim", address="14 Oak Street", postcode="QX1 2AB"),
        event(
            "e2",
            "2020-03-01",
            "2020-03-02",
            agency="housing",
            feed="housing.events",
            person_key="H1",
            kind="rent_arrears",
        ),
        event(
            "e3", "2020-03-01", "2020-03-02", person_key=None, kind="arson", address="14 Oak Street", postcode="qx12ab"
        ),
    )
    with store.writing("received", {"made": "by hand"}) as draft:
        draft.write("people", people, [])
        draft.write("events", events, [])
        draft.write("relations", FEED_RELATIONS.empty_table(), [])
        draft.write_document("report", {"coverage": {"agencies": {"housing": "2021-01-01", "police": "2021-02-01"}}})
    return Intake(store, store.result("received"))


def test_the_whole_way(intake: Intake):
    store: Store = intake.store
    people = link(store, intake)
    histories = assemble(store, people)
    assert repr(histories) == "Histories(3 events, 2 persons, 2 residences, 2 relations)"
    assert histories.covered_until == {"housing": dt.date(2021, 1, 1), "police": dt.date(2021, 2, 1)}
    assert histories.kinds == {"arson": {"police": 1}, "rent_arrears": {"housing": 1}, "violence": {"police": 1}}
    entity = {row["person_key"]: row["entity_id"] for row in people.links.to_pylist()}
    assert entity["H1"] == entity["P1"] != entity["H2"]
    [home] = set(histories.residences["place_id"].to_pylist())
    assert {row["place_id"] for row in histories.events.to_pylist() if row["kind"] != "rent_arrears"} == {home}
    assert set(histories.relations["kind"].to_pylist()) == {"co_resident"}
    assert histories.events["entity_id"].to_pylist() == [None, entity["H1"], entity["H1"]]
    assert assemble(store, people).fingerprint == histories.fingerprint
    stored = b"".join(path.read_bytes() for path in store.folder.glob("histories/*"))
    assert not any(word in stored for word in (b"ilhelmina", b"eatherstone", b"Oak", b"QX1", b"P1", b"H1"))
    in_memory = Histories.of(
        events=histories.events, persons=histories.persons, residences=histories.residences,
        relations=histories.relations, covered_until=histories.covered_until,
    )  # fmt: skip
    assert in_memory.events.equals(histories.events)
    assert in_memory.kinds == histories.kinds


def test_one_single_picture(intake: Intake):
    people = link(intake.store, intake)
    histories = assemble(intake.store, people)
    [her] = {row["entity_id"] for row in people.links.to_pylist() if row["person_key"] == "P1"}
    kinds = lambda **also: [one.kind for one in timeline(histories, her, **also)]  # noqa: E731 - shorter than a def
    assert kinds(as_of="2020-06-01") == ["violence", "rent_arrears"]
    assert kinds(as_of=dt.date(2020, 6, 1), agencies=["police"]) == ["violence"]
    assert kinds(as_of=dt.datetime(2020, 3, 2)) == ["violence"]  # known at that moment is not known before it
    assert kinds(as_of="2020-01-02") == []
    assert timeline(histories, 999, "2020-06-01") == []
    [first, _] = timeline(histories, her, "2020-06-01")
    assert repr(first) == f"Event({first.label}, police violence)"
    assert first.role == "victim"
    assert first.visible_at(dt.datetime(2020, 1, 3))
    assert not first.visible_at(dt.datetime(2020, 1, 2))
    with pytest.raises(DeclarationError, match="agency-unknown"):
        timeline(histories, her, "2020-06-01", agencies=["vet"])

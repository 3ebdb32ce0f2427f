"""What goes in comes out in the standard fields, and every row is accounted for."""

from __future__ import annotations

import datetime as dt

import pyarrow.compute as pc
import pytest

from riskmodel.errors import DeclarationError, NotPermitted
from riskmodel.feeds.delivery import Delivery
from riskmodel.feeds.intake import receive

RECEIVED = dt.datetime(2021, 1, 10, 12)


def test_clean_files_become_standard_records(store, clinic, contract):
    intake = receive(store, clinic(), contracts=[contract])
    assert intake.people.select(["person_key", "family_name", "birth_date", "sex", "known_at"]).to_pylist() == [
        _person("a", "Ash", dt.date(2001, 4, 3), "male", dt.datetime(2019, 2, 1, 9)),
        _person("b", "Birch", dt.date(2003, 6, 5), "female", dt.datetime(2019, 2, 1, 9)),
        _person("c", "Cedar", None, None, RECEIVED),  # 1900-01-01 and 9 both say "not known"; no date: the receipt
    ]
    assert intake.events.select(["event_key", "person_key", "kind", "role", "value"]).to_pylist() == [
        {"event_key": "v1", "person_key": "a", "kind": "injury_by_violence", "role": "subject", "value": 3.0},
        {"event_key": "v2", "person_key": "b", "kind": "mental_health_contact", "role": "subject", "value": None},
        {"event_key": "v3", "person_key": None, "kind": "self_harm", "role": None, "value": 1.5},  # X since 2018
    ]
    first = intake.events.slice(0, 1).to_pylist()[0]
    assert first["happened_at"] == dt.datetime(2020, 3, 10, 22, 15)
    assert first["ended_at"] == dt.datetime(2020, 3, 11, 1)
    assert first["known_at"] == dt.datetime(2020, 3, 12)
    assert intake.events.column("known_at").to_pylist()[1] == RECEIVED
    assert intake.quarantine.num_rows == 0
    assert intake.covered_until == {"clinic": dt.date(2021, 1, 10)}


def _person(key, name, born, sex, known):
    return {"person_key": key, "family_name": name, "birth_date": born, "sex": sex, "known_at": known}


def test_only_fields_of_the_purpose_are_kept(open_store, clinic, contract):
    intake = receive(open_store(fields=("sex", "postcode", "colour")), clinic(), contracts=[contract])
    assert intake.people.column("family_name").null_count == 3
    assert intake.people.column("birth_date").null_count == 3
    assert intake.events.column("value").null_count == 3
    assert intake.people.column("sex").to_pylist() == ["male", "female", None]
    assert intake.report["fields"] == {
        "asked_for": ["colour", "postcode", "sex"],
        "kept": ["sex"],
        "always_kept": [
            "ended_at",
            "event_key",
            "happened_at",
            "kind",
            "person_key",
            "recorded_at",
            "retracted",
            "role",
        ],
        "dropped": ["birth_date", "family_name", "value"],
        "asked_for_and_never_sent": ["postcode"],
        "asked_for_and_no_standard_field": ["colour"],
    }


def test_a_field_that_is_not_wanted_need_not_be_sent_nor_be_right(open_store, clinic, contract):
    people = "id,sex,changed\na,1,\nb,2,\n"  # neither name nor born
    visits = "no,id,why,at,left,points,seen_on\nv1,a,INJ,10/03/2020,,many,\n"
    intake = receive(open_store(fields=("sex",)), clinic(people, visits), contracts=[contract])
    assert (intake.people.num_rows, intake.events.num_rows, intake.quarantine.num_rows) == (2, 1, 0)


def test_an_agency_that_the_purpose_does_not_name_is_refused(open_store, clinic, contract):
    with pytest.raises(NotPermitted) as refusal:
        receive(open_store(controllers=("police",)), clinic(), contracts=[contract])
    assert refusal.value.code == "agency-not-permitted"
    assert "clinic" in str(refusal.value)


def test_a_feed_without_contract_and_no_delivery_at_all_are_refused(store, clinic, contract, tmp_path):
    stray = Delivery("clinic.x_rays", tmp_path / "x.csv", RECEIVED, dt.date(2020, 1, 1), dt.date(2021, 1, 1))
    with pytest.raises(DeclarationError, match="x_rays"):
        receive(store, [*clinic(), stray], contracts=[contract])
    with pytest.raises(DeclarationError, match="no delivery"):
        receive(store, [], contracts=[contract])


def test_receiving_again_changes_nothing(store, open_store, clinic, contract):
    once = receive(store, clinic(), contracts=[contract])
    again = receive(store, clinic(), contracts=[contract])
    copy = clinic(stem="_copy")  # the same bytes under another name, later
    both = receive(open_store(), [*clinic(), *copy], contracts=[contract])
    assert again.result.fingerprint == once.result.fingerprint == both.result.fingerprint
    later = clinic(stem="_later", received_at=dt.datetime(2021, 2, 1))
    assert receive(open_store(), [*later, *clinic()], contracts=[contract]).fingerprint == once.fingerprint


def test_order_of_deliveries_does_not_matter(open_store, clinic, contract):
    files = clinic()
    there, back = (receive(open_store(), order, contracts=[contract]) for order in (files, files[::-1]))
    assert there.result.fingerprint == back.result.fingerprint


def test_the_report_counts_dates_and_freshness(store, clinic, contract):
    visits = clinic()[1].path.read_text().replace("v2,b,MH,01/04/2020 10:00", "v2,b,ZZ,01/04/2020 10:00")
    intake = receive(store, clinic(visits=visits), contracts=[contract])
    feed = intake.report["feeds"]["clinic.visits"]
    assert (feed["delivered"], feed["accepted"], feed["stored"]) == (3, 2, 2)
    assert feed["quarantined"] == {"unknown-code": 1}
    assert (feed["first"], feed["last"]) == ("2020-03-10T22:15:00", "2020-04-02T10:00:00")
    assert feed["freshness_days"] == 283.1  # 2 April 10:00 to 10 January 12:00: 283 days and 2 hours
    assert feed["files"][0]["encoding"] == "utf-8"
    assert intake.report["feeds"]["clinic.people"]["caveats"] == ["sex: As written at the desk."]
    lines = intake.report_lines()
    assert "quarantined in clinic.visits: 1 unknown-code" in lines
    assert any(line.startswith("alarm for clinic.visits: much-quarantined: 33 %") for line in lines)
    assert any(line.startswith("alarm for clinic.visits: stale: ") for line in lines)


def test_nothing_about_a_person_in_reprs_or_report(store, clinic, contract):
    intake = receive(store, clinic(), contracts=[contract])
    shown = repr(intake) + str(intake.report) + "".join(intake.report_lines()) + store.ledger.path.read_text()
    for secret in ("Ash", "Birch", "Cedar", "2001", "v1"):
        assert secret not in shown


def test_relations_are_received_both_ends_known(store, clinic, contract):
    ties = "id,tie,to,since,until\na,P,b,01/01/2010,\nb,C,a,01/01/2010,\na,P,zz,,\n"
    intake = receive(store, clinic(ties=ties), contracts=[contract])
    kept = intake.relations.select(["person_key", "kind", "other_person_key"]).to_pylist()
    assert kept == [
        {"person_key": "a", "kind": "parent", "other_person_key": "b"},
        {"person_key": "b", "kind": "child_of", "other_person_key": "a"},
    ]
    assert intake.quarantine.to_pylist() == [
        {"feed": "clinic.ties", "file": "ties.csv", "row": 3, "code": "person-unknown", "column": "to"}
    ]


def test_coverage_ends_at_the_first_gap(store, clinic, contract):
    early = clinic(covers=(dt.date(2019, 1, 1), dt.date(2020, 1, 1)), stem="1")
    late = clinic(
        visits="no,id,why,at,left,points,seen_on\nw1,a,INJ,10/06/2020,,,\n",
        covers=(dt.date(2020, 6, 1), dt.date(2021, 1, 1)),
        stem="2",
    )
    intake = receive(store, [*early, *late], contracts=[contract])
    assert intake.covered_until == {"clinic": dt.date(2020, 1, 1)}
    assert "gap: nothing covers 2020-01-01 to 2020-06-01." in intake.report["feeds"]["clinic.visits"]["alarms"]


def test_accepted_and_quarantined_are_all_that_was_delivered(store, clinic, contract):
    intake = receive(
        store, clinic(visits=clinic()[1].path.read_text() + "v1,a\nv9,nobody,INJ,01/01/2020,,,\n"), contracts=[contract]
    )
    for feed in intake.report["feeds"].values():
        assert feed["delivered"] == feed["accepted"] + sum(feed["quarantined"].values())
    assert pc.count_distinct(intake.quarantine.column("row")).as_py() == intake.quarantine.num_rows == 2

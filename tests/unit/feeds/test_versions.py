"""Corrections, re-sent rows and ends that come later: what could be seen on a past day stays what it was."""

from __future__ import annotations

import datetime as dt

import pytest

from riskmodel.feeds.contract import Contract
from riskmodel.feeds.intake import receive

HEAD = "no,id,why,at,left,points,seen_on\n"
COVERS = (dt.date(2019, 1, 1), dt.date(2020, 1, 1))


def versions(intake, key="v1"):
    rows = intake.events.select(["event_key", "value", "ended_at", "known_at", "retracted"]).to_pylist()
    return [(row["value"], row["known_at"]) for row in rows if row["event_key"] == key]


def day(month, number=1, year=2020):
    return dt.datetime(year, month, number)


def sent(clinic, *files):
    """People once, then a file of visits on the first of each month from February 2020."""
    made = clinic(visits=None, received_at=day(2), covers=COVERS)
    for at, rows in enumerate(files):
        made += clinic(None, HEAD + rows, stem=str(at), received_at=day(2 + at), covers=COVERS)
    return made


def test_a_correction_recorded_later_is_a_new_version(store, clinic, contract):
    rows = "v1,a,INJ,05/01/2020,,3,06/01/2020\nv1,a,INJ,05/01/2020,,4,20/01/2020\n"
    intake = receive(store, sent(clinic, rows), contracts=[contract])
    assert versions(intake) == [(3.0, day(1, 6)), (4.0, day(1, 20))]
    assert intake.quarantine.num_rows == 0


def test_a_correction_that_claims_no_later_date_counts_from_its_receipt(store, clinic, contract):
    first, second = "v1,a,INJ,05/01/2020,,3,06/01/2020\n", "v1,a,INJ,05/01/2020,,4,06/01/2020\n"
    intake = receive(store, sent(clinic, first, second), contracts=[contract])
    assert versions(intake) == [(3.0, day(1, 6)), (4.0, day(3))]


def test_a_full_extract_sent_every_month_changes_nothing(store, clinic, contract):
    rows = "v1,a,INJ,05/01/2020,,3,06/01/2020\nv1,a,INJ,05/01/2020,,4,20/01/2020\nv2,b,INJ,05/01/2020,,1,\n"
    more = rows + "v3,b,INJ,05/01/2020,,1,\n"
    intake = receive(store, sent(clinic, rows, more, more + "\n"), contracts=[contract])
    assert versions(intake) == [(3.0, day(1, 6)), (4.0, day(1, 20))]
    assert versions(intake, "v2") == [(1.0, day(2))]  # no date of recording: the first receipt
    assert versions(intake, "v3") == [(1.0, day(3))]
    feed = intake.report["feeds"]["clinic.visits"]
    assert (feed["delivered"], feed["accepted"], feed["stored"]) == (3 + 4 + 4, 11, 4)


def test_a_value_that_goes_back_to_what_it_was_is_a_third_version(store, clinic, contract):
    three, four = "v1,a,INJ,05/01/2020,,3,\n", "v1,a,INJ,05/01/2020,,4,\n"
    intake = receive(store, sent(clinic, three, four, three + "\n"), contracts=[contract])
    assert versions(intake) == [(3.0, day(2)), (4.0, day(3)), (3.0, day(4))]


def test_an_older_version_that_comes_late_does_not_become_the_latest(store, clinic, contract):
    late = "v1,a,INJ,05/01/2020,,3,06/01/2020\n"
    latest = "v1,a,INJ,05/01/2020,,4,20/01/2020\n"
    intake = receive(store, sent(clinic, latest, late + latest), contracts=[contract])
    assert versions(intake) == [(3.0, day(1, 6)), (4.0, day(1, 20))]


def test_a_retraction_is_a_version_that_says_so(store, clinic, contract):
    head = "no,id,why,at,left,points,seen_on,gone\n"
    rows = "v1,a,INJ,05/01/2020,,3,06/01/2020,N\nv1,a,INJ,05/01/2020,,3,20/01/2020,Y\n"
    made = clinic(visits=head + rows, received_at=day(2), covers=COVERS)
    events = receive(store, made, contracts=[contract]).events
    assert events.select(["known_at", "retracted"]).to_pylist() == [
        {"known_at": day(1, 6), "retracted": False},
        {"known_at": day(1, 20), "retracted": True},
    ]


SPELLS = """\
agency = "gaol"
title = "Gaol"
controller = "The county"
legal_regime = "public record"
moment_format = "%Y-%m-%d"
date_format = "%Y-%m-%d"

[feeds.stays]
holds = "events"
file = "stays"
key = ["who", "in"]
known_at = "in"
ends_known = "at_end"
constants = { kind = "custody", role = "subject", value = 1 }
rows = { column = "type", one_of = ["sentence", "remand"] }

[feeds.stays.columns]
who = { type = "text", means = "person_key", required = true }
type = { type = "text" }
in = { type = "date", means = "happened_at", required = true }
out = { type = "date", means = "ended_at", open_when = ["2030-01-01"], may_be_future = true }
"""


@pytest.fixture
def gaol(tmp_path):
    path = tmp_path / "gaol.toml"
    path.write_text(SPELLS, encoding="utf-8")
    return Contract.load(path)


def test_an_end_is_known_when_it_comes(open_store, tmp_path, gaol):
    from riskmodel.feeds.delivery import Delivery

    path = tmp_path / "stays.csv"
    path.write_text(
        "who,type,in,out\n"
        "a,remand,2019-01-05,2019-03-01\n"  # open from 5 January, closed from 1 March
        "b,sentence,2019-02-01,2030-01-01\n"  # that date says: still there
        "c,sentence,2019-02-01,2025-01-01\n"  # planned: not yet come at receipt
        "d,remand,2019-02-01,2019-02-01\n"  # in and out on one day: known at once
        "e,visitor,2019-02-01,2019-02-01\n"  # not this feed's
    )
    delivery = Delivery("gaol.stays", path, dt.datetime(2020, 1, 1), *COVERS)
    intake = receive(open_store(controllers=("gaol",)), [delivery], contracts=[gaol])
    rows = intake.events.select(["event_key", "ended_at", "known_at", "kind", "role", "value"]).to_pylist()
    assert [tuple(row.values())[:3] for row in rows] == [
        ("a|2019-01-05", None, dt.datetime(2019, 1, 5)),
        ("a|2019-01-05", dt.datetime(2019, 3, 1), dt.datetime(2019, 3, 1)),
        ("b|2019-02-01", None, dt.datetime(2019, 2, 1)),
        ("c|2019-02-01", None, dt.datetime(2019, 2, 1)),
        ("d|2019-02-01", dt.datetime(2019, 2, 1), dt.datetime(2019, 2, 1)),
    ]
    assert {(row["kind"], row["role"], row["value"]) for row in rows} == {("custody", "subject", 1.0)}
    feed = intake.report["feeds"]["gaol.stays"]
    assert (feed["delivered"], feed["accepted"], feed["stored"]) == (4, 4, 5)
    assert feed["files"][0]["not_of_this_feed"] == 1


def test_without_a_key_the_row_is_its_own(tmp_path, open_store):
    from riskmodel.feeds.delivery import Delivery

    path = tmp_path / "gaol.toml"
    path.write_text(SPELLS.replace('key = ["who", "in"]\n', ""), encoding="utf-8")
    stays = tmp_path / "stays.csv"
    stays.write_text("who,type,in,out\na,remand,2019-01-05,\na,sentence,2019-01-05,\na,remand,2019-01-05,\n")
    delivery = Delivery("gaol.stays", stays, dt.datetime(2020, 1, 1), *COVERS)
    intake = receive(open_store(controllers=("gaol",)), [delivery], contracts=[Contract.load(path)])
    assert len(set(intake.events.column("event_key").to_pylist())) == intake.events.num_rows == 2
    assert intake.quarantine.select(["row", "code"]).to_pylist() == [{"row": 3, "code": "duplicate-row"}]

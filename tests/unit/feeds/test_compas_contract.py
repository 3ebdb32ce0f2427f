"""The contract of the real COMPAS tables: six files, eleven feeds, counted against the published totals."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from riskmodel.feeds.contract import contracts_in
from riskmodel.feeds.delivery import deliveries_of
from riskmodel.feeds.intake import receive

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("RISKMODEL_DATA", ROOT.parent / "shared" / "data"))
CONTRACTS = ROOT / "experiments" / "compas" / "contracts"
SPAN = {
    "received_at": dt.datetime(2016, 4, 20),
    "covers_from": dt.date(2013, 1, 1),
    "covers_until": dt.date(2016, 4, 2),
}


def test_the_contract_can_be_read():
    (broward,) = contracts_in(CONTRACTS)
    kinds = {kind for feed in broward.feeds for kind, _ in feed.kinds()}
    assert kinds == {
        "screening", "charge", "reoffence", "violent_reoffence", "arrest", "jail", "prison", "compas_recidivism",
        "compas_violence", "compas_failure_to_appear", "prior_convictions", "juvenile_felonies",
        "juvenile_misdemeanours", "juvenile_other",
    }  # fmt: skip
    assert broward.feed("people").approximate == ("birth_date",)


@pytest.fixture(scope="module")
def intake(tmp_path_factory):
    folder = DATA / "compas_events"
    if not folder.is_dir():
        pytest.skip("the COMPAS tables are not here: set RISKMODEL_DATA")
    from riskmodel.governance.access import connect
    from riskmodel.governance.purposes import Purpose

    fields = ("birth_date", "sex", "ethnicity", "value")
    purpose = Purpose("research", "To test.", "published data", ("broward",), fields, dt.date(2999, 1, 1))
    store = connect(f"duckdb:///{tmp_path_factory.mktemp('compas')}", purpose)
    contracts = contracts_in(CONTRACTS)
    return receive(store, deliveries_of(contracts, folder, **SPAN), contracts=contracts)


@pytest.mark.data
def test_every_row_is_accounted_for(intake):
    feeds = intake.report["feeds"]
    assert {name: feed["delivered"] for name, feed in feeds.items()} == {
        "broward.people": 11_757,
        "broward.screenings": 11_757,
        "broward.prior_convictions": 11_757,
        "broward.juvenile_felonies": 11_757,
        "broward.juvenile_misdemeanours": 11_757,
        "broward.juvenile_other": 11_757,
        "broward.charges": 15_600,
        "broward.arrests": 10_088,
        "broward.jail_stays": 22_111,
        "broward.prison_stays": 4_945,
        "broward.assessments": 35_271,
    }
    refused = {name: feed["quarantined"] for name, feed in feeds.items() if feed["quarantined"]}
    # four arrests dated 2017 to 2049, and one jail stay that ends four days before it starts
    assert refused == {"broward.arrests": {"date-in-future": 4}, "broward.jail_stays": {"end-before-start": 1}}


@pytest.mark.data
def test_kinds_and_their_counts(intake):
    counts = {row["values"]: row["counts"] for row in pc.value_counts(intake.events.column("kind")).to_pylist()}
    assert (counts["charge"], counts["reoffence"], counts["violent_reoffence"]) == (11_015, 3_703, 882)
    assert counts["screening"] == counts["prior_convictions"] == counts["compas_recidivism"] == 11_757


@pytest.mark.data
def test_charges_are_known_from_the_arrest_or_the_offence(intake):
    rows = pq.read_table(DATA / "compas_events" / "charges.parquet").to_pylist()
    given = {(str(row["person_id"]), row["kind"]): (row["offense_date"], row["arrest_date"]) for row in rows}
    events = intake.events.filter(pc.equal(intake.events.column("feed"), "broward.charges")).to_pylist()
    assert len(events) == len(given)
    for event in events:
        offence, arrest = given[tuple(event["event_key"].split("|"))]
        assert event["happened_at"].date() == (offence or arrest)
        assert event["known_at"].date() == (arrest or offence)


@pytest.mark.data
def test_prison_ends_of_2020_are_open(intake):
    events = intake.events.filter(pc.equal(intake.events.column("kind"), "prison"))
    assert pc.max(events.column("ended_at")).as_py() < dt.datetime(2016, 4, 20)
    closed = events.filter(events.column("ended_at").is_valid())
    assert closed.num_rows == 4_945 - 679
    assert pc.all(pc.equal(closed.column("ended_at"), closed.column("known_at"))).as_py()


@pytest.mark.data
def test_deciles_and_people(intake):
    events = intake.events
    deciles = events.filter(pc.equal(events.column("kind"), "compas_recidivism")).column("value")
    assert (pc.min(deciles).as_py(), pc.max(deciles).as_py(), deciles.null_count) == (1.0, 10.0, 15)
    first = intake.people.filter(pc.equal(intake.people.column("person_key"), "1")).to_pylist()[0]
    assert (first["birth_date"], first["sex"], first["ethnicity"]) == (dt.date(1947, 7, 2), "male", "other")

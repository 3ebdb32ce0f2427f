"""Where people live, with whom, who lived there before and who came from another force: as believed, against the truth.

Agencies learn of a move when they next see the person, so what is believed on a day lags behind: some who moved out
are still counted as co-residents, and homes that nobody reported make no former occupants: of the true pairs of an
occupant and one before, the deliveries show seven in ten, because both are written down at that address at some time.
Of those nearly nine in ten are told of; the others left for a place that no agency learned. What is told of is right.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from duckdb import DuckDBPyConnection

from riskmodel.engines.duckdb import connect as engine
from riskmodel.features.exposures import tie_table
from riskmodel.feeds.intake import receive
from riskmodel.governance.access import connect
from riskmodel.governance.purposes import Purpose
from riskmodel.histories.store import assemble
from riskmodel.linkage import addresses
from riskmodel.linkage.identity import link
from riskmodel.world.society import World

FIELDS = ("given_name", "family_name", "birth_date", "sex", "address", "postcode", "area", "address_from")
DAY = "DATE '2018-01-01'"
SPELLS = """
CREATE TABLE who AS
    SELECT entity_id, arg_max(person, records) AS person FROM (
        SELECT entity_id, person, count(*) AS records FROM links JOIN told USING (agency, person_key) GROUP BY ALL
    ) GROUP BY entity_id;
CREATE TABLE spells AS
    SELECT person, place_id, starts_at, coalesce(ends_at, TIMESTAMP '9999-01-01') AS ends_at
    FROM lived JOIN who USING (entity_id) WHERE known_until IS NULL;
CREATE TABLE doors AS
    SELECT place_id, arg_max(dwelling, spells) AS dwelling, max(spells) / sum(spells) AS agree FROM (
        SELECT place_id, dwelling, count(*) AS spells FROM spells s JOIN homes h ON s.person = h.person
        AND s.starts_at >= h.since AND s.starts_at < coalesce(h.until, DATE '9999-01-01') GROUP BY ALL
    ) GROUP BY place_id;
CREATE TABLE written AS  -- who is written down at which address, in any delivered record at whatever time
    SELECT t.person, a.place, r.known_at FROM records r JOIN told t USING (agency, person_key)
    JOIN addresses a ON r.address IS NOT DISTINCT FROM a.address AND r.postcode IS NOT DISTINCT FROM a.postcode
    WHERE a.place IS NOT NULL;
CREATE TABLE shown AS
    SELECT DISTINCT person, dwelling FROM written JOIN (
        SELECT place, arg_max(dwelling, records) AS dwelling FROM (
            SELECT place, dwelling, count(*) AS records FROM written w JOIN homes h ON w.person = h.person
            AND w.known_at >= h.since AND w.known_at < coalesce(h.until, DATE '9999-01-01') GROUP BY ALL
        ) GROUP BY place
    ) USING (place);
"""


@pytest.fixture(scope="module")
def society(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBPyConnection]:
    """What was believed last of 800 people's homes, and the truth of them, as tables."""
    folder: Path = tmp_path_factory.mktemp("homes")
    world = World.generate(people=800, seed=61)
    files = [one for one in world.deliveries(folder / "d") if one.feed.endswith(".people")]
    agencies = tuple(sorted({one.agency for one in files}))
    store = connect(f"duckdb:///{folder / 's'}", Purpose("t", "To test.", "-", agencies, FIELDS, dt.date(2999, 1, 1)))
    intake = receive(store, files)
    people = link(store, intake)
    histories = assemble(store, people)
    records = intake.people.drop_columns(["given_name", "family_name"])
    tables = {
        "records": records, "addresses": addresses.places(records.select(["address", "postcode"])),
        "links": people.links, "told": world.truth.records, "homes": world.truth.residences,
        "lived": histories.residences, "former": tie_table(histories, ("former_occupant",)),
    }  # fmt: skip
    connection = engine()
    for name, table in tables.items():
        connection.register(name, table)
    connection.execute(SPELLS)
    yield connection
    connection.close()


def shares(society: DuckDBPyConnection, believed: str, true: str) -> tuple[float, float]:
    """How much of what is believed is true, and how much of what is true is believed; rows are compared whole."""
    counts = f"""SELECT (SELECT count(*) FROM ({believed})), (SELECT count(*) FROM ({true})),
                        (SELECT count(*) FROM ({believed} INTERSECT {true}))"""
    said, there, both = society.execute(counts).fetchall()[0]
    assert said > 50
    return both / said, both / there


def test_a_place_is_a_home_and_people_are_where_they_are_believed_to_be(society: DuckDBPyConnection) -> None:
    places, homes, agree = society.execute(
        "SELECT count(*), count(DISTINCT dwelling), min(agree) FROM doors"
    ).fetchall()[0]
    assert places == homes > 300  # no home is two places, and no place two homes
    assert agree > 0.5
    right, told = shares(
        society,
        f"SELECT person, dwelling FROM spells JOIN doors USING (place_id) WHERE starts_at <= {DAY} AND ends_at > {DAY}",
        f"SELECT person, dwelling FROM homes WHERE since <= {DAY} AND (until IS NULL OR until > {DAY}) "
        "AND person IN (SELECT person FROM spells)",
    )
    assert right > 0.9  # the dead and the moved whose agencies do not know it yet
    assert told > 0.85


def test_households_are_those_who_live_together(society: DuckDBPyConnection) -> None:
    pairs = "SELECT DISTINCT a.person, b.person FROM ({0}) a JOIN ({0}) b ON a.home = b.home AND a.person < b.person"
    believed = f"SELECT person, place_id AS home FROM spells WHERE starts_at <= {DAY} AND ends_at > {DAY}"
    true = (f"SELECT person, dwelling AS home FROM homes WHERE since <= {DAY} AND (until IS NULL OR until > {DAY}) "
            f"AND person IN (SELECT person FROM ({believed}))")  # fmt: skip
    right, told = shares(society, pairs.format(believed), pairs.format(true))
    assert right > 0.88
    assert told > 0.92


def test_those_who_lived_there_before_are_former_occupants(society: DuckDBPyConnection) -> None:
    believed = ("SELECT DISTINCT a.person, b.person FROM former f JOIN who a USING (entity_id) "
                "JOIN who b ON b.entity_id = f.other_id WHERE f.known_until IS NULL")  # fmt: skip
    true = ("SELECT DISTINCT l.person, o.person FROM homes l JOIN homes o ON l.dwelling = o.dwelling "
            "AND o.until <= l.since AND l.person <> o.person "
            "WHERE l.person IN (SELECT person FROM who) AND o.person IN (SELECT person FROM who)")  # fmt: skip
    at_home = " AND ({0}.person, {0}.dwelling) IN (SELECT (person, dwelling) FROM shown)"
    to_be_known = true + at_home.format("l") + at_home.format("o")
    right, told = shares(society, believed, true)
    _, told_of_known = shares(society, believed, to_be_known)
    assert right > 0.98
    assert told > 0.5
    assert 0.6 < told / told_of_known < 0.8  # what any delivered record could show
    assert told_of_known > 0.8


def test_moves_across_forces_are_one_persons_moves(society: DuckDBPyConnection) -> None:
    crossed = """SELECT DISTINCT person, before, force FROM (
        SELECT *, lag(force) OVER (PARTITION BY person ORDER BY since) AS before FROM {0}) WHERE before <> force"""
    spells = ("(SELECT s.person, s.starts_at::DATE AS since, force FROM spells s JOIN doors USING (place_id) "
              "JOIN (SELECT DISTINCT dwelling, force FROM homes) USING (dwelling))")  # fmt: skip
    registered = "(SELECT * FROM homes WHERE person IN (SELECT person FROM spells))"
    right, told = shares(society, crossed.format(spells), crossed.format(registered))
    assert right > 0.9
    assert told > 0.75

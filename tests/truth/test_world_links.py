"""How many links are missed and false in the society, by how often names are misspelt; and whether clerks find out."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.engines.duckdb import query
from riskmodel.feeds.intake import receive
from riskmodel.governance.access import connect
from riskmodel.governance.purposes import Purpose
from riskmodel.linkage.clerical import pairs_to_judge, rates_from_labels
from riskmodel.linkage.identity import link
from riskmodel.linkage.people import People
from riskmodel.linkage.quality import compared
from riskmodel.world.agencies import AGENCIES
from riskmodel.world.society import World


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    folder = tmp_path_factory.mktemp("linked")
    fields = ("given_name", "family_name", "birth_date", "sex", "address", "postcode", "area", "address_from")
    purpose = Purpose("test", "To test.", "Synthetic records.", AGENCIES, fields, dt.date(2090, 1, 1))
    store = connect(f"duckdb:///{Path(folder) / 'store'}", purpose)
    world = World.generate(people=5_000, seed=20)
    return link(store, receive(store, world.deliveries(folder / "deliveries")))


@pytest.mark.slow
def test_link_rates_are_high_and_lower_where_names_are_misspelt_more(people: People) -> None:
    """Pairwise precision and recall at least .95; misspelt more often (2.2 times and more), linked less often."""
    world = World.generate(people=5_000, seed=20)
    often = {"eastern_european", "somali", "arab"}
    community = dict(zip(world.truth.people.column("person").to_pylist(),
                         world.truth.people.column("community").to_pylist(), strict=True))  # fmt: skip
    truth = world.truth.records.select(["agency", "person_key", "person"])
    groups = [
        "british" if community[one] == "british" else "often" if community[one] in often else "others"
        for one in truth.column("person").to_pylist()
    ]
    found = compared(people.links, truth.append_column("spelt", pa.array(groups)), by=["spelt"])
    assert found["overall"]["precision"] > 0.95
    assert found["overall"]["recall"] > 0.95
    assert found["spelt"]["often"]["recall"] < found["spelt"]["british"]["recall"]
    assert found["spelt"]["british"]["recall"] - found["spelt"]["often"]["recall"] < 0.12


@pytest.mark.slow
def test_a_few_hundred_judged_pairs_give_the_missed_and_false_rates(people: People) -> None:
    """Samples of 300 pairs, judged by the truth: no bias, and 95 % intervals hold the rates among all pairs.

    With 25 samples fewer than 20 hits of 95 % intervals have a probability of one in eight hundred.
    """
    truth = World.generate(people=5_000, seed=20).truth.records.select(["agency", "person_key", "person"])
    every = judged(pairs_to_judge(people, 10**9), truth)
    whole = rates_from_labels(people, every, by="sex").everybody
    hits, values = [], []
    for seed in range(25):
        one = rates_from_labels(people, judged(pairs_to_judge(people, 300, seed=seed), truth), by="sex").everybody
        both = ((one.missed, whole.missed), (one.false, whole.false))
        hits.append([found.low <= true.value <= found.high for found, true in both])
        values.append([found.value for found, _ in both])
    assert np.sum(hits, axis=0).min() >= 20
    true = np.array([whole.missed.value, whole.false.value])
    assert (np.abs(np.mean(values, axis=0) - true) < 4 * np.std(values, axis=0) / np.sqrt(25) + 1e-6).all()


def judged(pairs: pa.Table, truth: pa.Table) -> pa.Table:
    """The pairs as clerks who are never wrong judge them."""
    sql = """SELECT p.* EXCLUDE (match), a.person = b.person AS match FROM p
             JOIN t a ON p.agency_l = a.agency AND p.person_key_l = a.person_key
             JOIN t b ON p.agency_r = b.agency AND p.person_key_r = b.person_key"""
    return query(sql, p=pairs, t=truth)

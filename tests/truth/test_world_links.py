"""How many links are missed and false in the society, by how often names are misspelt."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest

from riskmodel.feeds.intake import receive
from riskmodel.governance.access import connect
from riskmodel.governance.purposes import Purpose
from riskmodel.linkage.identity import link
from riskmodel.linkage.quality import compared
from riskmodel.world.agencies import AGENCIES
from riskmodel.world.society import World


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    folder = tmp_path_factory.mktemp("linked")
    fields = ("given_name", "family_name", "birth_date", "sex", "address", "postcode", "area", "address_from")
    purpose = Purpose("test", "To test.", "Synthetic records.", AGENCIES, fields, dt.date(2090, 1, 1))
    store = connect(f"duckdb:///{Path(folder) / 'store'}", purpose)
    world = World.generate(people=5_000, seed=20)
    return link(store, receive(store, world.deliveries(folder / "deliveries"))).links


@pytest.mark.slow
def test_link_rates_are_high_and_lower_where_names_are_misspelt_more(links: pa.Table) -> None:
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
    found = compared(links, truth.append_column("spelt", pa.array(groups)), by=["spelt"])
    assert found["overall"]["precision"] > 0.95
    assert found["overall"]["recall"] > 0.95
    assert found["spelt"]["often"]["recall"] < found["spelt"]["british"]["recall"]
    assert found["spelt"]["british"]["recall"] - found["spelt"]["often"]["recall"] < 0.12

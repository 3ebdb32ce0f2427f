"""Linkage on Spark: the same settings, and the same people with the same probabilities as in this process."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.linkage.identity import matched
from riskmodel.tables import PERSON_RECORDS

GIVEN = ("Oliver", "Amelia", "Muhammad", "Zoë", "Kate", "Ben", "Siân", "Jo")
FAMILY = ("Hill", "Okafor", "Szymański", "O'Brien", "Hussain", "Wright", "Thorne")
SAID = ("given_name", "family_name", "birth_date", "sex", "address", "postcode")


def misspelt(word: str, random: np.random.Generator) -> str:
    """Two neighbouring letters change places, now and then."""
    at = int(random.integers(0, len(word) - 1))
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :] if random.random() < 0.3 else word


@pytest.fixture(scope="module")
def people() -> pa.Table:
    """Ninety people at two agencies and some at a third, misspelt, and with every field missing now and then."""
    random = np.random.default_rng(8)
    rows = []
    for n in range(90):
        given, family = GIVEN[n % 8] + "abcdefgh"[n // 8 % 8], FAMILY[n % 7] + "smntr"[n % 5]
        born, sex = dt.date(1950 + n % 60, 1 + n % 12, 1 + n % 28), ("female", "male")[n % 2]
        door = f"{1 + n % 40} {('Oak', 'Mill', 'Elm')[n % 3]} Street"
        for agency in ("police", "health", "housing")[: 2 + (n % 4 == 0)]:
            said = (misspelt(given, random), misspelt(family, random), born, sex, door, "QX1 2AB")
            row = {name: None if random.random() < 0.08 else one for name, one in zip(SAID, said, strict=True)}
            where = {"feed": f"{agency}.people", "agency": agency, "person_key": f"{agency}{n}"}
            rows.append({**row, **where, "known_at": dt.datetime(2020, 1, 1)})
    columns = {field.name: pa.array([row.get(field.name) for row in rows], field.type) for field in PERSON_RECORDS}
    return pa.table(columns, schema=PERSON_RECORDS)


@pytest.mark.nightly
def test_spark_finds_the_same_people(people: pa.Table, local_spark: str) -> None:
    here, there = matched(people, draws=3, seed=5), matched(people, draws=3, seed=5, engine=local_spark)
    assert len(np.unique(here.cluster)) < people.num_rows * 0.7  # there is something to find
    assert (there.cluster == here.cluster).all()
    assert (there.probability == here.probability).all()
    assert there.pairs.equals(here.pairs)
    assert there.document == here.document
    for one, other in zip(here.worlds, there.worlds, strict=True):
        assert (one.of == other.of).all()

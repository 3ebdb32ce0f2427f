"""What came of the fields that a purpose asks for: read, leaned on, or asked for in vain."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.dates import days
from riskmodel.explain.fields import COMPARED, fields_used
from riskmodel.features.language import age, count, total
from riskmodel.features.training_set import TrainingSet
from riskmodel.linkage.records import prepared
from riskmodel.models.fit import fit
from riskmodel.models.learners import Logistic
from riskmodel.models.splits import ForwardFolds
from riskmodel.seeds import stream
from riskmodel.tables import PERSON_RECORDS

FEATURES = [age(), total("rent_arrears", within="2y"), count("violence", within="2y", through="co_resident")]
ASKED = ("birth_date", "value", "sex", "ethnicity", "postcode", "area", "ended_at", "shoe_size")
INTAKE = {"fields": {"asked_for_and_never_sent": ["area"], "asked_for_and_no_standard_field": ["shoe_size"]}}


@pytest.fixture(scope="module")
def training() -> TrainingSet:
    """Age and violence raise the outcome; nobody has arrears, so that their value cannot matter."""
    rng = stream(4, "fields-test")
    people, dates = 500, 4
    n = people * dates
    years, violence = rng.integers(10, 26, n), rng.poisson(0.4, n)
    X = np.column_stack([years, np.zeros(n), violence]).astype(np.float32)
    raised = rng.random(n) < 1 / (1 + np.exp(6.0 - 0.2 * years - 0.8 * violence))
    columns = {
        "entity_id": np.repeat(np.arange(people), dates),
        "as_of": np.tile(np.datetime64("2018-01-01", "us") + np.arange(dates) * np.timedelta64(200, "D"), people),
        "outcome": raised.astype(np.int8),
        "group:sex": pa.array(["female"] * n),
        **dict(zip((feature.name for feature in FEATURES), X.T, strict=True)),
    }
    return TrainingSet.of(pa.table(columns), FEATURES, horizon=days(180))


@pytest.fixture(scope="module")
def model(training):
    return fit(training, Logistic(), ForwardFolds(2), comparators=(), replicates=100, threads=1)


def test_each_field_has_its_state(model, training):
    found = {use.field: use for use in fields_used(ASKED, INTAKE, model, training, linked_by_comparing=False).uses}
    assert {name: use.state for name, use in found.items()} == {
        "area": "never sent",
        "birth_date": "weight",
        "ended_at": "in every record",
        "ethnicity": "never read",
        "postcode": "weight",  # who lives with whom is read from it
        "sex": "needed",
        "shoe_size": "never sent",
        "value": "no weight",
    }
    assert found["sex"].read_by == ("groups compared",)
    assert (found["value"].features, found["value"].share, found["value"].high) == (1, 0.0, 0.0)
    shares = [found[name] for name in ("birth_date", "postcode")]
    assert sum(use.share for use in shares) == pytest.approx(1.0)  # the two features that vary
    assert all(0.01 < use.low < use.share < use.high for use in shares)


def test_the_report_names_what_could_be_left_out(model, training):
    report = fields_used(ASKED, INTAKE, model, training, linked_by_comparing=True)
    assert report.never_mattered == ("area", "ethnicity", "shoe_size", "value")
    found = {use.field: use for use in report.uses}
    assert (found["birth_date"].state, found["birth_date"].readers) == ("needed", "linkage, 1 feature")
    assert found["sex"].read_by == ("linkage", "groups compared")
    assert any(line.startswith("value") and "gives it no weight 0.0% (0.0% to 0.0%)" in line for line in report.lines())
    assert report.document()["rows"] == 2000


def test_what_linkage_compares_is_what_its_records_hold():
    person = {
        "feed": "police.people", "agency": "police", "person_key": "1", "given_name": "Ann", "family_name": "Ash",
        "birth_date": dt.date(2001, 2, 3), "sex": "female", "ethnicity": "white", "address": "1 Mill Lane",
        "postcode": "LS1 1AA", "area": "E01000001", "address_from": dt.date(2019, 1, 1), "encoded": None,
        "known_at": dt.datetime(2020, 1, 1),
    }  # fmt: skip
    whole = prepared(pa.Table.from_pylist([person], schema=PERSON_RECORDS))
    changes = {
        name
        for name in set(person) - {"feed", "agency", "person_key", "known_at", "encoded"}
        if prepared(pa.Table.from_pylist([person | {name: None}], schema=PERSON_RECORDS)) != whole
    }
    assert changes == COMPARED - {"encoded"}

"""The training set: who, when, what was known, what came of it, and the record of how it was made."""

import datetime as dt
import math

import pyarrow as pa
import pytest

from riskmodel import Cohort, Outcome, connect, days, months, years
from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.features.language import age, count, ever, highest
from riskmodel.features.training_set import TrainingSet, build_training_set, completed, stored, with_features
from riskmodel.governance.purposes import Purpose
from riskmodel.histories.store import HeldTables, Histories

COHORT = Cohort(between=("2020-07-01", "2021-07-01"), every=months(6), aged=(10, 18))
OUTCOME = Outcome("injury", within=days(90), settles_after=days(10))
FEATURES = (age(), count("violence", within=years(1)), ever("arson", through="parent"))


@pytest.fixture
def training(histories):
    return build_training_set(histories, COHORT, OUTCOME, FEATURES, groups=["sex"])


def test_the_rows_worked_by_hand(training):
    # as-of 1 July 2020 and 1 January 2021; the injury of 1 February 2021 lies within 90 days of the second
    assert training.people().tolist() == [1, 1, 2, 2]
    assert [str(day)[:10] for day in training.as_of()] == ["2020-07-01", "2021-01-01"] * 2
    assert training.outcome().tolist() == [0, 1, 0, 0]
    assert training.matrix().tolist() == [[14, 1, 1], [14, 2, 1], [14, 1, 0], [14, 1, 0]]
    assert training.table["group:sex"].to_pylist() == ["female", "female", None, None]
    assert training.feature_names == ("age", "violence_count_1y", "arson_ever_through_parent")
    assert training.group_names == ("sex",)


def test_incomplete_follow_up_is_unknown(histories):
    # health has delivered until 1 September 2021; 90 + 10 days from 1 June end on 9 September
    cohort = Cohort(between=("2021-05-01", "2021-06-02"), every=months(1))
    made = build_training_set(histories, cohort, OUTCOME, [age()])
    assert made.manifest["outcomes"] == {"yes": 0, "no": 3, "unknown": 3}
    assert any("outcome of 3 rows is unknown" in note for note in made.manifest["notes"])


def test_the_manifest_says_how_it_was_made(training, histories):
    manifest = training.manifest
    assert manifest["histories"] == histories.fingerprint
    assert [step["rows"] for step in manifest["flow"]] == [step.rows for step in training.flow]
    assert manifest["outcomes"] == {"yes": 1, "no": 3, "unknown": 0}
    column = manifest["columns"]["violence_count_1y"]
    assert column["sources"] == ["police"]
    assert column["missing"] == 0
    assert any("looks back beyond the first event" in note for note in manifest["notes"])
    assert "0x" not in repr(training)


def test_the_same_to_the_byte_for_any_cores_and_from_the_manifest(training, histories):
    for threads in (1, 3):
        again = build_training_set(histories, COHORT, OUTCOME, FEATURES, groups=["sex"], threads=threads)
        assert again.fingerprint == training.fingerprint
        assert again.table.equals(training.table)


def test_more_features_are_added_without_computing_the_old_ones(training, histories):
    more = with_features(training, histories, [highest("violence")])
    once = build_training_set(histories, COHORT, OUTCOME, [*FEATURES, highest("violence")], groups=["sex"])
    assert more.fingerprint == once.fingerprint
    rows = training.table.select(["entity_id", "as_of"])
    _, computed, _ = completed(histories, rows, [*FEATURES, highest("violence")], training)
    assert computed == ("violence_value_max",)


def test_features_of_other_histories_are_not_added(training, events):
    with pytest.raises(DataRefused, match="other than those"):
        with_features(training, Histories.of(events=events), [count("arson")])


def test_carried_columns_are_not_features(histories):
    made = build_training_set(histories, COHORT, OUTCOME, [age()], carry=[count("violence")])
    assert made.feature_names == ("age",)
    assert made.carried("violence_count").tolist() == [1, 2, 1, 1]


def test_every_fault_is_told_at_once(histories):
    with pytest.raises(DeclarationError) as caught:
        build_training_set(
            histories, COHORT, OUTCOME, [age(), age(), count("violense"), ever("arson", agency="fire")], groups=["shoe"]
        )
    text = str(caught.value)
    assert len(caught.value.faults) == 4
    for part in ("'age' 2 times", "Did you mean 'violence'?", "'fire'", "'shoe'"):
        assert part in text


def test_a_tie_that_nobody_told_of_is_refused_not_zero(histories):
    with pytest.raises(DeclarationError, match="partner"):
        build_training_set(histories, COHORT, OUTCOME, [count("violence", through="partner")])


def test_a_set_from_a_table_of_that_form(training):
    assert TrainingSet.of(training.table, FEATURES).matrix().tolist() == training.matrix().tolist()
    frame = training.table.to_pandas()
    frame["outcome"] = [1.0, 0.0, math.nan, 0.0]
    made = TrainingSet.of(frame, horizon=years(2))
    assert made.table["outcome"].to_pylist() == [1, 0, None, 0]
    assert made.horizon == years(2)


@pytest.mark.parametrize(
    ("table", "word"),
    [
        ({"entity_id": [1], "outcome": [1]}, "as_of"),
        ({"entity_id": [1], "as_of": [0], "outcome": [2]}, "neither 1 nor 0"),
    ],
)
def test_a_table_of_another_form_is_refused(table, word):
    with pytest.raises(DataRefused, match=word):
        TrainingSet.of(pa.table(table))


def test_it_is_kept_in_the_store_and_only_new_columns_are_computed(histories, tmp_path):
    purpose = Purpose("test", "A test.", "none", ("police", "health"), ("kind",), expires=dt.date(2999, 1, 1))
    store = connect(f"duckdb:///{tmp_path}", purpose=purpose)
    held = Histories(store, HeldTables(histories.result.tables, histories.result.documents))
    first = build_training_set(held, COHORT, OUTCOME, FEATURES, groups=["sex"])
    kept = stored(store.result("training"))
    assert kept.fingerprint == first.fingerprint
    assert kept.features == FEATURES
    again = build_training_set(held, COHORT, OUTCOME, FEATURES, groups=["sex"])
    assert again.fingerprint == first.fingerprint
    more = build_training_set(held, COHORT, OUTCOME, [*FEATURES, count("arson")], groups=["sex"])
    memory = build_training_set(histories, COHORT, OUTCOME, [*FEATURES, count("arson")], groups=["sex"])
    assert more.fingerprint == memory.fingerprint

"""A study of a finished table: what is refused, and that nobody is scored before the choice is written down."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskmodel.errors import DataRefused, DeclarationError, EvidenceError
from riskmodel.governance.access import connect
from riskmodel.models.labelled import Labelled
from riskmodel.models.learners import BaseRate, Logistic, fitted
from riskmodel.models.splits import person_parts
from riskmodel.models.tuning import Teaching, Tuned, searched
from riskmodel.studies import table_study
from riskmodel.studies.declaration import is_of_a_table
from riskmodel.studies.run import Places
from riskmodel.studies.table_choice import FILE, Choice, chosen_by_folds, taught
from riskmodel.studies.table_scores import Trick, challenge_scores, frontier
from riskmodel.studies.table_source import judged_rows, read_table, rows_of
from riskmodel.studies.table_study import TableStudy

TEXT = """
[study]
name = "small"
title = "A small table"
date = 2026-11-23
[purpose]
name = "small"
statement = "To test"
lawful_basis = "Made-up rows"
controllers = ["nobody"]
fields = ["sex"]
expires = 2036-01-01
[table]
folder = "small"
file = "small.parquet"
key = "ID"
split = "teaches"
as_of = 2015-01-01
licence = "made up"
[table.groups]
sex = { column = "Gender", words = { M = "male", F = "female" } }
ethnicity = { column = "Race", words = { B = "black", W = "white" } }
[table.columns]
band = { words = ["low", "middle", "high"] }
place = { words = ["a", "b"], nominal = true, missing = true }
share = { span = [0, 1], missing = true }
tests = { truth = true, from_round = 2 }
[[rounds]]
number = 1
outcome = "first"
target = 0.2
[[rounds]]
number = 2
outcome = "second"
without = ["first"]
target = 0.2
[choice]
candidates = ["BaseRate()", "Logistic()"]
folds = 3
said = "Nothing was known."
[card]
title = "t"
summary = "s"
intended_use = "u"
not_for = "f"
label_is = "l"
label_is_not = "m"
human_review = "h"
challenge_route = "c"
owner = "o"
contact = "k"
review_by = 2027-01-01
decommission = "d"
"""


def rows(n: int = 240) -> pa.Table:
    draw = np.random.default_rng(4)
    band = draw.integers(0, 3, n)
    first = draw.random(n) < 0.15 + 0.25 * band
    return pa.table(
        {
            "ID": np.arange(n),
            "Gender": np.where(draw.random(n) < 0.5, "M", "F"),
            "Race": np.where(draw.random(n) < 0.5, "B", "W"),
            "teaches": (np.arange(n) % 3 != 0).astype(int),
            "band": np.array(["low", "middle", "high"])[band],
            "place": pa.array([None, "a", "b"] * (n // 3)),
            "share": pa.array([None, 0.5] * (n // 2)),
            "tests": draw.random(n) < 0.5,
            "first": first,
            "second": ~first & (draw.random(n) < 0.4),
        }
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "study.toml").write_text(TEXT, encoding="utf-8")
    (tmp_path / "data" / "small").mkdir(parents=True)
    pq.write_table(rows(), tmp_path / "data" / "small" / "small.parquet")
    return tmp_path


def swapped(folder: Path, old: str, new: str) -> Path:
    assert old in TEXT
    (folder / "study.toml").write_text(TEXT.replace(old, new), encoding="utf-8")
    return folder


def test_a_field_known_later_is_refused_when_the_study_is_read(folder: Path) -> None:
    asks = 'number = 1\noutcome = "first"\nfields = ["band", "tests", "second", "weight"]'
    with pytest.raises(DeclarationError) as refusal:
        TableStudy.load(swapped(folder, 'number = 1\noutcome = "first"', asks))
    assert refusal.value.code == "known-too-late"
    found = [fault.found for fault in refusal.value.faults]
    assert len(found) == 3  # tests is known too late, second is an outcome, weight is not declared; band may be used
    assert [name in text for name, text in zip(["tests", "second", "weight"], found, strict=True)] == [True] * 3


DERIVED = """[table.derived]
risk = { sum = ["band", "share"], says = "band and share" }
odds = { sum = ["band"], over = "share", plus = 0.5, says = "band over share" }
tested = { sum = ["band", "tests"], says = "band and tests" }
[[rounds]]
number = 1
"""


def test_derived_fields_by_hand(folder: Path) -> None:
    declared = TableStudy.load(swapped(folder, "[[rounds]]\nnumber = 1\n", DERIVED)).declaration
    first, second = (rows_of(rows(), declared, each).training for each in declared.rounds)
    assert [name for name in first.feature_names if name in ("risk", "odds", "tested")] == ["risk", "odds"]
    assert "tested" in second.feature_names  # its parts are known from round 2
    band, risk, odds = (first.table[name].to_numpy() for name in ("band", "risk", "odds"))
    known = ~np.isnan(first.table["share"].to_numpy())  # the share is .5 or missing
    assert risk[known].tolist() == (band[known] + 0.5).tolist()
    assert odds[known].tolist() == band[known].tolist()  # over .5 + .5
    assert np.isnan(risk[~known]).all()
    assert np.isnan(odds[~known]).all()
    assert first.manifest["columns"]["odds"]["says"] == "band over share"


@pytest.mark.parametrize(("part", "says"), [("place", "place"), ("weight", "weight"), ("first", "first")])
def test_a_field_is_not_derived_of_words_without_order_or_of_an_outcome(folder: Path, part: str, says: str) -> None:
    text = DERIVED.replace('"share"], says', f'"{part}"], says')
    with pytest.raises(DeclarationError, match=says) as refusal:
        TableStudy.load(swapped(folder, "[[rounds]]\nnumber = 1\n", text))
    assert refusal.value.code == "derived-invalid"
    assert len(refusal.value.faults) == 1


def test_a_search_is_done_anew_in_every_fold_that_teaches(folder: Path) -> None:
    study = TableStudy.load(folder)
    training = rows_of(rows(), study.declaration, study.declaration.rounds[0]).training
    tuned = Tuned(Logistic(), {"penalty": (0.1, 100.0, "log")}, trials=2, seed=1)
    labelled = Labelled.of(training)
    part = person_parts(labelled.people, 3, 1)
    out = part == 1
    teaching = Teaching(
        "fold 2",
        training.fingerprint,
        labelled.X[~out],
        labelled.outcome[~out],
        labelled.people[~out],
        training.feature_names,
    )
    found = searched(tuned, teaching).learner
    same = fitted(found, labelled.X[~out], labelled.outcome[~out], training.feature_names)
    made = taught(tuned, labelled, np.flatnonzero(~out), "fold 2")
    assert made.predict(labelled.X[out]).tolist() == same.predict(labelled.X[out]).tolist()
    chosen = chosen_by_folds(training, {"tuned": tuned, "base": BaseRate()}, "sex", 3, 1, str)
    assert chosen["chosen"] == "tuned"


def test_unknown_keys_are_refused_with_their_line(folder: Path) -> None:
    with pytest.raises(DeclarationError, match=r"study\.toml line 26"):
        TableStudy.load(swapped(folder, "span = [0, 1], missing = true", "range = [0, 1]"))


def test_which_studies_are_of_a_table() -> None:
    assert is_of_a_table(TEXT)
    assert not is_of_a_table('[study]\nname = "[table]"\n[feeds]\n')


@pytest.mark.parametrize(
    ("column", "values", "count"),
    [("band", ["low"] * 239 + ["none"], 1), ("share", [2.0, -0.1] + [0.5] * 238, 2), ("tests", [0] * 240, 240)],
)
def test_cells_that_were_not_declared_are_counted_and_never_shown(folder, column, values, count) -> None:
    table = rows()
    table = table.set_column(table.column_names.index(column), column, pa.array(values))
    pq.write_table(table, folder / "altered.parquet")
    with pytest.raises(DataRefused, match=f"{column}: {count} cells") as refusal:
        read_table(folder / "altered.parquet", TableStudy.load(folder).declaration)
    assert "none" not in str(refusal.value)


def test_a_repeated_key_and_a_missing_column_are_refused(folder: Path) -> None:
    declared = TableStudy.load(folder).declaration
    pq.write_table(rows().set_column(0, "ID", pa.array([1] * 240)), folder / "altered.parquet")
    with pytest.raises(DataRefused, match="ID repeated"):
        read_table(folder / "altered.parquet", declared)
    pq.write_table(rows().drop_columns(["band", "first"]), folder / "altered.parquet")
    with pytest.raises(DataRefused, match="without band, first"):
        read_table(folder / "altered.parquet", declared)


def test_rows_teach_or_are_judged_and_judged_rows_are_not_in_the_training_set(folder: Path) -> None:
    declared = TableStudy.load(folder).declaration
    table, report = read_table(folder / "data" / "small" / "small.parquet", declared)
    assert (report["rows"], report["missing"]) == (240, {"place": 80, "share": 120})
    first, second = (rows_of(table, declared, round_) for round_ in declared.rounds)
    assert first.training.feature_names == ("band", "place=a", "place=b", "share")
    assert second.training.feature_names == ("band", "place=a", "place=b", "share", "tests")
    assert (first.training.table.num_rows, len(first.judged)) == (160, 80)
    assert not set(first.training.people()) & set(first.keys)
    at_risk = 240 - table["first"].to_pylist().count(True)
    assert second.training.table.num_rows + len(second.judged) == at_risk
    outcome, groups = judged_rows(table, declared, declared.rounds[0])
    assert len(outcome) == len(groups["sex"]) == 80
    # Row 0 is judged, row 1 teaches: its band has its place in the declared order, its place is "a".
    band = {"low": 0, "middle": 1, "high": 2}[table["band"][1].as_py()]
    assert first.training.matrix()[0].tolist() == [band, 1, 0, 0.5]


def test_nobody_is_scored_before_the_choice_is_in_the_ledger(folder: Path) -> None:
    study = TableStudy.load(folder)
    store = connect(f"duckdb:///{folder / 'run'}", study.purpose)
    table, _ = table_study.check(store, study, None)
    made = {each.number: rows_of(table, study.declaration, each) for each in study.declaration.rounds}
    invented = Choice({"rounds": {"1": {"chosen": "Logistic()"}, "2": {"chosen": "Logistic()"}}})
    with pytest.raises(EvidenceError) as refusal:
        table_study.score(store, study, table, made, invented, None)
    assert refusal.value.code == "choice-not-recorded"
    assert store.peek("scores") is None

    choice = table_study.choose(store, study, made, lambda *_: None)
    scores = table_study.score(store, study, table, made, choice, None)
    assert scores["choice"] == choice.fingerprint
    held = json.loads(store.result("choice").path(FILE).read_text())
    assert held["sha256"] == choice.fingerprint
    actions = [entry.action for entry in store.ledger.entries() if entry.action in ("check", "choice", "score")]
    assert actions == ["check", "choice", "score"]
    assert {"1", "2"} == set(choice.document["rounds"])


def test_an_altered_choice_is_refused() -> None:
    choice = Choice({"rounds": {"1": {"chosen": "Logistic()"}}})
    assert Choice.read(choice.text()) == choice
    with pytest.raises(EvidenceError, match="not that of its hash"):
        Choice.read(choice.text().replace("Logistic", "LightGBM"))


def test_the_choice_does_not_depend_on_judged_rows(folder: Path) -> None:
    study = TableStudy.load(folder)
    table = rows()
    other = np.where(np.asarray(table["teaches"]) == 0, ~np.asarray(table["first"]), np.asarray(table["first"]))
    changed = table.set_column(table.column_names.index("first"), "first", pa.array(other))
    candidates = {"BaseRate()": BaseRate(), "Logistic()": Logistic()}
    made = [
        chosen_by_folds(
            rows_of(each, study.declaration, study.declaration.rounds[0]).training, candidates, "sex", 3, 1, str
        )
        for each in (table, changed)
    ]
    assert made[0] == made[1]
    assert made[0]["chosen"] == "Logistic()"  # the band carries much of the outcome


def test_scores_by_hand() -> None:
    # Of the men not rearrested the Black one is at .5 and counts as forecast, the white one is at .2: rates 1 and 0.
    y, p = np.array([0.0, 1, 0, 0, 0]), np.array([0.5, 0.7, 0.2, 0.1, 0.3])
    sex = np.array(["male", "male", "male", "female", "female"])
    race = np.array(["black", "white", "white", "black", "white"])
    whole, capped = frontier(y, p, sex, race, [Trick(), Trick(cap=0.4)], listed=1 / 3)
    value = {name: score["value"] for name, score in whole["men"].items()}
    assert value["brier"] == pytest.approx((0.25 + 0.09 + 0.04) / 3, abs=1e-6)
    assert whole["women"]["brier"]["value"] == pytest.approx((0.01 + 0.09) / 2)
    assert whole["average"] == pytest.approx((value["brier"] + 0.05) / 2, abs=1e-6)
    assert (value["gap"], value["fair"]) == (1, 0)
    assert value["reached"] == pytest.approx(2 / 3, abs=1e-6)
    value = {name: score["value"] for name, score in capped["men"].items()}
    assert value["gap"] == value["reached"] == 0
    assert value["brier"] == pytest.approx((0.16 + 0.36 + 0.04) / 3, abs=1e-6)  # forecasts .4, .4 and .2
    assert value["fair"] == pytest.approx(1 - value["brier"], abs=1e-6)
    # One place of three: the man at .7, rearrested, has it. Cut off at .4 he shares it with the Black man at .5, of
    # whom half is then listed; the white man not rearrested is not: the difference is 1/2.
    assert whole["men"]["listed"]["value"] == 0
    assert value["listed"] == 0.5


def test_the_trick_leaves_the_order_alone() -> None:
    draw = np.random.default_rng(3)
    p = draw.uniform(0.05, 0.85, 3000)
    y = (draw.random(3000) < p).astype(float)
    sex = np.where(draw.random(3000) < 0.5, "male", "female")
    race = np.where(draw.random(3000) < 0.3 + 0.4 * p, "black", "white")
    as_is, capped, flat = frontier(y, p, sex, race, [Trick(), Trick(cap=0.6), Trick(slope=0.1)], listed=0.2)
    for word in ("men", "women"):
        assert capped[word]["listed"] != as_is[word]["listed"]  # cut below the last place of the list: a tie
        assert flat[word]["listed"] == as_is[word]["listed"]
        assert flat[word]["brier"]["value"] > as_is[word]["brier"]["value"] + 0.01
        for score in as_is[word].values():
            assert score["low"] <= score["value"] <= score["high"]


def test_flattened_by_hand() -> None:
    # Log-odds of .2 and .8 are -1.386 and 1.386, mean 0; halved they are those of 1/3 and 2/3.
    assert Trick(slope=0.5).of(np.array([0.2, 0.8])).tolist() == pytest.approx([1 / 3, 2 / 3])
    assert Trick(cap=0.5).of(np.array([0.2, 0.8])).tolist() == [0.2, 0.5]


def test_intervals_hold_the_score_and_are_the_same_again() -> None:
    draw = np.random.default_rng(1)
    p = draw.random(400)
    y = (draw.random(400) < p).astype(float)
    sex, race = np.where(draw.random(400) < 0.5, "male", "female"), np.where(draw.random(400) < 0.5, "black", "white")
    made = challenge_scores(y, p, sex, race)
    assert made == challenge_scores(y, p, sex, race)
    for name in ("men", "women", "average"):
        assert made[name]["low"] < made[name]["value"] < made[name]["high"]
    assert made["average"]["value"] == pytest.approx((made["men"]["value"] + made["women"]["value"]) / 2, abs=2e-6)


def test_the_day_of_the_study_is_that_of_the_rows(folder: Path) -> None:
    declared = TableStudy.load(folder).declaration
    table, _ = read_table(folder / "data" / "small" / "small.parquet", declared)
    made = rows_of(table, declared, declared.rounds[0]).training
    assert set(made.as_of().astype("datetime64[D]").tolist()) == {dt.date(2015, 1, 1)}


@pytest.mark.slow
def test_from_the_file_to_the_card_and_kept_when_run_again(folder: Path) -> None:
    study = TableStudy.load(folder)
    places = Places.of(study, None, None, None, None)
    finished = table_study.run_table_study(study, places)
    document = json.loads((places.cards / "card.json").read_text(encoding="utf-8"))
    assert [made["round"] for made in document["scored"]["rounds"]] == [1, 2]
    assert any(section["name"] == "challenge" for section in document["sections"])
    before = document["fingerprint"]
    again = table_study.run_table_study(study, places)
    assert again.scores == finished.scores
    assert json.loads((places.cards / "card.json").read_text(encoding="utf-8"))["fingerprint"] == before
    store = connect(f"duckdb:///{places.store}", study.purpose)
    assert [entry.action for entry in store.ledger.entries()].count("score") == 1

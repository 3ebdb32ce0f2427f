"""The NIJ study on the real table: columns as declared, the same rows, and the same scores as the challenge gives."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.studies.table_scores import challenge_scores
from riskmodel.studies.table_source import judged_rows, read_table, rows_of
from riskmodel.studies.table_study import TableStudy, beside

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.data


def module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"nij_{name}", ROOT / "experiments" / "nij" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture(scope="module")
def study() -> TableStudy:
    return TableStudy.load(ROOT / "experiments" / "nij")


@pytest.fixture
def folder(published_data) -> Path:
    return published_data("nij_recidivism", "nij_full.parquet")


@pytest.fixture
def table(study: TableStudy, folder: Path) -> pa.Table:
    return read_table(folder / study.declaration.table.file, study.declaration)[0]


def test_the_study_allows_the_fields_that_the_challenge_allows(study: TableStudy) -> None:
    challenge = module("challenge")
    columns = study.declaration.table.columns
    assert {name for name, column in columns.items() if column.from_round == 1} == set(challenge.RELEASE)
    assert {name for name, column in columns.items() if column.from_round == 2} == set(challenge.SUPERVISION)
    nominal = {name for name, column in columns.items() if column.nominal}
    assert nominal == set(challenge.NOMINAL)


def test_the_real_table_is_as_declared_and_parts_as_published(study: TableStudy, table: pa.Table) -> None:
    sizes = []
    for round_ in study.declaration.rounds:
        made = rows_of(table, study.declaration, round_)
        sizes.append((made.training.table.num_rows, len(made.judged)))
    assert sizes == [(18_028, 7_807), (12_651, 5_460), (9_398, 4_146)]


def test_scores_are_those_of_the_challenge(study: TableStudy, table: pa.Table, folder: Path) -> None:
    challenge = module("challenge")
    for round_ in study.declaration.rounds:
        outcome, groups = judged_rows(table, study.declaration, round_)
        same, rows = challenge.outcome_and_sex(challenge.load(folder), round_.number)
        assert outcome.tolist() == same.tolist()
        p = np.random.default_rng(round_.number).random(len(outcome))  # any forecast will do: no model is judged here
        theirs = challenge.scores(same, p, rows)
        ours = challenge_scores(outcome, p, groups["sex"], groups["ethnicity"])
        for name in ("men", "women", "average", "all", "fair_men", "fair_women"):
            assert ours[name]["value"] == pytest.approx(theirs[name], abs=1e-6)


def test_published_scores_stand_beside(study: TableStudy, folder: Path) -> None:
    made = beside(study.declaration, folder)
    assert len(made) == 12 + 15  # four places in each of three rounds, five models in each
    best = [min(row["average"] for row in made if row["round"] == number) for number in (1, 2, 3)]
    assert [round(value, 4) for value in best] == [round_.target for round_ in study.declaration.rounds]


def test_the_committed_card_says_what_was_known_and_where_it_stands() -> None:
    card = json.loads((ROOT / "model_cards" / "nij" / "card.json").read_text(encoding="utf-8"))
    assert "about five settings" in card["scored"]["said"]
    for made in card["scored"]["rounds"]:
        score = made["scores"]["average"]
        assert score["low"] < score["value"] < score["high"]
        assert made["mean_brier"][made["chosen"]] == min(made["mean_brier"].values())


def test_the_days_of_supervision_can_be_read_back() -> None:
    # 2 jobs and 301 days of work in 400 days, 20 tests: the ratios to nine digits give the 400 days again.
    ratios = [np.array([round(value, 9)]) for value in (301 / 400, 2 * 365.25 / 400, 400 / 20)]
    share, jobs, both, tests = module("follow_up").read_back(*ratios)[0]
    assert (share, both) == (400, 400)
    assert jobs in (200, 400)  # one job in 200 days has the same ratio
    assert tests == 20  # days per test is a whole number: the least is one test

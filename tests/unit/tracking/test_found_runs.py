"""A run that knew nothing of riskmodel is audited and carded: figures from its scores, every gap said to be one."""

from __future__ import annotations

import datetime as dt
import json
import warnings
from pathlib import Path
from typing import Any

import lightgbm
import mlflow
import numpy as np
import pandas as pd
import pytest
from markupsafe import escape
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

from riskmodel.cards.found_given import ASKED, OF_SCORES, OWN
from riskmodel.cards.text import REQUIRED
from riskmodel.cards.verify import verify_card
from riskmodel.cli import app
from riskmodel.errors import DataRefused, DeclarationError, NotFound, NotPermitted
from riskmodel.fairness.audit import audit_scores
from riskmodel.governance.ledger import Ledger, verify
from riskmodel.governance.purposes import Purpose
from riskmodel.tracking import database
from riskmodel.tracking.cards import CARD
from riskmodel.tracking.found_runs import CardedRun, card_of_run
from riskmodel.tracking.registry import Registry

BASIS = "Crime and Disorder Act 1998, section 115"
PURPOSE = Purpose("early-support", "To offer help early.", BASIS, ("police",), ("birth_date",), dt.date(9999, 1, 1))
ANSWERS: dict[str, Any] = {name: f"As the partnership wrote it down: {name}." for name in {**REQUIRED, **OWN}}
ANSWERS["review_by"] = "2027-06-01"
DRAW = np.random.default_rng(11)
N, TAUGHT = 900, 400


def rows() -> pd.DataFrame:
    """900 made-up rows of about 500 people; the outcome follows calls; one group has five rows, 20 outcomes none."""
    frame = pd.DataFrame({"age": DRAW.normal(17, 3, N), "calls": DRAW.poisson(2, N).astype(float)})
    frame["injured"] = (DRAW.random(N) < 1 / (1 + np.exp(2.2 - 0.6 * frame.calls))).astype(float)
    frame["whose"] = [f"Susan-{each}" for each in DRAW.integers(0, 500, N)]
    frame["sex"] = DRAW.choice(["female", "male"], N)
    frame["ethnicity"] = DRAW.choice(["asian", "black", "white"], N)
    frame.loc[N - 5 :, "ethnicity"] = "other"
    frame.loc[TAUGHT : TAUGHT + 19, "injured"] = np.nan
    return frame


ALL = rows()
JUDGED = ALL[TAUGHT:].reset_index(drop=True)
FEATURES = ["age", "calls"]
FITTED = LogisticRegression().fit(ALL[FEATURES][:TAUGHT], ALL.injured[:TAUGHT])


def recorded(store: Path, flavour: Any, model: Any, **how: Any) -> str:
    """A run as anybody records one with MLflow alone; its id."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with database.opened(store, None):
            experiment = mlflow.create_experiment("triage", (store / "artefacts").as_uri())
            with mlflow.start_run(experiment_id=experiment, run_name="first try") as run:
                mlflow.log_param("C", 1.0)
                mlflow.log_metric("auc_on_training", 0.91)
                mlflow.log_input(mlflow.data.from_pandas(ALL[FEATURES][:TAUGHT], name="March extract"), "training")
                if model is not None:
                    flavour.log_model(model, name="model", pip_requirements=[], **how)
    return str(run.info.run_id)


@pytest.fixture
def run_id(store: Path) -> str:
    return recorded(store, mlflow.sklearn, FITTED, skops_trusted_types=["numpy.dtype"])


def carded(store: Path, run_id: str, data: Any = JUDGED, **change: Any) -> CardedRun:
    given = {"outcome": "injured", "groups": ["sex", "ethnicity"], "purpose": PURPOSE, "person": "whose"}
    return card_of_run(run_id, data, store=store, **{**given, "capacity": (0.1, 0.2), **change})


def test_an_sklearn_run_gets_a_draft_with_its_open_questions(store: Path, run_id: str) -> None:
    made = carded(store, run_id)
    card = made.card.document
    score = FITTED.predict_proba(JUDGED[FEATURES])[:, 1]
    known = JUDGED.injured.notna()
    claims = card["evidence"]["claims"]
    assert claims["performance.model.all.auroc"]["value"] == pytest.approx(
        roc_auc_score(JUDGED.injured[known], score[known]), abs=1e-12
    )
    groups = JUDGED[["sex", "ethnicity"]].to_dict("list")
    people = pd.factorize(JUDGED.whose)[0]
    again = audit_scores(score, JUDGED.injured.to_numpy(), groups, people=people, capacity=0.2)
    figure, held = again.figure("sex", "male", "tpr"), claims["audit.sex.male.tpr"]
    assert [held[end] for end in ("value", "low", "high")] == [figure[end] for end in ("value", "low", "high")]
    assert made.audit.table.equals(again.table)
    assert (claims["cohort.unknown"]["value"], claims["cohort.all"]["value"]) == (20, 500)
    assert claims["run.auc_on_training"] == {**claims["run.auc_on_training"], "value": 0.91, "artefact": "run"}
    assert card["state"] == "draft"
    assert set(card["unanswered"]) == set(made.unanswered) == {*REQUIRED, *OWN}
    assert verify_card(made.folder).claims == len(claims)
    page = (made.folder / "card.html").read_text()
    assert "18 questions are still for a person to answer" in page
    for name in made.unanswered:
        assert f"{escape(ASKED[name])}." in page
    assert "LogisticRegression, kept as skops" in page
    assert "Nobody has said whether the model was made from these very rows" in page


def test_it_is_kept_beside_the_run_which_stays_as_it_was(store: Path, run_id: str) -> None:
    def look() -> tuple[Any, ...]:
        with database.opened(store, None) as client:
            run = client.get_run(run_id)
            return run.data.to_dictionary(), run.info.status, [each.path for each in client.list_artifacts(run_id)]

    before = look()
    made = carded(store, run_id)
    assert look() == before
    registry = Registry(database.address(store, None))
    (version,) = registry.versions()
    assert made.model_uri == f"models:/triage/{version.number}"
    assert version.card == made.card.fingerprint == registry.card(version)["fingerprint"]
    assert version.tags["riskmodel.purpose"] == "early-support"
    groups = registry.groups(version)
    assert groups is not None
    assert {row["capacity"] for row in groups["rows"]} == {0.1, 0.2}
    other = [row for row in groups["rows"] if row["group"] == "other"]
    assert other
    assert {row["value"] for row in other} == {None}
    assert all(row["people"] is None for row in other)
    with database.opened(store, None) as client:
        (nested,) = client.search_runs([client.get_run(run_id).info.experiment_id],
                                       "tags.`riskmodel.purpose` = 'early-support'")  # fmt: skip
    assert nested.data.tags["mlflow.parentRunId"] == run_id
    assert nested.data.tags[CARD] == made.card.fingerprint
    assert carded(store, run_id).run_id == made.run_id  # the same card is kept once
    answered = carded(store, run_id, text=ANSWERS, edition="2")
    assert answered.unanswered == ()
    assert answered.card.document["state"] == "draft"
    assert registry.card(version)["fingerprint"] == made.card.fingerprint  # the earlier edition is what it was
    assert [each.number for each in registry.versions()] == [2, 1]
    assert verify(store / "ledger.jsonl").holds


def test_no_row_of_a_person_is_written_anywhere(store: Path, run_id: str) -> None:
    carded(store, run_id)
    texts = [path for path in store.rglob("*") if path.is_file() and path.suffix != ".skops"]
    assert len(texts) > 8
    assert not any(b"Susan-" in path.read_bytes() for path in texts)
    actions = [(entry.action, entry.facts["purpose"]) for entry in Ledger(store / "ledger.jsonl").entries()]
    assert actions == [("read", "early-support"), ("card", "early-support")]


def test_a_pickled_model_stays_closed_and_its_scores_are_a_column(store: Path) -> None:
    run_id = recorded(store, mlflow.sklearn, FITTED, serialization_format="cloudpickle")
    with pytest.raises(NotPermitted, match="model-not-opened"):
        carded(store, run_id)
    scored = JUDGED.assign(decile=pd.qcut(FITTED.predict_proba(JUDGED[FEATURES])[:, 1], 10, labels=False) + 1)
    made = carded(store, run_id, scored, scores="decile", probabilities=False)
    claims = made.card.document["evidence"]["claims"]
    known = JUDGED.injured.notna()
    exact = roc_auc_score(JUDGED.injured[known], scored.decile[known])
    assert claims["performance.model.all.auroc"]["value"] == pytest.approx(exact, abs=1e-12)
    assert "performance.model.all.brier" not in claims
    assert set(made.unanswered) == {*REQUIRED, *OWN, *OF_SCORES}
    assert "No: the scores were given as a column" in (made.folder / "card.html").read_text()


def test_a_lightgbm_run_and_lists_that_would_tell_a_few_people(store: Path) -> None:
    taught = lightgbm.Dataset(ALL[FEATURES][:TAUGHT], ALL.injured[:TAUGHT])
    booster = lightgbm.train({"objective": "binary", "verbose": -1}, taught, 5)
    made = carded(store, recorded(store, mlflow.lightgbm, booster), capacity=(5, 100))
    claims = made.card.document["evidence"]["claims"]
    for metric in ("precision", "recall", "lift"):  # of five places, any of the three would tell the others
        assert claims[f"performance.model.all.{metric}@5"]["state"] == "suppressed"
        assert claims[f"performance.model.all.{metric}@5"]["value"] is None
        assert claims[f"performance.model.all.{metric}@100"]["value"] is not None
    assert made.card.document["model"]["features"] == FEATURES


def test_rows_that_the_run_names_as_its_own_are_called_out(store: Path, run_id: str) -> None:
    made = carded(store, run_id, ALL[:TAUGHT], text=ANSWERS)
    assert made.card.document["run"]["taught_by"] == ["March extract"]
    assert "These rows have the digest of data that the run itself names" in (made.folder / "card.md").read_text()


def test_what_is_wrong_is_said_before_any_row_is_scored(store: Path, run_id: str, tmp_path: Path) -> None:
    ended = Purpose("old", "It was.", BASIS, ("police",), ("birth_date",), dt.date(2020, 1, 1))
    for change, refusal, code in (
        ({"purpose": ended}, NotPermitted, "purpose-expired"),
        ({"outcome": "harmed"}, NotFound, "columns-missing"),
        ({"text": {"titel": "x"}}, DeclarationError, "card-text"),
        ({"text": {"review_by": "soon"}}, DeclarationError, "review_by"),
        ({"model": "other"}, NotFound, "model-missing"),
        ({"data": tmp_path / "none.parquet"}, NotFound, "data-missing"),
    ):
        with pytest.raises(refusal, match=code):
            carded(store, run_id, **change)
    with pytest.raises(NotFound, match="run-missing"):
        carded(store, "0" * 32)
    with pytest.raises(DataRefused, match="audit-input") as told:
        carded(store, run_id, JUDGED.assign(injured="Susan"))
    assert "Susan" not in str(told.value)
    assert not (store / "ledger.jsonl").exists()


def test_from_the_command_line(store: Path, run_id: str, tmp_path: Path) -> None:
    JUDGED.to_csv(tmp_path / "rows.csv", index=False)
    (tmp_path / "purpose.toml").write_text(
        "".join(f"{name} = {json.dumps(value)}\n" for name, value in PURPOSE.document().items())
    )
    (tmp_path / "text.toml").write_text('[card]\ntitle = "Who is asked first"\n')
    words = [
        *("card", "from-run", run_id, "--data", tmp_path / "rows.csv", "--outcome", "injured", "--person", "whose"),
        *("--group", "sex", "--group", "sex,ethnicity", "--purpose", tmp_path / "purpose.toml", "--store", store),
        *("--text", tmp_path / "text.toml", "--capacity", "0.1", "--date", "2026-12-01"),
    ]
    said = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert said.exit_code == 0
    lines = said.output.splitlines()
    assert lines[0] == f"Draft card: {store / 'cards' / run_id / 'card.html'}"
    assert lines[1] == "In MLflow: models:/triage/1"
    assert len(lines) == 2 + len(REQUIRED) + len(OWN) - 1
    assert lines[2].startswith("A person must answer summary: what this is")

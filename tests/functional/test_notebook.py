"""The notebook and the study file are two ways to say one thing: the same words give the same fingerprints."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import riskmodel as rm
from riskmodel import days, months, years
from riskmodel.fairness.figures import Rules
from riskmodel.features import age, count, days_in_state, ever, total
from riskmodel.studies.run import Places, run_study
from riskmodel.studies.study import Study

ROOT = Path(__file__).parents[2]
QUICKSTART = ROOT / "experiments" / "quickstart"
KNOWN = """known = [
  "age()",
  'count("violence", role="victim", within=years(2))',
  'count("domestic_abuse", within=years(2), through="co_resident")',
  'total("exclusion", within=years(3))',
  'ever("caution")',
  'days_in_state("custody", within=years(5))',
]"""


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """The quickstart with fewer people and features."""
    text = (QUICKSTART / "study.toml").read_text(encoding="utf-8")
    text = re.sub(r"people = [\d_]+", "people = 2_500", text, count=1)
    text = re.sub(r"known = \[.*?\n\]", lambda _: KNOWN, text, count=1, flags=re.DOTALL)
    text = text.replace("folds = 4", "folds = 2", 1)
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return Study.load(folder)


def society(people: int, seed: int, folder: Path) -> None:
    rm.World.generate(people=people, seed=seed).deliveries(folder)


@pytest.mark.slow
def test_the_study_file_and_the_notebook_give_the_same_fingerprints(study: Study, tmp_path: Path) -> None:
    places = Places.of(study, None, tmp_path / "run", tmp_path / "card", None)
    by_file = run_study(study, places, society).fingerprints

    purpose = rm.Purpose.load(study.folder / "study.toml")
    store = rm.connect(f"duckdb:///{tmp_path / 'notebook'}", purpose=purpose)
    world = rm.World.generate(people=2_500, seed=2026)
    intake = rm.receive(store, world.deliveries(tmp_path / "deliveries"))
    people = rm.link(store, intake)
    histories = rm.assemble(store, people)
    cohort = rm.Cohort(aged=(10, 25), resident_for=years(1), every=months(3), between=("2018-01-01", "2022-07-01"))
    outcome = rm.Outcome("injury_by_violence", agency="health", within=years(1), settles_after=days(90))
    features = [
        age(),
        count("violence", role="victim", within=years(2)),
        count("domestic_abuse", within=years(2), through="co_resident"),
        total("exclusion", within=years(3)),
        ever("caution"),
        days_in_state("custody", within=years(5)),
    ]
    training = rm.build_training_set(histories, cohort, outcome, features)
    bar = "auroc beats best_count by 0.02"
    model = rm.fit(training, rm.LightGBM(seed=7), rm.ForwardFolds(2), calibrate="isotonic", seed=7, success_bar=bar)
    rules = Rules(reference={"ethnicity": "white", "sex": "male"})
    audit = rm.audit(
        model, by=["sex", "ethnicity", ("sex", "ethnicity")], training=training, capacity=0.05, rules=rules, seed=7
    )

    for name, noun in (("received", intake), ("linked", people), ("histories", histories)):
        assert noun.result.fingerprint == by_file[name], name
    assert store.result("training").fingerprint == by_file["training"]
    run = tmp_path / "run"
    assert model.fingerprint == rm.RiskModel.load(run / "model").fingerprint
    assert audit.fingerprint == rm.Audit.load(run / "audit").fingerprint
    assert json.loads((tmp_path / "card" / "card.json").read_text())["model"]["fingerprint"] == model.fingerprint


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the kernel that runs the notebook, not ours
def test_the_notebook_runs_from_top_to_bottom() -> None:
    notebook = nbformat.read(QUICKSTART / "quickstart.ipynb", as_version=4)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RISKMODEL", "MLFLOW"))}
    client = NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": QUICKSTART}})
    client.execute(env=environment)
    said = "".join(
        output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []) if "text" in output
    )
    for words in ("approval-missing", "This is advice, not a decision", "score-not-a-decision", "The ledger holds"):
        assert words in said

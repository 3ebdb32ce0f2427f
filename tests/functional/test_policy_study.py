"""A policy evaluation from its roll-out to its card: order, deviations, refusals, and the words of the answer."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from riskmodel.cards.verify import verify_card
from riskmodel.cli import app
from riskmodel.errors import DeclarationError, EvidenceError, NotFound
from riskmodel.governance.ledger import Ledger, verify
from riskmodel.studies.policy_study import PolicyRun, PolicyStudy, run_policy_study
from riskmodel.studies.run import Places
from riskmodel.world.policy import PolicyWorld
from riskmodel.world.policy_records import write_records

OURS = Path(__file__).parents[2] / "experiments" / "policy" / "study.toml"


def society(world, folder):
    write_records(PolicyWorld.generate(world.kind, world.seed, areas=world.areas, children=world.children), folder)


def small(folder: Path, kind: str, **changed: str) -> PolicyStudy:
    """The study of the repository on a smaller world of some kind, with a few cheap checks."""
    text = OURS.read_text(encoding="utf-8")
    text = re.sub(r"world = .*", f'world = {{ kind = "{kind}", areas = 60, children = 800, seed = 4 }}', text)
    text = re.sub(
        r"tests = .*",
        'tests = ["pre_trends", "honest_bounds", "placebo_outcomes", "recording_change", "minimum_detectable_effect"]',
        text,
    )
    for before, after in changed.items():
        text = text.replace(before, after)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return PolicyStudy.load(folder)


def run(study: PolicyStudy, folder: Path) -> PolicyRun:
    with pytest.MonkeyPatch.context() as clock:
        clock.setenv("SOURCE_DATE_EPOCH", "1796083200")  # the card says when it was made
        return run_policy_study(study, Places(None, folder / "store", folder / "card", None), society)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[PolicyRun, Path]:
    folder = tmp_path_factory.mktemp("policy")
    return run(small(folder / "study", "harms_children"), folder), folder


def test_the_plan_is_registered_before_outcomes_are_opened_and_the_order_is_in_the_ledger(finished):
    _, folder = finished
    path = folder / "store" / "ledger.jsonl"
    assert verify(path).holds
    actions = [entry.action for entry in Ledger(path).entries()]
    assert actions.index("plan-registered") < actions.index("outcomes-opened")
    assert actions.count("plan-registered") == 1


def test_the_summary_says_what_happened_how_sure_it_is_and_who_was_harmed(finished):
    said = list(finished[0].summary())
    assert said[0].startswith("Violence fell under focused deterrence: ")
    assert "But children of those imprisoned came to harm: exclusions rose by 0.19 (0.11 to 0.27)" in said[0]
    assert said[1].startswith("Level 4 of 5")
    assert said[2] == "Everything was done as planned."
    assert said[3].startswith("In MLflow: mlflow ui ")
    assert said[4].startswith("Evaluation card: ")


def test_the_card_stands_up_to_its_check_and_an_altered_one_does_not(finished, tmp_path):
    _, folder = finished
    checked = verify_card(folder / "card")
    assert checked.claims > 100
    for path in (folder / "card").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    page = (tmp_path / "card.html").read_text(encoding="utf-8")
    (tmp_path / "card.html").write_text(page.replace("fell under", "rose under"), encoding="utf-8")
    with pytest.raises(EvidenceError, match=r"does not say what card\.json says"):
        verify_card(tmp_path)


def test_every_figure_of_the_card_has_a_source_and_every_null_its_power(finished):
    document = json.loads((finished[1] / "card" / "card.json").read_text(encoding="utf-8"))
    assert {claim["artefact"] for claim in document["evidence"]["claims"].values()} == {"evaluation", "power"}
    rows = next(block for block in document["sections"][0]["blocks"] if block["block"] == "table")["rows"]
    unshown = [row[-1] for row in rows if row[-2] == "No change shown"]
    assert unshown
    assert all(float(could_be_missed) > 0 for could_be_missed in unshown)
    figures = [block for section in document["sections"] for block in section["blocks"] if block["block"] == "figure"]
    assert {figure["drawing"] for figure in figures} == {"forest", "event_study", "effects_matrix"}
    assert all(len(figure["alt"]) > 40 for figure in figures)


def test_the_one_page_summary_is_short_and_adds_nothing(finished):
    _, folder = finished
    brief, card = ((folder / "card" / name).read_text(encoding="utf-8") for name in ("brief.md", "card.md"))
    body = brief.split("## What happened", 1)[1]
    assert len(body.split()) < 450
    assert "Harm to people at the edge: children of those imprisoned." in brief
    assert brief.split("## What happened", 1)[1].split("\n\n")[1] in card


@pytest.mark.slow
def test_run_again_is_kept_and_a_changed_plan_says_that_outcomes_were_open(finished, tmp_path):
    made, folder = finished
    again = run(small(folder / "study", "harms_children"), folder)
    assert again.evaluation == made.evaluation
    folder = shutil.copytree(folder, tmp_path / "copy")  # the tests run in any order: leave the first run as it is
    other = run(small(folder / "study", "harms_children", **{'primary = "violence"': 'primary = "injuries"'}), folder)
    assert len(other.evaluation["deviations"]) == 1
    assert "after outcomes had been opened" in list(other.summary())[2]


@pytest.mark.slow
def test_a_change_of_recording_is_refused_as_a_fall(tmp_path):
    made = run(small(tmp_path / "study", "records_only"), tmp_path)
    assert made.evaluation["conclusion"]["answer"] == "recording changed"
    assert "It is not shown that harm changed." in made.evaluation["finding"]
    page = (tmp_path / "card" / "card.md").read_text(encoding="utf-8")
    assert "The fall in the records is not accepted as a fall of harm." in page
    assert any("instead of 'recording changed'" in each["sentence"] for each in made.evaluation["without"])


def test_a_plan_that_cannot_answer_is_refused_before_anything_is_opened(tmp_path):
    one_agency = small(tmp_path / "study", "null", **{"begins = 2018-01-01": "begins = 2021-01-01"})
    with pytest.raises(DeclarationError, match="treated in every period"):
        run(one_agency, tmp_path)
    actions = [entry.action for entry in Ledger(tmp_path / "store" / "ledger.jsonl").entries()]
    assert "outcomes-opened" not in actions


def test_records_in_a_folder_and_what_is_wrong_with_them(tmp_path):
    text = re.sub(r"world = .*", 'folder = "records"', OURS.read_text(encoding="utf-8"))
    place = tmp_path / "study"
    (place / "data" / "records").mkdir(parents=True)
    (place / "study.toml").write_text(text, encoding="utf-8")
    study = PolicyStudy.load(place)
    with pytest.raises(NotFound, match=r"no events\.parquet"):
        run(study, tmp_path)
    records = place / "data" / "records"
    write_records(PolicyWorld.generate("null", 1, areas=24, children=50), records)
    pq.write_table(pa.table({"area": ["area-000"], "deprivation": [0.5]}), records / "roll_out.parquet")
    with pytest.raises(DeclarationError, match="no column starts"):
        run(study, tmp_path)
    (place / "study.toml").write_text(text + "\n[records.world]\nkind = 'null'\nseed = 1\n", encoding="utf-8")
    with pytest.raises(DeclarationError, match="none or both"):
        PolicyStudy.load(place)


@pytest.mark.slow
def test_the_command_line_reads_and_runs_an_evaluation(tmp_path):
    runner = CliRunner()
    read = runner.invoke(app, ["check", str(OURS.parent)])
    assert read.output.startswith("Focused deterrence, and what it moved elsewhere: 6 outcomes of 5 agencies, primary")
    small(tmp_path / "study", "null")
    place = ["--store", str(tmp_path / "store"), "--cards", str(tmp_path / "card")]
    done = runner.invoke(app, ["run", str(tmp_path / "study"), *place])
    assert done.exit_code == 0, done.output
    assert "No change of violence under focused deterrence is shown; that is not the same as none." in done.output
    assert "would be missed more often than 20%" in done.output
    assert (tmp_path / "card" / "brief.html").exists()


@pytest.mark.slow
def test_the_same_study_gives_the_same_card_to_the_byte(finished, tmp_path):
    run(small(tmp_path / "study", "harms_children"), tmp_path)
    for path in sorted((tmp_path / "card").iterdir()):
        assert path.read_bytes() == (finished[1] / "card" / path.name).read_bytes(), path.name

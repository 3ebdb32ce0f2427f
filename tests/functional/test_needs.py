"""The verbs about a population, from the command line to the files that people open."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The quickstart's study with a smaller society, and its declared half."""
    folder = tmp_path_factory.mktemp("study")
    given = ROOT / "experiments" / "quickstart"
    text = (given / "study.toml").read_text(encoding="utf-8")
    smaller = text.replace("people = 20_000", "people = 600").replace("LightGBM(seed=7)", "Logistic()")
    smaller = smaller.replace("folds = 4", "folds = 2")
    for line in ("people = 600", 'learner = "Logistic()"', "folds = 2"):
        assert line in smaller
    (folder / "study.toml").write_text(smaller, encoding="utf-8")
    for name in ("needs.toml", "areas.csv"):
        shutil.copy(given / name, folder / name)
    return folder


@pytest.mark.slow
def test_two_editions_from_one_study(command: Command, study: Path, tmp_path: Path):
    first = command("needs", study, "--to", tmp_path / "2022")
    assert first.returncode == 0, first.stderr
    assert "statutory headings are not fully answered" in first.stdout
    for name in ("needs.html", "violence.html", "searches.html", "edition.json", "data/harm.csv", "data/harm.parquet",
                 "community/community.html", "community/violence.csv", "community/record.json"):  # fmt: skip
        assert (tmp_path / "2022" / name).is_file(), name
    needs = (tmp_path / "2022" / "needs.html").read_text(encoding="utf-8")
    assert "Unit costs that nobody has checked: Violence, Robbery. Do not quote these costs." in needs
    assert "What came after combinations" in needs
    assert "checked costs" in needs  # and so the statutory heading is not answered
    for name in ("needs.html", "unseen.html"):
        assert "Whitehead, Jackson, Balch and Francis" in (tmp_path / "2022" / name).read_text(encoding="utf-8")
    # so few people that most counts by group and year would be hidden: the page says so, it does not say nought
    assert "too few searches in a year" in (tmp_path / "2022" / "searches.html").read_text(encoding="utf-8")
    text = (study / "needs.toml").read_text(encoding="utf-8")
    (study / "needs.toml").write_text(text.replace('edition = "2022"', 'edition = "2022b"'), encoding="utf-8")
    over = command("needs", study, "--to", tmp_path / "2022")
    assert over.returncode == 3  # another edition lies there
    second = command("needs", study, "--to", tmp_path / "2022b", "--earlier", tmp_path / "2022")
    assert second.returncode == 0, second.stderr
    record = json.loads((tmp_path / "2022b" / "edition.json").read_text(encoding="utf-8"))
    assert record["compared_with"] == "2022"
    page = (tmp_path / "2022b" / "needs.html").read_text(encoding="utf-8")
    assert "Since the last edition" in page
    # the same records: nothing that the first hid is shown, nothing that it showed is another number
    assert (tmp_path / "2022" / "data" / "clock.csv").read_text() == (
        tmp_path / "2022b" / "data" / "clock.csv"
    ).read_text()
    ledger = (study / "run" / "ledger.jsonl").read_text(encoding="utf-8")
    assert ledger.count('"action":"released"') >= 30
    nobody = command("who-knew", study, "P-00000000000000ff", "--reason", "a test", "--to", tmp_path / "review")
    assert nobody.returncode == 0, nobody.stderr
    assert "Nothing could be seen" in (tmp_path / "review" / "who-knew.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_missed_use_by_rule_and_by_the_model_taught_again(command: Command, study: Path, tmp_path: Path):
    missed = command("missed-use", study, "--to", tmp_path / "missed")
    assert missed.returncode == 0, missed.stderr
    page = (tmp_path / "missed" / "missed-use.html").read_text(encoding="utf-8")
    assert "By the model, taught again for each coalition" in page
    assert "By a rule: 4 records within 1y" in page
    assert "The fewest records that see as much" in page
    for name in ("missed_use_by_model", "missed_use_by_rule", "seen_only_together_by_model", "fewest_records"):
        assert (tmp_path / "missed" / "data" / f"{name}.csv").is_file(), name


def test_every_fault_of_the_declared_half_is_said_at_once_with_its_line(command: Command, study: Path, tmp_path: Path):
    broken = tmp_path / "study"
    shutil.copytree(study, broken, ignore=shutil.ignore_patterns("run"))
    text = (broken / "needs.toml").read_text(encoding="utf-8")
    broken_text = text.replace("weight = 10", "weight = -1").replace("synthetic = true", "sinthetic = true")
    (broken / "needs.toml").write_text(broken_text, encoding="utf-8")
    refused = command("needs", broken)
    assert refused.returncode == 2
    assert "2 faults [needs-invalid]" in refused.stderr
    assert refused.stderr.count("needs.toml line") == 2
    (broken / "needs.toml").unlink()
    assert "needs-missing" in command("needs", broken).stderr


def test_open_tables_that_are_not_there(command: Command, tmp_path: Path):
    refused = command("stop-search", tmp_path)
    assert refused.returncode == 2
    assert "open-table-missing" in refused.stderr
    assert "Traceback" not in refused.stderr

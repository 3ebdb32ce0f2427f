"""The command line answers in sentences and exit codes, never in tracebacks, and never names a person."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from riskmodel import __version__

Study = Callable[..., Path]
Done = subprocess.CompletedProcess[str]


def refused(done: Done, exit_code: int, *words: str) -> None:
    assert done.returncode == exit_code, done.stderr
    assert "Traceback" not in done.stderr
    assert "Zoltrix" not in done.stdout + done.stderr
    for word in words:
        assert word in done.stderr, done.stderr


def test_version_and_help(command: Callable[..., Done]) -> None:
    assert command("--version").stdout.strip() == f"riskmodel {__version__}"
    assert "never a decision" in " ".join(command("--help").stdout.split())


def test_a_folder_without_a_study(command: Callable[..., Done], tmp_path: Path) -> None:
    refused(command("run", tmp_path), 2, "study-missing", "Give the folder that holds study.toml")


def test_every_fault_of_a_study_at_once(command: Callable[..., Done], school: Study) -> None:
    folder = school(study=(('every = "1m"', 'evry = "1m"'), ("between = [2019-02-01", "between = [2019-02-30")))
    refused(command("run", folder), 2, "2 faults", "2019-02-30", "the unknown key cohort.evry")


def test_an_expired_purpose(command: Callable[..., Done], school: Study) -> None:
    folder = school(study=(("expires = 2036-01-01", "expires = 2020-01-01"),))
    refused(command("run", folder), 4, "purpose-expired")


def test_an_agency_that_the_purpose_does_not_name(command: Callable[..., Done], school: Study) -> None:
    folder = school(study=(('controllers = ["school"]', 'controllers = ["police"]'),))
    refused(command("run", folder), 4)


def test_data_that_is_not_there(command: Callable[..., Done], school: Study, tmp_path: Path) -> None:
    folder = school()
    refused(command("run", folder, "--data", tmp_path / "nowhere"), 2, "data-missing", "--data or RISKMODEL_DATA")


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("pupils", "pupil,name,recorded\np1,Zoltrix1,2018-01-01\n", ("pupils.csv", "born")),
        ("pupils", "", ("pupils.csv", "empty")),
        ("exclusions", b"PAR1\x00\x00broken", ("exclusions.csv",)),
    ],
    ids=["a missing column", "an empty file", "a Parquet that is none"],
)
def test_files_that_cannot_be_used(
    command: Callable[..., Done], school: Study, file: str, content: str | bytes, words: tuple[str, ...]
) -> None:
    refused(command("run", school(**{file: content})), 3, *words)


def test_bad_rows_are_counted_by_code_and_the_rest_goes_on(
    command: Callable[..., Done], school: Study, good_exclusions: str
) -> None:
    bad = (
        "b1,p1,X,not a date,,2,2019-12-20\n"  # a wrong type
        "b2,p1,X,2031-01-01,,2,2019-12-20\n"  # a date in the future
        "b3,p1,X,2019-05-01,2019-04-01,2,2019-12-20\n"  # an end before its start
        "b4,p1,Q,2019-05-01,,2,2019-12-20\n"  # an unknown code
        "b5,nobody,X,2019-05-01,,2,2019-12-20\n"  # a person in no register
        "e1,p1,X,2019-02-10,2019-02-12,2,2019-12-20\n"  # a duplicate row
        f"b6,p1,{'X' * 10_000_000},2019-05-01,,2,2019-12-20\n"  # a cell of ten million characters
    )
    folder = school(exclusions=good_exclusions + bad)
    done = command("run", folder)
    assert "Traceback" not in done.stderr
    report = json.loads((folder / "run" / "received" / "report.json").read_text())
    feed = report["feeds"]["school.events"]
    assert feed["delivered"] == 47
    assert feed["accepted"] + sum(feed["quarantined"].values()) == 47
    assert sum(feed["quarantined"].values()) == 7
    assert len(feed["quarantined"]) == 7, feed["quarantined"]


def _find(report: object, name: str) -> dict[str, object]:
    feeds = report["feeds"]  # type: ignore[index]  # JSON
    found = feeds[name] if isinstance(feeds, dict) else next(feed for feed in feeds if feed["feed"] == name)
    assert isinstance(found, dict)
    return found

"""The command line answers in sentences and exit codes, never in tracebacks, and never names a person."""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
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


def finished(command: Callable[..., Done], folder: Path) -> Done:
    done = command("run", folder)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.slow
def test_a_list_and_what_may_go_wrong_around_it(command: Callable[..., Done], ran: Any, tmp_path: Path) -> None:
    """The quickstart's list, of made-up people: a changed approval, a filled-in list, an earlier date."""
    folder = Path(shutil.copytree(ran.study, tmp_path / "quickstart"))
    advice, approval, study = folder / "run" / "advice" / "advisory_list.csv", folder / "approval.toml", "study.toml"
    assert advice.read_text().startswith("# MADE-UP PEOPLE: nobody on this list exists")
    signed = approval.read_text()
    approval.write_text(signed.replace("2999-01-01", "2999-12-31"))
    altered = finished(command, folder)
    assert "[approval-altered] An earlier list lies in the store: do not use it." in altered.stdout
    approval.write_text(signed)
    advice.write_text(advice.read_text() + "seen on Monday\n")
    text = (folder / study).read_text()
    (folder / study).write_text(text.replace("as_of = 2022-10-01", "as_of = 2022-09-01"))
    refused(command("run", folder), 3, "result-written-in", "Move the folder 'advice'")
    assert advice.read_text().endswith("seen on Monday\n")


def test_study_text_in_other_encodings(command: Callable[..., Done], school: Study) -> None:
    file = school() / "study.toml"
    good = file.read_text(encoding="utf-8")
    file.write_bytes(b"\xef\xbb\xbf" + good.encode())  # as Windows editors save it
    assert command("check", file.parent).returncode == 0
    file.write_bytes(good.replace("A tiny study", "A tiny \u00e9tude").encode("cp1252"))
    refused(command("check", file.parent), 2, "study-not-utf-8", "study.toml line 4", "Save the file as UTF-8")
    file.unlink()
    file.mkdir()
    refused(command("check", file.parent), 2, "study-missing")


@pytest.mark.parametrize(
    ("study", "exit_code", "words"),
    [
        ((('every = "1m"', 'every = "1m"\naged = [80, 90]'),), 3, ("cohort-empty", "aged 80 to 90")),
        ((('kind = "exclusion"', 'kind = "caution"'),), 2, ("kind-unknown", "'caution'", "exclusion")),
        (
            (('groups = ["sex"]', 'groups = ["shoe_size"]'), ("'count(\"exclusion\")'", "'count(\"meteor\")'")),
            2,
            ("'shoe_size'", "Choose from sex, ethnicity", "'meteor'", "Choose one of: exclusion"),
        ),
        ((('groups = ["sex"]', 'groups = ["sex"]\n[model]\nfolds = 9'),), 3, ("too-short-for-folds", "fewer folds")),
        (
            (('groups = ["sex"]', 'groups = ["sex"]\n[model]\nfolds = 2\ngap = "0d"'), ('"90d"', '"30d"')),
            3,
            ("too-few-positives", "0 positives"),  # every exclusion was recorded after its window: nobody is a yes
        ),
        (
            (('"shared_key"', '"probabilistic"'), ('"given_name", "birth_date"', '"birth_date"')),
            3,
            ("names-missing", "20 records", 'method = "shared_key"'),
        ),
    ],
    ids=["nobody", "unknown outcome", "unknown group and kind", "too many folds", "one class", "no names"],
)
def test_studies_that_the_data_cannot_answer(
    command: Callable[..., Done],
    school: Study,
    study: tuple[tuple[str, str], ...],
    exit_code: int,
    words: tuple[str, ...],
) -> None:
    refused(command("run", school(study=study)), exit_code, *words)


def test_a_truncated_parquet_and_a_folder_for_a_file(
    command: Callable[..., Done], school: Study, good_exclusions: str
) -> None:
    folder = school()
    contract = folder / "contracts" / "school.toml"
    contract.write_text(contract.read_text().replace('"exclusions"', '"exclusions"\nformat = "parquet"', 1))
    whole = folder / "data" / "exclusions.parquet"
    pq.write_table(pa_csv.read_csv(io.BytesIO(good_exclusions.encode())), whole)
    whole.write_bytes(whole.read_bytes()[:-200])
    (folder / "data" / "pupils.csv").unlink()
    (folder / "data" / "pupils.csv").mkdir()
    refused(command("run", folder), 3, "2 files are refused", "exclusions.parquet", "file-unreadable", "pupils.csv")


def test_a_store_that_cannot_be_made_and_a_disk_that_is_full(
    command: Callable[..., Done], school: Study, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    folder = school()
    refused(command("run", folder, "--store", tmp_path / "file" / "store"), 3, "store-refused", "Choose another")
    words = shlex.join(command.words("run", folder))  # type: ignore[attr-defined]  # the fixture's own class
    small = ["bash", "-c", f"ulimit -f 2; exec {words}"]  # no file above 2 KiB: writing fails as on a full disk
    full = subprocess.run(small, capture_output=True, text=True, check=False, timeout=120)
    refused(full, 3, "disk-refused", "Free some space")
    assert not list((folder / "run").glob("received/*"))


@pytest.mark.slow
def test_a_whole_small_study_and_what_may_go_wrong_around_it(
    command: Callable[..., Done], school: Study, good_exclusions: str
) -> None:
    model = '[model]\nfolds = 2\ngap = "0d"\ncalibrate = "none"\nlearner = "Logistic()"\ncomparators = ["BaseRate()"]'
    folder = school(
        study=(
            ('groups = ["sex"]', f'groups = ["sex"]\n\n{model}\n\n[advice]\nas_of = 2020-01-01'),
            ("between = [2019-02-01, 2019-06-01]", "between = [2019-01-01, 2019-12-01]"),
            ('within = "90d"', 'within = "30d"'),
        ),
        exclusions=re.sub(r"(2019-\d\d)-12,2,2019-12-20", r"\1-12,2,\1-13", good_exclusions),
    )
    at_once = [
        subprocess.Popen(command.words("run", folder), stdout=-1, stderr=-1, text=True)  # type: ignore[attr-defined]  # as above
        for _ in range(2)
    ]
    said = [(process.communicate(timeout=120), process.returncode) for process in at_once]
    assert sorted(code for _, code in said) == [0, 3], said
    assert "store-busy" in next(error for (_, error), code in said if code == 3)

    assert command("approval", "draft", folder).returncode == 0
    approval = folder / "approval.toml"
    text = approval.read_text().replace('"pending"', '"approved"').replace("= []", '= ["chair"]')
    text = text.replace('conditions = ""', 'conditions = "none"')
    for name, day in (("decided_on", "2026-01-01"), ("valid_from", "2026-01-02"), ("valid_until", "2999-01-01")):
        text = re.sub(rf"# {name} = \S+", f"{name} = {day}", text)
    approval.write_text(text)
    assert command("approval", "sign-off", folder).returncode == 0
    ended = finished(command, folder)  # real people, and the cohort asks again in a month
    assert "No advisory list: Found scores that were valid until 2020-02-01" in ended.stdout
    assert not (folder / "run" / "advice").exists()
    study = folder / "study.toml"
    study.write_text(study.read_text().replace("as_of = 2020-01-01", "as_of = 2099-01-01"))
    assert "[data-too-old]" in finished(command, folder).stdout

    refused(command("run", folder, "--cards", folder), 3, "place-taken", "not overwritten")
    assert study.exists()
    refused(command("run", folder, "--tracking-uri", "nonsense://x"), 2, "tracking-refused")
    refused(command("run", folder, "--tracking-uri", "postgresql://me:word@x/y"), 2, "tracking-password", "PGPASSWORD")
    (folder / "run" / "received" / "events.parquet").write_bytes(b"PAR1")
    shutil.rmtree(folder / "run" / "histories")
    refused(command("run", folder), 6, "result-altered", "remove the folder 'received'")
    (folder / "data" / "exclusions.csv").unlink()
    refused(command("run", folder), 3, "exclusions.csv", "file-missing")

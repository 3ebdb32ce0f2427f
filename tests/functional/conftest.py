"""A tiny study of a charity and a school, in files that a test may break, and a way to call the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest

ROOT = Path(__file__).parents[2]
CONTRACT = """
agency = "school"
title = "School"
controller = "The school"
legal_regime = "UK GDPR"
date_format = "%Y-%m-%d"

[feeds.people]
holds = "people"
file = "pupils"
key = ["pupil"]

[feeds.people.columns]
pupil = { type = "text", means = "person_key", required = true }
name = { type = "text", means = "given_name" }
born = { type = "date", means = "birth_date" }
recorded = { type = "date", means = "recorded_at", required = true }

[feeds.events]
holds = "events"
file = "exclusions"
key = ["ref"]

[feeds.events.columns]
ref = { type = "text", means = "event_key", required = true }
pupil = { type = "text", means = "person_key", required = true }
what = { type = "code", means = "kind", codes = "what", required = true }
from = { type = "date", means = "happened_at", required = true }
to = { type = "date", means = "ended_at" }
days = { type = "number", means = "value", at_least = 0 }
recorded = { type = "date", means = "recorded_at", required = true }

[codes.what]
X = "exclusion"
"""
PUPILS = "pupil,name,born,recorded\n" + "".join(
    f"p{number},Zoltrix{number},20{number % 8 + 2:02d}-05-01,2018-01-01\n" for number in range(20)
)
EXCLUSIONS = "ref,pupil,what,from,to,days,recorded\n" + "".join(
    f"e{number},p{number % 20},X,2019-{number % 12 + 1:02d}-10,2019-{number % 12 + 1:02d}-12,2,2019-12-20\n"
    for number in range(40)
)


ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("RISKMODEL", "MLFLOW"))} | {
    "COLUMNS": "120"
}


class Forks:
    """The process that forks for each command (`forks.py`)."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None

    def run(
        self, *given: object, cwd: Path, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command there and wait for it."""
        words = [str(word) for word in given]
        if self.process is None:
            server = [sys.executable, str(Path(__file__).with_name("forks.py"))]
            self.process = subprocess.Popen(server, stdin=-1, stdout=-1, text=True, env=ENVIRONMENT)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with NamedTemporaryFile("r+") as stdout, NamedTemporaryFile("r+") as stderr:
            asked = {"words": words, "cwd": str(cwd), "env": environment or ENVIRONMENT}
            asked |= {"stdout": stdout.name, "stderr": stderr.name}
            print(json.dumps(asked), file=self.process.stdin, flush=True)
            code = int(self.process.stdout.readline())
            return subprocess.CompletedProcess(words, code, stdout.read(), stderr.read())

    def close(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.communicate()


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """One such process for this test process."""
    made = Forks()
    yield made
    made.close()


class Command:
    """The command line as a user has it: a process with an exit code and two streams."""

    def __init__(self, folder: Path, forks: Forks) -> None:
        self.folder, self.forks = folder, forks
        self.environment = dict(ENVIRONMENT)

    def __call__(self, *words: object) -> subprocess.CompletedProcess[str]:
        return self.forks.run(*words, cwd=self.folder, environment=self.environment)

    def words(self, *words: object) -> list[str]:
        """The words that start the command without the help of a process that is there already."""
        return [sys.executable, "-m", "riskmodel.cli", *map(str, words)]


@pytest.fixture
def command(tmp_path: Path, forks: Forks) -> Command:
    return Command(tmp_path, forks)


@pytest.fixture
def good_exclusions() -> str:
    """The forty good rows of the exclusions file, with their heading."""
    return EXCLUSIONS


@pytest.fixture
def school(tmp_path: Path) -> Callable[..., Path]:
    """Writes the study; keywords replace the content of a file (pupils, exclusions, contract) or words of the study."""

    def write(study: tuple[tuple[str, str], ...] = (), **files: str | bytes) -> Path:
        folder = tmp_path / "school"
        (folder / "contracts").mkdir(parents=True)
        (folder / "data").mkdir()
        text = _study()
        for old, new in study:
            assert old in text
            text = text.replace(old, new)
        (folder / "study.toml").write_text(text, encoding="utf-8")
        (folder / "contracts" / "school.toml").write_text(str(files.get("contract", CONTRACT)), encoding="utf-8")
        for name, content in (("pupils", PUPILS), ("exclusions", EXCLUSIONS)):
            given = files.get(name, content)
            (folder / "data" / f"{name}.csv").write_bytes(given if isinstance(given, bytes) else given.encode())
        return folder

    return write


def _study() -> str:
    quickstart = (ROOT / "experiments" / "quickstart" / "study.toml").read_text(encoding="utf-8")
    card = quickstart[quickstart.index("[card]") :]
    return f"""
[study]
name = "school"
title = "A tiny study"
date = 2026-11-23

[purpose]
name = "tiny"
statement = "To test."
lawful_basis = "Nobody is real."
controllers = ["school"]
fields = ["given_name", "birth_date", "value", "ended_at"]
expires = 2036-01-01

[feeds]
folder = "data"
contracts = "contracts"
received_at = 2020-01-01T00:00:00
covers = [2018-01-01, 2020-01-01]

[linkage]
method = "shared_key"

[cohort]
every = "1m"
between = [2019-02-01, 2019-06-01]

[outcome]
kind = "exclusion"
within = "90d"

[features]
known = ["age()", 'count("exclusion")']
groups = ["sex"]

[audit]
by = ["sex"]

{card}"""

"""A tiny study of a charity and a school, in files that a test may break, and a way to call the command line."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
    "COLUMNS": "120",
    "SOURCE_DATE_EPOCH": "1796083200",  # a card says when it was made
}


class Forks:
    """The process that forks for each command (`forks.py`); one command at a time."""

    def __init__(self) -> None:
        server = [sys.executable, str(Path(__file__).with_name("forks.py"))]
        self.process = subprocess.Popen(server, stdin=-1, stdout=-1, text=True, env=ENVIRONMENT)

    def run(
        self, *given: object, cwd: Path, environment: dict[str, str] | None = None, stopped: Stopped | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command and wait for it; `stopped` sends it a signal when it says what it waits for."""
        words = [str(word) for word in given]
        with NamedTemporaryFile("r+") as stdout, NamedTemporaryFile("r+") as stderr:
            asked = {"words": words, "cwd": str(cwd), "env": environment or ENVIRONMENT}
            asked |= {"stdout": stdout.name, "stderr": stderr.name}
            assert self.process.stdin is not None
            print(json.dumps(asked), file=self.process.stdin, flush=True)
            process = self._answer()
            if stopped is not None:
                stopped(process, Path(stderr.name))
            return subprocess.CompletedProcess(words, self._answer(), stdout.read(), stderr.read())

    def _answer(self) -> int:
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())

    def close(self) -> None:
        """End it."""
        self.process.communicate()


@dataclass(frozen=True)
class Stopped:
    """A signal for a command, some seconds after it said on its error stream that a stage has begun."""

    stage: str
    number: signal.Signals
    delay: float = 0.0

    def __call__(self, process: int, stderr: Path) -> None:
        while f"] {self.stage}: started\n" not in stderr.read_text():
            os.kill(process, 0)  # refused when it has ended
            time.sleep(0.01)
        time.sleep(self.delay)
        os.kill(process, self.number)


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

    def __call__(self, *words: object, stopped: Stopped | None = None) -> subprocess.CompletedProcess[str]:
        return self.forks.run(*words, cwd=self.folder, environment=self.environment, stopped=stopped)

    def words(self, *words: object) -> list[str]:
        """The words that start the command without the help of a process that is there already."""
        return [sys.executable, "-m", "riskmodel.cli", *map(str, words)]


@pytest.fixture
def command(tmp_path: Path, forks: Forks) -> Command:
    return Command(tmp_path, forks)


@pytest.fixture
def stopped() -> type[Stopped]:
    """What stops a command in a stage."""
    return Stopped


@dataclass(frozen=True)
class Ran:
    """A finished run: its study, its results, and what it said."""

    study: Path
    store: Path
    cards: Path
    said: str


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory, forks: Forks) -> Ran:
    """The quickstart with 2,000 people, approved, so that there is an advisory list too."""
    study = tmp_path_factory.mktemp("names") / "quickstart"
    study.mkdir()
    text = (ROOT / "experiments" / "quickstart" / "study.toml").read_text(encoding="utf-8")
    (study / "study.toml").write_text(re.sub(r"people = [\d_]+", "people = 2_000", text, count=1), encoding="utf-8")
    first = forks.run("run", study, cwd=study.parent)
    assert first.returncode == 0, first.stderr
    drafted = forks.run("approval", "draft", study, cwd=study.parent)
    assert drafted.returncode == 0, drafted.stderr
    approval = study / "approval.toml"
    text = approval.read_text().replace('"pending"', '"approved"').replace("= []", '= ["chair"]')
    text = text.replace('conditions = ""', 'conditions = "none"')
    for name, day in (("decided_on", "2026-01-01"), ("valid_from", "2026-01-02"), ("valid_until", "2999-01-01")):
        text = re.sub(rf"# {name} = \S+", f"{name} = {day}", text)
    approval.write_text(text)
    signed = forks.run("approval", "sign-off", study, cwd=study.parent)
    assert signed.returncode == 0, signed.stderr
    second = forks.run("run", study, cwd=study.parent)
    assert "Advisory list for" in second.stdout, second.stdout + second.stderr
    said = "".join(done.stdout + done.stderr for done in (first, drafted, signed, second))
    return Ran(study, study / "run", study / "model_cards" / "quickstart", said)


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

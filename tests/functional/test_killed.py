"""A run killed with -9 in every stage, one after another, ends with the same bytes as one that nobody touched."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STAGES = (
    "deliver",
    "receive",
    "link",
    "assemble",
    "training set",
    "fit",
    "audit",
    "footing",
    "explain",
    "card",
    "record",
)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The quickstart with fewer people."""
    folder = tmp_path / "quickstart"
    folder.mkdir()
    text = (ROOT / "experiments" / "quickstart" / "study.toml").read_text(encoding="utf-8")
    (folder / "study.toml").write_text(re.sub(r"people = [\d_]+", "people = 3_000", text, count=1), encoding="utf-8")
    return folder


def kill_in(stage: str, words: list[str], environment: dict[str, str], delay: float) -> None:
    """Start the command and kill it without warning, shortly after it says that the stage has begun."""
    process = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment)
    assert process.stderr is not None
    for line in process.stderr:
        if line.endswith(f"] {stage}: started\n"):
            time.sleep(delay)
            break
    process.kill()
    process.stderr.close()
    assert process.wait(timeout=60) == -9, f"the run ended before it could be killed in {stage}"


def bytes_of(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_killed_in_every_stage_and_run_again(
    small: Path, tmp_path: Path, command: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    command.environment["SOURCE_DATE_EPOCH"] = "1796083200"  # the card says when it was made

    def options(name: str) -> list[object]:
        return ["run", small, "--store", tmp_path / name, "--cards", tmp_path / f"{name}-card"]

    for number, stage in enumerate(STAGES):
        kill_in(stage, command.words(*options("killed")), command.environment, delay=0.02 + 0.07 * (number % 3))
        assert not list((tmp_path / "killed").glob("card/.partial*"))
    taken_up = command(*options("killed"))
    assert taken_up.returncode == 0, taken_up.stderr
    untouched = command(*options("untouched"))
    assert untouched.returncode == 0, untouched.stderr

    fingerprints = [json.loads((tmp_path / name / "fingerprints.json").read_text()) for name in ("killed", "untouched")]
    assert fingerprints[0] == fingerprints[1]
    assert len(fingerprints[0]) == 9
    assert bytes_of(tmp_path / "killed-card") == bytes_of(tmp_path / "untouched-card")
    assert not list((tmp_path / "killed").glob(".partial*"))
    again = command(*options("killed"))
    assert again.stderr.count("kept") >= len(STAGES) - 1, again.stderr
    shutil.rmtree(tmp_path / "killed")

"""A run killed with -9 in one stage after another ends with the same bytes as one that nobody touched."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

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
FEW = ("receive", "training set", "fit", "record")


def bytes_of(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


@pytest.mark.slow
@pytest.mark.parametrize("stages", [FEW, pytest.param(STAGES, marks=pytest.mark.nightly)], ids=["four", "all"])
def test_killed_and_run_again(ran: Any, tmp_path: Path, command: Any, stopped: Any, stages: tuple[str, ...]) -> None:
    small, killed, cards = tmp_path / "quickstart", tmp_path / "killed", tmp_path / "card"
    small.mkdir()
    shutil.copy(ran.study / "study.toml", small)
    words = ("run", small, "--store", killed, "--cards", cards)
    for number, stage in enumerate(stages):
        begun = stopped(stage, signal.SIGKILL, delay=0.02 + 0.07 * (number % 3))
        assert command(*words, stopped=begun).returncode == -signal.SIGKILL
        assert not list(killed.glob("card/.partial*"))
    taken_up = command(*words)
    assert taken_up.returncode == 0, taken_up.stderr

    fingerprints = [json.loads((store / "fingerprints.json").read_text()) for store in (killed, ran.store)]
    assert fingerprints[0] == fingerprints[1]
    assert len(fingerprints[0]) == 9
    assert bytes_of(cards) == bytes_of(ran.cards)
    assert not list(killed.glob(".partial*"))
    again = command(*words)
    assert again.stderr.count("kept") >= len(STAGES) - 1, again.stderr
    shutil.rmtree(killed)

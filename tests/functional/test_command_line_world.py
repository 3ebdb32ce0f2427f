"""`riskmodel world` writes a society's deliveries, and refuses one that cannot be in a sentence."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

from riskmodel.feeds.delivery import deliveries_in

Command = Callable[..., subprocess.CompletedProcess[str]]


def test_a_society_is_written_and_listed(command: Command, tmp_path: Path) -> None:
    asked = ("--people", "400", "--seed", "3", "--start", "2018-01-01", "--end", "2020-01-01", "--format", "parquet")
    done = command("world", tmp_path / "out", *asked)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("21 feeds of 9 agencies in 20 files: ")
    listed = deliveries_in(tmp_path / "out")
    assert {one.path.suffix for one in listed} == {".parquet"}
    assert all(pq.read_metadata(one.path).num_rows >= 0 for one in listed)


def test_a_society_that_cannot_be_is_refused(command: Command, tmp_path: Path) -> None:
    done = command("world", tmp_path / "out", "--people", "6", "--setting", "atlantis")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "a whole number of at least 200" in done.stderr
    assert "district or leeds" in done.stderr

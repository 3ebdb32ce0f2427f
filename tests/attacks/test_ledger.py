"""Attacks on the ledger as a whole; those on single lines stand in tests/unit/governance/test_ledger.py."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from typer.testing import CliRunner

from riskmodel.cli import app
from riskmodel.errors import EvidenceError
from riskmodel.governance.ledger import Head, Ledger, verify
from riskmodel.tracking import database
from riskmodel.tracking.library import Param


def note_in_mlflow(store: Path, head: Head) -> None:
    """What recording a run writes of the ledger."""
    with database.opened(store, None) as client:
        run = client.create_run(database.experiment(client, "study", store, None))
        values = {f"ledger.{name}": str(value) for name, value in asdict(head).items()}
        client.log_batch(run.info.run_id, params=[Param(name, value) for name, value in values.items()])


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store whose ledger has ten entries, the seventh of which MLflow knows."""
    ledger = Ledger(tmp_path / "ledger.jsonl")
    for number in range(10):
        ledger.append("read", rows=number)
        if number == 6:
            note_in_mlflow(tmp_path, ledger.head())
    return tmp_path


def verified(store: Path) -> tuple[int, str]:
    made = CliRunner().invoke(app, ["ledger", "verify", str(store / "ledger.jsonl")])
    return made.exit_code, made.output


@pytest.mark.slow
def test_attack_ledger_and_anchor_replaced_together(store: Path) -> None:
    """Both files agree with each other; what MLflow noted agrees with neither."""
    code, said = verified(store)
    assert (code, "1 heads noted in MLflow, the last at entry 7" in said) == (0, True)
    forged = Ledger(store / "forged.jsonl")
    for number in range(10):
        forged.append("read", rows=number)
    for end in ("", ".head"):
        shutil.move(f"{forged.path}{end}", f"{store / 'ledger.jsonl'}{end}")
    assert verify(store / "ledger.jsonl").holds  # the folder alone cannot show it
    code, said = verified(store)
    assert code != 0
    assert "head-not-found" in said


@pytest.mark.slow
def test_attack_cut_back_to_before_a_run_with_a_new_anchor(store: Path) -> None:
    path = store / "ledger.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:5]))
    last = list(Ledger(path).entries())[-1]
    (store / "ledger.jsonl.head").write_text(f"{Head(last.number, last.hash)}\n")
    assert verify(path).holds
    assert verified(store)[0] != 0


def test_attack_a_link_to_another_ledger(tmp_path: Path) -> None:
    """The anchor stays where it was: a ledger swapped for a link to a cleaner one does not fit it."""
    for name in ("own", "clean"):
        (tmp_path / name).mkdir()
        for number in range(3):
            Ledger(tmp_path / name / "ledger.jsonl").append("read", rows=number, of=name)
    own = tmp_path / "own" / "ledger.jsonl"
    own.unlink()
    own.symlink_to(tmp_path / "clean" / "ledger.jsonl")
    assert [fault.code for fault in verify(own).faults] == ["ledger-end-altered"]
    with pytest.raises(EvidenceError, match="ledger-end-altered"):
        Ledger(own).append("read")


WRITER = """
import sys
from pathlib import Path
from riskmodel.governance.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]))
print("ready", flush=True)
while True:
    ledger.append("read", writer=int(sys.argv[2]))
"""


def test_attack_killing_half_of_sixteen_writers_in_the_middle(tmp_path: Path) -> None:
    """kill -9 for eight of sixteen while all write; the chain holds, and the next entry follows the last."""
    path = tmp_path / "ledger.jsonl"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(name)], stdout=subprocess.PIPE)
        for name in range(16)
    ]
    try:
        for each in writers:
            assert each.stdout is not None
            assert each.stdout.readline() == b"ready\n"
        for each in writers[:8]:
            os.kill(each.pid, signal.SIGKILL)
            each.wait()
            assert not {fault.code for fault in verify(path).faults} - {"line-torn"}
    finally:
        for each in writers:
            each.kill()
            each.wait()
            assert each.stdout is not None
            each.stdout.close()
    Ledger(path).append("read", writer=-1)
    found = verify(path)
    assert found.holds, str(found)
    assert {entry.facts["writer"] for entry in Ledger(path).entries() if entry.action == "read"} >= {-1}

"""What the board says holds for a model that MLflow serves, from the next request on: approved, withdrawn."""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from riskmodel.board import acts
from riskmodel.board.acts import Desk
from riskmodel.board.motions import motions
from riskmodel.governance.decisions import decision_in
from riskmodel.governance.ledger import Ledger
from riskmodel.tracking import database

Sit = Callable[[str], Desk]
TODAY = dt.datetime.now(dt.UTC).date()
PATIENCE = 120.0


@pytest.fixture
def served(store: Path) -> Iterator[str]:
    """``mlflow models serve`` of the registered model, on a free port of loopback, in a process of its own."""
    with socket.socket() as asking:
        asking.bind(("127.0.0.1", 0))
        port = asking.getsockname()[1]
    words = [
        *(sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", "models:/early-support@candidate"),
        *("--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)),
    ]
    at = {"MLFLOW_TRACKING_URI": f"sqlite:///{store / database.DATABASE}", "MLFLOW_DISABLE_TELEMETRY": "true"}
    log = store.parent / "served.log"
    with log.open("w") as into:
        process = subprocess.Popen(
            words, cwd=store.parent, stdout=into, stderr=into, env=os.environ | at, start_new_session=True
        )
        try:
            until = time.monotonic() + PATIENCE
            while time.monotonic() < until and process.poll() is None:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=2).close()
                    break
                except OSError:
                    time.sleep(0.3)
            yield f"http://127.0.0.1:{port}/invocations"
        finally:
            os.killpg(process.pid, 15)
            process.wait(30)


def asked(address: str, case: Any, store: Path) -> tuple[int, Any]:
    """Ask for advice on three made-up rows under what the board said last; the status, and advice or the refusal."""
    ledger = Ledger(store / "ledger.jsonl")
    said = decision_in(store, ledger, case.model.fingerprint, case.purpose.name)
    days = {"as_of": str(TODAY), "delivered_until": str(TODAY), "asked_by": "analyst"}
    under = {"approval": "" if said is None else str(said), "ledger": str(ledger.path), **days}
    names = list(case.model.feature_names)
    rows = {"columns": names, "data": [[float(row)] * len(names) for row in (1, 2, 3)]}
    body = json.dumps({"dataframe_split": rows, "params": under}).encode()
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)["predictions"]
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)["stack_trace"].strip().splitlines()[-1]


@pytest.mark.nightly
def test_a_withdrawal_stops_a_served_model_at_its_next_request(served: str, desk: Sit, case: Any, store: Path) -> None:
    assert asked(served, case, store)[0] == 400
    acts.submit(desk("c.clerk"), "Please decide on this.")
    dates = {"valid_from": TODAY, "valid_until": TODAY + dt.timedelta(days=60)}
    acts.propose(desk("h.chair"), "approve", "Seen and thought about.", today=TODAY, **dates)
    member = desk("m.member")
    (motion,) = motions(member.shelf, member.card)
    acts.vote(member, motion.id, "Seen and thought about.", in_favour=True, today=TODAY)
    status, advice = asked(served, case, store)
    assert (status, [0 < row["probability"] < 1 for row in advice]) == (200, [True] * 3)
    acts.withdraw(desk("h.chair"), "A complaint was upheld.", TODAY)
    status, refusal = asked(served, case, store)
    assert status == 400
    assert refusal.startswith("riskmodel.errors.NotPermitted: Found an approval whose decision is 'withdrawn';")
    assert refusal.endswith("[approval-withdrawn]")
    entry = list(Ledger(store / "ledger.jsonl").entries())[-1]
    assert (entry.action, entry.facts["code"]) == ("refused", "approval-withdrawn")

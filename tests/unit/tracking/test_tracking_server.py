"""The same record on a tracking server whose database is PostgreSQL: recorded, approved, loaded, refused."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import sync_playwright

from riskmodel import tracking
from riskmodel.errors import NotPermitted
from riskmodel.governance.approvals import Approval
from riskmodel.governance.decisions import decide, decision_in
from riskmodel.governance.ledger import Ledger
from riskmodel.tracking.pages import where_to_look
from riskmodel.tracking.registry import Registry

Finished = Any  # the class is in conftest, which tests do not import
TODAY = dt.date.today()
DAYS = {"as_of": "2026-01-01", "delivered_until": "2026-01-01"}
PATIENCE = 120.0


@pytest.fixture(scope="module")
def server(postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """``mlflow server`` on a free port of loopback, its tables in PostgreSQL, its artefacts in a folder."""
    import socket

    folder = tmp_path_factory.mktemp("mlflow-server")
    with socket.socket() as asking:
        asking.bind(("127.0.0.1", 0))
        port = asking.getsockname()[1]
    words = [
        *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        *("--backend-store-uri", postgresql.replace("postgresql://", "postgresql+psycopg://")),
        *("--artifacts-destination", (folder / "artefacts").as_uri()),
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    environment |= {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            words, cwd=folder, stdout=log, stderr=log, env=environment, start_new_session=True
        )  # fmt: skip
        address = f"http://127.0.0.1:{port}"
        try:
            _wait_for(f"{address}/health", process, folder / "log")
            yield address
        finally:
            os.killpg(process.pid, 15)
            process.wait(30)


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"mlflow server did not answer: {log.read_text()[-2000:]}")


@pytest.mark.slow
def test_recorded_approved_and_loaded_through_a_server(
    server: str, finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = tmp_path / "run"
    made = tracking.record(store, **finished.given(), tracking_uri=server)
    assert made.tracking_uri == server
    assert list(store.iterdir()) == []  # the server keeps it all
    assert tracking.record(store, **finished.given(), tracking_uri=server).made is False
    registry, ledger = Registry(server), Ledger(store / "ledger.jsonl")
    (version,) = registry.versions("small")
    assert registry.card(version)["fingerprint"] == version.card
    groups = registry.groups(version)
    assert groups is not None
    assert groups["rows"]
    assert registry.aliases("small") == {"candidate": 1}
    approval = Approval(
        finished.model.fingerprint,
        version.card,
        "early-support",
        "approved",
        ("chair",),
        TODAY,
        TODAY,
        TODAY + dt.timedelta(days=1),
        "none",
    )
    decide(approval, store, ledger)
    registry.follow("small", ledger, TODAY)
    assert registry.aliases("small") == {"candidate": 1, "approved": 1}
    loaded = tracking.load_for_scoring("models:/small@approved", server)
    rows = pd.DataFrame(finished.training.matrix()[:5], columns=list(finished.model.feature_names)).astype(float)
    with pytest.raises(NotPermitted, match="approval-missing"):
        loaded.predict(rows)
    path = decision_in(store, ledger, finished.model.fingerprint, "early-support")
    under = {"approval": str(path), "ledger": str(ledger.path), **DAYS}
    assert loaded.predict(rows, params=under)["probability"].between(0, 1).all()
    registry.follow("small", ledger, TODAY + dt.timedelta(days=1))
    assert registry.aliases("small") == {"candidate": 1}


@pytest.mark.slow
def test_the_address_that_is_printed_opens_on_trained_models_in_a_browser_that_was_never_there(
    server: str, finished: Finished, tmp_path: Path
) -> None:
    made = tracking.record(tmp_path / "run", **finished.given(), tracking_uri=server)
    address = where_to_look(made.tracking_uri, made.page).removeprefix("In MLflow: ")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(address)
        page.get_by_role("heading", name="Datasets").wait_for()  # the page of the run, with its figures
        links = page.get_by_role("link").all_inner_texts()
        browser.close()
    assert {"Runs", "Models", "Model registry"} <= set(links)
    assert not {"Judges", "Sessions", "Prompts", "Playground"} & set(links)

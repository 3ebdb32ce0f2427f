"""How long each page of the reading room takes on a registry of 1,000 models.

    python benchmarks/board/pages.py [--models 1000] [--times 15]

A small card is recorded once, with its model; copies of it (another title and fingerprint each) are registered with
runs of their own in the same MLflow database, and the ledger gets submissions, decisions and lists. The pages are asked
for over HTTP from a server in another thread, each model's card for the first time.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import httpx

from riskmodel.board.pages import ready_to_draw
from riskmodel.board.serve import prepared
from riskmodel.cards.model_card import ModelCard
from riskmodel.governance.ledger import Ledger
from riskmodel.governance.standings import BOARD, SUBMITTED
from riskmodel.tracking.cards import about
from riskmodel.tracking.library import MlflowClient
from riskmodel.tracking.registry import Registry

ROOT = Path(__file__).parents[2]
TARGET = 300.0


def case_module() -> ModuleType:
    """What makes the small partnership."""
    spec = spec_from_file_location("board_case", ROOT / "tests" / "browser" / "case.py")
    assert spec is not None
    assert spec.loader is not None
    sys.modules["board_case"] = module_from_spec(spec)
    spec.loader.exec_module(sys.modules["board_case"])
    return sys.modules["board_case"]


def copied(store: Path, card: Path, models: int) -> None:
    """Register copies of the recorded model, each with a run and a card of its own."""
    address = f"sqlite:///{store / 'mlflow.db'}"
    client = MlflowClient(tracking_uri=address, registry_uri=address)
    (first,) = Registry(address).versions()
    experiment = client.get_run(first.run_id).info.experiment_id
    groups = Path(client.download_artifacts(first.run_id, "tables/groups.json", str(store)))
    ledger = Ledger(store / "ledger.jsonl")
    document = ModelCard.load(card).document
    for number in range(1, models):
        made = ModelCard.from_document({**document, "title": f"Early support, area {number}"})
        folder = store / "copy"
        folder.mkdir(exist_ok=True)
        (folder / "card.json").write_text(json.dumps(made.document), encoding="utf-8")
        run = client.create_run(experiment)
        client.log_artifact(run.info.run_id, str(folder / "card.json"), "card")
        client.log_artifact(run.info.run_id, str(groups), "tables")
        name = f"early-support-{number}"
        client.create_registered_model(name)
        tags = {**first.tags, **about(folder)}
        client.create_model_version(
            name, f"{run.info.artifact_uri}/model", run_id=run.info.run_id, tags=tags, await_creation_for=0
        )
        if number % 2:
            ledger.append(BOARD, step=SUBMITTED, card=made.fingerprint)
        if number % 4 == 1:
            facts = {"card": made.fingerprint, "model": f"{number:064d}", "purpose": "early-support"}
            ledger.append("approval", approval=f"{number:064x}", decision="approved", valid_from="2026-01-01",
                          valid_until="2027-01-01", roles=2, **facts)  # fmt: skip
            for day in range(5):
                ledger.append("score", approval=f"{number:064x}", list=f"{number}-{day}", people=100,
                              mean_probability=0.1, as_of="2026-02-01")  # fmt: skip


def measured(client: httpx.Client, path: str) -> tuple[float, float]:
    """Milliseconds until the whole page is there: on the clock, and of this process's time, asking included."""
    start, busy = time.perf_counter(), time.process_time()
    answer = client.get(path)
    took = 1000 * (time.perf_counter() - start), 1000 * (time.process_time() - busy)
    assert answer.status_code == 200, (path, answer.status_code)
    return took


def main() -> None:
    """Make the registry, ask for every page, print the medians."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--models", type=int, default=1000)
    arguments.add_argument("--times", type=int, default=15)
    given = arguments.parse_args()
    making = case_module()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        case = making.made(root / "card")
        store = making.recorded(case, root / "early")
        copied(store, case.card, given.models)
        making.furnished(root / "room", [store])
        start = time.perf_counter()
        room = prepared(root / "room", [store])  # as `riskmodel board` does before it opens
        ready_to_draw()
        print(f"ready to open after {time.perf_counter() - start:.1f} s")
        with making.opened(room) as address, httpx.Client(base_url=address, headers={"origin": address}) as client:
            token = client.get("/sign-in").text.split('name="csrf" value="')[1].split('"')[0]
            form = {"csrf": token, "name": "m.member", "password": making.PASSWORD}
            assert client.post("/sign-in", data=form).status_code == 303
            cold, busy = measured(client, "/")
            print(f"registry of {given.models} models; the first page after the start {cold:.0f} ms, of CPU {busy:.0f}")
            print(f"{'page':34} {'median ms':>10} {'slowest ms':>11} {'median CPU ms':>14}")
            pages = {"list": "/", "list, one state, third page": "/?state=reviewed&page=3", "glossary": "/glossary"}
            tabs = {"card": "", "brief": "/brief", "changes": "/changes", "groups": "/groups", "record": "/record",
                    "decide": "/decide", "minutes": "/minutes"}  # fmt: skip
            for name, path in pages.items():
                report(name, [measured(client, path) for _ in range(given.times)])
            for place, (name, tab) in enumerate(tabs.items()):
                numbers = [1 + (place + 7 * each) % (given.models - 1) for each in range(given.times)]
                paths = [f"/models/early/early-support-{number}/1{tab}" for number in numbers]
                report(f"{name}, seen for the first time", [measured(client, path) for path in paths])
            again = "/models/early/early-support-1/1"
            report("card, seen again", [measured(client, again) for _ in range(given.times)])
            wide = [f"/models/early/early-support-{each}/1/finding-3-wide.svg" for each in range(1, given.times + 1)]
            report("one drawing of a card, first time", [measured(client, path) for path in wide])


def report(name: str, taken: list[tuple[float, float]]) -> None:
    """One line."""
    clock, busy = zip(*taken, strict=True)
    median = statistics.median(clock)
    over = "" if median < TARGET else "   over 300 ms"
    print(f"{name:34} {median:10.0f} {max(clock):11.0f} {statistics.median(busy):14.0f}{over}")


if __name__ == "__main__":
    main()

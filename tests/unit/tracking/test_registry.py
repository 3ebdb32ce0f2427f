"""The registry follows the board's record; a model loaded from it advises nobody without an approval in force."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskmodel import tracking
from riskmodel.errors import EvidenceError, NotFound, NotPermitted
from riskmodel.governance.approvals import Approval
from riskmodel.governance.decisions import decide, decision_in
from riskmodel.governance.ledger import Ledger
from riskmodel.governance.standings import BOARD, INTO_USE, SUBMITTED, standings
from riskmodel.tracking import database
from riskmodel.tracking.cards import CARD
from riskmodel.tracking.registry import APPROVAL, STATE, Registry

Finished = Any  # the class is in conftest, which tests do not import
TODAY = dt.date.today()
DAYS = {"as_of": "2026-01-01", "delivered_until": "2026-01-01"}
PLAIN = """
import sys, mlflow, pandas
mlflow.set_tracking_uri(sys.argv[1])
loaded = mlflow.pyfunc.load_model("models:/small@approved")
frame = pandas.DataFrame([[1.0] * len(loaded.metadata.get_input_schema().input_names())],
                         columns=loaded.metadata.get_input_schema().input_names())
try:
    print(loaded.predict(frame))
except Exception as refusal:
    print("refused:", type(refusal).__name__, refusal)
under = {"approval": sys.argv[2], "ledger": sys.argv[3], "as_of": "2026-01-01", "delivered_until": "2026-01-01"}
print(loaded.predict(frame, params=under)["probability"][0])
import riskmodel
print(riskmodel.__file__)
"""


def card_of(folder: Path, finished: Finished, digit: str) -> Path:
    """Another edition of the small card, with a fingerprint of its own."""
    held = json.loads((finished.card / "card.json").read_text())
    folder.mkdir(parents=True)
    (folder / "card.json").write_text(json.dumps({**held, "fingerprint": digit * 64}), encoding="utf-8")
    return folder


def decided(store: Path, finished: Finished, decision: str = "approved", card: str = "c", **change: Any) -> Approval:
    given = {
        "decision": decision,
        "decided_by": ("chair",),
        "decided_on": TODAY,
        "valid_from": TODAY,
        "valid_until": TODAY + dt.timedelta(days=30),
        "conditions": "none",
    }
    made = Approval(finished.model.fingerprint, card * 64, "early-support", **{**given, **change})
    return decide(made, store, Ledger(store / "ledger.jsonl"))


@pytest.fixture
def registry(store: Path, finished: Finished) -> Registry:
    return Registry(tracking.record(store, **finished.given()).tracking_uri)


def test_aliases_move_with_the_record_and_only_with_it(registry: Registry, store: Path, finished: Finished) -> None:
    ledger = Ledger(store / "ledger.jsonl")
    tracking.record(store, **finished.given() | {"card": card_of(store.parent / "second", finished, "d")})

    def after(day: dt.date = TODAY) -> dict[str, int]:
        assert registry.follow("small", ledger, day) == registry.aliases("small")
        return registry.aliases("small")

    assert after() == {"candidate": 1}  # a second version is no candidate before it is put before the board
    ledger.append(BOARD, step=SUBMITTED, card="d" * 64)
    assert after() == {"candidate": 2}
    approval = decided(store, finished)
    assert after() == {"candidate": 2, "approved": 1}
    ledger.append(BOARD, step=INTO_USE, card="c" * 64)
    assert after() == {"candidate": 2, "approved": 1, "in_use": 1}
    first = next(version for version in registry.versions("small") if version.number == 1)
    assert (first.card, first.tags[STATE], first.tags[APPROVAL]) == ("c" * 64, "in_use", approval.fingerprint)
    assert after(TODAY + dt.timedelta(days=30)) == {"candidate": 2}  # the approval has run out
    after()
    decided(store, finished, "withdrawn")
    assert after() == {"candidate": 2, "retired": 1}


def test_an_alias_moved_by_hand_is_found_and_put_back(registry: Registry, store: Path) -> None:
    ledger = Ledger(store / "ledger.jsonl")
    assert registry.strays("small", ledger, TODAY) == {}
    with database.opened(store, None) as client:
        client.set_registered_model_alias("small", "in_use", "1")
    assert registry.strays("small", ledger, TODAY) == {"in_use": 1}
    registry.follow("small", ledger, TODAY)
    assert registry.strays("small", ledger, TODAY) == {}
    assert "in_use" not in registry.aliases("small")


def test_all_models_follow_at_once_as_each_would_alone(registry: Registry, store: Path) -> None:
    ledger = Ledger(store / "ledger.jsonl")
    ledger.append(BOARD, step=SUBMITTED, card="c" * 64)
    with database.opened(store, None) as client:
        client.set_registered_model_alias("small", "in_use", "1")
    registry.follow_all(standings(ledger.entries()), TODAY)
    assert registry.aliases("small") == {"candidate": 1}
    assert registry.versions("small")[0].tags[STATE] == "reviewed"


def test_a_version_is_found_with_its_card_and_audit(registry: Registry, store: Path, finished: Finished) -> None:
    (version,) = registry.versions()
    assert version.tags["riskmodel.purpose"] == "early-support"
    assert version.tags["riskmodel.outcome"] == "violence health"
    assert registry.card(version)["title"] == "Small"
    before = registry.newest_change()
    assert before[:2] == ("small", 1)
    groups = registry.groups(version)
    assert groups is not None
    at_list = {row["capacity"] for row in groups["rows"]}
    assert at_list == {0.1}
    held = {(row["group"], row["metric"]): row for row in groups["rows"]}
    own = finished.audit.figure("sex", "male", "tpr")
    assert held["male", "tpr"]["value"] == own["value"]
    tracking.record(store, **finished.given() | {"card": card_of(store.parent / "second", finished, "d")})
    assert registry.newest_change()[:2] == ("small", 2)
    with database.opened(store, None) as client:
        runs = client.search_runs(
            [client.get_experiment_by_name("small").experiment_id], "tags.`riskmodel.purpose` = 'early-support'"
        )
    assert len(runs) == 2


def test_a_card_changed_in_the_store_is_refused(registry: Registry, store: Path) -> None:
    (version,) = registry.versions()
    (path,) = store.glob("mlartifacts/**/card/card.json")
    path.write_text(path.read_text().replace("c" * 64, "e" * 64))
    with pytest.raises(EvidenceError, match="card-other"):
        registry.card(version)
    path.unlink()
    with pytest.raises(NotFound, match="artefact-missing"):
        registry.card(version)


def frame(finished: Finished) -> pd.DataFrame:
    return pd.DataFrame(finished.training.matrix()[:20], columns=list(finished.model.feature_names)).astype(float)


def test_a_loaded_model_advises_under_an_approval_only(registry: Registry, store: Path, finished: Finished) -> None:
    loaded = tracking.load_for_scoring("models:/small@candidate", registry.address)
    ledger = Ledger(store / "ledger.jsonl")
    rows = frame(finished)

    def given() -> dict[str, str]:
        path = decision_in(store, ledger, finished.model.fingerprint, "early-support")
        return {"approval": str(path), "ledger": str(ledger.path), **DAYS}

    with pytest.raises(NotPermitted, match="approval-missing"):
        loaded.predict(rows)
    decided(store, finished)
    under = given()
    assert np.array_equal(
        loaded.predict(rows, params=under)["probability"], finished.model.predict(rows.to_numpy("f4"))
    )
    with pytest.raises(NotPermitted, match="approval-missing"):
        loaded.predict(rows, params={"approval": under["approval"], **DAYS})
    with pytest.raises(NotPermitted, match="approval-not-recorded"):
        loaded.predict(rows, params={**under, "ledger": str(store / "other.jsonl")})
    decided(store, finished, "withdrawn")
    with pytest.raises(NotPermitted, match="approval-superseded"):
        loaded.predict(rows, params=under)
    with pytest.raises(NotPermitted, match="approval-withdrawn"):
        loaded.predict(rows, params=given())
    decided(store, finished, card="d")
    with pytest.raises(NotPermitted, match="approval-other-card"):
        loaded.predict(rows, params=given())


def test_mlflow_alone_loads_the_model_in_another_process(registry: Registry, store: Path, finished: Finished) -> None:
    ledger = Ledger(store / "ledger.jsonl")
    decided(store, finished)
    registry.follow("small", ledger, TODAY)
    path = decision_in(store, ledger, finished.model.fingerprint, "early-support")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PLAIN, registry.address, str(path), str(ledger.path)],
        capture_output=True, text=True, cwd=store, check=False, env=environment,
    )  # fmt: skip
    lines = said.stdout.splitlines()
    assert lines[0].startswith("refused: NotPermitted Found no approval"), said.stderr
    expected = finished.model.predict(np.ones((1, len(finished.model.feature_names)), np.float32))
    assert float(lines[1]) == expected[0]
    # it ran from the code that lies beside the model: where mlflow is, the package need not be installed
    assert Path(lines[2]).is_relative_to(store / "mlartifacts")
    assert not any((Path(lines[2]).parent / part).exists() for part in ("board", "world", "cli"))


def test_nothing_answers_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="tracking-refused"):
        Registry(f"sqlite:///{tmp_path}").versions()


def test_the_tag_of_the_card_is_the_cards_fingerprint(registry: Registry) -> None:
    assert registry.versions("small")[0].tags[CARD] == "c" * 64
    assert registry.versions("it's other") == []

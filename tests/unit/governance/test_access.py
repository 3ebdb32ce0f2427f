"""The gate: what was made under one purpose cannot be read under another, and the attempt leaves a trace."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from riskmodel.errors import DataRefused, DeclarationError, EvidenceError, NotFound, NotPermitted
from riskmodel.governance.access import Store, connect
from riskmodel.governance.ledger import Ledger, verify
from riskmodel.governance.purposes import Purpose

PURPOSE = Purpose(
    "early-support",
    "To offer help early.",
    "Crime and Disorder Act 1998, section 115",
    ("police", "health"),
    ("birth_date",),
    dt.date(9999, 1, 1),
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with one result of three rows."""
    made = connect(f"duckdb:///{tmp_path / 'run'}", PURPOSE)
    with made.writing("histories", {"made": "from"}) as draft:
        draft.write("events", pa.table({"entity_id": [3, 1, 2]}), ["entity_id"])
    return made


def opened(store: Store, purpose: Purpose) -> Store:
    return connect(f"duckdb:///{store.folder}", purpose)


def actions(store: Store) -> list[tuple[str, object]]:
    return [(entry.action, entry.facts.get("result")) for entry in store.ledger.entries()]


def test_every_write_and_read_is_in_the_ledger(store: Store) -> None:
    assert store.result("histories").table("events").to_pydict() == {"entity_id": [1, 2, 3]}
    assert store.kept("histories", {"made": "from"}) is not None
    assert store.kept("histories", {"made": "otherwise"}) is None
    assert actions(store) == [("write", "histories"), ("read", "histories"), ("read", "histories")]
    facts = next(store.ledger.entries()).facts
    assert facts["purpose"] == "early-support"
    assert facts["fingerprint"] == store.result("histories").fingerprint
    assert verify(store.ledger.path).holds


def test_a_glance_tells_counts_and_is_no_read(store: Store) -> None:
    glance = store.peek("histories")
    assert glance is not None
    assert glance.rows == {"events": 3}
    assert store.peek("model") is None
    assert not hasattr(glance, "table")
    assert actions(store) == [("write", "histories")]


def test_what_was_never_made_is_not_there(store: Store) -> None:
    with pytest.raises(NotFound, match="result-missing"):
        store.result("model")


@pytest.mark.parametrize(
    "other",
    [
        replace(PURPOSE, name="enforcement"),
        replace(PURPOSE, controllers=("police",)),
        replace(PURPOSE, fields=("birth_date", "address")),
    ],
)
def test_attack_reading_under_another_purpose_is_refused_and_leaves_a_trace(store: Store, other: Purpose) -> None:
    stranger = opened(store, other)
    with pytest.raises(NotPermitted, match="purpose-other"):
        stranger.result("histories")
    assert stranger.kept("histories", {"made": "from"}) is None
    last = list(store.ledger.entries())[-1]
    assert last.action == "refused"
    assert last.facts == {"code": "purpose-other", "result": "histories", "purpose": other.name}


def test_a_purpose_worded_anew_or_renewed_is_the_same_purpose(store: Store) -> None:
    renewed = replace(PURPOSE, expires=dt.date(9999, 6, 1), statement="Otherwise.", controllers=("health", "police"))
    assert opened(store, renewed).kept("histories", {"made": "from"}) is not None


def test_attack_reading_under_an_expired_purpose_is_refused_and_leaves_a_trace(store: Store) -> None:
    ended = replace(PURPOSE, expires=dt.date(2000, 1, 1))
    with pytest.raises(NotPermitted, match="purpose-expired"):
        opened(store, ended)
    late = Store(store.folder, ended, Ledger(store.ledger.path))  # opened in time, expired meanwhile
    with pytest.raises(NotPermitted, match="purpose-expired"):
        late.result("histories")
    with pytest.raises(NotPermitted, match="purpose-expired"), late.writing("model", {}):
        pytest.fail("nothing may be written")
    assert [entry.facts["code"] for entry in store.ledger.entries() if entry.action == "refused"] == [
        "purpose-expired"
    ] * 3


def test_attack_another_controllers_rows_are_refused_and_leave_a_trace(store: Store) -> None:
    store.must_cover(["police", "health"])
    with pytest.raises(NotPermitted, match="without housing"):
        store.must_cover(["police", "housing"])
    assert list(store.ledger.entries())[-1].facts["code"] == "controller-not-covered"


def test_attack_a_result_put_there_by_hand_is_of_no_purpose(store: Store) -> None:
    folder = store.folder / "histories"
    (folder / "made_under.json").write_text('{"name": "early-support"}')
    with pytest.raises(EvidenceError, match="purpose-altered"):
        store.result("histories")


def test_nothing_half_written_comes_into_view_or_into_the_ledger(store: Store) -> None:
    def stopped() -> None:
        with store.writing("model", {}) as draft:
            draft.write_document("settings", {"trees": 3})
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        stopped()
    assert store.peek("model") is None
    assert actions(store) == [("write", "histories")]


def test_a_second_opener_leaves_work_in_progress_alone(store: Store) -> None:
    with store.writing("model", {}) as draft:
        draft.write_document("settings", {"trees": 3})
        opened(store, PURPOSE)
    assert store.result("model").document("settings") == {"trees": 3}


def test_what_a_killed_writer_left_is_cleared_away_when_nobody_has_the_folder_open(tmp_path: Path) -> None:
    left = tmp_path / "run" / ".partial-model-1"
    left.mkdir(parents=True)
    url = f"duckdb:///{tmp_path / 'run'}"
    connect(url, PURPOSE)
    assert not left.exists()


@pytest.mark.parametrize("url", ["duckdb://x", "spark:///x", "duckdb:///", "run"])
def test_an_address_that_means_nothing_is_refused(url: str) -> None:
    with pytest.raises(DeclarationError, match="store-address"):
        connect(url, PURPOSE)


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataRefused, match="store-refused"):
        connect(f"duckdb:///{tmp_path / 'file'}", PURPOSE)


def test_a_store_shows_no_rows(store: Store) -> None:
    assert "entity" not in repr(store.result("histories"))

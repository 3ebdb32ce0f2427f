"""Attacks on purposes: another controller's records by every way round the gate that an analyst might try.

What can be refused in the process is refused and written down. Whoever may read the files reads them: the last test
shows that, so that nobody relies on what is not there (see docs/governance.md).
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

import riskmodel as rm
from riskmodel.cohorts.cohort import Cohort
from riskmodel.cohorts.outcome import Outcome
from riskmodel.dates import months
from riskmodel.errors import DeclarationError, EvidenceError, NotPermitted
from riskmodel.features.language import age, count
from riskmodel.governance.access import Store, connect
from riskmodel.governance.grants import Caller, Grant, Grants
from riskmodel.governance.ledger import verify
from riskmodel.governance.purposes import Purpose
from riskmodel.histories.store import Histories

TODAY = dt.date.today()
NARROW = Purpose("support", "To help.", "A law.", ("police",), ("birth_date",), dt.date(9999, 1, 1))
WIDE = replace(NARROW, name="research", controllers=("police", "health"))


def histories_of(store: Store | None = None) -> Histories:
    """Sixty people; police and health have a record of each."""
    rows = [
        {"entity_id": n, "happened_at": dt.datetime(2019, 3, 1), "known_at": dt.datetime(2019, 3, 2), "agency": agency,
         "kind": kind, "event_id": 2 * n + place}
        for n in range(60) for place, (agency, kind) in enumerate([("police", "arson"), ("health", "self_harm")])
    ]  # fmt: skip
    persons = pa.table({"entity_id": range(60), "birth_date": [dt.date(2005, 1, 1)] * 60,
                        "known_at": [dt.datetime(2015, 1, 1)] * 60})  # fmt: skip
    covered = dict.fromkeys(("police", "health"), dt.date(2020, 1, 1))
    made = Histories.of(events=pa.Table.from_pylist(rows), persons=persons, covered_until=covered)
    return made if store is None else replace(made, store=store)


@pytest.fixture
def wide(tmp_path: Path) -> Store:
    """A store of a wider purpose with health's rows in it."""
    store = connect(f"duckdb:///{tmp_path / 'run'}", WIDE)
    with store.writing("histories", {"of": "both"}) as draft:
        draft.write("events", histories_of().events, ["entity_id", "event_id"])
    return store


def refused(store: Store) -> list[object]:
    return [entry.facts.get("code") for entry in store.ledger.entries() if entry.action == "refused"]


def test_attack_a_derived_feature_over_histories_of_a_wider_purpose(wide: Store) -> None:
    """The histories were made under a wider purpose; a feature of health is asked for, then one of any agency."""
    narrow = connect(f"duckdb:///{wide.folder}", NARROW)
    with pytest.raises(NotPermitted, match="purpose-other"):
        narrow.result("histories")
    assert refused(narrow) == ["purpose-other"]
    held = histories_of(narrow)  # smuggled in memory under the narrow store
    with pytest.raises(NotPermitted, match="controller-not-covered"):
        rm.build_training_set(
            held, Cohort(between=("2019-06-01", "2019-12-01"), every=months(3)), Outcome("arson", within=months(1)),
            [age(), count("self_harm", agency="health")], groups=(),
        )  # fmt: skip
    assert refused(narrow) == ["purpose-other", "controller-not-covered"]


def test_attack_the_manifest_says_another_purpose(wide: Store) -> None:
    """The document in a result that says its purpose is changed by hand: it is no longer as it was made."""
    path = wide.folder / "histories" / "made_under.json"
    path.write_text(json.dumps(NARROW.scope()))
    with pytest.raises(EvidenceError, match="purpose-altered"):
        connect(f"duckdb:///{wide.folder}", NARROW).result("histories")


def test_attack_widening_a_purpose_in_memory_is_another_purpose(wide: Store) -> None:
    wider = replace(NARROW, controllers=("police", "health"))  # the narrow name, the wide controllers
    with pytest.raises(NotPermitted, match="purpose-other"):
        connect(f"duckdb:///{wide.folder}", wider).result("histories")


@pytest.mark.parametrize("path", ["../other/run", "/etc", "..", "a/../../b"])
def test_attack_a_study_that_names_a_folder_outside_its_own(path: str, tmp_path: Path) -> None:
    """A study file that names a path outside its folder is refused before anything is read."""
    quickstart = Path(__file__).parents[2] / "experiments" / "quickstart" / "study.toml"
    text = quickstart.read_text().replace("world = { people = 20_000, seed = 2026 }", f'folder = "{path}"')
    (tmp_path / "study.toml").write_text(text)
    with pytest.raises(DeclarationError, match="outside"):
        rm.Study.load(tmp_path)


def grants(level: str, until: dt.date) -> Grants:
    return Grants((Grant("analyst", "support", level, until),))


def test_attack_an_expired_grant_and_one_lengthened_in_memory(tmp_path: Path) -> None:
    with pytest.raises(NotPermitted, match="grant-expired"):
        connect(f"duckdb:///{tmp_path / 'run'}", NARROW, Caller("analyst", grants("rows", TODAY)))
    forged = Caller("analyst", grants("rows", TODAY + dt.timedelta(days=900)))
    store = connect(f"duckdb:///{tmp_path / 'run'}", NARROW, forged)
    assert refused(store) == ["grant-expired"]
    # who writes their own grants in Python is let in: the process cannot know them from the partnership's file


def test_attack_a_role_that_was_never_granted(tmp_path: Path) -> None:
    with pytest.raises(NotPermitted, match="grant-missing"):
        connect(f"duckdb:///{tmp_path / 'run'}", NARROW, Caller("director", grants("scores", dt.date(9999, 1, 1))))


def test_attack_the_clock_set_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A purpose that ended would be in force again for a process whose clock says so; the ledger knows the time."""
    store = connect(f"duckdb:///{tmp_path / 'run'}", NARROW)
    with store.writing("x", {}) as draft:
        draft.write_document("y", {"a": 1})

    class Earlier(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Earlier:
            return cls(2020, 1, 1, tzinfo=tz)

    monkeypatch.setattr("riskmodel.governance.ledger.dt.datetime", Earlier)
    with pytest.raises(NotPermitted, match="clock-set-back"):
        store.result("x")
    monkeypatch.undo()
    assert refused(store) == ["clock-set-back"]
    found = verify(store.ledger.path)
    assert (found.holds, found.backwards) == (True, 1)
    assert "a clock set back 1 time(s)" in str(found)
    assert store.result("x").document("y") == {"a": 1}  # with the clock put right it goes on


def test_what_no_gate_in_the_process_can_stop(wide: Store) -> None:
    """Parquet is read by whoever may read the file, and leaves no trace: file rights, and a store for each purpose."""
    before = wide.ledger.head()
    (path,) = (wide.folder / "histories").glob("events*.parquet")
    assert duckdb.sql(f"SELECT count(*) FROM '{path}' WHERE agency = 'health'").fetchall() == [(60,)]
    assert wide.ledger.head() == before
    page = (Path(__file__).parents[2] / "docs" / "governance.md").read_text()
    assert "leaves no entry" in page
    assert "chmod" in page

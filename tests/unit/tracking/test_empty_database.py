"""Tables of MLflow that are copied are those that MLflow makes, and hold nothing of the study they were made for."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from riskmodel.engines.folders import user_cache
from riskmodel.tracking import database


def rows(place: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(place)) as opened:
        return opened.execute(query).fetchall()


def test_a_second_study_gets_the_same_tables_and_an_experiment_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    databases = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        with database.opened(tmp_path / name, None) as client:
            (default,) = client.search_experiments()
        assert Path(default.artifact_location.removeprefix("file://")).is_relative_to(tmp_path / name)
        databases.append(tmp_path / name / database.DATABASE)
    (kept,) = user_cache().iterdir()
    tables = [rows(place, "SELECT name, sql FROM sqlite_master ORDER BY name") for place in (*databases, kept)]
    assert tables[0] == tables[1] == tables[2]
    assert len(tables[0]) > 50
    assert rows(kept, "SELECT * FROM experiments") == []
    assert rows(databases[0], "SELECT * FROM alembic_version") == rows(databases[1], "SELECT * FROM alembic_version")


def test_a_file_that_is_there_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with database.opened(tmp_path, None) as client:
        client.create_experiment("early-support", artifact_location=str(tmp_path / "artefacts"))
    with database.opened(tmp_path, None) as client:
        assert client.get_experiment_by_name("early-support") is not None
    assert {path.name for path in tmp_path.iterdir()} == {database.DATABASE}

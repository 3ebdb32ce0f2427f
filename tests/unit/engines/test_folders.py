"""A result is there whole or not at all, and is known again by its inputs."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from riskmodel.engines.folders import publish, read_result, sweep, writing
from riskmodel.errors import EvidenceError, NotFound


def _write(root: Path, value: int = 1, inputs: str = "in") -> None:
    with writing(root, "part", inputs) as draft:
        draft.write("rows", pa.table({"a": [3, value]}), order_by=["a"])
        draft.write_document("facts", {"n": value})
        (draft.folder / "free.txt").write_text("free")


def test_a_result_is_read_as_it_was_written(tmp_path: Path) -> None:
    _write(tmp_path)
    result = read_result(tmp_path, "part")
    assert result is not None
    assert result.table("rows")["a"].to_pylist() == [1, 3]
    assert result.document("facts") == {"n": 1}
    assert result.rows == {"rows": 2}
    assert sorted(result.parts) == ["facts.json", "free.txt", "rows.parquet"]
    with pytest.raises(NotFound, match=r"no other\.parquet"):
        result.table("other")


def test_the_fingerprint_is_of_the_content_alone(tmp_path: Path) -> None:
    _write(tmp_path / "a")
    _write(tmp_path / "b", inputs="otherwise")
    _write(tmp_path / "c", value=2)
    a, b, c = (read_result(tmp_path / name, "part") for name in "abc")
    assert a is not None
    assert b is not None
    assert c is not None
    assert a.fingerprint == b.fingerprint != c.fingerprint
    assert a.inputs != b.inputs


def test_a_failed_write_leaves_the_old_result(tmp_path: Path) -> None:
    _write(tmp_path)
    with pytest.raises(AttributeError), writing(tmp_path, "part", "in") as draft:
        draft.write("rows", None, order_by=["a"])
    result = read_result(tmp_path, "part")
    assert result is not None
    assert result.table("rows")["a"].to_pylist() == [1, 3]
    assert [path.name for path in tmp_path.iterdir()] == ["part"]


def test_what_a_killed_process_left_is_swept_away(tmp_path: Path) -> None:
    (tmp_path / ".partial-part-abc").mkdir()
    (tmp_path / ".partial-part-abc" / "rows.parquet").write_text("half")
    assert read_result(tmp_path, "part") is None
    sweep(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_damaged_manifest_is_named(tmp_path: Path) -> None:
    _write(tmp_path)
    (tmp_path / "part" / "manifest.json").write_text("{")
    with pytest.raises(EvidenceError, match="manifest-damaged"):
        read_result(tmp_path, "part")


def test_publishing_replaces_the_folder_with_the_files_asked_for(tmp_path: Path) -> None:
    _write(tmp_path / "store")
    shown = tmp_path / "shown" / "card"
    shown.mkdir(parents=True)
    (shown / "old.txt").write_text("old")
    publish(tmp_path / "store" / "part", shown, ["f*.*"])
    assert sorted(path.name for path in shown.iterdir()) == ["facts.json", "free.txt"]

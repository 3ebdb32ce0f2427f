"""A result is there whole or not at all, and is known again by its inputs."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from riskmodel.engines.folders import alone, publish, read_result, sweep, writing
from riskmodel.errors import DataRefused, DeclarationError, EvidenceError, NotFound


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


def test_the_name_of_the_manifest_is_taken(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match="document-name"), writing(tmp_path, "part", "in") as draft:
        draft.write_document("manifest", {})


def test_a_damaged_manifest_is_named(tmp_path: Path) -> None:
    _write(tmp_path)
    (tmp_path / "part" / "manifest.json").write_text("{")
    with pytest.raises(EvidenceError, match="manifest-damaged"):
        read_result(tmp_path, "part")


def test_publishing_replaces_the_folder_with_the_files_asked_for(tmp_path: Path) -> None:
    _write(tmp_path / "store")
    shown = tmp_path / "shown" / "card"
    shown.mkdir(parents=True)
    (shown / "former.txt").write_text("of the edition before")
    publish(tmp_path / "store" / "part", shown, ["f*.*"])
    assert sorted(path.name for path in shown.iterdir()) == ["facts.json", "free.txt"]


def test_publishing_never_takes_the_place_of_other_files(tmp_path: Path) -> None:
    _write(tmp_path / "store")
    (tmp_path / "letters").mkdir()
    for taken in (tmp_path / "letters" / "mine.txt", tmp_path / "file"):
        taken.write_text("kept")
        with pytest.raises(DataRefused, match="place-taken"):
            publish(tmp_path / "store" / "part", tmp_path / taken.relative_to(tmp_path).parts[0], ["f*.*"])
        assert taken.read_text() == "kept"


def test_a_result_with_a_damaged_or_lost_table_is_refused(tmp_path: Path) -> None:
    _write(tmp_path)
    result = read_result(tmp_path, "part")
    assert result is not None
    table = next(file for file in result.parts if file.endswith(".parquet"))
    (result.folder / table).write_bytes(b"PAR1 and no more")
    with pytest.raises(EvidenceError, match="part-damaged"):
        result.table(table.removesuffix(".parquet"))
    (result.folder / table).unlink()
    with pytest.raises(EvidenceError, match="part-lost"):
        result.table(table.removesuffix(".parquet"))


def test_a_result_that_somebody_has_written_in_is_known(tmp_path: Path) -> None:
    _write(tmp_path)
    result = read_result(tmp_path, "part")
    assert result is not None
    result.must_be_as_made()
    (result.folder / "free.txt").write_text("free, and a remark")
    with pytest.raises(DataRefused, match=r"free\.txt was changed.*Move the folder 'part'.*result-written-in"):
        result.must_be_as_made()


def test_one_run_at_a_time_in_a_folder(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(DataRefused, match="store-busy"), alone(tmp_path):
        pass
    with alone(tmp_path):
        pass

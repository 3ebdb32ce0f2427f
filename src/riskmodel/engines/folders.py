"""Result folders: a result is written to a new place and moved into view when it is whole.

A result is a folder with Parquet tables, JSON documents and free files, and a ``manifest.json`` that says what it
was made from (``inputs``) and the fingerprint of everything in it. A process killed at any moment leaves either the
old result or the new one, never half of one; made again from the same inputs it is found and kept.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from riskmodel.errors import DataRefused, DeclarationError, EvidenceError, NotFound, RiskmodelError
from riskmodel.tables import TableFingerprint, combined_fingerprint, fingerprint_document, ordered

MANIFEST = "manifest.json"
_NOT_FREE = (".parquet", ".json")
"""What tables and documents end with; any other file may be written in by people."""
ROW_GROUP = 1 << 20
"""Rows that Parquet keeps together."""


@dataclass(frozen=True, slots=True)
class Result:
    """A finished result folder.

    Attributes
    ----------
    name : str, such as "received"
    folder : Path
    inputs : str, the fingerprint of what it was made from
    fingerprint : str, over every table, document and file in it
    parts : mapping of part name to fingerprint
    rows : mapping of table name to its number of rows
    """

    name: str
    folder: Path
    inputs: str
    fingerprint: str
    parts: Mapping[str, str]
    rows: Mapping[str, int]

    def table(self, name: str, columns: list[str] | None = None) -> pa.Table:
        """One stored table as Arrow; refuses one that is damaged."""
        path = self.path(f"{name}.parquet")
        try:
            return pq.read_table(path, columns=columns)
        except (pa.ArrowInvalid, OSError) as error:
            raise self._damaged(path, error) from error

    def document(self, name: str) -> Any:
        """One stored JSON document; refuses one that is damaged."""
        path = self.path(f"{name}.json")
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise self._damaged(path, error) from error

    def digest(self) -> str:
        """SHA-256 over the bytes of every table and document; files that people may write in are left out."""
        held = [file for file in sorted(self.parts) if file.endswith(_NOT_FREE)]
        return fingerprint_document({file: _bytes_digest(self.path(file)) for file in held})

    def _damaged(self, path: Path, error: Exception) -> EvidenceError:
        return EvidenceError(
            "part-damaged",
            found=f"{path.name} of the result {self.name!r}, which cannot be read ({type(error).__name__})",
            expected="the file as it was written",
            repair=f"Remove the folder {self.name!r} and run again.",
        )

    def must_be_as_made(self) -> None:
        """Refuse a result into whose free files somebody has written since; replacing it would lose that."""
        changed = [
            file
            for file, stated in sorted(self.parts.items())
            if not file.endswith(_NOT_FREE)
            and (path := self.folder / file).exists()
            and hashlib.sha256(path.read_bytes()).hexdigest() != stated
        ]
        if changed:
            raise DataRefused(
                "result-written-in",
                found=f"the result {self.name!r}, in which {', '.join(changed)} was changed since it was made",
                expected="the files as they were made",
                repair=f"Move the folder {self.name!r} to where such work is kept, then run again.",
            )

    def path(self, file: str) -> Path:
        """The path of one part; refuses one that is not there."""
        path = self.folder / file
        if file in self.parts and not path.exists():
            raise EvidenceError(
                "part-lost",
                found=f"the result {self.name!r} without its {file}",
                expected="every file that its manifest names",
                repair=f"Remove the folder {self.name!r} and run again.",
            )
        if not path.exists():
            raise NotFound(
                "part-missing",
                found=f"no {file} in the result {self.name!r}",
                expected=f"one of {', '.join(sorted(self.parts))}",
                repair="Ask for a part that the result holds, or make the result again.",
            )
        return path


@dataclass(slots=True)
class Draft:
    """A result being written; it comes into view when the ``with`` block ends without an error."""

    folder: Path
    parts: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)

    def write(self, name: str, table: pa.Table, order_by: list[str]) -> None:
        """Store a table sorted by `order_by`."""
        table = ordered(table, order_by) if order_by else table.combine_chunks()
        with self.writing(name, table.schema) as write:
            write(table)

    @contextmanager
    def writing(self, name: str, schema: pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
        """Store a table that comes in parts, in the order in which it is to stand: the same bytes for any parts."""
        found = TableFingerprint(schema)
        with pq.ParquetWriter(
            self.folder / f"{name}.parquet", schema, compression="snappy", write_statistics=True
        ) as writer:
            groups = _Groups(writer)

            def write(part: pa.Table) -> None:
                found.update(part)
                groups.add(part)

            yield write
            groups.close()
        self.parts[f"{name}.parquet"] = found.hexdigest()
        self.rows[name] = found.rows

    def write_document(self, name: str, document: object) -> None:
        """Store a JSON document under a name of its own; "manifest" is the result's."""
        if f"{name}.json" == MANIFEST:
            raise DeclarationError.of(
                "document-name",
                where="result",
                found=f"a document named {name!r}",
                expected="a name that the result itself does not use",
                repair="Choose another name.",
            )
        text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, default=str)
        (self.folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        self.parts[f"{name}.json"] = fingerprint_document(json.loads(text))

    def add_files(self) -> None:
        """Take every other file that was put into the folder into the manifest."""
        for path in sorted(self.folder.rglob("*")):
            part = path.relative_to(self.folder).as_posix()
            if path.is_file() and part not in self.parts:
                self.parts[part] = hashlib.sha256(path.read_bytes()).hexdigest()


class _Groups:
    """Row groups of a fixed size out of parts of any size, as Parquet writes a table that is there as a whole."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self._writer = writer
        self._held: list[pa.Table] = []
        self._rows = 0
        self._written = False

    def add(self, part: pa.Table) -> None:
        self._held.append(part)
        self._rows += part.num_rows
        while self._rows >= ROW_GROUP:
            whole = pa.concat_tables(self._held)
            self._write(whole.slice(0, ROW_GROUP))
            self._held, self._rows = [whole.slice(ROW_GROUP)], self._rows - ROW_GROUP

    def close(self) -> None:
        if self._rows or not self._written:  # a table without rows has one group without rows
            self._write(pa.concat_tables([self._writer.schema.empty_table(), *self._held]))

    def _write(self, group: pa.Table) -> None:
        self._written = True
        self._writer.write_table(group.combine_chunks(), row_group_size=ROW_GROUP)


def _bytes_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, worked out once for a file that has not changed since."""
    held = path.stat()
    return _digest_of(path, held.st_ino, held.st_size, held.st_mtime_ns)


@lru_cache(maxsize=4096)
def _digest_of(path: Path, *state: int) -> str:  # noqa: ARG001 - another state is another file
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_result(root: Path, name: str) -> Result | None:
    """The finished result of that name, or None when there is none."""
    path = root / name / MANIFEST
    if not path.exists():
        return None
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        return Result(
            name, root / name, manifest["inputs"], manifest["fingerprint"], manifest["parts"], manifest["rows"]
        )
    except (ValueError, KeyError, TypeError) as error:
        raise EvidenceError(
            "manifest-damaged",
            found=f"a manifest of {name!r} that cannot be read ({type(error).__name__})",
            expected="the manifest as it was written",
            repair=f"Remove the folder {name!r} and run again.",
        ) from error


@contextmanager
def writing(root: Path, name: str, inputs: str) -> Iterator[Draft]:
    """Write the result `name` aside and move it into view when whole."""
    root.mkdir(parents=True, exist_ok=True)
    aside = root / f".partial-{name}-{uuid.uuid4().hex}"
    aside.mkdir()
    draft = Draft(aside)
    try:
        with refusals_of_the_disk(name):
            yield draft
            draft.add_files()
            manifest = {
                "name": name,
                "inputs": inputs,
                "fingerprint": combined_fingerprint(draft.parts),
                "parts": draft.parts,
                "rows": draft.rows,
            }
            (aside / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", encoding="utf-8")
            _replace(root / name, aside)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def refusals_of_the_disk(name: str) -> Iterator[None]:
    """Say it in a sentence when the disk has no room, or no permission, for what is written of the result `name`."""
    try:
        yield
    except RiskmodelError:  # some refusals are errors of the system, too, and say themselves what they are
        raise
    except OSError as error:
        raise DataRefused(
            "disk-refused",
            found=f"the disk refused to write {name!r} ({error.strerror or 'no room or no permission'})",
            expected="room and permission to write",
            repair="Free some space or choose another folder, then run again: finished stages are kept.",
        ) from error


def publish(folder: Path, to: Path, patterns: Sequence[str]) -> None:
    """Copy a finished folder's files of some name patterns to a place where people look; all of them or none.

    The place is replaced as a whole, so one that holds anything else is refused: nobody's files are lost.

    Raises
    ------
    DataRefused : the place holds other files, is no folder, or cannot be written to
    """
    _must_hold_only(to, patterns)
    aside = to.with_name(f".partial-{to.name}-{uuid.uuid4().hex}")
    try:
        aside.mkdir(parents=True)
        for path in sorted(path for pattern in patterns for path in folder.glob(pattern)):
            shutil.copy2(path, aside)
        _replace(to, aside)
    except OSError as error:
        raise DataRefused(
            "place-refused",
            found=f"the folder {to}, which cannot be written ({error.strerror})",
            expected="room and permission to write",
            repair="Choose another folder, then run again: finished stages are kept.",
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _must_hold_only(to: Path, patterns: Sequence[str]) -> None:
    held = list(to.iterdir()) if to.is_dir() else []
    others = [path for path in held if not any(path.match(pattern) for pattern in patterns)]
    if others or (to.exists() and not to.is_dir()):
        raise DataRefused(
            "place-taken",
            found=f"{to}, which holds {len(others)} other files or folders" if others else f"{to}, which is a file",
            expected=f"a new or empty folder, or one with nothing but {', '.join(patterns)}",
            repair="Choose another folder: what lies there is not overwritten.",
        )


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Be the only run at work in a folder; the kernel lets go of it when we are killed.

    Raises
    ------
    DataRefused : another run is at work there
    """
    mark = os.open(root / ".running", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise DataRefused(
            "store-busy",
            found="another run at work in the same store",
            expected="one run at a time",
            repair="Wait until it has ended, or give this one a store of its own.",
        ) from error
    finally:
        os.close(mark)


def user_cache() -> Path:
    """Where what is made once for a machine is kept, whatever study asked for it; the folder may not be there yet."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "riskmodel"


def sweep(root: Path) -> None:
    """Remove what killed processes left behind."""
    for left in root.glob(".partial-*"):
        shutil.rmtree(left, ignore_errors=True)


def _replace(final: Path, aside: Path) -> None:
    old = final.with_name(f".partial-old-{uuid.uuid4().hex}")
    if final.exists():
        os.rename(final, old)
    os.rename(aside, final)
    shutil.rmtree(old, ignore_errors=True)

"""What people write in the reading room: submissions, questions, answers, motions and votes, in the store's own folder.

Each record is one line that is only ever added, and its hash is in the ledger. A line without its trace counts for
nothing (a writer was killed between the two); a trace without its line stops every further act, because something was
taken out. Reading, judging and adding go on under one lock, so that of two who act at once the second sees the first.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from riskmodel.board.reading import Followed, Lines
from riskmodel.errors import EvidenceError
from riskmodel.governance.standings import BOARD
from riskmodel.tables import fingerprint_document

FILE = Path("board") / "records.jsonl"
Kind = Literal["submitted", "asked", "answered", "proposed", "voted", "decided", "into-use"]


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that somebody wrote.

    Attributes
    ----------
    id : str
    kind : what was done
    card : str, the fingerprint of the card it is about
    at : str, UTC, ISO 8601
    by, role : the account and its role
    holds : mapping, what was written
    """

    id: str
    kind: Kind
    card: str
    at: str
    by: str
    role: str
    holds: dict[str, Any]

    @property
    def day(self) -> str:
        """The day it was written."""
        return self.at[:10]

    @property
    def trace(self) -> str:
        """The hash by which the ledger has it."""
        return fingerprint_document(self.document())

    def document(self) -> dict[str, Any]:
        """The record as JSON."""
        return {name: getattr(self, name) for name in ("id", "kind", "card", "at", "by", "role", "holds")}


@dataclass(slots=True)
class Records:
    """The records of one store.

    Parameters
    ----------
    store : Path, the folder of the store
    followed : Followed, its ledger
    """

    store: Path
    followed: Followed
    _held: dict[str, Record] = field(default_factory=dict)
    _lines: Lines | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Let nobody else write, in this process or another.

        Raises
        ------
        EvidenceError : a record that the ledger has is not there
        """
        path = self.store / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock, path.with_name(".lock").open("w") as mark:
            fcntl.flock(mark, fcntl.LOCK_EX)
            self._must_be_whole()
            yield

    def add(self, kind: Kind, card: str, by: str, role: str, facts: dict[str, str | int], **holds: Any) -> Record:
        """Write one record and its trace; only inside `writing`.

        Parameters
        ----------
        facts : what the ledger's entry says beside the card, the role and the hash
        holds : what was written
        """
        now = dt.datetime.now(dt.UTC).isoformat(timespec="microseconds")
        record = Record(uuid.uuid4().hex, kind, card, now, by, role, holds)
        line = json.dumps(record.document(), sort_keys=True, ensure_ascii=False)
        file = os.open(self.store / FILE, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            torn = os.lseek(file, 0, os.SEEK_END) and os.pread(file, 1, os.lseek(file, 0, os.SEEK_END) - 1) != b"\n"
            os.write(file, (b"\n" if torn else b"") + line.encode() + b"\n")
            os.fsync(file)
        finally:
            os.close(file)
        self.followed.ledger.append(BOARD, step=kind, card=card, role=role, record=record.trace, **facts)
        return record

    def about(self, card: str) -> tuple[Record, ...]:
        """The records on a card that the ledger has, in the order of the ledger."""
        self._read()
        traces = (str(entry.facts.get("record")) for entry in self.followed.about(card))
        return tuple(self._held[trace] for trace in traces if trace in self._held)

    def missing(self) -> int:
        """How many records the ledger has and the file has not."""
        return len(set(self._read()) - set(self._held))

    def _read(self) -> dict[str, Any]:
        """The traces; read before the lines, because a line is there before its trace."""
        with self._lock:
            traces = dict(self.followed.now().traces)
            if self._lines is None:
                self._lines = Lines(self.store / FILE)
            anew, lines = self._lines.added()
            if anew:
                self._held.clear()
            for line in lines:
                try:
                    document = json.loads(line)
                    self._held[fingerprint_document(document)] = Record(**document)
                except (ValueError, TypeError):
                    continue  # a torn line has no trace
            return traces

    def _must_be_whole(self) -> None:
        if gone := self.missing():
            raise EvidenceError(
                "records-missing",
                found=f"{gone} records of the board that the ledger has and the store has not",
                expected="every record as it was written",
                repair="Keep the folder as it is, tell the data protection lead, and restore it from its backup.",
            )

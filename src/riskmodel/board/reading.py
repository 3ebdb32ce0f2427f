"""The ledger of a store as the reading room follows it: read once, and from then on only what was added.

What was read of an append-only file stays as it was. Whenever the file changed, its known part is compared by hash;
when that is not what it was, everything is read again. It is followed, not verified:
`riskmodel.governance.ledger.verify` does that.
"""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from riskmodel.governance.entries import Entry, read_entry
from riskmodel.governance.ledger import Ledger
from riskmodel.governance.standings import BOARD, Standing, follow

KEPT = frozenset({BOARD, "approval", "score", "export", "refused", "review", "corrected"})
"""The actions that the reading room tells of; reads and writes of results are passed over."""


@dataclass(slots=True)
class Lines:
    """The whole lines that were added to a file since it was last asked."""

    path: Path
    _seen: tuple[int, int, int] | None = None
    _at: int = 0
    _before: bytes = b""

    def added(self) -> tuple[bool, list[bytes]]:
        """Whether what was read is no longer there as it was, so that all is read anew, and the lines."""
        seen = _state(self.path)
        if seen == self._seen:
            return False, []
        data = b"" if seen is None else self.path.read_bytes()
        anew = hashlib.sha256(data[: self._at]).digest() != self._before and self._at > 0
        start = 0 if anew else self._at
        whole, _, _ = data[start:].rpartition(b"\n")
        self._at = start + (len(whole) + 1 if whole else 0)
        self._before, self._seen = hashlib.sha256(data[: self._at]).digest(), seen
        return anew, whole.split(b"\n") if whole else []


@dataclass(slots=True)
class Followed:
    """The entries of a ledger that the reading room tells of, up to now.

    Attributes
    ----------
    ledger : Ledger
    entries : list of Entry, in order
    stands : mapping of card fingerprint to where the card stands
    traces : mapping of the hash of a board's record to the entry that has it
    """

    ledger: Ledger
    entries: list[Entry] = field(default_factory=list)
    stands: dict[str, Standing] = field(default_factory=dict)
    traces: dict[str, Entry] = field(default_factory=dict)
    _decided: dict[tuple[object, object], str] = field(default_factory=dict)
    _by_card: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    _lines: Lines | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def now(self) -> Followed:
        """The same, with what was added since."""
        with self._lock:
            if self._lines is None:
                self._lines = Lines(self.ledger.path)
            anew, lines = self._lines.added()
            if anew:
                for held in (self.entries, self.stands, self.traces, self._decided, self._by_card):
                    held.clear()
            for line in lines:
                entry = read_entry(line)
                if entry is not None and entry.action in KEPT:
                    self._take(entry)
        return self

    def standing(self, card: str) -> Standing:
        """Where a card stands."""
        return self.stands.get(card, Standing())

    def about(self, card: str) -> Sequence[Entry]:
        """The board's entries and decisions on a card, in order."""
        return tuple(self._by_card.get(card, ()))

    def _take(self, entry: Entry) -> None:
        self.entries.append(entry)
        follow(entry, self.stands, self._decided)
        if entry.action in (BOARD, "approval"):
            self._by_card[str(entry.facts.get("card"))].append(entry)
            if record := entry.facts.get("record"):
                self.traces[str(record)] = entry


def _state(path: Path) -> tuple[int, int, int] | None:
    """What changes when a file is written to; None when it is not there."""
    try:
        held = path.stat()
    except FileNotFoundError:
        return None
    return held.st_ino, held.st_size, held.st_mtime_ns

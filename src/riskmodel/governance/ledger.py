"""The ledger: append-only, hash-chained; what was read, made, approved and refused. No personal data in it.

Each line holds the hash of the line before, so a line cannot be changed, taken out or moved without breaking the
chain after it. What the chain alone cannot show is a cut at its end; for that the newest number and hash are also
kept in a side file (the anchor), and `Ledger.head` can be written down elsewhere. Someone who may write to the
folder can forge file and anchor together: only a head kept outside the folder shows that.

A process killed in the middle of a line leaves a torn line. The next writer closes it off and writes an entry that
holds its length and hash. A ledger that was cut or changed takes no further entries: it must be looked at first.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from riskmodel.errors import EvidenceError, NotFound, NotPermitted
from riskmodel.governance.entries import START, Entry, Fact, clean_facts, new_entry, read_entry

CLOCK_MAY_ERR = dt.timedelta(hours=1)
"""By how much a clock may be put back before it counts as set back."""
TORN = "torn-line-closed"
"""The action of the entry that closes off what a killed writer left behind."""
_BLOCK = 1 << 14


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry: how many there are, and the hash of the last."""

    number: int = 0
    hash: str = START

    def __str__(self) -> str:
        return f"{self.number:020d} {self.hash}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """Read what ``str(head)`` wrote; refuses anything else."""
        number, _, digest = text.strip().partition(" ")
        if not number.isdecimal() or len(digest) != len(START):
            raise _damaged("ledger-anchor-damaged", "an anchor that cannot be read")
        return cls(int(number), digest)


@dataclass(frozen=True, slots=True)
class Ledger:
    """A file of JSON lines; each line holds the hash of the line before it."""

    path: Path

    def append(self, action: str, **facts: Fact) -> str:
        """Write one entry and return its hash. Facts are names, counts and fingerprints, never a person.

        The entry is on disk when this returns. Safe under many writers, threads and processes alike. Costs the same
        however long the ledger is.

        Raises
        ------
        DeclarationError : a fact is not a short text or a number
        EvidenceError : the ledger's end was cut or changed
        """
        clean = clean_facts(facts, action)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            tail = _tail(file)
            anchor = read_anchor(self.path)
            head = _checked(tail.last, anchor)
            if head != (anchor or Head()):  # a writer was killed between line and anchor; two in a row must not add up
                _write_anchor(self.path, head)
            before = tail.separator
            if tail.torn:
                left: dict[str, Fact] = {"bytes": len(tail.torn), "sha256": hashlib.sha256(tail.torn).hexdigest()}
                head, before = self._write(file, before, head, TORN, left), b""
            return self._write(file, before, head, action, clean).hash

    def head(self) -> Head:
        """Number and hash of the newest entry, to be written down outside the folder (such as on a run or a card)."""
        if not self.path.exists():
            return _checked(None, read_anchor(self.path))
        with self.path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            return _checked(_tail(file).last, read_anchor(self.path))

    def must_not_be_ahead(self) -> None:
        """Refuse to go by a clock that stands before the newest entry: set back, it would lengthen what has ended.

        Raises
        ------
        NotPermitted : the clock is more than an hour behind
        """
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            last = _tail(file).last
        behind = dt.timedelta() if last is None else dt.datetime.fromisoformat(last.at) - dt.datetime.now(dt.UTC)
        if behind > CLOCK_MAY_ERR:
            raise NotPermitted(
                "clock-set-back",
                found=f"a clock that stands {behind.total_seconds() / 3600:,.0f} hours before the newest entry",
                expected="a clock that goes on",
                repair="Put the clock right; where the entry is what is wrong, tell the data protection lead.",
            )

    def entries(self, holding: str = "") -> Iterator[Entry]:
        """Every readable entry in file order, unverified; `verify` says whether they can be relied on.

        Parameters
        ----------
        holding : a fingerprint; only lines in which it stands are read, which is faster
        """
        if self.path.exists():
            for line in self.path.read_bytes().split(b"\n"):
                if holding.encode() in line and (entry := read_entry(line)):
                    yield entry

    def _write(self, file: BinaryIO, before: bytes, head: Head, action: str, facts: Mapping[str, Fact]) -> Head:
        now = dt.datetime.now(dt.UTC).isoformat(timespec="microseconds")
        entry = new_entry(head.number + 1, now, action, facts, head.hash)
        file.write(before + entry.line())
        file.flush()
        os.fsync(file.fileno())
        written = Head(entry.number, entry.hash)
        _write_anchor(self.path, written)
        return written


@dataclass(frozen=True, slots=True)
class LedgerFault:
    """One thing wrong with a ledger: the line of the file (from 1), a stable code, and a sentence."""

    line: int
    code: str
    found: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.found} [{self.code}]"


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` found.

    Attributes
    ----------
    entries : int, entries in an unbroken chain
    head : Head, the last of them
    torn : int, torn lines that were closed off and recorded
    backwards : int, entries whose time lies more than an hour before that of the one before: a clock was set back
    faults : tuple of LedgerFault, empty when the ledger can be relied on
    """

    entries: int
    head: Head
    torn: int
    faults: tuple[LedgerFault, ...]
    backwards: int = 0

    @property
    def holds(self) -> bool:
        """Whether no fault was found."""
        return not self.faults

    def __str__(self) -> str:
        closed = f", {self.torn} torn line(s) closed off" if self.torn else ""
        closed += f", a clock set back {self.backwards} time(s)" if self.backwards else ""
        if self.holds:
            return f"The ledger holds: {self.entries:,} entries{closed}, head {self.head.hash}."
        return "\n".join([f"The ledger does not hold: {len(self.faults)} fault(s).", *map(str, self.faults)])

    def must_hold(self) -> None:
        """Refuse a ledger that has a fault."""
        if self.faults:
            raise EvidenceError(
                "ledger-altered",
                found=f"a ledger with {len(self.faults)} fault(s), the first at {self.faults[0]}",
                expected="an unbroken chain that ends at its anchor",
                repair="Keep the file as it is, tell the data protection lead, and restore it from its backup.",
            )


def verify(path: str | Path, expected: Head | str | Sequence[Head | str] | None = None) -> Verification:
    """Check every line, the chain and its end.

    Parameters
    ----------
    path : the ledger file
    expected : heads written down earlier, or hashes of entries that must be in the chain, one or several; by default
        only the anchor beside the file is used

    Raises
    ------
    NotFound : there is neither a ledger nor an anchor
    """
    path = Path(path)
    if not path.exists() and not _anchor(path).exists():
        raise NotFound(
            "ledger-missing",
            found=f"no ledger {path.name}",
            expected="the ledger of a store",
            repair="Give the path of the file ledger.jsonl in the store's folder.",
        )
    lines, anchor = _at_rest(path)
    chain, torn, faults = _walk(lines)
    last = chain[-1] if chain else None
    try:
        head = _checked(last, _parsed(anchor))
    except EvidenceError as error:
        head = _head_of(last)
        faults.append(LedgerFault(len(lines), error.code, error.found))
    for one in [expected] if isinstance(expected, Head | str) else expected or ():
        faults += _expected_faults(one, chain, len(lines))
    return Verification(len(chain), head, torn, tuple(faults), _backwards(chain))


def read_anchor(path: Path) -> Head | None:
    """The head kept beside the ledger, or None when there is none."""
    return _parsed(_anchor_text(path))


def _at_rest(path: Path) -> tuple[list[bytes], str | None]:
    """The lines and the anchor's text at one moment between two writers."""
    if not path.exists():
        return [], _anchor_text(path)
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        lines = file.read().split(b"\n")
        return (lines[:-1] if lines[-1] == b"" else lines), _anchor_text(path)


def _anchor_text(path: Path) -> str | None:
    anchor = _anchor(path)
    return anchor.read_text(encoding="ascii", errors="replace") if anchor.exists() else None


def _parsed(anchor: str | None) -> Head | None:
    return None if anchor is None else Head.parse(anchor)


def _walk(lines: Sequence[bytes]) -> tuple[list[Entry], int, list[LedgerFault]]:
    """Every readable entry, the number of torn lines that were recorded, and where the chain breaks."""
    chain: list[Entry] = []
    pending: list[bytes] = []
    torn = 0
    faults: list[LedgerFault] = []
    for number, line in enumerate(lines, start=1):
        entry = read_entry(line)
        if entry is None:
            pending.append(line)
            continue
        head = _head_of(chain[-1] if chain else None)
        if pending and _closes(entry, pending):
            torn += len(pending)
        elif pending:
            faults.append(LedgerFault(number - 1, "line-altered", f"{len(pending)} line(s) that are not as written"))
        elif (entry.number, entry.previous) != (head.number + 1, head.hash):
            found = f"entry {entry.number}, which does not follow entry {head.number}"
            faults.append(LedgerFault(number, "chain-broken", found))
        pending = []
        chain.append(entry)
    if pending:
        left = sum(map(len, pending))
        faults.append(LedgerFault(len(lines), "line-torn", f"{left} bytes after the last whole entry, not closed off"))
    return chain, torn, faults


def _backwards(chain: Sequence[Entry]) -> int:
    times = [dt.datetime.fromisoformat(entry.at) for entry in chain]
    return sum(before - after > CLOCK_MAY_ERR for before, after in pairwise(times))


def _closes(entry: Entry, pending: Sequence[bytes]) -> bool:
    left = b"\n".join(pending)
    return entry.action == TORN and entry.facts.get("sha256") == hashlib.sha256(left).hexdigest()


def _expected_faults(expected: Head | str, chain: Sequence[Entry], line: int) -> list[LedgerFault]:
    digest = expected.hash if isinstance(expected, Head) else expected
    known = {START: 0, **{entry.hash: entry.number for entry in chain}}
    if digest not in known or (isinstance(expected, Head) and known[digest] != expected.number):
        return [LedgerFault(line, "head-not-found", "no entry with the hash that was written down earlier")]
    return []


def _head_of(entry: Entry | None) -> Head:
    return Head() if entry is None else Head(entry.number, entry.hash)


def _checked(last: Entry | None, anchor: Head | None) -> Head:
    """The last entry if it agrees with the anchor; one entry past it is a writer killed between line and anchor."""
    head, kept = _head_of(last), anchor or Head()
    if head == kept or (last is not None and (last.number, last.previous) == (kept.number + 1, kept.hash)):
        return head
    if anchor is None:
        raise _damaged("ledger-anchor-missing", f"{head.number} entries and no anchor beside the ledger")
    if head.number < kept.number:
        raise _damaged("ledger-truncated", f"{head.number} entries where the anchor says {kept.number}")
    raise _damaged("ledger-end-altered", f"a last entry {head.number} that is not the anchor's {kept.number}")


@dataclass(frozen=True, slots=True)
class _Tail:
    """The end of the file: the last whole entry, the bytes left after it, and what has to come before the next."""

    last: Entry | None
    torn: bytes
    separator: bytes


def _tail(file: BinaryIO) -> _Tail:
    """Read backwards from the end until a whole entry is found."""
    end = file.seek(0, os.SEEK_END)
    start, data = end, b""
    while start > 0:
        start = max(0, end - max(_BLOCK, 2 * len(data)))
        file.seek(start)
        data = file.read(end - start)
        lines = data.split(b"\n")
        first = 0 if start == 0 else 1  # the first piece may begin in the middle of a line
        for place in reversed(range(first, len(lines))):
            entry = read_entry(lines[place])
            if entry is not None:
                after = lines[place + 1 :]
                return _Tail(entry, b"\n".join(after), b"" if after == [b""] else b"\n")
    return _Tail(None, data, b"\n" if data else b"")


def _anchor(path: Path) -> Path:
    return path.with_name(path.name + ".head")


def _write_anchor(path: Path, head: Head) -> None:
    """Overwrite in place: the text always has the same length, far below what a disk writes in one go."""
    file = os.open(_anchor(path), os.O_WRONLY | os.O_CREAT, 0o666)
    try:
        os.pwrite(file, f"{head}\n".encode("ascii"), 0)
        os.fsync(file)
    finally:
        os.close(file)


def _damaged(code: str, found: str) -> EvidenceError:
    return EvidenceError(
        code,
        found=found,
        expected="a ledger that ends where its anchor says",
        repair="Keep both files as they are, tell the data protection lead, and restore them from a backup.",
    )

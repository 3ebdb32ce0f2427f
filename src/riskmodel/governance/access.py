"""The one gate to people's rows: a store is opened for a purpose, and every read through it is written down.

No other module opens a stored table of people's records. A result keeps the purpose it was made under (name,
controllers, fields); under any other it cannot be read, and the attempt is written down. A verb reads a result once
and keeps it: one ledger entry is one read of one result.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from riskmodel.engines import folders
from riskmodel.engines.folders import Draft, Result
from riskmodel.errors import DataRefused, DeclarationError, EvidenceError, NotFound, NotPermitted
from riskmodel.governance.grants import Caller, asking
from riskmodel.governance.ledger import Ledger
from riskmodel.governance.purposes import Purpose
from riskmodel.governance.refusals import refusals_noted
from riskmodel.tables import fingerprint_document

MADE_UNDER = "made_under"
"""The document in every result that says under which purpose it was made."""


@dataclass(frozen=True, slots=True)
class Glance:
    """That a result is there, how large it is and when it was made; nothing of what is in it can be reached."""

    name: str
    fingerprint: str
    rows: Mapping[str, int]
    parts: tuple[str, ...]
    made: int


class _Open:
    """A mark that the folder is in use, for as long as this object lives; the kernel takes it away when we are killed.

    Whoever opens a folder that nobody has open clears away what killed writers left; in a folder that is in use the
    half-written results may be somebody's work.
    """

    def __init__(self, folder: Path) -> None:
        self._mark: int | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self._mark = os.open(folder / ".open", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(self._mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
            folders.sweep(folder)
        except BlockingIOError:
            pass
        fcntl.flock(self._mark, fcntl.LOCK_SH)

    def __del__(self) -> None:
        if self._mark is not None:
            os.close(self._mark)


@dataclass(frozen=True, slots=True)
class Store:
    """A folder of results, opened for one purpose, by a caller whose grants are checked when one is given.

    `engine` is where features are computed when nothing else is asked for.
    """

    folder: Path
    purpose: Purpose
    ledger: Ledger
    caller: Caller | None = None
    engine: str = "duckdb"
    _open: _Open | None = field(default=None, repr=False, compare=False)

    def kept(self, name: str, inputs: object) -> Result | None:
        """The result `name` if it was already made from the same inputs (any JSON-able document) for this purpose."""
        result = self._found(name)
        if result is None or result.inputs != self._key(inputs) or not self._written(result):
            return None
        return self._read(result)

    @contextmanager
    def writing(self, name: str, inputs: object) -> Iterator[Draft]:
        """Write the result `name`; it comes into view whole, or not at all."""
        self._guard(self._must_be_open, result=name)
        with folders.writing(self.folder, name, self._key(inputs)) as draft:
            draft.write_document(MADE_UNDER, self.purpose.scope())
            yield draft
        made = folders.read_result(self.folder, name)
        assert made is not None  # it was moved into view just now
        self.ledger.append("write", result=name, fingerprint=made.fingerprint, files=made.digest(), **self._who())

    def result(self, name: str) -> Result:
        """The finished result `name`.

        Raises
        ------
        NotFound : it was never made
        NotPermitted : it was made under another purpose, or this one has expired; the attempt is in the ledger
        """
        result = self._found(name)
        if result is None:
            raise NotFound(
                "result-missing",
                found=f"no result {name!r} in the store",
                expected="the earlier stage to be finished",
                repair="Run the earlier stage first.",
            )
        return self._read(result)

    def peek(self, name: str) -> Glance | None:
        """Whether the result is there, its fingerprint and counts; no read of rows, so not in the ledger."""
        result = folders.read_result(self.folder, name)
        if result is None:
            return None
        made = result.path(folders.MANIFEST).stat().st_mtime_ns
        return Glance(name, result.fingerprint, result.rows, tuple(sorted(result.parts)), made)

    def must_cover(self, agencies: Iterable[str]) -> None:
        """Refuse, and write down, a wish to read agencies that the purpose does not name."""
        named = list(agencies)
        self._guard(lambda: self.purpose.must_cover(named), agencies=len(named))

    def _found(self, name: str) -> Result | None:
        with refusals_noted(self.ledger, result=name, **self._who()):
            return folders.read_result(self.folder, name)

    def _read(self, result: Result) -> Result:
        self._guard(self._must_be_open, result=result.name)
        self._guard(lambda: _must_be_of(self.purpose, result), result=result.name)
        self._guard(lambda: self._must_be_as_written(result), result=result.name)
        self.ledger.append("read", result=result.name, fingerprint=result.fingerprint, **self._who())
        return result

    def _written(self, result: Result) -> set[object]:
        """The digests under which the ledger says that the result was written; none where its writer was killed."""
        about = (entry.facts for entry in self.ledger.entries(result.fingerprint) if entry.action == "write")
        return {facts.get("files") for facts in about if facts.get("result") == result.name}

    def _must_be_as_written(self, result: Result) -> None:
        """Refuse a result whose tables and documents are not, to the byte, those that the ledger has."""
        if result.digest() not in self._written(result):
            raise EvidenceError(
                "result-altered",
                found=f"the result {result.name!r}, which is not as the ledger says it was written",
                expected="every table and document as it was written",
                repair=f"Tell the data protection lead; then remove the folder {result.name!r} and run again.",
            )

    def _must_be_open(self) -> None:
        self.ledger.must_not_be_ahead()
        self.purpose.must_be_in_force()
        if self.caller is not None:
            self.caller.must_be_allowed(self.purpose.name, "rows")

    def _guard(self, check: Callable[[], None], **facts: str | int) -> None:
        """Run a check; a refusal is written down before it is raised."""
        with refusals_noted(self.ledger, **facts, **self._who()):
            check()

    def _who(self) -> dict[str, str]:
        role = {} if self.caller is None else {"role": self.caller.role}
        return {"purpose": self.purpose.name, **role}

    def _key(self, inputs: object) -> str:
        return fingerprint_document({"code": code_fingerprint(), "purpose": self.purpose.scope(), "inputs": inputs})


@cache
def code_fingerprint() -> str:
    """A fingerprint of the package itself: what other code made is made again, never read as if it were the same."""
    package = Path(__file__).parents[1]
    files = sorted(path for path in package.rglob("*") if path.suffix in (".py", ".toml", ".j2", ".css"))
    return fingerprint_document({str(path.relative_to(package)): path.read_bytes().hex() for path in files})


def connect(url: str, purpose: Purpose, caller: Caller | None = None, *, engine: str = "duckdb") -> Store:
    """Open a store for a purpose.

    Parameters
    ----------
    url : str, ``duckdb:///FOLDER`` (embedded); the folder is made when it is not there
    purpose : Purpose, in force today
    caller : Caller, the role that asks and the partnership's grants; when given, every read and write of people's rows
        needs a grant of the level "rows" in force
    engine : where features are computed and records of people compared when nothing else is asked for: "duckdb" is this
        process; "local[2]", "spark://HOST:PORT" are Spark. Results are the same to the bit, and lie in the folder

    Raises
    ------
    NotPermitted : the purpose has expired, or the role has no grant; the attempt is in the store's ledger
    DeclarationError : the address names no known engine
    DataRefused : the folder cannot be written to
    """
    scheme, separator, place = url.partition(":///")
    if scheme != "duckdb" or not separator or not place:
        raise DeclarationError.of(
            "store-address",
            where="store",
            found=repr(url),
            expected="duckdb:///FOLDER",
            repair="Write the folder after duckdb:///.",
        )
    folder = Path(place)
    try:
        mark = _Open(folder)
    except OSError as error:
        raise DataRefused(
            "store-refused",
            found=f"a folder that cannot be opened for writing ({error.strerror})",
            expected="a folder, or room and permission to make one",
            repair="Choose another folder after duckdb:///.",
        ) from error
    ledger = Ledger(folder / "ledger.jsonl")
    with refusals_noted(ledger, store="connect", purpose=purpose.name):
        caller = asking(folder, caller)
    store = Store(folder, purpose, ledger, caller, engine, mark)
    store._guard(store._must_be_open, store="connect")
    return store


def _must_be_of(purpose: Purpose, result: Result) -> None:
    stated = result.parts.get(f"{MADE_UNDER}.json")
    made: dict[str, Any] = result.document(MADE_UNDER) if stated is not None else {}
    if stated is not None and fingerprint_document(made) != stated:
        raise EvidenceError(
            "purpose-altered",
            found=f"the result {result.name!r}, whose purpose was changed after it was made",
            expected="the purpose it was made under",
            repair="Keep the folder as it is and tell the data protection lead.",
        )
    if made != purpose.scope():
        of = (
            f"the purpose {made['name']!r}"
            if made.get("name") not in (None, purpose.name)
            else "other controllers or fields"
        )
        raise NotPermitted(
            "purpose-other",
            found=f"the result {result.name!r}, made under {of}",
            expected=f"a result made under the purpose {purpose.name!r} as it stands",
            repair="Open the store with the purpose it was made for, or run the stages again under this one.",
        )

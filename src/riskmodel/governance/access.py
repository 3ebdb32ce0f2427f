"""The one gate to people's rows: a store is opened for a purpose, and every read through it is written down.

No other module opens a stored table of people's records. What a purpose does not name cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from riskmodel import __version__
from riskmodel.engines import folders
from riskmodel.engines.folders import Draft, Result
from riskmodel.errors import DeclarationError, NotFound
from riskmodel.governance.ledger import Ledger
from riskmodel.governance.purposes import Purpose
from riskmodel.tables import fingerprint_document


@dataclass(frozen=True, slots=True)
class Store:
    """A folder of results, opened for one purpose."""

    folder: Path
    purpose: Purpose
    ledger: Ledger

    def kept(self, name: str, inputs: object) -> Result | None:
        """The result `name` if it was already made from the same inputs (any JSON-able document)."""
        result = folders.read_result(self.folder, name)
        if result is None or result.inputs != _key(inputs):
            return None
        self.ledger.append("read", result=name, fingerprint=result.fingerprint)
        return result

    @contextmanager
    def writing(self, name: str, inputs: object) -> Iterator[Draft]:
        """Write the result `name`; it comes into view whole, or not at all."""
        with folders.writing(self.folder, name, _key(inputs)) as draft:
            yield draft
        self.ledger.append("write", result=name, fingerprint=self.result(name).fingerprint)

    def result(self, name: str) -> Result:
        """The finished result `name`; refuses when it was never made."""
        result = folders.read_result(self.folder, name)
        if result is None:
            raise NotFound(
                "result-missing",
                found=f"no result {name!r} in the store",
                expected="the earlier stage to be finished",
                repair="Run the earlier stage first.",
            )
        self.ledger.append("read", result=name, fingerprint=result.fingerprint)
        return result


def connect(url: str, purpose: Purpose) -> Store:
    """Open a store for a purpose.

    Parameters
    ----------
    url : str, ``duckdb:///FOLDER`` (embedded); the folder is made when it is not there
    purpose : Purpose, in force today

    Raises
    ------
    NotPermitted : the purpose has expired
    DeclarationError : the address names no known engine
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
    purpose.must_be_in_force()
    folder = Path(place)
    folder.mkdir(parents=True, exist_ok=True)
    folders.sweep(folder)
    return Store(folder, purpose, Ledger(folder / "ledger.jsonl"))


def _key(inputs: object) -> str:
    return fingerprint_document({"riskmodel": __version__, "inputs": inputs})

"""Notes about people that professionals write: in a file of their own, with a hash of each in the ledger.

The file holds personal data and is readable by its owner only. The ledger gets codes and counts, and the hash by which
a note that was changed, added or taken out afterwards is found.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskmodel.errors import EvidenceError
from riskmodel.governance.entries import clean_facts
from riskmodel.governance.ledger import Ledger
from riskmodel.tables import fingerprint_document

LEAST_WORDS = 3
"""A reason in fewer words than this says nothing."""


@dataclass(frozen=True, slots=True)
class Noted:
    """Notes of one kind.

    Parameters
    ----------
    path : Path, the file with the notes
    kind : str, the kind of their entries in the ledger, such as "review"
    ledger : Ledger
    """

    path: Path
    kind: str
    ledger: Ledger

    def add(self, document: Mapping[str, Any], **facts: str | int | bool | None) -> str:
        """Write the note, then its trace; a note without a trace is found by `all`. Returns its hash.

        Raises
        ------
        DeclarationError : a fact that the ledger does not take, such as a role with a line end; nothing is written
        """
        clean_facts(facts, self.kind)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps(document, sort_keys=True, ensure_ascii=False)
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, f"{line}\n".encode())
            os.fsync(file)
        finally:
            os.close(file)
        record = fingerprint_document(document)
        self.ledger.append(self.kind, record=record, **facts)
        return record

    def all(self) -> Sequence[dict[str, Any]]:
        """Every note in the order written.

        Raises
        ------
        EvidenceError : the notes are not those that the ledger has
        """
        known = {str(entry.facts.get("record")) for entry in self.ledger.entries() if entry.action == self.kind}
        records = self.unchecked()
        if strange := sum(fingerprint_document(record) not in known for record in records):
            raise self._altered(f"{strange} records that the ledger does not have")
        if len({fingerprint_document(record) for record in records}) < len(known):
            raise self._altered(f"{len(known) - len(records)} records fewer than the ledger has")
        return records

    def unchecked(self) -> Sequence[dict[str, Any]]:
        """Every note, not held against the ledger; refuses a line that cannot be read."""
        if not self.path.exists():
            return []
        try:
            return [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines()]
        except ValueError:
            raise self._altered("a line that cannot be read") from None

    def _altered(self, found: str) -> EvidenceError:
        return EvidenceError(
            f"{self.kind}-altered",
            found=found,
            expected="every record as it was written",
            repair="Keep the file as it is and tell the data protection lead.",
        )

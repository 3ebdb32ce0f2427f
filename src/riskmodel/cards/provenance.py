"""When a card was made, by which code, from which data: kept beside what the card says, sealed to its fingerprint.

The same results give the same card on any day, so that a board's approval, which holds the card's fingerprint, outlives
a card that is made again. What differs from day to day is therefore not part of that fingerprint; a seal over both
shows when either was changed. ``SOURCE_DATE_EPOCH`` sets the clock where bytes have to be the same.
"""

from __future__ import annotations

import datetime as dt
import os
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from riskmodel.governance.access import code_fingerprint
from riskmodel.tables import fingerprint_document

PARTS = ("at", "commit", "code", "data")


def provenance(data: str) -> dict[str, str]:
    """What is known of the making, now.

    Parameters
    ----------
    data : str, the SHA-256 of what the records were, as they came in

    Returns
    -------
    dict : at (UTC, ISO 8601), commit (or "not known"), code (SHA-256 of the package's files), data
    """
    return {"at": _now(), "commit": commit(), "code": code_fingerprint(), "data": data}


def seal(made: Mapping[str, Any], card: str) -> str:
    """The seal of what is said about the making of the card with that fingerprint."""
    return fingerprint_document({"card": card, **{name: made.get(name) for name in PARTS}})


@cache
def commit() -> str:
    """The commit of the package's code; "not known" outside a repository, and marked where files differ from it."""
    here = Path(__file__).parents[1]
    found = _git(here, "rev-parse", "HEAD")
    if not found or not _git(here, "ls-files", str(here / "errors.py")):
        return "not known"
    changed = _git(here, "status", "--porcelain", "--", str(here))
    return f"{found} with changes" if changed else found


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _now() -> str:
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    moment = dt.datetime.fromtimestamp(int(epoch), dt.UTC) if epoch.isdigit() else dt.datetime.now(dt.UTC)
    return moment.isoformat(timespec="seconds")

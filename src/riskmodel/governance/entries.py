"""One line of the ledger: what it holds, how it is hashed, and what it refuses to hold.

An entry says what was done with which result, never to whom: facts are short texts and numbers. A text that looks
like rows of a table, or that holds a pseudonym, is refused before it can be written, because what is in the ledger
cannot be taken out again.
"""

from __future__ import annotations

import hashlib
import json
import math
import numbers
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from riskmodel.errors import DeclarationError, Fault

Fact: TypeAlias = str | int | float | bool | None

START = "0" * 64
"""What the first entry names as the hash of the one before it."""
LONGEST_TEXT = 500
MOST_SEPARATORS = 30
_PSEUDONYM = re.compile(r"\b[A-Z]-[0-9a-f]{16}\b")
_KEYS = {"number", "at", "action", "facts", "previous", "hash"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry.

    Attributes
    ----------
    number : int, 1 for the first
    at : str, UTC, ISO 8601
    action : str, such as "read", "write", "refused", "score", "export", "review"
    facts : mapping of name to text, number, truth value or null
    previous : str, the hash of the entry before, 64 hexadecimal digits
    hash : str, SHA-256 of all the above in canonical JSON
    """

    number: int
    at: str
    action: str
    facts: Mapping[str, Fact]
    previous: str
    hash: str

    def line(self) -> bytes:
        """The entry as it stands in the file, with its line end."""
        return (
            _canonical({**_content(self.number, self.at, self.action, self.facts, self.previous), "hash": self.hash})
            + b"\n"
        )


def new_entry(number: int, at: str, action: str, facts: Mapping[str, Fact], previous: str) -> Entry:
    """An entry with its hash."""
    digest = hashlib.sha256(_canonical(_content(number, at, action, facts, previous))).hexdigest()
    return Entry(number, at, action, facts, previous, digest)


def read_entry(line: bytes) -> Entry | None:
    """The entry on a line (without its line end), or None when the line is not exactly an entry as written."""
    try:
        held: Any = json.loads(line)
        if not isinstance(held, dict) or set(held) != _KEYS:
            return None
        entry = new_entry(held["number"], held["at"], held["action"], held["facts"], held["previous"])
    except (ValueError, TypeError, RecursionError):
        return None
    return entry if entry.hash == held["hash"] and entry.line() == line + b"\n" else None


def clean_facts(given: Mapping[str, Any], action: str = "read") -> dict[str, Fact]:
    """The facts of an action as plain values; refuses what is not a short text or a number, all faults at once.

    Raises
    ------
    DeclarationError : a fact is a collection, looks like rows, or names a person

    Examples
    --------
    >>> clean_facts({"people": 120, "result": "histories", "share": float("nan")})
    {'people': 120, 'result': 'histories', 'share': None}
    """
    refused = [(name, why) for name, value in [("action", action), *given.items()] if (why := _why_refused(value))]
    if refused:
        raise DeclarationError(
            "ledger-fact-refused",
            faults=[
                Fault(f"ledger fact {name}", why, "a short text or a number", "Write a count, a code or a fingerprint.")
                for name, why in refused
            ],
        )
    return {name: _plain(value) for name, value in given.items()}


def _plain(value: Any) -> Fact:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    number = float(value)
    return number if math.isfinite(number) else None


def _why_refused(value: Any) -> str | None:
    """Why the value may not be a fact (in words that do not repeat it), or None when it may."""
    if isinstance(value, str):
        return _why_text_refused(value)
    if value is None or isinstance(value, bool | numbers.Real):
        return None
    return f"a {type(value).__name__}"


def _why_text_refused(text: str) -> str | None:
    if len(text) > LONGEST_TEXT:
        return f"a text of {len(text)} characters"
    if any(not sign.isprintable() for sign in text):
        return "a text with line ends, tabs or control characters"
    if text.lstrip()[:1] in {"[", "{"} or max(text.count(sign) for sign in ",;|") > MOST_SEPARATORS:
        return "a text that looks like rows of a table"
    if _PSEUDONYM.search(text):
        return "a text that names a person by pseudonym"
    return None


def _content(number: int, at: str, action: str, facts: Mapping[str, Fact], previous: str) -> dict[str, object]:
    return {"number": number, "at": at, "action": action, "facts": dict(facts), "previous": previous}


def _canonical(document: object) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()

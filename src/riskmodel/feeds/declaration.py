"""Reading a declared file: every fault is gathered, each with its line, and nothing unknown is passed over.

A `Reader` wraps one TOML table. Asking it for a key marks the key as known; `close` reports the keys nobody asked for.
It knows no contract: what the keys mean is said by the module that asks.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from riskmodel.errors import DeclarationError, Fault, NotFound

_HEADER = re.compile(r"^\s*\[\[?\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"^\s*(\"[^\"]*\"|'[^']*'|[A-Za-z0-9_-]+)\s*=")


@dataclass(slots=True)
class Reader:
    """One table of a declaration: its values, its path, the lines of its file and the faults found so far."""

    given: Mapping[str, Any]
    file: str
    path: tuple[str, ...] = ()
    lines: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)

    @classmethod
    def open(cls, path: Path) -> Reader:
        """The top table of a TOML file; a file that is no TOML is a fault with its line."""
        if not path.is_file():
            raise NotFound(
                "declaration-missing",
                found=f"no file {path.name}",
                expected="a TOML file",
                repair="Check the name and the folder.",
            )
        try:
            text = path.read_text(encoding="utf-8-sig")
            return cls(tomllib.loads(text), path.name, lines=lines_of(text))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            reason = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "not UTF-8"
            raise DeclarationError.of(
                "toml-invalid",
                where=path.name,
                found=f"text that is not TOML ({reason})",
                expected="TOML in UTF-8, each key once",
                repair="Correct the line that is named.",
            ) from error

    def where(self, *keys: str) -> str:
        """The file, the line (of the nearest key that has one) and the path of a key."""
        path = (*self.path, *keys)
        line = next((self.lines[path[:size]] for size in range(len(path), 0, -1) if path[:size] in self.lines), None)
        return f"{self.file}{'' if line is None else f' line {line}'}, {'.'.join(path) or 'top'}"

    def fault(self, *keys: str, found: str, expected: str, repair: str) -> None:
        """Note one thing that is wrong."""
        self.faults.append(Fault(self.where(*keys), found, expected, repair))

    def text(self, key: str, default: str | None = None, *, needed: bool = False) -> str | None:
        """A non-empty text."""
        value = self._value(key, needed=needed)
        if value is None:
            return default
        if isinstance(value, str) and value.strip():
            return value
        self._wrong(key, value, "a text that is not empty")
        return default

    def choice(
        self, key: str, allowed: Sequence[str], default: str | None = None, *, needed: bool = False
    ) -> str | None:
        """One of a few words."""
        value = self._value(key, needed=needed)
        if value is None or value in allowed:
            return default if value is None else str(value)
        self._wrong(key, value, f"one of {', '.join(allowed)}")
        return default

    def flag(self, key: str, default: bool = False) -> bool:
        """True or false."""
        value = self._value(key)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        self._wrong(key, value, "true or false")
        return default

    def integer(self, key: str, default: int, *, at_least: int = 0) -> int:
        """A whole number."""
        value = self._value(key)
        if value is None:
            return default
        if isinstance(value, int) and not isinstance(value, bool) and value >= at_least:
            return value
        self._wrong(key, value, f"a whole number of at least {at_least}")
        return default

    def number(self, key: str) -> float | None:
        """A number."""
        value = self._value(key)
        if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
            return None if value is None else float(value)
        self._wrong(key, value, "a number")
        return None

    def date(self, key: str) -> dt.date | None:
        """A calendar date, written as one (2024-03-31) or as text."""
        value = self._value(key)
        if value is None or (isinstance(value, dt.date) and not isinstance(value, dt.datetime)):
            return value
        try:
            return dt.date.fromisoformat(value)
        except (TypeError, ValueError):
            self._wrong(key, value, "a calendar date such as 2024-03-31")
            return None

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list of non-empty texts; a single text is a list of one."""
        value = self._value(key)
        if value is None:
            return default
        many = [value] if isinstance(value, str) else value
        if isinstance(many, list) and all(isinstance(one, str) and one for one in many):
            return tuple(many)
        self._wrong(key, value, "a list of texts")
        return default

    def table(self, key: str) -> Reader:
        """A table below this one; an absent one reads as empty."""
        value = self._value(key)
        if value is not None and not isinstance(value, dict):
            self._wrong(key, value, "a table")
            value = None
        return Reader(value or {}, self.file, (*self.path, key), self.lines, self.faults)

    def tables(self) -> Iterator[tuple[str, Reader]]:
        """Every key of this table as a table of its own."""
        for key in self.given:
            yield key, self.table(key)

    def close(self) -> None:
        """Report every key that was never asked for."""
        for key in self.given:
            if key not in self.asked:
                near = difflib.get_close_matches(key, self.asked, 1)
                repair = f"Did you mean {near[0]!r}?" if near else "Remove it."
                self.fault(key, found=f"an unknown key {key!r}", expected=", ".join(sorted(self.asked)), repair=repair)

    def _value(self, key: str, *, needed: bool = False) -> Any:
        self.asked.add(key)
        if needed and key not in self.given:
            self.fault(key, found=f"no {key!r}", expected="a value", repair=f"Write {key} = ...")
        return self.given.get(key)

    def _wrong(self, key: str, value: object, expected: str) -> None:
        self.fault(key, found=_shown(value), expected=expected, repair="Correct the value.")


def lines_of(text: str) -> dict[tuple[str, ...], int]:
    """The line on which each table and each key of a TOML text stands.

    Examples
    --------
    >>> lines_of('agency = "police"\\n[feeds.people]\\nfile = "nominals"')[("feeds", "people", "file")]
    3
    """
    lines: dict[tuple[str, ...], int] = {}
    header: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if match := _HEADER.match(line):
            header = tuple(part.strip().strip("\"'") for part in re.findall(r"\"[^\"]*\"|'[^']*'|[^.\"']+", match[1]))
            lines.setdefault(header, number)
        elif match := _KEY.match(line):
            lines.setdefault((*header, match[1].strip("\"'")), number)
    return lines


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

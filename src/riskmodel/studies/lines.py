"""Where a key stands in a TOML file, so that a refusal can name the line; and dates that no calendar has.

TOML readers stop at the first impossible date and drop line numbers. This module reads the text beside the reader,
only to point at lines: the values always come from the TOML reader itself.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

_TABLE = re.compile(r"^\s*\[\[?\s*([A-Za-z0-9_.\-\" ]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_\-]+|\"[^\"]+\")\s*=")
_DATE = re.compile(r"(?<![\"'\w-])(\d{4}-\d{2}-\d{2})(?![\w-]*[\"'])")


def line_of(text: str, path: Sequence[str | int], value: object = None) -> int:
    """The line, from 1, on which a key stands, or the nearest table above it.

    Parameters
    ----------
    path : the keys from the top, such as ``("cohort", "every")``; numbers are places in a list
    value : a text inside a list, to find the line of that item

    Examples
    --------
    >>> line_of('[a]\\nb = 1\\n[c]\\nb = [\\n "x",\\n "y"]\\n', ("c", "b", 1), "y")
    6
    """
    keys = [part for part in path if isinstance(part, str)]
    best, table, depth = 1, "", -1
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        if head := _TABLE.match(line):
            table = head.group(1).replace('"', "").replace(" ", "")
            here = table.split(".")
        elif found := _KEY.match(line):
            here = [*filter(None, table.split(".")), found.group(1).strip('"')]
        else:
            continue
        if here == keys[: len(here)] and len(here) > depth:
            best, depth = number, len(here)
    if isinstance(value, str) and isinstance(path[-1] if path else None, int):
        for number, line in enumerate(lines[best - 1 :], start=best):
            if value in line:
                return number
    return best


def impossible_dates(text: str) -> tuple[str, list[tuple[int, str]]]:
    """The text with every impossible bare date replaced by a possible one, and where they were: (line, date)."""
    found = []
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        code = line.partition("#")[0]
        for date in _DATE.findall(code):
            if not _possible(date):
                found.append((number, date))
                lines[number - 1] = lines[number - 1].replace(date, "2000-01-01")
    return "\n".join(lines), found


def _possible(date: str) -> bool:
    try:
        dt.date.fromisoformat(date)
    except ValueError:
        return False
    return True

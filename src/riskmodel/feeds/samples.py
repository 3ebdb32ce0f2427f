"""The first rows of a file nobody has declared yet: its headings and cells as text, how it is written, and what its
cells look like.

For drafting a contract only. Nothing read here is kept, and no delivery is judged by it.
"""

from __future__ import annotations

import csv
import datetime as dt
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median_high
from typing import Final

import pyarrow.parquet as pq

from riskmodel.errors import DataRefused, NotFound
from riskmodel.feeds.encodings import WINDOWS, encoding_of, for_reading
from riskmodel.feeds.headings import DELIMITERS, first_lines, numbered

ROWS: Final = 50_000
"""How many rows are looked at."""
_DATES: Final = (
    "%Y-%m-%d",
    "%d/%m/%Y",
    "%d-%m-%Y",
    "%d.%m.%Y",
    "%Y/%m/%d",
    "%Y%m%d",
    "%d %b %Y",
    "%d %B %Y",
    "%d-%b-%Y",
    "%m/%d/%Y",
)
_CLOCKS: Final = ("T%H:%M:%S", "T%H%M%S", "%H%M%S", " %H:%M:%S", " %H:%M", "T%H:%M", "T%H:%M:%S.%f", " %H:%M:%S.%f")


MOST: Final = 0.95
"""What this share of a column's cells are, the column is: some cells are always wrong."""
Values = Sequence[tuple[str, int]]
"""Different cells, and in how many rows each stands."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The head of a file.

    Attributes
    ----------
    path : the file
    format, delimiter, encoding, heading_line : how it is written, in the words of a contract
    columns : heading -> its cells as text, "" where nothing stands
    """

    path: Path
    format: str
    delimiter: str
    encoding: str
    columns: dict[str, tuple[str, ...]]
    heading_line: int = 1

    def filled(self, name: str) -> Counter[str]:
        """The cells of a column that say something, with how often each stands there."""
        return Counter(cell for cell in self.columns[name] if cell)


def sampled(path: str | Path, rows: int = ROWS) -> Sample:
    """The first rows of a CSV, JSON lines or Parquet file.

    Raises
    ------
    NotFound : there is no such file
    DataRefused : another ending, no heading, or no row
    """
    path = Path(path)
    if not path.is_file():
        raise NotFound("file-missing", found=f"no file {path.name}", expected="a file of records", repair="Check it.")
    readers = {".csv": _csv, ".txt": _csv, ".tsv": _csv, ".jsonl": _jsonl, ".parquet": _parquet}
    if path.suffix.lower() not in readers:
        raise DataRefused(
            "format-unknown",
            found=f"{path.name}, whose ending is {path.suffix or 'missing'}",
            expected="a file ending in .csv, .txt, .tsv, .jsonl or .parquet",
            repair="Save a spreadsheet as CSV, or give the file its right ending.",
        )
    sample = readers[path.suffix.lower()](path, rows)
    if not sample.columns or not any(map(len, sample.columns.values())):
        raise DataRefused(
            "file-empty",
            found=f"{path.name} without a heading and a row below it",
            expected="a file with records",
            repair="Ask the agency to send it again.",
        )
    return sample


def _csv(path: Path, rows: int) -> Sample:
    encoding = _encoding(path)
    first = first_lines(path, for_reading(encoding))
    delimiter = max(DELIMITERS, key=lambda one: _median([line.count(one) for line in first]))
    heading_line = _heading_line(first, delimiter)
    with path.open(encoding=for_reading(encoding), errors="replace", newline="") as lines:
        below = csv.reader(itertools.islice(lines, heading_line - 1, None), delimiter=delimiter)
        read = itertools.islice(below, rows + 1)
        return Sample(path, "csv", delimiter, encoding, _columns(next(read, []), read), heading_line)


def _heading_line(first: Sequence[str], delimiter: str) -> int:
    """The line of the headings: the first with at least half as many filled cells as most lines have.

    Above it stand, in what many systems export, a title, a date and nothing.
    """
    filled = {line: sum(bool(cell.strip()) for cell in cells) for line, cells in numbered(first, delimiter)}
    usual = _median([count for count in filled.values() if count])
    return next((line for line, count in filled.items() if count and 2 * count >= usual), 1)


def _median(counts: Sequence[int]) -> int:
    """The upper median; 0 of none."""
    return median_high(counts) if counts else 0


def _encoding(path: Path) -> str:
    """As a contract names it: what the file itself says; two-byte letters without their mark are seen by the noughts
    between them; and any other bytes can be read as Windows-1252."""
    with path.open("rb") as file:
        start = file.read(2)
    if b"\0" in start:
        return "utf-16-be" if start.startswith(b"\0") else "utf-16-le"
    try:
        return encoding_of(path, WINDOWS)
    except DataRefused:
        return WINDOWS


def _jsonl(path: Path, rows: int) -> Sample:
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        records = [json.loads(line) for line in itertools.islice(lines, rows) if line.strip()]
    names = list(dict.fromkeys(name for record in records for name in record))
    return Sample(path, "jsonl", ",", "utf-8", _columns(names, ([r.get(n) for n in names] for r in records)))


def _parquet(path: Path, rows: int) -> Sample:
    head = next(pq.ParquetFile(path).iter_batches(rows), None)
    names = list(pq.read_schema(path).names)
    cells = [] if head is None else zip(*(column.to_pylist() for column in head.columns), strict=True)
    return Sample(path, "parquet", ",", "utf-8", _columns(names, cells))


def _columns(names: Sequence[str], rows: Iterable[Sequence[object]]) -> dict[str, tuple[str, ...]]:
    """The cells under each heading; a column without one is no column."""
    held: list[list[str]] = [[] for _ in names]
    for row in rows:
        for at, column in enumerate(held):
            column.append(_text(row[at]) if at < len(row) else "")
    return {name.strip(): tuple(cells) for name, cells in zip(names, held, strict=True) if name.strip()}


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, dt.date | dt.datetime):
        return cell.isoformat()
    return str(cell).strip()


def type_of(cells: Counter[str]) -> tuple[str, tuple[str, ...]]:
    """What a column's cells look like, in the words of a contract, and how its dates are written.

    Dates are read day first unless that is impossible. Whole numbers with leading noughts, or of more than nine digits,
    are text: they are numbers of something, not amounts.

    Returns
    -------
    (type, patterns) : one of "date", "moment", "integer", "number", "text"; strptime patterns of a date or moment

    Examples
    --------
    >>> type_of(Counter(["31/12/2024", "01/02/2023"]))
    ('date', ('%d/%m/%Y',))
    >>> type_of(Counter(["2024-01-05 10:30", "2024-01-06"]))
    ('moment', ('%Y-%m-%d %H:%M', '%Y-%m-%d'))
    >>> type_of(Counter(["007", "12"]))
    ('text', ())
    """
    values = cells.most_common(500)
    if not values:
        return "text", ()
    if written := _patterns(values):
        return ("date" if set(written) <= set(_DATES) else "moment"), written
    if _share(values, str.isdecimal) >= MOST:
        plain = all(len(value) < 10 and (value == "0" or not value.startswith("0")) for value, _ in values)
        return ("integer" if plain else "text"), ()
    return ("number" if _share(values, _is_number) >= MOST else "text"), ()


def _share(values: Values, is_so: Callable[[str], bool]) -> float:
    """The share of cells of which something is so."""
    return sum(rows for value, rows in values if is_so(value)) / sum(rows for _, rows in values)


def _patterns(values: Values) -> tuple[str, ...]:
    """The patterns of one order of day, month and year that together read most cells, those with a clock first."""
    spare = (1 - MOST) * sum(rows for _, rows in values)
    for date in _DATES:
        left, used = values, []
        for pattern in (*(date + clock for clock in _CLOCKS), date):
            rest = [(value, rows) for value, rows in left if _read(value, pattern) is None]
            if len(rest) < len(left):
                used.append(pattern)
            left = rest
        if used and sum(rows for _, rows in left) <= spare:
            return tuple(used)
    return ()


def read_days(cells: Iterable[str], patterns: Sequence[str]) -> Iterator[dt.date]:
    """The days that cells name under patterns; cells that name none are left out."""
    for cell in cells:
        found = next(filter(None, (_read(cell, pattern) for pattern in patterns)), None)
        if found is not None:
            yield found


def _read(value: str, pattern: str) -> dt.date | None:
    try:
        read = dt.datetime.strptime(value, pattern)
    except ValueError:
        return None
    return read.date() if 1850 <= read.year <= 2150 else None


def _is_number(value: str) -> bool:
    try:
        return float(value) == float(value)
    except ValueError:
        return False

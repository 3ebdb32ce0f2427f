"""One deliverable table of an agency: its columns, and how it is written in the agency's own words.

A feed says what its columns are called, how their cells are written and what each means. It opens no file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.errors import DataRefused, NotPermitted
from riskmodel.feeds.codes import CodeList
from riskmodel.feeds.full_names import FULL_NAME, PARTS, whole
from riskmodel.feeds.standard import FIELDS, NEEDED, SPAN, STRUCTURAL

TYPES: Final = ("text", "date", "moment", "integer", "number", "year", "code")
FORMATS: Final = ("csv", "jsonl", "parquet")
_ARROW: Final = {
    "text": pa.string(),
    "date": pa.date32(),
    "moment": pa.timestamp("us"),
    "number": pa.float64(),
    "flag": pa.bool_(),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column as the agency sends it.

    Attributes
    ----------
    name : str, the agency's own heading
    type : str, one of text, date, moment, integer, number, year, code; a year becomes the middle of that year
    means : str or None, the standard field, or "full_name" (see `full_names`); None for a column read only to tell
        rows apart
    required : bool, every row must fill it
    may_be_absent : bool, a delivery without the column is accepted
    written : tuple of str, strptime patterns for dates and moments, the first is used for writing
    codes : CodeList or None
    unknown_when : tuple of str, cells that say "not known", such as "1900-01-01"
    or_else : str or None, the column whose cell is taken where this one is empty
    open_when : tuple of str, ends that say "not ended yet", such as "2020-01-01"
    may_be_future : bool, dates after the receipt are meant (a planned end)
    at_least, at_most : float or None, bounds of a number
    longest : int, characters
    caveat : str or None, what a reader must know of it
    purposes : tuple of str, the only purposes for which the agency sends this column; () is every purpose
    """

    name: str
    type: str
    means: str | None = None
    required: bool = False
    may_be_absent: bool = False
    written: tuple[str, ...] = ()
    codes: CodeList | None = None
    unknown_when: tuple[str, ...] = ()
    open_when: tuple[str, ...] = ()
    or_else: str | None = None
    may_be_future: bool = False
    at_least: float | None = None
    at_most: float | None = None
    longest: int = 1000
    caveat: str | None = None
    purposes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows of a file belong to the feed: those whose cell in `column` is one of `values`."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Feed:
    """One deliverable table of a contract.

    Attributes
    ----------
    name : str, agency and table, such as "police.events"
    agency : str
    holds : str, "people", "events" or "relations"
    file : str, the stem of the file name
    format, delimiter, encoding : how files are usually written; a text file may be UTF-8 whatever the contract says,
        and UTF-16 when it begins with the mark of it
    heading_line : int, the line of a text file in which the headings stand; what is above it is not read
    columns : tuple of Column
    key : tuple of column names; () means the content of the row is its key
    constants : standard field -> value, the same in every row
    known_at : tuple of column names, the first that is filled says when the record could be seen; or ("always",)
    ends_known : "with_row" or "at_end": whether an end was known as soon as the row was, or only when it came
    rows : Selection or None
    may_be_empty : bool, a file without rows is accepted
    ignored : tuple of column names that are sent and never read
    arrival_lag_days : int, usual days from recording to delivery
    caveats : tuple of str
    """

    name: str
    agency: str
    holds: str
    file: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    format: str = "csv"
    delimiter: str = ","
    encoding: str = "utf-8"
    heading_line: int = 1
    constants: tuple[tuple[str, str | float], ...] = ()
    known_at: tuple[str, ...] = ()
    ends_known: str = "with_row"
    rows: Selection | None = None
    may_be_empty: bool = False
    ignored: tuple[str, ...] = ()
    arrival_lag_days: int = 0
    caveats: tuple[str, ...] = ()

    def column(self, name: str) -> Column:
        """The column with that heading."""
        return next(column for column in self.columns if column.name == name)

    def meaning(self, field: str) -> Column | None:
        """The column that means a standard field, or None."""
        return next((column for column in self.columns if column.means == field), None)

    @property
    def constant(self) -> Mapping[str, str | float]:
        """Standard field -> the value it has in every row."""
        return dict(self.constants)

    @property
    def approximate(self) -> tuple[str, ...]:
        """Standard fields whose dates are only known to the year."""
        return tuple(column.means for column in self.columns if column.type == "year" and column.means)

    @property
    def suffix(self) -> str:
        """The ending of file names: .csv, .jsonl or .parquet."""
        return f".{self.format}"

    def gives(self) -> tuple[str, ...]:
        """The standard fields that the feed can fill, in their standard order."""
        named = {column.means for column in self.columns} | set(self.constant)
        named |= set(PARTS) if FULL_NAME in named else set()
        kind = self.meaning("kind")
        if kind is not None and kind.codes is not None and any(meaning.role for meaning in kind.codes.meanings):
            named.add("role")
        return tuple(field for field in FIELDS[self.holds] if field in named)

    def kinds(self) -> tuple[tuple[str, str | None], ...]:
        """The kinds (with roles where the kind's own code says one) that the feed records; () for people."""
        column = self.meaning("kind")
        if column is None or column.codes is None:
            kind = self.constant.get("kind")
            role = self.constant.get("role")
            return () if kind is None else ((str(kind), None if role is None else str(role)),)
        return tuple(dict.fromkeys((meaning.value, meaning.role) for meaning in column.codes.meanings))

    def read_columns(self, wanted: frozenset[str] | None = None) -> tuple[Column, ...]:
        """The columns to read: those of structural or wanted fields, those they need, and those that mean no field."""
        helpers = {*self.key, *self.known_at, *((self.rows.column,) if self.rows else ())}
        fields = STRUCTURAL[self.holds] | (frozenset(FIELDS[self.holds]) if wanted is None else wanted)
        fields |= {FULL_NAME} if fields & set(PARTS) else set()
        helpers |= {column.or_else for column in self.columns if column.or_else and column.means in fields}
        return tuple(
            column
            for column in self.columns
            if column.name in helpers or column.means is None or column.means in fields
        )

    def closed_to(self, purpose: str) -> tuple[str, ...]:
        """The columns that the agency sends for other purposes only."""
        return tuple(column.name for column in self.columns if column.purposes and purpose not in column.purposes)

    def for_purpose(self, purpose: str) -> Feed:
        """The feed as it may be read for one purpose: columns that the agency sends for others only are ignored.

        Raises
        ------
        NotPermitted : such a column tells the records apart, or a record means nothing without it
        """
        names = set(self.closed_to(purpose))
        if not names:
            return self
        helpers = {*self.key, *self.known_at, *((self.rows.column,) if self.rows else ())}
        needed = sorted(name for name in names if name in helpers or self.column(name).means in NEEDED[self.holds])
        if needed:
            raise NotPermitted(
                "column-not-permitted",
                found=f"{self.name}, whose column {', '.join(needed)} is sent for other purposes only",
                expected=f"a feed whose keys are sent for the purpose {purpose!r}",
                repair="Leave the feed out, or have the agency add the purpose to the column.",
            )
        kept = tuple(
            replace(column, or_else=None) if column.or_else in names else column
            for column in self.columns
            if column.name not in names
        )
        return replace(self, columns=kept, ignored=(*self.ignored, *sorted(names)))

    def render(self, rows: pa.Table) -> pa.Table:
        """Standard rows written in the agency's own columns and codes: the inverse of receiving.

        Parameters
        ----------
        rows : Arrow table of standard fields (any subset of ``standard.FIELDS[feed.holds]``; more columns are
            ignored). Dates as date32, times as timestamp, ``value`` as a number, ``retracted`` as bool, the rest text.
            Null means not known. A column named like one of the agency's own headings that has no standard
            meaning is copied as text.

        Returns
        -------
        Arrow table with the contract's columns in the contract's order, one row for each row given. All text (null is
        an empty cell), except that a Parquet feed has date32, timestamp[us], int64 and float64 columns and a JSON
        lines feed has its numbers as numbers.

        Raises
        ------
        DataRefused : a kind, role or other value that no code of the agency says, or a required field left empty

        Examples
        --------
        >>> from riskmodel.feeds.contract import agency_contracts
        >>> feed = agency_contracts()["police"].feed("people")
        >>> seen = pa.array([1_600_000_000], pa.timestamp("s"))
        >>> own = feed.render(pa.table({"person_key": ["17"], "sex": ["female"], "recorded_at": seen}))
        >>> own.select(["NOMINAL_REF", "SEX", "CREATED_OR_AMENDED"]).to_pylist()
        [{'NOMINAL_REF': '17', 'SEX': 'F', 'CREATED_OR_AMENDED': '13/09/2020 12:26:40'}]
        """
        when = self._dates(rows)
        written = [self._written(column, rows, when) for column in self.columns]
        return pa.table(dict(zip((column.name for column in self.columns), written, strict=True)))

    def _dates(self, rows: pa.Table) -> pa.Array:
        """The date of each row by which codes are judged."""
        start = SPAN[self.holds][0] or "recorded_at"
        if start not in rows.column_names:
            return pa.nulls(rows.num_rows, pa.date32())
        return pc.cast(rows.column(start).combine_chunks(), pa.date32(), safe=False)

    def _written(self, column: Column, rows: pa.Table, when: pa.Array) -> pa.Array:
        field = column.means if column.means is not None else column.name
        given = whole(*(self._given(rows, part) for part in PARTS)) if field == FULL_NAME else self._given(rows, field)
        if column.codes is not None:
            cells = self._coded(column, given, rows, when)
        elif self.format == "parquet" or (self.format == "jsonl" and column.type in ("integer", "number")):
            cells = _native(column, given)
        else:
            cells = _as_text(column, given)
        self._refuse_unwritten(column, given, cells)
        return cells

    def _given(self, rows: pa.Table, field: str) -> pa.Array:
        wanted = _ARROW[FIELDS[self.holds].get(field, "text")]
        if field not in rows.column_names:
            return pa.nulls(rows.num_rows, wanted)
        return pc.cast(rows.column(field).combine_chunks(), wanted, safe=False)

    def _coded(self, column: Column, given: pa.Array, rows: pa.Table, when: pa.Array) -> pa.Array:
        values = given if pa.types.is_string(given.type) else pc.cast(given, pa.string())
        roles = pa.nulls(rows.num_rows, pa.string())
        if column.means == "kind" and "role" in rows.column_names:
            roles = pc.cast(rows.column("role").combine_chunks(), pa.string())
        assert column.codes is not None  # asked for by the caller
        return column.codes.encode(values, roles, when)

    def _refuse_unwritten(self, column: Column, given: pa.Array, cells: pa.Array) -> None:
        unsaid = pc.and_(given.is_valid(), cells.is_null())
        empty = cells.is_null() if column.required else pa.scalar(False)
        for code, wrong, expected in (
            ("value-without-code", unsaid, "values that the code list of the column says"),
            ("required-empty", empty, f"{column.means or column.name} in every row"),
        ):
            count = pc.sum(wrong).as_py() or 0
            if count:
                raise DataRefused(
                    code,
                    found=f"{count} rows of {self.name} that cannot be written in the column {column.name}",
                    expected=expected,
                    repair="Add the code to the contract, or correct the rows.",
                )


def _native(column: Column, given: pa.Array) -> pa.Array:
    """Cells of a Parquet feed in the type of their column."""
    if column.type == "year":
        return pc.year(given)
    types = {"date": pa.date32(), "moment": pa.timestamp("us"), "integer": pa.int64(), "number": pa.float64()}
    return pc.cast(given, types.get(column.type, pa.string()), safe=False)


def _as_text(column: Column, given: pa.Array) -> pa.Array:
    """Cells as the agency writes them in a text file."""
    if column.type == "year":
        return pc.cast(pc.year(given), pa.string())
    if column.type in ("date", "moment"):
        return pc.strftime(pc.cast(given, pa.timestamp("s"), safe=False), format=column.written[0])
    if column.type == "integer":
        return pc.cast(pc.cast(given, pa.int64(), safe=False), pa.string())
    return pc.cast(given, pa.string())

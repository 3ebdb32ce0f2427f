"""Everything a page or a download may say: tables that went through disclosure control, beside the last edition.

A page is made from a publication and from nothing else, so that no figure on it can say more than the tables do. Each
count leaves once, through `governance.disclosure`, with its sums, and with the table of the last edition beside it:
what two editions together would give away is hidden, and what the last one hid stays hidden. Figures that are worked
out (rates, indices, shares) are worked out from the figures as they left.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from riskmodel.errors import DeclarationError, EvidenceError, NotFound
from riskmodel.governance.disclosure import RULES, SHOWN, SUPPRESSED, Edition, RuleSet, Total, released
from riskmodel.governance.ledger import Ledger
from riskmodel.population.context import must_hold_no_people
from riskmodel.population.estimate import Estimate
from riskmodel.tables import fingerprint_table

RECORD = "edition.json"
DATA = "data"
EARLIER = "earlier"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True, repr=False)
class Leaving:
    """One table as it leaves: which columns say what a row is, which count, and what it holds, in words."""

    name: str
    title: str
    keys: tuple[str, ...]
    counts: tuple[str, ...]
    table: pa.Table

    @property
    def hidden(self) -> int:
        """Rows in which a count is hidden."""
        return int(self.table.column("disclosure").to_pylist().count(SUPPRESSED))

    def __repr__(self) -> str:
        return f"Leaving({self.name}, {self.table.num_rows:,} rows, {self.hidden:,} with a hidden count)"


@dataclass(frozen=True, slots=True)
class Figure:
    """One worked-out figure: the table it was worked out from, what it is, and the estimate."""

    source: str
    what: str
    estimate: Estimate


@dataclass(slots=True, repr=False)
class Publication:
    """The tables and figures of one edition.

    Parameters
    ----------
    name : str, such as "needs"
    edition : str, such as "2026"
    as_of : date; what was known before it is in
    rules : RuleSet
    ledger : to which each table's release is written
    earlier : Publication or None, the last edition, which knows those before it
    tables, figures : filled by `leave` and `figure`
    """

    name: str
    edition: str
    as_of: dt.date
    rules: RuleSet = RULES["hes"]
    ledger: Ledger | None = None
    earlier: Publication | None = None
    tables: dict[str, Leaving] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.earlier is not None and (self.earlier.name != self.name or self.earlier.rules != self.rules):
            raise DeclarationError.of(
                "edition-other",
                where="earlier edition",
                found=f"{self.earlier.name!r} under the rules {self.earlier.rules.name!r}",
                expected=f"the last edition of {self.name!r} under the rules {self.rules.name!r}",
                repair="Give the folder of the last edition of the same publication, or start a new series.",
            )

    def leave(
        self,
        name: str,
        title: str,
        table: pa.Table,
        *,
        keys: Sequence[str],
        counts: Sequence[str],
        of_people: Sequence[str] = (),
        totals: Sequence[Total] = (),
        within_counts: Mapping[str, Sequence[str]] | None = None,
        whole_rows: bool = False,
    ) -> pa.Table:
        """Release a table of counts; returns it as it leaves.

        Parameters
        ----------
        keys : the columns that say which row is which, in every edition
        of_people : the counts that add up people's parts, such as events, with what `cube.counted` puts beside them:
            hidden, too, where few people make nearly all of them
        whole_rows : hide all counts of a row of which one is hidden (many events of few people tell of those people)
        """
        if name in self.tables:
            raise DeclarationError.of(
                "table-twice",
                where=self.name,
                found=f"two tables named {name!r}",
                expected="one of each",
                repair="Put all slices of one count into one table: two tables could be laid beside each other.",
            )
        must_hold_no_people(name, table)
        before = None if self.earlier is None else self.earlier.tables.get(name)
        made = released(
            table,
            [count for count in counts if count not in of_people],
            amounts=list(of_people),
            totals=totals,
            within_counts=within_counts,
            earlier=[Edition(each.tables[name].table, tuple(keys)) for each in self._before() if name in each.tables],
            rules=self.rules,
            ledger=self.ledger,
            name=f"{self.name} {self.edition} {name}",
        )
        if before is not None:
            made = _hidden_stays_hidden(made, before, keys, counts)
        if whole_rows:
            made = _whole_rows_only(made, counts)
        self.tables[name] = Leaving(name, title, tuple(keys), tuple(counts), made)
        return made

    def _before(self) -> Iterator[Publication]:
        """Every edition that left before, the last first: a reader may hold any of them against this one."""
        edition = self.earlier
        while edition is not None:
            yield edition
            edition = edition.earlier

    def figure(self, source: str, what: str, estimate: Estimate) -> Estimate:
        """Keep a figure that was worked out from a table that left; returns it."""
        if source not in self.tables:
            raise DeclarationError.of(
                "figure-without-table",
                where=self.name,
                found=f"a figure from {source!r}, which did not leave",
                expected="a table that was released",
                repair="Release the counts first and work the figure out of them.",
            )
        self.figures.append(Figure(source, what, estimate))
        return estimate

    def record(self) -> dict[str, Any]:
        """The disclosure record: the rules, and for every table what it is, its rows, and how many were hidden."""
        return {
            "name": self.name,
            "edition": self.edition,
            "as_of": self.as_of.isoformat(),
            "rules": self.rules.document(),
            "compared_with": None if self.earlier is None else self.earlier.edition,
            "tables": [
                {
                    "name": held.name,
                    "title": held.title,
                    "keys": list(held.keys),
                    "counts": list(held.counts),
                    "rows": held.table.num_rows,
                    "rows_with_a_hidden_count": held.hidden,
                    "fingerprint": fingerprint_table(held.table),
                }
                for held in self.tables.values()
            ],
        }

    def save(self, folder: str | Path) -> Path:
        """Write every table as CSV and Parquet, the figures, and the disclosure record; returns the record's path.

        The editions before go along, in a folder of their own, so that the next one is held against all of them.
        """
        folder = Path(folder)
        data = folder / DATA
        data.mkdir(parents=True, exist_ok=True)
        for held in self.tables.values():
            pq.write_table(held.table, data / f"{held.name}.parquet")
            write_csv(held.table, data / f"{held.name}.csv")
        write_csv(self.figures_table(), data / "figures.csv")
        pq.write_table(self.figures_table(), data / "figures.parquet")
        if self.earlier is not None:
            self.earlier.save(folder / EARLIER)
        path = folder / RECORD
        path.write_text(json.dumps(self.record(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return path

    @classmethod
    def load(cls, folder: str | Path) -> Publication:
        """An edition from its folder, for the next one to be held against.

        Raises
        ------
        NotFound : no edition there
        EvidenceError : a table that is not as it left
        """
        folder = Path(folder)
        if not (folder / RECORD).is_file():
            raise NotFound(
                "edition-missing",
                found=f"no {RECORD} in {folder}",
                expected="the folder of an earlier edition",
                repair="Give the folder that the last edition was written to.",
            )
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        made = cls(
            record["name"], record["edition"], dt.date.fromisoformat(record["as_of"]), RuleSet(**record["rules"])
        )
        for held in record["tables"]:
            path = folder / DATA / f"{held['name']}.parquet"
            table = pq.read_table(path) if path.is_file() else None
            if table is None or fingerprint_table(table) != held["fingerprint"]:
                raise EvidenceError(
                    "edition-altered",
                    found=f"{path.name}, which is not as it left",
                    expected="the table as released",
                    repair="Fetch the edition again from where it was published.",
                )
            keys, counts = tuple(held["keys"]), tuple(held["counts"])
            made.tables[held["name"]] = Leaving(held["name"], held["title"], keys, counts, table)
        if (folder / EARLIER / RECORD).is_file():
            made.earlier = cls.load(folder / EARLIER)
        figures = pq.read_table(folder / DATA / "figures.parquet")
        for row in figures.to_pylist():
            source, what = row.pop("source"), row.pop("what")
            made.figures.append(Figure(source, what, Estimate(**row)))
        return made

    def figures_table(self) -> pa.Table:
        """The worked-out figures, one row each."""
        fields = [
            ("source", pa.string()),
            ("what", pa.string()),
            ("value", pa.float64()),
            ("low", pa.float64()),
            ("high", pa.float64()),
            ("n", pa.int64()),
            ("state", pa.string()),
            ("method", pa.string()),
            ("note", pa.string()),
        ]
        names = ("value", "low", "high", "n", "state", "method", "note")
        rows = [
            {"source": made.source, "what": made.what, **{name: getattr(made.estimate, name) for name in names}}
            for made in self.figures
        ]
        return pa.Table.from_pylist(rows, schema=pa.schema(fields))

    def __repr__(self) -> str:
        return f"Publication({self.name} {self.edition}, {len(self.tables)} tables)"


@dataclass(frozen=True, slots=True)
class Change:
    """One figure in two editions; both as they left, so that their difference tells no more than they do."""

    source: str
    what: str
    before: float
    now: float


def changes(now: Publication) -> list[Change]:
    """The worked-out figures that both editions show."""
    if now.earlier is None:
        return []
    before = {(made.source, made.what): made.estimate.value for made in now.earlier.figures}
    found = []
    for made in now.figures:
        value = before.get((made.source, made.what))
        if value is not None and made.estimate.value is not None:
            found.append(Change(made.source, made.what, value, made.estimate.value))
    return found


def write_csv(table: pa.Table, path: Path) -> None:
    """A table as CSV that a spreadsheet opens as text and numbers: no cell of it is ever a formula."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([safe_cell(name) for name in table.column_names])
        for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
            writer.writerow([safe_cell(cell) for cell in row])


def safe_cell(cell: object) -> object:
    """A text that a spreadsheet would run stands behind an apostrophe; numbers stay numbers.

    Examples
    --------
    >>> safe_cell('=HYPERLINK("http://x")'), safe_cell("Mill Lane"), safe_cell(-3), safe_cell(None)
    ('\\'=HYPERLINK("http://x")', 'Mill Lane', -3, '')
    """
    if cell is None:
        return ""
    if isinstance(cell, str) and (cell.lstrip(" ")[:1] in _FORMULA or cell[:1] in _FORMULA):
        return f"'{cell}"
    return cell


def _hidden_stays_hidden(table: pa.Table, before: Leaving, keys: Sequence[str], counts: Sequence[str]) -> pa.Table:
    """What the last edition hid stays hidden: shown now, it could open what it was hidden for."""
    rows = list(zip(*(table.column(name).to_pylist() for name in keys), strict=True))
    marks = table.column("disclosure").to_pylist()
    old = list(zip(*(before.table.column(name).to_pylist() for name in keys), strict=True))
    for name in counts:
        if name not in before.counts:
            continue
        closed = {key for key, figure in zip(old, before.table.column(name).to_pylist(), strict=True) if figure is None}
        values = table.column(name).to_pylist()
        for place, key in enumerate(rows):
            if key in closed and values[place] is not None:
                values[place], marks[place] = None, SUPPRESSED
        table = table.set_column(table.column_names.index(name), name, pa.array(values, pa.int64()))
    return _marked(table, marks)


def _whole_rows_only(table: pa.Table, counts: Sequence[str]) -> pa.Table:
    columns = [table.column(name).to_pylist() for name in counts]
    closed = [any(cell is None for cell in row) for row in zip(*columns, strict=True)]
    for name, values in zip(counts, columns, strict=True):
        kept = [None if hide else value for hide, value in zip(closed, values, strict=True)]
        table = table.set_column(table.column_names.index(name), name, pa.array(kept, pa.int64()))
    return _marked(table, [SUPPRESSED if hide else SHOWN for hide in closed])


def _marked(table: pa.Table, marks: list[str]) -> pa.Table:
    return table.set_column(table.column_names.index("disclosure"), "disclosure", pa.array(marks, pa.string()))

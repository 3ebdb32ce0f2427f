"""Events read piece by piece into compact arrays: only the columns, kinds and entities that the features look at.

A piece is a table in memory, or one row group of a Parquet file; pieces may come in any order and hold entities in any
order. What no step looks at is dropped here, before anything is sorted. Nothing is computed.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from riskmodel.dates import FOREVER
from riskmodel.errors import DataRefused
from riskmodel.features import kernel
from riskmodel.features.columns import arrow, numbers, numbers_or, texts
from riskmodel.features.program import CODES, Program, Types
from riskmodel.histories.overlaid import Overlaid
from riskmodel.histories.store import Histories
from riskmodel.tables import AREA_VALUES, EVENTS, MOMENT, PERSONS, RELATIONS, RESIDENCES, conform, fingerprint_document

Whole: TypeAlias = "npt.NDArray[np.int64]"
Arrays: TypeAlias = "dict[str, np.ndarray]"
Piece: TypeAlias = "Callable[[], pa.Table]"

FOREVER_MICRO: Final = int(FOREVER.astype(np.int64))
_SCHEMAS: Final = {"persons": PERSONS, "relations": RELATIONS, "residences": RESIDENCES, "area_values": AREA_VALUES}
WORDED: Final = ("kind", "role", "agency")
_SPELL_STEPS: Final = {kernel.OPEN, kernel.OPEN_TIME, kernel.OPEN_DISTINCT, kernel.OPEN_LATEST}
_VALUE_STEPS: Final = {kernel.SUM, kernel.LARGEST, kernel.SMALLEST, kernel.LATEST, kernel.BELOW, kernel.OPEN_LATEST}
_ORDERED_STEPS: Final = {kernel.SUM, kernel.LATEST, kernel.MOVE, kernel.OPEN_LATEST}


@dataclass(frozen=True, slots=True)
class Needs:
    """What a program reads of an event, besides when it happened and was known.

    Attributes
    ----------
    words : for "kind", "role" and "agency" the words that selections name, and one that stands for all others
    numbered : the words whose different values are counted, empty when none are
    ordered : whether the order of simultaneous events matters
    """

    words: Mapping[str, tuple[str, ...]]
    numbered: Mapping[str, tuple[str, ...]]
    value: bool
    ended: bool
    ordered: bool

    @property
    def columns(self) -> list[str]:
        """The columns of EVENTS to read."""
        worded = [part for part in WORDED if len(self.words[part]) > 1 or part in self.numbered]
        further = {"value": self.value, "ended_at": self.ended, "event_id": self.ordered, "place_id": self.numbered}
        return [
            "entity_id",
            "happened_at",
            "known_at",
            "known_until",
            *worded,
            *(n for n, use in further.items() if use),
        ]


def needs_of(program: Program, kinds: Sequence[str], agencies: Sequence[str]) -> Needs:
    """What the program reads."""
    codes = {step.code for step in program.steps}
    chosen = [step.events for step in program.steps]
    named = {
        "kind": {word for events in chosen for word in events.kinds},
        "role": {word for events in chosen for word in events.roles},
        "agency": {word for events in chosen for word in events.agencies},
    }
    distinct = any(program.uses(code) for code in CODES)
    return Needs(
        words={part: (*sorted(words), "-") for part, words in named.items()},
        numbered={"kind": tuple(sorted(kinds)), "agency": tuple(agencies)} if distinct else {},
        value=bool(codes & _VALUE_STEPS),
        ended=bool(codes & _SPELL_STEPS),
        ordered=bool(codes & _ORDERED_STEPS),
    )


def needs_through(needs: Needs, program: Program, through: tuple[str, ...]) -> Needs:
    """What is read of the events that come through these ties: no more than their own steps ask for."""
    codes = {step.code for step in program.steps if step.events.through == through}
    return replace(
        needs,
        value=bool(codes & _VALUE_STEPS),
        ended=bool(codes & _SPELL_STEPS),
        ordered=bool(codes & _ORDERED_STEPS),
    )


@dataclass(frozen=True, repr=False, eq=False)
class EventFiles:
    """Events in Parquet files, in any order, too many for a table in memory: the tables behind a `Histories`.

    Parameters
    ----------
    paths : Parquet files
    columns : what the files call the columns of EVENTS, where it differs; a file may lack ``known_at`` only if it is
        mapped to another column (such as the time itself)
    others : the other tables ("persons", "relations", "residences", "area_values"), when there are any
    covered_until : for each agency the first day that is not delivered in full

    Raises
    ------
    DataRefused : a file lacks a column
    """

    paths: tuple[Path, ...]
    columns: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, pa.Table] = field(default_factory=dict)
    covered_until: Mapping[str, dt.date] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path in self.paths:
            held = self._named(path, ("entity_id", "happened_at", "kind", "agency", "known_at"))
            absent = [name for name in ("entity_id", "happened_at", "kind", "agency") if name not in held]
            for column in ("happened_at", "known_at", "known_until", "ended_at"):
                for name in self._named(path, (column,)).values():
                    naive(pq.ParquetFile(path).schema_arrow.field(name))
            absent += [] if "known_at" in held or self._known_at_once else ["known_at"]
            if absent:
                raise DataRefused(
                    "columns-missing",
                    found=f"{path.name} without {', '.join(absent)}",
                    expected="when each event happened and was known, whose it is, its kind and agency",
                    repair="Map the columns by their names in the file; known_at to the time itself if that is so.",
                )

    @property
    def rows(self) -> Mapping[str, int]:
        counted = {"events": sum(pq.ParquetFile(path).metadata.num_rows for path in self.paths)}
        return counted | {name: table.num_rows for name, table in self.others.items()}

    @cached_property
    def fingerprint(self) -> str:
        """Over the files' footers (sizes, statistics, checksums where written), not over every byte."""
        footers = [str(pq.ParquetFile(path).metadata.to_dict()["row_groups"]) for path in self.paths]
        return fingerprint_document([footers, dict(self.columns)])

    def pieces(self, columns: Sequence[str]) -> list[Piece]:
        """One reader for each row group; the table it gives has those of the columns that the files hold."""
        return [
            _reader(path, group, self._named(path, columns))
            for path in self.paths
            for group in range(pq.ParquetFile(path).metadata.num_row_groups)
        ]

    def table(self, name: str, columns: list[str] | None = None) -> pa.Table:
        """A whole table, conformed; of the events, only where a feature goes through ties."""
        if name != "events":
            return self.others[name] if name in self.others else _SCHEMAS[name].empty_table()
        parts = [piece() for piece in self.pieces(EVENTS.names)]
        plain = pa.concat_tables([part.cast(_undictionaried(part.schema)) for part in parts])
        if self._known_at_once:
            plain = plain.append_column("known_at", plain["happened_at"])
        if "event_id" not in plain.column_names:
            plain = plain.append_column("event_id", pa.array(range(plain.num_rows), pa.int64()))
        made = conform(plain, EVENTS)
        return made if columns is None else made.select(columns)

    def document(self, name: str) -> Any:
        """The coverage of the events, read off the files once."""
        return self._coverage if name == "coverage" else {}

    @cached_property
    def _coverage(self) -> dict[str, Any]:
        counted: Counter[tuple[str, str]] = Counter()
        for piece in self.pieces(["kind", "agency"]):
            for batch in piece().to_batches():
                counted.update(_pairs(batch["kind"], batch["agency"]))
        kinds: dict[str, dict[str, int]] = {}
        for (kind, agency), number in sorted(counted.items()):
            kinds.setdefault(kind, {})[agency] = number
        return {"kinds": kinds, "covered_until": {a: str(day) for a, day in sorted(self.covered_until.items())}}

    @property
    def _known_at_once(self) -> bool:
        """Whether events are known when they happen: one column says both."""
        return self.columns.get("known_at", "known_at") == self.columns.get("happened_at", "happened_at")

    def _named(self, path: Path, columns: Sequence[str]) -> dict[str, str]:
        held = set(pq.ParquetFile(path).schema_arrow.names)
        names = {column: self.columns.get(column, column) for column in columns}
        if self._known_at_once:
            names.pop("known_at", None)
        return {column: name for column, name in names.items() if name in held}


def pieces_of(histories: Histories, columns: Sequence[str]) -> list[Piece]:
    """The events in pieces, without loading them all when they lie in files."""
    result = histories.result
    while isinstance(result, Overlaid) and "events" not in result.tables:
        result = result.base
    if isinstance(result, EventFiles):
        return result.pieces(columns)
    if "events" not in vars(histories) and hasattr(result, "path"):
        return EventFiles((result.path("events.parquet"),)).pieces(columns)
    return [lambda: histories.events]


def arrays_of(
    table: pa.Table, channel: int, types: Types, needs: Needs, entities: pa.Array, *, spell: bool = False
) -> Arrays:
    """The events of a table that some step looks at.

    Parameters
    ----------
    entities : the entities in question, sorted, each once; ``entity`` in the result is the place in it
    spell : whether the table says by its column `spell` which rows are spells
    """
    type_ = _types(table, channel, types, needs, spell=spell)
    kept = np.flatnonzero((np.diff(types.starts) > 0)[type_])
    owner = table["entity_id"] if len(kept) == table.num_rows else table["entity_id"].take(arrow(kept))
    entity = numbers_or(pc.index_in(owner, entities), -1)
    ours = entity >= 0
    if not ours.all():
        kept, entity = kept[ours], entity[ours]
    pick = slice(None) if len(kept) == table.num_rows else kept
    made: Arrays = {"entity": entity, "type": type_[pick], "happened": whole(table["happened_at"])[pick]}
    present = set(table.column_names)
    if "known_at" in present:
        made["known"] = whole(table["known_at"])[pick]
    for name, column in (("until", "known_until"), ("ended", "ended_at")):
        if column in present and table[column].null_count < table.num_rows and (name == "until" or needs.ended):
            made[name] = whole(table[column])[pick]
    if needs.value and "value" in present:
        value = numbers_or(table["value"].cast(pa.float64()), np.nan)[pick]
        made["value"] = value if np.isfinite(value).all() else np.where(np.isfinite(value), value, np.nan)
    if needs.ordered and "event_id" in present:
        made["event_id"] = numbers(table["event_id"])[pick]
    if needs.numbered:
        made |= {part: _numbered(table[part], words)[pick] for part, words in needs.numbered.items()}
        if "place_id" in present:
            made["place"] = numbers_or(table["place_id"], 0)[pick]
            made["placed"] = table["place_id"].is_valid().to_numpy()[pick]
    return made


def naive(field: pa.Field) -> None:
    """Refuse times that carry a zone: read as they stand they would move by hours, and over midnight.

    Raises
    ------
    DataRefused : the column has a time zone
    """
    if pa.types.is_timestamp(field.type) and field.type.tz is not None:
        raise DataRefused(
            "time-zone",
            found=f"times of {field.name} in the zone {field.type.tz}",
            expected="wall-clock times of the partnership, without a zone",
            repair="Convert them to local time first, as intake does; daylight saving is settled there.",
        )


def whole(times: pa.ChunkedArray) -> Whole:
    """Times as int64 microseconds; what is missing lies after everything."""
    micro = times.cast(MOMENT)
    if micro.null_count:
        micro = micro.fill_null(pa.scalar(FOREVER_MICRO, pa.int64()).cast(MOMENT))
    return numbers(micro).view(np.int64)


def _types(table: pa.Table, channel: int, types: Types, needs: Needs, *, spell: bool) -> npt.NDArray[np.int32]:
    place: Any = np.zeros(1, np.int32)
    for part in WORDED:
        words = needs.words[part]
        place = place * np.int32(len(words))
        if len(words) > 1:
            place = place + _numbered(table[part], words)
    per_reach = types.codes[channel].reshape(2, -1)
    if spell:
        return np.asarray(per_reach[table["spell"].to_numpy().astype(np.int64), place], np.int32)
    found = per_reach[0][place]
    return np.asarray(found if len(found) == table.num_rows else np.repeat(found, table.num_rows), np.int32)


def _numbered(column: pa.ChunkedArray, words: Sequence[str]) -> npt.NDArray[np.int32]:
    """The place of each word in `words`; of any other, and of none, the last place."""
    other = len(words) - 1
    if not pa.types.is_dictionary(column.type):
        found = pc.index_in(column, value_set=texts(words))
        return numbers_or(found, other)
    parts = [np.empty(0, np.int32)]
    for chunk in column.chunks:
        found = pc.index_in(chunk.dictionary.cast(pa.string()), value_set=texts(words))
        lookup = np.append(numbers_or(found, other), other).astype(np.int32)
        parts.append(lookup[numbers_or(chunk.indices, len(lookup) - 1)])
    return np.concatenate(parts) if len(parts) > 2 else parts[-1]


def _pairs(kind: pa.DictionaryArray, agency: pa.DictionaryArray) -> dict[tuple[str, str], int]:
    """How often each (kind, agency) stands in a batch."""
    words = kind.dictionary.to_pylist(), agency.dictionary.to_pylist()
    wide = len(words[1])
    counts = np.bincount(numbers(kind.indices) * np.int32(wide) + numbers(agency.indices))
    return {(words[0][p // wide], words[1][p % wide]): int(counts[p]) for p in np.flatnonzero(counts).tolist()}


def _reader(path: Path, group: int, names: Mapping[str, str]) -> Piece:
    def read() -> pa.Table:
        wanted = list(dict.fromkeys(names.values()))
        words = [names[part] for part in WORDED if part in names]
        file = pq.ParquetFile(path, read_dictionary=words)
        table = file.read_row_group(group, columns=wanted, use_threads=False)
        return pa.table({column: table[name] for column, name in names.items()})

    return read


def _undictionaried(schema: pa.Schema) -> pa.Schema:
    plain = [f.with_type(f.type.value_type) if pa.types.is_dictionary(f.type) else f for f in schema]
    return pa.schema(plain)

"""The tables that layers hand to each other: their columns, and the fingerprint of what is in them.

Every table of people's records in the package has one of these Arrow schemas. Times are naive wall-clock
``timestamp[us]``. A row that may be corrected carries when it was known: it is visible at an as-of moment ``t``
exactly if ``known_at < t <= known_until`` (``known_until`` is null while nothing superseded it). The rule itself
lives in ``histories.visibility``; here are only the columns.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.errors import DataRefused

MOMENT: Final = pa.timestamp("us")

PERSON_RECORDS: Final = pa.schema(
    [
        pa.field("feed", pa.string(), nullable=False),  # "police.people"
        pa.field("agency", pa.string(), nullable=False),
        pa.field("person_key", pa.string(), nullable=False),  # the agency's own number
        pa.field("given_name", pa.string()),
        pa.field("family_name", pa.string()),
        pa.field("birth_date", pa.date32()),
        pa.field("sex", pa.string()),
        pa.field("ethnicity", pa.string()),
        pa.field("address", pa.string()),
        pa.field("postcode", pa.string()),
        pa.field("area", pa.string()),
        pa.field("address_from", pa.date32()),  # lived there since, as this agency knows it
        pa.field("encoded", pa.string()),  # in the place of names, birth date and address, see linkage.encoding
        pa.field("known_at", MOMENT, nullable=False),
    ]
)
"""What each agency's register says of a person: one row a version of a record. The only table with names."""

FEED_EVENTS: Final = pa.schema(
    [
        pa.field("feed", pa.string(), nullable=False),
        pa.field("agency", pa.string(), nullable=False),
        pa.field("event_key", pa.string(), nullable=False),  # unique in the feed; a re-sent key is a new version
        pa.field("person_key", pa.string()),  # null for an event at a place only
        pa.field("happened_at", MOMENT, nullable=False),
        pa.field("ended_at", MOMENT),  # spells; null is open, or an event of a moment
        pa.field("known_at", MOMENT, nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("role", pa.string()),  # "victim", "suspect" ...
        pa.field("value", pa.float64()),  # days, pounds, points ... as the contract says
        pa.field("address", pa.string()),
        pa.field("postcode", pa.string()),
        pa.field("retracted", pa.bool_(), nullable=False),
    ]
)
"""Accepted events under the agency's own person number, before linkage."""

FEED_RELATIONS: Final = pa.schema(
    [
        pa.field("feed", pa.string(), nullable=False),
        pa.field("agency", pa.string(), nullable=False),
        pa.field("person_key", pa.string(), nullable=False),
        pa.field("other_person_key", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),  # "child_of", "parent", "partner" ...
        pa.field("starts_at", MOMENT),
        pa.field("ends_at", MOMENT),
        pa.field("known_at", MOMENT, nullable=False),
    ]
)
"""Accepted relations between two people of one agency: person_key is the ``kind`` of other_person_key."""

LINKS: Final = pa.schema(
    [
        pa.field("feed", pa.string(), nullable=False),  # the people feed
        pa.field("agency", pa.string(), nullable=False),
        pa.field("person_key", pa.string(), nullable=False),
        pa.field("entity_id", pa.int64(), nullable=False),
        pa.field("probability", pa.float64(), nullable=False),  # weakest accepted match that holds the record in
    ]
)
"""Whose record is whose: (agency, person_key) to one pseudonymous entity."""

PERSONS: Final = pa.schema(
    [
        pa.field("entity_id", pa.int64(), nullable=False),
        pa.field("birth_date", pa.date32()),
        pa.field("sex", pa.string()),
        pa.field("ethnicity", pa.string()),
        pa.field("known_at", MOMENT, nullable=False),  # first time any agency knew the person
    ]
)
"""One row a linked person, no names. Sorted by entity_id."""

EVENTS: Final = pa.schema(
    [
        pa.field("entity_id", pa.int64()),  # null for an event at a place only
        pa.field("happened_at", MOMENT, nullable=False),
        pa.field("ended_at", MOMENT),
        pa.field("known_at", MOMENT, nullable=False),
        pa.field("known_until", MOMENT),
        pa.field("agency", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("role", pa.string()),
        pa.field("value", pa.float64()),
        pa.field("place_id", pa.int64()),
        pa.field("event_id", pa.int64(), nullable=False),  # same id: versions of one fact
    ]
)
"""The event history, sorted by (entity_id, happened_at, known_at, event_id). The retracted has no visible version."""

RESIDENCES: Final = pa.schema(
    [
        pa.field("entity_id", pa.int64(), nullable=False),
        pa.field("place_id", pa.int64(), nullable=False),
        pa.field("area", pa.string()),
        pa.field("starts_at", MOMENT, nullable=False),
        pa.field("ends_at", MOMENT),
        pa.field("known_at", MOMENT, nullable=False),
        pa.field("known_until", MOMENT),
    ]
)
"""Who lived where, when, and since when that was known. Sorted by (entity_id, starts_at, known_at, place_id)."""

RELATIONS: Final = pa.schema(
    [
        pa.field("entity_id", pa.int64(), nullable=False),  # who receives
        pa.field("other_id", pa.int64(), nullable=False),  # whose events are carried
        pa.field("kind", pa.string(), nullable=False),
        pa.field("starts_at", MOMENT),
        pa.field("ends_at", MOMENT),
        pa.field("known_at", MOMENT, nullable=False),
        pa.field("known_until", MOMENT),
    ]
)
"""Dated ties. ``kind`` says what other is to entity: "parent", "co_resident", "partner" ... ``through="parent"``
carries events of other_id (the parent) to entity_id. Sorted by (entity_id, kind, other_id, starts_at)."""

AREA_VALUES: Final = pa.schema(
    [
        pa.field("area", pa.string(), nullable=False),
        pa.field("measure", pa.string(), nullable=False),  # "imd_decile", "population" ...
        pa.field("value", pa.float64()),
        pa.field("source", pa.string(), nullable=False),  # who publishes it
        pa.field("starts_at", MOMENT, nullable=False),  # from when it holds, until the next one
        pa.field("known_at", MOMENT, nullable=False),
        pa.field("known_until", MOMENT),
    ]
)
"""Measures of areas over time. Sorted by (area, measure, starts_at, known_at)."""

ROWS: Final = pa.schema([pa.field("entity_id", pa.int64(), nullable=False), pa.field("as_of", MOMENT, nullable=False)])
"""Who is in question and when. Sorted by (entity_id, as_of), no duplicates."""


def entity_label(entity_id: int, prefix: str = "P") -> str:
    """The pseudonym a reader sees: ``P-`` and 16 hexadecimal digits.

    Examples
    --------
    >>> entity_label(255)
    'P-00000000000000ff'
    """
    return f"{prefix}-{entity_id & 0xFFFF_FFFF_FFFF_FFFF:016x}"


def entity_id_of(label: str) -> int:
    """The number behind a pseudonym; the inverse of `entity_label`."""
    value = int(label.partition("-")[2], 16)
    return value - (1 << 64) if value >= 1 << 63 else value


def pseudonyms(tokens: list[str], salt: str) -> np.ndarray:
    """Stable 63-bit numbers for texts, (n,) int64: SHA-256 of salt and text."""
    digests = (hashlib.sha256(f"{salt}\x1f{token}".encode()).digest()[:8] for token in tokens)
    return np.fromiter((int.from_bytes(digest, "big") >> 1 for digest in digests), np.int64, len(tokens))


def conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table with exactly the schema's columns, order and types; absent nullable columns become null."""
    absent = [field.name for field in schema if field.name not in table.column_names and not field.nullable]
    if absent:
        raise DataRefused(
            "columns-missing",
            found=f"a table without {', '.join(absent)}",
            expected=f"the columns {', '.join(schema.names)}",
            repair="Give every column that may not be null.",
        )
    zoned = [one for one in schema.names if one in table.column_names and _has_zone(table.schema.field(one).type)]
    if zoned:
        raise DataRefused(
            "time-zone",
            found=f"times of {', '.join(zoned)} that carry a zone",
            expected="wall-clock times of the partnership, without a zone",
            repair="Convert them to local time first, as intake does; daylight saving is settled there.",
        )
    columns = [
        table.column(field.name).cast(field.type)
        if field.name in table.column_names
        else pa.chunked_array([pa.nulls(table.num_rows, field.type)])
        for field in schema
    ]
    made = pa.table(columns, schema=schema)
    for field in schema:
        if not field.nullable and made.column(field.name).null_count:
            raise DataRefused(
                "null-refused",
                found=f"{made.column(field.name).null_count} empty values of {field.name}",
                expected=f"{field.name} in every row",
                repair="Quarantine the rows without it first.",
            )
    return made


def _has_zone(kind: pa.DataType) -> bool:
    return pa.types.is_timestamp(kind) and kind.tz is not None


def ordered(table: pa.Table, by: list[str]) -> pa.Table:
    """The table sorted by the given columns, nulls first, in one chunk: the form in which tables are stored."""
    # pyarrow 25 changed how "nulls first" is said; a leading column of "is there a value" works in every version
    keys: dict[str, pa.ChunkedArray] = {}
    for name in by:
        if table.column(name).null_count:
            keys[f"{name} given"] = table.column(name).is_valid()
        keys[name] = table.column(name)
    order = pc.sort_indices(pa.table(keys), sort_keys=[(name, "ascending") for name in keys])
    return table.take(order).combine_chunks()


class TableFingerprint:
    """SHA-256 over names, types and values of a table that comes in parts: the same for any parts or encoding of them.

    Examples
    --------
    >>> whole = pa.table({"a": [1, 2, 3]})
    >>> parts = TableFingerprint(whole.schema)
    >>> for part in (whole.slice(0, 1), whole.slice(1)):
    ...     parts.update(part)
    >>> parts.hexdigest() == fingerprint_table(whole)
    True
    """

    def __init__(self, schema: pa.Schema) -> None:
        self.rows = 0
        self._names = json.dumps([(field.name, str(field.type)) for field in schema])
        self._columns = [_ColumnFingerprint() for _ in schema]

    def update(self, part: pa.Table) -> None:
        """Take up the next rows."""
        self.rows += part.num_rows
        for column, found in zip(part.columns, self._columns, strict=True):
            found.update(column)

    def hexdigest(self) -> str:
        """The fingerprint of all rows so far."""
        total = hashlib.sha256(self._names.encode() + str(self.rows).encode())
        for column in self._columns:
            total.update(column.digest())
        return total.hexdigest()


def fingerprint_table(table: pa.Table) -> str:
    """SHA-256 over names, types and values in row order; the same for any chunking or encoding of them."""
    found = TableFingerprint(table.schema)
    found.update(table)
    return found.hexdigest()


def fingerprint_document(document: object) -> str:
    """SHA-256 of a JSON-able document in canonical form."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def combined_fingerprint(parts: Mapping[str, str]) -> str:
    """One fingerprint for several named ones."""
    return fingerprint_document(dict(parts))


class _ColumnFingerprint:
    def __init__(self) -> None:
        self._values, self._lengths, self._present = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()

    def update(self, column: pa.ChunkedArray) -> None:
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        for chunk in column.chunks:
            self._present.update(np.asarray(chunk.is_valid()).astype(np.uint8).tobytes())
            if pa.types.is_string(chunk.type) or pa.types.is_large_string(chunk.type) or pa.types.is_binary(chunk.type):
                size, text = _text(chunk)
                self._lengths.update(size)
                self._values.update(text)
            elif pa.types.is_boolean(chunk.type):
                self._values.update(np.asarray(chunk.fill_null(False)).astype(np.uint8).tobytes())
            else:
                self._values.update(_fixed_width(chunk))

    def digest(self) -> bytes:
        return self._values.digest() + self._lengths.digest() + self._present.digest()


def _text(chunk: pa.Array) -> tuple[bytes, bytes]:
    """The lengths and the joined bytes of a text column, empty where null."""
    binary = chunk.cast(pa.large_binary()).fill_null(b"")
    offsets = np.frombuffer(binary.buffers()[1], np.int64)[binary.offset : binary.offset + len(binary) + 1]
    data = binary.buffers()[2]
    text = b"" if data is None else data.slice(int(offsets[0]), int(offsets[-1] - offsets[0])).to_pybytes()
    return np.diff(offsets).tobytes(), text


def _fixed_width(chunk: pa.Array) -> bytes:
    if pa.types.is_floating(chunk.type):
        numbers = chunk.fill_null(0.0).to_numpy(zero_copy_only=False)
        return np.where(np.isnan(numbers), np.asarray(np.nan, numbers.dtype), numbers + 0).tobytes()
    if pa.types.is_temporal(chunk.type):
        width = pa.int32() if chunk.type.bit_width == 32 else pa.int64()
        chunk = chunk.cast(width) if not pa.types.is_timestamp(chunk.type) else chunk.view(pa.int64())
    return bytes(np.ascontiguousarray(chunk.fill_null(0).to_numpy(zero_copy_only=False)).tobytes())

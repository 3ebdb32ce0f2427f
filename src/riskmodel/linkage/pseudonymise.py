"""The agency's side of linkage without names: a delivered file in, the encoded file and its sidecar out.

Runs at the agency, on its own machine, with its own contract. Rows that the contract refuses stay at the agency and are
counted by code; of the others, names and dates of birth go into a code, numbers of people and addresses become tokens,
and columns that mean nothing are left out. The file is read in parts; a run that is stopped leaves no encoded file.
The key is read and never written.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.feeds.checks import judged
from riskmodel.feeds.contract import Contract
from riskmodel.feeds.encoded import CODE, SCHEME, TOKENS, Encoding, encoded_feed
from riskmodel.feeds.feed import Feed
from riskmodel.feeds.raw import RawRows
from riskmodel.feeds.reading import PART, read_parts
from riskmodel.feeds.standard import FIELDS
from riskmodel.linkage import addresses
from riskmodel.linkage.encoding import Coder, Key
from riskmodel.linkage.names import each, plain

SALTS_USED: Final = ".salts-used.json"
"""Beside the key file: which salt served which purpose, as values that show neither key nor salt."""


def pseudonymise(
    contract: Contract, feed: str, file: Path, *, key_file: Path, purpose: str, salt: str, to: Path,
    expected_check: str | None = None, part_bytes: int = PART,
) -> tuple[Path, Encoding]:  # fmt: skip
    """Encode one file of a feed.

    Parameters
    ----------
    contract : Contract, the agency's own
    feed : str, the feed's name
    file : Path, the file as the agency would have sent it in clear
    key_file : Path, see `Key.read`
    purpose, salt : str, agreed by the partnership: a salt serves one purpose only
    to : Path, the folder for the encoded file; the clear file is not touched
    expected_check : str, the key check that the partnership gave out; another one is a wrong key
    part_bytes : int, about how much of the file is in memory at a time; the result does not depend on it

    Returns
    -------
    the encoded file, with its sidecar beside it, and what the sidecar says

    Raises
    ------
    DeclarationError : the key, the salt or the purpose cannot be used
    DataRefused : the file cannot be read, or would be overwritten
    """
    own = contract.feed(feed)
    coded = encoded_feed(own)
    key = Key.read(key_file, purpose=purpose, salt=salt)
    _check_key(key, expected_check)
    path = to / f"{own.agency}_{own.file}_encoded{coded.suffix}"
    _check_place(path, file)
    _check_salt(key_file, purpose, salt)
    to.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        delivered, written, refused = _encode_parts(own, coded, file, Coder(key), unfinished, part_bytes)
        encoding = Encoding(SCHEME, own.name, purpose, key.check, delivered, written, dict(refused))
        encoding.write(path)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path, encoding


def _encode_parts(
    own: Feed, coded: Feed, file: Path, coder: Coder, to: Path, part_bytes: int
) -> tuple[int, int, Counter[str]]:
    """Rows delivered and encoded, and the refused ones by code; rows that repeat each other are settled at receipt."""
    columns = own.read_columns()
    fields = frozenset(FIELDS[own.holds])
    now = dt.datetime.now()
    delivered = encoded = 0
    refused: Counter[str] = Counter()
    with ExitStack() as held:
        writer = None
        for part in read_parts(own, file, columns, part_bytes):
            found = judged(own, part, columns, fields, now, file.name)
            table = _encoded_cells(coded, _cells_of(found.rows, part), found.rows, coder)
            writer = writer or held.enter_context(_writer(coded, table.schema, to))
            writer.write_table(table)
            delivered += found.delivered
            encoded += table.num_rows
            refused.update(found.counts)
    return delivered, encoded, refused


def _cells_of(rows: pa.Table, part: RawRows) -> pa.Table:
    """The cells of the accepted rows of a part, in their order."""
    return part.cells.take(pa.array(np.searchsorted(part.row, rows.column("row_").to_numpy())))


def _encoded_cells(coded: Feed, cells: pa.Table, rows: pa.Table, coder: Coder) -> pa.Table:
    made: dict[str, pa.Array | pa.ChunkedArray] = {}
    tokens = _tokens(rows, coder.key)
    for column in coded.columns:
        if column.name == CODE and column.means == CODE:
            made[CODE] = coder.codes(rows)
        elif column.means in TOKENS:
            made[column.name] = tokens[column.means]
        else:
            made[column.name] = cells.column(column.name)
    return pa.table(made)


def _tokens(rows: pa.Table, key: Key) -> Mapping[str, pa.Array]:
    """Keyed tokens of numbers, doors and postcodes: equal wherever the same person or door is meant."""
    made = {
        name: each(rows.column(name), lambda text: key.text("person_key", text))
        for name in ("person_key", "other_person_key")
        if name in rows.column_names
    }
    if "address" in rows.column_names:
        pairs = zip(rows.column("address").to_pylist(), rows.column("postcode").to_pylist(), strict=True)
        where = [(addresses.parsed(address, code), code) for address, code in pairs]
        made["address"] = pa.array(
            [None if found is None else key.text("address", "|".join(found[:2])) for found, _ in where],
            pa.string(),
        )
        codes = [(found[2] if found else "") or "".join(plain(code or "").split()) for found, code in where]
        made["postcode"] = pa.array(
            [key.text("code of address", code) if code else None for code in codes], pa.string()
        )
    return made


def _writer(coded: Feed, schema: pa.Schema, path: Path) -> pq.ParquetWriter | pacsv.CSVWriter:
    if coded.format == "parquet":
        return pq.ParquetWriter(path, schema, compression="snappy")
    options = pacsv.WriteOptions(delimiter=coded.delimiter, quoting_style="needed")
    return pacsv.CSVWriter(path, schema, write_options=options)


def _check_place(path: Path, file: Path) -> None:
    if path.resolve() == file.resolve() or path.exists():
        raise DataRefused(
            "encoded-exists",
            found=f"a file {path.name} already",
            expected="a place for a new file",
            repair="Move it away, or write into another folder.",
        )


def _check_key(key: Key, expected: str | None) -> None:
    if expected is not None and expected.strip() != key.check:
        raise DeclarationError.of(
            "key-wrong",
            where="--key-file",
            found=f"a key, purpose and salt with the check {key.check}",
            expected=f"the check {expected.strip()}",
            repair="Use the key, the purpose and the salt that the partnership agreed on.",
        )


def _check_salt(key_file: Path, purpose: str, salt: str) -> None:
    """Refuse a salt that served another purpose: two purposes with one salt could be linked with each other."""
    path = key_file.with_name(key_file.name + SALTS_USED)
    used: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    mark = Key.read(key_file, purpose="salts", salt=salt).check
    mine = Key.read(key_file, purpose=f"purpose {purpose}", salt="purposes").check
    if used.setdefault(mark, mine) != mine:
        raise DeclarationError.of(
            "salt-reused",
            where="--salt",
            found="a salt that already served another purpose",
            expected="a salt of its own for each purpose, so that nobody can link two purposes",
            repair="Agree on a new salt for this purpose.",
        )
    path.write_text(json.dumps(used, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    path.chmod(0o600)

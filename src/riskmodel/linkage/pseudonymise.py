"""The agency's side of linkage without names: a delivered file in, the encoded file and its sidecar out.

Runs at the agency, on its own machine, with its own contract. Rows that the contract refuses stay at the agency and are
counted by code; of the others, names and dates of birth go into a code, numbers of people and addresses become tokens,
and columns that mean nothing are left out. The key is read and never written.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.feeds.checks import check
from riskmodel.feeds.contract import Contract
from riskmodel.feeds.encoded import CODE, SCHEME, TOKENS, Encoding, encoded_feed
from riskmodel.feeds.feed import Feed
from riskmodel.feeds.reading import read_rows
from riskmodel.feeds.standard import FIELDS
from riskmodel.linkage import addresses
from riskmodel.linkage.encoding import Key, encoded
from riskmodel.linkage.names import each, plain

SALTS_USED: Final = ".salts-used.json"
"""Beside the key file: which salt served which purpose, as values that show neither key nor salt."""


def pseudonymise(
    contract: Contract, feed: str, file: Path, *, key_file: Path, purpose: str, salt: str, to: Path,
    expected_check: str | None = None,
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
    _check_salt(key_file, purpose, salt)
    columns = own.read_columns()
    raw = read_rows(own, file, columns)
    checked = check(own, raw, columns, frozenset(FIELDS[own.holds]), dt.datetime.now(), file.name)
    rows = checked.rows
    place = {int(number): at for at, number in enumerate(raw.row.tolist())}
    cells = raw.cells.take(pa.array([place[number] for number in rows.column("row_").to_pylist()], pa.int64()))
    path = to / f"{own.agency}_{own.file}_encoded{coded.suffix}"
    if path.resolve() == file.resolve() or path.exists():
        raise DataRefused(
            "encoded-exists",
            found=f"a file {path.name} already",
            expected="a place for a new file",
            repair="Move it away, or write into another folder.",
        )
    to.mkdir(parents=True, exist_ok=True)
    _write(coded, _encoded_cells(coded, cells, rows, key), path)
    encoding = Encoding(SCHEME, own.name, purpose, key.check, checked.delivered, rows.num_rows, checked.counts)
    encoding.write(path)
    return path, encoding


def _encoded_cells(coded: Feed, cells: pa.Table, rows: pa.Table, key: Key) -> pa.Table:
    made: dict[str, pa.Array | pa.ChunkedArray] = {}
    tokens = _tokens(rows, key)
    for column in coded.columns:
        if column.name == CODE and column.means == CODE:
            made[CODE] = encoded(rows, key)
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


def _write(coded: Feed, table: pa.Table, path: Path) -> None:
    if coded.format == "parquet":
        pq.write_table(table, path, compression="snappy")
    else:
        pacsv.write_csv(table, path, pacsv.WriteOptions(delimiter=coded.delimiter, quoting_style="needed"))


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

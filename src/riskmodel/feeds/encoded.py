"""Deliveries without names: what an encoded file looks like, how it is recognised, and when it is refused.

An agency may encode a file before it sends it (`riskmodel pseudonymise`, see `linkage.encoding`). Beside the file then
lies a small document, its sidecar, that says so: for which purpose, and with which key - not the key, but a value that
only this key gives. Here the contract of an encoded file follows from the agency's own contract. Nothing here encodes
anything or knows a key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.feeds.feed import Column, Feed
from riskmodel.feeds.full_names import FULL_NAME

SCHEME: Final = "riskmodel-encoding-2"
SIDECAR: Final = ".encoding.json"
IDENTIFYING: Final = frozenset({"given_name", "family_name", FULL_NAME, "birth_date"})
"""What columns mean that leave the agency only inside the code."""
TOKENS: Final = frozenset({"person_key", "other_person_key", "address", "postcode"})
"""Standard fields that leave the agency as a keyed token under the agency's own heading."""
CODE: Final = "encoded"
"""The heading, and the standard field, of the code of a person's names, birth date and address."""
_TOKEN: Final = re.compile("[0-9a-f]{16}")
_LONGEST_CODE: Final = 2_000


@dataclass(frozen=True, slots=True)
class Encoding:
    """The sidecar of an encoded file.

    Attributes
    ----------
    scheme : str, how it was encoded
    feed, purpose : str, what the file is, and the one purpose it was encoded for
    key_check : str, the same for two files exactly if key, purpose and salt are the same; the key cannot be had from it
    delivered, encoded : int, rows of the agency's own file, and rows of the encoded one
    quarantined : code -> rows that the agency's own contract refuses; they stay at the agency
    """

    scheme: str
    feed: str
    purpose: str
    key_check: str
    delivered: int
    encoded: int
    quarantined: dict[str, int]

    def write(self, file: Path) -> Path:
        """Write the sidecar of a file."""
        path = sidecar_of(file)
        path.write_text(json.dumps(asdict(self), indent=1, sort_keys=True) + "\n", encoding="utf-8")
        return path


def sidecar_of(file: Path) -> Path:
    """Where the sidecar of a file lies."""
    return file.with_name(file.name + SIDECAR)


def encoding_of(file: Path) -> Encoding | None:
    """The encoding of a delivered file; None when nothing beside it says that it is encoded.

    Raises
    ------
    DataRefused : code "sidecar-invalid"
    """
    path = sidecar_of(file)
    if not path.exists():
        return None
    try:
        given: Any = json.loads(path.read_text(encoding="utf-8"))
        found = Encoding(**given)
        if found.scheme == SCHEME and _TOKEN.fullmatch(found.key_check):
            return found
    except (ValueError, TypeError):
        pass
    raise DataRefused(
        "sidecar-invalid",
        found=f"{path.name}, which is not the sidecar of an encoded file",
        expected=f"what riskmodel pseudonymise wrote, scheme {SCHEME}",
        repair="Ask the agency to encode the file again and send both files unchanged.",
    )


def encoded_feed(feed: Feed) -> Feed:
    """The contract of an encoded file of a feed: no column with a name, a date of birth or an address.

    Columns that identify are gone; keys of people, addresses and postcodes hold tokens; columns that mean nothing and
    tell no rows apart are gone too, because nobody knows what stands in them.

    Raises
    ------
    DeclarationError : the agency tells its records apart by a name or a date of birth
    """
    helpers = {*feed.key, *feed.known_at, *((feed.rows.column,) if feed.rows else ())}
    gone = {column.name for column in feed.columns if column.means in IDENTIFYING}
    if told := sorted(gone & helpers):
        raise DeclarationError.of(
            "key-identifies",
            where=f"contract of {feed.agency}",
            found=f"records of {feed.name} told apart by {', '.join(told)}",
            expected="keys without names and dates of birth",
            repair="Use the agency's own number as key.",
        )
    kept: list[Column] = []
    for column in feed.columns:
        if column.means in TOKENS:
            kept.append(
                Column(
                    column.name,
                    "text",
                    column.means,
                    column.required,
                    column.may_be_absent,
                    longest=16,
                    purposes=column.purposes,
                )
            )
        elif column.name not in gone and (column.means is not None or column.name in helpers):
            kept.append(replace(column, or_else=None))
    if feed.holds == "people":
        kept.append(Column(CODE, "text", CODE, longest=_LONGEST_CODE))
    format_ = "parquet" if feed.format == "parquet" else "csv"
    return replace(feed, columns=tuple(kept), ignored=(), format=format_, encoding="utf-8", heading_line=1)


def must_be_encoded(feed: Feed, file: str, cells: pa.Table, undeclared: Sequence[str]) -> None:
    """Refuse a file that says it is encoded and carries a name, a date of birth, an address or a number in clear.

    Parameters
    ----------
    feed : the agency's own feed, not the encoded one
    cells : the file's cells under the headings of the encoded feed
    undeclared : headings of the file beyond those
    """
    clear = sorted({column.name for column in feed.columns if column.means in IDENTIFYING} & set(undeclared))
    tokens = [column.name for column in feed.columns if column.means in TOKENS and column.name in cells.column_names]
    for name in tokens:
        cell = cells.column(name)
        good = pc.match_substring_regex(cell, f"^{_TOKEN.pattern}$")
        if pc.any(pc.invert(pc.fill_null(good, True))).as_py():
            clear.append(name)
    if CODE in cells.column_names:
        good = pc.match_substring_regex(cells.column(CODE), "^[A-Za-z0-9+/=]{100,}$")
        if pc.any(pc.invert(pc.fill_null(good, True))).as_py():
            clear.append(CODE)
    if clear:
        raise DataRefused(
            "cells-unencoded",
            found=f"{file}, said to be encoded, with {', '.join(clear)} in clear",
            expected="no name, date of birth or address, and tokens in the place of numbers",
            repair="Delete the file, and ask the agency to run riskmodel pseudonymise on its own file.",
        )


def must_fit_together(encodings: Iterable[tuple[str, Encoding | None]], purpose: str) -> None:
    """Refuse deliveries that cannot be linked: other keys, another purpose, or registers partly in clear.

    Parameters
    ----------
    encodings : the name of each feed of people, or of an encoded feed, with its encoding
    """
    listed = list(encodings)
    encoded = [(name, one) for name, one in listed if one is not None]
    other = sorted({name for name, one in encoded if one.purpose != purpose or one.feed != name})
    if other:
        raise DataRefused(
            "encoded-for-other",
            found=f"{', '.join(other)}, encoded for another purpose or as another feed",
            expected=f"files encoded for the purpose {purpose!r}",
            repair="Ask the agency to encode its own file again for this purpose.",
        )
    if len({one.key_check for _, one in encoded}) > 1:
        raise DataRefused(
            "keys-differ",
            found=f"files encoded with {len({one.key_check for _, one in encoded})} different keys or salts",
            expected="one key and one salt for all agencies of a purpose: codes of two keys never match",
            repair="Compare the key checks that riskmodel pseudonymise prints, and encode again with the right key.",
        )
    if encoded and len(encoded) < len(listed):
        clear = sorted({name for name, one in listed if one is None})
        raise DataRefused(
            "encoding-mixed",
            found=f"{', '.join(clear)} in clear beside encoded files",
            expected="all registers encoded, or none: a name cannot be compared with a code",
            repair="Ask the agency for an encoded file.",
        )

"""Addresses made comparable, and the places behind them: two spellings of one door become one place.

A place is a set of house and flat numbers, a street, and a postcode. Within one postcode, streets with the same
numbers and nearly the same letters are one place, named after the spelling that most records use. A postcode alone is
not a place. Nothing here knows who lives there.
"""

from __future__ import annotations

import re
from typing import Final

import pyarrow as pa

from riskmodel.engines.duckdb import query
from riskmodel.linkage.names import plain

NEARLY_SAME: Final = 0.88
"""Jaro-Winkler similarity from which two spellings of a street, at one number and postcode, are one street."""

_SHORT: Final = {
    "street": "st", "road": "rd", "avenue": "ave", "av": "ave", "lane": "ln", "close": "cl", "drive": "dr",
    "grove": "gr", "terrace": "ter", "terr": "ter", "crescent": "cres", "cresent": "cres", "court": "ct",
    "place": "pl", "square": "sq", "gardens": "gdns", "garden": "gdns", "saint": "st", "mount": "mt", "north":
    "n", "south": "s", "east": "e", "west": "w", "house": "hse", "circuit": "cct", "parade": "pde", "boulevard":
    "blvd",
}  # fmt: skip
_KINDS: Final = frozenset(
    ("st", "rd", "ave", "ln", "cl", "dr", "gr", "ter", "cres", "ct", "pl", "sq", "gdns", "way", "cct", "pde", "blvd")
)
_NOT_STREET: Final = frozenset(("flat", "apartment", "apt", "unit", "room", "no", "number", "floor", "flt"))
_NOWHERE: Final = frozenset(
    (
        "nofixedabode",
        "nfa",
        "unknown",
        "notknown",
        "na",
        "none",
        "nil",
        "noaddress",
        "homeless",
        "nofixedaddress",
        "notrecorded",
        "null",
        "address",
    )
)
_POSTCODE: Final = re.compile(r"\b([a-z]{1,2}[0-9][a-z0-9]?)\s*([0-9][a-z]{2})$")


def parsed(address: str | None, postcode: str | None) -> tuple[str, str, str] | None:
    """The numbers, the street and the postcode of an address; None when it names no door.

    Examples
    --------
    >>> parsed("Flat 2, 14 High Street", "QX1 2AB")
    ('14-2', 'highst', 'qx12ab')
    >>> parsed("14 high st flat 2 qx1 2ab", None)
    ('14-2', 'highst', 'qx12ab')
    >>> parsed("14 High Street, Harehills", "qx1 2ab") == parsed("14 High St", "QX12AB")
    True
    >>> parsed("No fixed abode", "QX1 2AB") is None
    True
    """
    words = plain(address or "")
    code = "".join(plain(postcode or "").split())
    found = _POSTCODE.search(words)
    if found:
        words = words[: found.start()].strip()
        code = code or found.group(1) + found.group(2)
    if not words or "".join(words.split()) in _NOWHERE:
        return None
    tokens = [token for token in words.split() if token not in _NOT_STREET]
    numbers = "-".join(sorted(token for token in tokens if any(letter.isdigit() for letter in token)))
    street = _street([_SHORT.get(token, token) for token in tokens if not any(letter.isdigit() for letter in token)])
    return (numbers, street, code) if street or (numbers and code) else None


def _street(words: list[str]) -> str:
    """The words up to the kind of street, joined: what follows is the district or town, which not everybody writes."""
    for place, word in enumerate(words):
        last = place + 1 == len(words) or words[place + 1] not in _KINDS
        if place and word in _KINDS and last:
            return "".join(words[: place + 1])
    return "".join(words)


def postcode_of(text: str) -> str | None:
    """A postcode without spaces, in small letters."""
    return "".join(plain(text).split()) or None


def places(addresses: pa.Table) -> pa.Table:
    """The place behind each distinct address.

    Parameters
    ----------
    addresses : Arrow table with ``address`` and ``postcode`` (text or null); repeats count as more use of a spelling

    Returns
    -------
    Arrow table of the distinct (address, postcode) with ``place``, ``door`` and ``street`` (text or null): the place,
    the place without its postcode, and that without its numbers. Sorted by address, postcode.
    """
    sql = """SELECT address, postcode, count(*) AS uses FROM addresses
             WHERE address IS NOT NULL OR postcode IS NOT NULL GROUP BY ALL ORDER BY address, postcode"""
    distinct = query(sql, addresses=addresses.select(["address", "postcode"]))
    texts = zip(distinct.column("address").to_pylist(), distinct.column("postcode").to_pylist(), strict=True)
    read = [parsed(address, postcode) or (None, None, None) for address, postcode in texts]
    columns = list(zip(*read, strict=True)) if read else [(), (), ()]
    table = distinct
    for name, column in zip(("numbers", "street", "code"), columns, strict=True):
        table = table.append_column(name, pa.array(column, pa.string()))
    return query(_PLACES, spelt=table)


_PLACES: Final = f"""
WITH spelling AS (
    SELECT numbers, street, code, sum(uses) AS uses FROM spelt WHERE street IS NOT NULL GROUP BY ALL
), only_code AS (  -- an address without postcode is the one door with these numbers and street, if there is just one
    SELECT numbers, street, min(code) AS code FROM spelling WHERE code <> '' AND street <> ''
    GROUP BY numbers, street HAVING count(DISTINCT code) = 1
), completed AS (
    SELECT s.numbers, s.street, s.code AS own_code, coalesce(nullif(s.code, ''), o.code, '') AS code, s.uses
    FROM spelling s LEFT JOIN only_code o ON s.numbers = o.numbers AND s.street = o.street
), counted AS (
    SELECT numbers, street, code, sum(uses) AS uses FROM completed GROUP BY ALL
), nearest AS (  -- each spelling points to the most used one like it
    SELECT a.numbers, a.street, a.code, arg_max(b.street, (b.uses, b.street)) AS usual
    FROM counted a JOIN counted b ON a.numbers = b.numbers AND a.code = b.code AND a.code <> '' AND a.numbers <> ''
      AND (b.uses > a.uses OR (b.uses = a.uses AND b.street >= a.street))
      AND (a.street = b.street OR jaro_winkler_similarity(a.street, b.street) >= {NEARLY_SAME})
    GROUP BY ALL
), named AS (
    SELECT c.numbers, c.street, c.own_code, coalesce(n.usual, c.street) AS usual, c.code
    FROM completed c LEFT JOIN nearest n ON c.numbers = n.numbers AND c.street = n.street AND c.code = n.code
)
SELECT t.address, t.postcode,
       n.numbers || '|' || n.usual || '|' || n.code AS place, n.numbers || '|' || n.usual AS door,
       nullif(n.usual, '') AS street
FROM spelt t LEFT JOIN named n ON t.numbers = n.numbers AND t.street = n.street AND t.code = n.own_code
ORDER BY t.address, t.postcode
"""

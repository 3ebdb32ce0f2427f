"""Register records made comparable: one row for each (agency, person_key), all it ever said in plain letters and codes.

A record gathers every version that an agency sent of one of its people: the last name, birth date and sex it gave, and
every family name, place and postcode it ever gave. This table holds names; it lives in memory only and is never
stored, logged or handed above linkage.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.engines.duckdb import query
from riskmodel.linkage import addresses, names

IDENTIFIERS: Final = ("contact", "identifier")
"""Columns beyond the standard ones that sharpen a link when a feed has them: an e-mail or telephone number, a number
that many agencies share."""


def prepared(people: pa.Table) -> pa.Table:
    """The records to compare.

    Parameters
    ----------
    people : Arrow table of PERSON_RECORDS, and, where there are any, the columns of `IDENTIFIERS` as text

    Returns
    -------
    Arrow table sorted by (agency, person_key), with
    record : int64, the row's number; agency, person_key : text
    given, root, given_sound, family, family_sound : text or null, the last given
    roots, families : list of text, all ever given (families with the parts of double ones)
    birth : text of eight digits, or null; sex : text or null
    places, doors, postcodes, streets, areas : list of int32, codes within this table; a door is a place without its
    postcode, a street a door without its numbers
    contact, identifier : text or null
    """
    table = _spelt(people)
    return query(_GATHERED, versions=table)


def _spelt(people: pa.Table) -> pa.Table:
    given = names.each(people.column("given_name"), names.given)
    family = names.each(people.column("family_name"), names.family)
    columns = {
        "agency": people.column("agency"),
        "person_key": people.column("person_key"),
        "known_at": people.column("known_at"),
        "ordinal": pa.array(range(people.num_rows), pa.int64()),
        "given": given,
        "root": names.each(people.column("given_name"), names.root),
        "given_sound": names.each(given, names.sound),
        "family": family,
        "family_sound": names.each(family, names.sound),
        "family_parts": names.each(people.column("family_name"), names.parts),
        "birth": pc.strftime(people.column("birth_date"), format="%Y%m%d"),
        "sex": people.column("sex"),
        "postcode": _codes(names.each(people.column("postcode"), addresses.postcode_of)),
        "area": _codes(names.each(people.column("area"), addresses.postcode_of)),
        **_places(people),
    }
    for name in IDENTIFIERS:
        held = people.column(name) if name in people.column_names else pa.nulls(people.num_rows, pa.string())
        columns[name] = names.each(held, _tight)
    return pa.table(columns)


def _places(people: pa.Table) -> dict[str, pa.Array]:
    spelt = people.select(["address", "postcode"])
    numbered = spelt.append_column("row", pa.array(range(people.num_rows), pa.int64()))
    sql = """SELECT p.place, p.door, p.street FROM n LEFT JOIN p
             ON n.address IS NOT DISTINCT FROM p.address AND n.postcode IS NOT DISTINCT FROM p.postcode
             ORDER BY n.row"""
    found = query(sql, n=numbered, p=addresses.places(spelt))
    return {name: _codes(found.column(name)) for name in ("place", "door", "street")}


def _codes(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Small whole numbers for texts, by order of first appearance; null stays null."""
    whole = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    return whole.dictionary_encode().indices


def _tight(text: str) -> str | None:
    return "".join(text.lower().split()) or None


def _last(column: str) -> str:
    return f"arg_max({column}, (known_at, ordinal)) FILTER ({column} IS NOT NULL) AS {column}"


def _all(column: str, name: str) -> str:
    return f"coalesce(list_sort(list(DISTINCT {column}) FILTER ({column} IS NOT NULL)), []) AS {name}"


_LAST_GIVEN: Final = ("given", "root", "given_sound", "family", "family_sound", "birth", "sex", *IDENTIFIERS)
_GATHERED: Final = f"""
SELECT row_number() OVER (ORDER BY agency, person_key) - 1 AS record, *
FROM (
    SELECT agency, person_key,
           {", ".join(map(_last, _LAST_GIVEN))},
           {_all("root", "roots")},
           list_sort(list_distinct(flatten(coalesce(
               list(string_split(family_parts, ' ')) FILTER (family_parts IS NOT NULL), [])))) AS families,
           {_all("place", "places")}, {_all("door", "doors")}, {_all("postcode", "postcodes")},
           {_all("street", "streets")}, {_all("area", "areas")}
    FROM versions GROUP BY agency, person_key
) ORDER BY agency, person_key
"""

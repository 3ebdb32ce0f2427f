"""Which pairs of records to compare at all: those that share at least one key.

Every record gets a handful of keys (its birth date, its name either way round, its place with the start of its name
...), each chosen to survive a different error. Two records that share any key are compared. A key that very many
records share (a default birth date, a hostel) is narrowed by year of birth and first letter; one still shared by more
than `MOST_SHARING` is left out and counted, so that no key can ask for a billion comparisons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from riskmodel.engines.duckdb import connect

MOST_SHARING: Final = 400
"""Records that may share one key: 79,800 pairs."""


@dataclass(frozen=True, slots=True)
class Blocking:
    """The pairs to compare: (n_pairs, 2) record numbers, left below right, sorted; and the keys that were left out."""

    pairs: pa.Table
    narrowed_keys: int
    dropped_keys: int

    def __repr__(self) -> str:
        return f"Blocking({self.pairs.num_rows} pairs, {self.dropped_keys} keys dropped)"


_KEYS: Final = {
    # the same birth date, or with day and month swapped
    "birth": "substr(birth, 1, 4) || CASE WHEN substr(birth, 7, 2) <= '12' "
    "THEN least(substr(birth, 5, 2), substr(birth, 7, 2)) || greatest(substr(birth, 5, 2), substr(birth, 7, 2)) "
    "ELSE substr(birth, 5, 4) END",
    # the same name, either way round
    "name": "least(given, family) || ' ' || greatest(given, family)",
    # names that sound so, either way round; with one half of the birth date
    "sounds": "least(given_sound, family_sound) || ' ' || greatest(given_sound, family_sound)",
    # one end of the family name misspelt, and no birth date to go by
    "name_start": "root || ' ' || left(family, 3)",
    "name_end": "root || ' ' || right(family, 3)",
    "name_starts": "left(root, 2) || ' ' || left(family, 4)",
    "sound_year": "family_sound || ' ' || substr(birth, 1, 4) || left(given, 1)",
    "family_day": "family || ' ' || substr(birth, 5, 4)",
    "family_month": "family || ' ' || substr(birth, 1, 6)",
    # another family name: the given name with part of the birth date
    "given_month": "root || ' ' || substr(birth, 1, 6)",
    "given_day": "root || ' ' || substr(birth, 5, 4)",
    "given_year_day": "root || ' ' || substr(birth, 1, 4) || substr(birth, 7, 2)",
    "contact": "contact",
    "identifier": "identifier",
}
_KEYS_OF_LISTS: Final = {
    # the same door with the start of the name, or the year of birth
    "place_given": ("doors", "left(root, 1)"),
    "place_family": ("doors", "left(family, 1)"),
    "place_year": ("doors", "substr(birth, 1, 4)"),
    # the same postcode with what either name sounds like, whichever way round
    "postcode_name": ("postcodes", "unnest([given_sound, family_sound])"),
    "postcode_year": ("postcodes", "substr(birth, 1, 4)"),
}
_LOOSE: Final = {"sound_initial": "family_sound || ' ' || left(root, 1)"}
_THIN: Final = "birth IS NULL"
"""A record without birth date has little to be found by: for it alone, names that begin and sound alike are enough."""
_FINER: Final = "coalesce(substr(birth, 1, 4), '') || coalesce(left(given, 1), '')"


def blocked(
    records: pa.Table,
    keys: Mapping[str, str] = _KEYS,
    keys_of_lists: Mapping[str, tuple[str, str]] = _KEYS_OF_LISTS,
    finer: str = _FINER,
    loose: Mapping[str, str] = _LOOSE,
    thin: str = _THIN,
) -> Blocking:
    """The pairs of `records` (see `records.prepared`) that share a key.

    Parameters
    ----------
    keys, keys_of_lists : rule -> SQL of the key; rule -> column of lists and what is added to each of its values
    finer : SQL of what a key is narrowed by that too many share
    loose : as `keys`; they bring two records together only where one of them is thin
    thin : SQL of whether a record holds so little that it needs loose keys
    """
    every = _keys_sql(keys, keys_of_lists, loose)
    sql = _KEYED.format(keys=every, finer=finer, thin=thin, most=MOST_SHARING)
    connection = connect()
    try:
        connection.register("records", records)
        connection.execute(f"CREATE TEMP TABLE keyed AS {sql}")
        counted = connection.execute(_COUNTED.format(most=MOST_SHARING)).fetchall()
        pairs = connection.sql(_PAIRS.format(most=MOST_SHARING)).to_arrow_table()
    finally:
        connection.close()
    return Blocking(pairs, int(counted[0][0]), int(counted[0][1]))


def _keys_sql(keys: Mapping[str, str], keys_of_lists: Mapping[str, tuple[str, str]], loose: Mapping[str, str]) -> str:
    single = [
        f"SELECT record, '{rule}' AS rule, {key} AS key, {rule in loose} AS loose FROM records"
        for rule, key in {**keys, **loose}.items()
    ]
    lists = [
        f"SELECT record, '{rule}' AS rule, value || ' ' || {also} AS key, false AS loose "
        f"FROM (SELECT *, unnest({column}) AS value FROM records)"
        for rule, (column, also) in keys_of_lists.items()
    ]
    return " UNION ALL ".join(single + lists)


_KEYED: Final = """
WITH keys AS (
    SELECT DISTINCT record, hash(rule, key) AS key, loose FROM ({keys}) WHERE key IS NOT NULL
), sized AS (
    SELECT record, key, loose, count(*) OVER (PARTITION BY key) > {most} AS crowded FROM keys
), finer AS (
    SELECT record, {finer} AS also, {thin} AS thin FROM records
)
SELECT s.record, s.loose, f.thin, s.key AS own, s.crowded,
       CASE WHEN s.crowded THEN hash(s.key, f.also) ELSE s.key END AS key,
       count(*) OVER (PARTITION BY CASE WHEN s.crowded THEN hash(s.key, f.also) ELSE s.key END) AS sharing
FROM sized s JOIN finer f USING (record)
"""
_COUNTED: Final = """
SELECT count(DISTINCT own) FILTER (crowded), count(DISTINCT key) FILTER (sharing > {most}) FROM keyed
"""
_PAIRS: Final = """
SELECT DISTINCT l.record AS l, r.record AS r FROM keyed l JOIN keyed r
ON l.key = r.key AND l.record < r.record AND (NOT l.loose OR l.thin OR r.thin)
WHERE l.sharing BETWEEN 2 AND {most} AND r.sharing BETWEEN 2 AND {most} ORDER BY 1, 2
"""

"""The conditions of comparisons in Spark's words, and likeness of texts computed there by the very code used here.

Two engines with two versions of a likeness would now and then put a pair into two levels, and people into other people.
So Spark calls DuckDB's functions, column by column, on its executors; only the words around them are translated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from riskmodel.engines import spark
from riskmodel.engines.duckdb import query

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_WORDS: Final = (
    (r"\blist_has_any\(([^,()]+), ([^,()]+)\)", r"arrays_overlap(array_compact(\1), array_compact(\2))"),
    (r"\blen\(", "size("),
    (r"\bjaro_winkler_similarity\(", "likeness_of_texts("),
    (r"\bdamerau_levenshtein\(", "slips_between_texts("),
    (r"::INT\b", "::INTEGER"),
    (r"\b2\.0 \*", "CAST(2 AS DOUBLE) *"),  # a plain 2.0 is a decimal in Spark, and so would be the quotient
)


def translated(condition: str) -> str:
    """A condition over l and r as Spark understands it.

    Examples
    --------
    >>> translated("len(l.doors) = 0 OR jaro_winkler_similarity(l.given, r.given) >= 0.9")
    'size(l.doors) = 0 OR likeness_of_texts(l.given, r.given) >= 0.9'
    >>> translated("list_has_any(l.doors, r.doors)")
    'arrays_overlap(array_compact(l.doors), array_compact(r.doors))'
    """
    for ours, theirs in _WORDS:
        condition = re.sub(ours, theirs, condition)
    return condition


def likeness(left: pa.Array, right: pa.Array) -> pa.Array:
    """Jaro-Winkler similarity of two columns of text, null where one is missing.

    Examples
    --------
    >>> likeness(pa.array(["ann", None]), pa.array(["anne", "ann"])).to_pylist()
    [0.9416666666666667, None]
    """
    return _called("jaro_winkler_similarity(a, b)", left, right)


def slips(left: pa.Array, right: pa.Array) -> pa.Array:
    """Damerau-Levenshtein distance of two columns of text, null where one is missing.

    Examples
    --------
    >>> slips(pa.array(["amy"]), pa.array(["aym"])).to_pylist()
    [1.0]
    """
    return _called("damerau_levenshtein(a, b)::DOUBLE", left, right)


FUNCTIONS: Final[Mapping[str, spark.Likeness]] = {"likeness_of_texts": likeness, "slips_between_texts": slips}


def session(address: str) -> SparkSession:
    """A Spark session that knows the likeness of texts."""
    made = spark.session(address)
    for name, function in FUNCTIONS.items():
        spark.add_text_function(made, name, function)
    return made


def _called(expression: str, left: pa.Array, right: pa.Array) -> pa.Array:
    found = query(f"SELECT {expression} AS found FROM t", t=pa.table({"a": left, "b": right}))
    return found.column("found").combine_chunks()

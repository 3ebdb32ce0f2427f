"""The list as a file: caveats inside it, room for the review beside every person, and nothing a spreadsheet would run.

A list is ordered by pseudonym. Ordered by probability it exists only as a list of working capacity, because the
approval named one. There is no way to leave out the review columns or the caveats.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from riskmodel.advisory import words
from riskmodel.advisory.listed import Listed, OneScore
from riskmodel.advisory.order import Order, ordered
from riskmodel.advisory.standing import must_hold
from riskmodel.engines.folders import refusals_of_the_disk
from riskmodel.errors import NotPermitted
from riskmodel.explain.steady import NO_STABLE_REASON
from riskmodel.governance.refusals import refusals_noted
from riskmodel.tables import fingerprint_table

REVIEW_COLUMNS = ("review: decision", "review: reason", "review: reviewer role")
FILES = ("advisory_list.csv", "advisory_list.parquet")
CAVEATS = b"riskmodel.caveats"
BASIS = b"riskmodel.basis"
MOST_REASONS = 3
_RUNS_IN_A_SPREADSHEET = ("=", "+", "-", "@", "\t", "\r", "\n")


def list_table(scores: Listed, order: Order | None = None) -> pa.Table:
    """The list as Arrow in the given order, with review columns and, in its metadata, the caveats."""
    order = order or ordered(scores, "pseudonym")
    people = list(scores._at(order.places))
    columns: dict[str, pa.Array] = {
        "pseudonym": pa.array([each.pseudonym for each in people], pa.string()),
        "as_of": pa.array([scores.basis.as_of] * len(people), pa.date32()),
        "probability": pa.array([each.probability for each in people], pa.float64()),
        "low": pa.array([each.low for each in people], pa.float64()),
        "high": pa.array([each.high for each in people], pa.float64()),
        "similar_cases": pa.array([each.frequency and each.frequency.similar for each in people], pa.int64()),
        "of_whom_with_outcome": pa.array(
            [each.frequency and each.frequency.with_outcome for each in people], pa.int64()
        ),
        "made_again_low": pa.array([each.made_again and each.made_again[0] for each in people], pa.float64()),
        "made_again_high": pa.array([each.made_again and each.made_again[1] for each in people], pa.float64()),
        **({"place": pa.array(order.standing, pa.string())} if order.standing else {}),
        "raises": pa.array([_told(each, raises=True) for each in people], pa.string()),
        "lowers": pa.array([_told(each, raises=False) for each in people], pa.string()),
        "not_known": pa.array(["; ".join(each.missing.sentences) for each in people], pa.string()),
        "withheld": pa.array([each.withheld for each in people], pa.string()),
        "valid_until": pa.array([scores.basis.valid_until] * len(people), pa.date32()),
        **{name: pa.nulls(len(people), pa.string()) for name in REVIEW_COLUMNS},
    }
    lines = "\n".join(words.caveats(scores.basis, order.note))
    basis = json.dumps(scores.basis.document(), sort_keys=True)
    return pa.table(columns).replace_schema_metadata({CAVEATS: lines.encode(), BASIS: basis.encode()})


def write_list(scores: Listed, folder: Path, order: str) -> Path:
    """Write the list as CSV and Parquet into the folder and note it in the ledger."""
    basis = scores.basis
    with given_out(scores, "export"):
        placed = ordered(scores, order)
        table = list_table(scores, placed)
    with refusals_of_the_disk("the list"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILES[0]).write_bytes(csv_bytes(table))
        pq.write_table(table, folder / FILES[1])
    scores.ledger.append(
        "export",
        list=scores.fingerprint,
        table=fingerprint_table(table),
        people=table.num_rows,
        order=order,
        not_settled=placed.not_settled,
        purpose=basis.purpose.name,
        model=basis.model,
        card=basis.card,
    )
    return folder


@contextmanager
def given_out(scores: Listed, asked: str) -> Iterator[None]:
    """Give out what a list says while it holds; what is refused, now or inside, is written down."""
    with refusals_noted(scores.ledger, asked=asked, purpose=scores.basis.purpose.name, list=scores.fingerprint):
        must_hold(scores.ledger, scores.basis, scores.fingerprint)
        yield


def must_have_room(table: pa.Table) -> None:
    """Refuse a list without its review columns or its caveats.

    Raises
    ------
    NotPermitted : with what is missing
    """
    gone = [name for name in REVIEW_COLUMNS if name not in table.column_names]
    gone += [] if CAVEATS in (table.schema.metadata or {}) else ["the caveats"]
    if gone:
        raise NotPermitted(
            "list-without-review",
            found=f"a list without {', '.join(gone)}",
            expected="room for a review beside every person, and the caveats",
            repair="Write the table that to_table() gives, or use export(folder).",
        )


def csv_bytes(table: pa.Table) -> bytes:
    """The list as CSV (UTF-8): the caveats as lines that begin with ``#``, every text in quotation marks.

    Raises
    ------
    NotPermitted : a list without review columns or caveats
    """
    must_have_room(table)
    text = io.StringIO()
    for line in table.schema.metadata[CAVEATS].decode().splitlines():
        text.write(f"# {words.one_line(line)}\n")
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(table.column_names)
    for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
        writer.writerow([_cell(value) for value in row])
    return text.getvalue().encode()


def safe_text(text: str) -> str:
    """The text so that no spreadsheet takes it for a formula: an apostrophe goes before the signs that begin one.

    Examples
    --------
    >>> safe_text("=cmd|'/c calc'!A1"), safe_text("plain")
    ("'=cmd|'/c calc'!A1", 'plain')
    """
    return f"'{text}" if text.lstrip(" ").startswith(_RUNS_IN_A_SPREADSHEET) else text


def _cell(value: Any) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, float):
        return round(value, 4)
    return value if isinstance(value, int) else safe_text(str(value))


def _told(score: OneScore, *, raises: bool) -> str:
    """The reasons of one direction in one cell, or that none of them holds still."""
    told = words.sentences(score.reasons, raises=raises)[:MOST_REASONS]
    otherwise = score.steady.otherwise(raises=raises)
    return "; ".join(told) or (otherwise if otherwise == NO_STABLE_REASON else "")

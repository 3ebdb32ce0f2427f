"""The list as a file: caveats inside it, room for the review beside every person, and nothing a spreadsheet would run.

A list is ordered by pseudonym. Ordered by probability it exists only as a list of working capacity, because the
approval named one. There is no way to leave out the review columns or the caveats.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from riskmodel.advisory import words
from riskmodel.advisory.standing import must_stand
from riskmodel.errors import DeclarationError, NotPermitted
from riskmodel.explain.steady import NO_STABLE_REASON
from riskmodel.tables import fingerprint_table

if TYPE_CHECKING:
    from riskmodel.advisory.scores import Score, Scores

REVIEW_COLUMNS = ("review: decision", "review: reason", "review: reviewer role")
FILES = ("advisory_list.csv", "advisory_list.parquet")
CAVEATS = b"riskmodel.caveats"
BASIS = b"riskmodel.basis"
MOST_REASONS = 3
_RUNS_IN_A_SPREADSHEET = ("=", "+", "-", "@", "\t", "\r", "\n")


def list_table(scores: Scores, order: str = "pseudonym") -> pa.Table:
    """The list as Arrow in the given order, with review columns and, in its metadata, the caveats."""
    places, note = _ordered(scores, order)
    people = list(scores._at(places))
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
        "raises": pa.array([_told(each, raises=True) for each in people], pa.string()),
        "lowers": pa.array([_told(each, raises=False) for each in people], pa.string()),
        "not_known": pa.array(["; ".join(each.missing.sentences) for each in people], pa.string()),
        "withheld": pa.array([each.withheld for each in people], pa.string()),
        "valid_until": pa.array([scores.basis.valid_until] * len(people), pa.date32()),
        **{name: pa.nulls(len(people), pa.string()) for name in REVIEW_COLUMNS},
    }
    lines = "\n".join(words.caveats(scores.basis, note))
    basis = json.dumps(scores.basis.document(), sort_keys=True)
    return pa.table(columns).replace_schema_metadata({CAVEATS: lines.encode(), BASIS: basis.encode()})


def write_list(scores: Scores, folder: Path, order: str) -> Path:
    """Write the list as CSV and Parquet into the folder and note it in the ledger."""
    basis = scores.basis
    try:
        basis.approval.must_allow(basis.model, basis.card, basis.purpose, dt.date.today())
        must_stand(scores.ledger, scores.fingerprint)
        table = list_table(scores, order)
    except NotPermitted as refusal:
        scores.ledger.append("refused", code=refusal.code, asked="export", purpose=basis.purpose.name)
        raise
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILES[0]).write_bytes(csv_bytes(table))
    pq.write_table(table, folder / FILES[1])
    scores.ledger.append(
        "export",
        list=scores.fingerprint,
        table=fingerprint_table(table),
        people=table.num_rows,
        order=order,
        purpose=basis.purpose.name,
        model=basis.model,
        card=basis.card,
    )
    return folder


def csv_bytes(table: pa.Table) -> bytes:
    """The list as CSV (UTF-8): the caveats as lines that begin with ``#``, every text in quotation marks."""
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


def _told(score: Score, *, raises: bool) -> str:
    """The reasons of one direction in one cell, or that none of them holds still."""
    told = words.sentences(score.reasons, raises=raises)[:MOST_REASONS]
    otherwise = score.steady.otherwise(raises=raises)
    return "; ".join(told) or (otherwise if otherwise == NO_STABLE_REASON else "")


def _ordered(scores: Scores, order: str) -> tuple[list[int], str]:
    """The places in order, and the caveat that says what the order is."""
    if order == "pseudonym":
        note = f"All {scores.people:,} people scored, in the order of their pseudonyms: the order means nothing."
        return list(range(scores.people)), note
    if order != "capacity":
        raise DeclarationError.of(
            "order-unknown",
            where="order",
            found=repr(order),
            expected='"pseudonym" or "capacity"',
            repair="Leave it out for the order of pseudonyms.",
        )
    room = scores.basis.approval.limits.working_capacity
    if room is None:
        raise NotPermitted(
            "capacity-not-approved",
            found="an approval without a working capacity",
            expected="limits.working_capacity in the approval",
            repair="Export in the order of pseudonyms, or ask the board to set the working capacity.",
        )
    return _within_capacity(scores, room)


def _within_capacity(scores: Scores, room: int) -> tuple[list[int], str]:
    """The people the team has room for; of equal probabilities the earlier pseudonym stands first, and this is said."""
    rank = np.lexsort((np.arange(scores.people), -scores._probability))
    rank = rank[: scores.people - scores.withheld]  # those withheld stand last
    kept_back = f" For {scores.withheld:,} the score is withheld; they are not here." if scores.withheld else ""
    taken = rank[:room]
    left = scores._probability[rank[room:]]
    equal = int((left == scores._probability[taken[-1]]).sum()) if len(taken) else 0
    note = (
        f"{len(taken):,} of {scores.people:,} people scored: those with the highest probability, as many as the "
        f"approved working capacity of {room:,}. {equal:,} more have the same probability as the last one. "
        f"Where the list ends is set by capacity; it says nothing about the people on either side.{kept_back}"
    )
    return [int(place) for place in taken], note

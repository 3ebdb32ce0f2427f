"""The public record-linkage sets as register records: FEBRL 3 and 4 (made-up Australians), fake_1000 (Splink's).

FEBRL is Christen's generator (2008) with up to ten changes to a record; fake_1000 comes with clerical labels. Neither
has households, so they say nothing of twins or namesakes in one home.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from riskmodel.linkage.encoding import Key, encoded
from riskmodel.tables import PERSON_RECORDS

KNOWN_AT = dt.datetime(2020, 1, 1)
WITH_NUMBERS = pa.schema([*PERSON_RECORDS, pa.field("contact", pa.string()), pa.field("identifier", pa.string())])


@dataclass(frozen=True)
class PublicSet:
    """Records to link, and who they are: `truth` maps person_key to a person; `labels` are judged pairs of keys."""

    people: pa.Table
    truth: dict[str, str]
    labels: dict[tuple[str, str], bool] | None = None


def febrl(folder: Path, *files: str, with_number: bool) -> PublicSet:
    """One agency for each file; the social security number only when asked for."""
    rows = []
    for number, file in enumerate(files):
        for raw in pq.read_table(folder / file).to_pylist():
            row = {name.strip(): (text or "").strip() or None for name, text in raw.items()}
            address = " ".join(row[name] for name in ("street_number", "address_1") if row[name])
            rows.append(
                {
                    "agency": f"source{number}",
                    "person_key": row["rec_id"],
                    "given_name": row["given_name"],
                    "family_name": row["surname"],
                    "birth_date": _date(row["date_of_birth"], "%Y%m%d"),
                    "address": address or None,
                    "postcode": row["postcode"],
                    "area": row["suburb"],
                    "identifier": row["soc_sec_id"] if with_number else None,
                }
            )
    return PublicSet(_table(rows), {row["person_key"]: row["person_key"].split("-")[1] for row in rows})


def coded(people: pa.Table) -> pa.Table:
    """The same records as they arrive when the agencies encoded them: no name, birth date or address."""
    hidden = ("given_name", "family_name", "birth_date", "address", "postcode")
    columns = {
        field.name: pa.nulls(people.num_rows, field.type) if field.name in hidden else people.column(field.name)
        for field in people.schema
    }
    key = Key(hashlib.sha256(b"a key for benches only").digest(), "benches")
    return pa.table(columns | {"encoded": encoded(people, key)})


def fake_1000(folder: Path) -> PublicSet:
    """The e-mail address is a contact; the city, which is no address, is an area."""
    raw = pq.read_table(folder / "fake_1000.parquet").to_pylist()
    rows = [
        {
            "agency": "fake",
            "person_key": row["unique_id"],
            "given_name": row["first_name"],
            "family_name": row["surname"],
            "birth_date": _date(row["dob"], "%Y-%m-%d"),
            "area": row["city"],
            "contact": row["email"],
        }
        for row in raw
    ]
    judged = pq.read_table(folder / "fake_1000_labels.parquet").to_pylist()
    labels = {(one["unique_id_l"], one["unique_id_r"]): float(one["clerical_match_score"]) >= 0.5 for one in judged}
    return PublicSet(_table(rows), {row["unique_id"]: row["cluster"] for row in raw}, labels)


def pair_scores(cluster: dict[str, Any], known: PublicSet) -> dict[str, float]:
    """Precision, recall and F1 over the judged pairs, or over all pairs where there are none."""
    if known.labels is not None:
        said = {pair for pair in known.labels if cluster[pair[0]] == cluster[pair[1]]}
        true = {pair for pair, match in known.labels.items() if match}
        both, linked, matches = len(said & true), len(said), len(true)
    else:
        both = _pairs([(cluster[key], known.truth[key]) for key in cluster])
        linked, matches = _pairs(list(cluster.values())), _pairs([known.truth[key] for key in cluster])
    return {
        "precision": round(both / linked, 4),
        "recall": round(both / matches, 4),
        "f1": round(2 * both / (linked + matches), 4),
    }


def _pairs(groups: list[Any]) -> int:
    sizes: dict[Any, int] = {}
    for group in groups:
        sizes[group] = sizes.get(group, 0) + 1
    return sum(size * (size - 1) // 2 for size in sizes.values())


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    stamped = [{"feed": f"{row['agency']}.people", "known_at": KNOWN_AT, **row} for row in rows]
    columns = {field.name: pa.array([row.get(field.name) for row in stamped], field.type) for field in WITH_NUMBERS}
    return pa.table(columns, schema=WITH_NUMBERS)


def _date(text: str | None, form: str) -> dt.date | None:
    try:
        return dt.datetime.strptime(text or "", form).date()
    except ValueError:
        return None

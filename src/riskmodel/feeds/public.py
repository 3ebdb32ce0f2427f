"""Public data sets: download, check against a known hash, and lay out for their study. Names are left behind at once.

COMPAS comes from ProPublica's repository at one commit: three CSV files checked by SHA-256, and the database
``compas.db`` checked by its git object id (SHA-1 over a header and the content), which is what that commit holds. What
is kept has no names, no exact dates of birth and no case numbers.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from riskmodel.engines.duckdb import connect
from riskmodel.errors import DataRefused, NotFound

COMMIT = "bafff5da3f2e45eca6c2d5055faad269defd135a"
SOURCE = f"https://raw.githubusercontent.com/propublica/compas-analysis/{COMMIT}/"
SCORES, TWO_YEARS, VIOLENT = (
    "compas-scores.csv",
    "compas-scores-two-years.csv",
    "compas-scores-two-years-violent.csv",
)
SHA256 = {
    SCORES: "c9864c9e48c0a9e32ab23f7ad05a454d7624a4625c2a54d4447921de544fd8a2",
    TWO_YEARS: "c451db85908b2f7fef1d83203bedf6b71ecda0d5af468d82ae62178f91d0cc7d",
    VIOLENT: "918e218ba181d4db8a7266977d23ca7a5ecf1bc7d5defd7b2f27bf3cbd9763e3",
}
DATABASE, DATABASE_OBJECT = "compas.db", "5413d293da7e03a87c5592b520d3c10a547d90d4"

_PERSONS = """
SELECT id::BIGINT AS person_id, sex, race, year(dob::DATE)::INT AS birth_year, age_cat,
  juv_fel_count::BIGINT AS juv_fel_count, juv_misd_count::BIGINT AS juv_misd_count,
  juv_other_count::BIGINT AS juv_other_count, priors_count::BIGINT AS priors_count,
  compas_screening_date::DATE AS screening_date, is_recid::BIGINT AS is_recid,
  is_violent_recid::BIGINT AS is_violent_recid
FROM scores ORDER BY person_id"""

_CHARGES = """
SELECT id::BIGINT AS person_id, 'current' AS kind, c_case_number AS "case",
  TRY_CAST(c_offense_date AS DATE) AS offense_date, TRY_CAST(c_arrest_date AS DATE) AS arrest_date,
  c_charge_degree AS charge_degree, c_charge_desc AS charge_desc
FROM scores WHERE c_case_number IS NOT NULL AND c_case_number <> 'NaN'
UNION ALL
SELECT id::BIGINT, 'recidivism', r_case_number, r_offense_date::DATE, NULL, r_charge_degree, r_charge_desc
FROM scores WHERE r_case_number IS NOT NULL
UNION ALL
SELECT id::BIGINT, 'violent_recidivism', vr_case_number, vr_offense_date::DATE, NULL, vr_charge_degree, vr_charge_desc
FROM scores WHERE vr_case_number IS NOT NULL"""

_ASSESSMENTS = """
SELECT id::BIGINT AS person_id, screening_date::DATE AS date, 'recidivism' AS scale, decile_score::DOUBLE AS decile,
  decile_score::BIGINT AS decile_min, score_text AS text FROM scores
UNION ALL
SELECT id::BIGINT, v_screening_date::DATE, 'violence', v_decile_score::DOUBLE, v_decile_score::BIGINT, v_score_text
FROM scores"""

_STAYS = "SELECT person_id, in_custody, out_custody FROM {table}"
_ARRESTS = "SELECT person_id, arrest_date, charge_degree FROM casearrest WHERE arrest_date IS NOT NULL"


def fetch(name: str, to: Path) -> Path:
    """Download a public data set and lay it out under `to`; returns the folder that its study reads.

    Raises
    ------
    NotFound : no such data set, or the download failed
    DataRefused : a file is not the one that was published
    """
    if name != "compas":
        raise NotFound(
            "data-unknown", found=f"the data set {name!r}", expected="compas", repair="Ask for a known data set."
        )
    raw = to / "compas_raw"
    for file, digest in SHA256.items():
        _retrieve(file, f"sha256:{digest}", raw)
    database = _retrieve(DATABASE, None, raw)
    if git_object_id(database.read_bytes()) != DATABASE_OBJECT:
        raise DataRefused(
            "hash-wrong",
            found=f"{DATABASE} with another content than the published one",
            expected=f"git object {DATABASE_OBJECT[:12]}",
            repair="Remove the file and fetch again.",
        )
    return lay_out_compas(raw, to / "compas_events")


def git_object_id(content: bytes) -> str:
    """The id under which git keeps a file: SHA-1 of a header and the content.

    Examples
    --------
    >>> git_object_id(b"")
    'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    """
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def lay_out_compas(raw: Path, to: Path) -> Path:
    """Write the study's tables from ProPublica's files, without names, case numbers and exact dates of birth."""
    to.mkdir(parents=True, exist_ok=True)
    connection = connect()
    sql = connection.sql
    for view, file in (("scores", SCORES), ("two_years", TWO_YEARS), ("two_years_violent", VIOLENT)):
        path = str(raw / file).replace("'", "''")
        sql(f"CREATE VIEW {view} AS SELECT * FROM read_csv('{path}', all_varchar = true, nullstr = ['', 'NaN'])")
    with closing(sqlite3.connect(raw / DATABASE)) as database:
        for name, query in (
            ("jail", _STAYS.format(table="jailhistory")),
            ("prison", _STAYS.format(table="prisonhistory")),
            ("arrested", _ARRESTS),
        ):
            connection.register(name, _rows(database, query))
    stays = "SELECT person_id, in_custody::{kind} AS in_custody, out_custody::{kind} AS out_custody FROM {table}"
    tables: dict[str, Callable[[], pa.Table]] = {
        "persons": sql(_PERSONS).to_arrow_table,
        "charges": sql(_CHARGES).to_arrow_table,
        "assessments": sql(_ASSESSMENTS).to_arrow_table,
        "jail_stays": sql(stays.format(kind="TIMESTAMP", table="jail")).to_arrow_table,
        "prison_stays": sql(stays.format(kind="DATE", table="prison")).to_arrow_table,
        "arrests": sql(_FIRST_AND_LAST).to_arrow_table,
        "two_years": sql(_ANALYSIS.format(view="two_years")).to_arrow_table,
        "two_years_violent": sql(_ANALYSIS.format(view="two_years_violent")).to_arrow_table,
    }
    for name, table in tables.items():
        pq.write_table(_without_case_numbers(table()), to / f"{name}.parquet")
    connection.close()
    return to


_FIRST_AND_LAST = """
WITH later AS (
  SELECT person_id, a.arrest_date::DATE AS arrest_date, upper(left(trim(a.charge_degree, '( '), 1)) AS degree
  FROM arrested a JOIN (SELECT id::BIGINT AS person_id, compas_screening_date::DATE AS screened FROM scores)
  USING (person_id) WHERE a.arrest_date::DATE > screened)
SELECT person_id, 'first_after_screening' AS kind, min(arrest_date) AS arrest_date,
  arg_min(degree, arrest_date) AS charge_degree FROM later GROUP BY person_id
UNION ALL
SELECT person_id, 'last_observed', max(arrest_date), arg_max(degree, arrest_date) FROM later GROUP BY person_id"""

_ANALYSIS = """
SELECT id::BIGINT AS id, compas_screening_date, sex, race, age::BIGINT AS age, decile_score::BIGINT AS decile_score,
  v_decile_score::BIGINT AS v_decile_score, priors_count::BIGINT AS priors_count,
  two_year_recid::BIGINT AS two_year_recid FROM {view}"""


def _retrieve(file: str, known_hash: str | None, raw: Path) -> Path:
    import pooch

    try:
        return Path(pooch.retrieve(SOURCE + file, known_hash, fname=file, path=raw, progressbar=False))
    except ValueError:
        raise DataRefused(
            "hash-wrong",
            found=f"{file} with another content than the published one",
            expected="the published SHA-256",
            repair="Remove the file and fetch again.",
        ) from None
    except OSError as error:
        raise NotFound(
            "download-failed",
            found=f"no answer for {file} ({type(error).__name__})",
            expected="a connection to the internet",
            repair="Fetch where there is one, or point --data or RISKMODEL_DATA to a copy of the files.",
        ) from None


def _rows(database: sqlite3.Connection, query: str) -> pa.Table:
    cursor = database.execute(query)
    names = [column[0] for column in cursor.description]
    rows = cursor.fetchall()
    return pa.table({name: [row[place] for row in rows] for place, name in enumerate(names)})


def _without_case_numbers(table: pa.Table) -> pa.Table:
    if "case" not in table.column_names:
        return table
    hidden = [hashlib.sha256(str(value).encode()).hexdigest()[:10] for value in table["case"].to_pylist()]
    return table.set_column(table.column_names.index("case"), "case", pa.array(hidden))

"""The Open University's published students and registrations, with dates in the place of day numbers.

OULAD (Kuzilek, Hlosta and Zdrahal 2017) counts days from the start of a module and does not say on which day that is;
modules marked B start in February and those marked J in October. The first of the month is taken. Nothing else changes:
every registration and every withdrawal with a day is one event, and the contract is ``formats/oulad.toml``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from riskmodel.engines.duckdb import query

_STUDENTS: Final = """
SELECT id_student::VARCHAR AS id_student, arg_min(gender, code_presentation || code_module) AS gender,
       arg_min(region, code_presentation || code_module) AS region
FROM student GROUP BY id_student ORDER BY id_student
"""
_EVENTS: Final = """
WITH dated AS (
    SELECT *, left(code_presentation, 4)::INT AS year,
           CASE right(code_presentation, 1) WHEN 'B' THEN 2 ELSE 10 END AS month,
           make_date(year, month, 1) AS start FROM registration
), told AS (
    SELECT *, 'registered' AS what, try_cast(date_registration AS INT) AS day FROM dated
    UNION ALL SELECT *, 'withdrew', try_cast(date_unregistration AS INT) FROM dated
)
SELECT concat_ws(' ', code_module, code_presentation, id_student, what) AS key, id_student::VARCHAR AS id_student, what,
       (start + day)::DATE AS happened, (start + day)::DATE AS recorded
FROM told WHERE day IS NOT NULL ORDER BY key
"""


def lay_out_oulad(raw: Path, to: Path) -> Path:
    """Write ``students.parquet`` and ``events.parquet`` from the published tables in `raw`; returns `to`."""
    to.mkdir(parents=True, exist_ok=True)
    student = pq.read_table(raw / "student.parquet")
    registration = pq.read_table(raw / "student_registration.parquet")
    pq.write_table(query(_STUDENTS, student=student), to / "students.parquet")
    pq.write_table(query(_EVENTS, registration=registration), to / "events.parquet")
    return to

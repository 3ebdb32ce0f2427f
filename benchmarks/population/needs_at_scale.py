"""The measures of a needs assessment over 1,000,000 people and 40 million events, beside a floor.

The floor is what any answer has to pay: the engine reads the events once and groups them by kind and year. Run it as
``python benchmarks/population/needs_at_scale.py FOLDER``; the events are made once and kept in the folder.
"""

from __future__ import annotations

import datetime as dt
import json
import resource
import sys
import time
from pathlib import Path

from riskmodel.engines import duckdb as engine
from riskmodel.engines.folders import Result
from riskmodel.histories.store import Histories
from riskmodel.population.needs import assess
from riskmodel.population.pages.html import page_html
from riskmodel.population.pages.needs import needs_page
from riskmodel.studies.needs_declaration import load_plan

PEOPLE, EVENTS, AREAS = 1_000_000, 40_000_000, 140
QUICKSTART = Path(__file__).parents[2] / "experiments" / "quickstart"
# kind, agency, role, share of all events in ten thousand
KINDS = (
    ("violence", "police", "victim", 250),
    ("violence", "police", "suspect", 150),
    ("robbery", "police", "victim", 50),
    ("robbery", "police", "suspect", 30),
    ("domestic_abuse", "police", "victim", 500),
    ("stop_search", "police", "subject", 500),
    ("missing", "police", "subject", 150),
    ("weapon_possession", "police", "suspect", 70),
    ("injury_by_violence", "health", "subject", 300),
    ("self_harm", "health", "subject", 150),
    ("overdose", "health", "subject", 80),
    ("mental_health_contact", "health", "subject", 2500),
    ("exclusion", "education", "subject", 600),
    ("unauthorised_absence", "education", "subject", 2500),
    ("referral", "childrens_services", "subject", 900),
    ("charge", "justice", "subject", 370),
    ("rent_arrears", "housing", "subject", 870),
    ("abuse_support", "charity", "subject", 30),
)


def made(folder: Path) -> Path:
    """The tables of the histories as Parquet, made once."""
    if (folder / "done").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    connection = engine.connect(threads=2, memory="4GB", spill=str(folder / "spill"))
    rows, reached = [], 0
    for kind, agency, role, share in KINDS:
        reached += share
        rows.append(f"({reached}, '{kind}', '{agency}', '{role}')")
    steps = [row.strip("()").split(", ") for row in rows]
    pick = {
        column: "CASE "
        + " ".join(f"WHEN d < {step[0]} THEN {step[at]}" for step in steps)
        + f" ELSE {steps[-1][at]} END"
        for at, column in ((1, "kind"), (2, "agency"), (3, "role"))
    }
    person = (
        "(power(hash(i) % 1000003 / 1000003.0, 1.7) * " + str(PEOPLE) + ")::BIGINT"
    )  # some have far more than others
    connection.execute(
        f"""COPY (SELECT entity_id, happened_at, NULL::TIMESTAMP AS ended_at,
                happened_at + INTERVAL (h % 40) DAY AS known_at, NULL::TIMESTAMP AS known_until,
                {pick["agency"]} AS agency, {pick["kind"]} AS kind, {pick["role"]} AS role, (h % 30)::DOUBLE AS value,
                CASE WHEN {pick["agency"]} = 'police' THEN (h % 400000)::BIGINT END AS place_id, i AS event_id
            FROM (SELECT i, {person} AS entity_id, (hash(i + 1) % 10000)::INT AS d, hash(i + 2) AS h,
                    TIMESTAMP '2012-01-01' + INTERVAL (hash(i + 3) % 5654880) MINUTE AS happened_at
                  FROM range({EVENTS}) t(i))
            ORDER BY entity_id, happened_at) TO '{folder}/events.parquet' (FORMAT parquet)"""
    )
    connection.execute(
        f"""COPY (SELECT i AS entity_id, DATE '1940-01-01' + (hash(i) % 27000)::INT AS birth_date,
                CASE hash(i + 5) % 2 WHEN 0 THEN 'female' ELSE 'male' END AS sex,
                ['white', 'white', 'white', 'white', 'asian', 'black', 'mixed', 'other', NULL]
                [1 + (hash(i + 6) % 9)::INT] AS ethnicity, TIMESTAMP '2011-06-01' AS known_at FROM range({PEOPLE}) t(i))
            TO '{folder}/persons.parquet' (FORMAT parquet)"""
    )
    connection.execute(
        f"""COPY (SELECT i AS entity_id, (hash(i + 9 * n) % 400000)::BIGINT AS place_id,
                'A' || lpad(((hash(i + 9 * n) % 400000) % {AREAS})::VARCHAR, 3, '0') AS area,
                CASE n WHEN 0 THEN TIMESTAMP '2010-01-01' ELSE TIMESTAMP '2018-01-01' END AS starts_at,
                CASE WHEN n = 0 AND i % 3 = 0 THEN TIMESTAMP '2018-01-01' END AS ends_at,
                TIMESTAMP '2011-06-01' AS known_at, NULL::TIMESTAMP AS known_until
            FROM range({PEOPLE}) t(i), range(2) u(n) WHERE n = 0 OR i % 3 = 0)
            TO '{folder}/residences.parquet' (FORMAT parquet)"""
    )
    kinds: dict[str, dict[str, int]] = {}
    for kind, agency, _, share in KINDS:
        kinds.setdefault(kind, {})[agency] = share
    until = {agency: "2022-10-01" for _, agency, _, _ in KINDS}
    (folder / "coverage.json").write_text(json.dumps({"kinds": kinds, "covered_until": until}))
    (folder / "done").write_text("")
    return folder


def main(folder: Path) -> None:
    """Make the events, run floor and measures, print seconds and memory."""
    made(folder)
    parts = {f"{name}.parquet": "" for name in ("events", "persons", "residences")} | {"coverage.json": ""}
    histories = Histories(None, Result("histories", folder, "", "", parts, {}))
    start = time.perf_counter()
    connection = engine.connect(threads=2, memory="3GB")
    connection.sql(
        f"SELECT kind, year(happened_at), count(*) FROM read_parquet('{folder}/events.parquet') GROUP BY ALL"
    ).fetchall()
    floor = time.perf_counter() - start
    connection.close()
    plan = load_plan(QUICKSTART)
    start = time.perf_counter()
    found = assess(histories, plan, memory="3GB", threads=2)
    spent = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    start = time.perf_counter()
    size = len(page_html(needs_page(found, plan)))
    print(
        f"{dt.date.today()} floor {floor:.1f} s, measures {spent:.1f} s ({spent / floor:.0f} x), peak {memory:.2f} GiB"
    )
    print(f"page {time.perf_counter() - start:.1f} s, {size / 1024:.0f} KiB, {len(found.publication.tables)} tables")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

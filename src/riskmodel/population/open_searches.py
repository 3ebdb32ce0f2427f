"""Searches from open tables, as their publisher released them.

Open tables have been through their publisher's disclosure control; they pass unchanged, and the record says so.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from riskmodel.errors import NotFound
from riskmodel.governance.disclosure import RuleSet
from riskmodel.governance.ledger import Ledger
from riskmodel.population.cube import ALL, UNKNOWN, Cube, counted
from riskmodel.population.publication import Publication
from riskmodel.population.reading import Reading
from riskmodel.population.search_tables import OUTCOMES, SEARCHED_RESIDENTS, SEARCHES, SearchPeriod

ALREADY_OPEN: Final = RuleSet("already-open", "published by its owner as open data; shown as published", 1, 1)


def open_tables(folder: str | Path, *, ledger: Ledger | None = None) -> tuple[Publication, SearchPeriod]:
    """The open tables of Leeds (August 2022 to July 2025) as a publication.

    Parameters
    ----------
    folder : with ``leeds_stop_search_monthly_ethnicity.parquet`` and its sisters; residents are those of the census

    Raises
    ------
    NotFound : a table is not there
    """
    folder = Path(folder)
    monthly = _table(folder, "leeds_stop_search_monthly_ethnicity.parquet")
    # the first month holds two places only
    monthly = monthly.filter(pc.greater_equal(monthly.column("month"), pa.scalar(dt.datetime(2022, 8, 1))))
    made = Publication("stop-search", "2025", dt.date(2025, 8, 1), ALREADY_OPEN, ledger)
    labels = _leave_searches(made, monthly)
    _leave_ages_and_outcomes(made, folder)
    made.leave(
        SEARCHED_RESIDENTS,
        "People by area and ethnicity, census 2021: residents, and who works there by day",
        _residents(monthly, _table(folder, "leeds_crime_monthly_msoa.parquet")),
        keys=("place", "group"),
        counts=("residents", "workday"),
    )
    return made, SearchPeriod("August 2022 to July 2025", 3.0, labels)


def _leave_searches(made: Publication, monthly: pa.Table) -> tuple[str, ...]:
    """Searches by area, ethnicity and year from August on; returns the names of the years."""
    months = monthly.column("month").to_pylist()
    labels = [f"{at.year - (at.month < 8)}/{(at.year + (at.month >= 8)) % 100:02d}" for at in months]
    _leave_sums(
        made,
        SEARCHES,
        "Searches by area, ethnicity and year",
        {"place": monthly.column("msoa_hocl_name"), "group": _group(monthly), "year": pa.array(labels)},
        {"searches": monthly.column("sns_count")},
        (("place", "group"), ("group", "year")),
    )
    return tuple(sorted(set(labels)))


def _leave_ages_and_outcomes(made: Publication, folder: Path) -> None:
    by_age = _table(folder, "leeds_stop_search_msoa_age_ethnicity.parquet")
    outcomes = _table(folder, "leeds_stop_search_outcome.parquet")
    _leave_sums(
        made,
        "searches_by_age",
        "Searches by age and ethnicity, July 2022 to July 2025",
        {"age": by_age.column("age_group"), "group": _group(by_age)},
        {"searches": by_age.column("sns_count")},
        (("age", "group"),),
    )
    _leave_sums(
        made,
        OUTCOMES,
        "Searches by area and outcome, July 2022 to July 2025",
        {"place": outcomes.column("msoa_hocl_name"), "outcome": outcomes.column("outcome")},
        {"searches": outcomes.column("sns_count")},
        (("place", "outcome"),),
    )


def _group(table: pa.Table) -> pa.ChunkedArray:
    names = table.column("ethnicity_simple")
    return pc.if_else(pc.equal(names, "Unknown"), UNKNOWN, names)


def _table(folder: Path, name: str) -> pa.Table:
    if not (folder / name).is_file():
        raise NotFound(
            "open-table-missing",
            found=f"no {name} in {folder}",
            expected="the open tables of stop and search",
            repair="Give the folder that holds them.",
        )
    return pq.read_table(folder / name)


def _residents(monthly: pa.Table, crime: pa.Table) -> pa.Table:
    """People of each area and group as the tables name them, and of each area altogether."""
    named = monthly.group_by(["msoa_hocl_name", "ethnicity_simple"]).aggregate(
        [("census_population", "max"), ("workday_population", "max")]
    )
    rows = [
        {"place": place, "group": group, "residents": int(census), "workday": int(workday)}
        for place, group, census, workday in zip(*(column.to_pylist() for column in named.columns), strict=True)
        if group != "Unknown"
    ]
    whole = crime.group_by("msoa_hocl_name").aggregate([("census_population", "max"), ("workday_population", "max")])
    rows += [
        {"place": place, "group": ALL, "residents": int(census), "workday": int(workday)}
        for place, census, workday in zip(*(column.to_pylist() for column in whole.columns), strict=True)
    ]
    return pa.Table.from_pylist(sorted(rows, key=lambda row: (str(row["place"]), str(row["group"]))))


def _leave_sums(
    made: Publication,
    name: str,
    title: str,
    keys: dict[str, pa.Array],
    counts: dict[str, pa.Array],
    slices: tuple[tuple[str, ...], ...],
) -> None:
    """Release sums of a table of counts, in slices with their totals."""
    from riskmodel.engines.duckdb import connect  # an engine of its own: nothing of a store is open here

    reading = Reading(connect(), dt.datetime.combine(made.as_of, dt.time()))
    reading.connection.register("given", pa.table({**keys, **counts}))
    cube = Cube(tuple(keys), slices, {count: f"sum({count})" for count in counts})
    table = counted(reading, "given", cube)
    reading.connection.close()
    made.leave(name, title, table, keys=cube.dimensions, counts=tuple(counts), totals=cube.totals)

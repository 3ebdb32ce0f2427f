"""Leeds, August 2022 to July 2025: stop and search and crime by small area, beside the residents of the census."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from riskmodel.population.inequality import concentration
from riskmodel.population.stop_search import Searches, SearchRates, search_rates

pytestmark = pytest.mark.data
BY_GROUP = "leeds_stop_search_monthly_ethnicity.parquet"
CRIME = "leeds_crime_monthly_msoa.parquet"
YEARS = 3.0  # the first month of the table holds two places only and is left out


@pytest.fixture(scope="module")
def folder(published_data: Callable[[str, str], Path]) -> Path:
    return published_data("uk_area", BY_GROUP)


@pytest.fixture(scope="module")
def searched(folder: Path) -> pd.DataFrame:
    table = pd.read_parquet(folder / BY_GROUP)
    return table[table["month"] >= "2022-08-01"]


@pytest.fixture(scope="module")
def residents(folder: Path) -> dict[str, float]:
    crime = pd.read_parquet(folder / CRIME).drop_duplicates("msoa_hocl_name")
    return dict(zip(crime["msoa_hocl_name"], crime["census_population"].astype(float), strict=True))


def rates_of(searched: pd.DataFrame, residents: dict[str, float] | None) -> SearchRates:
    names = {"msoa_hocl_name": "place", "ethnicity_simple": "group", "sns_count": "searches"}
    frame = searched.rename(columns={**names, "census_population": "people"})
    table = pa.Table.from_pandas(frame[["place", "group", "searches", "people"]], preserve_index=False)
    return search_rates(Searches.of(table, residents, years=YEARS))


def test_rates_of_the_real_records(searched, residents):
    made = rates_of(searched, residents)
    # 812,016 residents of 107 areas, of whom the table of searches names 802,879
    assert sum(one.people for one in made.groups) == pytest.approx(812_016, rel=5e-4)
    for one in made.groups:
        counted = searched.loc[searched["ethnicity_simple"] == one.group, "sns_count"].sum()
        assert one.searches == counted
        assert one.rate.value == pytest.approx(counted / one.people / YEARS * 1000)
        assert one.rate_bounds[0] <= one.rate.value <= one.rate_bounds[1]
        assert one.relative_bounds[0] <= one.relative.value <= one.relative_bounds[1]
    black = made.of("Black")
    assert black.relative.low > 2.4
    assert black.relative_bounds[0] > 2  # even if every search without a stated ethnicity was of a White person
    # inside the same areas the ratio is far smaller, and one area (the centre, with few residents) moves it most
    assert black.within_places.value < black.relative.low / 2
    assert "without one single place" in black.within_places.note


def test_a_table_of_searches_alone_overstates_the_rates_of_small_groups(searched, residents):
    whole, bare = rates_of(searched, residents), rates_of(searched, None)
    assert bare.left_out == 0
    # half the areas never searched anybody of the "Other" group and so do not count their residents
    assert bare.of("Other").rate.value > 1.3 * whole.of("Other").rate.value
    assert bare.of("White").rate.value == pytest.approx(whole.of("White").rate.value)


def test_crime_is_concentrated_beyond_chance(folder):
    crime = pd.read_parquet(folder / CRIME)
    violence = (
        crime[crime["crime_type"] == "Violence and sexual offences"].groupby("msoa_hocl_name")["crime_count"].sum()
    )
    made = concentration(violence.to_numpy(), draws=100)
    ordered = np.sort(violence.to_numpy())[::-1]
    assert made.half.value == pytest.approx(np.searchsorted(ordered.cumsum(), ordered.sum() / 2) / 107, abs=1 / 107)
    assert made.beyond_chance
    assert made.half_by_chance[0] > 0.45

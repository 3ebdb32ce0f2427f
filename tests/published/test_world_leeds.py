"""The society set in Leeds comes near the public totals it is calibrated to; the default does not pretend to."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskmodel.world.facts import KINDS, kind_number
from riskmodel.world.people import ETHNICITIES, YEAR, population
from riskmodel.world.places import district
from riskmodel.world.settings import LEEDS
from riskmodel.world.society import World

pytestmark = pytest.mark.data
WORLD = World.generate(people=30_000, seed=5, setting="leeds")
MONTHS = 36  # August 2022 to July 2025; the first month of the search table holds two places only
BANDS = [0, 5, 10, 16, 18, 25, 35, 50, 65, 75, 120]
SPAN = (15_340, 19_358)  # 2012 to 2022, in days since 1970


@pytest.fixture(scope="module")
def folder(published_data: Callable[[str, str], Path]) -> Path:
    return published_data("uk_area", "population20_lsoa11.parquet")


@pytest.fixture(scope="module")
def areas(folder: Path) -> pd.DataFrame:
    deprived = pd.read_parquet(folder / "imd2019_england_lsoa11.parquet", columns=["lsoa11_code", "IMD_decile"])
    people = pd.read_parquet(folder / "population20_lsoa11.parquet")
    return people[people["lsoa11_name"].str.startswith("Leeds ")].merge(deprived, on="lsoa11_code")


@pytest.fixture(scope="module")
def residents(folder: Path) -> float:
    crime = pd.read_parquet(folder / "leeds_crime_monthly_msoa.parquet").drop_duplicates("msoa_hocl_name")
    return float(crime["census_population"].sum())


@pytest.fixture(scope="module")
def recorded() -> dict[str, np.ndarray]:
    """Person-years by ethnicity, and what police recorded by kind and by ethnicity of the person searched."""
    years, kinds, searched = np.zeros(len(ETHNICITIES)), np.zeros(len(KINDS)), np.zeros(len(ETHNICITIES))
    for number in range(WORLD.blocks()):
        block = WORLD.block(number)
        lives, group = block.lives, block.people.ethnicity
        lengths = np.diff(lives.quarters) / YEAR
        for quarter, rate in enumerate(lives.injury_rate):
            years += lengths[quarter] * np.bincount(group[~np.isnan(rate)], minlength=len(ETHNICITIES))
        kind, person = lives.facts.kind[block.seen.fact], lives.facts.person[block.seen.fact]
        kinds += np.bincount(kind, minlength=len(KINDS))
        mine = person[kind == kind_number("stop_search")]
        searched += np.bincount(group[mine], minlength=len(ETHNICITIES))
    return {"years": years, "kinds": kinds, "searched": searched}


def test_deprivation_is_that_of_the_city(areas: pd.DataFrame) -> None:
    """Shares of areas in 100 districts within .04 of the shares of people (1,000 areas: chance alone moves .013)."""
    people = areas.groupby("IMD_decile")["total_population"].sum()
    public = (people / people.sum()).to_numpy()
    decile = np.concatenate([district(5, block, 5_000, LEEDS).decile for block in range(100)])
    made = np.bincount(decile, minlength=11)[1:] / len(decile)
    assert np.abs(made - public).max() < 0.04


def test_ages_are_near_those_of_the_city(areas: pd.DataFrame) -> None:
    """Every age band within .05 of its share at the start; students are too few, which is the largest difference."""
    counts = areas[[str(age) for age in range(90)] + ["90+"]].sum().to_numpy()
    public = np.array([counts[low : min(high, 91)].sum() for low, high in pairwise(BANDS)])
    ages = []
    for block in range(4):
        people = population(5, block, 5_000, district(5, block, 5_000, LEEDS), *SPAN, LEEDS)
        ages.append((SPAN[0] - people.born[people.born <= SPAN[0]]) / YEAR)
    made = np.histogram(np.concatenate(ages), BANDS)[0]
    difference = made / made.sum() - public / public.sum()
    assert np.abs(difference).max() < 0.05
    assert BANDS[int(np.argmin(difference))] == 18


def test_searches_are_as_many_and_as_unequal_as_in_the_city(
    folder: Path, residents: float, recorded: dict[str, np.ndarray]
) -> None:
    """All searches within 20 %; each group's rate over the white rate within 30 %."""
    table = pd.read_parquet(folder / "leeds_stop_search_monthly_ethnicity.parquet")
    table = table[table["month"] >= "2022-08-01"]
    made = recorded["searched"].sum() / recorded["years"].sum()
    assert made == pytest.approx(table["sns_count"].sum() / residents / MONTHS * 12, rel=0.2)
    living = pd.read_parquet(folder / "leeds_stop_search_msoa_age_ethnicity.parquet")
    at_risk = living.groupby("ethnicity_simple")["census_population"].sum()
    count = table.groupby("ethnicity_simple")["sns_count"].sum()
    rate = dict(zip(ETHNICITIES, recorded["searched"] / recorded["years"], strict=True))
    for group in ("black", "asian", "mixed", "other"):
        public = count[group.title()] / at_risk[group.title()] / (count["White"] / at_risk["White"])
        assert rate[group] / rate["white"] == pytest.approx(public, rel=0.3), group


@pytest.mark.parametrize(
    ("crime", "kind", "role"),
    [
        ("Robbery", "robbery", "victim"),
        ("Possession of weapons", "weapon_possession", "suspect"),
        ("Anti-social behaviour", "anti_social_behaviour", "suspect"),
    ],
)
def test_recorded_offences_are_as_frequent_as_in_the_city(
    crime: str, kind: str, role: str, folder: Path, residents: float, recorded: dict[str, np.ndarray]
) -> None:
    """Within 25 %."""
    table = pd.read_parquet(folder / "leeds_crime_monthly_msoa.parquet")
    public = table.loc[table["crime_type"] == crime, "crime_count"].sum() / residents / MONTHS * 12
    made = recorded["kinds"][kind_number(kind, role)] / recorded["years"].sum()
    assert made == pytest.approx(public, rel=0.25)


def test_the_default_is_another_place(folder: Path, residents: float) -> None:
    """The made-up district has more than four times the searches of the city: it is for learning, not for quoting."""
    world = World.generate(people=5_000, seed=5)
    contact = world.truth.contact
    made = contact.column("happened").to_numpy().sum() / contact.column("person_years").to_numpy().sum()
    table = pd.read_parquet(folder / "leeds_stop_search_monthly_ethnicity.parquet")
    assert made > 4 * table["sns_count"].sum() / residents / MONTHS * 12

"""The stop and search dashboard on the real tables of Leeds: the page says what the tables say."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from riskmodel.population.open_searches import open_tables
from riskmodel.population.pages.html import page_html
from riskmodel.population.pages.searches import SearchWords, search_page
from riskmodel.population.publication import Publication
from riskmodel.population.search_tables import OUTCOMES, SEARCHES, SearchPeriod, searches_of
from riskmodel.population.stop_search import search_rates

pytestmark = pytest.mark.data
BY_GROUP = "leeds_stop_search_monthly_ethnicity.parquet"
WORDS = SearchWords("Stop and search in Leeds", "Who is searched.", "Open data", "White", "Open tables")


@pytest.fixture(scope="module")
def folder(published_data: Callable[[str, str], Path]) -> Path:
    return published_data("uk_area", BY_GROUP)


@pytest.fixture(scope="module")
def opened(folder: Path) -> tuple[Publication, SearchPeriod]:
    return open_tables(folder)


def test_nothing_is_lost_on_the_way(folder, opened):
    publication, period = opened
    monthly = pd.read_parquet(folder / BY_GROUP)
    monthly = monthly[monthly["month"] >= "2022-08-01"]
    table = publication.tables[SEARCHES].table.to_pylist()
    whole = next(row for row in table if {row["place"], row["group"], row["year"]} == {"all"})
    assert whole["searches"] == monthly["sns_count"].sum()
    assert period.labels == ("2022/23", "2023/24", "2024/25")
    made = search_rates(searches_of(publication, period))
    for one in made.groups:
        assert one.searches == monthly.loc[monthly["ethnicity_simple"] == one.group, "sns_count"].sum()
    assert made.of("Black").relative.low > 2.4
    assert made.of("Black").within_places.value < made.of("Black").relative.low / 2


def test_the_share_without_action_is_that_of_the_table(folder, opened):
    publication, _ = opened
    outcomes = pd.read_parquet(folder / "leeds_stop_search_outcome.parquet")
    rows = {(row["place"], row["outcome"]): row["searches"] for row in publication.tables[OUTCOMES].table.to_pylist()}
    assert rows["all", "No Action"] == outcomes.loc[outcomes["outcome"] == "No Action", "sns_count"].sum() == 12_637
    assert rows["all", "all"] == outcomes["sns_count"].sum() == 18_477


def test_the_page_holds_the_figures_and_claims_no_test_it_cannot_make(opened):
    publication, period = opened
    text = page_html(search_page(publication, period, WORDS))
    assert "18,583 searches" in text
    assert "neither the outcome test nor the threshold test can be made" in text
    assert "32 of 100 searches were followed by an action" in text  # 1 - 12,637 / 18,477 = .316
    assert "6.6% of the searches have no stated ethnicity" in text  # 1,230 of 18,583
    assert not re.search(r"(src|href)=[\"']http", text)


def test_workday_people_are_another_benchmark_and_bound_what_may_be_said(opened):
    publication, period = opened
    by_day = search_rates(searches_of(publication, period, people="workday"))
    at_home = search_rates(searches_of(publication, period))
    for group in ("Black", "Asian", "Mixed"):
        assert by_day.of(group).within_places.value != pytest.approx(at_home.of(group).within_places.value, rel=0.05)

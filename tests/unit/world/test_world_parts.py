"""Parts of the world one by one: names, slips, draws, dirt, and files that grow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskmodel import seeds
from riskmodel.feeds.contract import agency_contracts
from riskmodel.world import noise
from riskmodel.world.dirt import NO_CODE, NOBODY, soiled
from riskmodel.world.facts import pairs
from riskmodel.world.hazards import EFFECT_CEILING, PROCESSES, STATES, age_rates, drawn, summed_effects
from riskmodel.world.households import Residences
from riskmodel.world.names import COMMUNITIES, names_of
from riskmodel.world.writing import FeedFile


def test_names_come_from_their_community_and_fashion_changes_with_the_year() -> None:
    names, random = names_of(7), seeds.stream(1, "test")
    count = 20_000
    boys, british = np.ones(count, np.int64), np.zeros(count, np.int64)
    new = names.words[names.draw_given(random, boys, british, np.full(count, 2015))]
    old = names.words[names.draw_given(random, boys, british, np.full(count, 1950))]
    share = [(sample == "Jack").mean() for sample in (new, old)]
    assert share[0] > 4 * share[1]
    family = names.words[names.draw_family(random, british)]
    assert 0.01 < (family == "Smith").mean() < 0.03
    assert len(set(family.tolist())) > 300  # composed ones among them


def test_every_community_has_a_spelling_and_its_words() -> None:
    assert len(noise.SPELLING) == len(COMMUNITIES)
    names = names_of(7)
    assert all(len(index) >= 25 for gender in names.given for index, _ in gender)
    assert len(names.words) == len(set(names.words.tolist()))


def test_a_slip_changes_a_name_and_marks_it() -> None:
    names = np.array(["Katherine", "Mohammed", "Li", "O'Brien"] * 500, object)
    before = names.copy()
    wrong = noise.misspelt(seeds.stream(2, "test"), names, np.full(len(names), 0.5))
    assert 0.45 < wrong.mean() < 0.55
    assert (names[~wrong] == before[~wrong]).all()
    assert (names[wrong] != before[wrong]).mean() > 0.95  # doubling or swapping equal letters may change nothing
    assert all(name for name in names)


def test_short_forms_only_where_there_is_one() -> None:
    names = np.array(["Thomas", "Zzz"] * 100, object)
    marked = noise.shortened(seeds.stream(3, "test"), names, 1.0)
    assert names.tolist() == ["Tom", "Zzz"] * 100
    assert marked.tolist() == [True, False] * 100


def test_wrong_births_are_still_dates_and_mostly_near() -> None:
    born = np.full(4_000, np.datetime64("2004-03-07").astype(np.int64))
    wrong = noise.misdated(seeds.stream(4, "test"), born, 1.0, np.zeros(4_000))
    dates = wrong.astype("datetime64[D]").astype(str)
    assert (dates == "2004-07-03").mean() > 0.35  # day and month changed places
    assert set(dates[(dates != "2004-07-03")]) <= {
        "2004-03-04", "2004-03-05", "2004-03-06", "2004-03-08", "2004-03-09", "2004-03-10", "2003-03-07", "2005-03-07",
    }  # fmt: skip
    assert (noise.misdated(seeds.stream(4, "test"), born, 0.0, np.zeros(4_000)) == born).all()
    unknown = noise.misdated(seeds.stream(4, "test"), born, 0.0, np.ones(4_000)).astype("datetime64[D]").astype(str)
    assert set(unknown) == {"2004-01-01"}


def test_address_forms() -> None:
    plain = np.array(["12 Oak Street", "Flat 3, 4 Mill Road", "9 Elm Way"], object)
    assert noise.address_forms(plain).tolist() == ["12 Oak St", "4 Mill Rd, Flat 3", "9 Elm Way"]


def test_poisson_draws_fall_where_expected() -> None:
    expected = np.array([[0.0, 5.0, 0.0], [2.0, 0.0, 13.0]])
    total = np.zeros((2, 3))
    random = seeds.stream(5, "test")
    for _ in range(400):
        row, column = drawn(random, expected)
        np.add.at(total, (row, column), 1)
    assert (total[expected == 0] == 0).all()
    assert np.abs(total / 400 - expected).max() < 4 * np.sqrt(13 / 400)


def test_effects_and_ages_stand_where_they_are_declared() -> None:
    state = np.zeros((len(STATES), 2))
    state[STATES.index("home_abuse")] = (1.0, 2.0)
    state[STATES.index("victim"), 1] = 9.0
    total = summed_effects(state)
    assert total.shape == (len(PROCESSES), 2)
    assert total[0, 0] == PROCESSES[0].effects["home_abuse"]
    assert total[0, 1] == EFFECT_CEILING  # 2 x 1.0 + 9 x .95 is more
    rates = age_rates(np.array([3.0, 16.0, 17.0]))
    weapon = next(at for at, process in enumerate(PROCESSES) if process.kind == "weapon_possession")
    assert rates[weapon, 0] == 0.0  # nobody under ten
    assert rates[weapon, 2] == pytest.approx(PROCESSES[weapon].base * 1.4)


def test_pairs_finds_every_match() -> None:
    left, right = np.array([3, 1, 7]), np.array([1, 3, 3, 5])
    i, j = pairs(left, right)
    assert sorted(zip(i.tolist(), j.tolist(), strict=True)) == [(0, 1), (0, 2), (1, 0)]


def test_residence_at_a_day() -> None:
    homes = Residences(
        np.array([4, 4, 9]), np.array([10, 11, 12]), np.array([100, 200, 150]), np.array([200, 999, 300])
    )
    found = homes.at(np.array([4, 4, 4, 9, 9]), np.array([50, 199, 200, 150, 149]))
    assert found.tolist() == [10, 10, 11, 12, 12]  # before the first stay counts as the first


def test_dirt_is_counted_and_has_one_fault_each() -> None:
    feed = agency_contracts()["health"].feed("events")
    count = 3_000
    moments = pa.array(np.arange(count) * 3_600_000_000 + 1_400_000_000_000_000).view(pa.timestamp("us"))
    rows = pa.table(
        {
            "event_key": [f"K{at}" for at in range(count)],
            "person_key": [f"P{at % 50}" for at in range(count)],
            "happened_at": moments,
            "ended_at": pa.nulls(count, pa.timestamp("us")),
            "recorded_at": moments,
            "kind": ["self_harm"] * count,
            "role": ["subject"] * count,
            "retracted": [False] * count,
        }
    )
    table, planted = soiled(seeds.stream(6, "test"), feed, rows, 0, 18_000)
    assert table.num_rows == count + sum(planted.values())
    assert set(planted) == {"unknown-code", "date-in-future", "person-unknown", "end-before-start", "duplicate-row"}
    cells = table.to_pylist()
    assert sum(cell["CONTACT_REASON"] == NO_CODE for cell in cells) == planted["unknown-code"]
    assert sum(cell["LOCAL_PATIENT_ID"] == NOBODY for cell in cells) == planted["person-unknown"]
    # 18,000 + 400 days after 1970-01-01 is 2020-05-18
    assert sum(cell["ARRIVAL"].startswith("20200518") for cell in cells) == planted["date-in-future"]
    assert sum(cell["DEPARTURE"] is not None for cell in cells) == planted["end-before-start"]
    clean = [cell["CONTACT_ID"] for cell in cells if cell["CONTACT_ID"].startswith("K")]
    assert len(clean) - len(set(clean)) == planted["duplicate-row"]


@pytest.mark.parametrize("agency", ["police", "education", "justice"])
def test_a_file_that_grows_is_the_file_written_at_once(agency: str, tmp_path: Path) -> None:
    feed = agency_contracts()[agency].feed("people")
    rows = pa.table({"person_key": ["1", "2", "3"], "recorded_at": pa.array([1, 2, 3]).cast(pa.timestamp("us"))})
    cells = feed.render(rows)
    for folder in ("parts", "whole"):
        (tmp_path / folder).mkdir()
    with FeedFile(feed, tmp_path / "parts") as parts:
        parts.append(cells.slice(0, 1))
        parts.append(cells.slice(1))
    with FeedFile(feed, tmp_path / "whole") as whole:
        whole.append(cells)
    assert parts.rows == whole.rows == 3
    if feed.format == "parquet":
        assert pq.read_table(parts.path) == pq.read_table(whole.path)
    else:
        assert parts.path.read_bytes() == whole.path.read_bytes()


def test_a_file_that_fails_leaves_nothing(tmp_path: Path) -> None:
    feed = agency_contracts()["police"].feed("people")
    with pytest.raises(RuntimeError), FeedFile(feed, tmp_path):
        raise RuntimeError("the disk went away")
    assert list(tmp_path.iterdir()) == []

"""What searches find: as often as planted, less often where the bar is lower, and nothing else moves with it."""

from __future__ import annotations

import numpy as np
import pytest

from riskmodel.world.facts import kind_number
from riskmodel.world.people import ETHNICITIES
from riskmodel.world.searches import FOUND, find_chance
from riskmodel.world.society import World

WORLD = World.generate(people=15_000, seed=41)


@pytest.fixture(scope="module")
def searched() -> dict[str, np.ndarray]:
    """Recorded searches by ethnicity, the expected number of finds, and the finds."""
    counts = {name: np.zeros(len(ETHNICITIES)) for name in ("searches", "expected", "finds")}
    for number in range(WORLD.blocks()):
        block = WORLD.block(number)
        facts, seen, group = block.lives.facts, block.seen, block.people.ethnicity
        mine = seen.fact[facts.kind[seen.fact] == kind_number("stop_search")]
        searches = facts.take(mine)
        counts["searches"] += np.bincount(group[searches.person], minlength=len(ETHNICITIES))
        chance = find_chance(searches, block.people, block.places)
        counts["expected"] += np.bincount(group[searches.person], chance, len(ETHNICITIES))
        found = block.parts[-1].facts.person
        counts["finds"] += np.bincount(group[found], minlength=len(ETHNICITIES))
    return counts


def test_finds_come_as_often_as_planted(searched: dict[str, np.ndarray]) -> None:
    """Within four standard deviations in each group; the variance of a sum of coins is at most that of a Poisson."""
    off = (searched["finds"] - searched["expected"]) / np.sqrt(searched["expected"])
    assert (np.abs(off) < 4).all()


def test_the_groups_searched_more_are_found_with_something_less_often(searched: dict[str, np.ndarray]) -> None:
    share = dict(zip(ETHNICITIES, searched["finds"] / searched["searches"], strict=True))
    assert share["white"] > share["asian"] > share["black"] - 0.03
    assert share["white"] - share["black"] == pytest.approx(FOUND["white"] - FOUND["black"], abs=0.05)


def test_every_find_belongs_to_a_recorded_search_of_the_same_person() -> None:
    block = WORLD.block(0)
    events, finds = block.tables["police.events"].to_pandas(), block.tables["police.finds"].to_pandas()
    known = {(row.person_key, row.happened_at) for row in events[events.kind == "stop_search"].itertuples()}
    searches = [(row.person_key, row.happened_at) for row in finds.itertuples()]
    assert len(searches) > 100
    assert set(searches) <= known  # a search written down with a wrong time has a right row, too
    assert finds["event_key"].is_unique

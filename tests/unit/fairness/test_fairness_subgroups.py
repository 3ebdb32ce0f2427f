"""The search for the worst subgroup: found where it was planted, quiet where nothing was."""

from __future__ import annotations

import numpy as np
import pytest

from riskmodel.errors import DataRefused
from riskmodel.fairness.subgroups import worst_subgroup
from riskmodel.seeds import stream


def society(seed, people=4000, raised=0.0):
    """Four attributes without meaning; boys in the north have `raised` more of the outcome."""
    generator = stream(seed, "subgroups")
    groups = {
        "sex": generator.choice(["f", "m"], people),
        "area": generator.choice(["n", "s", "e", "w"], people),
        "age": generator.choice(["young", "old"], people),
        "school": generator.choice([f"s{number}" for number in range(8)], people),
    }
    inside = (groups["sex"] == "m") & (groups["area"] == "n")
    outcome = generator.random(people) < 0.2 + raised * inside
    return np.full(people, 0.2), outcome.astype(float), groups


def test_the_planted_subgroup_is_the_worst_and_the_other_half_of_the_people_says_how_bad():
    scores, outcomes, groups = society(1, raised=0.2)
    found = worst_subgroup(scores, outcomes, groups, metric="base_rate", depth=2, permutations=199, seed=1)
    worst = found.table.iloc[0]
    assert (worst["attribute"], worst["group"]) == ("sex, area", "m, n")
    assert worst["p"] == 1 / 200  # no search among people dealt anew came near
    inside = (groups["sex"] == "m") & (groups["area"] == "n")
    assert worst["value"] == pytest.approx(outcomes[inside].mean())
    assert worst["rest"] == pytest.approx(outcomes[~inside].mean())
    assert found.held_out["group"] == "m, n"
    assert found.held_out["low"] < 0.2 < found.held_out["high"]
    assert "stands apart (p = 0.005, the search allowed for)" in found.sentence


def test_every_subgroup_of_one_and_two_attributes_is_looked_at():
    scores, outcomes, groups = society(2)
    found = worst_subgroup(scores, outcomes, groups, metric="base_rate", permutations=9)
    # 2 + 4 + 2 + 8 alone; 8 + 4 + 16 + 8 + 32 + 16 crossed.
    assert len(found.table) + found.left_out == 16 + 84


def test_where_nothing_was_planted_the_search_is_quiet():
    quiet = [
        worst_subgroup(*society(seed, people=800), metric="base_rate", permutations=99, seed=seed).table.iloc[0]["p"]
        for seed in range(60)
    ]
    # Chance gives p < .05 in 3 of 60; eight would come by chance in fewer than one of a hundred runs.
    assert sum(p < 0.05 for p in quiet) <= 8
    assert np.mean(quiet) == pytest.approx(0.5, abs=0.15)


def test_rows_of_one_person_are_dealt_together():
    scores, outcomes, groups = society(3, people=300, raised=0.15)
    once = worst_subgroup(scores, outcomes, groups, metric="base_rate", permutations=199)
    five = worst_subgroup(
        np.repeat(scores, 5),
        np.repeat(outcomes, 5),
        {name: np.repeat(values, 5) for name, values in groups.items()},
        people=np.repeat(np.arange(300), 5),
        metric="base_rate",
        permutations=199,
    )
    # The same rows again tell nothing new.
    one, other = (found.table.set_index(["attribute", "group"]).sort_index() for found in (once, five))
    assert other["distance"].to_numpy() == pytest.approx(one["distance"].to_numpy())
    assert other["p"].to_numpy() == pytest.approx(one["p"].to_numpy())


def test_the_auroc_cannot_be_searched():
    with pytest.raises(DataRefused):
        worst_subgroup(*society(1, people=100), metric="auroc")
    with pytest.raises(DataRefused):
        worst_subgroup(*society(1, people=100), metric="tpr")  # no list was given

"""The parts of linkage by hand: addresses to places, joining, learning, and the rates against a truth."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.linkage import quality
from riskmodel.linkage.addresses import parsed, places
from riskmodel.linkage.blocking import MOST_SHARING, blocked
from riskmodel.linkage.clusters import Clusters, Facts, clustered
from riskmodel.linkage.comparisons import BIRTH, FAMILY_AND_PLACE, GIVEN, SEX
from riskmodel.linkage.evidence import Evidence
from riskmodel.linkage.persons import random_pairs
from riskmodel.linkage.records import prepared
from riskmodel.linkage.training import Patterns, match_probability, prior_parameters, trained


def place_of(*texts: tuple[str | None, str | None]) -> list[str | None]:
    table = pa.table({"address": [a for a, _ in texts], "postcode": pa.array([p for _, p in texts], pa.string())})
    found = {(row["address"], row["postcode"]): row["place"] for row in places(table).to_pylist()}
    return [found.get(text) for text in texts]


def test_spellings_of_one_door_are_one_place():
    usual = ("14 Oak Street", "QX1 2AB")
    variants = [("14 oak st.", "qx12ab"), ("14 Oka Street", "QX1 2AB"), ("14, Oak Street, Harehills", "QX1 2AB")]
    found = place_of(usual, usual, *variants, ("14 Oak Street", None))
    assert set(found) == {"14|oakst|qx12ab"}


def test_other_doors_are_other_places():
    found = place_of(
        ("14 Oak Street", "QX1 2AB"), ("16 Oak Street", "QX1 2AB"), ("Flat 2, 14 Oak Street", "QX1 2AB"),
        ("14 Mill Lane", "QX1 2AB"), ("14 Oak Street", "ZZ9 9ZZ"),
    )  # fmt: skip
    assert len(set(found)) == 5
    assert None not in found


@pytest.mark.parametrize(
    "nowhere", [("No fixed abode", "QX1 2AB"), ("", None), ("N/A", None), (None, "QX1 2AB"), ("???", "")]
)
def test_no_door_is_no_place(nowhere):
    assert parsed(*nowhere) is None


def test_a_street_that_two_postcodes_have_does_not_lend_its_postcode():
    found = place_of(("14 Oak Street", "QX1 2AB"), ("14 Oak Street", "ZZ9 9ZZ"), ("14 Oak Street", None))
    assert found[2] == "14|oakst|"


def joined(facts: list[Facts], *rows: tuple[int, int, float], threshold: float = 0.5) -> Clusters:
    """The clusters of records of one agency, by matches (l, r, probability)."""
    columns = {"l": [a for a, _, _ in rows], "r": [b for _, b, _ in rows], "probability": [p for *_, p in rows]}
    return clustered(facts, Evidence.of(["police"] * len(facts), pa.table(columns)), threshold)


SON, FATHER = ("james", "hill", "20010219"), ("james", "hill", "19710505")


def test_a_record_without_birth_date_joins_one_namesake_not_both():
    found = joined([SON, FATHER, ("james", "hill", None)], (0, 2, 0.97), (1, 2, 0.95))
    assert found.of.tolist() == [0, 1, 0]
    assert found.held_by.tolist() == pytest.approx([0.97, 1.0, 0.97])


def test_an_impossible_person_is_refused_however_likely_the_match():
    """All four pairs count: the mean log-odds of .99, .99, .99 and .05 are 2.71, a chance of .94."""
    unknown = ("james", "hill", None)
    found = joined([SON, FATHER, unknown, unknown], (0, 2, 0.999), (1, 3, 0.998), (2, 3, 0.99), (0, 3, 0.99),
                   (1, 2, 0.99))  # fmt: skip
    assert found.of.tolist() == [0, 1, 0, 1]
    assert found.refused > 0


def test_strongest_first_and_only_from_the_threshold():
    """0 with {1, 2}: log-odds of .92 and .80 are 2.442 and 1.386, their mean 1.914 a chance of .8715."""
    pairs = (0, 1, 0.92), (0, 2, 0.80), (1, 2, 0.99), (3, 4, 0.89)
    assert joined([SON] * 5, *pairs).of.tolist() == [0, 0, 0, 3, 3]
    assert joined([SON] * 5, *pairs).held_by.tolist() == pytest.approx([0.8715, 0.99, 0.99, 0.89, 0.89], abs=1e-4)
    assert joined([SON] * 5, *pairs, threshold=0.88).of.tolist() == [0, 1, 1, 3, 3]
    assert joined([SON] * 5, *pairs, threshold=0.95).of.tolist() == [0, 1, 1, 3, 4]


def test_one_likely_pair_among_unlikely_ones_joins_nobody():
    """Two pairs of two: .97 once, three pairs not worth keeping (.005): mean log-odds -3.1."""
    found = joined([SON] * 4, (0, 1, 0.999), (2, 3, 0.999), (1, 2, 0.97))
    assert found.of.tolist() == [0, 0, 2, 2]


def test_a_direct_match_outweighs_a_contradiction():
    """The third record has the wrong birth date, and matches the second well enough all the same."""
    found = joined([SON, SON, FATHER], (0, 1, 1.0), (1, 2, 0.999))
    assert found.of.tolist() == [0, 0, 0]


def test_keys_that_too_many_share_are_narrowed_then_left_out(register):
    crowd = [("police", f"{n:04d}", "Ann", "Lee", "1990-01-01", "female") for n in range(MOST_SHARING + 1)]
    found = blocked(prepared(register(*crowd)))
    assert found.pairs.num_rows == 0
    assert found.narrowed_keys > 0
    assert found.dropped_keys > 0
    few = blocked(prepared(register(*crowd[:5])))
    assert few.pairs.to_pylist()[0] == {"l": 0, "r": 1}
    assert few.pairs.num_rows == 10


def test_random_pairs_are_distinct_ordered_and_the_same_each_time():
    assert random_pairs(3, 0).to_pylist() == [{"l": 0, "r": 1}, {"l": 0, "r": 2}, {"l": 1, "r": 2}]
    assert random_pairs(1, 0).num_rows == random_pairs(0, 0).num_rows == 0
    many = random_pairs(50_000, 7)
    left, right = many["l"].to_numpy(), many["r"].to_numpy()
    assert (left < right).all()
    assert len(np.unique(left * 50_000 + right)) == many.num_rows
    assert many.equals(random_pairs(50_000, 7))
    assert not many.equals(random_pairs(50_000, 8))


COMPARED = (GIVEN, BIRTH, SEX, FAMILY_AND_PLACE)


def drawn(rng: np.random.Generator, side: str, number: int) -> np.ndarray:
    """Level codes of pairs drawn from the priors, field by field."""
    columns = []
    for one in COMPARED:
        levels = list(reversed(one.levels))
        rates = np.array(
            [getattr(level, side) if level.among == "all" and level.like is None else 0.0 for level in levels]
        )
        columns.append(rng.choice(len(levels), number, p=rates / rates.sum()))
    return np.column_stack(columns)


def test_learning_finds_the_rates_that_made_the_pairs():
    rng = np.random.default_rng(11)
    people, others = drawn(rng, "m", 20_000), drawn(rng, "u", 400_000)
    apart = drawn(rng, "u", 100_000)
    learned = trained(COMPARED, Patterns.of(others), Patterns.of(np.vstack([people, apart])), records=30_000)
    for column, level, rate in (
        (0, "same", 0.80),
        (0, "other", 0.04),
        (1, "same", 0.93),
        (1, "other", 0.006),
        (2, "other", 0.015),
    ):
        found = learned.m[column][COMPARED[column].code_of(level)]
        assert found == pytest.approx(rate, rel=0.25, abs=0.004)
    assert learned.match_rate * 30_000 * 29_999 / 2 == pytest.approx(20_000 + 0.05 * 30_000, rel=0.03)
    chance = match_probability(learned, np.vstack([people, apart]))
    assert chance[:20_000].mean() > 0.97
    assert chance[20_000:].mean() < 0.01


def test_without_pairs_the_priors_stay():
    nothing = Patterns.of(np.zeros((0, 4), np.int64))
    learned = trained(COMPARED, nothing, nothing, records=2)
    start = prior_parameters(COMPARED, 0.5)
    for ours, prior in zip(learned.m, start.m, strict=True):
        assert ours == pytest.approx(prior, rel=0.02)


def test_rates_against_a_truth_by_hand():
    """Three records of person X, two of Y. Linked: X1 with X2, X3 with Y1. True pairs 3 + 1, linked 2, both 1."""
    keys = ["X1", "X2", "X3", "Y1", "Y2"]
    links = pa.table({"agency": ["police"] * 5, "person_key": keys, "entity_id": [1, 1, 2, 2, 3]})
    truth = pa.table(
        {"agency": ["police"] * 5, "person_key": keys, "person": list("XXXYY"), "sex": ["f", "f", "f", "m", None]}
    )
    found = quality.compared(links, truth, by=["sex"])
    overall = found["overall"]
    assert (overall["true_pairs"], overall["linked_pairs"], overall["both"]) == (4, 2, 1)
    assert (overall["precision"], overall["recall"], overall["f1"]) == (0.5, 0.25, round(2 / 6, 6))
    # f: X1 and X2 have 2 true pairs each and share one link, X3 has 2 and a false link: 6/2 true, 3/2 linked, 2/2 both
    assert (found["sex"]["f"]["true_pairs"], found["sex"]["f"]["linked_pairs"], found["sex"]["f"]["both"]) == (
        3,
        1.5,
        1,
    )
    assert found["sex"]["unknown"]["precision"] is None

"""Linked worlds: one seed gives the same draws, doubt shows in them, and measures over them follow Rubin's rules."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.errors import DataRefused, DeclarationError, NotFound
from riskmodel.histories.store import assemble
from riskmodel.linkage.clusters import Facts, clustered
from riskmodel.linkage.draws import drawn
from riskmodel.linkage.evidence import Evidence
from riskmodel.linkage.identity import link
from riskmodel.linkage.pooling import Measured, over_draws, pooled
from riskmodel.tables import LINKS, PERSONS

SOMEBODY = ("james", "hill", "20010219")


def worlds(
    rows: list[tuple[int, int, float]],
    records: int,
    draws: int = 2_000,
    seed: int = 3,
    said: list[Facts] | None = None,
    common: tuple[float, float] = (0.0, 0.0),
) -> np.ndarray:
    """(draws, records) clusters of records that say so, or all the same; without a common error unless it is given."""
    columns = {"l": [a for a, _, _ in rows], "r": [b for _, b, _ in rows], "probability": [p for *_, p in rows]}
    matches, facts = pa.table(columns), said or [SOMEBODY] * records
    evidence = Evidence.of(["police"] * records, matches)
    best = clustered(facts, evidence, 0.5)
    return np.array([one.of for one in drawn(facts, evidence, matches, best, draws=draws, seed=seed, common=common)])


def test_a_pair_is_one_person_as_often_as_its_probability_says():
    """Odds of 7/3, times 6.48 because few are alone: people of 2, 2 and 1 records, each size smoothed by 5 in 8, give
    2 x 7/8 / (6/8 x 6/8) / (4 x 3 / 25). A chance of .938: 1,876 of 2,000, give or take 4 x 10.8."""
    found = worlds([(0, 1, 0.7), (2, 3, 0.9999)], 5)
    assert abs((found[:, 1] == 0).sum() - 1_876) < 44
    assert (found[:, 3] == 2).all()  # sure in every world
    assert (found[:, 4] == 4).all()


def test_three_records_with_one_story_get_one_coin_not_two():
    """a and b are one; c suits both evenly, and seldom is a record alone: 3 / (5/6 x 5/6) / (2/3) = 6.48 to 1. One coin
    joins c in 1,733 of 2,000 worlds (4 x 15.2); two coins would in 1,964."""
    found = worlds([(0, 1, 0.99999), (0, 2, 0.5), (1, 2, 0.5)], 3)
    assert abs((found[:, 2] == 0).sum() - 1_733) < 61


def test_parted_stays_parted():
    """b is c for certain. Where a is not b, a must not be c either: every world has {a, b, c} or {a}, {b, c}."""
    found = worlds([(1, 2, 0.99999), (0, 1, 0.6), (0, 2, 0.6)], 3, draws=300)
    assert {tuple(world) for world in found.tolist()} == {(0, 0, 0), (0, 1, 1)}


def test_a_record_that_suits_two_people_goes_to_each_as_often():
    """Without birth date, it is the father's or the son's, at the same odds: apart by at most 4 standard errors."""
    said = [SOMEBODY, ("james", "hill", "19710505"), ("james", "hill", None)]
    found = worlds([(0, 2, 0.9), (1, 2, 0.9)], 3, said=said)
    son, father = (found[:, 2] == 0).sum(), (found[:, 2] == 1).sum()
    assert son + father > 1_700
    assert abs(son - father) < 4 * np.sqrt(son + father)
    assert (found[:, 0] != found[:, 1]).all()


def test_what_was_learned_is_wrong_for_all_joins_of_a_world_together():
    """Forty doubtful pairs beside forty sure ones: with a common error worlds differ by more than forty coins do."""
    rows = [(4 * n, 4 * n + 1, 0.15) for n in range(40)] + [(4 * n + 2, 4 * n + 3, 0.9999) for n in range(40)]
    joined = {
        common: (lambda found: (found[:, 1::4] == found[:, ::4]).sum(axis=1))(worlds(rows, 160, 400, common=common))
        for common in ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0))
    }
    apart, error, shift = joined.values()
    chance = apart.mean() / 40
    assert abs(apart.var() / (40 * chance * (1 - chance)) - 1) < 0.3  # of 400 worlds, four standard errors
    assert error.var() > 2 * apart.var()
    odds = chance / (1 - chance) * np.e
    assert shift.mean() / 40 == pytest.approx(odds / (1 + odds), abs=0.02)


def test_a_record_that_is_alone_is_asked_about_weak_matches_too():
    """Two of three records are one for certain; the third suits them with one in two hundred, and another pair of them
    with as much, which is no reason to ask whether four records are two people."""
    sure = [(0, 1, 0.99999), (3, 4, 0.99999)]
    found = worlds([*sure, (0, 2, 0.005), (1, 2, 0.005), (0, 3, 0.005)], 5, 400)
    assert 0 < (found[:, 2] == 0).sum() < 40
    assert (found[:, 3] == 3).all()


def test_the_same_seed_gives_the_same_worlds_and_more_draws_only_add():
    rows = [(0, 1, 0.7), (2, 3, 0.4), (4, 5, 0.5)]
    few, many, other = worlds(rows, 6, 5), worlds(rows, 6, 20), worlds(rows, 6, 20, seed=4)
    assert (many[:5] == few).all()
    assert not (many == other).all()


OAK, MILL = ("14 Oak Street", "QX1 2AB"), ("9 Mill Lane", "ZZ3 1QR")


@pytest.fixture
def doubtful(register):
    """Thirty pairs whose addresses and given names differ, in two agencies; and thirty that agree on everything."""
    rows = []
    for n in range(30):
        family = f"{'BCDFGHKLMN'[n % 10]}rad{'aeiou'[n % 5]}ck{'stvw'[n % 4]}"
        old, young = f"19{50 + n}-0{1 + n % 9}-1{n % 7}", f"20{10 + n % 10}-0{1 + n % 9}-2{n % 7}"
        other, ann = f"19{50 + n}-1{n % 3}-1{n % 7}", (f"Ann{'aeiou'[n % 5]}", f"T{family}", young, "female")
        rows += [
            ("police", f"p{n}", "Robin", family, old, None, f"{n} Oak Street", "QX1 2AB"),
            ("health", f"h{n}", "Robert", family, other, None, f"{n} Mill Lane", "ZZ3 1QR"),
            ("police", f"q{n}", *ann, f"{n} Elm Road", "QX4 9ZZ"),
            ("health", f"i{n}", *ann, f"{n} Elm Road", "QX4 9ZZ"),
        ]
    return register(*rows)


def test_drawn_people_are_used_like_linked_ones(doubtful, store, received):
    intake = received(doubtful)
    people = link(store, intake, draws=6, seed=1)
    again = link(store, intake, draws=6, seed=1)
    assert people.draws == 6
    assert again.fingerprint == people.fingerprint
    best = dict(zip(people.links["person_key"].to_pylist(), people.links["entity_id"].to_pylist(), strict=True))
    counts = set()
    for number in range(6):
        one = people.drawn(number)
        assert one.links.schema.equals(LINKS, check_metadata=False)
        assert one.persons.schema.equals(PERSONS, check_metadata=False)
        assert one.links.select(["agency", "person_key"]).equals(people.links.select(["agency", "person_key"]))
        assert set(one.persons["entity_id"].to_pylist()) == set(one.links["entity_id"].to_pylist())
        histories = assemble(store, one)
        assert histories.persons.num_rows == one.persons.num_rows
        assert histories.residences.num_rows > 0
        held = dict(zip(one.links["person_key"].to_pylist(), one.links["entity_id"].to_pylist(), strict=True))
        assert all(held[f"q{n}"] == held[f"i{n}"] == best[f"q{n}"] for n in range(30))  # no doubt about these
        counts.add(one.persons.num_rows)
    assert len(counts) > 1
    assert store.peek("histories") is None  # a drawn world never takes the place of the best one
    assert "draw 3 of 6" in repr(people.drawn(3))
    assert people.drawn(0).fingerprint != people.drawn(1).fingerprint
    with pytest.raises(NotFound, match="draw-missing"):
        people.drawn(6)


def test_a_measure_over_worlds(doubtful, store, received):
    people = link(store, received(doubtful), draws=6, seed=1)
    found = over_draws(people, lambda one: {"people": Measured(one.persons.num_rows)})["people"]
    counts = [people.drawn(number).persons.num_rows for number in range(6)]
    assert found.value == pytest.approx(np.mean(counts))
    assert found.between == pytest.approx(np.var(counts, ddof=1))
    assert found.extra_share == 1.0  # a count of what is there has no other variance
    assert found.low < found.value < found.high
    with pytest.raises(DataRefused, match="measures-differ"):
        over_draws(people, lambda one: {f"draw {one.draw}": Measured(1.0)})


def test_without_draws_there_is_nothing_to_pool(register, store, received):
    people = link(store, received(register(("police", "a", "Oliver", "Hill", "2010-05-05"))))
    with pytest.raises(DeclarationError, match="draws-missing"):
        over_draws(people, lambda _: {})
    with pytest.raises(NotFound, match="draw-missing"):
        people.drawn(0)
    with pytest.raises(DeclarationError, match=r"link\.draws"):
        link(store, received(register(("police", "a", "Oliver", "Hill"))), method="shared_key", draws=3)


def test_rubin_by_hand():
    """Values 1, 2, 3, 4 with variances 2: mean 2.5, B = 5/3, extra = 5/4 x 5/3 = 25/12, T = 49/12.

    Freedom 3 x (1 + 24/25)^2 = 11.5248; t at .975 is 2.1889, so the half-width is 2.1889 x 2.0207 = 4.4231.
    """
    found = pooled([Measured(value, 2.0) for value in (1.0, 2.0, 3.0, 4.0)])
    assert (found.value, found.within) == (2.5, 2.0)
    assert found.between == pytest.approx(5 / 3)
    assert found.extra_share == pytest.approx(25 / 49)
    assert found.high - found.value == pytest.approx(4.4231, abs=2e-4)


def test_agreeing_worlds_add_nothing_and_a_missing_number_is_said():
    sure = pooled([Measured(5.0, 4.0)] * 3)
    assert (sure.extra_share, round(sure.high, 3)) == (0.0, 8.92)  # 5 + 1.96 x 2
    none = pooled([Measured(5.0), Measured(math.nan)])
    assert (none.state, none.value, none.draws) == ("not_estimable", None, 2)
    with pytest.raises(DeclarationError, match="level-invalid"):
        pooled([Measured(5.0)] * 2, level=95)

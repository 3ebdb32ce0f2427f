"""Hazards, protection and treatment that the world states, recovered from its rates and events."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, PoissonRegressor

from riskmodel.world.blocks import Block
from riskmodel.world.facts import DAY, kind_number
from riskmodel.world.hazards import INJURY
from riskmodel.world.people import MALE, YEAR
from riskmodel.world.routine import CONTACTS
from riskmodel.world.society import World

WORLD = World.generate(people=20_000, seed=20)


def blocks() -> list[Block]:
    return [WORLD.block(number) for number in range(WORLD.blocks())]


def test_effects_are_recovered_from_the_true_rates_of_children_before_anything_happened() -> None:
    """In the first quarter nothing is remembered, so log rates of children are a sum of what they were born with.

    Strain .50, deprivation .30, male .45, a supportive adult -.85, all within .01 beside an age curve.
    """
    rows, logs = [], []
    for block in blocks():
        people, lives = block.people, block.lives
        age = (lives.quarters[0] - people.born) / YEAR
        child = (age >= 9) & (age < 16) & ~np.isnan(lives.injury_rate[0])
        who = np.flatnonzero(child)
        home = lives.residences.at(who, np.full(len(who), lives.quarters[0]))
        deprived = (5.5 - block.places.decile[block.places.area[home]]) / 4.5
        curve = np.log(np.interp(age[who], *zip(*INJURY.ages, strict=True)))
        rows.append(np.column_stack([people.vulnerability[who], deprived, people.sex[who] == MALE,
                                     people.supported[who], curve]))  # fmt: skip
        logs.append(np.log(lives.injury_rate[0][who]))
    found = LinearRegression().fit(np.vstack(rows), np.concatenate(logs))
    stated = [INJURY.effects[name] for name in ("strain", "deprived", "male", "supported")]
    assert found.coef_[:4] == pytest.approx(stated, abs=0.01)
    assert np.exp(found.intercept_) == pytest.approx(INJURY.base, rel=0.02)


def test_events_follow_the_true_rates_one_to_one() -> None:
    """A Poisson regression of a quarter's injuries on the log of the true rate: slope 1 within .04."""
    count, log_rate = [], []
    for block in blocks():
        facts, lives = block.lives.facts, block.lives
        hurt = facts.kind == kind_number("injury_by_violence")
        quarter = np.searchsorted(lives.quarters, facts.at[hurt] // DAY, side="right") - 1
        happened = np.zeros(lives.injury_rate.shape)
        np.add.at(happened, (quarter, facts.person[hurt]), 1)
        there = lives.injury_rate > 0
        count.append(happened[there])
        log_rate.append(np.log(lives.injury_rate[there] / 4))
    chosen = np.random.default_rng(0).random(sum(map(len, count))) < 0.5
    model = PoissonRegressor(alpha=0.0, max_iter=300).fit(
        np.concatenate(log_rate)[chosen, None], np.concatenate(count)[chosen]
    )
    assert model.coef_[0] == pytest.approx(1.0, abs=0.04)
    assert model.intercept_ == pytest.approx(0.0, abs=0.15)


def test_a_supportive_adult_protects_as_stated_and_a_little_more_through_what_it_prevents() -> None:
    """Support is given at random, so the plain ratio of rates is causal: exp(-.85) = .43 at most, .30 at least."""
    hurt, years = np.zeros(2), np.zeros(2)
    for block in blocks():
        supported = block.people.supported.astype(int)
        facts = block.lives.facts
        mine = facts.person[facts.kind == kind_number("injury_by_violence")]
        adult = (block.lives.quarters[0] - block.people.born) / YEAR > 16
        single = adult & (block.people.partner < 0)
        hurt += np.bincount(supported[mine], minlength=2) - np.bincount(supported[mine], ~single[mine], 2)
        there = (~np.isnan(block.lives.injury_rate)).sum(axis=0) / 4
        years += np.bincount(supported, there * single, 2)
    ratio = (hurt[1] / years[1]) / (hurt[0] / years[0])
    assert 0.28 < ratio < 0.5


def log_steps(kind: str, at_start: bool, ages: tuple[float, float]) -> np.ndarray:
    """Change of the log of a child's true rate over the quarter in which a spell of theirs (or a parent's) turns."""
    steps = []
    for block in blocks():
        facts, lives, people = block.lives.facts, block.lives, block.people
        spell = np.flatnonzero(facts.kind == kind_number(kind))
        day = (facts.at if at_start else facts.ended)[spell] // DAY
        quarter = np.searchsorted(lives.quarters, day, side="right") - 1
        inside = (quarter >= 1) & (quarter < len(lives.quarters) - 2)
        subject, quarter, spell = facts.person[spell][inside], quarter[inside], spell[inside]
        if kind == "custody":
            parent = np.concatenate([people.mother, people.father])
            child = np.tile(np.arange(len(people)), 2)
            pairs = [(one, number, at) for number, (who, at) in enumerate(zip(subject, quarter, strict=True))
                     for one in child[parent == who]]  # fmt: skip
            subject, quarter = np.array([one for one, _, _ in pairs]), np.array([at for _, _, at in pairs])
            spell = spell[[number for _, number, _ in pairs]]
        age = (lives.quarters[quarter] - people.born[subject]) / YEAR
        still = facts.ended[spell] > lives.quarters[quarter + 1] * DAY if at_start else np.ones(len(spell), bool)
        young = (age > ages[0]) & (age < ages[1]) & still
        before, after = lives.injury_rate[quarter, subject], lives.injury_rate[quarter + 1, subject]
        steps.append(np.log(after / before)[young & ~np.isnan(before) & ~np.isnan(after)])
    return np.concatenate(steps)


def test_the_imprisonment_of_a_parent_raises_the_rate_of_the_child_as_stated() -> None:
    """The first quarter inside against the one before: 1.10 on the log rate, within .12 for the typical child."""
    steps = log_steps("custody", True, (3, 15))
    assert len(steps) > 60
    assert np.median(steps) == pytest.approx(INJURY.effects["parent_custody"], abs=0.12)


def test_the_end_of_a_plan_takes_its_protection_away() -> None:
    """The effect of a plan is -.30: when it ends the log rate of the typical child rises by .30, within .10."""
    assert INJURY.effects["planned"] == -0.3
    ended = np.concatenate(
        [log_steps(kind, False, (2, 15)) for kind in ("child_in_need_plan", "child_protection_plan")]
    )
    assert len(ended) > 300
    assert np.median(ended) == pytest.approx(0.3, abs=0.1)


def test_everyday_contacts_follow_strain_a_little_and_nothing_else_follows_them() -> None:
    """Rate ratio of attendances for one standard deviation of strain: exp(.15) within .04."""
    world = World.generate(people=5_000, seed=20, every_contact=True)
    block = world.block(0)
    facts, people = block.parts[3].facts, block.people
    for contact in CONTACTS[:2]:
        counts = np.bincount(facts.person[facts.kind == kind_number(contact.kind)], minlength=len(people))
        age = (block.lives.quarters[0] - people.born) / YEAR
        grown = (age > 30) & (age < 55) & (counts > 0)
        strain = people.vulnerability[grown, None]
        slope = PoissonRegressor(alpha=0.0).fit(strain, counts[grown]).coef_[0]
        assert slope == pytest.approx(contact.strain, abs=0.04), contact.kind
    plain = World.generate(people=5_000, seed=20).block(0)
    assert np.array_equal(plain.lives.facts.at, block.lives.facts.at)

"""A gap that linkage made is said to be possibly linkage's doing, a gap that is there stands, and intervals cover."""

from __future__ import annotations

import numpy as np
import pytest

from riskmodel.errors import DeclarationError
from riskmodel.fairness.audit import Audit, audit_scores
from riskmodel.fairness.linked_worlds import pooled_audits
from riskmodel.fairness.rules import Rules
from riskmodel.linkage.rates import GroupLinks, LinkRates, ratio
from riskmodel.seeds import stream

PEOPLE, DRAWS, RULES = 3000, 10, Rules(reference={"group": "a"}, replicates=60)


def audited(group: np.ndarray, outcome: np.ndarray) -> Audit:
    """By group; the score knows nothing, so that the outcome alone is in question."""
    return audit_scores(np.ones(len(group)), outcome, {"group": group}, probabilities=False, rules=RULES)


def society(generator: np.random.Generator, *, rate_b: float = 0.12, sure_b: float = 0.6):
    """Two groups of people, and who has a hospital's record nearby that is theirs with the chance `sure`.

    What is not theirs belongs to nobody here. So where links are doubtful, more have a record nearby than the outcome.
    """
    group = np.where(generator.random(PEOPLE) < 0.35, "b", "a")
    sure = np.where(group == "b", sure_b, 0.97)
    near = generator.random(PEOPLE) < np.where(group == "b", rate_b, 0.12) / sure
    return group, sure, near


def over_worlds(generator: np.random.Generator, **how: float):
    """The audit of the best linkage, which links every record nearby, and of worlds drawn from the chances."""
    group, sure, near = society(generator, **how)
    worlds = [audited(group, near & (generator.random(PEOPLE) < sure)) for _ in range(DRAWS)]
    return pooled_audits(audited(group, near), worlds)


def base_rate_gap(made):
    return made.gaps.set_index("metric").loc["base_rate"]


@pytest.mark.slow
def test_over_worlds_the_interval_of_the_gap_covers_and_that_of_the_best_linkage_does_not():
    # Nobody differs, but b has 20 records nearby in 100 people, and 12 outcomes. With chances that are right, Rubin's
    # rules are careful: the variance of b's rate is .106 within a world and .048 between worlds, .058 in truth.
    rows = [base_rate_gap(over_worlds(stream(seed, "linked worlds"))) for seed in range(16)]
    held = [(row["best_low"] <= 0 <= row["best_high"], row["low"] <= 0 <= row["high"]) for row in rows]
    by_best, over = np.sum(held, axis=0)
    assert by_best <= 1
    assert over >= 15
    # (.048 x 1.1 / 1,050) of that and (.106 / 1,050 + .106 / 1,950) beside it: a quarter.
    assert np.mean([row["extra_share"] for row in rows]) == pytest.approx(0.25, abs=0.09)


def test_what_doubt_about_links_could_have_made_is_said_and_what_is_there_stands():
    made = over_worlds(stream(1, "linked worlds"))
    row = base_rate_gap(made)
    assert row["says"] == "could be linkage"
    assert row["best_low"] > 0.04
    assert any("doubt about who is who could be the reason" in said for said in made.findings)
    there = over_worlds(stream(1, "linked worlds"), rate_b=0.24, sure_b=0.9)
    assert base_rate_gap(there)["says"] == "stands"
    assert there.findings[0].startswith("Of 1 gap that the best linkage shows, 1 stands over 10 linked worlds and 0 ")


def rates(missed_a: float, missed_b: float) -> LinkRates:
    def of(group: str, missed: float) -> GroupLinks:
        pairs = np.zeros(400)
        pairs[: round(400 * missed)] = 1.0
        return GroupLinks(group, 800, ratio(pairs, np.ones(400)), ratio(np.zeros(400), np.ones(400)))

    return LinkRates(
        "group", "labels", of("everybody", (missed_a + missed_b) / 2), (of("a", missed_a), of("b", missed_b))
    )


def test_links_that_were_never_made_are_in_no_world_but_in_the_rates():
    # Alike people; 5 in 100 links are missed in a and 45 in b, with the outcomes that they would have brought.
    generator = stream(2, "missed links")
    group = np.where(generator.random(PEOPLE) < 0.35, "b", "a")
    seen = (generator.random(PEOPLE) < 0.2) & (generator.random(PEOPLE) < np.where(group == "b", 0.55, 0.95))
    best = audited(group, seen)
    unaware = pooled_audits(best, [best] * DRAWS)
    assert base_rate_gap(unaware)["says"] == "stands"
    aware = pooled_audits(best, [best] * DRAWS, links=[rates(0.05, 0.45)])
    row = base_rate_gap(aware)
    assert row["says"] == "could be linkage"
    assert row["ratio_linked"] == pytest.approx(best.disparities.to_pylist()[0]["ratio"] * 0.95 / 0.55, rel=1e-9)
    assert row["ratio_linked_low"] < 1 < row["ratio_linked_high"]
    assert any("missed links could be the reason" in said for said in aware.findings)
    assert any("missed as clerks judged: a 5.0 (" in said for said in aware.findings)


def test_worlds_that_are_all_alike_add_nothing_and_one_world_says_nothing():
    group, _, near = society(stream(3, "alike"))
    best = audited(group, near)
    made = pooled_audits(best, [best] * 3)
    row, own = base_rate_gap(made), best.disparities.to_pylist()[0]
    assert row["extra_share"] == 0
    assert (row["low"], row["high"]) == pytest.approx((own["together_low"], own["together_high"]), abs=1e-12)
    figure = made.figures.set_index(["group", "metric"]).loc[("b", "base_rate")]
    own = best.figure("group", "b", "base_rate")
    assert (figure["low"], figure["high"], figure["state"]) == (
        pytest.approx(own["low"], abs=1e-12), pytest.approx(own["high"], abs=1e-12), own["state"],
    )  # fmt: skip
    with pytest.raises(DeclarationError) as refused:
        pooled_audits(best, [best])
    assert refused.value.code == "draws-missing"

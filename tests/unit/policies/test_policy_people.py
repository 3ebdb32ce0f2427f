"""Support to people: weighing others until they are alike, trials in sequence, and the funnel of advice."""

from __future__ import annotations

import numpy as np
import pytest

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.policies.advice import Funnel, did_advice_help
from riskmodel.policies.calendar import NEVER
from riskmodel.policies.matched import emulated_trial, matched
from riskmodel.policies.panel import Panel
from riskmodel.seeds import stream


def confounded(seed: int, n: int = 600) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Those at more risk are supported more often; support takes 1 off; comparing plainly says that it adds."""
    chance = stream(seed, "support")
    risk, age = chance.normal(0, 1, n), chance.normal(0, 1, n)
    supported = chance.random(n) < 1 / (1 + np.exp(1 - risk))
    y = 5 + 2 * risk + 0.5 * age - 1.0 * supported + chance.normal(0, 1, n)
    return y, supported, {"risk": risk, "age": age}


@pytest.mark.parametrize("weigh", ["balance", "odds"])
def test_weighing_finds_what_plain_comparison_gets_wrong(weigh):
    y, d, x = confounded(1)
    made = matched(y, d, x, weigh=weigh, draws=30)
    assert y[d].mean() - y[~d].mean() > 0
    assert made.effect.low < -1 < made.effect.high < 0
    assert made.alike
    assert made.balance[0].before > 0.5
    assert abs(made.balance[0].after) < (1e-3 if weigh == "balance" else 0.1)
    assert 10 < made.others_worth < (~d).sum()


def test_intervals_of_weighed_differences_hold_the_truth():
    inside = 0
    for seed in range(40):
        y, d, x = confounded(seed, 200)
        made = matched(y, d, x, draws=60, seed=seed).effect
        inside += made.low <= -1 <= made.high
    assert inside >= 33  # 38 expected; fewer than 33 once in 100


def test_weights_by_hand():
    # The supported are at 2 on average; others at 1 (y 10) and 3 (y 20) are weighed equally: 15.
    y, d = np.array([16.0, 18, 10, 20]), np.array([1, 1, 0, 0], bool)
    made = matched(y, d, {"x": np.array([1.0, 3, 1, 3])}, draws=5)
    assert made.effect.estimate == pytest.approx(2)
    with pytest.raises(DataRefused, match="no mix of the others is like"):
        matched(y, d, {"x": np.array([5.0, 6, 1, 3])}, draws=5)
    with pytest.raises(DataRefused, match="1 unknown value"):
        matched(np.array([np.nan, 1, 2, 3]), d, {}, draws=5)


def test_trials_in_sequence_use_nothing_from_after_time_zero():
    chance = stream(2, "trials")
    n, periods = 500, 10
    need = chance.gamma(2, 0.5, n)
    early = chance.poisson(need[:, None], (n, periods)).astype(float)
    starts = np.full(n, NEVER)
    for period in range(3, 8):  # who had many events in the last three periods is more likely to be supported
        free = starts == NEVER
        often = early[:, period - 3 : period].sum(axis=1)
        starts[free & (chance.random(n) < 0.02 + 0.02 * often)] = period
    under = np.arange(periods)[None, :] >= starts[:, None]
    y = np.where(under, chance.poisson(np.maximum(need[:, None] * 0.6, 0), (n, periods)), early)
    panel = Panel(np.arange(n), np.arange(periods), starts, {"events": y.astype(float)})
    made = emulated_trial(panel, "events", ["events"], look_back=3, follow_up=2, draws=40)
    assert made.effect.high < 0
    assert made.alike
    names = [each.covariate for each in made.balance]
    assert names == ["events before", "trial 4", "trial 5", "trial 6", "trial 7"]
    with pytest.raises(DeclarationError, match="10 periods"):
        emulated_trial(panel, "events", ["events"], look_back=8, follow_up=5)
    with pytest.raises(DataRefused, match="nobody who starts"):
        emulated_trial(panel.keeping(starts == NEVER), "events", [], look_back=3, follow_up=2)


def funnel(seed: int, *, take: float = 0.6, n: int = 2_000) -> Funnel:
    """Half of the flagged are offered help by lot; those who would do well anyway take it up; help takes 1 off."""
    chance = stream(seed, "funnel")
    flagged = chance.random(n) < 0.5
    well = chance.normal(0, 1, n)
    offered = flagged & (chance.random(n) < 0.5)
    taken = offered & (well + chance.normal(0, 0.5, n) > np.quantile(well, 1 - take))
    return Funnel(flagged, offered, taken, 5 - 2 * well - taken + chance.normal(0, 1, n))


def test_an_offer_by_lot_tells_what_help_does_for_those_it_moved():
    made = did_advice_help(funnel(1), "by lot", name="harm")
    assert made.learnt
    assert made.moved == pytest.approx(0.6, abs=0.06)
    assert made.help.low < -1 < made.help.high
    given = funnel(1)
    of = given.flagged
    naive = given.outcome[of & given.taken_up].mean() - given.outcome[of & ~given.taken_up].mean()
    assert naive < made.help.low  # who takes help would have done better anyway
    assert made.help.estimate == pytest.approx(made.offer.estimate / made.moved)
    assert "whom the offer moved" in made.sentence


def test_the_interval_of_help_holds_the_truth():
    made = [did_advice_help(funnel(seed, n=800), "by lot") for seed in range(150)]
    inside = sum(each.help.low <= -1 <= each.help.high for each in made)
    assert inside >= 133  # 142.5 expected; 133 and fewer happen once in 1,000


def test_where_everybody_flagged_is_helped_nothing_can_be_learnt():
    given = funnel(1)
    everyone = Funnel(given.flagged, given.flagged, given.taken_up, given.outcome)
    for made in (did_advice_help(everyone, "by lot", name="harm"), did_advice_help(given, "to everyone", name="harm")):
        assert not made.learnt
        assert made.help is None
        assert "it cannot be learnt whether help worked" in made.sentence
    chosen = did_advice_help(given, "by judgement")
    assert not chosen.learnt
    assert "people chose who was offered it" in chosen.sentence
    with pytest.raises(DeclarationError, match="by guess"):
        did_advice_help(given, "by guess")


def test_an_offer_that_moves_nobody_says_nothing_of_help():
    made = did_advice_help(funnel(3, take=0.003, n=1_000), "by lot")
    assert made.help is None
    assert "moved too few people" in made.sentence


def test_the_funnel_leaves_rounded_and_small_steps_are_hidden():
    given = funnel(1)
    table = given.table()
    assert table["step"].to_pylist() == ["in question", "flagged", "offered help", "took it up"]
    assert all(count % 5 == 0 for count in table["people"].to_pylist())
    few = np.zeros(100, bool)
    few[:4] = True
    assert Funnel(np.ones(100, bool), few, few, np.zeros(100)).table()["people"].to_pylist()[2:] == [None, None]
    assert repr(given) == "Funnel(2,000 people)"
    with pytest.raises(DataRefused, match="unknown outcomes"):
        Funnel(few, few, few, np.full(100, np.nan))
    with pytest.raises(DataRefused, match="columns of different lengths"):
        Funnel(few, few, few[:2], np.zeros(100))

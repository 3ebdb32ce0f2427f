"""The runaway of Ensign et al. (2018), its correction, and a user's own model in the loop."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.fairness.feedback import Recording, simulate_feedback
from riskmodel.fairness.patrols import Patrols, attention_over_time
from riskmodel.seeds import stream


def test_two_equal_places_are_a_polya_urn_whose_share_ends_anywhere():
    # One on record in each: the limit of the share is uniform on 0 to 1 (Beta(1, 1)), whatever happens.
    last = attention_over_time(Patrols((0.3, 0.3), (1, 1)), days=4000, runs=300)[:, -1, 0]
    assert stats.kstest(last, "uniform").pvalue > 0.01
    # With 5 and 2 on record, Beta(5, 2), of mean 5 / 7: the first record decides, not what happens.
    last = attention_over_time(Patrols((0.3, 0.3), (5, 2)), days=4000, runs=300, seed=1)[:, -1, 0]
    assert stats.kstest(last, stats.beta(5, 2).cdf).pvalue > 0.01


def test_a_place_with_a_little_more_gets_everything():
    made = attention_over_time(Patrols((0.1, 0.4), (1, 1)), days=10_000, runs=60)[:, :, 1]
    assert made[:, -1].mean() > 0.95  # the truth is 0.8
    assert (np.diff(made.mean(axis=0)[::2000]) > 0).all()  # and it goes on growing


def test_the_correction_ends_at_the_truth_whatever_the_start():
    for start in ((1, 1), (9, 1), (1, 9)):
        made = attention_over_time(Patrols((0.2, 0.3), start, corrected=True), days=4000, runs=60)[:, -1, 1]
        assert made.mean() == pytest.approx(0.6, abs=0.02)
        assert made.std() < 0.05
    three = Patrols((0.1, 0.2, 0.3), (4, 1, 1), corrected=True)
    assert attention_over_time(three, days=8000, runs=40)[:, -1].mean(axis=0) == pytest.approx(three.truth, abs=0.03)


def test_reported_events_hold_the_runaway_back_but_leave_the_share_wrong():
    shares = [
        attention_over_time(Patrols((0.2, 0.3), (1, 1), reported=share), days=8000, runs=60)[:, -1, 1].mean()
        for share in (0.0, 0.5, 1.0)
    ]
    assert shares[0] > shares[1] > shares[2]
    assert shares[1] > 0.63
    assert shares[2] == pytest.approx(0.6, abs=0.01)


@pytest.mark.parametrize("reported", [0.05, 0.3, 0.8])
def test_the_long_run_is_that_of_the_generalised_urn(reported):
    # After a visit to the first place a and b are added, after one to the second c and d. Ensign et al. (2018): the
    # share of the first ends at the root of (c + d - a - b) x^2 + (a - 2 c - d) x + c between 0 and 1.
    one, other = 0.2, 0.3
    a, b, c, d = one, reported * other, reported * one, other
    roots = np.roots([c + d - a - b, a - 2 * c - d, c])
    (wanted,) = (root for root in roots if 0 < root < 1)
    patrols = Patrols((one, other), (20, 20), reported=reported)
    assert patrols.limit == pytest.approx([wanted, 1 - wanted], abs=1e-9)
    assert wanted < 0.4  # less than its share of what happens, however much is reported
    if reported > 0.1:  # the less is reported, the slower it gets there
        seen = attention_over_time(patrols, days=12_000, runs=60)[:, -1, 0]
        assert seen.mean() == pytest.approx(wanted, abs=0.012 / reported)
        assert abs(seen.mean() - wanted) < abs(seen.mean() - 0.4)


def test_where_it_ends_when_everything_is_discovered_and_when_it_is_corrected():
    assert Patrols((0.2, 0.2), (5, 1)).limit is None  # a Polya urn: anywhere
    assert Patrols((0.2, 0.1, 0.3), (5, 1, 1)).limit.tolist() == [0.0, 0.0, 1.0]
    corrected = Patrols((0.1, 0.2, 0.3), (5, 1, 1), reported=0.2, corrected=True)
    assert corrected.limit == pytest.approx([1 / 6, 1 / 3, 1 / 2])
    assert attention_over_time(corrected, days=8000, runs=40)[:, -1].mean(axis=0) == pytest.approx(
        corrected.limit, abs=0.02
    )


def test_two_districts_of_oakland_as_published():
    # Ensign et al. (2018), section 3 and their code: .368511 and .2816466 a day, a weak prior of 6.09 and 3.79, 1,000
    # days. The first has 56.7 in 100 of what happens; uncorrected its share grows, corrected it settles there.
    rates, weak = (0.368511, 0.2816466), (6.09, 3.79)
    plain, right = (Patrols(rates, weak, corrected=corrected) for corrected in (False, True))
    shares = [attention_over_time(one, days=1000, runs=400)[:, -1, 0] for one in (plain, right)]
    assert shares[0].mean() > 0.65
    assert plain.limit.tolist() == [1.0, 0.0]
    assert right.limit[0] == pytest.approx(0.5668, abs=1e-4)
    assert shares[1].mean() == pytest.approx(0.5668, abs=0.015)
    assert shares[1].std() < 0.35 * shares[0].std()


def fit(features, outcomes, weights):
    model = LogisticRegression(C=100).fit(features, outcomes, sample_weight=weights)
    return lambda table: model.predict_proba(table)[:, 1]


def count(*_):
    """A points score of events on record, as many are."""
    return lambda table: table["history"]


def town(people=2000):
    """Two halves of a town with the same risk; b begins with more on record."""
    generator = stream(2, "town")
    group = np.where(np.arange(people) % 2 == 0, "a", "b")
    history = generator.poisson(np.where(group == "b", 1.2, 0.6)).astype(float)
    return pd.DataFrame({"history": history}), 0.3 + 0.4 * generator.random(people), group


def test_a_score_that_counts_what_its_list_discovers_keeps_its_first_error_and_the_correction_lets_go_of_it():
    features, risk, group = town()
    recording = Recording(reported=0.1, discovered_listed=1.0, discovered_unlisted=0.3)
    made = simulate_feedback(
        count, features, risk, group, recording, capacity=0.15, periods=12, runs=6, history="history"
    )
    assert made.drifts
    ends = made.periods.groupby(["loop", "period", "group"])["list_share"].mean()
    # Both halves have the same risk. New records wear off the first error, but not where the list makes the records.
    assert ends["no feedback", 12, "b"] < ends["corrected", 12, "b"] < ends["feedback", 12, "b"] - 0.015
    change = made.drift.set_index(["loop", "group"])
    assert change.loc[("feedback", "b"), "low"] > 0.02
    assert change.loc[("corrected", "b"), "change"] < 0.7 * change.loc[("feedback", "b"), "change"]
    assert any("b, with feedback: its share of the list moves by +" in told for told in made.findings)
    rates = made.periods[made.periods["loop"] == "feedback"].groupby("group")[["true_rate", "recorded_rate"]].mean()
    assert rates.loc["a", "true_rate"] == pytest.approx(rates.loc["b", "true_rate"], abs=0.02)
    assert rates.loc["b", "recorded_rate"] > rates.loc["a", "recorded_rate"] + 0.03


def test_where_everything_is_reported_there_is_no_feedback_at_all():
    features, risk, group = town(600)
    recording = Recording(reported=1.0, discovered_listed=0.9, discovered_unlisted=0.0)
    made = simulate_feedback(fit, features, risk, group, recording, periods=3, runs=3, history="history")
    assert not made.drifts
    assert (made.drift["change"].abs() < 1e-12).all()


def test_the_intervals_of_several_groups_hold_for_all_of_them():
    features, risk, group = town(300)
    thirds = np.where(np.arange(300) % 3 == 0, "c", group)
    recording = Recording(reported=0.2, discovered_listed=0.9, discovered_unlisted=0.1)
    made = simulate_feedback(count, features, risk, thirds, recording, periods=3, runs=4, history="history")
    ends = made.periods.pivot_table(index=["loop", "group", "run"], columns="period", values="list_share")
    moved = (ends[3] - ends[1]).unstack("run")
    gap = moved.loc[("feedback", "c")] - moved.loc[("no feedback", "c")]
    half = stats.t.ppf(1 - 0.025 / 3, 3) * gap.std(ddof=1) / 2
    row = made.drift.set_index(["loop", "group"]).loc[("feedback", "c")]
    assert (row["low"], row["high"]) == pytest.approx((gap.mean() - half, gap.mean() + half))


def test_attention_that_helps_prevents_what_it_was_said_to_prevent():
    features, risk, group = town(1000)
    half = Recording(reported=0.5, discovered_listed=0.5, discovered_unlisted=0.5, effect=0.0)
    made = simulate_feedback(fit, features, risk, group, half, capacity=0.2, periods=2, runs=2).periods
    assert made["found"].max() == 0.0  # to those listed nothing happens
    assert made["true_rate"].max() < risk.mean()


def test_what_means_nothing_is_refused():
    features, risk, group = town(100)
    with pytest.raises(DataRefused):
        simulate_feedback(fit, features, risk * 3, group, Recording(0.5, 0.5, 0.5))
    with pytest.raises(DeclarationError):
        Recording(reported=0.0, discovered_listed=0.5, discovered_unlisted=0.0)
    with pytest.raises(DeclarationError) as refused:
        Patrols((0.1,), (0.0,), reported=2.0)
    assert len(refused.value.faults) == 3

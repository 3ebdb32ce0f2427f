"""Two-stage, Poisson, synthetic control, interrupted series, stepped wedge: against other programs and by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.policies.calendar import NEVER
from riskmodel.policies.design import ESTIMATORS
from riskmodel.policies.effects import Asked
from riskmodel.policies.estimators import estimator
from riskmodel.policies.imputation import imputation
from riskmodel.policies.interrupted import interrupted, segments
from riskmodel.policies.panel import Panel
from riskmodel.policies.poisson import poisson
from riskmodel.policies.stepped_wedge import stepped_wedge
from riskmodel.policies.synthetic_control import mix, synthetic_control
from riskmodel.policies.twfe import twfe
from riskmodel.policies.two_stage import two_stage
from riskmodel.seeds import stream

Y = Asked("y")


def long(panel) -> pd.DataFrame:
    """The panel as other programs want it."""
    n, periods = panel.n_units, panel.n_periods
    return pd.DataFrame(
        {
            "unit": np.repeat(np.arange(n), periods),
            "time": np.tile(np.arange(periods), n),
            "y": panel.measure("y").ravel(),
            "under": panel.under_treatment.ravel().astype(float),
        }
    )


def test_every_name_that_a_plan_may_hold_has_an_estimator():
    assert all(callable(estimator(name)) for name in ESTIMATORS)
    with pytest.raises(KeyError, match="guess is not one of"):
        estimator("guess")


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # of pyfixest
def test_two_stage_gives_the_numbers_of_did2s(staggered):
    pyfixest = pytest.importorskip("pyfixest")
    panel = staggered(3, growth=0.4, effect=1.0)
    theirs = pyfixest.did2s(
        long(panel),
        yname="y",
        first_stage="~ 0 | unit + time",
        second_stage="~ under",
        treatment="under",
        cluster="unit",
    )
    made = two_stage(panel, Y)
    assert made.estimate == pytest.approx(float(theirs.coef()["under"]), abs=1e-8)
    # theirs has the small-sample factor of clusters, n / (n - 1)
    assert made.se == pytest.approx(float(theirs.se()["under"]), rel=0.012)
    assert made.estimate == pytest.approx(imputation(panel, Y).estimate, abs=1e-10)
    assert made.se > imputation(panel, Y).se  # effects grow: cohorts differ from the one average


def counts(seed: int, *, ratio: float = 1.0, n: int = 60, spread: float = 0.5):
    """Poisson counts whose units and periods multiply; a third starts at 4, a third at 6 of 9."""
    chance = stream(seed, "counts")
    starts = np.resize([NEVER, 4, 6], n)
    level, swing = 10 * np.exp(chance.normal(0, spread, (n, 1))), np.exp(0.15 * np.arange(9))[None, :]
    under = np.arange(9)[None, :] >= starts[:, None]
    mean = level * swing
    return chance.poisson(mean * np.where(under, ratio, 1.0)), starts, mean, under


def test_poisson_imputes_what_a_generalised_linear_model_predicts(grid):
    y, starts, _, _ = counts(1)
    panel = grid(y, [None if start == NEVER else int(start) for start in starts])
    made = poisson(panel, Y)
    api = pytest.importorskip("statsmodels.api")
    data = long(panel)
    x = pd.get_dummies(data[["unit", "time"]].astype(str), drop_first=True).astype(float).assign(one=1.0)
    untreated = data["under"] == 0
    theirs = api.GLM(data["y"][untreated], x[untreated], family=api.families.Poisson()).fit(tol=1e-12)
    treated, expected = data[~untreated], theirs.predict(x[~untreated])
    assert made.estimate == pytest.approx(float((treated["y"] - expected).mean()), rel=1e-6)
    ratio = poisson(panel, Y, scale="log_ratio").estimate
    assert ratio == pytest.approx(float(np.log(treated["y"].sum() / np.sum(expected))), rel=1e-6)


def test_poisson_error_is_that_of_leaving_out_one_unit_after_another(grid):
    y, starts, _, _ = counts(2)
    panel = grid(y, [None if start == NEVER else int(start) for start in starts])
    for scale in ("count", "log_ratio"):
        made = poisson(panel, Y, scale=scale)
        without = np.asarray([poisson(panel.keeping(np.arange(60) != i), Y, scale=scale).estimate for i in range(60)])
        jackknife = np.sqrt(59 / 60 * ((without - without.mean()) ** 2).sum())
        assert made.se == pytest.approx(jackknife, rel=0.08), scale


def test_poisson_holds_where_swings_multiply_and_differences_do_not():
    # levels of 5 to 30 that all grow by 15 % a period; the treated are the large ones
    y, starts, mean, under = counts(3, ratio=0.8, n=90)
    order = np.argsort(mean[:, 0])
    starts = np.where(np.argsort(order) < 45, NEVER, np.resize([4, 6], 90))
    chance = stream(4, "counts")
    under = np.arange(9)[None, :] >= starts[:, None]
    y = chance.poisson(mean * np.where(under, 0.8, 1.0)).astype(float)
    panel = Panel(np.arange(90), np.arange(9), starts, {"y": y})
    ratio = poisson(panel, Y, scale="log_ratio")
    assert ratio.low < np.log(0.8) < ratio.high
    truth = -0.2 * mean[under].mean()
    made, differences = poisson(panel, Y), imputation(panel, Y)
    assert made.low < truth < made.high
    assert not differences.low < truth < differences.high


def test_poisson_refuses_what_is_no_count(grid):
    panel = grid([[1.0, -1.0, 2.0], [1, 1, 1], [2, 2, 2], [3, 3, 3]], [1, 1, None, None], w=np.ones((4, 3)))
    with pytest.raises(DataRefused, match="1 negative cell"):
        poisson(panel, Y)
    with pytest.raises(DeclarationError, match="weights w"):
        poisson(panel, Asked("y", weights="w"))


def test_a_mix_that_is_exact_finds_the_effect_by_hand(grid):
    # The treated unit is a quarter of the first and three quarters of the second; then it falls by 2.
    first, second = np.array([4.0, 8, 6, 7, 9]), np.array([8.0, 4, 2, 5, 1])
    treated = 0.25 * first + 0.75 * second - np.array([0, 0, 0, 2.0, 2])
    made = mix(treated, np.stack([first, second]), 3)
    assert made.weights == pytest.approx([0.25, 0.75], abs=1e-6)
    assert made.gap == pytest.approx([0, 0, 0, -2, -2], abs=1e-6)
    effect = synthetic_control(grid(np.stack([treated, first, second]), [3, None, None]), Y)
    assert effect.estimate == pytest.approx(-2, abs=1e-6)
    assert effect.state == "imprecise"
    assert effect.reason == "only 2 comparison units as placebos"
    assert effect.p_value == pytest.approx(1 / 3)  # the best that two placebos can say


def test_a_mix_that_cannot_be_met_says_so(grid):
    chance = stream(5, "mix")
    y = chance.normal(10, 1, (25, 12))
    y[0] += 30 + 5 * np.sin(np.arange(12))
    effect = synthetic_control(grid(y, [8] + [None] * 24), Y)
    assert effect.reason == "the mix did not meet the treated before the start"


def test_segments_are_those_of_statsmodels():
    api = pytest.importorskip("statsmodels.api")
    chance = stream(6, "series")
    series = 20 + 0.3 * np.arange(40) + np.cumsum(chance.normal(0, 0.3, 40)) + np.where(np.arange(40) >= 24, -4, 0)
    made = segments(series, 24)
    time = np.arange(40.0)
    x = np.column_stack([np.ones(40), time, time >= 24, np.where(time >= 24, time - 24, 0)])
    theirs = api.OLS(series, x).fit(cov_type="HAC", cov_kwds={"maxlags": made.lags, "use_correction": True})
    assert made.coefficients == pytest.approx(theirs.params, abs=1e-8)
    assert np.sqrt(np.diag(made.covariance)) == pytest.approx(theirs.bse, rel=1e-8)


def test_a_control_series_takes_off_what_everybody_felt(grid):
    chance = stream(7, "control")
    shared = 10 + 0.2 * np.arange(30) + np.where(np.arange(30) >= 15, 6, 0)  # something else happened at the start
    y = shared + chance.normal(0, 0.5, (6, 30))
    y[:3, 15:] -= 2
    effect = interrupted(grid(y, [15] * 3 + [None] * 3), Y)
    assert effect.low < -2 < effect.high
    assert effect.high < 0
    short = interrupted(grid(y[:, 12:20], [3] * 3 + [None] * 3), Y)
    assert short.reason == "only 3 periods before and 5 after the start"
    assert interrupted(grid(y[:, 13:20], [2] * 3 + [None] * 3), Y).state == "not_estimable"


def test_a_stepped_wedge_covers_its_truth_and_is_sharper_than_fixed_levels(grid):
    inside, wider = 0, 0
    for seed in range(150):
        chance = stream(seed, "wedge")
        starts = chance.permutation(np.resize([1, 2, 3, 4], 24))
        y = 10 + chance.normal(0, 0.4, (24, 1)) + 0.5 * np.arange(6) + chance.normal(0, 1, (24, 6))
        y = y - 1.0 * (np.arange(6)[None, :] >= starts[:, None])
        panel = grid(y, [int(start) for start in starts])
        made = stepped_wedge(panel, Y)
        inside += made.low <= -1 <= made.high
        wider += twfe(panel, Y).se > made.se
    assert inside >= 133  # 142.5 expected; 133 and fewer happen once in 1,000 times
    assert wider >= 110


def test_a_stepped_wedge_is_the_mixed_model_when_levels_are_drawn(grid):
    api = pytest.importorskip("statsmodels.formula.api")
    chance = stream(11, "wedge")
    starts = chance.permutation(np.resize([1, 2, 3, 4], 40))
    y = 10 + chance.normal(0, 1.0, (40, 1)) + 0.5 * np.arange(6) + chance.normal(0, 1, (40, 6))
    panel = grid(y, [int(start) for start in starts])
    theirs = api.mixedlm("y ~ under + C(time)", long(panel), groups="unit").fit(reml=True)
    made = stepped_wedge(panel, Y)
    assert made.estimate == pytest.approx(float(theirs.params["under"]), abs=0.02)
    assert made.se == pytest.approx(float(theirs.bse["under"]), rel=0.2)

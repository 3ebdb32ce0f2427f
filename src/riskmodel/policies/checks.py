"""What would show that an estimate is not the policy's effect: trends before it, effects where there can be none.

Each check gives a number and a sentence. A check that finds nothing proves nothing: `pre_trends` therefore says which
trend it would have missed, and `minimum_detectable_effect` which effect. No check repairs an estimate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import optimize, stats

from riskmodel.errors import DeclarationError
from riskmodel.policies.calendar import NEVER
from riskmodel.policies.effects import Asked, Effect, State
from riskmodel.policies.estimators import Estimator
from riskmodel.policies.group_time import Comparison, group_time
from riskmodel.policies.multiplicity import holm
from riskmodel.policies.panel import Numbers, Panel
from riskmodel.policies.roll_out import Starts
from riskmodel.seeds import stream

_POWER = 0.8


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check.

    Attributes
    ----------
    test : str, one of `design.CHECKS`
    outcome : str
    statistic, p_value : float, NaN when the check cannot be made
    detectable : float, the smallest departure that it finds four times in five (NaN where that is not worked out)
    state : "ok", "imprecise" or "not_estimable"; "ok" means that the check could be made, not that it was passed
    sentence : str
    effects : tuple of Effect behind it
    """

    test: str
    outcome: str
    statistic: float
    p_value: float
    detectable: float
    state: State
    sentence: str
    effects: tuple[Effect, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Power:
    """What a study of this size can see.

    Attributes
    ----------
    outcome, estimator : str
    detectable : float, the smallest effect found with probability `power`, in the outcome's unit; NaN when none is
    relative : float, the same over the mean of the outcome; NaN when that mean is 0
    power, confidence : float
    false_alarms : float, share of simulated studies without any effect whose interval leaves out 0
    draws, n_units, n_treated, n_periods : int
    sentence : str
    """

    outcome: str
    estimator: str
    detectable: float
    relative: float
    power: float
    confidence: float
    false_alarms: float
    draws: int
    n_units: int
    n_treated: int
    n_periods: int
    sentence: str


def pre_trends(panel: Panel, asked: Asked, *, comparison: Comparison = "never_treated") -> Check:
    """Whether treated and comparison units moved apart before the start: one joint Wald test of all earlier periods.

    Against the last untreated period. The Wald statistic is judged as Hotelling's (F with as many degrees of freedom as
    units beyond the periods), because its chi-square rings too often with few units: in 19 of 100 panels of 30 units
    without any trend, against 8. `detectable` is the straight-line trend (per period) that the test would find
    with 80 % probability (Roth 2022): a smaller one may be there unseen.
    """
    made = group_time(panel, asked, comparison=comparison, base="universal")
    places = [i for i, event in enumerate(made.by_event_time) if event.event_time < 0 and np.isfinite(event.estimate)]
    estimates = np.asarray([made.by_event_time[i].estimate for i in places])
    distance = np.asarray([made.by_event_time[i].event_time + 1.0 for i in places])
    covariance = made.covariance[np.ix_(places, places)]
    rank = int(np.linalg.matrix_rank(covariance, hermitian=True)) if places else 0
    beyond = panel.n_units - rank
    if rank == 0 or beyond < 1:
        why = f"No period before the base can be compared for {asked.outcome}: trends before the start are unknown."
        return _unknown("pre_trends", asked.outcome, why, (made,))
    inverse = np.linalg.pinv(covariance, hermitian=True)
    statistic = float(estimates @ inverse @ estimates)
    p_value = float(stats.f.sf(statistic * beyond / (rank * (panel.n_units - 1)), rank, beyond))
    trend = float(np.sqrt(_noncentrality(rank, beyond, 1 - asked.confidence) / (distance @ inverse @ distance)))
    differ = "moved apart" if p_value < 1 - asked.confidence else "were not seen to move apart"
    sentence = (
        f"Before the start, treated and comparison units {differ} in {asked.outcome} (joint test of {len(places)} "
        f"periods, p = {p_value:.3f}); a trend of up to {trend:.3g} a period could have gone unseen."
    )
    state: State = "imprecise" if made.state == "imprecise" or rank < len(places) else "ok"
    return Check("pre_trends", asked.outcome, statistic, p_value, trend, state, sentence, (made,))


def placebo_dates(panel: Panel, asked: Asked, shift: int, *, comparison: Comparison = "never_treated") -> Check:
    """The effect of a policy that began `shift` periods before the real one, seen only in periods before the real one.

    Units without an untreated period before the pretended start are left out. All periods used are untreated, so the
    true effect is 0.
    """
    if shift < 1:
        raise DeclarationError.of(
            "shift-invalid",
            where="placebo_dates",
            found=f"a shift of {shift} periods",
            expected="at least 1",
            repair="Say how many periods earlier the pretended start lies.",
        )
    kept = ~panel.treated | (panel.starts - shift >= 1)
    earlier = panel.keeping(kept)
    earlier = earlier.starting(np.where(earlier.treated, earlier.starts - shift, NEVER))
    if not earlier.treated.any():
        why = f"No treated unit has an untreated period more than {_periods(shift)} before its start."
        return _unknown("placebo_dates", asked.outcome, why, ())
    made = group_time(earlier, asked, comparison=comparison, event_times=(0, shift - 1))
    found = "an effect appears" if made.p_value < 1 - asked.confidence else "no effect appears"
    left = f"; treated units that start too early are left out ({int((~kept).sum())})" if not kept.all() else ""
    sentence = (
        f"With the start moved {_periods(shift)} back {found} in {asked.outcome} before anything was done "
        f"({figures(made)}){left}."
    )
    return Check(
        "placebo_dates", asked.outcome, ratio(made), made.p_value, float("nan"), made.state, sentence, (made,)
    )  # fmt: skip


def placebo_outcomes(panel: Panel, asked: Sequence[Asked], estimate: Estimator) -> tuple[Check, ...]:
    """The effect on outcomes that the policy cannot move; p-values are Holm's over these outcomes."""
    effects = [estimate(panel, question) for question in asked]
    made = []
    for effect, p_value in zip(effects, holm([effect.p_value for effect in effects]), strict=True):
        alarm = 1 - effect.conduct.confidence
        seems = (
            "unknown whether it moves" if np.isnan(p_value) else "it moves" if p_value < alarm else "it does not move"
        )
        sentence = f"{effect.outcome} cannot be moved by the policy; {seems} in these data ({figures(effect)})."
        made.append(
            Check(
                "placebo_outcomes", effect.outcome, ratio(effect), p_value, float("nan"), effect.state, sentence,
                (effect,),
            )
        )  # fmt: skip
    return tuple(made)


def randomisation(
    panel: Panel,
    asked: Asked,
    estimate: Estimator,
    *,
    draws: int = 499,
    seed: int = 0,
    strata: Sequence[object] | None = None,
) -> Check:
    """How often starts dealt out at random to the same units give as large an estimate: Fisher's exact idea.

    The estimate is divided by its standard error, so that the test also holds where effects differ (Wu and Ding 2021).
    The p-value counts the real roll-out as one of the draws.

    Parameters
    ----------
    strata : (n_units,) labels; starts are dealt out within a stratum only
    """
    real = estimate(panel, asked)
    if not np.isfinite(ratio(real)):
        return _unknown("randomisation", asked.outcome, f"{asked.outcome} has no estimate to compare.", (real,))
    groups = _groups(strata, panel.n_units)
    chance = stream(seed, "policies", "randomisation", asked.outcome)
    reached = 0
    for _ in range(draws):
        drawn = ratio(estimate(panel.starting(_dealt(panel.starts, groups, chance)), asked))
        reached += bool(abs(drawn) >= abs(ratio(real)) * (1 - 1e-12)) if np.isfinite(drawn) else 1
    p_value = (1 + reached) / (1 + draws)
    sentence = (
        f"Of {draws} roll-outs dealt out at random, {reached} give as large an estimate for {asked.outcome} as the "
        f"real one (p = {p_value:.3f})."
    )
    return Check("randomisation", asked.outcome, ratio(real), p_value, float("nan"), real.state, sentence, (real,))


def minimum_detectable_effect(
    before: Panel,
    starts: Starts,
    n_periods: int,
    asked: Asked,
    estimate: Estimator,
    *,
    power: float = _POWER,
    draws: int = 200,
    seed: int = 0,
) -> Power:
    """The smallest constant effect that the planned study would find, by simulation on its own untreated periods.

    In each draw the planned starts are dealt out at random to the units of `before`, at the same share of its shorter
    calendar, and the effect is estimated. A constant effect moves the estimate by its own size and leaves the standard
    error as it is, so one set of draws serves for every size.

    Parameters
    ----------
    before : the periods before anybody's start (`panels.panel_before`)
    starts, n_periods : the plan's roll-out over the whole study
    """
    groups = _groups(None, before.n_units)
    shrunk = np.clip(np.rint(starts * before.n_periods / n_periods), 1, before.n_periods - 1).astype(np.int64)
    shrunk = np.where(starts == NEVER, NEVER, shrunk)
    chance = stream(seed, "policies", "power", asked.outcome)
    made = [estimate(before.starting(_dealt(shrunk, groups, chance)), asked) for _ in range(draws)]
    null = np.asarray([effect.estimate for effect in made])
    half = np.asarray([(effect.high - effect.low) / 2 for effect in made])
    usable = np.isfinite(null) & np.isfinite(half)
    null, half = np.where(usable, null, 0.0), np.where(usable, half, np.inf)
    detectable = _smallest(null, half, power)
    mean = float(before.measure(asked.outcome).mean())
    relative = detectable / abs(mean) if mean else float("nan")
    n_treated = int((starts != NEVER).sum())
    sentence = (
        f"With {n_treated} treated of {before.n_units} units, an effect on {asked.outcome} smaller than "
        f"{detectable:.3g} ({relative:.0%} of its mean) would be missed more often than {1 - power:.0%} of the time."
    )
    if not np.isfinite(detectable):
        sentence = f"No effect on {asked.outcome} of any size would be found {power:.0%} of the time."
    return Power(
        asked.outcome, made[0].estimator, detectable, relative, power, asked.confidence,
        float(np.mean(np.abs(null) > half)), draws, before.n_units, n_treated, before.n_periods, sentence,
    )  # fmt: skip


def _smallest(null: Numbers, half: Numbers, power: float) -> float:
    """The smallest effect for which at least `power` of the draws have an interval above 0.

    Draw i finds an effect d when ``null + d > half``, that is when d exceeds ``half - null``: a quantile of these.
    """
    needed = np.sort(np.maximum(half - null, 0.0))
    return float(needed[int(np.ceil(power * len(needed))) - 1]) if np.isfinite(needed).mean() >= power else float("nan")


def _groups(strata: Sequence[object] | None, n_units: int) -> list[np.ndarray]:
    """The places of the units of each stratum."""
    if strata is None:
        return [np.arange(n_units)]
    _, of = np.unique(np.asarray([str(label) for label in strata]), return_inverse=True)
    return [np.flatnonzero(of == k) for k in range(int(of.max()) + 1)]


def _dealt(starts: Starts, groups: Sequence[np.ndarray], chance: np.random.Generator) -> Starts:
    dealt = starts.copy()
    for members in groups:
        dealt[members] = chance.permutation(starts[members])
    return dealt


def _noncentrality(periods: int, beyond: int, alarm: float) -> float:
    """The non-centrality at which an F test finds something with 80 % probability."""
    critical = float(stats.f.isf(alarm, periods, beyond))
    return float(optimize.brentq(lambda far: float(stats.ncf.sf(critical, periods, beyond, far)) - _POWER, 1e-6, 1e4))


def ratio(effect: Effect) -> float:
    """The estimate over its standard error, NaN without one."""
    return effect.estimate / effect.se if np.isfinite(effect.se) and effect.se > 0 else float("nan")


def figures(effect: Effect) -> str:
    """The estimate with its interval in words, or why there is none."""
    if not np.isfinite(effect.estimate):
        return f"not estimable: {effect.reason}"
    return f"{effect.estimate:.3g}, {effect.conduct.confidence:.0%} interval {effect.low:.3g} to {effect.high:.3g}"


def _unknown(test: str, outcome: str, sentence: str, effects: tuple[Effect, ...]) -> Check:
    nan = float("nan")
    return Check(test, outcome, nan, nan, nan, "not_estimable", sentence, effects)


def _periods(count: int) -> str:
    return "1 period" if count == 1 else f"{count} periods"

"""Support given to people, without a lot: those supported beside people like them (target-trial emulation).

Time zero is the same for both sides, nothing later than it is used to make them alike, and everybody eligible at that
time is in (Hernan and Robins 2016). The others are weighed so that they are like the supported on average in every
covariate (entropy balancing, Hainmueller 2012) or by the odds of being supported. What no record holds stays unlike;
the balance table says what was made alike, and the number of others that is left says at what price.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.policies.cross_section import effect_of_groups
from riskmodel.policies.effects import Effect
from riskmodel.policies.panel import Mask, Numbers, Panel
from riskmodel.seeds import stream

ALIKE = 0.1
"""Standardised differences below this are taken as balanced, by custom (Austin 2009)."""
_NEAR, _MOST_STEPS = 1e-8, 60


@dataclass(frozen=True, slots=True)
class Balance:
    """One covariate: means of the supported and the others, and their standardised difference before and after."""

    covariate: str
    supported: float
    others: float
    weighed: float
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Matched:
    """The effect on the supported, and how alike the sides were made.

    Attributes
    ----------
    effect : Effect
    balance : tuple of Balance, in the order of the covariates
    others_worth : float, how many unweighed others the weighed ones are worth (Kish)
    alike : bool, whether every standardised difference is below ALIKE
    """

    effect: Effect
    balance: tuple[Balance, ...] = field(repr=False)
    others_worth: float
    alike: bool


def matched(
    outcome: Numbers,
    supported: Mask,
    covariates: Mapping[str, Numbers],
    *,
    weigh: Literal["balance", "odds"] = "balance",
    person: Sequence[object] | None = None,
    draws: int = 200,
    seed: int = 0,
    name: str = "outcome",
    confidence: float = 0.95,
) -> Matched:
    """The difference in means after weighing the others; its error by drawing people anew and weighing again.

    Parameters
    ----------
    outcome : (n,) after time zero
    supported : (n,) bool
    covariates : mapping of name to (n,) values, all known before time zero
    weigh : "balance" makes means equal; "odds" weighs by ``p / (1 - p)`` of a logistic regression
    person : (n,) labels, where one person stands in several rows (drawn together)

    Raises
    ------
    DataRefused : unknown values, fewer than two people on a side, or supported people whom no mix of others is like
    """
    y, d, x = _checked(outcome, supported, covariates)
    weights = _weights(d, x, weigh)
    estimate = _difference(y, d, weights)
    groups = np.arange(len(y))
    if person is not None:
        groups = np.unique(np.asarray([str(each) for each in person]), return_inverse=True)[1]
    errors = _drawn(y, d, x, weigh, groups, draws, seed)
    kept = np.isfinite(errors)
    se = float(errors[kept].std(ddof=1)) if kept.sum() > 1 else float("nan")
    effect = effect_of_groups(name, f"matched by {weigh}", estimate, se, d, confidence, covariates=tuple(covariates))
    balance = _balance(tuple(covariates), x, d, weights)
    worth = float(weights[~d].sum() ** 2 / (weights[~d] ** 2).sum())
    return Matched(effect, balance, worth, all(abs(each.after) < ALIKE for each in balance))


def emulated_trial(
    panel: Panel,
    outcome: str,
    covariates: Sequence[str],
    *,
    look_back: int,
    follow_up: int,
    weigh: Literal["balance", "odds"] = "balance",
    draws: int = 200,
    seed: int = 0,
) -> Matched:
    """A sequence of trials, one beginning in each period: who starts then, beside who has not started by its end.

    Covariates are sums over the `look_back` periods before time zero, and which trial it is; the outcome is the sum
    over the `follow_up` periods from time zero on. A person may be an "other" in several trials and is drawn as one.

    Raises
    ------
    DeclarationError : no period has both time to look back and time to follow up
    DataRefused : unknown cells, or nobody starts in such a period
    """
    first, last = look_back, panel.n_periods - follow_up
    if min(look_back, follow_up) < 1 or first > last:
        raise DeclarationError.of(
            "trial-too-long", where="emulated_trial", found=f"{panel.n_periods} periods",
            expected=f"at least {look_back} before and {follow_up} after some start",
            repair="Look back or follow up for a shorter time.",
        )  # fmt: skip
    rows, y, d, trial = [], [], [], []
    held: dict[str, list[Numbers]] = {name: [] for name in covariates}
    values = panel.measure(outcome)
    for period in range(first, last + 1):
        starts = panel.starts == period
        others = panel.starts >= period + follow_up  # also those never supported
        if not starts.any():
            continue
        chosen = np.flatnonzero(starts | (others & (panel.starts > period)))
        rows.append(chosen)
        y.append(values[chosen, period : period + follow_up].sum(axis=1))
        d.append(starts[chosen])
        trial.append(np.full(len(chosen), period))
        for name in covariates:
            held[name].append(panel.measure(name)[chosen, period - look_back : period].sum(axis=1))
    if not rows:
        raise DataRefused(
            "trial-empty", found="nobody who starts with time to look back and to follow up",
            expected="starts inside the panel", repair="Look back or follow up for a shorter time.",
        )  # fmt: skip
    when = np.concatenate(trial)
    made = {f"{name} before": np.concatenate(parts) for name, parts in held.items()}
    made |= {f"trial {period}": (when == period).astype(np.float64) for period in np.unique(when)[1:].tolist()}
    return matched(
        np.concatenate(y), np.concatenate(d), made, weigh=weigh, person=np.concatenate(rows).tolist(), draws=draws,
        seed=seed, name=outcome,
    )  # fmt: skip


def _checked(outcome: Numbers, supported: Mask, covariates: Mapping[str, Numbers]) -> tuple[Numbers, Mask, Numbers]:
    y, d = np.asarray(outcome, np.float64), np.asarray(supported, np.bool_)
    x = np.column_stack([np.asarray(values, np.float64) for values in covariates.values()] or [np.zeros(len(y))])
    unknown = int((~np.isfinite(y)).sum()) + int((~np.isfinite(x)).sum())
    if unknown or min(int(d.sum()), int((~d).sum())) < 2:
        raise DataRefused(
            "groups-unusable",
            found=f"{unknown} unknown value(s), {int(d.sum())} supported and {int((~d).sum())} others",
            expected="known values and at least two people on each side",
            repair="Leave out the people without values, or make a covariate of whether they are known.",
        )
    spread = x.std(axis=0)
    return y, d, (x - x[d].mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def _weights(d: Mask, x: Numbers, weigh: str) -> Numbers:
    """(n,) 1 for the supported; the others' weights sum to the number of supported."""
    others = _balanced(x[~d]) if weigh == "balance" else _odds(d, x)
    weights = np.ones(len(d))
    weights[~d] = others * d.sum() / others.sum()
    return weights


def _balanced(x: Numbers) -> Numbers:
    """Weights as even as can be (in entropy) under which the columns, centred on the supported, have mean 0.

    Newton's steps on the dual problem, halved until they gain; where nobody is alike they have no end: refused.
    """
    slopes, value = np.zeros(x.shape[1]), float(np.log(len(x)))
    share = np.full(len(x), 1 / len(x))
    for _ in range(_MOST_STEPS):
        mean = share @ x
        if np.abs(mean).max() < _NEAR:
            return np.asarray(share, np.float64)
        curve = (x * share[:, None]).T @ x - np.outer(mean, mean) + 1e-9 * np.eye(len(mean))
        step = np.linalg.solve(curve, mean)
        for halving in range(40):
            tried = slopes - step * 0.5**halving
            line = x @ tried
            top = float(line.max())
            raised = np.exp(line - top)
            reached = float(np.log(raised.sum())) + top
            if reached <= value:
                break
        slopes, value, share = tried, reached, raised / raised.sum()
    raise DataRefused(
        "nobody-alike",
        found="supported people whom no mix of the others is like",
        expected="others on both sides of the supported in every covariate",
        repair="Compare only people for whom there are others like them, and say whom that leaves out.",
    )


def _odds(d: Mask, x: Numbers) -> Numbers:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1e4, max_iter=2_000).fit(x, d)
    chance = np.clip(model.predict_proba(x[~d])[:, 1], 1e-9, 1 - 1e-9)
    return np.asarray(chance / (1 - chance), np.float64)


def _difference(y: Numbers, d: Mask, weights: Numbers) -> float:
    return float(y[d].mean() - np.average(y[~d], weights=weights[~d]))


def _drawn(y: Numbers, d: Mask, x: Numbers, weigh: str, groups: np.ndarray, draws: int, seed: int) -> Numbers:
    """Estimates from people drawn anew; NaN where a draw cannot be weighed."""
    chance, n = stream(seed, "policies", "matched"), int(groups.max()) + 1
    order = np.argsort(groups, kind="stable")
    edges = np.searchsorted(groups[order], np.arange(n + 1))
    made = np.full(draws, np.nan)
    for draw in range(draws):
        chosen = np.repeat(np.arange(n), chance.multinomial(n, np.full(n, 1 / n)))
        rows = np.concatenate([order[edges[group] : edges[group + 1]] for group in chosen.tolist()])
        one, side = x[rows], d[rows]
        if side.sum() < 2 or (~side).sum() < 2:
            continue
        try:
            made[draw] = _difference(y[rows], side, _weights(side, one - one[side].mean(axis=0), weigh))
        except DataRefused:
            continue
    return made


def _balance(names: tuple[str, ...], x: Numbers, d: Mask, weights: Numbers) -> tuple[Balance, ...]:
    made = []
    for column, name in enumerate(names):
        values = x[:, column]
        one, two = float(values[d].mean()), float(values[~d].mean())
        weighed = float(np.average(values[~d], weights=weights[~d]))
        spread = float(np.sqrt((values[d].var(ddof=1) + values[~d].var(ddof=1)) / 2)) or 1.0
        made.append(Balance(name, one, two, weighed, (one - two) / spread, (one - weighed) / spread))
    return tuple(made)

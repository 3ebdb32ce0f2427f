"""Interrupted time series with a control series: a level and a slope before the start, and how both changed after it.

The treated units' mean, less the comparison units' mean where there is one, is one series; its errors may hang together
in time (Newey and West 1987). With few periods this knows little, and says so. Without a control series anything else
that happened at the start is taken for the policy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riskmodel.policies.effects import Asked, Effect, effect, event_effects
from riskmodel.policies.panel import Numbers, Panel
from riskmodel.policies.synthetic import one_start

_FEWEST = 8
"""Periods on either side below which a slope is guesswork."""


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """A segmented regression.

    Attributes
    ----------
    coefficients : (4,) level and slope before, change of level, change of slope
    covariance : (4, 4) Newey-West with the factor T / (T - 4)
    lags : int, of the Newey-West weights
    start, periods : int
    """

    coefficients: Numbers
    covariance: Numbers
    lags: int
    start: int
    periods: int

    def path(self) -> tuple[Numbers, Numbers]:
        """The effect in each period since the start, and its covariance."""
        since = np.arange(self.periods - self.start)
        rows = np.column_stack([np.ones(len(since)), since])
        return np.asarray(rows @ self.coefficients[2:]), np.asarray(rows @ self.covariance[2:, 2:] @ rows.T)


def interrupted(panel: Panel, asked: Asked) -> Effect:
    """The average change against the continued trend of the period before, over all periods since the start.

    Raises
    ------
    DeclarationError : the treated do not all start together, no comparison unit, or weights were asked for
    DataRefused : unknown cells
    """
    panel.must_allow(single=True)
    start = one_start(panel, asked, "interrupted")
    outcome = panel.measure(asked.outcome)
    series = outcome[panel.treated].mean(axis=0) - outcome[~panel.treated].mean(axis=0)
    conduct = asked.conduct(panel, "interrupted")
    if start < 3 or panel.n_periods - start < 2:
        reason = f"{start} period(s) before and {panel.n_periods - start} after the start are too few for two slopes"
        return effect(panel, asked, conduct, float("nan"), float("nan"), reason=reason, single=True)
    made = segments(series, start)
    path, covariance = made.path()
    share = np.full(len(path), 1 / len(path))
    counts = [int(panel.treated.sum())] * len(path)
    events = event_effects(range(len(path)), path, np.sqrt(np.diag(covariance)), counts, asked)
    short = min(start, panel.n_periods - start) < _FEWEST
    reason = f"only {start} periods before and {panel.n_periods - start} after the start" if short else ""
    se = float(np.sqrt(share @ covariance @ share))
    return effect(
        panel, asked, conduct, float(path.mean()), se, events=events, covariance=covariance, single=True,
        reason=reason, freedom=panel.n_periods - 4,
    )  # fmt: skip


def segments(series: Numbers, start: int) -> Segments:
    """Fit a (T,) series with a break at `start`."""
    time = np.arange(len(series), dtype=np.float64)
    after = (time >= start).astype(np.float64)
    x = np.column_stack([np.ones(len(time)), time, after, after * (time - start)])
    bread = np.linalg.inv(x.T @ x)
    slopes = bread @ x.T @ series
    score = x * (series - x @ slopes)[:, None]
    lags = int(np.floor(4 * (len(series) / 100) ** (2 / 9)))
    meat = score.T @ score
    for lag in range(1, lags + 1):
        cross = score[lag:].T @ score[:-lag]
        meat += (1 - lag / (lags + 1)) * (cross + cross.T)
    covariance = bread @ meat @ bread * len(series) / (len(series) - 4)
    return Segments(slopes, covariance, lags, start, len(series))

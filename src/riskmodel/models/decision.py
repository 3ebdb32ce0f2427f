"""Net benefit: is acting on the model better than acting on everybody or on nobody, at each possible threshold?

A threshold is a statement of value: at 10 %, one person helped in time is worth nine looked at in vain. Vickers and
Elkin (2006): net benefit is true positives less false positives weighed by the odds of the threshold, a person.
The curve shows all thresholds of interest; nothing here chooses one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import scipy.sparse as sparse

from riskmodel.models.fitted import rounded
from riskmodel.models.metrics import Numbers
from riskmodel.models.uncertainty import Resampling, person_weights

SCHEMA: Final = pa.schema(
    [
        pa.field("model", pa.string(), nullable=False),
        pa.field("threshold", pa.float64(), nullable=False),
        pa.field("net_benefit", pa.float64(), nullable=False),
        pa.field("low", pa.float64(), nullable=False),
        pa.field("high", pa.float64(), nullable=False),
        pa.field("everybody", pa.float64(), nullable=False),
        pa.field("lead_low", pa.float64(), nullable=False),
        pa.field("lead_high", pa.float64(), nullable=False),
        pa.field("n", pa.int64(), nullable=False),
        pa.field("positives", pa.int64(), nullable=False),
    ]
)


def net_benefit(outcome: Numbers, probability: Numbers, threshold: float) -> float:
    """Net true positives a row, acting on those with a probability of at least the threshold.

    Examples
    --------
    >>> net_benefit(np.array([1.0, 0, 0, 1]), np.array([0.3, 0.2, 0.1, 0.05]), 0.2)   # (1 - 1 * .2 / .8) / 4
    0.1875
    """
    on = probability >= threshold
    found = float(outcome[on].sum())
    return (found - (float(on.sum()) - found) * threshold / (1 - threshold)) / len(outcome)


def thresholds_of_interest(outcome: Numbers, points: int = 25) -> Numbers:
    """Thresholds from a quarter of the base rate to eight times it (at most 90 %), evenly in proportion."""
    base = float(np.clip(outcome.mean(), 1e-4, 0.8))
    return rounded(np.geomspace(base / 4, min(8 * base, 0.9), points), 3)


def decision_curve(
    outcome: Numbers,
    probabilities: Mapping[str, Numbers],
    people: npt.NDArray[np.int64],
    resampling: Resampling,
    thresholds: Sequence[float] | Numbers | None = None,
) -> pa.Table:
    """Net benefit of each model at each threshold.

    Parameters
    ----------
    outcome : (n,) float64, 0 or 1
    probabilities : model -> (n,) float64
    people : (n,) int64, drawn whole
    resampling : Resampling
    thresholds : ascending, between 0 and 1; None is `thresholds_of_interest`

    Returns
    -------
    Arrow, rows {model, threshold, net_benefit, low, high, everybody, lead_low, lead_high, n, positives}: `everybody`
    is the net benefit of acting on all; the lead is that over the better of everybody and nobody, on the same draws
    """
    at = thresholds_of_interest(outcome) if thresholds is None else np.asarray(thresholds, np.float64)
    odds = (at / (1 - at))[:, None]
    _, person = np.unique(people, return_inverse=True)
    n_people = int(person.max()) + 1
    every = _sums(np.zeros(len(outcome), np.int64), 1, person, n_people, outcome)
    models = {name: _sums(np.searchsorted(at, p, side="right"), len(at) + 1, person, n_people, outcome)
              for name, p in probabilities.items()}  # fmt: skip
    drawn: dict[str, list[Numbers]] = {name: [] for name in models}
    leads: dict[str, list[Numbers]] = {name: [] for name in models}
    for weights in person_weights(n_people, resampling, "decision-curve"):
        rows, positives = (part @ weights for part in every)
        everybody = (positives - (rows - positives) * odds) / rows
        for name, (in_rows, in_positives) in models.items():
            made = _benefit(in_rows @ weights, in_positives @ weights, odds, rows)
            drawn[name].append(made)
            leads[name].append(made - np.maximum(everybody, 0))
    found = []
    base = float(outcome.mean())
    for name, p in probabilities.items():
        spread, lead = np.concatenate(drawn[name], axis=1), np.concatenate(leads[name], axis=1)
        found += [
            _row(name, float(threshold), net_benefit(outcome, p, float(threshold)), base, spread[place], lead[place],
                 outcome, resampling)
            for place, threshold in enumerate(at)
        ]  # fmt: skip
    return pa.Table.from_pylist(found, schema=SCHEMA)


def _sums(
    group: npt.NDArray[np.int64], groups: int, person: npt.NDArray[np.int64], n_people: int, outcome: Numbers
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Rows and positives of each person in each group."""
    shape = (groups, n_people)
    rows = sparse.csr_array((np.ones(len(outcome)), (group, person)), shape=shape)
    return rows, sparse.csr_array((outcome, (group, person)), shape=shape)


def _benefit(rows: Numbers, positives: Numbers, odds: Numbers, all_rows: Numbers) -> Numbers:
    """Net benefit at each threshold: those in a higher group than the threshold's place are acted on."""
    on = np.cumsum(rows[::-1], axis=0)[::-1][1:]
    found = np.cumsum(positives[::-1], axis=0)[::-1][1:]
    return np.asarray((found - (on - found) * odds) / all_rows)


def _row(
    model: str,
    threshold: float,
    value: float,
    base: float,
    drawn: Numbers,
    lead: Numbers,
    outcome: Numbers,
    resampling: Resampling,
) -> dict[str, Any]:
    bounds = rounded(np.array([*resampling.interval(drawn), *resampling.interval(lead)]), 9)
    low, high, lead_low, lead_high = (float(bound) for bound in bounds)
    everybody = base - (1 - base) * threshold / (1 - threshold)
    return {"model": model, "threshold": threshold, "net_benefit": value, "low": low, "high": high,
            "everybody": everybody, "lead_low": lead_low, "lead_high": lead_high, "n": len(outcome),
            "positives": int(outcome.sum())}  # fmt: skip

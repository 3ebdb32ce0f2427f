"""Group-time effects (Callaway and Sant'Anna 2021): each cohort of starters against units that are not treated.

For units that start in period g, the effect in period t is the change of their outcome since the period before the
start, less the change of the comparison units over the same time. No already treated unit is ever a comparison. The
averages (over all treated cells, or by time since the start) weigh cohorts by their size; standard errors come from
influence functions, one number a unit, and so allow for any correlation in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse

from riskmodel.errors import DeclarationError
from riskmodel.policies.calendar import NEVER
from riskmodel.policies.effects import Asked, Effect, effect, event_effects
from riskmodel.policies.panel import Mask, Numbers, Panel
from riskmodel.seeds import stream

_BLOCK = 16_384
"""Units that are worked on together, so that they stay near the processor."""
Comparison = Literal["never_treated", "not_yet_treated"]
Base = Literal["varying", "universal"]


@dataclass(frozen=True, slots=True)
class GroupTime:
    """One cell: starters of period index `group` in period index `period`, compared with their period `before`.

    Attributes
    ----------
    att : float, NaN when there is no comparison unit
    """

    group: int
    period: int
    before: int
    att: float


@dataclass(frozen=True, repr=False, eq=False)
class Cohorts:
    """Units with one start, taken together: all that a group-time effect without covariates is made of.

    Attributes
    ----------
    starts : (H,) int, ascending; `NEVER` is the last if there is any
    of : (n,) int, the cohort of each unit
    weights : (n,) of the units
    outcome : (n, T)
    size : (H,) sums of weights
    mean : (H, T) weighted mean outcomes
    """

    starts: npt.NDArray[np.int64]
    of: npt.NDArray[np.intp]
    weights: Numbers
    outcome: Numbers
    size: Numbers
    mean: Numbers

    @classmethod
    def of_panel(cls, panel: Panel, asked: Asked) -> Cohorts:
        outcome, weights = panel.measure(asked.outcome), unit_weights(panel, asked.weights)
        starts, of = np.unique(panel.starts, return_inverse=True)
        size = np.bincount(of, weights, len(starts)).astype(np.float64)
        members = sparse.csr_matrix((weights, (of, np.arange(len(of)))), shape=(len(starts), len(of)))
        total = np.asarray(members @ outcome)  # one pass over the outcomes, no copy of them
        return cls(starts, of, weights, outcome, size, total / np.where(size > 0, size, 1.0)[:, None])

    def clean(self, cell: GroupTime, comparison: Comparison) -> Mask:
        """(H,) the cohorts that the cell is compared with."""
        never = self.starts == NEVER
        if comparison == "never_treated":
            return np.asarray(never)
        later = self.starts > max(cell.period, cell.before)
        return np.asarray(never | (later & (self.starts != cell.group)))

    def change(self, cell: GroupTime, cohorts: Mask) -> float:
        """The mean change of the given cohorts over the cell's time, NaN when they are empty."""
        size = self.size * cohorts
        change = self.mean[:, cell.period] - self.mean[:, cell.before]
        return float(size @ change / size.sum()) if size.sum() > 0 else float("nan")


def group_time(
    panel: Panel,
    asked: Asked,
    *,
    comparison: Comparison = "never_treated",
    base: Base = "varying",
    event_times: tuple[int, int] | None = None,
    bootstrap: int = 0,
    seed: int = 0,
) -> Effect:
    """The average effect over all treated cells, and the effects by time since the start.

    Parameters
    ----------
    comparison : whose change is subtracted: the never treated, or also those not treated until later
    base : before the start, compare with the period before ("varying", as in R's did) or always with the last
        untreated one ("universal"); after the start both are the same
    event_times : first and last time since the start to keep, None for all
    bootstrap : draws of the multiplier bootstrap (Rademacher weights) for standard errors and a simultaneous band of
        the event times; 0 for analytic ones
    weights (in `asked`) : a measure that must not change in time

    Raises
    ------
    DeclarationError : the roll-out allows no comparison, or weights change in time
    DataRefused : unknown cells
    """
    panel.must_allow(everyone=comparison == "not_yet_treated")
    cohorts = Cohorts.of_panel(panel, asked)
    cells = group_time_cells(cohorts, comparison=comparison, base=base)
    if event_times is not None:
        cells = [cell for cell in cells if event_times[0] <= cell.period - cell.group <= event_times[1]]
    times = sorted({cell.period - cell.group for cell in cells})
    known = [cell for cell in cells if np.isfinite(cell.att)]
    averages = [
        [cell for cell in known if cell.period >= cell.group],
        *([cell for cell in known if cell.period - cell.group == time] for time in times),
    ]
    points, both = _averages(cohorts, averages, comparison)
    estimates, influences = points[1:], both[:, 1:]
    se, critical = np.sqrt(np.einsum("ij,ij->j", influences, influences)), None
    total_se = float(np.sqrt(both[:, 0] @ both[:, 0]))
    if bootstrap:
        errors, critical = multiplier_bootstrap(both, asked.confidence, bootstrap, seed)
        total_se, se = float(errors[0]), errors[1:]
    members = dict(zip(cohorts.starts.tolist(), np.bincount(cohorts.of).tolist(), strict=True))
    n_treated = [sum(members[cell.group] for cell in average) for average in averages[1:]]
    return effect(
        panel,
        asked,
        asked.conduct(panel, "group_time", comparison=comparison),
        float(points[0]),
        total_se,
        events=event_effects(times, estimates, se, n_treated, asked, critical),
        covariance=influences.T @ influences,
        influence=both[:, 0],
    )


def group_time_cells(cohorts: Cohorts, *, comparison: Comparison, base: Base) -> list[GroupTime]:
    """Every cohort in every period but its base, in order; equation 2.8 of the paper without covariates."""
    made, n_periods = [], cohorts.outcome.shape[1]
    for h, group in enumerate(cohorts.starts.tolist()):
        if group == NEVER:
            continue
        own = np.arange(len(cohorts.starts)) == h
        for period in range(n_periods):
            before = _base_of(group, period, base)
            if before is None:
                continue
            cell = GroupTime(group, period, before, float("nan"))
            att = cohorts.change(cell, own) - cohorts.change(cell, cohorts.clean(cell, comparison))
            made.append(GroupTime(group, period, before, att))
    return made


def unit_weights(panel: Panel, name: str | None) -> Numbers:
    """(n,) weights of the units, 1 without a name; refuses weights that change in time."""
    if name is None:
        return np.ones(panel.n_units)
    values = panel.measure(name)
    if not np.allclose(values, values[:, :1], rtol=1e-9, atol=0):
        raise _weights_change(name)
    return values[:, 0]


def multiplier_bootstrap(influences: Numbers, confidence: float, draws: int, seed: int) -> tuple[Numbers, float]:
    """Standard errors of each column and the critical value of a band over all but the first column.

    Rademacher signs, one a unit; standard errors from the interquartile range, as in the paper's algorithm 1.
    """
    signs = stream(seed, "policies", "multiplier").integers(0, 2, (draws, influences.shape[0])) * 2.0 - 1.0
    drawn = signs @ influences
    quartiles = np.quantile(drawn, [0.25, 0.75], axis=0)
    se = np.asarray((quartiles[1] - quartiles[0]) / 1.3489795003921634, np.float64)
    usable = se[1:] > 0
    if not usable.any():
        return se, float("nan")
    largest = np.abs(drawn[:, 1:][:, usable] / se[1:][usable]).max(axis=1)
    return se, float(np.quantile(largest, confidence))


def _base_of(group: int, period: int, base: Base) -> int | None:
    """The period that `period` is compared with: none for a period that is its own base, or has none before it."""
    if period >= group:
        return group - 1
    before = group - 1 if base == "universal" else period - 1
    return None if before in (-1, period) else before


def _averages(
    cohorts: Cohorts, averages: Sequence[Sequence[GroupTime]], comparison: Comparison
) -> tuple[Numbers, Numbers]:
    """(A,) averages of cells by cohort size, and the (n, A) influence functions of the units.

    Within a cohort a unit's influence is linear in its outcomes, so that it is one product of the (n, T) outcomes with
    the coefficients of its cohort: no array of units is made for each cell. It counts that the sizes of the cohorts,
    too, were drawn (section 4.2).
    """
    place = {start: h for h, start in enumerate(cohorts.starts.tolist())}
    n_cohorts, n_periods = cohorts.mean.shape
    slopes = np.zeros((n_cohorts, n_periods, len(averages)))
    constants = np.zeros((n_cohorts, len(averages)))
    estimates = np.full(len(averages), np.nan)
    for a, cells in enumerate(averages):
        sizes = np.asarray([cohorts.size[place[cell.group]] for cell in cells])
        if sizes.sum() <= 0:
            constants[:, a] = np.nan
            continue
        att = np.asarray([cell.att for cell in cells])
        estimates[a] = sizes @ att / sizes.sum()
        for cell, share in zip(cells, (sizes / sizes.sum()).tolist(), strict=True):
            own, clean = np.arange(n_cohorts) == place[cell.group], cohorts.clean(cell, comparison)
            for side, sign in ((own, share), (clean, -share)):
                each = sign / float(cohorts.size[side].sum())
                slopes[side, cell.period, a] += each
                slopes[side, cell.before, a] -= each
                constants[side, a] -= each * cohorts.change(cell, side)
            constants[own, a] += (cell.att - estimates[a]) / sizes.sum()
        # less the mean of the same over all units, which is 0 because the average is the average
    influences = np.empty((len(cohorts.of), len(averages)))
    for begin in range(0, len(cohorts.of), _BLOCK):
        block = slice(begin, begin + _BLOCK)
        of, outcome = cohorts.of[block], cohorts.outcome[block]
        for h in np.unique(of).tolist():
            members = of == h
            influences[block][members] = outcome[members] @ slopes[h] + constants[h]
    influences *= cohorts.weights[:, None]
    return estimates, influences


def _weights_change(name: str) -> DeclarationError:
    return DeclarationError.of(
        "weights-change",
        where=f"weights {name}",
        found="weights that differ between periods",
        expected="one weight a unit",
        repair="Weigh by the mean or by the value before the first start.",
    )

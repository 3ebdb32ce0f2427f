"""Scores put right group by group: by a line in each group, or until no group is wrong in any band (multicalibration).

Both use the group of a person when they score, which is a question for a lawyer before it is one for a modeller.
Each is learned on rows that it is not judged on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from riskmodel.models.metrics import Numbers, expit, logit, recalibration

BANDS: Final = 10


@dataclass(frozen=True)
class ByGroup:
    """A line on the log-odds in each group.

    Attributes
    ----------
    lines : (g, 2) float64, intercept and slope; (0, 1), which changes nothing, where a group has too few of either
        outcome
    """

    lines: Numbers

    @classmethod
    def fit(cls, score: Numbers, outcome: Numbers, codes: npt.NDArray[np.int32], n_groups: int, least: int) -> ByGroup:
        """Learn the lines from (n,) scores, outcomes and groups with at least `least` of either outcome."""
        lines = np.tile([0.0, 1.0], (n_groups, 1))
        for group in range(n_groups):
            own = codes == group
            if min(outcome[own].sum(), (1 - outcome[own]).sum()) < least:
                continue
            found = recalibration(outcome[own], score[own], with_slope=True)
            if np.isfinite(found).all():
                lines[group] = found
        return cls(lines)

    def scores(self, score: Numbers, codes: npt.NDArray[np.int32]) -> Numbers:
        """The scores put right."""
        return expit(self.lines[codes, 0] + self.lines[codes, 1] * logit(score))


@dataclass(frozen=True)
class Multicalibrated:
    """Patches, each of which moves one group's scores in one band (Hebert-Johnson et al. 2018).

    Attributes
    ----------
    patches : tuple of (group, band, move on the log-odds), in the order in which they are made
    """

    patches: tuple[tuple[int, int, float], ...]

    @classmethod
    def fit(
        cls,
        score: Numbers,
        outcome: Numbers,
        member: npt.NDArray[np.bool_],
        *,
        tolerance: float = 0.01,
        least: int = 50,
        rounds: int = 200,
    ) -> Multicalibrated:
        """Patch the worst group and band until none is wrong by more than `tolerance` and chance.

        Parameters
        ----------
        score, outcome : (n,) float64
        member : (n, g) bool; groups may overlap, as attributes and their intersections do
        tolerance : mean error, weighed by the share of rows, that is let be
        least : rows below which a group's band is not patched
        """
        now, patches = score.copy(), []
        for _ in range(rounds):
            found = _worst(now, outcome, member, tolerance, least)
            if found is None:
                break
            patches.append(found)
            now = _patched(now, member, found)
        return cls(tuple(patches))

    def scores(self, score: Numbers, member: npt.NDArray[np.bool_]) -> Numbers:
        """The scores put right, patch by patch."""
        now = score.copy()
        for patch in self.patches:
            now = _patched(now, member, patch)
        return now


def _band(score: Numbers) -> npt.NDArray[np.int64]:
    """Bands of equal width on the log-odds from .005 to .995, so that rare outcomes have more than one."""
    edges = logit(np.array([0.005, 0.995]))
    place = ((logit(score) - edges[0]) / (edges[1] - edges[0]) * BANDS).astype(np.int64)
    return np.asarray(np.clip(place, 0, BANDS - 1), np.int64)


def _worst(
    score: Numbers, outcome: Numbers, member: npt.NDArray[np.bool_], tolerance: float, least: int
) -> tuple[int, int, float] | None:
    band, error = _band(score), outcome - score
    worst, found = 0.0, None
    for group in range(member.shape[1]):
        own = member[:, group]
        n = np.bincount(band[own], minlength=BANDS)
        wrong = np.bincount(band[own], error[own], BANDS)
        doubt = np.bincount(band[own], (score * (1 - score))[own], BANDS)
        for at in np.flatnonzero(n >= least):
            # Beyond the tolerance and beyond what chance would give (two standard errors).
            weighed = abs(wrong[at]) * np.sqrt(n[at]) / n[at]
            if abs(wrong[at]) / n[at] < tolerance or abs(wrong[at]) < 2 * np.sqrt(doubt[at]) or weighed <= worst:
                continue
            inside = own & (band == at)
            mean = float(np.clip(outcome[inside].mean(), 1 / (2 * n[at]), 1 - 1 / (2 * n[at])))
            move = float(logit(np.array([mean]))[0] - logit(np.array([score[inside].mean()]))[0])
            worst, found = float(weighed), (group, int(at), move)
    return found


def _patched(score: Numbers, member: npt.NDArray[np.bool_], patch: tuple[int, int, float]) -> Numbers:
    group, band, move = patch
    inside = member[:, group] & (_band(score) == band)
    return np.where(inside, expit(logit(score) + move), score)

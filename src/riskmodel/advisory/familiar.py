"""Are these people like those the model learned from? A score on a stranger is withheld, and one on strangers refused.

Kept of the training set are, for each feature, edges between bands of at least `LEAST` people and the share of rows in
each band: never the least or the greatest value, and no band of few. A person is out of range where a value lies
far beyond the outer edges; a list has drifted where its people lie in other bands than those who taught.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

from riskmodel.errors import DataRefused, EvidenceError
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.fitted import Matrix, floats, write_json
from riskmodel.models.metrics import Numbers
from riskmodel.models.risk_model import RiskModel
from riskmodel.tables import fingerprint_document

LEAST: Final = 20
"""People in every band that is kept."""
BANDS: Final = 10
OUTER: Final = 8
"""People whose values lie at or beyond each outer edge: the smallest count that the rules of disclosure show."""
REACH: Final = 1.0
"""How far beyond the outer edges a value may lie, as a share of the distance between them."""
DRIFTED: Final = 0.25
"""Population stability index from which a population counts as another one (the usual rule; Siddiqi 2006)."""
_CHANCE: Final = 0.001
"""Chance of withholding a list of people drawn from those who taught, over all its features together."""


@dataclass(frozen=True, slots=True)
class Bands:
    """One feature as the people who taught had it.

    Attributes
    ----------
    edges : tuple of float, ascending upper ends of all bands but the last; a value on an edge lies below it
    shares : tuple of float, of the rows with a value, the share in each band
    missing : float or None, share of rows without a value; None when so few people had none that it is not said
    low, high : float or None, the outer edges: beyond each lie the values of `OUTER` people; None for a
        feature that hardly varied, of which no range can be told
    """

    edges: tuple[float, ...]
    shares: tuple[float, ...]
    missing: float | None
    low: float | None
    high: float | None

    def out_of_range(self, values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Which values lie further beyond the outer edges than these are apart: (n,) bool.

        A missing value is out of range where nobody, or nearly nobody, who taught lacked one.
        """
        values = coarse(values)
        gone = np.isnan(values)
        made = gone & (self.missing is None)
        if self.low is not None and self.high is not None:
            reach = REACH * (self.high - self.low)
            with np.errstate(invalid="ignore"):
                made |= (values < self.low - reach) | (values > self.high + reach)
        return made

    def shares_of(self, values: npt.NDArray[Any]) -> Numbers:
        """The share of the values in each band, and of those missing as the last."""
        known = coarse(values[~np.isnan(values)])
        counts = np.bincount(np.searchsorted(self.edges, known, side="left"), minlength=len(self.shares))
        return np.append(counts, len(values) - len(known)) / len(values)

    def taught(self) -> Numbers:
        """The same of the people who taught."""
        missing = self.missing or 0.0
        return np.append(np.array(self.shares) * (1 - missing), missing)


@dataclass(frozen=True)
class Familiar:
    """What a model's features looked like in the people who taught it, in bands of many.

    Attributes
    ----------
    model : str, fingerprint of the model
    people : int, how many taught
    bands : mapping of column to Bands
    """

    model: str
    people: int
    bands: dict[str, Bands] = field(repr=False)

    @classmethod
    def of(cls, model: RiskModel, training: TrainingSet) -> Familiar:
        """Learn the bands from the training set of the model.

        Raises
        ------
        DataRefused : the training set is not the one on which the model was fitted
        """
        if training.fingerprint != model.training_fingerprint:
            raise DataRefused(
                "training-set-other",
                found="a training set on which the model was not fitted",
                expected=f"the training set {model.training_fingerprint[:12]}",
                repair="Give the training set that was passed to fit.",
            )
        people = np.unique(training.people(), return_inverse=True)[1]
        names = [name for name in model.feature_names if name in training.feature_names]
        bands = {name: bands_of(training.table[name].to_numpy(), people) for name in names}
        return cls(model.fingerprint, int(people.max()) + 1, bands)

    def strangers(self, X: Matrix, names: Sequence[str]) -> list[tuple[str, ...]]:
        """The columns in which each row lies out of range: none for most."""
        made: list[tuple[str, ...]] = [()] * len(X)
        for place, name in enumerate(names):
            if name in self.bands:
                for row in np.flatnonzero(self.bands[name].out_of_range(X[:, place])):
                    made[row] = (*made[row], name)
        return made

    def drift(self, X: Matrix, names: Sequence[str]) -> dict[str, float]:
        """The population stability index of each column: 0 where the rows lie in the bands as those who taught."""
        return {
            name: stability_index(self.bands[name].taught(), self.bands[name].shares_of(X[:, place]), len(X))
            for place, name in enumerate(names)
            if name in self.bands and len(X)
        }

    def must_not_have_drifted(self, X: Matrix, names: Sequence[str]) -> None:
        """Refuse a list of people whose features are no longer those of the people who taught.

        A feature counts when its index is above `DRIFTED`, and above what chance gives a list of this length.

        Raises
        ------
        DataRefused : with the columns and how far they moved
        """
        found = self.drift(X, names)
        moved = {name: index for name, index in found.items() if index > max(DRIFTED, self._by_chance(name, len(X)))}
        if moved:
            listed = ", ".join(f"{name} ({index:.2f})" for name, index in sorted(moved.items()))
            raise DataRefused(
                "list-drifted",
                found=f"people who are no longer like those who taught the model, by population stability index: "
                f"{listed}",
                expected=f"an index of at most {DRIFTED} in every feature",
                repair="Find out what changed, in people or in recording, and fit and approve the model again.",
            )

    def _by_chance(self, name: str, rows: int) -> float:
        """What the index of rows drawn from the people who taught stays below (Yurdakul and Naranjo 2020)."""
        bands = len(self.bands[name].shares)
        return float(chi2.ppf(1 - _CHANCE / max(len(self.bands), 1), bands) * (1 / rows + 1 / self.people))

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {"model": self.model, "people": self.people, "bands": {n: asdict(b) for n, b in self.bands.items()}}

    def save(self, path: str | Path) -> None:
        """Write the bands as JSON, with their fingerprint."""
        write_json(Path(path), {**self.document(), "fingerprint": fingerprint_document(self.document())})

    @classmethod
    def load(cls, path: str | Path) -> Familiar:
        """Read what `save` wrote.

        Raises
        ------
        EvidenceError : it cannot be read, or was altered since it was saved
        """
        try:
            held = json.loads(Path(path).read_text(encoding="utf-8"))
            bands = {
                name: Bands(**{**each, "edges": tuple(each["edges"]), "shares": tuple(each["shares"])})
                for name, each in held["bands"].items()
            }
            made = cls(held["model"], held["people"], bands)
            whole = fingerprint_document(made.document()) == held["fingerprint"]
        except (OSError, KeyError, TypeError, ValueError):
            whole = False
        if not whole:
            raise EvidenceError(
                "bands-altered",
                found="saved bands that cannot be read, or are not those of their fingerprint",
                expected="the file as it was written",
                repair="Make it again with Familiar.of(model, training).",
            )
        return made

    def __repr__(self) -> str:
        return f"Familiar({len(self.bands)} features, {self.people:,} people)"


def bands_of(values: npt.NDArray[Any], people: npt.NDArray[np.int64]) -> Bands:
    """The bands of one feature.

    Parameters
    ----------
    values : (n_rows,) float, NaN where missing
    people : (n_rows,) int64, whose row each is

    Examples
    --------
    >>> age = np.repeat([10.0, 11.0, 12.0, 81.0], [40, 40, 40, 1])      # one person of 81
    >>> made = bands_of(age, np.arange(121))
    >>> made.edges, made.low, made.high                                 # the 81 is nowhere
    ((10.0, 11.0), 10.0, 12.0)
    >>> made.out_of_range(np.array([8.0, 14.0, 14.5, 81.0])).tolist()   # as far again as 10 is from 12
    [False, False, True, True]
    """
    values = coarse(values)
    gone = np.isnan(values)
    missing = float(gone.mean()) if _distinct(people[gone]) >= LEAST else None
    known, owner = values[~gone], people[~gone]
    order = np.argsort(known, kind="stable")
    known, owner = known[order], owner[order]
    edges: list[float] = []
    begun, wanted, width = 0, len(known) / BANDS, len(known) / BANDS
    starts = np.flatnonzero(np.diff(known)) + 1  # the first row of each further value
    while (at := int(np.searchsorted(starts, wanted))) < len(starts):
        end = int(starts[at])
        if min(_distinct(owner[begun:end]), _distinct(owner[end:])) >= LEAST:
            edges.append(float(known[end - 1]))
            begun = end
        wanted = end + width
    counts = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
    low, high = _outer(known, owner), _outer(-known[::-1], owner[::-1])
    if low is None or high is None or not low < -high:
        low = high = None
    shares = floats(counts / max(len(known), 1))
    return Bands(tuple(edges), tuple(shares), missing, low, None if high is None else -high)


def coarse(values: npt.NDArray[Any]) -> Numbers:
    """The values to three figures, so that no edge is the exact value of anybody.

    Examples
    --------
    >>> coarse(np.array([0.0, 17.0, 1234.0, -0.98765, np.nan])).tolist()
    [0.0, 17.0, 1230.0, -0.988, nan]
    """
    values = np.asarray(values, np.float64)
    size = np.abs(values)
    above = np.floor(np.log10(np.where(size > 0, size, 1.0))).astype(np.int64)
    made = values.copy()
    for decade in np.unique(above[~np.isnan(values)]):
        own = above == decade
        made[own] = np.round(values[own], int(2 - decade))
    return made


def _outer(known: Numbers, owner: npt.NDArray[np.int64]) -> float | None:
    """From the lower end, the value at which `OUTER` different people have been met."""
    _, first = np.unique(owner, return_index=True)
    return float(known[np.sort(first)[OUTER - 1]]) if len(first) >= OUTER else None


def _distinct(people: npt.NDArray[np.int64]) -> int:
    return len(np.unique(people))


def stability_index(before: Numbers, now: Numbers, rows: int) -> float:
    """Population stability index of two (k,) arrays of shares; an empty band counts as half a row.

    Examples
    --------
    >>> round(stability_index(np.array([0.5, 0.5]), np.array([0.6, 0.4]), 1000), 4)    # .1 ln 1.2 - .1 ln .8
    0.0405
    """
    least = 0.5 / max(rows, 1)
    before, now = np.maximum(before, least), np.maximum(now, least)
    return float(np.sum((now - before) * np.log(now / before)))

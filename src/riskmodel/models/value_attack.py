"""Can somebody who knows all of a person but one value, and holds the saved model, tell that value?

The attacker tries what the value may be and takes the one under which the model finds what became of the person most
likely, weighing in how frequent each is (Fredrikson and others 2014). What can be guessed in this way of anybody is
knowledge about people in general; what counts is how much more often it is right of a person who taught the model
than with a model of the same settings that was made without that person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.special import ndtri

from riskmodel.models.fitted import Fitted, Matrix
from riskmodel.models.membership import VALUES
from riskmodel.models.metrics import Numbers
from riskmodel.models.risk_model import RiskModel
from riskmodel.seeds import stream

PEOPLE: Final = 400
"""People who are asked about: the cost is theirs times the features times the values tried."""
LEAST: Final = 50
BANDS: Final = 5


def value_attack(
    model: RiskModel,
    others: Sequence[Fitted],
    X: Matrix,
    outcome: Numbers,
    without: npt.NDArray[np.intp],
    *,
    seed: int = 0,
) -> pa.Table:
    """How much better each value is guessed with the model than without the person in it.

    Parameters
    ----------
    model : RiskModel
    others : models of the same settings that learned from some of the people
    X : (n_people, n_inputs) float32, one row a person who taught the model, NaN where missing
    outcome : (n_people,) float64, 0 or 1
    without : (n_people,) int, the number of one of `others` that the person did not teach

    Returns
    -------
    pa.Table : one row a feature that varies, of `membership.VALUES`; a value is right when it lies in the same of at
        most five bands of about equally many people; state is "not_estimable" for fewer than 50 people
    """
    names = model.learner.inputs or tuple(model.feature_names)
    some = np.sort(stream(seed, "membership", "values").permutation(len(X))[:PEOPLE])
    asked = [one for place, name in enumerate(names) if len((one := _Unknown.of(name, place, X)).tried) > 1]
    if len(some) < LEAST:
        few = [{"feature": one.name, "n": len(some), "state": "not_estimable"} for one in asked]
        return pa.Table.from_pylist(few, schema=VALUES)
    X, outcome, without = X[some], outcome[some], without[some]
    own = _guessed(model.fitted, X, outcome, asked)
    theirs = np.empty_like(own)
    for number in np.unique(without):
        mine = np.flatnonzero(without == number)
        theirs[:, mine] = _guessed(others[number], X[mine], outcome[mine], asked)
    reach = float(ndtri(1 - 0.025 / max(len(asked), 1)))
    rows: list[dict[str, Any]] = [
        {"feature": one.name, **_gain(with_it == one.band[some], without_it == one.band[some], reach)}
        for one, with_it, without_it in zip(asked, own, theirs, strict=True)
    ]
    rows.sort(key=lambda row: (-row["gain"], row["feature"]))
    return pa.Table.from_pylist(rows, schema=VALUES)


@dataclass(frozen=True, slots=True)
class _Unknown:
    """A value the attacker does not know: everybody's band, what is tried, and how frequent each band is (log)."""

    name: str
    place: int
    band: npt.NDArray[np.intp]
    tried: npt.NDArray[np.float32]
    frequent: Numbers

    @classmethod
    def of(cls, name: str, place: int, X: Matrix) -> _Unknown:
        band, tried = bands(X[:, place])
        return cls(name, place, band, tried, np.log(np.bincount(band, minlength=len(tried)) / max(len(band), 1)))


def _guessed(fitted: Fitted, X: Matrix, outcome: Numbers, asked: Sequence[_Unknown]) -> npt.NDArray[np.intp]:
    """The band under which what became of each person is most likely, for each value in turn: (n_values, n_people).

    A model is asked about all of them at once: a call costs more than some thousand rows.
    """
    tries = np.vstack([np.repeat(X, len(one.tried), axis=0) for one in asked])
    begin, starts = 0, []
    for one in asked:
        rows = slice(begin, begin + len(X) * len(one.tried))
        tries[rows, one.place] = np.tile(one.tried, len(X))
        starts.append(rows)
        begin = rows.stop
    chance = fitted.predict(tries)
    made = np.empty((len(asked), len(X)), np.intp)
    for at, (one, rows) in enumerate(zip(asked, starts, strict=True)):
        of_outcome = chance[rows].reshape(len(X), -1)
        of_outcome = np.where(outcome[:, None] == 1, of_outcome, 1 - of_outcome)
        made[at] = (np.log(np.maximum(of_outcome, 1e-12)) + one.frequent).argmax(axis=1)
    return made


def bands(values: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]:
    """The band of each value, and what is tried for each band: the value in its middle; missing is a band of its own.

    Examples
    --------
    >>> band, tried = bands(np.array([0, 0, 0, 1, 2, np.nan], np.float32))
    >>> band.tolist(), tried.tolist()
    ([0, 0, 0, 1, 2, 3], [0.0, 1.0, 2.0, nan])
    """
    known = values[~np.isnan(values)]
    ends = np.unique(np.quantile(known, np.arange(1, BANDS + 1) / BANDS, method="higher")) if len(known) else known
    band = np.searchsorted(ends, values, side="left")
    band[np.isnan(values)] = len(ends)
    held = np.unique(band)
    tried = [np.nan if each == len(ends) else np.quantile(values[band == each], 0.5, method="lower") for each in held]
    return np.searchsorted(held, band), np.array(tried, np.float32)


def _gain(own: npt.NDArray[np.bool_], theirs: npt.NDArray[np.bool_], reach: float) -> dict[str, Any]:
    """Paired difference of two shares of the same people; its error is never taken to be less than one person's."""
    difference = own.astype(float) - theirs
    error = max(float(difference.std(ddof=1)), 1 / np.sqrt(len(own))) / np.sqrt(len(own))
    gain = float(difference.mean())
    figures = {"with_model": float(own.mean()), "without": float(theirs.mean()), "gain": gain}
    figures |= {"low": gain - reach * error, "high": gain + reach * error}
    return {**{name: float(f"{value:.6g}") for name, value in figures.items()}, "n": len(own), "state": "ok"}

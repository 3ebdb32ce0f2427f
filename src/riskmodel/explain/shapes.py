"""How contributions lie and how they go with values, as counts and means of many people: no point of anybody is kept.

Where others draw one dot a person, here people are counted in cells, and a count leaves as the rules of disclosure
allow. Ends are drawn in to where `LEAST` people lie beyond, and every edge is rounded, so that nobody's own value or
contribution is one of the figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy import stats

from riskmodel.explain.families import Told
from riskmodel.governance.disclosure import RULES, released
from riskmodel.models.metrics import Numbers

LEAST: Final = 20
"""People in every band of values, and beyond each end of the contributions."""
FEATURES: Final = 12
BANDS: Final = 8
_CELLS: Final = 24
_NORMAL_95: Final = 1.959963984540054

VALUES: Final = ("low", "middle", "high", "missing")
CLOUD: Final = pa.schema(
    [
        *(pa.field(name, pa.string(), nullable=False) for name in ("feature", "value")),
        *(pa.field(name, pa.float64(), nullable=False) for name in ("low", "high")),
        pa.field("people", pa.int64()),
    ]
)
DEPENDENCE: Final = pa.schema(
    [
        *(pa.field(name, pa.string(), nullable=False) for name in ("feature", "values")),
        *(pa.field(name, pa.float64()) for name in ("up_to", "mean", "mean_low", "mean_high")),
        pa.field("people", pa.int64()),
    ]
)


def largest(contributions: Numbers, columns: Sequence[Told]) -> list[int]:
    """The places of the features that weigh most, the heaviest first."""
    mean = np.abs(contributions).mean(axis=0)
    return sorted(range(len(columns)), key=lambda at: (-mean[at], columns[at].name))[:FEATURES]


def cloud(contributions: Numbers, values: Numbers, columns: Sequence[Told], people: npt.NDArray[np.int64]) -> pa.Table:
    """People by contribution and by whether their value is low, middle or high among all: what a beeswarm shows.

    Parameters
    ----------
    contributions, values : (n, p), without the base; NaN where a value is missing
    people : (n,) int64, whose row each is

    Returns
    -------
    pa.Table of `CLOUD` : people with a contribution from low to high, outer cells holding all beyond; a count that may
        not be shown is null, and cells in which nobody is are left out
    """
    rows: list[dict[str, Any]] = []
    chosen = largest(contributions, columns)
    reach = max([_reach(np.abs(contributions[:, at]), people) for at in chosen] or [0.0]) or 1.0
    edges = np.round(np.linspace(-reach, reach, _CELLS + 1), 3)
    for at in chosen:
        cell = np.clip(np.searchsorted(edges, contributions[:, at], side="right") - 1, 0, _CELLS - 1)
        kind = _thirds(values[:, at])
        for number, name in enumerate(VALUES):
            for place in range(_CELLS):
                found = len(np.unique(people[(cell == place) & (kind == number)]))
                if found:
                    ends = {"low": float(edges[place]), "high": float(edges[place + 1])}
                    rows.append({"feature": columns[at].name, "value": name, **ends, "people": found})
    if not rows:
        return CLOUD.empty_table()
    made = released(pa.Table.from_pylist(rows), ["people"], rules=RULES["hes"])
    return made.drop_columns(["disclosure"]).cast(CLOUD)


def dependence(
    contributions: Numbers, values: Numbers, columns: Sequence[Told], people: npt.NDArray[np.int64]
) -> pa.Table:
    """The mean contribution in bands of a feature's values, with its 95 % interval over people.

    Returns
    -------
    pa.Table of `DEPENDENCE` : bands of at least `LEAST` people in ascending order, up_to null for the last; then those
        without a value, when they are as many
    """
    rows: list[dict[str, Any]] = []
    for at in largest(contributions, columns):
        value, made = values[:, at], contributions[:, at]
        edges = _edges(value, people)
        band = np.searchsorted(edges, value, side="left")
        band[np.isnan(value)] = len(edges) + 1
        for number in range(len(edges) + 2):
            inside = band == number
            mean = _mean(made[inside], people[inside])
            if mean is not None:
                rows.append({"feature": columns[at].name, "values": _words(edges, number), **mean,
                             "up_to": float(edges[number]) if number < len(edges) else None})  # fmt: skip
    return pa.Table.from_pylist(rows, schema=DEPENDENCE)


def _reach(sizes: Numbers, people: npt.NDArray[np.int64]) -> float:
    """The size beyond which `LEAST` people lie."""
    order = np.argsort(-sizes)
    first = np.sort(np.unique(people[order], return_index=True)[1])
    return float(sizes[order[first[LEAST]]]) if len(first) > LEAST else 0.0


def _thirds(value: Numbers) -> npt.NDArray[np.int64]:
    """0, 1 or 2 for low, middle and high among the known values; 3 where there is none."""
    made = np.full(len(value), 3, np.int64)
    known = ~np.isnan(value)
    if known.any():
        middle = (stats.rankdata(value[known]) - 0.5) / known.sum()
        made[known] = np.searchsorted((1 / 3, 2 / 3), middle, side="right")
    return made


def _edges(value: Numbers, people: npt.NDArray[np.int64]) -> Numbers:
    """Rounded upper ends of all bands but the last, each band of at least `LEAST` people."""
    known = ~np.isnan(value)
    if not known.any():
        return np.empty(0)
    asked = np.unique([float(f"{each:.3g}") for each in np.quantile(value[known], np.arange(1, BANDS) / BANDS)])
    kept: list[float] = []
    for edge in asked:
        begun = kept[-1] if kept else -np.inf
        inside, beyond = (value > begun) & (value <= edge), value > edge
        if all(len(np.unique(people[rows])) >= LEAST for rows in (inside, beyond)):
            kept.append(float(edge))
    return np.array(kept)


def _mean(made: Numbers, people: npt.NDArray[np.int64]) -> dict[str, Any] | None:
    """Mean and interval, the rows of a person taken together; None for fewer than `LEAST` people."""
    person = np.unique(people, return_inverse=True)[1]
    n = int(person.max()) + 1 if len(person) else 0
    if n < LEAST:
        return None
    mean = float(made.mean())
    error = np.bincount(person, made - mean) / len(made)
    reach = _NORMAL_95 * float(np.sqrt((error**2).sum() * n / (n - 1)))
    shown = RULES["hes"].rounded(n)
    return {"mean": mean, "mean_low": mean - reach, "mean_high": mean + reach, "people": shown}


def _words(edges: Numbers, number: int) -> str:
    if number == len(edges) + 1:
        return "no value"
    if not len(edges):
        return "any value"
    if number == len(edges):
        return f"above {edges[-1]:g}"
    return f"up to {edges[number]:g}" if not number else f"above {edges[number - 1]:g}, up to {edges[number]:g}"

"""Person or place: how much of a score comes with the street and not with the person, that no one be judged by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from riskmodel.fairness.capacity import listed
from riskmodel.fairness.scored import refused
from riskmodel.seeds import stream

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class PlaceShare:
    """How much of a score is the place and not the person.

    Attributes
    ----------
    share : float, of the score's variance, the part that goes when places are dealt anew among people (Sobol's total
        index, Jansen 1999); 0 when the place does nothing, 1 when it is all
    listed : float, places on the list
    by_place_alone : float, of those listed, the share who would not be with a place dealt anew, on average
    """

    share: float
    listed: float
    by_place_alone: float

    @property
    def sentence(self) -> str:
        """In words."""
        return (
            f"Of the differences between scores, {100 * self.share:.0f} % come with the place and not with the person; "
            f"of 100 people listed, {100 * self.by_place_alone:.0f} would not be listed if they lived somewhere else."
        )


def place_share(
    predict: Callable[[pd.DataFrame], Any],
    features: pd.DataFrame,
    place: Sequence[str],
    *,
    capacity: float = 0.1,
    repeats: int = 20,
    seed: int = 0,
) -> PlaceShare:
    """Person-versus-place share of a score: what moves when the features of the place are dealt anew, together.

    Parameters
    ----------
    predict : function of a DataFrame of features to (n,) scores, such as ``lambda X: model.predict_proba(X)[:, 1]``
    features : (n, d) DataFrame
    place : features that say something of where a person lives, and not of the person
    capacity : how long the list is
    repeats : int, how often places are dealt anew

    Raises
    ------
    DataRefused : a feature that is not there, or none

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"own": np.arange(1000) % 10, "area": np.arange(1000) // 10 % 10})
    >>> made = place_share(lambda x: x["own"] + x["area"], table, ["area"], repeats=50)
    >>> round(made.share, 1)                                     # two equal and independent halves
    0.5
    """
    if not place or set(place) - set(features.columns):
        raise refused(
            f"{len(set(place) - set(features.columns))} features of the place that are not given, of {len(place)}"
        )
    scores = np.asarray(predict(features), np.float64)
    on_list = listed(scores, capacity)
    generator = stream(seed, "fairness", "place")
    squares, lost = 0.0, 0.0
    for _ in range(repeats):
        dealt = features.copy()
        order = generator.permutation(len(features))
        for name in place:
            dealt[name] = features[name].to_numpy()[order]
        moved = np.asarray(predict(dealt), np.float64)
        squares += float(np.mean((scores - moved) ** 2)) / 2
        # Each moved person stands among all others as they are.
        edge = float(np.min(scores[on_list > 0]))
        lost += float(np.sum(on_list * (moved < edge)) / np.sum(on_list))
    spread = float(np.var(scores))
    share = min(squares / repeats / spread, 1.0) if spread > 0 else 0.0
    return PlaceShare(share, float(on_list.sum()), lost / repeats)

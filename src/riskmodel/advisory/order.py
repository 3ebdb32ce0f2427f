"""In which order a list stands, and how settled its places are.

Ordered by probability a list exists only as one of working capacity, because the approval named one. Where equally
good models do not agree who belongs on it, it abstains: these people stand last, in the order of their pseudonyms,
and the list says that their places are not settled. A rank that another sample would have turned round is not shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from riskmodel.advisory.listed import Listed
from riskmodel.errors import DeclarationError, NotPermitted
from riskmodel.models.arbitrariness import Standings, standings

SETTLED, NOT_CHECKED = "settled", "not checked"


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a list.

    Attributes
    ----------
    places : tuple of int, places in the scores
    note : str, what the order means, for the caveats
    standing : tuple of str, how settled each place is; empty for a list that has no order of risk
    """

    places: tuple[int, ...]
    note: str
    standing: tuple[str, ...] = ()

    @property
    def not_settled(self) -> int | None:
        """How many places are not settled; None where nobody checked or there is no order of risk."""
        checked = [each for each in self.standing if each != NOT_CHECKED]
        return sum(each != SETTLED for each in checked) if checked else None


def ordered(scores: Listed, order: str) -> Order:
    """The list in the order asked for.

    Raises
    ------
    NotPermitted : by capacity, under an approval that names none
    DeclarationError : no such order
    """
    if order == "pseudonym":
        note = f"All {scores.people:,} people scored, in the order of their pseudonyms: the order means nothing."
        return Order(tuple(range(scores.people)), note)
    if order != "capacity":
        raise DeclarationError.of(
            "order-unknown",
            where="order",
            found=repr(order),
            expected='"pseudonym" or "capacity"',
            repair="Leave it out for the order of pseudonyms.",
        )
    room = scores.basis.approval.limits.working_capacity
    if room is None:
        raise NotPermitted(
            "capacity-not-approved",
            found="an approval without a working capacity",
            expected="limits.working_capacity in the approval",
            repair="Export in the order of pseudonyms, or ask the board to set the working capacity.",
        )
    return _within_capacity(scores, room)


def _within_capacity(scores: Listed, room: int) -> Order:
    """The people the team has room for; of equal probabilities the earlier pseudonym stands first, and this is said."""
    rank = np.lexsort((np.arange(scores.people), -scores._probability))
    rank = rank[: scores.people - scores.withheld]  # those withheld stand last
    kept_back = f" For {scores.withheld:,} the score is withheld; they are not here." if scores.withheld else ""
    taken = rank[:room]
    left = scores._probability[rank[room:]]
    equal = int((left == scores._probability[taken[-1]]).sum()) if len(taken) else 0
    note = (
        f"{len(taken):,} of {scores.people:,} people scored: those with the highest probability, as many as the "
        f"approved working capacity of {room:,}. {equal:,} more have the same probability as the last one. "
        f"Where the list ends is set by capacity; it says nothing about the people on either side.{kept_back}"
    )
    chances = scores.made_again(rank)
    if chances is None or not len(taken):
        return Order(tuple(map(int, taken)), note, (NOT_CHECKED,) * len(taken))
    return _abstaining(taken, note, standings(chances, len(taken)) if len(taken) < len(rank) else None, len(chances))


def _abstaining(taken: npt.NDArray[np.intp], note: str, found: Standings | None, models: int) -> Order:
    """Settled places in the order of probability, then the others by pseudonym; `found` None: everybody has a place."""
    share = np.ones(len(taken)) if found is None else found.share[: len(taken)]
    settled = np.ones(len(taken), bool) if found is None else found.settled()[: len(taken)]
    open_ones = np.flatnonzero(~settled)
    open_ones = open_ones[np.argsort(taken[open_ones])]
    rows = [*np.flatnonzero(settled), *open_ones]
    words = [SETTLED if settled[row] else _not_settled(share[row], models) for row in rows]
    if len(open_ones):
        outside = 0 if found is None else int((~found.settled()[len(taken) :]).sum())
        note = (
            f"{note} Not settled are {len(open_ones):,} of these places, and they stand last in the order of "
            f"pseudonyms: among {models} models made again from other samples, more than one in ten would give them to "
            f"somebody else. {outside:,} people who are not here could as well stand in them."
        )
    return Order(tuple(int(taken[row]) for row in rows), note, tuple(words))


def _not_settled(share: float, models: int) -> str:
    return f"not settled: {share * models:.3g} of {models} models made again give a place"


def spans(chances: npt.NDArray[np.float64] | None, people: int) -> Sequence[tuple[float, float] | None]:
    """The lowest and the highest of what several models say of each person: (n_models, n_people) in."""
    if chances is None:
        return [None] * people
    return list(zip(chances.min(axis=0).tolist(), chances.max(axis=0).tolist(), strict=True))

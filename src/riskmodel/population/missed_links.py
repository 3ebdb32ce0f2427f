"""What missed links do to an estimate of the unseen, and the estimate with them taken back.

A person on two lists whose records were not linked stands in the table as two people, each on one list. The lists then
seem to overlap less than they do, and the unseen come out too many. How many links are missed is not in the table: it
comes from the quality of the linkage, so the answer is given for several shares, never for one that looks best.

The correction supposes that a person on several lists loses at most one link, and each of them as easily. False links
work the other way and are not handled here. Sources: Ding and Fienberg 1994; Di Consiglio and Tuoto 2015.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from riskmodel.errors import DeclarationError
from riskmodel.population.estimate import Estimate, Numbers
from riskmodel.population.loglinear import ListCounts
from riskmodel.population.unseen import Unseen, averaged


@dataclass(frozen=True, slots=True)
class WithMissedLinks:
    """The estimate if so many links were missed.

    Attributes
    ----------
    missed : float, share of the people on several lists who lost a link
    seen : int, people on a list when the links are put back
    total : Estimate, of everybody
    """

    missed: float
    seen: int
    total: Estimate


def by_missed_links(
    table: ListCounts,
    missed: Sequence[float] = (0.0, 0.02, 0.05, 0.1),
    *,
    method: Callable[[ListCounts], Unseen] = averaged,
) -> tuple[WithMissedLinks, ...]:
    """The estimate for several shares of missed links; the intervals hold no doubt about the links.

    Raises
    ------
    DeclarationError : a share below 0 or of a half and more
    """
    made = []
    for share in missed:
        corrected = links_put_back(table, share)
        made.append(WithMissedLinks(share, corrected.seen, method(corrected).total))
    return tuple(made)


def links_put_back(table: ListCounts, missed: float) -> ListCounts:
    """The table as it would be had no link been missed, in whole people.

    Examples
    --------
    >>> table = ListCounts.of(("a", "b"), [[1, 0], [0, 1], [1, 1]], [90, 70, 90])   # 10 of 100 lost their link
    >>> links_put_back(table, 0.1).counts.tolist()                                   # b, a, a and b
    [60.0, 80.0, 100.0]
    """
    if not 0 <= missed < 0.5:
        raise DeclarationError.of(
            "missed-links-invalid",
            where="missed",
            found=f"{missed:g}",
            expected="a share of at least 0 and below a half",
            repair="Take the share of missed links from the quality of the linkage.",
        )
    restored = np.linalg.solve(_splitting(table, missed), table.counts)
    # more splits than singles to explain them: there cannot be fewer than nobody
    return ListCounts(table.lists, np.maximum(0.0, np.round(restored)))


def _splitting(table: ListCounts, missed: float) -> Numbers:
    """(cells, cells): how many people of each combination are made, on average, of one of another."""
    places = {tuple(cell): place for place, cell in enumerate(table.cells.tolist())}
    made = np.eye(len(table.cells))
    for place, cell in enumerate(table.cells.tolist()):
        on = [at for at, there in enumerate(cell) if there]
        if len(on) < 2:
            continue
        made[place, place] = 1 - missed
        for lost in on:
            alone = [int(at == lost) for at in range(len(cell))]
            left = [there - one for there, one in zip(cell, alone, strict=True)]
            made[places[tuple(alone)], place] += missed / len(on)
            made[places[tuple(left)], place] += missed / len(on)
    return np.asarray(made, dtype=np.float64)

"""Which hidden counts could be worked out from the ones that are shown, and which more to hide so that they cannot.

Counts in a table add up: groups to a total, people with and without the outcome to all people. Someone who reads the
table knows that too. For each small count that is hidden this module works out the least and the greatest value that
is consistent with everything shown (a linear programme over all sums at once, so that no combination of several
totals is overlooked). When that span is narrower than what hiding promises, one more count is hidden: the smallest
that stands in the same sum, a total only when there is nothing else. It knows nothing of tables or columns.

Fischetti and Salazar (2000), Models and algorithms for optimizing cell suppression, state the attacker's problem;
the choice of the next cell here is greedy and deterministic, not optimal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, lil_matrix

from riskmodel.errors import EvidenceError

_NO_END = 1e9
"""Stands for a count without a greatest value, so that every programme has an answer: no failure looks like safety."""
_PATIENCE = 12
"""Parts hidden for one count before its totals are tried."""


@dataclass(frozen=True, slots=True)
class Sum:
    """One count (by position) that is the sum of others."""

    total: int
    parts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One count as the reader sees it.

    Parameters
    ----------
    count : int, the true count
    shown : (least, greatest) that the printed figure allows, or None when it is hidden
    hidden : (least, greatest) that a reader knows of a hidden one before any adding up; greatest may be infinite
    promised : (least, greatest) that has to stay possible, or None when the count needs no protection
    printed : bool, whether the count has a place in the table; the rest of a total often has none
    """

    count: int
    shown: tuple[float, float] | None
    hidden: tuple[float, float]
    promised: tuple[float, float] | None
    printed: bool = True

    def span(self, *, hide: bool) -> tuple[float, float]:
        """What a reader knows of it."""
        return self.hidden if hide or self.shown is None else self.shown


def further_hidden(cells: Sequence[Cell], sums: Sequence[Sum]) -> set[int]:
    """Positions of the counts that have to be hidden besides those that already are.

    Examples
    --------
    A group of 3 beside groups of 40 and 60 and their total, all shown exactly: hiding the 3 alone hides nothing.

    >>> small = Cell(3, None, (1, np.inf), (1, 7))
    >>> cells = [small, *(Cell(n, (n, n), (1, np.inf), None) for n in (40, 60, 103))]
    >>> sorted(further_hidden(cells, [Sum(3, (0, 1, 2))]))
    [1]
    """
    hidden = {place for place, cell in enumerate(cells) if cell.shown is None}
    first = set(hidden)
    for place, cell in enumerate(cells):
        if cell.promised is not None:
            _protect(cells, sums, hidden, place, cell.promised)
    return hidden - first


def _protect(
    cells: Sequence[Cell], sums: Sequence[Sum], hidden: set[int], place: int, promised: tuple[float, float]
) -> None:
    """Hide what it takes to keep one promise, and nothing that turned out not to help."""
    added: list[int] = []
    while not _covers(feasible(cells, sums, hidden, place), promised):
        if len(added) == _PATIENCE and _is_widest(cells, sums, hidden, place, promised):
            break
        more = _next_to_hide(cells, sums, hidden, place, totals_too=len(added) >= _PATIENCE)
        if more is None:
            break
        added.append(more)
        hidden.add(more)
    reached = feasible(cells, sums, hidden, place)
    kept = (max(promised[0], reached[0]), min(promised[1], reached[1]))
    totals = {each.total for each in sums}
    for at in sorted(added, key=lambda at: (at not in totals, -cells[at].count, at)):
        hidden.discard(at)
        if not _covers(feasible(cells, sums, hidden, place), kept):
            hidden.add(at)


def _is_widest(
    cells: Sequence[Cell], sums: Sequence[Sum], hidden: set[int], place: int, promised: tuple[float, float]
) -> bool:
    """Whether hiding everything would leave open no more of what is promised: the sum of two hidden people is not 1.

    Without this a promise that cannot be kept would hide the whole table and still not be kept.
    """
    printed = {at for at, cell in enumerate(cells) if cell.printed}
    now = feasible(cells, sums, hidden, place)
    widest = feasible(cells, sums, hidden | printed, place)
    return now[0] <= max(promised[0], widest[0]) and now[1] >= min(promised[1], widest[1])


def _covers(span: tuple[float, float], promised: tuple[float, float]) -> bool:
    return span[0] <= promised[0] and span[1] >= promised[1]


def feasible(cells: Sequence[Cell], sums: Sequence[Sum], hidden: set[int], place: int) -> tuple[float, float]:
    """The least and greatest whole value of one count that all sums and shown figures allow.

    Examples
    --------
    Two hidden counts under a total that is shown as 20 (18 to 22), one of them at least 1: the other is at most 21.

    >>> one, other, whole = (Cell(n, span, (1, np.inf), None) for n, span in ((3, None), (17, None), (20, (18, 22))))
    >>> feasible([one, other, whole], [Sum(2, (0, 1))], {0, 1}, 1)
    (1.0, 21.0)
    """
    system = _system(tuple(sums), place)
    if system is None:
        return cells[place].hidden
    bounds = [cells[at].span(hide=at in hidden) for at in system.members]
    column = system.column[place]
    least, greatest = (_solve(system.matrix, bounds, column, sign) for sign in (1.0, -1.0))
    return float(np.ceil(least - 1e-6)), float(np.floor(-greatest + 1e-6))


@dataclass(frozen=True, slots=True)
class _System:
    """The equations of all sums that hang together: rows are sums, columns the counts in them."""

    matrix: csr_matrix
    members: tuple[int, ...]
    column: dict[int, int]


@lru_cache(maxsize=4096)
def _system(sums: tuple[Sum, ...], place: int) -> _System | None:
    involved = _connected(sums, place)
    if not involved:
        return None
    if min(number for each in involved for number in (each.total, *each.parts)) != place:
        # one system for all counts in it
        return _system(sums, min(number for each in involved for number in (each.total, *each.parts)))
    members = sorted({at for each in involved for at in (each.total, *each.parts)})
    column = {at: number for number, at in enumerate(members)}
    matrix = lil_matrix((len(involved), len(members)))
    for row, each in enumerate(involved):
        for at in each.parts:
            matrix[row, column[at]] = 1.0
        matrix[row, column[each.total]] = -1.0
    return _System(matrix.tocsr(), tuple(members), column)


def _solve(matrix: csr_matrix, bounds: list[tuple[float, float]], place: int, sign: float) -> float:
    goal = np.zeros(matrix.shape[1])
    goal[place] = sign
    held = [(least, min(greatest, _NO_END)) for least, greatest in bounds]
    found = linprog(goal, A_eq=matrix, b_eq=np.zeros(matrix.shape[0]), bounds=held, method="highs")  # type: ignore[call-overload] # the stubs know no sparse matrices
    if found.status != 0:  # a table nobody could attack is not one that is safe
        raise EvidenceError(
            "disclosure-unsolved",
            found=f"a table of {matrix.shape[1]:,} counts of which it cannot be said what follows from what",
            expected="sums and counts that fit each other",
            repair="Check which rows are totals of which; release fewer slices at once.",
        )
    return float(found.fun)


def _connected(sums: Sequence[Sum], place: int, through: set[int] | None = None) -> list[Sum]:
    """The sums that the count takes part in, and those that share a count with them, and so on.

    With `through`, only shared counts among these lead on.
    """
    reached, found = {place}, set[int]()
    grown = True
    while grown:
        grown = False
        for number, each in enumerate(sums):
            members = {each.total, *each.parts}
            if number not in found and members & reached:
                found.add(number)
                reached |= members if through is None else members & through
                grown = True
    return [sums[number] for number in sorted(found)]


def _next_to_hide(
    cells: Sequence[Cell], sums: Sequence[Sum], hidden: set[int], place: int, *, totals_too: bool = False
) -> int | None:
    """The smallest shown count in a sum with the given one or with a hidden one tied to it; totals come last.

    With `totals_too` the totals of the count's own sums come first: hiding parts has not helped.
    """
    tied = _connected(sums, place, through=hidden)
    own = {at for each in tied if place in (each.total, *each.parts) for at in (each.total, *each.parts)}
    totals = {each.total for each in tied}
    members = own | {at for each in tied for at in (each.total, *each.parts)}
    shown = [at for at in members if at not in hidden and cells[at].printed and cells[at].count > 0]
    if totals_too and (own_totals := [at for at in shown if at in totals and at in own]):
        return min(own_totals, key=lambda at: (cells[at].count, at))
    return min(shown, key=lambda at: (at in totals, at not in own, cells[at].count, at), default=None)

"""Poisson log-linear models of who is on which lists: fitted by iteratively reweighted least squares.

A model has a level for each list and, for some pairs, a term for lists that share people more or less often than by
chance. The constant is the logarithm of the people expected on no list at all. Where two lists never share anybody,
their term has no finite estimate: it is minus infinity, and every combination with both lists is then certain to be
empty and leaves the table (Chan, Silverman and Vincent 2021). What remains has an estimate only if the equations of
the likelihood have a solution inside (Fienberg and Rinaldo 2012), which a linear programme finds out. No model that
fails this is ever used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations, product

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

from riskmodel.errors import DataRefused
from riskmodel.population.estimate import Numbers, checked

Pair = tuple[int, int]
Terms = frozenset[Pair]

_ROUNDS = 60
_CLOSE = 1e-10
_SOME = 0.01


@dataclass(frozen=True, repr=False, eq=False)
class ListCounts:
    """How many people are on each combination of lists.

    Attributes
    ----------
    lists : tuple of str, at least two
    counts : (2**t - 1,) float64, in the order of `cells`
    """

    lists: tuple[str, ...]
    counts: Numbers = field()

    def __post_init__(self) -> None:
        expected = 2 ** len(self.lists) - 1
        if not 2 <= len(self.lists) <= 10 or len(set(self.lists)) < len(self.lists) or len(self.counts) != expected:
            raise DataRefused(
                "lists-invalid",
                found=f"{len(self.lists)} lists, {len(set(self.lists))} of them different, "
                f"and {len(self.counts)} combinations",
                expected="two to ten lists with different names and every combination of them but the empty one",
                repair="Name each list once; join small lists that overlap.",
            )
        checked("counts", self.counts, whole=True)

    @classmethod
    def of(cls, lists: tuple[str, ...], on: npt.ArrayLike, counts: npt.ArrayLike) -> ListCounts:
        """From rows of a table: (m, t) zeros and ones, who is on which list, and (m,) people.

        Combinations that stand nowhere have no people; one that stands twice is added up.
        """
        member, people = np.asarray(on, dtype=np.int64), checked("counts", counts, whole=True)
        broken = member.shape != (len(people), len(lists)) or not np.isin(member, (0, 1)).all()
        if broken or not member.any(axis=1).all():
            raise DataRefused(
                "lists-invalid",
                found="a table of lists with other values than 0 and 1, or people on no list",
                expected=f"{len(lists)} columns of 0 and 1 and in every row at least one 1",
                repair="Leave people on no list out: they are what is asked for.",
            )
        place = member @ (1 << np.arange(len(lists))[::-1]) - 1
        return cls(lists, np.bincount(place, weights=people, minlength=2 ** len(lists) - 1).astype(np.float64))

    @cached_property
    def cells(self) -> npt.NDArray[np.int64]:
        """(2**t - 1, t) zeros and ones: every combination but the empty one, counting up in binary."""
        return np.array(list(product((0, 1), repeat=len(self.lists)))[1:], dtype=np.int64)

    @property
    def seen(self) -> int:
        """People on at least one list."""
        return int(self.counts.sum())

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Every two lists, by place."""
        return tuple(combinations(range(len(self.lists)), 2))

    @cached_property
    def disjoint(self) -> Terms:
        """The pairs of lists that share nobody."""
        return frozenset(pair for pair in self.pairs if not self.counts[self.cells[:, pair].all(axis=1)].any())

    def joined(self, one: str, other: str) -> ListCounts:
        """The same people with two lists taken as one, under the name of the first."""
        first, second = self.lists.index(one), self.lists.index(other)
        on = self.cells.copy()
        on[:, first] |= on[:, second]
        kept = [place for place in range(len(self.lists)) if place != second]
        return ListCounts.of(tuple(self.lists[place] for place in kept), on[:, kept], self.counts)

    def named(self, pair: Pair) -> str:
        """A pair in words, such as "LA and NG"."""
        return f"{self.lists[pair[0]]} and {self.lists[pair[1]]}"

    def __repr__(self) -> str:
        return f"ListCounts({len(self.lists)} lists, {self.seen:,} people)"


@dataclass(frozen=True, slots=True)
class Fit:
    """One fitted model.

    Attributes
    ----------
    terms : the pairs with a term of their own
    unseen, error : float, the logarithm of the people expected on no list, and its standard error
    deviance, parameters : of the fit, terms at minus infinity counted too
    p_values : mapping of pair to Wald's p value of its term; 1 for one at minus infinity
    least : float, the fewest people that the model expects on any combination of lists it leaves open
    """

    terms: Terms
    unseen: float
    error: float
    deviance: float
    parameters: int
    p_values: dict[Pair, float]
    least: float

    def bic(self, people: int) -> float:
        """Schwarz's criterion, up to a constant that all models of the table share."""
        return self.deviance + self.parameters * float(np.log(people))


def fitted(table: ListCounts, terms: Terms) -> Fit | None:
    """Maximum likelihood for one model; None where there is no such estimate."""
    gone = terms & table.disjoint
    open_cells = np.ones(len(table.cells), dtype=bool)
    for pair in gone:
        open_cells &= ~table.cells[:, pair].all(axis=1)
    finite = sorted(terms - gone)
    design = design_of(table.cells[open_cells], finite)
    counts = table.counts[open_cells]
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return None
    made = poisson_fit(design, counts)
    if made is None:
        return None
    coefficients, covariance, deviance = made
    errors = np.sqrt(np.diag(covariance))
    wald = 2 * stats.norm.sf(np.abs(coefficients) / errors)
    first = 1 + len(table.lists)
    p_values = {pair: float(wald[first + place]) for place, pair in enumerate(finite)} | dict.fromkeys(gone, 1.0)
    least = float(np.exp(design @ coefficients).min())
    return Fit(terms, float(coefficients[0]), float(errors[0]), deviance, design.shape[1] + len(gone), p_values, least)


def design_of(cells: npt.NDArray[np.int64], pairs: list[Pair]) -> Numbers:
    """(cells, 1 + lists + pairs): a constant, each list, each pair."""
    together = [cells[:, one] * cells[:, other] for one, other in pairs]
    return np.column_stack([np.ones(len(cells)), cells, *together]).astype(np.float64)


def poisson_fit(design: Numbers, counts: Numbers) -> tuple[Numbers, Numbers, float] | None:
    """Poisson regression with a logarithmic link (McCullagh and Nelder 1989, section 2.5).

    Parameters
    ----------
    design : (n, p) float64, of full rank
    counts : (n,) float64

    Returns
    -------
    coefficients (p,), covariance (p, p), deviance; None when the rounds do not settle
    """
    expected = counts + 0.1
    linear, before = np.log(expected), np.inf
    for _ in range(_ROUNDS):
        working = linear + (counts - expected) / expected
        weighted = design * expected[:, None]
        try:
            covariance = np.linalg.inv(design.T @ weighted)
        except np.linalg.LinAlgError:
            return None
        coefficients = covariance @ (weighted.T @ working)
        linear = design @ coefficients
        if np.abs(linear).max() > 40:  # on its way to infinity
            return None
        expected = np.exp(linear)
        logs = np.log(np.where(counts > 0, counts, 1)) - linear
        deviance = float(2 * np.sum(np.where(counts > 0, counts * logs, 0) - (counts - expected)))
        if abs(deviance - before) < _CLOSE * (1 + deviance):
            return coefficients, np.asarray(covariance, dtype=np.float64), deviance
        before = deviance
    return None


def settled(table: ListCounts, fit: Fit) -> bool:
    """Whether a fit is a maximum, by `exists`; a fit with people in every cell is itself the table that is asked for.

    Its sums are right to far less than the hundredth of a person that each of its cells must have.
    """
    return fit.least > _SOME or exists(table, fit.terms)


def exists(table: ListCounts, terms: Terms) -> bool:
    """Whether the likelihood of a model has its maximum at finite terms, the disjoint pairs taken out.

    It has if some table with the same sums for every term has people in every cell (Fienberg and Rinaldo 2012).
    """
    gone = terms & table.disjoint
    open_cells = np.ones(len(table.cells), dtype=bool)
    for pair in gone:
        open_cells &= ~table.cells[:, pair].all(axis=1)
    design = design_of(table.cells[open_cells], sorted(terms - gone))
    cells, parameters = design.shape
    if np.linalg.matrix_rank(design) < parameters:
        return False
    same_sums = np.column_stack([design.T, np.zeros(parameters)])
    at_least = np.column_stack([-np.eye(cells), np.ones(cells)])  # smallest - cell <= 0
    found = optimize.linprog(
        np.append(np.zeros(cells), -1.0),
        A_ub=at_least,
        b_ub=np.zeros(cells),
        A_eq=same_sums,
        b_eq=design.T @ table.counts[open_cells],
        bounds=[(0, None)] * cells + [(0, 1)],
    )
    return found.fun is not None and bool(found.status == 0 and found.fun < -1e-7)

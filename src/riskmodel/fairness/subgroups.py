"""Which subgroup is worst off, and would the worst of so many look as bad by chance alone?

Every group of every attribute and intersection up to a depth is looked at; the largest of hundreds of noisy figures
is large by chance, so the search itself is what is tested. People are dealt anew to the subgroups, as whole people
with all their attributes, and the whole search is repeated: a subgroup's p value is the share of searches whose
largest distance is as large as its own (Westfall and Young 1993). How large the difference is, is told from the half
of the people who took no part in choosing the subgroup: the half in which it was chosen flatters it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from riskmodel.fairness.findings import WORDS
from riskmodel.fairness.groups import Grouping, groupings
from riskmodel.fairness.intervals import critical_values
from riskmodel.fairness.measures import Measure, added
from riskmodel.fairness.prepared import Prepared, prepared
from riskmodel.fairness.rules import Row, Rules
from riskmodel.fairness.scored import refused
from riskmodel.fairness.view import told_html
from riskmodel.models.metrics import Numbers
from riskmodel.seeds import stream

if TYPE_CHECKING:
    import pandas as pd

MOST_SUBGROUPS: Final = 5000
"""Above so many the search is refused: what is found among them can no longer be read by people."""


@dataclass(frozen=True)
class SubgroupSearch:
    """The subgroups looked at, most distant first.

    Attributes
    ----------
    metric : str
    table : DataFrame, one row a subgroup: attribute, group, value, rest, difference, n, people, distance, p; p allows
        for the whole search
    left_out : int, subgroups with too few people to look at
    held_out : mapping, the subgroup chosen in one half of the people and what it is in the other half: attribute,
        group, difference, low, high; None when no subgroup could be chosen or looked at again
    permutations : int
    """

    metric: str
    table: pd.DataFrame = field(repr=False)
    left_out: int
    held_out: Row | None = field(repr=False)
    permutations: int

    def _repr_html_(self) -> str:
        """The finding and the subgroups, for a notebook."""
        return told_html("Worst subgroup", [self.sentence], {"Subgroups looked at": self.table})

    @property
    def sentence(self) -> str:
        """The finding in words."""
        if not len(self.table):
            return "No subgroup has enough people to be looked at."
        worst = self.table.iloc[0]
        shown = "stands apart" if worst["p"] < 0.05 else "is not shown to stand apart"
        who = f"{worst['group']} ({worst['attribute']})"
        said = (
            f"Of {len(self.table)} subgroups looked at, {who} is the furthest away by the {WORDS[self.metric]}: "
            f"{worst['value']:.3g} against {worst['rest']:.3g} of everybody else; it {shown}"
        )
        told = f"{said} (p = {max(worst['p'], 1 / (self.permutations + 1)):.3f}, the search allowed for)."
        if self.held_out is None:
            return told
        kept = self.held_out
        return (
            f"{told} Chosen in one half of the people, {kept['group']} differs in the other half by "
            f"{kept['difference']:+.3g} ({kept['low']:+.3g} to {kept['high']:+.3g})."
        )


@dataclass(frozen=True, slots=True)
class _Space:
    """Every person's part in the figure, and the subgroups as sums of the finest cells."""

    above: Numbers  # (people in cells,)
    below: Numbers
    residual: Numbers  # above - rate of everybody x below
    cell: npt.NDArray[np.int64]  # the finest cell of each
    member: Numbers  # (n_subgroups, n_cells) 0 or 1
    names: list[tuple[str, str]]


def worst_subgroup(
    scores: Any,
    outcomes: Any,
    groups: Any,
    *,
    metric: str = "fpr",
    depth: int = 2,
    people: Any = None,
    capacity: float | None = None,
    decisions: Any = None,
    lists: Any = None,
    probabilities: bool = True,
    permutations: int = 999,
    rules: Rules | None = None,
    seed: int = 0,
) -> SubgroupSearch:
    """Search all groups and intersections up to `depth` attributes for the one that is furthest from everybody else.

    Parameters
    ----------
    scores, outcomes, groups, people, capacity, decisions, lists, probabilities, rules, seed : as of `audit_scores`
    metric : a share, a mean or observed over expected; the AUROC has no part of a single person
    depth : int, how many attributes a subgroup may cross
    permutations : int, how often people are dealt to the subgroups anew

    Raises
    ------
    DataRefused : a figure that means nothing here, or more than `MOST_SUBGROUPS` subgroups

    Examples
    --------
    >>> found = worst_subgroup([.9, .1] * 100, [1, 0] * 100, {"sex": ["f", "m"] * 100}, metric="base_rate")
    >>> found.table.iloc[0]["group"], float(found.table.iloc[0]["value"])
    ('f', 1.0)
    """
    names = list(groupings(groups))
    crossed = [
        tuple(g.attribute for g in some)
        for size in range(1, min(depth, len(names)) + 1)
        for some in itertools.combinations(names, size)
    ]
    finest = tuple(g.attribute for g in names)
    rows = prepared(
        scores,
        outcomes,
        groups,
        people=people,
        by=[*crossed, finest],
        capacity=capacity,
        decisions=decisions,
        lists=lists,
        probabilities=probabilities,
        rules=rules or Rules(replicates=2),
        seed=seed,
    )
    measure = rows.measure(metric)
    if measure.kind == "auroc":
        raise refused("a search by the AUROC, of which no person has a part of their own")
    space = _space(rows, measure)
    least = float(rows.rules.minimums.people)
    generator = stream(seed, "fairness", "subgroups")
    table, left_out = _searched(rows, measure, space, least, permutations, generator)
    held_out = _held_out(space, least, rows.rules.confidence, generator)
    return SubgroupSearch(metric, table, left_out, held_out, permutations)


def _space(rows: Prepared, measure: Measure) -> _Space:
    """People (in each finest cell in which they have rows) with what they add to the figure's error."""
    *looked, finest = rows.grouped
    n_cells = len(finest.names)
    sums = np.stack(rows.scored.common)
    padded = np.concatenate([sums, np.zeros((2, sums.shape[1]))])  # the placements, of no use here
    above, below = added(padded, measure.above), added(padded, measure.below)
    counted = np.flatnonzero((below != 0) | (above != 0))
    key, who = np.unique(rows.scored.person[counted] * n_cells + finest.codes[counted], return_inverse=True)
    above_of, below_of = (np.bincount(who, part[counted], len(key)).astype(np.float64) for part in (above, below))
    rate = above.sum() / below.sum() if below.sum() else np.nan
    names, member = [], []
    for grouping in looked:
        names += [(grouping.attribute, name) for name in grouping.names]
        member.append(_cells_of(grouping, finest))
    table = np.concatenate(member)
    if len(names) > MOST_SUBGROUPS:
        raise refused(f"{len(names)} subgroups to search (at most {MOST_SUBGROUPS})")
    above_of = measure.per * above_of
    return _Space(above_of, below_of, above_of - measure.per * rate * below_of, key % n_cells, table, names)


def _cells_of(grouping: Grouping, finest: Grouping) -> Numbers:
    made = np.zeros((len(grouping.names), len(finest.names)))
    made[grouping.codes, finest.codes] = 1.0
    return made


def _distances(space: _Space, residual: Numbers, cell: npt.NDArray[np.int64]) -> tuple[Numbers, Numbers]:
    """Each subgroup's summed error over its standard deviation if people were dealt at random, and its people."""
    n_cells, n = space.member.shape[1], len(residual)
    centred = residual - residual.mean() if n else residual
    heads = space.member @ np.bincount(cell, minlength=n_cells)
    summed = space.member @ np.bincount(cell, centred, n_cells)
    spread = np.sqrt(float(centred @ centred) / max(n - 1, 1) * heads * (n - heads) / max(n, 1))
    return np.divide(summed, spread, out=np.zeros_like(summed), where=spread > 0), heads


def _searched(
    rows: Prepared, measure: Measure, space: _Space, least: float, permutations: int, generator: np.random.Generator
) -> tuple[pd.DataFrame, int]:
    import pandas as pd

    distance, heads = _distances(space, space.residual, space.cell)
    enough = (heads >= least) & (len(space.residual) - heads >= least)
    largest = np.empty(permutations)
    residual = space.residual.copy()
    for number in range(permutations):
        generator.shuffle(residual)
        again, _ = _distances(space, residual, space.cell)
        largest[number] = np.abs(again[enough]).max(initial=0.0)
    made: list[Row] = []
    value_of = _values(rows, measure)
    for at in sorted(np.flatnonzero(enough), key=lambda one: -abs(distance[one])):
        attribute, group = space.names[at]
        value, rest, n = value_of[attribute, group]
        p = (1 + np.count_nonzero(largest >= abs(distance[at]) - 1e-9)) / (permutations + 1)
        head: Row = {"attribute": attribute, "group": group, "value": value, "rest": rest, "difference": value - rest}
        made.append(head | {"n": n, "people": int(heads[at]), "distance": float(distance[at]), "p": float(p)})
    columns = ["attribute", "group", "value", "rest", "difference", "n", "people", "distance", "p"]
    return pd.DataFrame(made, columns=columns), int((~enough).sum())


def _values(rows: Prepared, measure: Measure) -> dict[tuple[str, str], tuple[float, float, int]]:
    """Each subgroup's figure, that of everybody else, and its rows."""
    sums = np.stack(rows.scored.common)
    padded = np.concatenate([sums, np.zeros((2, sums.shape[1]))])
    above, below = added(padded, measure.above), added(padded, measure.below)
    made = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        for grouping in rows.grouped[:-1]:
            count = np.bincount(grouping.codes, minlength=len(grouping.names))
            up, down = (np.bincount(grouping.codes, part, len(grouping.names)) for part in (above, below))
            own, rest = measure.per * up / down, measure.per * (above.sum() - up) / (below.sum() - down)
            for at, name in enumerate(grouping.names):
                made[grouping.attribute, name] = float(own[at]), float(rest[at]), int(count[at])
    return made


def _held_out(space: _Space, least: float, confidence: float, generator: np.random.Generator) -> Row | None:
    """The furthest subgroup of one half of the people, as it is in the other half."""
    first = np.zeros(len(space.residual), bool)
    first[generator.permutation(len(first))[: len(first) // 2]] = True
    distance, heads = _distances(space, space.residual[first], space.cell[first])
    enough = (heads >= least) & (first.sum() - heads >= least)
    if not enough.any():
        return None
    chosen = int(np.argmax(np.where(enough, np.abs(distance), -1.0)))
    inside = space.member[chosen][space.cell[~first]] > 0
    smaller = float(min(inside.sum(), (~inside).sum()))
    if smaller < least:
        return None
    above, below = space.above[~first], space.below[~first]
    gap, squares = 0.0, 0.0
    for sign, part in ((1, inside), (-1, ~inside)):
        rate = above[part].sum() / below[part].sum()
        error = (above[part] - rate * below[part]) / below[part].sum()
        gap += sign * float(rate)
        squares += float(error @ error) * len(error) / (len(error) - 1)
    half = float(critical_values(confidence, np.array([smaller]))[0]) * float(np.sqrt(squares))
    attribute, group = space.names[chosen]
    return {"attribute": attribute, "group": group, "difference": gap, "low": gap - half, "high": gap + half}

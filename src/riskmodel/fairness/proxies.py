"""Proxies: how much of a protected attribute the features know, and which of them carry it.

To take an attribute out of a model takes nothing out if other features tell it. Each attribute is predicted from the
features by a model that never saw the row it judges (cross-fitted, people kept whole); the AUROC of that prediction is
how much they know. Which features carry it is what the prediction loses when a feature's values are dealt anew among
the rows. A proxy is not a fault by itself: age tells much and may rightly matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from riskmodel.fairness.audit import audit_scores
from riskmodel.fairness.estimability import NOT_ESTIMABLE
from riskmodel.fairness.groups import UNKNOWN, Grouping, groupings
from riskmodel.fairness.pictures import known_plot
from riskmodel.fairness.plots import Plot
from riskmodel.fairness.rules import Row, Rules
from riskmodel.fairness.scored import refused
from riskmodel.fairness.view import told_html
from riskmodel.models.metrics import Numbers, auroc
from riskmodel.seeds import derived, stream

if TYPE_CHECKING:
    import pandas as pd

FOLDS: Final = 5
STRONGEST: Final = 10
"""Features told by name for each group, those that carry most."""


@dataclass(frozen=True)
class Proxies:
    """What the features know of each attribute.

    Attributes
    ----------
    known : DataFrame, one row a group (one against the rest): attribute, group, auroc, low, high, n, people, state
    carried : DataFrame, one row a group and feature: attribute, group, feature, lost (AUROC lost when the feature's
        values are dealt anew), alone (AUROC of the feature by itself, in the better direction)
    """

    known: pd.DataFrame = field(repr=False)
    carried: pd.DataFrame = field(repr=False)

    def strongest(self, attribute: str, count: int = 3) -> tuple[str, ...]:
        """The features that carry most of an attribute, over its groups."""
        own = self.carried[self.carried["attribute"] == attribute]
        order = own.groupby("feature")["lost"].max().sort_values(ascending=False, kind="stable")
        return tuple(order.index[:count])

    def plot(self) -> Plot:
        """How well the features tell each group."""
        return known_plot(self.known)

    def _repr_html_(self) -> str:
        """The findings and which features carry each attribute, for a notebook."""
        tables = {"What the features know": self.known, "Which features carry it": self.carried}
        return told_html("Proxies", self.findings, tables)

    @property
    def findings(self) -> tuple[str, ...]:
        """One sentence a group."""
        told = []
        for row in self.known.to_dict("records"):
            who = f"{row['attribute']} {row['group']}"
            if row["state"] == NOT_ESTIMABLE:
                told.append(f"{who}: too few people to say how well the features tell it.")
                continue
            own = self.carried[
                (self.carried["attribute"] == row["attribute"]) & (self.carried["group"] == row["group"])
            ]
            most = ", ".join(own.sort_values("lost", ascending=False)["feature"].head(3))
            told.append(
                f"{who}: of 100 pairs of one in the group and one not, the features tell {100 * row['auroc']:.0f} "
                f"apart ({100 * row['low']:.0f} to {100 * row['high']:.0f}; 50 is guessing). Most is carried by {most}."
            )
        return tuple(told)


def proxies(
    features: pd.DataFrame,
    groups: Any,
    *,
    people: Any = None,
    by: Sequence[str] | None = None,
    rules: Rules | None = None,
    seed: int = 0,
) -> Proxies:
    """How well the features tell each group of each protected attribute, and which features carry it.

    Parameters
    ----------
    features : (n, d) DataFrame of numbers, missing allowed
    groups : mapping, DataFrame or Arrow table of protected attributes
    people : (n,) or None, whose row it is; the rows of one person are in one fold
    by : attributes, or None for all
    rules, seed : as of `audit_scores`

    Raises
    ------
    DataRefused : lengths that differ, or fewer people than folds
    """
    import pandas as pd

    rules = rules or Rules()
    table = features.astype(np.float64)
    n = len(table)
    person = np.arange(n) if people is None else np.unique(np.asarray(people), return_inverse=True)[1]
    grouped = groupings(groups, by)
    if {len(one.codes) for one in grouped} | {len(person)} != {n}:
        raise refused(f"{n} rows of features for groups or people of another number")
    fold = folds_of_people(person, seed)
    known, carried = [], []
    for grouping in grouped:
        for code, name in enumerate(grouping.names):
            told = _told(table, grouping, code, person, fold, rules, seed)
            known.append({"attribute": grouping.attribute, "group": name, **told[0]})
            carried += [{"attribute": grouping.attribute, "group": name, **row} for row in told[1]]
    return Proxies(
        pd.DataFrame(known), pd.DataFrame(carried, columns=["attribute", "group", "feature", "lost", "alone"])
    )


def folds_of_people(person: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.int64]:
    """The fold of each row: whole people, dealt at random."""
    n_people = int(person.max()) + 1
    if n_people < FOLDS:
        raise refused(f"{n_people} people for {FOLDS} folds")
    return np.asarray((stream(seed, "fairness", "folds").permutation(n_people) % FOLDS)[person], np.int64)


def _told(
    table: pd.DataFrame,
    grouping: Grouping,
    code: int,
    person: npt.NDArray[np.int64],
    fold: npt.NDArray[np.int64],
    rules: Rules,
    seed: int,
) -> tuple[Row, list[Row]]:
    """The AUROC of one group against the rest with interval, and what each feature carries."""
    from lightgbm import LGBMClassifier

    mark = (grouping.codes == code).astype(np.float64)
    heads = min(len(np.unique(person[mark == sort])) for sort in (0.0, 1.0))
    nothing: Row = {"auroc": None, "low": None, "high": None, "n": int(mark.sum()), "people": heads}
    if (grouping.names[code] == UNKNOWN and len(grouping.names) == 1) or heads < max(rules.minimums.people, FOLDS):
        return nothing | {"state": NOT_ESTIMABLE}, []
    made = np.zeros(len(mark))
    generator = stream(seed, "fairness", "proxies")
    without = np.zeros((len(mark), table.shape[1]))
    for number in range(FOLDS):
        test = fold == number
        model = LGBMClassifier(
            n_estimators=60, num_leaves=15, min_child_samples=20, n_jobs=1, random_state=derived(seed, "proxies"),
            verbose=-1, deterministic=True,
        )  # fmt: skip
        inputs = table.to_numpy()
        model.fit(inputs[~test], mark[~test])
        booster = model.booster_
        made[test] = booster.predict(inputs[test])
        for column in range(table.shape[1]):
            dealt = inputs[test].copy()
            dealt[:, column] = generator.permutation(dealt[:, column])
            without[test, column] = booster.predict(dealt)
    figures = audit_scores(made, mark, {"all": np.full(len(mark), "all")}, people=person, rules=rules, seed=seed)
    figure = figures.figure("all", "all", "auroc")
    value = auroc(mark, made)
    row: Row = {"auroc": value, "low": figure["low"], "high": figure["high"], "n": int(mark.sum()), "people": heads}
    carried: list[Row] = [
        {"feature": name, "lost": value - auroc(mark, without[:, at]), "alone": _alone(mark, table[name].to_numpy())}
        for at, name in enumerate(table.columns)
    ]
    carried.sort(key=lambda one: -one["lost"])
    return row | {"state": figure["state"]}, carried[:STRONGEST]


def _alone(mark: Numbers, values: Numbers) -> float | None:
    """AUROC of a feature by itself; a missing value stands below all."""
    known = np.isfinite(values)
    if not known.any():
        return None
    area = auroc(mark, np.where(known, values, np.min(values[known]) - 1))
    return max(area, 1 - area)

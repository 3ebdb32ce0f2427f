"""Contact audit: what the scores do as a function of how many services see a person.

A score made of records is partly a measure of being looked at: who is seen by more services has more on record at the
same behaviour. Two harms follow, and they are told side by side: missed use (people with the outcome whom too few
services saw to list them) and over-exposure (people without the outcome who are listed because many services see
them). A figure that rises with contact does not prove the second; the slope among people without the outcome is what a
reader should ask about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from riskmodel.fairness.audit import Audit, audit_scores
from riskmodel.fairness.capacity import listed
from riskmodel.fairness.estimability import NOT_ESTIMABLE
from riskmodel.fairness.intervals import critical_values
from riskmodel.fairness.pictures import harms_plot
from riskmodel.fairness.plots import Plot
from riskmodel.fairness.rules import Row, Rules
from riskmodel.fairness.scored import numbers, refused
from riskmodel.fairness.view import told_html
from riskmodel.models.metrics import Numbers, auroc

if TYPE_CHECKING:
    import pandas as pd

BANDS: Final = ((0, "0"), (1, "1"), (2, "2"), (3, "3 or more"))
"""Fewest services of each band, and its name."""
ATTRIBUTE: Final = "services"
AMONG: Final = {"everybody": None, "with the outcome": 1.0, "without the outcome": 0.0}


@dataclass(frozen=True)
class ContactAudit:
    """Figures by contact, slopes on contact, and the two harms side by side.

    Attributes
    ----------
    audit : Audit by contact band and, where groups were given, by group and contact
    slopes : DataFrame: among (everybody, with, without the outcome), what (score, listed), slope a service, low, high,
        n, people, state
    side_by_side : DataFrame, one row a contact band or group: attribute, group, missed_per_100 with interval (of those
        with the outcome), listed_in_error_per_100 with interval (of those without), services (mean), states
    contact_alone : float, AUROC of the mere number of services for the outcome; NaN when it cannot be computed
    score : float, AUROC of the score on the same rows
    """

    audit: Audit = field(repr=False)
    slopes: pd.DataFrame = field(repr=False)
    side_by_side: pd.DataFrame = field(repr=False)
    contact_alone: float
    score: float

    def plot(self, attribute: str = ATTRIBUTE) -> Plot:
        """Missed use and over-exposure side by side, by contact or by an attribute (or "sex, services")."""
        return harms_plot(self.side_by_side, attribute)

    def _repr_html_(self) -> str:
        """The findings and the two harms, for a notebook."""
        return told_html("Who is seen", self.findings, {"Missed and listed in error": self.side_by_side})

    @property
    def findings(self) -> tuple[str, ...]:
        """What a reader should know first, in words."""
        ranks = f"The number of services alone ranks people with an AUROC of {self.contact_alone:.2f}"
        told = [f"{ranks}; the score does with {self.score:.2f}."]
        for row in self.slopes.to_dict("records"):
            if row["state"] == NOT_ESTIMABLE or row["among"] == "everybody":
                continue
            moved = "rises" if row["slope"] > 0 else "falls"
            sure = "" if row["low"] > 0 or row["high"] < 0 else " (not shown to differ from no change)"
            what = "the mean score" if row["what"] == "score" else "the share listed"
            told.append(
                f"Among people {row['among']}, {what} {moved} by {100 * abs(row['slope']):.1f} in 100 with each "
                f"further service ({100 * row['low']:+.1f} to {100 * row['high']:+.1f}){sure}."
            )
        return tuple(told)


def audit_contact(
    scores: Any,
    outcomes: Any,
    services: Any,
    groups: Any = None,
    *,
    people: Any = None,
    capacity: float | None = None,
    decisions: Any = None,
    lists: Any = None,
    probabilities: bool = True,
    rules: Rules | None = None,
    seed: int = 0,
) -> ContactAudit:
    """Audit scores by how many services see each person.

    Parameters
    ----------
    services : (n,) whole numbers, services with a record of the person that could be seen at the row's as-of date
    groups : as of `audit_scores`, or None; each attribute is crossed with contact
    scores, outcomes, people, capacity, decisions, lists, probabilities, rules, seed : as of `audit_scores`

    Raises
    ------
    DataRefused : services that are no whole numbers from 0 on, or neither a capacity nor decisions

    Examples
    --------
    >>> made = audit_contact([.1, .4, .2, .8] * 30, [0, 0, 1, 1] * 30, [0, 1, 1, 3] * 30, capacity=0.5,
    ...                      rules=Rules(replicates=50))
    >>> made.side_by_side["group"].tolist()
    ['0', '1', '3 or more']
    """
    import pandas as pd

    seen = numbers(services)
    if not (np.isfinite(seen) & (seen >= 0) & (seen == np.rint(seen))).all():
        raise refused("numbers of services that are no whole numbers from 0 on")
    if capacity is None and decisions is None:
        raise refused("neither a capacity nor decisions, without which nobody is missed")
    fewest = np.array([least for least, _ in BANDS])
    names = np.array([name for _, name in BANDS])
    band = names[np.searchsorted(fewest, seen, side="right") - 1]
    table = pd.DataFrame({ATTRIBUTE: band}) if groups is None else _frame(groups).assign(**{ATTRIBUTE: band})
    attributes = [name for name in table.columns if name != ATTRIBUTE]
    by: list[Any] = [ATTRIBUTE, *attributes, *((name, ATTRIBUTE) for name in attributes)]
    rules = rules or Rules(reference={ATTRIBUTE: next(name for name in names if (band == name).any())})
    made = audit_scores(
        scores,
        outcomes,
        table,
        people=people,
        by=by,
        capacity=capacity,
        decisions=decisions,
        lists=lists,
        probabilities=probabilities,
        rules=rules,
        seed=seed,
        about={"audit": "contact"},
    )
    score, outcome = numbers(scores), numbers(outcomes)
    person = np.arange(len(score)) if people is None else np.unique(np.asarray(people), return_inverse=True)[1]
    on_list = numbers(decisions) if capacity is None else listed(score, capacity, lists)
    slopes = [
        {"among": among, "what": what, **_slope(seen, values, outcome, person, only, rules)}
        for among, only in AMONG.items()
        for what, values in (("score", score), ("listed", on_list))
    ]
    known = np.isfinite(outcome)
    alone = (auroc(outcome[known], part[known]) for part in (seen, score))
    side = _side_by_side(made, table, seen, [ATTRIBUTE, *attributes])
    return ContactAudit(made, pd.DataFrame(slopes), side, *alone)


def _frame(groups: Any) -> pd.DataFrame:
    import pandas as pd

    return groups.to_pandas() if hasattr(groups, "to_pandas") else pd.DataFrame(groups).reset_index(drop=True)


def _slope(seen: Numbers, values: Numbers, outcome: Numbers, person: Any, only: float | None, rules: Rules) -> Row:
    """Least squares of a value on contact, with the rows of a person together (Liang and Zeger 1986)."""
    rows = np.ones(len(seen), bool) if only is None else outcome == only
    x, y, who = seen[rows], values[rows], np.unique(person[rows], return_inverse=True)[1]
    people = int(who.max(initial=-1)) + 1
    made: Row = {"slope": None, "low": None, "high": None, "n": len(x), "people": people, "state": NOT_ESTIMABLE}
    if people < rules.minimums.people or not np.ptp(x) > 0:
        return made
    centred = x - x.mean()
    slope = float(centred @ y / (centred @ centred))
    left = y - y.mean() - slope * centred
    moments = np.bincount(who, centred * left)
    error = float(np.sqrt(moments @ moments * people / (people - 1)) / (centred @ centred))
    half = float(critical_values(rules.confidence, np.array([people]))[0]) * error
    return made | {"slope": slope, "low": slope - half, "high": slope + half, "state": "ok"}


def _side_by_side(made: Audit, table: pd.DataFrame, seen: Numbers, attributes: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    figures = made.frame()
    rows: list[Row] = []
    for attribute in attributes:
        own = figures[figures["attribute"] == attribute]
        text = table[attribute].astype("string").str.strip().fillna("unknown")
        for group in own["group"].unique():
            row: Row = {"attribute": attribute, "group": group}
            row["services"] = float(seen[(text == group).to_numpy()].mean())
            for metric, name, per in (("missed_per_100", "missed_per_100", 1), ("fpr", "listed_in_error_per_100", 100)):
                cell = own[(own["group"] == group) & (own["metric"] == metric)].iloc[0]
                row |= {name: per * cell["value"], f"{name}_low": per * cell["low"], f"{name}_high": per * cell["high"]}
                row[f"{name}_state"] = cell["state"]
            rows.append(row)
    return pd.DataFrame(rows)

"""Whose label? The same scores judged against several records of the outcome, and whether the gaps agree.

What the police recorded, what the public reported and what a hospital treated are three views of one thing, each with
its own blind spots. A gap that is there by one record and not by another is a finding about the records as much as
about the model. All labels are judged on the same people with the same draws, so that the change of a gap from one
label to another has an interval of its own. None of the labels is the truth, and nothing here says which is nearer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from riskmodel.fairness.audit import Audit, audit_scores
from riskmodel.fairness.bootstrap import standard_errors
from riskmodel.fairness.estimability import IMPRECISE, NOT_ESTIMABLE, OK
from riskmodel.fairness.findings import WORDS
from riskmodel.fairness.group_sample import Figure, figure_of, sample_of
from riskmodel.fairness.groups import By
from riskmodel.fairness.intervals import critical_values
from riskmodel.fairness.pictures import labels_plot
from riskmodel.fairness.plots import Plot
from riskmodel.fairness.prepared import Prepared, prepared
from riskmodel.fairness.rules import Row, Rules
from riskmodel.fairness.scored import numbers, refused
from riskmodel.fairness.view import told_html

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class LabelAudit:
    """One audit a label, and how the gaps change between labels.

    Attributes
    ----------
    audits : mapping of label to Audit
    figures : DataFrame: label, attribute, group, metric, value, low, high, n, people, positives, state
    changes : DataFrame: attribute, metric, group, reference, label, against, gap, gap_against, change, low, high,
        state; the change of the gap from the label `against` to `label`
    agreement : DataFrame: label, against, both (rows with the outcome by both), only, only_against, rows
    """

    audits: Mapping[str, Audit] = field(repr=False)
    figures: pd.DataFrame = field(repr=False)
    changes: pd.DataFrame = field(repr=False)
    agreement: pd.DataFrame = field(repr=False)

    def plot(self, attribute: str, metric: str = "base_rate") -> Plot:
        """The gap of each group in a figure, by every label."""
        import pandas as pd

        gaps = [made.frame(of="disparities").assign(label=label) for label, made in self.audits.items()]
        return labels_plot(pd.concat(gaps, ignore_index=True), attribute, metric)

    def _repr_html_(self) -> str:
        """The findings, the gaps by label, and how far the labels agree, for a notebook."""
        tables = {"Gaps by label": self.changes, "Agreement of the labels": self.agreement}
        return told_html("Whose label", self.findings, tables)

    @property
    def findings(self) -> tuple[str, ...]:
        """Gaps that are not the same by two labels beyond what chance would give, in words."""
        told = []
        for row in self.changes.to_dict("records"):
            if row["state"] == NOT_ESTIMABLE or row["low"] <= 0 <= row["high"]:
                continue
            told.append(
                f"By {row['attribute']}: the gap in {WORDS[row['metric']]} between {row['group']} and "
                f"{row['reference']} is {100 * row['gap']:+.0f} in 100 by {row['label']} and "
                f"{100 * row['gap_against']:+.0f} by {row['against']}: a change of {100 * row['change']:+.0f} "
                f"({100 * row['low']:+.0f} to {100 * row['high']:+.0f})."
            )
        return tuple(told) or ("No gap was shown to depend on whose label it is judged by.",)


def discovered_and_reported(discovered: Any, reported: Any) -> dict[str, Any]:
    """Outcomes kept apart by how they came to be recorded: found by a service that was looking, or brought to one.

    Parameters
    ----------
    discovered, reported : (n,) 0 or 1, None or NaN where unknown: an outcome of the row on record that was discovered
        (a search, a stop, a check), or that somebody reported

    Returns
    -------
    {"any", "reported", "discovered only"}, each (n,) 0, 1 or NaN; what was reported does not count as discovered

    Examples
    --------
    >>> {name: made.tolist() for name, made in discovered_and_reported([1, 1, 0], [0, 1, 0]).items()}
    {'any': [1.0, 1.0, 0.0], 'reported': [0.0, 1.0, 0.0], 'discovered only': [1.0, 0.0, 0.0]}
    """
    found, told = numbers(discovered), numbers(reported)
    if len(found) != len(told):
        raise refused(f"{len(found)} discovered and {len(told)} reported outcomes")
    unknown = np.isnan(found) | np.isnan(told)
    made = {"any": (found == 1) | (told == 1), "reported": told == 1, "discovered only": (found == 1) & (told == 0)}
    return {name: np.where(unknown, np.nan, mark.astype(np.float64)) for name, mark in made.items()}


def audit_labels(
    scores: Any,
    labels: Mapping[str, Any],
    groups: Any,
    *,
    metrics: Sequence[str] = ("base_rate", "tpr", "fpr", "ppv", "observed_expected", "auroc"),
    people: Any = None,
    by: Sequence[By] | None = None,
    capacity: float | None = None,
    decisions: Any = None,
    lists: Any = None,
    probabilities: bool = True,
    rules: Rules | None = None,
    seed: int = 0,
) -> LabelAudit:
    """Audit the same scores against several labels.

    Parameters
    ----------
    labels : mapping of a label's name to (n,) outcomes, 0, 1 or unknown; the first is what the others are held against
    metrics : figures whose gaps are compared between labels, where they mean something
    scores, groups, people, by, capacity, decisions, lists, probabilities, rules, seed : as of `audit_scores`

    Raises
    ------
    DataRefused : fewer than two labels, or input that means nothing

    Examples
    --------
    >>> made = audit_labels([.9, .8, .2, .1] * 30, {"police": [1, 0, 1, 0] * 30, "hospital": [1, 1, 0, 0] * 30},
    ...                     {"sex": ["f", "m"] * 60}, capacity=0.5, rules=Rules(replicates=50))
    >>> made.agreement.to_dict("records")
    [{'label': 'hospital', 'against': 'police', 'both': 30, 'only': 30, 'only_against': 30, 'rows': 120}]
    """
    import pandas as pd

    if len(labels) < 2:
        raise refused(f"{len(labels)} labels to compare; give at least two records of the outcome")
    given: dict[str, Any] = {
        "people": people,
        "by": by,
        "capacity": capacity,
        "decisions": decisions,
        "lists": lists,
        "probabilities": probabilities,
        "rules": rules,
        "seed": seed,
    }
    audits = {
        name: audit_scores(scores, outcome, groups, about={"label": name}, **given) for name, outcome in labels.items()
    }
    kept = ["attribute", "group", "metric", "value", "low", "high", "n", "people", "positives", "state"]
    frames = [made.frame()[kept].assign(label=name) for name, made in audits.items()]
    figures = pd.concat(frames, ignore_index=True)[["label", *kept]]
    rows = {name: prepared(scores, outcome, groups, **given) for name, outcome in labels.items()}
    first, *others = labels
    changes = [row for other in others for row in _changes(rows[first], rows[other], (first, other), metrics)]
    agreement = [_agreement(first, other, labels) for other in others]
    return LabelAudit(audits, figures, pd.DataFrame(changes), pd.DataFrame(agreement))


def _agreement(first: str, other: str, labels: Mapping[str, Any]) -> Row:
    one, two = numbers(labels[first]), numbers(labels[other])
    known = ~np.isnan(one) & ~np.isnan(two)
    counts = {"both": (two == 1) & (one == 1), "only": (two == 1) & (one == 0), "only_against": (two == 0) & (one == 1)}
    return {
        "label": other,
        "against": first,
        **{name: int((known & mark).sum()) for name, mark in counts.items()},
        "rows": int(known.sum()),
    }


def _changes(first: Prepared, other: Prepared, names: tuple[str, str], metrics: Sequence[str]) -> list[Row]:
    """Each gap by the other label less that by the first, with an interval from the same draws of people."""
    made: list[Row] = []
    meant = [measure for measure in first.measures if measure.name in metrics]
    for number, grouping in enumerate(first.grouped):
        samples = [sample_of(one.scored, one.grouped[number], one.drawn, one.rules) for one in (first, other)]
        reference = samples[0].reference
        for measure in meant:
            figures = [figure_of(measure, sample, first.rules) for sample in samples]
            for group, name in enumerate(grouping.names):
                if group == reference:
                    continue
                head: Row = {"attribute": grouping.attribute, "metric": measure.name, "group": name}
                head |= {"reference": grouping.names[reference], "label": names[1], "against": names[0]}
                made.append(head | _change(figures, group, reference, first.rules))
    return made


def _change(figures: Sequence[Figure], group: int, reference: int, rules: Rules) -> Row:
    if any(NOT_ESTIMABLE in (one.states[group], one.states[reference]) for one in figures):
        return {**dict.fromkeys(("gap", "gap_against", "change", "low", "high")), "state": NOT_ESTIMABLE}
    against, gap = (float(one.value[group] - one.value[reference]) for one in figures)
    drawn = [one.replicates[:, group] - one.replicates[:, reference] for one in figures]
    error = float(standard_errors((drawn[1] - drawn[0])[:, None])[0])
    heads = min(float(one.people[[group, reference]].min()) for one in figures)
    half = float(critical_values(rules.confidence, np.array([heads]))[0]) * error
    ok = all(one.states[at] == OK for one in figures for at in (group, reference))
    change = gap - against
    return {
        "gap": gap,
        "gap_against": against,
        "change": change,
        "low": change - half,
        "high": change + half,
        "state": OK if ok else IMPRECISE,
    }

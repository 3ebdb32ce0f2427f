"""An audit: what the scores do in each group, how the groups differ, and how sure that is.

It reads out-of-fold predictions, so that no row is judged by a model that learned from it, or any scores given to
it. It gives no verdict, moves no threshold and changes no score. Intervals cover which people happened to be in the
data; they do not cover wrong labels, wrong linkage or change over time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from riskmodel.errors import EvidenceError
from riskmodel.fairness.audit_tables import COLUMNS, arrow_table, plain_rows
from riskmodel.fairness.calibration import calibration_curves, calibration_slopes, score_bands
from riskmodel.fairness.crossed import crossed_aurocs
from riskmodel.fairness.figures import group_figures
from riskmodel.fairness.findings import Finding, Telling, findings_of
from riskmodel.fairness.groups import By
from riskmodel.fairness.heterogeneity import allowed_for
from riskmodel.fairness.matched import matched_rows
from riskmodel.fairness.prepared import prepared
from riskmodel.fairness.rules import Row, Rules
from riskmodel.fairness.scored import numbers
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.risk_model import RiskModel
from riskmodel.tables import fingerprint_document

if TYPE_CHECKING:
    import pandas as pd

FILE = "audit.json"
METHOD = (
    "Intervals come from drawing whole people again (cluster bootstrap): Wilson's interval with the number of "
    "independent people that would give the same standard error; differences between groups are made from the groups' "
    "own intervals, and hold for all groups of an attribute at once (together_low, together_high). Whether groups "
    "differ is one test over all groups (Welch's F with the noise of a share taken from the rate common to all), and "
    "p values allow for all comparisons of the audit (Holm). Groups that cannot be estimated take no part."
)


@dataclass(frozen=True)
class Audit:
    """Figures by group, contrasts with a reference group, tests over groups, and the findings in words.

    Attributes
    ----------
    table : Arrow table, one row a group and figure: attribute, group, metric, value, low, high, n (rows), people,
        positives, numerator, denominator, state; value is null where it is not estimable
    disparities : Arrow table, one row a group, figure and reference: difference and ratio with intervals
    heterogeneity : Arrow table, one row an attribute and headline figure: the test over all groups and the spread
    estimates : Arrow table: headline figures of at least four groups, each moved towards the mean of all by as much
        as its noise deserves (empirical Bayes); `kept` is how much of its own distance was kept
    crossed : Arrow table: the AUROC between those with the outcome in one group and without it in another;
        single attributes only, as the slopes
    curves : Arrow table: observed share and mean score in bands of the score cut over everybody; probabilities only
    slopes : Arrow table: slope of the outcome on the score's log-odds in each group; probabilities only
    finding_list : tuple of Finding
    settings : mapping, how the audit was made
    """

    table: pa.Table = field(repr=False)
    disparities: pa.Table = field(repr=False)
    heterogeneity: pa.Table = field(repr=False)
    estimates: pa.Table = field(repr=False)
    crossed: pa.Table = field(repr=False)
    curves: pa.Table = field(repr=False)
    slopes: pa.Table = field(repr=False)
    finding_list: tuple[Finding, ...] = field(repr=False)
    settings: Mapping[str, Any] = field(repr=False)

    @property
    def findings(self) -> tuple[str, ...]:
        """The findings as sentences: first what differs, then what was not shown, then what cannot be said."""
        return tuple(finding.sentence for finding in self.finding_list)

    def document(self) -> dict[str, Any]:
        """The whole audit as JSON; figures have nine significant digits."""
        return {
            "findings": list(self.findings),
            "finding_list": [finding.document() for finding in self.finding_list],
            **{name: plain_rows(getattr(self, name)) for name in COLUMNS},
            "settings": dict(self.settings),
            "method": METHOD,
        }

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the document."""
        return fingerprint_document(self.document())

    def save(self, folder: Path) -> None:
        """Write the audit as ``audit.json`` into a folder."""
        document = {**self.document(), "fingerprint": self.fingerprint}
        text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
        (folder / FILE).write_text(text + "\n", encoding="utf-8", newline="\n")

    @classmethod
    def load(cls, folder: Path) -> Audit:
        """The audit in a folder, with the fingerprint that it had and nine digits of each figure.

        Raises
        ------
        EvidenceError : it cannot be read, or was altered since it was saved
        """
        try:
            document = json.loads((folder / FILE).read_text(encoding="utf-8"))
            made = cls(
                **{name: arrow_table(document[name], columns) for name, columns in COLUMNS.items()},
                finding_list=tuple(Finding(**finding) for finding in document["finding_list"]),
                settings=document["settings"],
            )
            stated = document["fingerprint"]
        except (OSError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
            raise _damaged(f"a saved audit that cannot be read ({type(error).__name__})") from error
        if made.fingerprint != stated:
            raise _damaged("a saved audit whose content is not that of its fingerprint")
        return made

    def frame(self, metric: str | None = None) -> pd.DataFrame:
        """The table as a pandas DataFrame, of one figure or of all."""
        frame: pd.DataFrame = self.table.to_pandas()
        return frame if metric is None else frame[frame["metric"] == metric].reset_index(drop=True)

    def figure(self, attribute: str, group: str, metric: str) -> Row:
        """One row of the table; raises KeyError when it is not there."""
        for row in self.table.to_pylist():
            if (row["attribute"], row["group"], row["metric"]) == (attribute, group, metric):
                return dict(row)
        raise KeyError(f"no {metric} of {group} by {attribute} in this audit")

    def __str__(self) -> str:
        return "\n".join(self.findings)


def audit(
    model: RiskModel,
    by: Sequence[By] | None = None,
    *,
    training: TrainingSet,
    capacity: float | None = None,
    seed: int = 0,
    rules: Rules | None = None,
) -> Audit:
    """Audit a fitted model's out-of-fold predictions by the groups of its training set.

    Parameters
    ----------
    model : RiskModel; its evaluation holds the predictions (entity_id, as_of, fold, outcome, p)
    by : attributes and intersections (tuples); None is every group column of the training set alone
    training : TrainingSet, which gives the groups of each row
    capacity : how long the list is, in each test period: a share below 1 or a number of places; None is the middle
        one of those at which the model was judged, and no list when it was judged at none
    seed : int, of the bootstrap
    rules : Rules or None for the defaults

    Raises
    ------
    DataRefused : predictions for rows that the training set does not hold
    """
    predictions = model.evaluation.predictions
    judged_at = model.declaration["capacity"]
    if capacity is None and judged_at:
        capacity = judged_at[len(judged_at) // 2]
    rows = pa.array(matched_rows(predictions, training))
    groups = {name: training.group(name).take(rows) for name in training.group_names}
    return audit_scores(
        numbers(predictions.column("p")),
        numbers(predictions.column("outcome")),
        groups,
        people=np.asarray(predictions.column("entity_id"), np.int64),
        by=by,
        capacity=capacity,
        lists=np.asarray(predictions.column("fold")),
        rules=rules,
        seed=seed,
        about={"model": model.fingerprint, "training": training.fingerprint, "predictions": "out of fold"},
    )


def audit_scores(
    scores: Any,
    outcomes: Any,
    groups: Any,
    *,
    people: Any = None,
    by: Sequence[By] | None = None,
    capacity: float | None = None,
    decisions: Any = None,
    lists: Any = None,
    probabilities: bool = True,
    rules: Rules | None = None,
    seed: int = 0,
    about: Mapping[str, Any] | None = None,
) -> Audit:
    """Audit any scores by group.

    Parameters
    ----------
    scores : (n,) numbers, higher is more likely
    outcomes : (n,) 0 or 1; None or NaN where it is unknown
    groups : mapping of attribute to (n,) values, DataFrame or Arrow table; a missing value is the group "unknown"
    people : (n,) or None, whose row it is; None is a person a row
    by : attributes and intersections; None is every attribute alone
    capacity : how long the list of highest scores is (below 1 a share, from 1 on places), or None
    decisions : (n,) 0 or 1, or None: what was decided, in place of a list at capacity
    lists : (n,) or None, rows that compete for one list (a fold, an as-of date)
    probabilities : bool; False for scores such as deciles, for which calibration and Brier mean nothing
    rules, seed : how the audit is made
    about : mapping, put into the settings as it is

    Returns
    -------
    Audit

    Raises
    ------
    DataRefused : lengths differ, a score is missing, an outcome is neither 0, 1 nor unknown, a probability is
        outside 0 to 1, or both a capacity and decisions are given

    Examples
    --------
    >>> made = audit_scores([.9, .8, .2, .1] * 25, [1, 0, 1, 0] * 25, {"sex": ["f", "m"] * 50}, capacity=0.5)
    >>> row = made.figure("sex", "f", "tpr")
    >>> row["numerator"], row["denominator"], row["state"]
    (25.0, 50.0, 'imprecise')
    """
    rows = prepared(
        scores,
        outcomes,
        groups,
        people=people,
        by=by,
        capacity=capacity,
        decisions=decisions,
        lists=lists,
        probabilities=probabilities,
        rules=rules,
        seed=seed,
    )
    scored, grouped, rules = rows.scored, rows.grouped, rows.rules
    made = [group_figures(scored, grouping, rows.measures, rows.drawn, rules) for grouping in grouped]
    alone = [grouping for grouping in grouped if grouping.parts == 1]
    tables: dict[str, list[Row]] = {
        "table": [row for part in made for row in part.figures],
        "disparities": [row for part in made for row in part.contrasts],
        "heterogeneity": _with_allowance([row for part in made for row in part.tests]),
        "estimates": [row for part in made for row in part.estimates],
        "crossed": [row for grouping in alone for row in crossed_aurocs(scored, grouping, rules)],
        "curves": [],
        "slopes": [],
    }
    if probabilities:
        band = score_bands(scored)
        tables["curves"] = [row for grouping in grouped for row in calibration_curves(scored, grouping, band, rules)]
        tables["slopes"] = [row for grouping in alone for row in calibration_slopes(scored, grouping, rules)]
    settings = {
        "by": [grouping.attribute for grouping in grouped],
        "capacity": capacity,
        "decisions": decisions is not None,
        "probabilities": probabilities,
        "rows": len(scored.score),
        "people": scored.n_people,
        "unknown_outcomes": int(np.isnan(scored.outcome).sum()),
        "seed": seed,
        "rules": rules.document(),
        **(about or {}),
    }
    telling = Telling("people" if scored.n_people == len(scored.score) else "assessments")
    if decisions is not None:
        telling = Telling(telling.unit, "the decision was yes for", "with the decision yes")
    found = findings_of(tables["table"], tables["disparities"], tables["heterogeneity"], telling)
    return Audit(
        **{name: arrow_table(rows, COLUMNS[name]) for name, rows in tables.items()},
        finding_list=found,
        settings=settings,
    )


def _damaged(found: str) -> EvidenceError:
    return EvidenceError(
        "audit-damaged", found=found, expected="the file as it was written", repair="Make the audit again."
    )


def _with_allowance(tests: list[Row]) -> list[Row]:
    """The tests with p values that allow for all of them."""
    made = [number for number, row in enumerate(tests) if row["p"] is not None]
    allowed = dict(zip(made, allowed_for([tests[number]["p"] for number in made]), strict=True))
    return [row | {"p_adjusted": allowed.get(number)} for number, row in enumerate(tests)]

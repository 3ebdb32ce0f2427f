"""What an audit made: its tables, its findings, and how it was made; kept, read again, drawn, and shown in a notebook.

A kept audit that was altered is refused. Nothing about a person is in a repr.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from riskmodel.errors import EvidenceError, NotFound
from riskmodel.fairness.audit_tables import COLUMNS, arrow_table, plain_rows
from riskmodel.fairness.by_group import by_group
from riskmodel.fairness.findings import WORDS, Finding
from riskmodel.fairness.plots import Plot, figures_plot
from riskmodel.fairness.rules import Row
from riskmodel.fairness.view import audit_html
from riskmodel.tables import fingerprint_document

if TYPE_CHECKING:
    import pandas as pd

FILE = "audit.json"
METHOD = (
    "Intervals come from drawing whole people again (cluster bootstrap): Wilson's interval with the number of "
    "independent people that would give the same standard error; differences between groups are made from the groups' "
    "own intervals, and hold for all groups of an attribute at once. Whether groups "
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

    def frame(self, metric: str | None = None, *, of: str = "table") -> pd.DataFrame:
        """One of the audit's tables as a pandas DataFrame, of one figure or of all.

        Parameters
        ----------
        metric : a figure, for tables that have one a row
        of : "table", "disparities", "heterogeneity", "estimates", "crossed", "curves" or "slopes"

        Raises
        ------
        NotFound : no such table, or a figure of a table that is of one figure alone
        """
        if of not in COLUMNS or (metric is not None and "metric" not in COLUMNS[of]):
            found = f"no table {of!r}" if of not in COLUMNS else f"no column of figures in {of!r}"
            raise NotFound(
                "audit-table", found=found, expected=", ".join(COLUMNS), repair="Ask for one of them, without a figure."
            )
        frame: pd.DataFrame = getattr(self, of).to_pandas()
        return frame if metric is None else frame[frame["metric"] == metric].reset_index(drop=True)

    def figure(self, attribute: str, group: str, metric: str) -> Row:
        """One row of the table; raises KeyError when it is not there."""
        for row in self.table.to_pylist():
            if (row["attribute"], row["group"], row["metric"]) == (attribute, group, metric):
                return dict(row)
        raise KeyError(f"no {metric} of {group} by {attribute} in this audit")

    def by_group(self, *metrics: str, attribute: str | None = None) -> pd.DataFrame:
        """Figures in the shape of fairlearn's `MetricFrame.by_group`: groups down, figures across.

        Parameters
        ----------
        metrics : names of figures, ours or fairlearn's and scikit-learn's ("recall_score"); none is all
        attribute : an attribute or intersection of the audit; None is its first

        Raises
        ------
        NotFound : no such attribute or figure
        """
        return by_group(self.table, attribute or str(self.settings["by"][0]), metrics)

    def plot(self, metric: str = "tpr", attribute: str | None = None) -> Plot:
        """One figure of every group with its interval, the table beside it.

        Raises
        ------
        NotFound : no such attribute or figure
        """
        wanted = attribute or str(self.settings["by"][0])
        if not len(own := self.frame(metric)) or wanted not in set(own["attribute"]):
            found = f"no {metric} by {wanted} in this audit"
            raise NotFound("audit-figure", found=found, expected="one of its figures", repair="Look at its table.")
        words = WORDS[metric]
        return figures_plot(own, wanted, metric, words[:1].upper() + words[1:])

    def _repr_html_(self) -> str:
        """The audit for a notebook: findings, then figures by attribute, then the method."""
        return audit_html(self.finding_list, self.table, self.heterogeneity, METHOD)

    def __str__(self) -> str:
        return "\n".join(self.findings)


def _damaged(found: str) -> EvidenceError:
    return EvidenceError(
        "audit-damaged", found=found, expected="the file as it was written", repair="Make the audit again."
    )

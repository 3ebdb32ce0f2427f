"""How the model did on rows it had not seen, beside its comparators: tables, curves and counts, ready for a card.

Every figure can be made again from `predictions`. Only that table has rows of people; all else is aggregates.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from riskmodel.errors import NotFound
from riskmodel.governance.rules import RULES
from riskmodel.models import success
from riskmodel.models.fitted import write_json
from riskmodel.models.judging import Figure
from riskmodel.models.metrics import Numbers
from riskmodel.models.uncertainty import rate_interval
from riskmodel.tables import fingerprint_document, fingerprint_table

MODEL: Final = "model"
"""The name of the fitted model in tables; comparators go by their kind."""
ALL: Final = "all"
"""The fold name of all test rows together."""
FIGURES: Final = pa.schema(
    [
        pa.field("model", pa.string(), nullable=False),
        pa.field("fold", pa.string(), nullable=False),
        pa.field("metric", pa.string(), nullable=False),
        pa.field("value", pa.float64()),
        pa.field("low", pa.float64()),
        pa.field("high", pa.float64()),
        pa.field("n", pa.int64(), nullable=False),
        pa.field("positives", pa.int64(), nullable=False),
        pa.field("state", pa.string(), nullable=False),
    ]
)
_COUNTED: Final = "folds and counts"
_TABLES: Final = ("metrics", "differences", "predictions", "roc", "calibration", "smooth", "decision")


@dataclass(frozen=True)
class Evaluation:
    """What a fit found out.

    Attributes
    ----------
    metrics : Arrow, rows {model, fold, metric, value, low, high, n, positives, state}; model "model" is the fitted
        one, fold "all" is all test rows together
    differences : Arrow, the same columns; the model's value minus that of the comparator named in `model`, with the
        interval of the difference on the same draws
    predictions : Arrow, rows {entity_id, as_of, fold, outcome, p, p_<comparator> ...}, each judged row once
    roc : Arrow, rows {model, false_positive_rate, true_positive_rate}
    calibration : Arrow, rows {model, predicted, observed, low, high, n, positives}: tenths of the rows by probability
    smooth : Arrow, rows {model, predicted, observed, low, high}: calibration as a curve (see `models.smooth`)
    decision : Arrow, net benefit by model and threshold (see `models.decision`)
    folds : counts and dates of each fold
    counts : rows and people labelled, unknown, judged
    success : what became of each condition of the success bar, empty when none was declared
    withheld : fingerprints of the tables whose rows were left out, and of the counts before they were rounded, by
        name; empty where all are there
    """

    metrics: pa.Table = field(repr=False)
    differences: pa.Table = field(repr=False)
    predictions: pa.Table = field(repr=False)
    roc: pa.Table = field(repr=False)
    calibration: pa.Table = field(repr=False)
    smooth: pa.Table = field(repr=False)
    decision: pa.Table = field(repr=False)
    folds: tuple[Mapping[str, Any], ...]
    counts: Mapping[str, Any]
    success: tuple[success.Finding, ...] = ()
    withheld: Mapping[str, str] = field(default_factory=dict)

    def without_rows(self) -> Evaluation:
        """The same evaluation, of the same fingerprint, without the rows of its tables: for places where others read.

        Not people's rows alone: a ROC curve steps at single people, and a band of a calibration table may hold few.
        Counts are rounded, and small ones left out.
        """
        empty = {name: getattr(self, name).slice(0, 0) for name in _TABLES}
        folds = tuple({name: _count_shown(name, value) for name, value in fold.items()} for fold in self.folds)
        counts = {name: _count_shown(name, value) for name, value in self.counts.items()}
        return replace(self, **empty, folds=folds, counts=counts, withheld=self._fingerprints())

    @property
    def models(self) -> tuple[str, ...]:
        """The model and its comparators by name, in the order of the tables."""
        return tuple(dict.fromkeys(self.metrics["model"].to_pylist()))

    def figure(self, metric: str, model: str = MODEL, fold: str = ALL) -> Figure:
        """One figure of the metrics table.

        Raises
        ------
        NotFound : no such metric, model or fold
        """
        return _figure(self.metrics, metric, model, fold)

    def difference(self, metric: str, comparator: str, fold: str = ALL) -> Figure:
        """The model's lead over a comparator, with the interval of the difference."""
        return _figure(self.differences, metric, comparator, fold)

    def document(self) -> dict[str, Any]:
        """Folds, counts and verdicts as JSON; the tables are stored beside it."""
        return {
            "folds": [dict(fold) for fold in self.folds],
            "counts": dict(self.counts),
            "success": [finding.document() for finding in self.success],
        }

    @property
    def fingerprint(self) -> str:
        """SHA-256 over tables and counts."""
        return fingerprint_document({**self._fingerprints(), "success": self.document()["success"]})

    def _fingerprints(self) -> dict[str, str]:
        tables = {name: getattr(self, name) for name in _TABLES}
        kept = {name: self.withheld[name] for name, table in tables.items() if name in self.withheld and not len(table)}
        made = {name: kept.get(name) or fingerprint_table(table) for name, table in tables.items()}
        counted = {"folds": [dict(fold) for fold in self.folds], "counts": dict(self.counts)}
        rounded = self.withheld.get(_COUNTED) if not len(self.metrics) else None
        return {**made, _COUNTED: rounded or fingerprint_document(counted)}

    def save(self, folder: Path) -> None:
        """Write ``evaluation.json`` and one Parquet file a table; `predictions` holds people's rows."""
        withheld = {"withheld": dict(self.withheld)} if self.withheld else {}
        write_json(folder / "evaluation.json", {**self.document(), **withheld})
        for name in _TABLES:
            pq.write_table(getattr(self, name), folder / f"{name}.parquet", compression="snappy")

    @classmethod
    def load(cls, folder: Path) -> Evaluation:
        """What `save` wrote."""
        document = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
        tables = {name: pq.read_table(folder / f"{name}.parquet") for name in _TABLES}
        return cls(
            **tables,
            folds=tuple(document["folds"]),
            counts=document["counts"],
            success=tuple(success.Finding(**finding) for finding in document["success"]),
            withheld=document.get("withheld", {}),
        )


def _count_shown(name: str, value: Any) -> Any:
    """A count as it may leave, None where it is small; the number of a fold and dates are no counts."""
    if name == "fold" or isinstance(value, bool) or not isinstance(value, int):
        return value
    return None if RULES["hes"].is_small(value) else RULES["hes"].rounded(value)


def figures_table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Figures as an Arrow table."""
    return pa.Table.from_pylist([dict(row) for row in rows], schema=FIGURES)


def roc_curve(outcome: Numbers, probability: Numbers, points: int = 400) -> tuple[Numbers, Numbers]:
    """False and true positive rates from (0, 0) to (1, 1), at each distinct score or at `points` of them."""
    scores, group = np.unique(-probability, return_inverse=True)
    yes = np.cumsum(np.bincount(group, weights=outcome, minlength=len(scores)))
    no = np.cumsum(np.bincount(group, weights=1 - outcome, minlength=len(scores)))
    if not yes[-1] or not no[-1]:
        return np.empty(0), np.empty(0)
    false_rate, true_rate = np.append(0.0, no / no[-1]), np.append(0.0, yes / yes[-1])
    # Evenly along the curve, so that a steep rise keeps its points.
    along = (false_rate + true_rate) / 2
    kept = np.unique(np.searchsorted(along, np.linspace(0, 1, points), side="left").clip(0, len(along) - 1))
    return false_rate[kept], true_rate[kept]


def calibration_rows(
    model: str, outcome: Numbers, probability: Numbers, people: npt.NDArray[np.int64], bands: int = 10
) -> list[dict[str, Any]]:
    """Mean predicted and observed share in tenths of the rows by probability; equal probabilities stay together."""
    scores, group = np.unique(probability, return_inverse=True)
    below = np.cumsum(np.bincount(group, minlength=len(scores))) - 1
    band = np.minimum(below * bands // len(outcome), bands - 1)[group]
    made = []
    for number in np.unique(band):
        rows = np.flatnonzero(band == number)
        low, high = rate_interval(outcome[rows], people[rows])
        made.append(
            {
                "model": model,
                "predicted": float(probability[rows].mean()),
                "observed": float(outcome[rows].mean()),
                "low": float(f"{low:.9g}"),
                "high": float(f"{high:.9g}"),
                "n": len(rows),
                "positives": int(outcome[rows].sum()),
            }
        )
    return made


def _figure(table: pa.Table, metric: str, model: str, fold: str) -> Figure:
    wanted = {"metric": metric, "model": model, "fold": fold}
    kept = table
    for column, value in wanted.items():
        kept = kept.filter(pc.equal(kept[column], value))
    if kept.num_rows != 1:
        raise NotFound(
            "figure-missing",
            found=f"no figure {metric!r} of {model!r} in fold {fold!r}",
            expected=f"a metric among {', '.join(dict.fromkeys(table['metric'].to_pylist()))}; "
            f"a model among {', '.join(dict.fromkeys(table['model'].to_pylist())) or 'none'}",
            repair="Ask for a figure that the evaluation has.",
        )
    row = kept.to_pylist()[0]
    numbers = {name: np.nan if row[name] is None else row[name] for name in ("value", "low", "high")}
    return Figure(metric, **numbers, n=row["n"], positives=row["positives"], state=row["state"])

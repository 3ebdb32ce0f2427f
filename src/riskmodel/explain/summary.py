"""What a model leans on, over many people: importance by feature and by family, direction, spread - no person in it.

Every figure is a mean or a count over many people; see `shapes` for how those that could tell of one are kept out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from scipy import stats

from riskmodel.errors import EvidenceError
from riskmodel.explain import by_group, shapes
from riskmodel.explain.families import FAMILY, FEATURE, LEVELS, Told, added_up
from riskmodel.explain.stability import Overlap
from riskmodel.models.metrics import Numbers
from riskmodel.tables import fingerprint_document

FILE: Final = "explanation.json"
_SCHEMA: Final = pa.schema(
    [
        pa.field("level", pa.string(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("family", pa.string()),
        pa.field("mean_abs", pa.float64(), nullable=False),
        pa.field("share", pa.float64()),
        pa.field("direction", pa.float64()),
        pa.field("missing", pa.float64()),
    ]
)
_DIGITS: Final = 9
CANNOT: Final = (
    "Contributions say how this model came to its score. They do not say what causes the outcome or what would happen "
    "if something were changed, and a model without bias cannot be told by them."
)


@dataclass(frozen=True)
class Explanation:
    """What a model leans on.

    Attributes
    ----------
    importance : Arrow, rows {level, name, family, mean_abs, share, direction, missing}: level is "feature", "family",
        "agency", "about" or "window"; mean_abs is the mean absolute contribution in log-odds; share is of the sum over
        the level; direction (features) is the rank correlation of value and contribution, null when it does not vary;
        missing (features) is the share of rows without a value
    groups : Arrow, shares and gaps by group and by year with intervals (see `by_group`)
    cloud, dependence : Arrow, how contributions lie and how they go with values (see `shapes`)
    overlaps : how far the top reasons agree between refitted models
    settings : how it was made: model, training, rows, base, method, largest error of the sum
    """

    importance: pa.Table = field(repr=False)
    groups: pa.Table = field(repr=False)
    cloud: pa.Table = field(repr=False)
    dependence: pa.Table = field(repr=False)
    overlaps: tuple[Overlap, ...]
    settings: Mapping[str, Any] = field(repr=False)

    def document(self) -> dict[str, Any]:
        """The whole explanation as JSON; figures have nine significant digits."""
        document = {
            "importance": self.importance.to_pylist(),
            "groups": self.groups.to_pylist(),
            "cloud": self.cloud.to_pylist(),
            "dependence": self.dependence.to_pylist(),
            "overlaps": [asdict(one) for one in self.overlaps],
            "settings": dict(self.settings),
            "cannot_say": CANNOT,
        }
        short: dict[str, Any] = shortened(document)
        return short

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the document."""
        return fingerprint_document(self.document())

    def rows(self, level: str = FAMILY) -> list[dict[str, Any]]:
        """The importance rows of one level, largest first."""
        return [dict(row) for row in self.importance.to_pylist() if row["level"] == level]

    def by_group(self, attribute: str, level: str = FAMILY) -> list[dict[str, Any]]:
        """The rows of one attribute ("all" for everybody, "year" for drift over time) at one level."""
        wanted = (attribute, level)
        return [dict(row) for row in self.groups.to_pylist() if (row["attribute"], row["level"]) == wanted]

    def save(self, folder: str | Path) -> None:
        """Write the explanation as ``explanation.json`` into a folder."""
        document = {**self.document(), "fingerprint": self.fingerprint}
        text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
        (Path(folder) / FILE).write_text(text + "\n", encoding="utf-8", newline="\n")

    @classmethod
    def load(cls, folder: str | Path) -> Explanation:
        """Read what `save` wrote.

        Raises
        ------
        EvidenceError : it cannot be read, or was altered since it was saved
        """
        try:
            document = json.loads((Path(folder) / FILE).read_text(encoding="utf-8"))
            made = cls(
                pa.Table.from_pylist(document["importance"], schema=_SCHEMA),
                pa.Table.from_pylist(document["groups"], schema=by_group.SCHEMA),
                pa.Table.from_pylist(document["cloud"], schema=shapes.CLOUD),
                pa.Table.from_pylist(document["dependence"], schema=shapes.DEPENDENCE),
                tuple(Overlap(**one) for one in document["overlaps"]),
                document["settings"],
            )
            stated = document["fingerprint"]
        except (OSError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
            raise _damaged(f"a saved explanation that cannot be read ({type(error).__name__})") from error
        if made.fingerprint != stated:
            raise _damaged("a saved explanation whose content is not that of its fingerprint")
        return made


def importance_table(contributions: Numbers, values: Numbers, columns: Sequence[Told]) -> pa.Table:
    """Mean absolute contributions at every level, largest first.

    Parameters
    ----------
    contributions : (n, p) float64, without the base
    values : (n, p), NaN where missing
    """
    rows: list[dict[str, Any]] = []
    for level in LEVELS:
        names, sums = added_up(contributions, columns, level)
        mean = np.abs(sums).mean(axis=0)
        total = float(mean.sum())
        order = sorted(range(len(names)), key=lambda at: (-mean[at], names[at]))
        for at in order:
            share = float(mean[at]) / total if total > 0 else None
            rows.append({"level": level, "name": names[at], "mean_abs": float(mean[at]), "share": share})
    place = {column.name: number for number, column in enumerate(columns)}
    for row in rows:
        column = place.get(row["name"]) if row["level"] == FEATURE else None
        if column is not None:
            row["family"] = columns[column].family
            row["direction"] = direction(values[:, column], contributions[:, column])
            row["missing"] = float(np.isnan(values[:, column]).mean())
    return pa.Table.from_pylist([shortened(row) for row in rows], schema=_SCHEMA)


def direction(value: Numbers, contribution: Numbers) -> float | None:
    """Rank correlation (Spearman) of value and contribution where the value is known; None when either is constant.

    Examples
    --------
    >>> direction(np.array([0.0, 1, 2, np.nan]), np.array([-1.0, 0, 5, 9]))
    1.0
    """
    known = ~np.isnan(value)
    if known.sum() < 3 or np.ptp(value[known]) == 0 or np.ptp(contribution[known]) == 0:
        return None
    ranks = [stats.rankdata(part[known]) for part in (value, contribution)]
    return float(np.clip(round(float(np.corrcoef(ranks[0], ranks[1])[0, 1]), 12), -1.0, 1.0))


def shortened(value: Any) -> Any:
    """The same with nine significant digits of every figure."""
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}")
    if isinstance(value, Mapping):
        return {name: shortened(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [shortened(part) for part in value]
    return value


def _damaged(found: str) -> EvidenceError:
    return EvidenceError(
        "explanation-damaged", found=found, expected="the file as it was written", repair="Make the explanation again."
    )

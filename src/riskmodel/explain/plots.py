"""The plots that people expect of explanations, each with its table and its words, and safe to leave the room.

Beeswarm, dependence and by-group are drawn from counts and means of many people that have been through disclosure
control. A waterfall is about one person: it is only shown where scores are shown, and cannot be saved.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from riskmodel.errors import NotFound, NotPermitted
from riskmodel.explain.families import FAMILY, FEATURE
from riskmodel.governance.disclosure import released

if TYPE_CHECKING:
    from riskmodel.explain.summary import Explanation

_FAMILIES = 10
_STYLE = """body { font: 16px/1.4 "DejaVu Sans", sans-serif; color: #0b0c0c; max-width: 60em; margin: 1em auto }
h1 { font-size: 1.3em } figure { margin: 1em 0 } table { border-collapse: collapse; font-size: .85em; margin-top: .5em }
th, td { text-align: left; padding: .2em .8em .2em 0; border-bottom: 1px solid #d9dee2 }"""
"""Of a plot in a file of its own."""


@dataclass(frozen=True)
class Plot:
    """A drawing, the table of what it shows, and the words that stand for it.

    Attributes
    ----------
    kind : str, of `drawings.DRAWINGS`
    title, alt : str
    table : pa.Table, every figure in the drawing
    data : mapping, what the drawing needs
    of_a_person : bool, whether it is about one person and must stay where scores are shown
    """

    kind: str
    title: str
    alt: str = field(repr=False)
    table: pa.Table = field(repr=False)
    data: Mapping[str, Any] = field(repr=False)
    of_a_person: bool = False

    def svg(self, width: str = "wide") -> str:
        """The drawing as an ``<svg>`` element with its words; `width` is "wide" or "narrow"."""
        from riskmodel.explain.drawings import drawn

        return drawn(self.kind, self.data, self.kind, self.alt, "narrow" if width == "narrow" else "wide")

    def save(self, path: str | Path) -> Path:
        """Write title, drawing and table into an HTML file.

        Raises
        ------
        NotPermitted : it is about one person
        """
        if self.of_a_person:
            raise NotPermitted(
                "plot-of-a-person",
                found="a plot of one person's score",
                expected="a plot of many people",
                repair="Look at it where scores are shown; score.explain() and own_copy(...) say the same in words.",
            )
        path = Path(path)
        page = f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{html.escape(self.title)}</title>\n'
        page += f"<style>{_STYLE}</style>\n<h1>{html.escape(self.title)}</h1>\n"
        path.write_text(f"{page}{self._repr_html_()}</html>\n", encoding="utf-8")
        return path

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(name)}</th>" for name in self.table.column_names)
        rows = "\n".join(
            f"<tr>{''.join(f'<td>{_cell(value)}</td>' for value in row.values())}</tr>"
            for row in self.table.to_pylist()
        )
        table = f"<details><summary>The figures as a table</summary><table><tr>{head}</tr>\n{rows}</table></details>"
        return f"<figure>{self.svg()}</figure>\n{table}\n"


def beeswarm(explanation: Explanation) -> Plot:
    """How the contributions of the heaviest features lie, and whether high values raise or lower: people in cells."""
    table = explanation.cloud
    features = list(dict.fromkeys(table["feature"].to_pylist()))
    said = "; ".join(f"{name} {_direction(explanation, name)}" for name in features)
    hidden = table["people"].null_count
    alt = f"People by contribution to the score, for {len(features)} features: {said}. {hidden} small cells are hidden."
    rows = [row for row in table.to_pylist() if row["people"] is not None]
    return Plot("beeswarm", "How much each feature adds", alt, table, {"features": features, "rows": rows})


def dependence(explanation: Explanation, feature: str) -> Plot:
    """The mean contribution of one feature in bands of its values.

    Raises
    ------
    NotFound : it is not among the features that weigh most
    """
    rows = [row for row in explanation.dependence.to_pylist() if row["feature"] == feature]
    if not rows:
        known = sorted(set(explanation.dependence["feature"].to_pylist()))
        raise NotFound(
            "feature-not-drawn",
            found=f"no bands of {feature!r}",
            expected=f"one of {', '.join(known)}",
            repair="Choose one of the features that weigh most.",
        )
    said = "; ".join(f"{row['values']} {row['mean']:+.2f}" for row in rows)
    alt = f"Mean contribution of {feature} in log-odds by its value: {said}."
    table = pa.Table.from_pylist(rows, schema=explanation.dependence.schema)
    return Plot("dependence", f"What {feature} adds by its value", alt, table, {"rows": rows})


def by_group(explanation: Explanation, attribute: str, level: str = FAMILY) -> Plot:
    """By how much each group's mean contribution differs from everybody else's, with intervals that hold together.

    Raises
    ------
    NotFound : the explanation knows no such attribute
    """
    rows = explanation.by_group(attribute, level)
    if not rows:
        known = sorted(set(explanation.groups["attribute"].to_pylist()) - {"all"})
        raise NotFound(
            "attribute-not-explained",
            found=f"no groups of {attribute!r}",
            expected=f"one of {', '.join(known)}",
            repair="Name a group that the training set keeps.",
        )
    heaviest = [row["name"] for row in explanation.rows(level)[:_FAMILIES]]
    shown = [row for name in heaviest for row in rows if row["name"] == name]
    apart = [row for row in shown if row["gap"] is not None and not row["gap_low"] <= 0 <= row["gap_high"]]
    said = "; ".join(f"{row['group']}, {row['name']}: {row['gap']:+.2f}" for row in apart) or "none is clear of 0"
    alt = f"Difference of each group's mean contribution from everybody else's, by {attribute}. Clear of 0: {said}."
    loose = pa.schema([each.with_nullable(True) for each in explanation.groups.schema])
    table = released(pa.Table.from_pylist(shown, schema=loose), ["people"]).drop_columns(["disclosure"])
    title = f"What raises or lowers the scores of groups, by {attribute}"
    return Plot("by_group", title, alt, table, {"rows": table.to_pylist()})


def waterfall(base: float, parts: Sequence[tuple[str, float]], total: float) -> Plot:
    """From the base to one person's score, what each family adds in log-odds, in the order given."""
    rows, at = [], base
    for name, size in parts:
        rows.append({"name": name, "adds": size, "from": at, "to": at + size})
        at += size
    alt = (
        f"From {base:.2f} to {total:.2f} in log-odds: " + "; ".join(f"{name} {size:+.2f}" for name, size in parts) + "."
    )
    data = {"rows": rows, "base": base, "total": total}
    return Plot("waterfall", "How this score came about", alt, pa.Table.from_pylist(rows), data, of_a_person=True)


def _direction(explanation: Explanation, name: str) -> str:
    found = next((row["direction"] for row in explanation.rows(FEATURE) if row["name"] == name), None)
    if found is None or abs(found) < 0.3:
        return "has no clear direction"
    return "raises with its value" if found > 0 else "lowers with its value"


def _cell(value: Any) -> str:
    if value is None:
        return "not shown"
    if isinstance(value, float):
        return f"{round(value, 3) + 0.0:.3f}"  # + 0.0: no "-0.000"
    return html.escape(f"{value:,}" if isinstance(value, int) else value)

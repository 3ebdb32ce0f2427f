"""Drawings of what lies beside an audit: two harms, several labels, a loop over periods, and what features know.

Each has its table and its description (`plots.Plot`); lines and marks differ in form, never in colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from riskmodel.errors import NotFound
from riskmodel.fairness.estimability import NOT_ESTIMABLE
from riskmodel.fairness.findings import WORDS
from riskmodel.fairness.plots import INK, MARKS, QUIET, Plot, sheet, told_value

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

HARMS: Final = {
    "missed_per_100": "missed, of 100 with the outcome",
    "listed_in_error_per_100": "listed, of 100 without it",
}
STROKES: Final = ("-", "--", ":")


def harms_plot(table: pd.DataFrame, attribute: str) -> Plot:
    """Missed use and over-exposure side by side, a line a group."""
    own = _of(table, "attribute", attribute)
    figure, left = sheet(0.5 * len(own) + 1.1)
    left.remove()
    panels = figure.subplots(1, 2, sharey=True)
    for panel, (name, words) in zip(panels, HARMS.items(), strict=True):
        panel.spines[["top", "right"]].set_visible(False)
        panel.tick_params(labelsize=9)
        called = {name: "value"} | {f"{name}_{part}": part for part in ("low", "high", "state")}
        rows = own.rename(columns=called)
        for at, row in enumerate(rows.to_dict("records")):
            _mark(panel, at, row)
        panel.set_xlim(0, 100)
        panel.set_xlabel(words, fontsize=9)
    panels[0].set_yticks(range(len(own)), own["group"])
    panels[0].set_ylim(len(own) - 0.5, -0.5)
    panels[0].set_ylabel(attribute, fontsize=9)
    told = "; ".join(
        f"{row['group']}: {_hundred(row, 'missed_per_100')} missed, {_hundred(row, 'listed_in_error_per_100')} in error"
        for row in own.to_dict("records")
    )
    alt = f"Of 100 with the outcome, missed, and of 100 without it, listed, by {attribute}: {told}."
    return Plot(figure, alt, own.drop(columns="attribute"))


def labels_plot(gaps: pd.DataFrame, attribute: str, metric: str) -> Plot:
    """The gap of each group by every label, with its interval; `gaps` are the audits' disparities with their label."""
    own = _of(_of(gaps, "attribute", attribute), "metric", metric)
    own = own[own["state"] != NOT_ESTIMABLE].reset_index(drop=True)
    groups, labels = (list(dict.fromkeys(own[name])) for name in ("group", "label"))
    figure, axes = sheet(0.6 * max(len(groups), 1) + 1.4)
    for row in own.to_dict("records"):
        number = labels.index(row["label"])
        at = groups.index(row["group"]) + 0.3 * (number / max(len(labels) - 1, 1) - 0.5)
        axes.plot([100 * row["low"], 100 * row["high"]], [at, at], color=QUIET, lw=1.4)
        axes.plot(100 * row["difference"], at, MARKS[number % len(MARKS)], color=INK, ms=8, ls="",
                  markerfacecolor="white" if number else INK,
                  label=row["label"] if row["group"] == groups[0] else None)  # fmt: skip
    axes.axvline(0, color=QUIET, lw=0.8, ls=":")
    axes.set_yticks(range(len(groups)), groups)
    axes.set_ylim(max(len(groups), 1) - 0.5, -0.5)
    against = own["reference"].iloc[0] if len(own) else "the reference"
    axes.set_xlabel(f"gap in the {WORDS[metric]} to {against}, in 100, with 95 % interval")
    axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1), frameon=False, fontsize=9)
    told = "; ".join(
        f"{row['group']} by {row['label']} {100 * row['difference']:+.1f} "
        f"({100 * row['low']:+.1f} to {100 * row['high']:+.1f})"
        for row in own.to_dict("records")
    )
    alt = f"Gap in the {WORDS[metric]} to {against} by whose label it is judged, in 100: {told}."
    return Plot(figure, alt, own[["group", "reference", "label", "difference", "low", "high", "state"]])


def loop_plot(periods: pd.DataFrame, group: str) -> Plot:
    """A group's share of the list over the periods, in each loop: mean over runs, and the runs' range."""
    own = _of(periods, "group", group)
    table = own.groupby(["loop", "period"])["list_share"].agg(["mean", "min", "max"]).reset_index()
    figure, axes = sheet(3.6)
    for number, loop in enumerate(dict.fromkeys(periods["loop"])):
        part = table[table["loop"] == loop]
        axes.fill_between(part["period"], 100 * part["min"], 100 * part["max"], color=QUIET, alpha=0.15, lw=0)
        axes.plot(part["period"], 100 * part["mean"], STROKES[number % len(STROKES)], color=INK, label=loop,
                  marker=MARKS[number % len(MARKS)], ms=5, markerfacecolor="white")  # fmt: skip
    axes.set_xlabel("period")
    axes.set_ylabel(f"of 100 places, those of {group}")
    axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1), frameon=False, fontsize=9)
    ends = table[table["period"].isin([table["period"].min(), table["period"].max()])]
    told = "; ".join(
        f"{loop} from {100 * part['mean'].iloc[0]:.0f} to {100 * part['mean'].iloc[-1]:.0f}"
        for loop, part in ends.groupby("loop", sort=False)
    )
    return Plot(figure, f"Share of the list of {group} over the periods, in 100 places, mean over runs: {told}.", table)


def known_plot(known: pd.DataFrame) -> Plot:
    """How well the features tell each group, with intervals; a half is guessing."""
    figure, axes = sheet(0.45 * len(known) + 1.1)
    for at, row in enumerate(known.rename(columns={"auroc": "value"}).to_dict("records")):
        _mark(axes, at, row)
    axes.axvline(0.5, color=QUIET, lw=0.8, ls=":")
    axes.set_yticks(range(len(known)), [f"{row.attribute} {row.group}" for row in known.itertuples()])
    axes.set_ylim(len(known) - 0.5, -0.5)
    axes.set_xlim(0.4, 1.0)
    axes.set_xlabel("AUROC of the features for the group (0.5 is guessing), with 95 % interval")
    told = "; ".join(
        told_value({**row, "group": f"{row['attribute']} {row['group']}", "value": row["auroc"]})
        for row in known.to_dict("records")
    )
    return Plot(figure, f"How well the features tell each group (AUROC, 0.5 is guessing): {told}.", known)


def _of(table: pd.DataFrame, column: str, wanted: str) -> pd.DataFrame:
    own = table[table[column] == wanted].reset_index(drop=True)
    if not len(own):
        raise NotFound(
            "plot-missing",
            found=f"no {column} {wanted!r} to draw",
            expected=", ".join(map(str, dict.fromkeys(table[column]))) or "something to draw",
            repair="Ask for one that is there.",
        )
    return own


def _mark(axes: Axes, at: int, row: Mapping[Any, Any]) -> None:
    if row["state"] == NOT_ESTIMABLE:
        axes.text(0.01, at, "not estimable", va="center", color=QUIET, style="italic", fontsize=9,
                  transform=axes.get_yaxis_transform())  # fmt: skip
        return
    axes.plot([row["low"], row["high"]], [at, at], color=INK, lw=1.6)
    axes.plot(row["value"], at, "o", color=INK, markerfacecolor=INK if row["state"] == "ok" else "white", ms=7,
              clip_on=False, zorder=3)  # fmt: skip


def _hundred(row: Mapping[Any, Any], name: str) -> str:
    if row[f"{name}_state"] == NOT_ESTIMABLE or not np.isfinite(row[name]):
        return "not estimable"
    return f"{row[name]:.0f} ({row[f'{name}_low']:.0f} to {row[f'{name}_high']:.0f})"

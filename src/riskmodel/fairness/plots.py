"""Drawings of audits, each with its table and a description: nothing is told by colour or by a picture alone."""

from __future__ import annotations

import base64
import html
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from riskmodel.fairness.findings import WORDS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK: Final = "#1d2b3a"
QUIET: Final = "#8a97a5"
MARKS: Final = ("o", "s", "^", "D", "v", "P", "X", "*")


@dataclass(frozen=True)
class Plot:
    """A drawing with its description and the table it was drawn from.

    Attributes
    ----------
    figure : matplotlib Figure
    alt : str, what the drawing shows, for those who do not see it
    table : DataFrame, the numbers drawn
    """

    figure: Figure = field(repr=False)
    alt: str
    table: pd.DataFrame = field(repr=False)

    def _repr_html_(self) -> str:
        """The drawing for a notebook: an image with its description, the table folded below."""
        held = io.BytesIO()
        self.figure.savefig(held, format="png", dpi=110, bbox_inches="tight", metadata={"Software": None})
        image = base64.b64encode(held.getvalue()).decode("ascii")
        table = self.table.to_html(index=False, float_format=lambda value: f"{value:.3f}", border=0, na_rep="")
        return (
            f'<figure style="margin:0"><img alt="{html.escape(self.alt, quote=True)}" style="max-width:100%" '
            f'src="data:image/png;base64,{image}"/><figcaption>{html.escape(self.alt)}</figcaption></figure>'
            f"<details><summary>The numbers drawn</summary>{table}</details>"
        )


def figures_plot(table: pd.DataFrame, attribute: str, metric: str, called: str) -> Plot:
    """One figure of every group of an attribute with its interval; groups that cannot be estimated are named."""
    own = table[(table["attribute"] == attribute) & (table["metric"] == metric)].reset_index(drop=True)
    figure, axes = sheet(0.45 * len(own) + 1.1)
    for at, row in enumerate(own.to_dict("records")):
        if row["state"] == "not_estimable":
            axes.text(0.01, at, "not estimable", va="center", color=QUIET, style="italic", fontsize=9,
                      transform=axes.get_yaxis_transform())  # fmt: skip
            continue
        axes.plot([row["low"], row["high"]], [at, at], color=INK, lw=1.6)
        filled = INK if row["state"] == "ok" else "white"
        axes.plot(row["value"], at, "o", color=INK, markerfacecolor=filled, ms=7)
    axes.set_yticks(range(len(own)), [f"{row.group}  (n {row.n:,})" for row in own.itertuples()])
    axes.invert_yaxis()
    axes.set_ylim(len(own) - 0.5, -0.5)
    axes.set_xlabel(f"{called}, with 95 % interval; an open mark is imprecise")
    told = "; ".join(told_value(row) for row in own.to_dict("records"))
    shown = ["group", "value", "low", "high", "n", "people", "state"]
    return Plot(figure, f"{called} by {attribute}: {told}.", own[shown])


def distribution_plot(table: pd.DataFrame, attribute: str) -> Plot:
    """How scores are spread in each group: quantiles and mean."""
    own = table[table["attribute"] == attribute].reset_index(drop=True)
    figure, axes = sheet(0.5 * len(own) + 1.1)
    for at, row in enumerate(own.to_dict("records")):
        if row["state"] != "ok":
            axes.text(0.01, at, "too few people", va="center", color=QUIET, style="italic", fontsize=9,
                      transform=axes.get_yaxis_transform())  # fmt: skip
            continue
        axes.plot([row["p05"], row["p95"]], [at, at], color=INK, lw=1.2)
        axes.plot([row["p25"], row["p75"]], [at, at], color=INK, lw=7, alpha=0.35, solid_capstyle="butt")
        axes.plot(row["p50"], at, "|", color=INK, ms=14, mew=2)
        axes.plot(row["mean"], at, "o", color=INK, ms=5, markerfacecolor="white")
    axes.set_yticks(range(len(own)), [f"{row.group}  (n {row.n:,})" for row in own.itertuples()])
    axes.set_ylim(len(own) - 0.5, -0.5)
    axes.set_xlabel("score: 5 to 95 in 100 (line), 25 to 75 (band), median (bar), mean (ring)")
    told = "; ".join(
        f"{row['group']} median {row['p50']:.3g}, 5 to 95 in 100 from {row['p05']:.3g} to {row['p95']:.3g}"
        for row in own.to_dict("records")
        if row["state"] == "ok"
    )
    return Plot(figure, f"Scores by {attribute}: {told}.", own.drop(columns="attribute"))


def frontier_plot(table: pd.DataFrame, metric: str, cost: str, attribute: str, reference: str) -> Plot:
    """Candidates by their largest gap in a figure and by what they find, both with intervals."""
    import pandas as pd

    rows = []
    before = float(table.loc[table["figure"] == "places", "value"].iloc[0])
    for name in dict.fromkeys(table["candidate"]):
        own = table[table["candidate"] == name]
        gaps = own[(own["figure"] == f"gap in {metric}") & own["value"].notna()]
        found = own[own["figure"] == cost].iloc[0]
        if not len(gaps):
            continue
        gap = gaps.loc[gaps["value"].abs().idxmax()]
        added = round(float(own.loc[own["figure"] == "places", "value"].iloc[0]) - before)
        more = f"{added} more places" if added > 0 else ""
        row = {"candidate": name, "advice": gap["advice"], "more": more, "group": gap["group"]}
        row |= {"gap": gap["value"], "gap_low": gap["low"], "gap_high": gap["high"]}
        rows.append(row | {cost: found["value"], f"{cost}_low": found["low"], f"{cost}_high": found["high"]})
    drawn = pd.DataFrame(rows)
    figure, axes = sheet(4.6)
    for at, one in enumerate(drawn.to_dict("records")):
        x, y = 100 * one["gap"], 100 * one[cost]
        axes.plot([100 * one["gap_low"], 100 * one["gap_high"]], [y, y], color=QUIET, lw=1)
        axes.plot([x, x], [100 * one[f"{cost}_low"], 100 * one[f"{cost}_high"]], color=QUIET, lw=1)
        notes = [note for note in (one["advice"], one["more"]) if note]
        label = f"{one['candidate']} ({'; '.join(notes)})" if notes else one["candidate"]
        axes.plot(x, y, MARKS[at % len(MARKS)], color=INK, ms=8, ls="", label=label,
                  markerfacecolor="white" if one["advice"] else INK)  # fmt: skip
    axes.axvline(0, color=QUIET, lw=0.8, ls=":")
    axes.set_xlabel(f"largest gap in the {WORDS[metric]} between a group and {reference}, in 100 (0 is no gap)")
    axes.set_ylabel("of 100 outcomes, found" if cost == "found" else cost)
    axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1), frameon=False, fontsize=9)
    told = "; ".join(
        f"{row['candidate']} finds {100 * row[cost]:.0f} of 100 with a largest gap of {100 * row['gap']:+.0f} "
        f"({100 * row['gap_low']:+.0f} to {100 * row['gap_high']:+.0f}) for {row['group']}"
        for row in drawn.to_dict("records")
    )
    alt = f"Candidates by their largest gap in the {WORDS[metric]} by {attribute} and by what they find: {told}."
    return Plot(figure, f"{alt} Open marks need the protected attribute at prediction.", drawn)


def sheet(height: float) -> tuple[Figure, Axes]:
    """An empty drawing with one pair of axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, height))
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=9)
    return figure, axes


def told_value(row: Any) -> str:
    """A group's value with its interval in words."""
    if row["state"] == "not_estimable":
        return f"{row['group']} not estimable"
    return f"{row['group']} {row['value']:.3g} ({row['low']:.3g} to {row['high']:.3g})"

"""The plots of a card, as SVG text: the same data give the same bytes.

Every drawing comes in two widths, one for a page and one for a telephone, so that lettering is never scaled down.
Colours are the accessible palette of the UK government's analysis function (dark blue, orange, turquoise, grey),
and nothing is told by colour alone. A value that is not estimable is written in words where its mark would be; it
is never drawn at zero. No drawing computes a figure: it draws what the card's table says.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib
import matplotlib.ticker
from matplotlib.figure import Figure

from riskmodel.cards import evaluation_figures
from riskmodel.explain import drawings
from riskmodel.explain.drawings import BLUE, GREY, INCHES, ORANGE, Width, as_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def svg(drawing: str, data: Mapping[str, Any], name: str, alt: str, width: Width = "wide") -> str:
    """One drawing as an ``<svg>`` element with its alternative text.

    Parameters
    ----------
    drawing : str, one of `DRAWINGS`
    data : mapping, what the drawing needs (see the functions below)
    name : str, unique on the page; ids inside the drawing begin with it
    alt : str, the words that stand for the picture
    width : "wide" (720 px) or "narrow" (353 px)
    """
    return as_svg(DRAWINGS[drawing], data, f"{name}-{width}", alt, width)


def frequencies(data: Mapping[str, Any], width: Width) -> Figure:
    """Panels of a hundred dots. `data`: ``panels``, each with ``title``, ``share`` (0 to 1) and ``said``."""
    panels: Sequence[Mapping[str, Any]] = data["panels"]
    across = len(panels) if width == "wide" else 1
    down = -(-len(panels) // across)
    figure = Figure(figsize=(INCHES[width], 3.3 * down), layout="constrained")
    for place, panel in enumerate(panels):
        axes = figure.add_subplot(down, across, place + 1)
        marked = 0 if panel["share"] is None else round(100 * panel["share"])
        at = [(column, 9 - row) for row in range(10) for column in range(10)]
        for group, face in ((at[:marked], BLUE), (at[marked:], "none")):
            xs, ys = [x for x, _ in group], [y for _, y in group]
            axes.scatter(xs, ys, s=120, facecolor=face, edgecolor=BLUE, linewidth=1.2)
        axes.set_title(panel["title"], loc="left", fontsize=14, fontweight="bold")
        axes.text(10.2, 9, _wrapped(panel["said"], 22), va="top", fontsize=14)
        axes.set(xlim=(-0.8, 19.5), ylim=(-0.8, 9.8), aspect="equal", xticks=[], yticks=[])
        axes.set_axis_off()
    return figure


def forest(data: Mapping[str, Any], width: Width) -> Figure:
    """Values with intervals, one line each. `data`: ``rows`` (label, value, low, high, state, marked), ``axis``,

    ``unit`` ("share" or "number"), ``reference`` (a value to draw a line at, or None) and ``reference_said``.
    """
    rows: Sequence[Mapping[str, Any]] = data["rows"]
    line = 0.42 if width == "wide" else 0.66
    figure = Figure(figsize=(INCHES[width], line * len(rows) + 1.25), layout="constrained")
    axes = figure.add_subplot()
    narrow = width == "narrow"
    for place, row in enumerate(reversed(rows)):
        _forest_line(axes, place, row)
        if narrow:
            axes.text(0, place + 0.28, row["label"], transform=axes.get_yaxis_transform(), fontsize=13, in_layout=False)
    axes.set_ylim(-0.6, len(rows) - (0.2 if narrow else 0.4))
    axes.set_yticks(range(len(rows)), [] if narrow else [row["label"] for row in reversed(rows)])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(_wrapped(data["axis"], 40 if narrow else 62))
    _scale(axes, data["unit"], [row for row in rows if row["value"] is not None], data.get("reference"))
    _reference(axes, data)
    return figure


def calibration(data: Mapping[str, Any], width: Width) -> Figure:
    """Predicted against observed.

    `data`: ``rows`` (predicted, value, low, high, n), ``curve`` (predicted, observed, low, high), ``axis`` (observed).
    """
    rows: Sequence[Mapping[str, Any]] = [row for row in data["rows"] if row["value"] is not None]
    side = 5.6 if width == "wide" else INCHES[width]
    figure = Figure(figsize=(INCHES[width], side), layout="constrained")
    axes = figure.add_subplot()
    far = 1.08 * max([0.02] + [max(row["predicted"], row["value"], row["high"] or 0) for row in rows])
    far = min(far, 1.02)
    axes.plot([0, far], [0, far], color=GREY, linestyle=(0, (4, 3)), linewidth=1.3)
    axes.text(0.03, 0.97, "dashed: said = happened", transform=axes.transAxes, va="top", fontsize=13, color=GREY)
    curve = data.get("curve") or []
    if curve:
        at = [point["predicted"] for point in curve]
        low, high = ([point[name] for point in curve] for name in ("low", "high"))
        axes.fill_between(at, low, high, color=BLUE, alpha=0.15, linewidth=0)
        axes.plot(at, [point["observed"] for point in curve], color=BLUE, linewidth=1.3)
    for row in rows:
        if row["low"] is not None and row["high"] is not None:
            axes.plot([row["predicted"]] * 2, [row["low"], row["high"]], color=BLUE, linewidth=2)
        axes.plot(row["predicted"], row["value"], "o", color=BLUE, markersize=8)
    axes.set(xlim=(0, far), ylim=(0, far), xlabel="What the model said", ylabel=data["axis"])
    if width == "wide":
        axes.set_aspect("equal", anchor="W")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(matplotlib.ticker.MaxNLocator(5))
        axis.set_major_formatter(_percent())
    return figure


def bars(data: Mapping[str, Any], width: Width) -> Figure:
    """Lengths, longest first. `data`: ``rows`` (label, value), ``axis``, ``unit``."""
    rows: Sequence[Mapping[str, Any]] = data["rows"]
    narrow = width == "narrow"
    figure = Figure(figsize=(INCHES[width], (0.62 if narrow else 0.4) * len(rows) + 1.1), layout="constrained")
    axes = figure.add_subplot()
    for place, row in enumerate(reversed(rows)):
        axes.barh(place, row["value"], height=0.34 if narrow else 0.6, color=BLUE)
        axes.annotate(_said(row["value"], data["unit"]), (row["value"], place), xytext=(5, 0),
                      textcoords="offset points", va="center", fontsize=13)  # fmt: skip
        if narrow:
            axes.text(
                0, place + 0.24, textwrap.shorten(row["label"], 46, placeholder=" ..."), fontsize=13, in_layout=False
            )
    longest = max([row["value"] for row in rows] or [1])
    axes.set_xlim(0, (longest or 1) * 1.16)
    axes.set_ylim(-0.6, len(rows) - 0.3)
    axes.set_yticks(range(len(rows)), [] if narrow else [row["label"] for row in reversed(rows)])
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(_wrapped(data["axis"], 40 if narrow else 62))
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(5))
    if data["unit"] == "share":
        axes.xaxis.set_major_formatter(_percent())
    return figure


DRAWINGS: Mapping[str, Callable[[Mapping[str, Any], Width], Figure]] = {
    "frequencies": frequencies,
    "forest": forest,
    "calibration": calibration,
    "bars": bars,
    **evaluation_figures.DRAWINGS,
    **drawings.DRAWINGS,
}


def _forest_line(axes: Axes, place: int, row: Mapping[str, Any]) -> None:
    if row["value"] is None:
        axes.text(0.5, place, row.get("said", "not estimable"), transform=axes.get_yaxis_transform(), va="center",
                  ha="center", fontsize=13, color=GREY, style="italic", in_layout=False,
                  bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})  # fmt: skip
        return
    marked = bool(row.get("marked"))
    colour = BLUE if marked else GREY
    if row["low"] is not None and row["high"] is not None:
        axes.plot([row["low"], row["high"]], [place, place], color=colour, linewidth=3 if marked else 2)
    hollow = row.get("state") == "imprecise"
    axes.plot(row["value"], place, "D" if marked else "o", color=colour, markersize=9,
              markerfacecolor="white" if hollow else colour, markeredgewidth=2)  # fmt: skip


def _reference(axes: Axes, data: Mapping[str, Any]) -> None:
    """A dashed line with its words above it, kept inside the drawing at either end."""
    at = data.get("reference")
    if at is None:
        return
    axes.axvline(at, color=ORANGE, linestyle=(0, (4, 3)), linewidth=1.5, zorder=0)
    near, far = axes.get_xlim()
    place = (at - near) / (far - near)
    side = "left" if place < 0.25 else "right" if place > 0.75 else "center"
    axes.annotate(data.get("reference_said", ""), (at, 1), xycoords=axes.get_xaxis_transform(), xytext=(0, 3),
                  textcoords="offset points", color=ORANGE, fontsize=13, ha=side, va="bottom")  # fmt: skip


def _scale(axes: Axes, unit: str, rows: Sequence[Mapping[str, Any]], reference: float | None) -> None:
    ends = [end for row in rows for end in (row["value"], row["low"], row["high"]) if end is not None]
    ends += [] if reference is None else [reference]
    near, far = (min(ends), max(ends)) if ends else (0.0, 1.0)
    room = 0.06 * (far - near) or 0.02
    if unit == "share":
        near, far = max(0.0, near - room), min(1.0, far + room)
    else:
        near, far = near - room, far + room
    axes.set_xlim(near, far)
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(5))
    if unit == "share":
        axes.xaxis.set_major_formatter(_percent())


def _percent() -> Any:
    """Ticks as percent with the decimals that each needs: 2.5% must never be written as 2%."""
    return matplotlib.ticker.FuncFormatter(lambda share, _: f"{100 * share:.4g}%")


def _said(value: float, unit: str) -> str:
    return f"{100 * value:.0f}%" if unit == "share" else f"{value:,.3f}"


def _wrapped(text: str, width: int) -> str:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) + 1 > width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)

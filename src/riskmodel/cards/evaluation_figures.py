"""The plots of an evaluation card: an effect before and after the start, and what moved where at which lag.

They follow the rules of `figures`: the same data give the same bytes, nothing is told by colour alone, and what is not
estimable is said in words. No drawing computes a figure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import matplotlib.patches
import matplotlib.ticker
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BLUE, _ORANGE, _GREY, _PALE = "#12436d", "#c8500a", "#505a5f", "#d9dee2"
_INCHES: Mapping[str, float] = {"wide": 10.0, "narrow": 4.9}


def event_study(data: Mapping[str, Any], width: Literal["wide", "narrow"]) -> Figure:
    """Effects by time since the start. `data`: ``rows`` (event_time, estimate, low, high, state), ``axis``, ``across``.

    Periods before the start are hollow circles: there the policy cannot have done anything.
    """
    rows: Sequence[Mapping[str, Any]] = [row for row in data["rows"] if row["estimate"] is not None]
    figure = Figure(figsize=(_INCHES[width], 4.4 if width == "wide" else 4.0), layout="constrained")
    axes = figure.add_subplot()
    axes.axhline(0, color=_GREY, linewidth=1.2)
    axes.axvline(-0.5, color=_ORANGE, linestyle=(0, (4, 3)), linewidth=1.5)
    for row in rows:
        before = row["event_time"] < 0
        colour = _GREY if before else _BLUE
        if row["low"] is not None:
            axes.plot([row["event_time"]] * 2, [row["low"], row["high"]], color=colour, linewidth=2.2)
        axes.plot(row["event_time"], row["estimate"], "o" if before else "D", color=colour, markersize=7,
                  markerfacecolor="white" if before else colour, markeredgewidth=2)  # fmt: skip
    _room(axes, rows)
    axes.annotate("start", (-0.5, 1), xycoords=axes.get_xaxis_transform(), xytext=(4, 3), textcoords="offset points",
                  color=_ORANGE, fontsize=13, va="bottom", ha="center")  # fmt: skip
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(9 if width == "wide" else 6, integer=True))
    axes.yaxis.set_major_locator(matplotlib.ticker.MaxNLocator(5))
    axes.yaxis.set_major_formatter(
        matplotlib.ticker.FuncFormatter(lambda value, _: f"{value:g}".replace("-", "\u2212"))
    )
    axes.xaxis.set_major_formatter(
        matplotlib.ticker.FuncFormatter(lambda value, _: f"{value:g}".replace("-", "\u2212"))
    )
    axes.set_xlabel(data["across"])
    axes.set_ylabel(data["axis"])
    return figure


def effects_matrix(data: Mapping[str, Any], width: Literal["wide", "narrow"]) -> Figure:
    """Outcomes by lag. `data`: ``rows`` (label, cells: relative effect, low, high or None), ``lags``, ``across``.

    A cell shows the change in percent; a filled cell is one whose interval leaves out 0, darker the larger the change,
    blue for less and orange for more. Signs and figures say the same without colour.
    """
    rows: Sequence[Mapping[str, Any]] = data["rows"]
    lags: Sequence[int] = data["lags"]
    shown = lags if width == "wide" else lags[: max(1, min(4, len(lags)))]
    high = 0.62 if width == "wide" else 0.95
    figure = Figure(figsize=(_INCHES[width], high * len(rows) + 1.2), layout="constrained")
    axes = figure.add_subplot()
    narrow = width == "narrow"
    for place, row in enumerate(reversed(rows)):
        for column in range(len(shown)):
            _cell(axes, column, place, row["cells"][column], small=len(shown) > 8)
        if narrow:
            axes.text(-0.48, place + 0.36, row["label"], fontsize=12.5, va="bottom")
    axes.set_xlim(-0.5, len(shown) - 0.5)
    axes.set_ylim(-0.5, len(rows) - (0.15 if narrow else 0.5))
    axes.set_xticks(range(len(shown)), [str(lag) for lag in shown])
    axes.set_yticks(range(len(rows)), [] if narrow else [row["label"] for row in reversed(rows)])
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.set_xlabel(data["across"])
    return figure


DRAWINGS: Mapping[str, Callable[[Mapping[str, Any], Literal["wide", "narrow"]], Figure]] = {
    "event_study": event_study,
    "effects_matrix": effects_matrix,
}


def _cell(axes: Axes, column: int, place: int, cell: Sequence[float | None], *, small: bool) -> None:
    value, low, high = cell
    size = 11 if small else 12.5
    if value is None:
        axes.text(column, place, "\u2013", ha="center", va="center", fontsize=size, color=_GREY)
        return
    told = low is not None and high is not None and not low <= 0 <= high
    face = (_BLUE if value < 0 else _ORANGE) if told else _PALE
    strength = min(1.0, 0.35 + abs(value) * 2) if told else 0.35
    axes.add_patch(
        matplotlib.patches.Rectangle((column - 0.47, place - 0.34), 0.94, 0.68, color=face, alpha=strength, linewidth=0)
    )
    whole = round(100 * value)
    sign = "+" if whole > 0 else "\u2212" if whole < 0 else ""
    ink = "white" if told and strength > 0.55 else "#0b0c0c"
    axes.text(column, place, f"{sign}{abs(whole)}%", ha="center", va="center", fontsize=size, color=ink,
              fontweight="bold" if told else "normal")  # fmt: skip


def _room(axes: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    ends = [end for row in rows for end in (row["estimate"], row["low"], row["high"]) if end is not None] + [0.0]
    low, high = min(ends), max(ends)
    room = 0.1 * (high - low) or 1.0
    axes.set_ylim(low - room, high + room)

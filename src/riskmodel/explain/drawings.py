"""How the plots of explanations are drawn, as SVG: the same data give the same bytes, nothing is told by colour alone.

Only drawing: every figure was worked out elsewhere and stands in the plot's table. `drawn` also makes the cards'
drawings, so that all of them look alike.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Width = Literal["wide", "narrow"]
Drawing = Callable[[Mapping[str, Any], Width], "Figure"]

BLUE, ORANGE, TURQUOISE, GREY, PALE, INK = "#12436d", "#c8500a", "#1b7a70", "#505a5f", "#d9dee2", "#0b0c0c"
INCHES: Final[Mapping[Width, float]] = {"wide": 10.0, "narrow": 4.9}
SETTINGS: Final[dict[Any, Any]] = {
    "svg.hashsalt": "riskmodel",
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 14,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "text.parse_math": False,
    "axes.grid": False,
}
MINUS: Final = "\N{MINUS SIGN}"
_MOST_LINES: Final = 5
_NO_METADATA: Final[Mapping[str, None]] = {"Date": None, "Creator": None, "Format": None, "Type": None}
_LANES: Final = {"high": (0.22, ORANGE), "middle": (0.0, GREY), "low": (-0.22, BLUE), "missing": (-0.4, TURQUOISE)}


def drawn(kind: str, data: Mapping[str, Any], name: str, alt: str, width: Width = "wide") -> str:
    """One of `DRAWINGS` as an ``<svg>`` element with its alternative text."""
    return as_svg(DRAWINGS[kind], data, f"{name}-{width}", alt, width)


def as_svg(drawing: Drawing, data: Mapping[str, Any], name: str, alt: str, width: Width) -> str:
    """What `drawing` draws, as an ``<svg>`` element whose ids begin with `name`."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    with matplotlib.rc_context(SETTINGS):
        figure = drawing(data, width)
        FigureCanvasSVG(figure)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata=dict(_NO_METADATA), transparent=True)
    return _embedded(out.getvalue(), name, alt)


def beeswarm(data: Mapping[str, Any], width: Width) -> Figure:
    """Four lanes a feature (high, middle, low, missing values); the larger the mark, the more people."""
    from matplotlib.lines import Line2D

    features: Sequence[str] = data["features"]
    figure, axes = _axes(width, (0.62 if width == "wide" else 1.2) * len(features) + 1.6)
    most = max([row["people"] for row in data["rows"]] or [1])
    for row in data["rows"]:
        lane, colour = _LANES[row["value"]]
        at = len(features) - 1 - features.index(row["feature"]) + lane
        axes.scatter((row["low"] + row["high"]) / 2, at, s=8 + 130 * row["people"] / most, color=colour, linewidth=0)
    axes.axvline(0, color=GREY, linewidth=1, zorder=0)
    _names_of_lanes(axes, list(reversed(features)), width)
    axes.set_xlabel(_said_in(width, "Adds to the score, log-odds; the larger a mark, the more people"))
    marks = [Line2D([], [], marker="o", linestyle="", color=colour) for _, colour in _LANES.values()]
    labels = ["upper lane: high values", "middle values", "low values", "lowest lane: no value"]
    columns = 4 if width == "wide" else 1
    figure.legend(marks, labels, loc="outside upper left", ncols=columns, frameon=False, fontsize=11)
    return figure


def dependence(data: Mapping[str, Any], width: Width) -> Figure:
    """Mean contribution in each band with its interval, bands from low to high."""
    rows = list(reversed(data["rows"]))
    figure, axes = _axes(width, 0.45 * len(rows) + 1.2)
    for at, row in enumerate(rows):
        axes.plot([row["mean_low"], row["mean_high"]], [at, at], color=BLUE, linewidth=2)
        axes.plot(row["mean"], at, "o", color=BLUE, markersize=8)
    axes.axvline(0, color=GREY, linewidth=1, zorder=0)
    _names(axes, [row["values"] for row in rows], width)
    axes.set_xlabel(_said_in(width, "Mean addition to the score, log-odds (95% interval)"))
    return figure


def by_group(data: Mapping[str, Any], width: Width) -> Figure:
    """One line for each name and group; what is clear of 0 is filled."""
    rows = list(reversed(data["rows"]))
    figure, axes = _axes(width, (0.42 if width == "wide" else 0.66) * len(rows) + 1.2)
    for at, row in enumerate(rows):
        if row["gap"] is None:
            words = {"va": "center", "ha": "center", "fontsize": 11, "style": "italic", "color": GREY}
            axes.text(0.5, at, "not estimable", transform=axes.get_yaxis_transform(), in_layout=False, **words)
            continue
        clear = not row["gap_low"] <= 0 <= row["gap_high"]
        axes.plot([row["gap_low"], row["gap_high"]], [at, at], color=BLUE if clear else GREY, linewidth=2)
        axes.plot(row["gap"], at, "o", color=BLUE if clear else GREY, markerfacecolor=BLUE if clear else "white")
    axes.axvline(0, color=GREY, linewidth=1, zorder=0)
    _names_of_lanes(axes, [f"{row['name']}: {row['group']}" for row in rows], width)
    axes.set_xlabel(_said_in(width, "Mean addition less that of everybody else, log-odds; filled: clear of 0"))
    return figure


def waterfall(data: Mapping[str, Any], width: Width) -> Figure:
    """Steps from the base to the score."""
    rows = data["rows"]
    figure, axes = _axes(width, 0.48 * (len(rows) + 2) + 1.0)
    names = ["where everybody begins", *(row["name"] for row in rows), "this score"]
    count = len(names)
    axes.use_sticky_edges = False
    for at, row in enumerate(rows):
        raises = row["adds"] > 0
        axes.plot([row["from"]] * 2, [count - 1 - at, count - 2 - at], color=GREY, linewidth=1, zorder=0)
        axes.barh(count - 2 - at, row["adds"], left=row["from"], height=0.6, color=ORANGE if raises else BLUE)
        axes.annotate(_signed(row["adds"]), (max(row["from"], row["to"]), count - 2 - at), xytext=(5, 0),
                      textcoords="offset points", va="center", fontsize=12)  # fmt: skip
    axes.plot([data["total"]] * 2, [1, 0], color=GREY, linewidth=1, zorder=0)
    for at, place in ((count - 1, data["base"]), (0, data["total"])):
        said = f"{place:.2f}".replace("-", MINUS)
        axes.plot(place, at, "D", color=INK, markersize=8)
        axes.annotate(said, (place, at), xytext=(9, 0), textcoords="offset points", va="center", fontsize=12)
    axes.margins(x=0.12)
    _names(axes, list(reversed(names)), width)
    axes.set_xlabel("Log-odds before calibration")
    return figure


DRAWINGS: Final[Mapping[str, Drawing]] = {
    "beeswarm": beeswarm,
    "dependence": dependence,
    "by_group": by_group,
    "waterfall": waterfall,
}


def _axes(width: Width, height: float) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(INCHES[width], height), layout="constrained")
    return figure, figure.add_subplot()


def _signed(size: float) -> str:
    """A size with its sign: ``+0.28``."""
    return f"{size:+.2f}".replace("-", MINUS)


def _said_in(width: Width, words: str) -> str:
    """What an axis shows, in as many lines as it needs."""
    return textwrap.fill(words, 80 if width == "wide" else 40)


def _names_of_lanes(axes: Any, names: Sequence[str], width: Width) -> None:
    """Names beside the lines; on a narrow page above them, where there is room for a sentence."""
    _names(axes, names if width == "wide" else [""] * len(names), width)
    if width == "narrow":
        for at, name in enumerate(names):
            words = textwrap.fill(name, 46, max_lines=2, placeholder=" ...")
            axes.text(
                0, at + 0.26, words, transform=axes.get_yaxis_transform(), fontsize=11, va="bottom", in_layout=False
            )
        axes.set_ylim(-0.6, len(names) - 0.1)


def _names(axes: Any, names: Sequence[str], width: Width) -> None:
    """The names of the lines beside them, wrapped and cut where they are very long; from the lowest to the highest."""
    at_most = 38 if width == "wide" else 18
    wrapped = [textwrap.fill(name, at_most, max_lines=_MOST_LINES, placeholder=" ...") for name in names]
    axes.set_yticks(range(len(names)), wrapped, fontsize=11)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _embedded(text: str, name: str, alt: str) -> str:
    """The drawing without its XML head, with ids of its own, in the page's type, and with its words."""
    box = re.search(r'viewBox="([^"]*)"', text)
    if box is None:
        raise RuntimeError("the drawing has no viewBox; matplotlib has changed its SVG")
    inside = text[text.index(">", text.index("<svg")) + 1 :]
    for left_out in (r"<metadata>.*?</metadata>", r"<!--.*?-->", r"<style.*?</style>", r"<defs>\s*</defs>"):
        inside = re.sub(left_out, "", inside, flags=re.DOTALL)
    inside = re.sub(r"<[^>]*>", lambda tag: _own_tag(tag[0], name), inside)
    head = (
        f'<svg class="drawing {name.rsplit("-", 1)[1]}" viewBox="{box[1]}" role="img" aria-label="{_attribute(alt)}">'
    )
    return re.sub(r"\s*\n\s*", "\n", head + inside).strip()


def _own_tag(tag: str, name: str) -> str:
    """One tag with its ids under the drawing's name and without a typeface of its own."""
    tag = re.sub(r'\bid="', f'id="{name}-', tag).replace("url(#", f"url(#{name}-")
    tag = re.sub(r'xlink:href="#', f'href="#{name}-', tag)
    return re.sub(r"font-family: [^;\"]*;? ?", "", tag)


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")

"""An audit as a notebook shows it: first what was found, in sentences; then the figures; then the method, folded."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from riskmodel.fairness.estimability import IMPRECISE, NOT_ESTIMABLE
from riskmodel.fairness.findings import WORDS, Finding
from riskmodel.fairness.measures import MEASURE
from riskmodel.fairness.rules import Row

if TYPE_CHECKING:
    import pandas as pd

TITLES: Final = {
    "differs": "Shown to differ beyond chance",
    "not_shown": "No difference was shown",
    "not_compared": "Could not be compared",
    "not_estimable": "Not estimable",
}
SHEET: Final = "border-collapse:collapse;margin:.8em 0;font-size:.85em"
CELL: Final = "padding:.2em .45em;text-align:right;white-space:nowrap"
HEAD: Final = "padding:.2em .45em;text-align:right;border-bottom:1px solid #8a97a5"
NAME: Final = "padding:.2em .45em;text-align:left;white-space:nowrap"


def audit_html(findings: Sequence[Finding], table: pa.Table, tests: pa.Table, method: str) -> str:
    """The whole audit as HTML without scripts or outside files."""
    parts = ['<section aria-label="Audit by group">']
    for says, title in TITLES.items():
        own = [finding for finding in findings if finding.says == says]
        if own:
            lines = "".join(f"<li>{_text(finding.sentence)}</li>" for finding in own)
            opened = " open" if says == "differs" else ""
            parts.append(f"<details{opened}><summary><b>{title}</b> ({len(own)})</summary><ul>{lines}</ul></details>")
    if not any(finding.says == "differs" for finding in findings):
        parts.insert(1, "<p>No difference between groups was shown beyond what chance would give. That is not proof"
                        " that there is none.</p>")  # fmt: skip
    rows = table.to_pylist()
    for attribute in dict.fromkeys(row["attribute"] for row in rows):
        parts.append(_figures(attribute, [row for row in rows if row["attribute"] == attribute], tests.to_pylist()))
    parts.append(f"<details><summary>Method</summary><p>{_text(method)}</p></details></section>")
    return "".join(parts)


def told_html(title: str, findings: Sequence[str], tables: Mapping[str, pd.DataFrame]) -> str:
    """Findings as a list, and tables folded below: how everything beside an audit shows itself in a notebook."""
    lines = "".join(f"<li>{_text(said)}</li>" for said in findings)
    parts = [f'<section aria-label="{_text(title)}"><p><b>{_text(title)}</b></p><ul>{lines}</ul>']
    for caption, table in tables.items():
        shown = table.to_html(index=False, border=0, na_rep="", float_format=lambda value: f"{value:.3g}")
        wide = f'<div style="overflow-x:auto">{shown}</div>'
        parts.append(f"<details><summary>{_text(caption)} ({len(table)} rows)</summary>{wide}</details>")
    return "".join(parts) + "</section>"


def _figures(attribute: str, rows: list[Row], tests: list[Row]) -> str:
    metrics = [name for name in dict.fromkeys(row["metric"] for row in rows) if MEASURE[name].headline]
    cells = {(row["group"], row["metric"]): row for row in rows}
    groups = list(dict.fromkeys(row["group"] for row in rows))
    heads = "".join(f'<th scope="col" style="{HEAD}">{_text(_title(name))}</th>' for name in ("people", *metrics))
    body = "".join(
        f'<tr><th scope="row" style="{NAME}">{_text(group)}</th><td style="{CELL}">'
        f"{cells[group, metrics[0]]['people']:,}</td>"
        + "".join(_cell(cells[group, name]) for name in metrics)
        + "</tr>"
        for group in groups
    )
    chance = {row["metric"]: row["p_adjusted"] for row in tests if row["attribute"] == attribute}
    foot = "".join(f'<td style="{CELL}">{_chance(chance.get(name))}</td>' for name in metrics)
    said = f"<b>By {_text(attribute)}</b>, 95 % intervals below the figures; * imprecise; p: are all groups alike?"
    return (
        f'<div style="overflow-x:auto"><table style="{SHEET}"><caption style="text-align:left">{said}</caption>'
        f"<thead><tr><th></th>{heads}</tr></thead><tbody>{body}</tbody>"
        f'<tfoot><tr><th scope="row" style="{NAME}">p</th><td></td>{foot}</tr></tfoot></table></div>'
    )


def _cell(row: Row) -> str:
    if row["state"] == NOT_ESTIMABLE:
        return f'<td style="{CELL}"><i>not estimable</i></td>'
    low, high = (f"{row[end]:.2f}" if row[end] is not None else "?" for end in ("low", "high"))
    star = "*" if row["state"] == IMPRECISE else ""
    return f'<td style="{CELL}">{row["value"]:.2f}{star}<br><small>{low} to {high}</small></td>'


def _chance(p: Any) -> str:
    return "" if p is None else "&lt; 0.001" if p < 0.001 else f"{p:.3f}"


def _title(name: str) -> str:
    return WORDS.get(name, name)


def _text(value: str) -> str:
    return html.escape(str(value))

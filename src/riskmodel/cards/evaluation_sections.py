"""What happened: the first sections of an evaluation card, each from its document; none works out a figure.

The order is that of a reader's questions: what happened, what was done, when did it change, what moved where. Work for
others, people at the edge and the gap are in `evaluation_elsewhere`, how sure it all is in `evaluation_assurance`.
"""

from __future__ import annotations

from typing import Any, Final

from riskmodel.cards.blocks import (
    Block,
    Callout,
    Column,
    Facts,
    Figure,
    Paragraph,
    Section,
    Table,
    text_blocks,
)
from riskmodel.cards.evaluation_given import EvaluationGiven, Row, chance_words
from riskmodel.cards.words import capital, day_words, listed, plain

_MEANINGS: Final = {"harm": "Harm", "demand": "Work made"}


def finding(given: EvaluationGiven) -> Section:
    """The answer in words, its grade, and what each agency saw, as one picture."""
    evaluation = given.evaluation
    blocks: list[Block] = [
        Paragraph(evaluation["finding"], lead=True),
        Callout(f"Strength of the evidence: {_lower(evaluation['grade']['words'])}."),
    ]
    if evaluation["conclusion"]["answer"] == "recording changed":
        blocks.append(Callout("The fall in the records is not accepted as a fall of harm.", tone="warning"))
    for name in evaluation["conclusion"]["harmed"]:
        blocks.append(Callout(f"Harm to people at the edge: {name}.", tone="warning"))
    blocks.append(_forest(given))
    blocks.append(_effects_table(given))
    return Section("finding", "What happened", tuple(blocks))


def policy(given: EvaluationGiven) -> Section:
    """What was done, where, and what the question was."""
    evaluation, plan = given.evaluation, given.evaluation["plan"]
    units, periods = evaluation["units"], evaluation["periods"]
    since = f"{periods['n']} {given.period}s from {day_words(periods['first'])}"
    rows = tuple(
        (
            "Never" if wave["from"] == "never" else day_words(wave["from"]),
            given.number(f"wave.{number}", wave["units"], unit="count"),
        )
        for number, wave in enumerate(evaluation["waves"])
    )
    unit = plan["unit"]
    blocks: tuple[Block, ...] = (
        *text_blocks(given.text["policy"]),
        Facts(
            (
                ("The question", plan["question"]),
                ("Who has it", f"{units['treated']} of {units['n']} {unit}s, chosen {evaluation['assigned']}"),
                (
                    "Watched",
                    f"{since}, {periods['before']} of them before the first start",
                ),
                ("The need it answers", evaluation["links"]["need"]),
                ("Risk models it rests on", listed(evaluation["links"]["risk_models"]) or "none"),
            )
        ),
        Table(f"When {unit}s began", (Column("From"), Column(capital(f"{unit}s"), "count")), rows, "evaluation"),
    )
    return Section("policy", "What was done", blocks)


def over_time(given: EvaluationGiven) -> Section:
    """Each outcome before and after the start."""
    blocks: list[Block] = [
        Paragraph(
            "Each point compares units with the policy and units without, that many "
            f"{given.period}s before or after the start. Points before the start should lie around 0: there, nothing "
            "had been done. Lines are 95% intervals."
        )
    ]
    for outcome in given.outcomes:
        blocks += _event_study(given, outcome)
    return Section("over-time", "Before and after", tuple(blocks))


def matrix(given: EvaluationGiven) -> Section:
    """Agency by lag: what moved where, and when."""
    lags = sorted({row["event_time"] for each in given.outcomes for row in each["path"] if row["event_time"] >= 0})
    rows = [{"label": label(each), "cells": [_relative(each, lag) for lag in lags]} for each in given.outcomes]
    across = f"{capital(given.period)}s since the start"
    columns = (Column("Outcome"), *(Column(str(lag), "share") for lag in lags))
    cells = tuple((str(row["label"]), *(cell[0] for cell in row["cells"])) for row in rows)
    said = [f"{row['label']}: {_said_cells(lags, row['cells'])}" for row in rows]
    blocks: tuple[Block, ...] = (
        Paragraph(
            "One policy, every agency: the change of each outcome, as a share of what there would have been without "
            "the policy. Filled cells are changes whose interval leaves out 0; chance fills about one cell in twenty."
        ),
        Figure("effects_matrix", "Change of each outcome by time since the start", " ".join(said),
               {"rows": rows, "lags": lags, "across": across}, "evaluation"),
        Table("Change by time since the start", columns, cells, "evaluation", folded=True),
    )  # fmt: skip
    return Section("matrix", "What moved where, and when", blocks)


def _effects_table(given: EvaluationGiven) -> Table:
    columns = (
        Column("Outcome"), Column("Effect", "number_interval"), Column("Without it", "number"), Column("p"),
        Column("What that says"), Column("Could be missed below"),
    )  # fmt: skip
    rows = tuple(
        (
            _outcome_words(each),
            given.interval(f"effect.{each['name']}", each),
            each["without_policy"],
            chance_words(each["p_value"] if each["placebo"] else each["p_family"]),
            _says(each),
            f"{each['detectable']:.2g}" if each["detectable"] else "",
        )
        for each in given.outcomes
    )
    note = (
        f"For each {given.evaluation['plan']['unit']} and {given.period}. p-values hold the chance of any false alarm "
        "over all outcomes together (Holm); that of an outcome that cannot move stands alone."
    )
    return Table("Every agency's outcomes", columns, rows, "evaluation", note, marked=(0,))


def _says(each: Row) -> str:
    if each["state"] == "not_estimable":
        return f"Not estimable: {each['reason']}"
    p_value = each["p_value"] if each["placebo"] else each["p_family"]
    if p_value is not None and p_value < 0.05:
        return "Fewer" if each["estimate"] < 0 else "More"
    return "No change shown"


def _outcome_words(each: Row) -> str:
    """An outcome with its agency, and what kind of thing it is."""
    kind = "cannot move" if each["placebo"] else _MEANINGS[each["meaning"]].lower()
    return f"{capital(plain(each['name']))} ({plain(each['agency'])}): {kind}"


def _forest(given: EvaluationGiven) -> Figure:
    rows = []
    for each in given.outcomes:
        value, low, high = each["relative"]
        rows.append(
            {
                "label": label(each),
                "value": value,
                "low": low,
                "high": high,
                "state": each["state"],
                "marked": each["primary"],
            }
        )
    percent = [
        {**row, **{name: None if row[name] is None else 100 * row[name] for name in ("value", "low", "high")}}
        for row in rows
    ]
    said = "; ".join(
        f"{row['label']} {row['value']:+.0f}% ({row['low']:+.0f}% to {row['high']:+.0f}%)" if row["value"] is not None
        else f"{row['label']} not estimable"
        for row in percent
    )  # fmt: skip
    data = {
        "rows": percent,
        "axis": "Change, % of what there would have been",
        "unit": "number",
        "reference": 0.0,
        "reference_said": "no change",
    }
    return Figure(
        "forest", "Change of each agency's outcomes", f"Change with 95% intervals: {said}.", data, "evaluation"
    )


def _event_study(given: EvaluationGiven, outcome: Row) -> list[Block]:
    rows = tuple(
        (
            f"{row['event_time']:+d}".replace("+0", "0"),
            given.interval(f"path.{outcome['name']}.{row['event_time']}", row, n=row["n_treated"]),
        )
        for row in outcome["path"]
    )
    after = [row for row in outcome["path"] if row["event_time"] >= 0 and row["estimate"] is not None]
    ends = (
        f"from {after[0]['estimate']:+.2g} in the first to {after[-1]['estimate']:+.2g} in the last"
        if after
        else "nothing"
    )
    name = plain(outcome["name"])
    alt = f"Effect on {name} by {given.period} since the start: {ends} {given.period}; the table holds every point."
    unit = given.evaluation["plan"]["unit"]
    data = {
        "rows": list(outcome["path"]),
        "axis": f"{capital(name)} a {given.period}",
        "across": f"{capital(given.period)}s since the start",
    }
    caption = f"{capital(name)} ({plain(outcome['agency'])}), effect in each {unit}"
    columns = (Column(f"{capital(given.period)}s since the start"), Column("Effect", "number_interval"))
    return [
        Figure("event_study", caption, alt, data, "evaluation"),
        Table(f"{caption}, every point", columns, rows, "evaluation", folded=True),
    ]


def label(each: Row) -> str:
    return f"{capital(plain(each['name']))} ({plain(each['agency'])})"


def _relative(each: Row, lag: int) -> list[float | None]:
    row = next((row for row in each["path"] if row["event_time"] == lag), None)
    without = each["without_policy"]
    if row is None or row["estimate"] is None or not without or without <= 0:
        return [None, None, None]
    return [None if row[name] is None else row[name] / without for name in ("estimate", "low", "high")]


def _said_cells(lags: list[int], cells: Any) -> str:
    told = [f"{100 * cell[0]:+.0f}% at {lag}" for lag, cell in zip(lags, cells, strict=True) if _leaves_out_0(cell)]
    return (listed(told) if told else "no change shown at any time") + "."


def _leaves_out_0(cell: Any) -> bool:
    return cell[1] is not None and cell[2] is not None and not cell[1] <= 0 <= cell[2]


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]

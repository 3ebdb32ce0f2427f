"""What moved elsewhere: work for the agencies together, people at the edge, and the gap between most and least in need.

Sections of the evaluation card, each from the evaluation's document; none works out a figure.
"""

from __future__ import annotations

from riskmodel.cards.blocks import Block, Bullets, Cell, Column, Heading, Paragraph, Section, Table
from riskmodel.cards.evaluation_given import EvaluationGiven, chance_words
from riskmodel.cards.words import capital, listed, plain, with_minus


def elsewhere(given: EvaluationGiven) -> Section:
    """Work moved between agencies, net demand, and people at the edge."""
    evaluation = given.evaluation
    blocks: list[Block] = [Heading("Work for the agencies together"), *_net(given)]
    moved = [f"{source} fell while {target} rose" for source, target in evaluation["conclusion"]["moved"]]
    said = f"Work moved: {'; '.join(moved)}." if moved else "No shift of work from one agency to another is shown."
    blocks.append(Paragraph(said))
    blocks.append(Heading("People at the edge"))
    blocks += _edges(given)
    return Section("elsewhere", "What moved elsewhere", tuple(blocks))


def inequality(given: EvaluationGiven) -> Section | None:
    """The gap between those most and least in need."""
    made = given.evaluation["inequality"]
    if not made:
        return None
    ranked = given.evaluation["plan"]["ranked_by"]
    groups = len(made[0]["groups"])
    columns = (
        Column("Outcome"),
        Column("Third" if groups == 3 else "Group"),
        Column("Before", "number"),
        Column("Effect", "number_interval"),
    )
    rows: list[tuple[Cell, ...]] = []
    for each in made:
        for number, (group, level) in enumerate(zip(each["groups"], each["levels"], strict=True)):
            key = f"inequality.{each['outcome']}.{number}"
            named = "least in need" if number == 0 else "most in need" if number == groups - 1 else "between"
            rows.append(
                (plain(each["outcome"]), named, given.number(f"{key}.before", level), given.interval(key, group))
            )
    changes = tuple(
        (capital(plain(each["outcome"])), given.number(f"gap.{each['outcome']}.before", each["gap_before"]),
         given.interval(f"gap.{each['outcome']}", each["gap"]),
         given.interval(f"slope.{each['outcome']}", each["slope"]))
        for each in made
    )  # fmt: skip
    blocks: tuple[Block, ...] = (
        Bullets(tuple(with_minus(each["sentence"]) for each in made)),
        Table("The gap and the slope", (Column("Outcome"), Column("Gap before", "number"),
              Column("Change of the gap", "number_interval"), Column("Change of the slope index", "number_interval")),
              changes, "evaluation", f"Ranked by {ranked}. The gap is that between the groups most and least in need."),
        Table(f"Effect by {ranked}", columns, tuple(rows), "evaluation", folded=True),
    )  # fmt: skip
    return Section("inequality", "Did the gap change", blocks)


def _net(given: EvaluationGiven) -> list[Block]:
    net = given.evaluation["net_demand"]
    if net is None:
        return [Paragraph("The plan names no outcome that is work for an agency.")]
    total = given.interval("net.total", {**net, "estimate": net["total"]})
    if total["value"] is None or total["low"] is None:
        return [Paragraph("Net work cannot be estimated.")]
    words = [_amount(total[name], net["unit"]) for name in ("value", "low", "high")]
    crosses = total["low"] <= 0 <= total["high"]
    said = "No change of the sum is shown" if crosses else "The sum rose" if total["value"] > 0 else "The sum fell"
    unit = given.evaluation["plan"]["unit"]
    names = capital(listed([plain(name) for name in net["outcomes"]]))
    where = f"over all {unit}s and {given.period}s with the policy"
    rows = tuple(
        (str(row["event_time"]), given.interval(f"net.{row['event_time']}", row, n=row["n_treated"]))
        for row in net["path"]
    )
    columns = (Column(f"{capital(given.period)}s since the start"), Column(f"Net, {net['unit']}", "number_interval"))
    return [
        Paragraph(f"{names} added up: {words[0]} ({words[1]} to {words[2]}) {where}. {said}."),
        Table(f"Net work by time since the start, each {unit}", columns, rows, "evaluation", folded=True),
    ]


def _amount(value: float, unit: str) -> str:
    """An amount with its sign and unit.

    Examples
    --------
    >>> _amount(1200.0, "pounds"), _amount(-3.2, "events")
    ('+£1,200', '−3 events')
    """
    sign = "−" if value < 0 else "+"
    return f"{sign}£{abs(value):,.0f}" if unit == "pounds" else f"{sign}{abs(value):,.0f} {unit}"


def _edges(given: EvaluationGiven) -> list[Block]:
    made = given.evaluation["spillovers"]
    if not made:
        return [Paragraph("The plan looks at nobody beyond those to whom something was done.")]
    rows = tuple(
        (
            capital(each["name"]),
            capital(plain(each["outcome"]["name"])),
            _hidden(each["counts"]["exposed"]),
            given.interval(f"edge.{each['name']}", each),
            chance_words(each["p_family"]),
        )
        for each in made
    )
    columns = (
        Column("Who"),
        Column("What is counted"),
        Column("Reached", "count"),
        Column("Effect", "number_interval"),
        Column("p, all outcomes"),
    )
    note = f"For each person and {given.period}, against others with that tie. Counts are rounded."
    return [Table("Effects on people at the edge", columns, rows, "evaluation", note)]


def _hidden(count: int | None) -> Cell:
    return "suppressed" if count is None else count

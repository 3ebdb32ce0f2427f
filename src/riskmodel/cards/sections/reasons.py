"""What the model leans on, by family and by feature, how far that holds still, and what such reasons cannot say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskmodel.cards.blocks import Block, Callout, Cell, Column, Figure, Heading, Paragraph, Section, Table
from riskmodel.cards.disclosed import count_cell, count_or_none
from riskmodel.cards.evidence import Claim, share_words
from riskmodel.cards.given import Given, cell
from riskmodel.cards.sections.steadiness import told, withheld
from riskmodel.cards.words import capital, group_words, plain
from riskmodel.explain.by_group import EVERYBODY as ALL
from riskmodel.explain.explanation import YEAR
from riskmodel.explain.families import FAMILY
from riskmodel.explain.plots import beeswarm, by_group
from riskmodel.explain.summary import CANNOT

_SHOWN = 12
_WHY = {
    "lightgbm": " So features that go together share the credit, and one may be named for what another tells. Set alone"
    " against other people (interventional values), a feature that the trees never split on would get nothing; the two"
    " can order reasons differently."
}
"""Why the way in which contributions are worked out matters, by kind of model."""
_CLEAR = 0.3


def reasons(given: Given) -> Section:
    """Global importance by family and feature."""
    explanation = given.explanation
    settings = explanation.settings
    families = explanation.rows("family")
    for row in families:
        given.worked_out(f"reasons.family.{row['name']}", row["share"], "explanation", unit="share")
    blocks: list[Block] = [
        Callout(CANNOT, "warning"),
        Paragraph(
            f"Over {settings['rows']:,} rows drawn from {settings['of_rows']:,}, each feature's part in each score was"
            f" worked out exactly ({settings['method']}).{_WHY.get(settings['kind'], '')} Features that look at the"
            " same events are told as one family."
        ),
        *_importance(families),
        *_stability(given),
        *told(given),
        *withheld(given),
    ]
    blocks += [*_where_from(given), *_groups(given), _features(given), *_cloud(given)]
    return Section("reasons", "What the model leans on", tuple(blocks))


def reason_stability(given: Given) -> float | None:
    """Of the three largest reasons of rows with high scores, the share that stays when the model is made again."""
    kept = [one.high_rows for one in given.explanation.overlaps if one.level == "family"]
    return kept[0] if kept else None


def _importance(families: list[dict[str, Any]]) -> list[Block]:
    first, rest = families[:_SHOWN], families[_SHOWN:]
    rows: list[dict[str, Any]] = [{"label": capital(row["name"]), "value": row["share"] or 0.0} for row in first]
    if rest:
        rows.append({"label": f"{len(rest)} other families", "value": sum(row["share"] or 0.0 for row in rest)})
    said = "; ".join(f"{row['label']} {share_words(row['value'])}" for row in rows)
    data = {"rows": rows, "axis": "Share of all contributions to scores", "unit": "share"}
    return [
        Figure(
            "bars", "What the model leans on, by family", f"Share of all contributions. {said}.", data, "explanation"
        ),
        _shares("Share of all contributions, by family", "Family", families),
    ]


def _shares(caption: str, heading: str, rows: list[dict[str, Any]]) -> Table:
    cells = tuple((capital(row["name"]), row["share"], row["mean_abs"]) for row in rows)
    columns = (Column(heading), Column("Share", "share"), Column("Mean size, log-odds", "number"))
    return Table(caption, columns, cells, source="explanation", folded=len(cells) > _SHOWN)


def _stability(given: Given) -> list[Block]:
    kept, settings = reason_stability(given), given.explanation.settings
    people = share_words(settings["refit_share_of_people"], 0)
    if kept is None:
        return [Paragraph("Whether reasons stay the same when the model is made again was not measured.")]
    given.worked_out("reasons.stability", kept, "explanation", unit="share")
    return [
        Paragraph(
            f"The model was made again {settings['refits']} times, each on {people} of the people. Where scores are"
            f" high, {share_words(kept, 0)} of the {settings['refit_top']} largest reasons of a row were the same in"
            " both."
        )
    ]


_SOURCES = (
    ("agency", "By the records of each agency", "Records of"),
    ("contact", "By how people came on record", "Records of"),
    ("about", "By whom the records are about", "About"),
)


def _where_from(given: Given) -> list[Block]:
    """Shares with intervals by agency, by enforcement or help, and by person, people tied to them or place."""
    blocks: list[Block] = []
    for level, heading, column in _SOURCES:
        rows = [row for row in given.explanation.by_group(ALL, level) if row["share"] is not None]
        if len(rows) < 2:
            continue
        rows.sort(key=lambda row: (-row["share"], row["name"]))
        cells = tuple(_share(given, f"reasons.{level}.{row['name']}", row) for row in rows)
        columns = (Column(column), Column("Share", "share_interval"), Column("People", "count"))
        note = "95% intervals, the rows of a person taken together."
        blocks += [
            Heading(heading),
            Table(f"Share of all contributions, {heading.lower()}", columns, cells, "explanation", note),
        ]
    return blocks


def _share(given: Given, key: str, row: Mapping[str, Any]) -> tuple[Cell, ...]:
    """A share of all contributions with its interval, and the people that it rests on."""
    low, high, people = row["share_low"], row["share_high"], row["people"]
    claim = Claim(key, row["share"], "explanation", low, high, count_or_none(people), row["state"], "share")
    return capital(plain(row["name"])), cell(given.evidence.claim(claim)), count_cell(people)


def _groups(given: Given) -> list[Block]:
    """What raises or lowers the scores of groups, and of years, above everybody else's."""
    attributes = dict.fromkeys(given.explanation.groups["attribute"].to_pylist())
    blocks: list[Block] = []
    for attribute in attributes:
        if attribute == ALL:
            continue
        if attribute != YEAR:
            blocks.append(_apart(given, attribute))
        blocks.append(_gaps(given, attribute))
    if not blocks:
        return []
    told = (
        "For each group, what a family of features adds to the score on average, less what it adds among everybody else"
        " (log-odds). The gaps of all families add up to the gap in the mean score. Intervals hold together for all the"
        " lines of a table. A gap says where a difference in scores comes from, not that it is right or wrong."
    )
    return [Heading("Which reasons tell groups and years apart"), Paragraph(told), *blocks]


def _apart(given: Given, attribute: str) -> Figure:
    """Groups by how people came on record; where the records do not say that, by the families that weigh most."""
    ways = {row["name"] for row in given.explanation.by_group(attribute, "contact")}
    plot = by_group(given.explanation, attribute, "contact" if len(ways) > 1 else FAMILY)
    rows = [{**row, "group": group_words(row["group"]), "name": capital(row["name"])} for row in plot.table.to_pylist()]
    return Figure(plot.kind, plot.title, plot.alt, {"rows": rows}, "explanation")


def _gaps(given: Given, attribute: str) -> Table | Paragraph:
    rows = given.explanation.by_group(attribute)
    apart = [row for row in rows if row["gap"] is not None and not row["gap_low"] <= 0 <= row["gap_high"]]
    apart.sort(key=lambda row: (-abs(row["gap"]), row["group"], row["name"]))
    when = "years (drift of reasons)" if attribute == YEAR else attribute
    left_out = sum(row["gap"] is not None for row in rows) - len(apart)
    if not apart:
        gaps = f"None of {left_out} gaps is" if left_out else "No gap can be"
        return Paragraph(f"By {when}: {gaps} {'clear of 0' if left_out else 'estimated'}.")
    cells = tuple(
        (
            group_words(row["group"]),
            capital(row["name"]),
            cell(_gap(given, attribute, row)),
            count_cell(row["people"]),
        )
        for row in apart
    )
    columns = (
        Column(capital(attribute)),
        Column("Family"),
        Column("Gap", "number_interval"),
        Column("People", "count"),
    )
    few = sorted({row["group"] for row in rows if row["state"] != "ok"})
    note = f"{left_out} further gaps are not clear of 0."
    note += f" Of too few people to tell: {', '.join(group_words(group) for group in few)}." if few else ""
    return Table(f"Gaps that are clear of 0, by {when}", columns, cells, "explanation", note, folded=True)


def _gap(given: Given, attribute: str, row: Mapping[str, Any]) -> Claim:
    key, people = f"reasons.gap.{attribute}.{row['group']}.{row['name']}", count_or_none(row["people"])
    ends = row["gap_low"], row["gap_high"]
    return given.evidence.claim(Claim(key, row["gap"], "explanation", *ends, people, row["state"]))


def _cloud(given: Given) -> list[Block]:
    plot = beeswarm(given.explanation)
    if not plot.table.num_rows:
        return []
    cells = tuple(
        (
            row["feature"],
            row["value"],
            row["low"],
            row["high"],
            "suppressed" if row["people"] is None else row["people"],
        )
        for row in plot.table.to_pylist()
    )
    columns = (
        Column("Feature", "code"),
        Column("Value"),
        Column("from", "number"),
        Column("to", "number"),
        Column("People", "count"),
    )
    note = "People by what the feature adds to their score; the outer cells hold all beyond. Counts as they may leave."
    called = {name: capital(given.called_feature(name)) for name in plot.data["features"]}
    rows = [{**row, "feature": called[row["feature"]]} for row in plot.data["rows"]]
    drawn = {"features": list(called.values()), "rows": rows}
    return [
        Figure(plot.kind, plot.title, given.in_words(plot.alt), drawn, "explanation"),
        Table("How contributions lie", columns, cells, "explanation", note, folded=True),
    ]


def _features(given: Given) -> Table:
    rows = tuple(
        (row["name"], row["share"], _direction(row["direction"]), row["missing"])
        for row in given.explanation.rows("feature")
    )
    columns = (
        Column("Feature", "code"),
        Column("Share", "share"),
        Column("A higher value"),
        Column("Missing", "share"),
    )
    note = (
        "A higher value: whether it goes with a higher or a lower score, by rank correlation in these rows. It is not"
        " an effect."
    )
    return Table("Every feature", columns, rows, "explanation", note, folded=True)


def _direction(correlation: float | None) -> str:
    if correlation is None:
        return "no variation"
    if abs(correlation) < _CLEAR:
        return "no clear direction"
    return "goes with a higher score" if correlation > 0 else "goes with a lower score"

"""What the model leans on, by family and by feature, how far that holds still, and what such reasons cannot say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskmodel.cards.blocks import Block, Callout, Column, Figure, Heading, Paragraph, Section, Table
from riskmodel.cards.evidence import share_words
from riskmodel.cards.given import Given
from riskmodel.cards.words import capital
from riskmodel.explain.summary import CANNOT
from riskmodel.models.uncertainty import wilson

_SHOWN = 12
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
            f" worked out exactly ({settings['method']}). Features that look at the same events are told as one family."
        ),
        *_importance(families),
        *_stability(given),
        *_told(given),
    ]
    agencies = explanation.rows("agency")
    if len(agencies) > 1:
        blocks.append(Heading("By the records of each agency"))
        blocks.append(_shares("Share of all contributions, by agency", "Records of", agencies))
    blocks.append(_features(given))
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


def _told(given: Given) -> list[Block]:
    """How many reasons a reader of advice would be told, and for how many people the models made again disagree."""
    steady, settled = (given.explanation.settings.get(name) for name in ("steady", "settled"))
    if not steady:
        return []
    blocks: list[Block] = []
    high = steady["high"]
    rows = round(high["rows"])
    if high["share_told"] is not None and high["no_stable_reason"] is not None:
        told = given.worked_out("reasons.told", high["share_told"], "explanation", rows, "share")
        none = given.worked_out("reasons.no_stable_reason", high["no_stable_reason"], "explanation", rows, "share")
        low, top = wilson(high["no_stable_reason"], rows)
        blocks.append(
            Paragraph(
                f"Advice tells a reason only where nine of ten models made again give it too. Of the reasons of"
                f" {rows:,} rows with high scores, {share_words(told.value, 0)} hold still in that way;"
                f" {share_words(none.value, 0)} ({share_words(low, 0)} to {share_words(top, 0)}) of these rows are left"
                " with none, and their reader is told “no stable reason”."
            )
        )
    if settled:
        blocks.append(_places(given, settled))
    return blocks


def _places(given: Given, settled: Mapping[str, Mapping[str, float]]) -> Table:
    rows = []
    for label, found in settled.items():
        kept = given.worked_out(
            f"reasons.settled.{label}", found["overlap"], "explanation", round(found["people"]), "share"
        )
        open_ones = found["open"] / found["people"]
        given.worked_out(f"reasons.open.{label}", open_ones, "explanation", round(found["people"]), "share")
        rows.append((label, kept.value, open_ones))
    columns = (
        Column("Length of the list", "code"),
        Column("Same people by another model", "share"),
        Column("All people whose place is open", "share"),
    )
    note = (
        "On the newest date of the training set. Open: more than one in ten of the models made again would put this"
        " person on the list, and more than one in ten would not. A list says so beside these people and gives them no"
        " rank."
    )
    return Table("Places on a list that chance decides", columns, tuple(rows), "explanation", note)


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

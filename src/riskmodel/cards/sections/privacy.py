"""What the model gives away of the people who taught it: the attacks on its memory, overall and by group."""

from __future__ import annotations

from typing import Any, Literal

from riskmodel.cards.blocks import Block, Callout, Cell, Column, Heading, Paragraph, Table
from riskmodel.cards.disclosed import count_cell, count_or_none, rule_words
from riskmodel.cards.evidence import Claim
from riskmodel.cards.given import Given, cell, clean
from riskmodel.cards.words import capital, plain
from riskmodel.models.membership import ALL, AUC, BESIDE, OWN, TPR, Membership

_SAID = {
    "clearly": "Somebody who holds the model can clearly tell who taught it. Keep its files with its training data.",
    "slightly": "Somebody who holds the model can do a little better than guessing who taught it.",
    "not shown": "It was not shown that somebody who holds the model can tell who taught it.",
}
_FILES = (
    "The model's files hold no row and no pickle. Ranges and categories are taken out, thresholds are plain numbers"
    " between people's values, and no step of it rests on few rows. Loading them runs nothing."
)


def privacy(given: Given) -> list[Block]:
    """The model's files, and what attacks on them found."""
    blocks: list[Block] = [Heading("What the model gives away of those who taught it"), Paragraph(_FILES)]
    found = given.membership
    if found is None:
        return [
            *blocks,
            Paragraph("Whether people who taught it can be told was not tried: there are too few of them."),
        ]
    kind: Literal["note", "warning"] = "warning" if found.told == "clearly" else "note"
    return [*blocks, Callout(_SAID[found.told], kind), Paragraph(_how(found)), _table(given, found)]


def _how(found: Membership) -> str:
    auc = found.figure(BESIDE)["value"]
    named = "" if auc is None else (
        f" Of two people, one of whom taught the model, the stronger attack named the right one {100 * auc:.0f} times"
        " in 100; guessing names 50."
    )  # fmt: skip
    return (
        "The attacker knows a person's whole record and outcome, and holds the model. One attack looks at how well the"
        " model does on the person, the other at how much better it does than models that never saw the person. Models"
        f" of the same settings were taught on halves of the people and attacked.{named} A stronger attack may exist."
    )


def _table(given: Given, found: Membership) -> Table:
    groups = {(row["attribute"], row["group"]): row for row in found.table.to_pylist()}
    rows = tuple(
        (
            "Everybody" if attribute == ALL else capital(f"{plain(attribute)}: {group}"),
            count_cell(row["n"]),
            *(
                _cell(given, found.figure(attack, metric, attribute, group))
                for attack, metric in ((OWN, AUC), (BESIDE, AUC), (BESIDE, TPR))
            ),
        )
        for (attribute, group), row in groups.items()
    )
    columns = (
        Column("Who"),
        Column("People", "count"),
        Column("By how well it does, AUROC", "number_interval"),
        Column("Beside similar models, AUROC", "number_interval"),
        Column("Found at one false alarm in 100", "share_interval"),
    )
    note = f"95% intervals over draws of people. Guessing has an AUROC of 0.5 and finds 1%. {rule_words()}"
    return Table("Can members be told?", columns, rows, source="membership", note=note, folded=len(rows) > 12)


def _cell(given: Given, figure: dict[str, Any]) -> Cell:
    name = ".".join(str(figure[part]) for part in ("attack", "attribute", "group", "metric"))
    claim = Claim(
        key=f"membership.{name}",
        value=clean(figure["value"]),
        artefact="membership",
        low=clean(figure["low"]),
        high=clean(figure["high"]),
        n=count_or_none(figure["n"]),
        state=figure["state"],
        unit="share" if figure["metric"] == TPR else "number",
        found_at={part: str(figure[part]) for part in ("attack", "attribute", "group", "metric")},
    )
    return cell(given.evidence.claim(claim))

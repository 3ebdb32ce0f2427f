"""What the model gives away of the people who taught it: the attacks on its memory, overall and by group."""

from __future__ import annotations

from typing import Any, Literal

from riskmodel.cards.blocks import Block, Callout, Cell, Column, Heading, Paragraph, Table
from riskmodel.cards.disclosed import count_cell, count_or_none, rule_words
from riskmodel.cards.evidence import Claim, share_words
from riskmodel.cards.given import Given, cell, clean
from riskmodel.cards.words import capital, group_words, plain
from riskmodel.models.group_cells import ALL
from riskmodel.models.membership import AUC, BESIDE, MADE_WITHOUT, NEVER_SEEN, OWN, TPR, Membership

_SAID = {
    "clearly": "Somebody who holds the model can clearly tell who taught it. Keep its files with its training data.",
    "slightly": "Somebody who holds the model can do a little better than guessing who taught it.",
    "not shown": "It was not shown that somebody who holds the model can tell who taught it.",
}
_VALUE_SAID = {
    "clearly": "The model clearly helps.",
    "slightly": "The model helps a little.",
    "not shown": "It was not shown that the model helps.",
}
_FILES = (
    "The model's files hold no row and no pickle. Ranges and categories are taken out, thresholds are plain numbers"
    " between people's values, and no step of it rests on few rows. Loading them runs nothing."
)
_SHOWN = 5


def privacy(given: Given) -> list[Block]:
    """The model's files, and what attacks on them found."""
    blocks: list[Block] = [Heading("What the model gives away of those who taught it"), Paragraph(_FILES)]
    found = given.membership
    if found is None:
        return [
            *blocks,
            Paragraph("Whether people who taught it can be told was not tried: there are too few of them."),
        ]
    kind: Literal["note", "warning"] = "warning" if "clearly" in (found.told, found.value_told) else "note"
    blocks += [Callout(_SAID[found.told], kind), Paragraph(_how(found))]
    blocks += [_table(given, found, beside) for beside in found.sides]
    return [*blocks, *_values(given, found)]


def _how(found: Membership) -> str:
    auc = found.figure(BESIDE)["value"]
    named = "" if auc is None else (
        f" Of two people, one of whom taught the model, the stronger attack named the right one {100 * auc:.0f} times"
        " in 100; guessing names 50."
    )  # fmt: skip
    settings = found.settings
    real = (
        f" Members were told, too, from {settings['strangers']:,} people whom the model never saw."
        if NEVER_SEEN in found.sides
        else " Nobody with a known outcome was held back, so there were no other people to tell members from."
    )
    return (
        "The attacker knows a person's whole record and outcome, and holds the model of this card. One attack looks at"
        " how well the model does on the person, the other at how much better it does than models that never saw the"
        " person. Members are people who taught the model. The other side are the same people as"
        f" {settings['models_made_again']} models see them that were made without them, each from"
        f" {share_words(settings['share_of_people'], 0)} of the people: what the model of this card does better because"
        f" more people taught it counts as told, too, so the attack is overstated rather than understated.{real}{named}"
        " A stronger attack may exist."
    )


def _table(given: Given, found: Membership, beside: str) -> Table:
    held = [row for row in found.table.to_pylist() if row["beside"] == beside]
    groups = {(row["attribute"], row["group"]): row for row in held}
    rows = tuple(
        (
            "Everybody" if attribute == ALL else f"{capital(plain(attribute))}: {group_words(group)}",
            count_cell(row["n"]),
            *(
                _cell(given, found.figure(attack, metric, attribute, group, beside))
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
    whom = "the same people unseen" if beside == MADE_WITHOUT else beside
    note = f"95% intervals over draws of people. Guessing has an AUROC of 0.5 and finds 1%. {rule_words()}"
    caption = f"Can people who taught it be told from {whom}?"
    return Table(caption, columns, rows, source="membership", note=note, folded=len(rows) > 12)


def _cell(given: Given, figure: dict[str, Any]) -> Cell:
    place = ("attack", "beside", "attribute", "group", "metric")
    claim = Claim(
        key=f"membership.{'.'.join(str(figure[part]) for part in place)}",
        value=clean(figure["value"]),
        artefact="membership",
        low=clean(figure["low"]),
        high=clean(figure["high"]),
        n=count_or_none(figure["n"]),
        state=figure["state"],
        unit="share" if figure["metric"] == TPR else "number",
        found_at={part: str(figure[part]) for part in place},
    )
    return cell(given.evidence.claim(claim))


def _values(given: Given, found: Membership) -> list[Block]:
    """The attack on one value that the attacker does not know, of each feature in turn: the worst of them are shown."""
    held = [row for row in found.values.to_pylist() if row["state"] == "ok"]
    if not held:
        return []
    said = (
        "Another attacker knows all of a person but one value, and takes the one under which the model finds what"
        f" became of the person most likely. {_VALUE_SAID[found.value_told]} Each of {len(held)} features was tried on"
        f" {held[0]['n']:,} people; what counts is how much more often the guess is right with this model than with"
        " one made without the person."
    )
    rows = tuple(
        (
            row["feature"],
            given.worked_out(f"membership.value.{row['feature']}.with", row["with_model"], "membership", row["n"],
                             "share").value,
            row["without"],
            row["gain"],
            row["low"],
            row["high"],
        )
        for row in held[:_SHOWN]
    )  # fmt: skip
    columns = (
        Column("Feature", "code"),
        *(Column(name, "share") for name in ("Right with this model", "With one made without them")),
        *(Column(name, "share") for name in ("Gain", "from", "to")),
    )
    note = "The five features with the largest gain; intervals hold together for all features."
    return [
        Paragraph(said),
        Table("Can one value of a person be told?", columns, rows, source="membership", note=note, folded=True),
    ]

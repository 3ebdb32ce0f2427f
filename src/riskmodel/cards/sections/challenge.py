"""Scores on the judged rows of a challenge, beside what others reached, and accuracy against the fairness score.

The section says what was known of the judged rows before the choice, and shows the cap at .5 for what it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskmodel.cards.blocks import Block, Callout, Cell, Column, Heading, Paragraph, Section, Table
from riskmodel.cards.evidence import Claim
from riskmodel.cards.given import Given
from riskmodel.cards.words import capital

_FIGURES = ("men", "women", "average")


def challenge(given: Given) -> Section | None:
    """Every round's scores; None where no rows were set aside to be judged."""
    if given.scored is None:
        return None
    rounds, listed = given.scored["rounds"], f"{given.scored['listed']:.0%}"
    blocks: list[Block] = [
        Paragraph(
            "The people of the challenge's own test sample are scored by models taught on its training sample only."
            " Which model was decided by folds inside the training sample, and the choice was in the ledger before"
            f" anybody was scored (SHA-256 {given.scored['choice'][:12]}).{_only_scored(rounds)}"
        ),
        Callout(str(given.scored["said"]), "warning"),
        Paragraph(" ".join(_verdict(made) for made in rounds)),
        _choices(rounds),
    ]
    for made in rounds:
        blocks += [Heading(f"Round {made['round']}"), _beside(given, made), _fair(made)]
    blocks += [
        Heading("Accuracy against the fairness score"),
        Paragraph(_CAP.format(listed=listed)),
        *_frontiers(rounds, listed),
    ]
    return Section("challenge", "The challenge's test sample", tuple(blocks))


def _only_scored(rounds: list[Mapping[str, Any]]) -> str:
    """What the rest of the card is not about."""
    if len(rounds) < 2:
        return ""
    others = ", ".join(str(made["round"]) for made in rounds[1:])
    return (
        f" Everything else on this card, its audit and its explanations too, is about the model of round"
        f" {rounds[0]['round']}. For the other rounds ({others}) there are the scores below and no more: those models"
        " are not audited, explained or proposed."
    )


_CAP = (
    "The challenge multiplied accuracy by one minus the gap between Black and white people in false positives at .5."
    " Cutting every forecast off just below .5 makes the gap 0, because nobody is then forecast at .5 or above;"
    " flattening all forecasts towards their middle does the same by and by. Who is thought riskier than whom stays as"
    " it was: the score can rise, and nothing gets fairer. The last column shows what the trick leaves alone: on a"
    " list of the {listed} most at risk of each sex, the share of Black people listed among those not rearrested, less"
    " the same share of white people. A gap is the size of a difference, so its interval cannot reach below 0 and is"
    " no test of whether there is one. The first line is the model as it is."
)


def _verdict(made: Mapping[str, Any]) -> str:
    score, target = made["scores"]["average"], made["target"]
    said = "reached" if score["value"] <= target else "not reached"
    said += ", and the interval holds it" if score["low"] <= target <= score["high"] else ""
    return f"Round {made['round']}: {_words(score)}; the best of the large teams had {target:.4f}, {said}."


def _choices(rounds: list[Mapping[str, Any]]) -> Table:
    names = list(rounds[0]["mean_brier"])
    rows: list[tuple[Cell, ...]] = [
        (name, *(f"{made['mean_brier'][name]:.4f}{' *' if made['chosen'] == name else ''}" for made in rounds))
        for name in names
    ]
    rows.append(("the choosing itself, each fold left out", *(f"{m['mean_brier_of_choosing']:.4f}" for m in rounds)))
    columns = (Column("Candidate"), *(Column(f"Round {made['round']}", "count") for made in rounds))
    note = "Mean of men's and women's Brier score on training people not seen; the star marks what was chosen."
    return Table("How the models were chosen, inside the training sample", columns, tuple(rows), "scored", note)


def _beside(given: Given, made: Mapping[str, Any]) -> Table:
    number, scores = made["round"], made["scores"]
    for name, score in scores.items():
        key = f"challenge.{number}.{name}"
        given.evidence.claim(Claim(key, score["value"], "scored", score.get("low"), score.get("high"), made["judged"]))
    scored: Mapping[str, Any] = given.scored or {}
    others = [(row["average"], row["who"], row) for row in scored["beside"] if row["round"] == number]
    ours = (scores["average"]["value"], "This study", None)
    rows: list[tuple[Cell, ...]] = []
    marked = 0
    for place, (_, who, row) in enumerate(sorted([*others, ours], key=lambda each: each[:2])):
        if row is None:
            marked = place
            rows.append((who, *(f"{scores[name]['value']:.4f}" for name in _FIGURES)))
            rows.append(("its 95% interval", *(_interval(scores[name]) for name in _FIGURES)))
        else:
            rows.append((capital(who), *(f"{row[name]:.4f}" for name in _FIGURES)))
    columns = (
        Column("Who"),
        *(Column(word, "count") for word in ("Men", "Women", "Mean of both")),
    )
    note = (
        f"Brier score, less is better; {made['teaching']:,} people taught and {made['judged']:,} were judged. 95%"
        " intervals by drawing people again within each sex; they hold for the people judged, not for another fit."
        " Where three teams share a line, each had one of the three places."
    )
    return Table(f"Round {number}, beside what others reached", columns, tuple(rows), "scored", note, marked=(marked,))


def _frontiers(rounds: list[Mapping[str, Any]], listed: str) -> list[Block]:
    return [_frontier(made, word, listed) for made in rounds for word in ("men", "women")]


def _frontier(made: Mapping[str, Any], word: str, listed: str) -> Table:
    heads = (
        "At .5 or above",
        "Brier score",
        "Gap at .5",
        "Fairness score",
        f"Difference on a list of {listed}",
    )
    names = ("reached", "brier", "gap", "fair", "listed")
    rows = tuple((_trick(one), *(_figure(name, one[word][name]) for name in names)) for one in made["frontier"])
    columns = (Column("Forecasts"), *(Column(head, "count") for head in heads))
    return Table(f"Round {made['round']}, {word}: the same model, its forecasts changed", columns, rows, "scored")


def _trick(one: Mapping[str, Any]) -> str:
    if one["slope"] != 1.0:
        return f"flattened to {one['slope']:.0%}"
    return "as they are" if one["cap"] == 1.0 else f"cut off at {one['cap']:g}"


def _figure(name: str, score: Mapping[str, Any]) -> str:
    """A share, a score, a score with its interval where the trick shows, or a dash where there was nobody to count."""
    if score["value"] is None:
        return "–"
    if name == "reached":
        return f"{score['value']:.1%}"
    if name in ("brier", "gap"):
        return f"{score['value']:.4f}"
    if name == "fair":
        return _words(score)
    return f"{score['value']:.3f} ({score['low']:.3f} to {score['high']:.3f})"


def _fair(made: Mapping[str, Any]) -> Table:
    scores = made["scores"]
    rows = tuple(
        (capital(word), *(_words(scores[f"{name}_{word}"]) for name in ("gap", "fair"))) for word in ("men", "women")
    )
    columns = (Column("Of"), Column("Gap of false positive rates", "count"), Column("Fairness score", "count"))
    return Table(f"Round {made['round']}, the challenge's fairness score", columns, rows, "scored")


def _interval(score: Mapping[str, Any]) -> str:
    return f"{score['low']:.4f} to {score['high']:.4f}"


def _words(score: Mapping[str, Any]) -> str:
    return f"{score['value']:.4f} ({_interval(score)})"

"""A person's own copy: what was said of them, from which records, and how to have it put right, in plain words.

It is theirs by law, so it is given of advice that no longer holds, too, and then says that it is no longer used. What
rests on records of other people is not told to them, even where the professional could see it: it is those people's.
"""

from __future__ import annotations

from riskmodel.advisory import words
from riskmodel.advisory.one_score import Score
from riskmodel.advisory.standing import PAST, WITHDRAWN
from riskmodel.errors import DeclarationError
from riskmodel.explain.reasons import LEAST


def own_copy(score: Score, contact: str) -> str:
    """What a person is given who asks what was said of them, in plain words, with their own records.

    Parameters
    ----------
    score : Score
    contact : str, where to write to have a record put right, or to object

    Raises
    ------
    DeclarationError : no contact is given
    """
    if not contact.strip():
        raise DeclarationError.of(
            "contact-missing",
            where="own_copy",
            found="no contact",
            expected="where the person can write to",
            repair="Give the address of whoever puts records right.",
        )
    score.behind.noted()
    basis = score.basis
    compared = (
        "A computer compared your records with those of people in the past, to say how often one thing was recorded "
        f"about people like you: {basis.outcome}. A professional could read this as advice. It is not a decision. It "
        "does not say that you did anything, or will."
    )
    why = f"{words.one_line(basis.purpose.statement)} The law relied on: {words.one_line(basis.purpose.lawful_basis)}"
    what_to_do = (
        "If a record is wrong, or you do not agree that it was used, write to: "
        f"{words.one_line(contact)} The record will be checked, and the advice made again without the mistake. "
        "You can also complain to the Information Commissioner."
    )
    parts = [
        f"What was said about you on {words.day(basis.as_of)}",
        f"{compared} {_in_use(score)}",
        *_found(score),
        words.listed("What is not known about you", score.missing.sentences, "nothing that was asked for"),
        f"Why it was done\n{why}",
        f"What you can do\n{what_to_do}",
    ]
    return "\n\n".join(parts)


def _found(score: Score) -> list[str]:
    """What the comparison said and from which records; of advice that was withheld only why."""
    if score.frequency is None or score.probability is None or score.low is None or score.high is None:
        return [f"What it said\n{score.withheld}"]
    figure, low, high = map(words.percent, (score.probability, score.low, score.high))
    said = f"The figure was {figure}, and may lie between {low} and {high}. {score.frequency.sentence}"
    return [
        f"What it said\n{said} Most people of whom more is said never have it happen.",
        _because(score, raises=True),
        _because(score, raises=False),
        *_unsaid(score),
    ]


def _because(score: Score, *, raises: bool) -> str:
    """The reasons of one direction with the records behind them."""
    told = [each for each in score.reasons if each.raises == raises and not score.behind.of_others(each.feature)]
    lines = ["\n      ".join([reason.sentence, *score.behind.lines(reason.feature)]) for reason in told]
    title = f"What made the figure {'higher' if raises else 'lower'}"
    return words.listed(title, lines, "nothing that can be said for sure" if score.steady.left_out else "nothing much")


def _unsaid(score: Score) -> list[str]:
    """That some things played a part and are not told, and why."""
    said = []
    if score.steady.left_out:
        said.append("Some things that played a part are left out, because a computer could as well have named others.")
    unseen = score.steady.hidden + sum(each.log_odds for each in score.reasons if score.behind.of_others(each.feature))
    if abs(unseen) >= LEAST:
        way = "higher" if unseen > 0 else "lower"
        said.append(
            f"Your age and the like, and records of other people, made the figure {way}; how they did is never told."
        )
    return ["\n".join(said)] if said else []


def _in_use(score: Score) -> str:
    """Until when it may be looked at, or that it is no longer in use and why."""
    ended = score.no_longer()
    if ended is None:
        return f"It may be looked at until {words.day(score.valid_until)}."
    if ended.code == PAST:
        return f"It could be looked at until {words.day(score.valid_until)}, and may no longer be used."
    if ended.code == WITHDRAWN:
        return "It may no longer be used: a record was wrong, and the advice was made again. Ask for the new one."
    return "It may no longer be used."

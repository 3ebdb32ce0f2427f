"""What a reader of advice is told, in plain words. Only wording: no figure is made or changed here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from riskmodel.advisory.basis import Basis
from riskmodel.advisory.listed import OneScore
from riskmodel.cohorts.outcome import Outcome
from riskmodel.dates import duration_words
from riskmodel.errors import NotPermitted
from riskmodel.explain.reasons import LEAST, Reason

NOT_A_DECISION_SHORT = "advice, not a decision"
NOT_A_DECISION = (
    "This is advice, not a decision. It says how often the outcome was recorded among people with similar records; "
    "it does not say what this person will do or needs. A professional who knows the person judges, and may set it "
    "aside."
)
MADE_UP = "MADE-UP PEOPLE: nobody on this list exists; it shows what a list looks like."
STANDING_CAVEATS = (
    "It is about a recorded event, not about guilt. Records follow contact with agencies.",
    "Most people with a raised probability never have the outcome.",
    "The interval covers chance in the past cases only, not wrong links, wrong records or change over time.",
    "Reasons say what the model used. They are not causes.",
)

CHECKED = (
    "Reasons that do not hold still when the model is made again are left out, and scores of people outside what it "
    "learned from are withheld."
)
NOT_CHECKED = (
    "Whether the reasons hold still, and whether everybody is like those the model learned from, was not checked."
)


def explanation(score: OneScore, ended: NotPermitted | None = None) -> str:
    """The advice on one person as plain text; `ended` says why it no longer holds."""
    basis = score.basis
    parts = [
        *([] if ended is None else [looked_back(ended)]),
        *([MADE_UP] if basis.made_up else []),
        f"{score.pseudonym}, as of {day(basis.as_of)}",
        how_likely(score),
        why(score),
        f"Valid until {day(basis.valid_until)}. {grounds(basis)}",
        "\n".join([NOT_A_DECISION, *STANDING_CAVEATS]),
    ]
    return "\n\n".join(parts)


def looked_back(ended: NotPermitted) -> str:
    """What stands above advice that no longer holds."""
    return (
        f"NOT TO BE ACTED ON: this rests on {ended.found}. It shows what was said then, for whoever has to answer for "
        f"it. {ended.repair}"
    )


def why(score: OneScore) -> str:
    """What raises it and what lowers it, each with the records behind it, and what is not known."""
    unknown = listed("What is not known", score.missing.sentences, "nothing that was asked for")
    if score.withheld:
        return unknown
    return "\n\n".join(
        [
            listed("What raises it", _with_events(score, raises=True), score.steady.otherwise(raises=True)),
            listed("What lowers it", _with_events(score, raises=False), score.steady.otherwise(raises=False)),
            "\n".join(filter(None, [score.steady.note, score.steady.not_shown])),
            unknown,
        ]
    )


def how_likely(score: OneScore) -> str:
    """The probability with its interval and what became of similar cases, or that it is withheld and why."""
    if score.probability is None or score.low is None or score.high is None or score.frequency is None:
        return score.withheld
    said = f"{chance(score.probability, score.low, score.high)} of {score.basis.outcome}."
    seen = " ".join(filter(None, [score.frequency.sentence, score.frequency.beyond(score.probability)]))
    return f"{said} {seen}{again(score)}"


def again(score: OneScore) -> str:
    """Between which figures models lie that were made from other samples of the people; nothing where none were."""
    if score.made_again is None:
        return ""
    low, high = map(percent, score.made_again)
    of = f"{score.steady.refits} models made again from other samples of the same people"
    return f" All of {of} say {low}." if low == high else f" {of[:1].upper()}{of[1:]} say {low} to {high}."


def chance(probability: float, low: float, high: float) -> str:
    """The probability with its interval: ``Probability 9.2 % (6.7 % to 13 %)``."""
    return f"Probability {percent(probability)} ({percent(low)} to {percent(high)})"


def percent(share: float) -> str:
    """Two figures, never more exact than that.

    Examples
    --------
    >>> [percent(share) for share in (0.0004, 0.0921, 0.127, 0.5, 1.0)]
    ['0.04 %', '9.2 %', '13 %', '50 %', '100 %']
    """
    value = 100 * share
    if value >= 9.95:
        return f"{value:.0f} %"
    return f"{value:.1f} %" if value >= 0.95 else f"{value:.2f} %"


def day(date: dt.date) -> str:
    """A date as written in Britain: ``1 April 2026``."""
    return f"{date.day} {date:%B %Y}"


def grounds(basis: Basis) -> str:
    """Under which purpose, approval, model and card it was made."""
    approval = basis.approval
    decided = "" if approval.decided_on is None else f" of {day(approval.decided_on)}"
    return (
        f"Made for the purpose {basis.purpose.name} under the board's approval{decided} "
        f"({', '.join(approval.decided_by)}). Conditions: {one_line(approval.conditions)} "
        f"Model {basis.model[:12]}, card {basis.card[:12]}{f' ({basis.card_at})' if basis.card_at else ''}."
    )


def caveats(basis: Basis, note: str) -> tuple[str, ...]:
    """The lines that every exported list carries."""
    return (
        *([MADE_UP] if basis.made_up else []),
        "ADVICE, NOT DECISIONS",
        NOT_A_DECISION,
        *STANDING_CAVEATS,
        checked(basis),
        note,
        f"As of {day(basis.as_of)}. Valid until {day(basis.valid_until)}: do not look at it from that day on.",
        grounds(basis),
        "Form your own judgement first. Fill in the three review columns for every person looked at.",
    )


def checked(basis: Basis) -> str:
    """Whether reasons and people were held against a footing."""
    return NOT_CHECKED if basis.footing is None else CHECKED


def sentences(reasons: Iterable[Reason], *, raises: bool) -> list[str]:
    """The reasons of one direction, in their order."""
    return [reason.sentence for reason in reasons if reason.raises == raises]


def _with_events(score: OneScore, *, raises: bool) -> list[str]:
    """The reasons of one direction, each with the records behind it on lines of their own."""
    return [
        "\n      ".join([_with_change(reason), *score.behind.lines(reason.feature)])
        for reason in score.reasons
        if reason.raises == raises
    ]


def _with_change(reason: Reason) -> str:
    """The reason, and whether support may change what it tells of."""
    return f"{reason.sentence} [{reason.changeable}]" if reason.changeable else reason.sentence


def of_silence(probability: float, without: float, added: float) -> str:
    """What the model makes of agencies that have no record of a person, and what the probability is without that.

    Examples
    --------
    >>> of_silence(0.071, 0.093, -0.3)
    'The model takes that silence as it takes nothing having happened, which lowers the probability: 9.3 % without it'
    >>> of_silence(0.071, 0.0712, -0.01)
    'What the model makes of that silence hardly changes the probability'
    """
    if abs(added) < LEAST:
        return "What the model makes of that silence hardly changes the probability"
    way = "lowers" if added < 0 else "raises"
    said = f"which {way} the probability: {percent(without)} without it"
    return f"The model takes that silence as it takes nothing having happened, {said}" + (
        " (the same to two figures)" if percent(without) == percent(probability) else ""
    )


def one_line(text: str) -> str:
    """The text without line ends, ending as a sentence does."""
    flat = " ".join(text.split())
    return flat if flat.endswith((".", "!", "?")) else f"{flat}."


def outcome_words(outcome: Outcome | None) -> str:
    """What the probability is of: ``a recorded injury by violence within 1 year``."""
    if outcome is None:
        return "the outcome that the card defines"
    return f"a recorded {outcome.kind.replace('_', ' ')} within {duration_words(outcome.within)}"


def listed(title: str, lines: Sequence[str], otherwise: str) -> str:
    """A heading with lines under it, or what is said where there are none."""
    return "\n".join([title, *(f"  - {line}" for line in lines or [otherwise])])

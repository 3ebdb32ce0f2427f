"""What was done under an approval since, from the ledger alone: lists, reviews, changed minds, refusals, drift.

Counts of people pass the same disclosure rules as those of a card. Nothing here is about one person or one reviewer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskmodel.advisory.conditions import shares_of
from riskmodel.advisory.standing import BRIEF
from riskmodel.board.reading import Followed
from riskmodel.cards.disclosed import count_cell, gives_away
from riskmodel.governance.entries import Entry
from riskmodel.models.uncertainty import wilson


@dataclass(frozen=True, slots=True)
class Done:
    """One line of what was done."""

    number: int
    day: str
    what: str
    about: str


@dataclass(frozen=True, slots=True)
class Since:
    """What was done under one approval.

    Attributes
    ----------
    approval : str, its fingerprint
    facts : tuple of (term, value), the figures in words
    drift : tuple of (as-of date, people, mean probability, distance from the base rate), one line a list
    lines : tuple of Done, newest first
    """

    approval: str
    facts: tuple[tuple[str, str], ...]
    drift: tuple[tuple[str, str, str, str], ...]
    lines: tuple[Done, ...]


def done_under(followed: Followed, decision: Entry, base_rate: float | None) -> Since:
    """Everything in the ledger under one decision.

    Parameters
    ----------
    followed : the ledger, as far as it was followed
    decision : the ledger's entry of the decision
    base_rate : the share with the outcome on which the model was judged, from the card
    """
    approval, model = str(decision.facts.get("approval")), decision.facts.get("model")
    until = _replaced_at(followed.entries, decision)
    inside = [each for each in followed.entries if decision.number < each.number < until]
    asked = [each for each in inside if each.action == "score" and each.facts.get("approval") == approval]
    scored = list(
        {str(each.facts.get("list")): each for each in asked}.values()
    )  # the same list asked for again is one
    lists = {str(each.facts.get("list")) for each in scored}
    own = [each for each in inside if _is_own(each, approval, model, lists)]
    facts = (
        ("Lists made", f"{len(lists):,}"),
        ("Lists given out", f"{sum(each.action == 'export' and not _is_brief(each) for each in own):,}"),
        ("Briefs of one person written", f"{sum(map(_is_brief, own)):,}"),
        ("Refused requests", f"{sum(each.action == 'refused' for each in own):,}"),
        ("Corrected lists", f"{sum(each.action == 'corrected' for each in own):,}"),
        *_reviews(own),
        ("Reviewed, of the people on lists given out", _share_words(shares_of(followed.entries, approval))),
    )
    lines = tuple(Done(each.number, each.at[:16].replace("T", " "), *_worded(each)) for each in reversed(own))
    return Since(approval, facts, tuple(_drift(scored, base_rate)), lines)


def _replaced_at(entries: Sequence[Entry], decision: Entry) -> float:
    """The number of the entry that replaced a decision."""
    about = (decision.facts.get("model"), decision.facts.get("purpose"))
    later = (
        each.number
        for each in entries
        if each.action == "approval"
        and each.number > decision.number
        and (each.facts.get("model"), each.facts.get("purpose")) == about
    )
    return next(later, float("inf"))


def _is_own(entry: Entry, approval: str, model: object, lists: set[str]) -> bool:
    facts = entry.facts
    if entry.action == "score":
        return facts.get("approval") == approval
    if entry.action == "refused" and facts.get("asked") == "score":
        return facts.get("model") == model
    return entry.action in ("export", "review", "corrected", "refused") and str(facts.get("list")) in lists


def _is_brief(entry: Entry) -> bool:
    return entry.action == "export" and entry.facts.get("order") == BRIEF


def _reviews(own: Sequence[Entry]) -> list[tuple[str, str]]:
    """Concluded reviews and how often people decided otherwise than before they saw the score."""
    concluded = [each for each in own if each.action == "review" and each.facts.get("stage") == "concluded"]
    n, changed = len(concluded), sum(each.facts.get("changed") is True for each in concluded)
    if gives_away(changed, n) or isinstance(count_cell(n), str):
        said = "suppressed: too few to be shown"
    elif not n:
        said = "no review yet"
    else:
        low, high = wilson(changed / n, n)
        said = f"{100 * changed / n:.0f}% ({100 * low:.0f}% to {100 * high:.0f}%)"
    return [("Reviews concluded", _count(n)), ("Changed after the score was seen", said)]


def _drift(scored: Sequence[Entry], base_rate: float | None) -> list[tuple[str, str, str, str]]:
    """How far the mean probability of each list lies from the share with the outcome when the model was judged."""
    rows = []
    for each in scored:
        mean = each.facts.get("mean_probability")
        apart = "not known"
        if isinstance(mean, float) and base_rate:
            apart = f"{mean / base_rate:.2f} times"
        shown = f"{100 * mean:.1f}%" if isinstance(mean, float) else "too few people"
        rows.append((str(each.facts.get("as_of")), _count(int(each.facts.get("people") or 0)), shown, apart))
    return rows


def _worded(entry: Entry) -> tuple[str, str]:
    facts: Mapping[str, Any] = entry.facts
    people = _count(int(facts.get("people") or 0))
    if entry.action == "score":
        return "List made", f"as of {facts.get('as_of')}, {people} people, asked by {facts.get('asked_by')}"
    if _is_brief(entry):
        return "Brief written", "of one person"
    if entry.action == "export":
        return "List given out", f"{people} people, in the order of {facts.get('order')}"
    if entry.action == "refused":
        return "Refused", f"{facts.get('asked')}: {facts.get('code')}"
    if entry.action == "corrected":
        return "List withdrawn", f"a record was wrong: {facts.get('reason')}"
    return "Review", f"{facts.get('stage')}, by {facts.get('role')}"


def _count(count: int) -> str:
    shown = count_cell(count)
    return shown if isinstance(shown, str) else f"{shown:,}"


def _share_words(share: tuple[int, int] | None) -> str:
    if share is None:
        return "no list yet"
    done, people = share
    if gives_away(done, people):
        return "suppressed: too few to be shown"
    return f"{100 * done / people:.0f}%"

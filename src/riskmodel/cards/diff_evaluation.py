"""What an evaluation says otherwise than it did: its answer, its grade, whom it harmed, its plan, and departures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskmodel.cards.words import capital, listed, plain

_PLANNED = ("question", "primary", "estimand", "estimator", "unit", "settles_after", "stopping")


def evaluation_sentences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The changes in sentences, the answer first.

    Parameters
    ----------
    old, new : documents of evaluation cards
    """
    before, after = old["evaluation"], new["evaluation"]
    said = []
    if before["finding"] != after["finding"]:
        said.append(f"The finding was “{before['finding']}” It is now “{after['finding']}”")
    if before["grade"]["words"] != after["grade"]["words"]:
        said.append(f"The strength of the evidence was: {before['grade']['words']}. It is: {after['grade']['words']}.")
    said += _came_and_went(before["conclusion"]["harmed"], after["conclusion"]["harmed"], "Harm is shown to")
    said += _came_and_went(before["conclusion"]["doubts"], after["conclusion"]["doubts"], "A check speaks against it:")
    said += _came_and_went(before["deviations"], after["deviations"], "Not as planned:")
    return said + _plan(before, after)


def _plan(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    if before["plan_fingerprint"] == after["plan_fingerprint"]:
        return []
    old, new = before["plan"], after["plan"]
    said = ["The plan is another one."]
    said += [
        f"{capital(plain(name))} was {old[name]} and is {new[name]}."
        for name in _PLANNED
        if old.get(name) != new.get(name)
    ]
    return said + _came_and_went(_outcomes(old), _outcomes(new), "Outcome:")


def _outcomes(plan: Mapping[str, Any]) -> list[str]:
    return [each["name"] for each in plan["outcomes"]]


def _came_and_went(before: list[str], after: list[str], what: str) -> list[str]:
    came = [one for one in after if one not in before]
    went = [one for one in before if one not in after]
    said = [f"New. {what} {_ended(came)}"] if came else []
    return said + ([f"No longer. {what} {_ended(went)}"] if went else [])


def _ended(items: list[str]) -> str:
    """The items as a phrase that ends in one stop."""
    return f"{listed([plain(one).rstrip('.') for one in items])}."

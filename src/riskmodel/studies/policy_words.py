"""The finding of an evaluation in plain words, made from its numbers by rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_PERIODS: Mapping[str, str] = {
    "7d": "week",
    "1m": "month",
    "3m": "quarter",
    "6m": "half-year",
    "12m": "year",
    "1y": "year",
}


def period_word(every: str) -> str:
    """What a period is called.

    Examples
    --------
    >>> period_word("3m"), period_word("10d")
    ('quarter', 'period')
    """
    return _PERIODS.get(every, "period")


def finding_words(document: Mapping[str, Any], policy: str) -> str:
    """What happened to the primary outcome, then what moved, who was harmed, and what speaks against it.

    Parameters
    ----------
    document : the evaluation, with `outcomes`, `conclusion`, `spillovers` and `period`
    policy : str, how the policy is called in a sentence
    """
    primary = next(outcome for outcome in document["outcomes"] if outcome["primary"])
    said = [_answer(primary, policy, document)]
    for source, target in document["conclusion"]["moved"]:
        said.append(f"Work moved: {source} fell while {target} rose.")
    for name in document["conclusion"]["harmed"]:
        edge = next(each for each in document["spillovers"] if each["name"] == name)
        rise = f"{_amount(edge)} a {document['period']} for each of them"
        said.append(f"But {name} came to harm: {edge['outcome']['name']} rose by {rise}.")
    if document["conclusion"]["doubts"]:
        said.append("A check speaks against this answer; see the checks.")
    return " ".join(said)


def _answer(primary: Mapping[str, Any], policy: str, document: Mapping[str, Any]) -> str:
    answer, name = document["conclusion"]["answer"], primary["name"]
    if answer == "not estimable":
        return f"What {policy} did to {name} cannot be estimated: {primary['reason']}."
    if answer == "recording changed":
        return (
            f"The records of {name} changed under {policy}, but another agency's records of the same harm do not: "
            "what changed is the recording. It is not shown that harm changed."
        )
    if answer == "no change shown":
        seen = primary["power"] or "Which change it could have seen was not worked out."
        return f"No change of {name} under {policy} is shown; that is not the same as none. {seen}"
    fewer = "fewer" if answer == "fell" else "more"
    where = f"in each {document['plan']['unit']} and {document['period']}"
    return f"{_capital(name)} {answer} under {policy}: {_amount(primary)} {fewer} {where}{_share(primary['relative'])}."


def _amount(row: Mapping[str, Any]) -> str:
    low, high = sorted((abs(row["low"]), abs(row["high"])))
    return f"{abs(row['estimate']):.2g} ({low:.2g} to {high:.2g})"


def _share(relative: Sequence[float | None]) -> str:
    if any(part is None for part in relative):
        return ""
    value, *ends = (abs(100 * part) for part in relative if part is not None)
    return f", {value:.0f}% ({min(ends):.0f}% to {max(ends):.0f}%) of what there would have been"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

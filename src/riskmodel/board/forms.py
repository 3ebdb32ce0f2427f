"""What a form says, read into an act; each answers with the page to go to, from the address of the version."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Final

from riskmodel.board import acts
from riskmodel.board.acts import Desk
from riskmodel.errors import DeclarationError, Fault
from riskmodel.governance.limits import NUMBERS

Given = Mapping[str, str]


def _submit(desk: Desk, given: Given, _: dt.date) -> str:
    acts.submit(desk, given.get("note", ""))
    return "/decide"


def _ask(desk: Desk, given: Given, _: dt.date) -> str:
    made = acts.ask(desk, given.get("section", ""), given.get("question", ""))
    return f"#question-{made.id}"


def _answer(desk: Desk, given: Given, _: dt.date) -> str:
    made = acts.answer(desk, given.get("question", ""), given.get("answer", ""))
    return f"#question-{made.holds['question']}"


def _propose(desk: Desk, given: Given, today: dt.date) -> str:
    acts.propose(
        desk,
        given.get("choice", ""),
        given.get("reason", ""),
        conditions=acts.said(given["conditions"], "conditions") if given.get("conditions", "").strip() else "",
        limits=_limits(given),
        valid_from=_day(given, "valid_from"),
        valid_until=_day(given, "valid_until"),
        today=today,
    )
    return "/decide"


def _vote(desk: Desk, given: Given, today: dt.date) -> str:
    if given.get("vote") not in ("for", "against"):
        raise DeclarationError("form-invalid", faults=[Fault("vote", "nothing", "for or against", "Choose one.")])
    acts.vote(desk, given.get("motion", ""), given.get("reason", ""), in_favour=given["vote"] == "for", today=today)
    return "/decide"


def _use(desk: Desk, _: Given, today: dt.date) -> str:
    acts.take_into_use(desk, today)
    return "/decide"


def _withdraw(desk: Desk, given: Given, today: dt.date) -> str:
    acts.withdraw(desk, given.get("reason", ""), today)
    return "/decide"


ACTS: Final[Mapping[str, Callable[[Desk, Given, dt.date], str]]] = {
    "submit": _submit,
    "ask": _ask,
    "answer": _answer,
    "propose": _propose,
    "vote": _vote,
    "use": _use,
    "withdraw": _withdraw,
}


def _limits(given: Given) -> dict[str, Any]:
    """The conditions a machine checks, those left empty left out; what is no number is left for the check to refuse."""
    made: dict[str, Any] = {}
    for name in NUMBERS:
        text = given.get(name, "").strip()
        if text:
            made[name] = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else text
    if areas := [area.strip() for area in given.get("areas", "").replace("\n", ",").split(",") if area.strip()]:
        made["areas"] = areas
    return made


def _day(given: Given, name: str) -> dt.date | None:
    text = given.get(name, "").strip()
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        fault = Fault(name.replace("_", " "), "no date", "a date such as 2027-04-01", "Correct it.")
        raise DeclarationError("form-invalid", faults=[fault]) from None

"""What each page is made from: plain values for the templates, gathered from shelf, ledger and records."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from riskmodel.board import explorer
from riskmodel.board.accounts import Account
from riskmodel.board.acts import Desk
from riskmodel.board.motions import CHOICES, Motion, motions
from riskmodel.board.pages import Sections, address, choices_of
from riskmodel.board.records import Record
from riskmodel.board.room import Room
from riskmodel.board.shelf import Item
from riskmodel.board.since import done_under
from riskmodel.cards import parts
from riskmodel.cards.beside import brief_of
from riskmodel.cards.diff import card_diff
from riskmodel.cards.model_card import ModelCard
from riskmodel.cards.words import day_words
from riskmodel.errors import NotFound
from riskmodel.governance.approvals import Approval
from riskmodel.governance.decisions import FOLDER
from riskmodel.governance.entries import Entry
from riskmodel.governance.standings import STATES

PER_PAGE = 50
AT_ONCE = 20
"""How many of those that await the board are listed, the longest waiting first."""
ENDS_SOON = 30
"""Days before its end from which an approval is among what awaits the board."""


def models(room: Room, account: Account, state: str, page: int, today: dt.date) -> dict[str, Any]:
    """The list of models."""
    items = room.items(account)
    awaiting = sorted(
        ((item, why) for item in items if (why := _awaits(item, today))), key=lambda each: each[0].standing.since
    )
    own = room.shelves.get(account.board, {})
    board = room.board(account)
    counts = Counter(item.standing.state for item in items)
    shown = [item for item in items if state not in STATES or item.standing.state == state]
    pages = max(1, -(-len(shown) // PER_PAGE))
    page = min(max(page, 1), pages)
    return {
        "awaiting": [
            (item, why, _open_business(Desk(account, board, own[item.shelf], item))) for item, why in awaiting[:AT_ONCE]
        ],
        "more_awaiting": max(0, len(awaiting) - AT_ONCE),
        "items": shown[(page - 1) * PER_PAGE : page * PER_PAGE],
        "counts": [(name, counts[name]) for name in STATES],
        "total": len(items),
        "state": state if state in STATES else "",
        "page": page,
        "pages": pages,
    }


def card(desk: Desk, sections: Sections, today: dt.date) -> dict[str, Any]:
    """The card with its questions and answers."""
    document = desk.shelf.card(desk.item.version)
    records = desk.shelf.records.about(desk.card)
    answers: dict[str, list[Record]] = defaultdict(list)
    questions: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        if record.kind == "answered":
            answers[record.holds["question"]].append(record)
        elif record.kind == "asked":
            questions[record.holds["section"]].append(record)
    return {
        **_common(desk, today),
        "card": document,
        "insides": sections.of(document, address(desk.item)),
        "questions": questions,
        "answers": answers,
    }


def brief(desk: Desk, sections: Sections, today: dt.date) -> dict[str, Any]:
    """The two pages for the board."""
    document = brief_of(ModelCard(desk.shelf.card(desk.item.version)))
    insides = {} if document is None else sections.of(document, address(desk.item, "brief"))
    return {**_common(desk, today), "brief": document, "insides": insides}


def changes(desk: Desk, today: dt.date) -> dict[str, Any]:
    """What changed since the version the board approved last."""
    before = desk.shelf.last_decided(desk.item)
    given: dict[str, Any] = {**_common(desk, today), "before": before, "diff": None, "table": ""}
    if before is not None:
        new = desk.shelf.card(desk.item.version)
        diff = card_diff(ModelCard(desk.shelf.card(before.version)), ModelCard(new))
        given |= {"diff": diff, "table": parts.table_page(new, diff.table()) if diff.moved else ""}
    return given


def groups(desk: Desk, asked: Mapping[str, str], today: dt.date) -> dict[str, Any]:
    """The audit by group and length of the list."""
    document = desk.shelf.card(desk.item.version)
    found = explorer.explored(desk.shelf.registry.groups(desk.item.version), document, asked)
    tables = [] if found is None else [found.groups, *([found.lengths] if found.lengths else [])]
    return {
        **_common(desk, today),
        "found": found,
        "tables": [parts.table_page(document, table) for table in tables],
    }


def record(desk: Desk, today: dt.date) -> dict[str, Any]:
    """What the ledger has: the card's way, and what was done under each decision."""
    followed = desk.shelf.followed.now()
    about = followed.about(desk.card)
    document = desk.shelf.card(desk.item.version)
    base = document["evidence"]["claims"].get("performance.base_rate", {}).get("value")
    decisions = [entry for entry in about if entry.action == "approval"]
    under = [
        (entry, _approval(desk, entry), done_under(followed, entry, base))
        for entry in reversed(decisions)
        if entry.facts.get("decision") == "approved"
    ]
    aliases, strays = _aliases(desk, today)
    return {
        **_common(desk, today),
        "way": about,
        "under": under,
        "aliases": aliases,
        "strays": strays,
        "missing": desk.shelf.records.missing(),
    }


def decision(desk: Desk, today: dt.date) -> dict[str, Any]:
    """The proposals, the votes, and the forms of whoever may decide."""
    held = motions(desk.shelf, desk.card)
    return {
        **_common(desk, today),
        "open": [motion for motion in held if motion.open],
        "closed": [motion for motion in reversed(held) if not motion.open],
        "submitted": [each for each in desk.shelf.records.about(desk.card) if each.kind == "submitted"],
        "choices": list(CHOICES),
        "may_propose": desk.may("propose") and desk.item.standing.state in ("reviewed", "approved", "in_use"),
        "today": today,
        "missing": desk.shelf.records.missing(),
        "unanswered": len(desk.shelf.card(desk.item.version).get("unanswered", ())),
    }


def minutes(desk: Desk, today: dt.date) -> dict[str, Any]:
    """Everything that was written about a card, with the entry of the ledger that has it."""
    records = desk.shelf.records.about(desk.card)
    entries = desk.shelf.followed.now().about(desk.card)
    decisions = [(entry, _approval(desk, entry)) for entry in entries if entry.action == "approval"]
    document = desk.shelf.card(desk.item.version)
    return {
        **_common(desk, today),
        "inline": "",
        "present": list(dict.fromkeys(f"{record.by}, {record.role}" for record in records)),
        "records": records,
        "entry_of": {str(entry.facts.get("record")): entry for entry in entries},
        "decisions": decisions,
        "sections": {section["name"]: section["title"] for section in document["sections"]},
        "asked": {record.id: record for record in records if record.kind == "asked"},
        "motion_of": {record.id: Motion(record, (), open=False) for record in records if record.kind == "proposed"},
        "card": document,
        "today": today,
        "head": desk.shelf.followed.ledger.head(),
    }


def _common(desk: Desk, today: dt.date) -> dict[str, Any]:
    stands = desk.item.standing
    return {
        "desk": desk,
        "item": desk.item,
        "stands": stands,
        "base": address(desk.item),
        "ended": stands.ended(today),
        "in_force": stands.in_force(today),
        "choice_words": choices_of(desk.item),
    }


def _awaits(item: Item, today: dt.date) -> str:
    """Why a model awaits the board, in words; empty when it does not."""
    stands = item.standing
    if stands.state == "reviewed":
        return f"A decision, since {day_words(stands.since)}."
    if not stands.allowed or stands.valid_until is None:
        return ""
    if stands.ended(today):
        return f"Its approval ended on {day_words(stands.valid_until)}: renew it or let it rest."
    if (stands.valid_until - today).days <= ENDS_SOON:
        return f"Its approval ends on {day_words(stands.valid_until)}."
    if item.review_by is not None and item.review_by <= today:
        return f"It was to be looked at again by {day_words(item.review_by)}."
    return ""


def _open_business(desk: Desk) -> list[str]:
    """What is open on a card that awaits the board: questions, proposals, and what its reader has still to do."""
    records = desk.shelf.records.about(desk.card)
    answered = {record.holds["question"] for record in records if record.kind == "answered"}
    waiting = sum(record.kind == "asked" and record.id not in answered for record in records)
    said = [f"{waiting} question{'' if waiting == 1 else 's'} not yet answered."] if waiting else []
    for motion in motions(desk.shelf, desk.card):
        if motion.open:
            roles = [vote.role for vote in motion.in_favour]
            own = " You have not voted on it." if desk.may("vote") and desk.account.name not in motion.voters else ""
            said.append(f"Proposed: {choices_of(desk.item)[motion.choice].lower()}. {desk.board.counted(roles)}{own}")
    return said


def _approval(desk: Desk, entry: Entry) -> Approval | None:
    """The decision itself, when the board's application recorded it and its file still fits its seal."""
    path = desk.shelf.store / FOLDER / f"{entry.facts.get('approval')}.toml"
    if not path.exists():
        return None
    held = Approval.load(path)
    return held if held.fingerprint == entry.facts.get("approval") else None


def _aliases(desk: Desk, today: dt.date) -> tuple[dict[str, int], dict[str, int]]:
    """The registry's aliases, and those that somebody moved by hand."""
    name, registry = desk.item.version.name, desk.shelf.registry
    try:
        followed = desk.shelf.followed.now()
        return registry.named(name, followed.ledger, today, followed.stands)
    except NotFound:
        return {}, {}

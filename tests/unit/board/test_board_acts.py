"""From submission to withdrawal: who may, what is refused, what the ledger and the gate then say, two at once."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from riskmodel.board import acts
from riskmodel.board.acts import Desk
from riskmodel.board.motions import motions
from riskmodel.board.records import FILE
from riskmodel.board.room import Room
from riskmodel.errors import DeclarationError, EvidenceError, NotPermitted
from riskmodel.governance.approvals import Approval
from riskmodel.governance.ledger import verify

Sit = Callable[[str], Desk]
TODAY = dt.datetime.now(dt.UTC).date()
LATER = TODAY + dt.timedelta(days=60)
WORDS = "Seen and thought about."


def submitted(desk: Sit) -> None:
    acts.submit(desk("c.clerk"), "Please decide on this.")


def proposed(desk: Desk, choice: str = "approve", **how: Any) -> Approval | None:
    dates = {"valid_from": TODAY, "valid_until": LATER} if choice.startswith("approve") else {}
    return acts.propose(desk, choice, WORDS, today=TODAY, **{**dates, **how})


def voted(desk: Desk, *, in_favour: bool = True) -> Approval | None:
    open_now = [motion for motion in motions(desk.shelf, desk.card) if motion.open]
    return acts.vote(desk, open_now[-1].id, WORDS, in_favour=in_favour, today=TODAY)


def test_a_decision_takes_a_quorum_with_the_chair(desk: Sit, case: Any, store: Path) -> None:
    submitted(desk)
    assert desk("m.member").item.standing.state == "reviewed"
    assert proposed(desk("m.member"), "approve-with-conditions", limits={"people_per_list": 200}) is None
    assert voted(desk("n.member")) is None  # two votes, but not the chair's
    with pytest.raises(NotPermitted, match="approval-missing"):
        case.scores(store, case.approval(store))
    made = voted(desk("h.chair"))
    assert made is not None
    assert made.decided_by == ("chair", "member", "member")
    assert made.conditions == "No list may hold more than 200 people."
    assert made.card == desk("m.member").card
    assert case.approval(store) == made
    assert case.scores(store, made).people > 100
    assert desk("h.chair").item.standing.state == "approved"
    assert desk("h.chair").shelf.registry.aliases("early-support") == {"candidate": 1, "approved": 1}
    acts.take_into_use(desk("c.clerk"), TODAY)
    assert desk("h.chair").shelf.registry.aliases("early-support")["in_use"] == 1
    assert verify(store / "ledger.jsonl").holds


def test_a_condition_is_checked_by_the_gate(desk: Sit, case: Any, store: Path) -> None:
    submitted(desk)
    proposed(desk("h.chair"), "approve-with-conditions", limits={"people_per_list": 10})
    approval = voted(desk("m.member"))
    with pytest.raises(NotPermitted, match="list-too-long"):
        case.scores(store, approval)


def test_withdrawn_at_once(desk: Sit, case: Any, store: Path) -> None:
    submitted(desk)
    proposed(desk("h.chair"))
    approval = voted(desk("m.member"))
    assert case.scores(store, approval).people > 100
    acts.withdraw(desk("h.chair"), "A complaint was upheld.", TODAY)
    with pytest.raises(NotPermitted, match="approval-superseded"):
        case.scores(store, approval)
    with pytest.raises(NotPermitted, match="approval-withdrawn"):
        case.scores(store, case.approval(store))
    assert desk("h.chair").item.standing.state == "retired"
    assert desk("h.chair").shelf.registry.aliases("early-support") == {"candidate": 1, "retired": 1}
    with pytest.raises(NotPermitted, match="out-of-turn"):
        acts.withdraw(desk("h.chair"), "Once more, please.", TODAY)


@pytest.mark.parametrize(("choice", "decision"), [("reject", "refused"), ("ask-for-more", "deferred")])
def test_rejected_and_asked_for_more(desk: Sit, choice: str, decision: str) -> None:
    submitted(desk)
    proposed(desk("m.member"), choice)
    made = voted(desk("h.chair"))
    assert made is not None
    assert (made.decision, made.valid_until) == (decision, None)
    assert desk("c.clerk").item.standing.state == "draft"
    submitted(desk)  # it may be put before the board again


def test_questions_and_answers(desk: Sit) -> None:
    asked = acts.ask(desk("m.member"), "label", "What of people\r\nnot seen?\x07")
    assert asked.holds["text"] == "What of people\nnot seen?"
    acts.answer(desk("d.scientist"), asked.id, "They are missing.")
    kinds = [record.kind for record in desk("m.member").shelf.records.about(desk("m.member").card)]
    assert kinds == ["asked", "answered"]
    with pytest.raises(DeclarationError, match="form-invalid"):
        acts.ask(desk("m.member"), "nothing", "What of that section?")
    with pytest.raises(DeclarationError, match="form-invalid"):
        acts.answer(desk("d.scientist"), "0", "To nobody at all.")
    with pytest.raises(DeclarationError, match="at least 3 words"):
        acts.ask(desk("m.member"), "label", "Why?")


def test_each_role_does_what_it_may_and_nothing_else(desk: Sit) -> None:
    for name, act in (
        ("m.member", lambda at: acts.submit(at, WORDS)),
        ("o.observer", lambda at: acts.ask(at, "label", WORDS)),
        ("m.member", lambda at: acts.answer(at, "0", WORDS)),
        ("d.scientist", proposed),
        ("c.clerk", lambda at: acts.vote(at, "0", WORDS, in_favour=True, today=TODAY)),
        ("m.member", lambda at: acts.withdraw(at, WORDS, TODAY)),
        ("d.scientist", lambda at: acts.take_into_use(at, TODAY)),
    ):
        with pytest.raises(NotPermitted, match="role-may-not"):
            act(desk(name))


def test_out_of_turn(desk: Sit) -> None:
    with pytest.raises(NotPermitted, match="out-of-turn"):
        proposed(desk("h.chair"))  # nobody submitted it
    submitted(desk)
    with pytest.raises(NotPermitted, match="out-of-turn"):
        submitted(desk)
    proposed(desk("m.member"))
    with pytest.raises(NotPermitted, match="out-of-turn"):
        voted(desk("m.member"))  # the proposal was their vote
    with pytest.raises(NotPermitted, match="out-of-turn"):
        acts.take_into_use(desk("h.chair"), TODAY)


@pytest.mark.parametrize(
    ("choice", "how"),
    [
        ("burn", {}),
        ("approve", {"valid_until": None}),
        ("approve", {"valid_until": TODAY}),
        ("approve", {"valid_until": TODAY + dt.timedelta(days=4000)}),
        ("approve", {"conditions": "On Mondays only."}),
        ("approve-with-conditions", {}),
        ("approve-with-conditions", {"limits": {"people_per_list": "many"}}),
        ("approve-with-conditions", {"limits": {"reviewed_percent": 101}}),
    ],
)
def test_what_could_not_be_recorded_is_not_proposed(desk: Sit, choice: str, how: dict[str, Any]) -> None:
    submitted(desk)
    with pytest.raises(DeclarationError, match="motion-invalid"):
        proposed(desk("h.chair"), choice, **how)
    assert motions(desk("h.chair").shelf, desk("h.chair").card) == []


def test_a_decision_makes_every_other_proposal_fall(desk: Sit) -> None:
    submitted(desk)
    proposed(desk("m.member"), "reject")
    proposed(desk("n.member"), "approve")
    voted(desk("h.chair"))  # for the last one
    held = motions(desk("m.member").shelf, desk("m.member").card)
    assert [motion.open for motion in held] == [False, False]
    with pytest.raises(NotPermitted, match="out-of-turn"):
        acts.vote(desk("h.chair"), held[0].id, WORDS, in_favour=True, today=TODAY)


def test_votes_that_come_in_late_do_not_open_a_closed_window(desk: Sit) -> None:
    submitted(desk)
    proposed(desk("m.member"), valid_until=TODAY + dt.timedelta(days=2))
    (motion,) = motions(desk("m.member").shelf, desk("m.member").card)
    late = TODAY + dt.timedelta(days=2)
    with pytest.raises(DeclarationError, match="motion-invalid"):
        acts.vote(desk("h.chair"), motion.id, WORDS, in_favour=True, today=late)
    made = acts.vote(desk("h.chair"), motion.id, WORDS, in_favour=True, today=TODAY + dt.timedelta(days=1))
    assert made is not None
    assert made.valid_from == TODAY + dt.timedelta(days=1)


def test_many_at_once_lose_nothing(desk: Sit, store: Path) -> None:
    """The chair and two members vote, and four people ask, all at the same moment, each with a room of their own."""
    submitted(desk)
    proposed(desk("m.member"))
    (motion,) = motions(desk("m.member").shelf, desk("m.member").card)
    gate, outcomes = threading.Barrier(6), []

    def one(name: str, act: Callable[[Desk], Any]) -> None:
        room = Room.of(store.parent / "room", [store])  # as another process would have it
        account = room.accounts.get(name)
        assert account is not None
        shelf, item = room.find(account, "early", "early-support", 1)
        at = Desk(account, room.board(account), shelf, item)
        gate.wait()
        try:
            outcomes.append((name, act(at)))
        except NotPermitted as refusal:
            outcomes.append((name, refusal.code))

    def vote(at: Desk) -> Any:
        return acts.vote(at, motion.id, WORDS, in_favour=True, today=TODAY)

    def ask(at: Desk) -> Any:
        return acts.ask(at, "label", f"Question of {at.account.name} here.")

    people = [("h.chair", vote), ("n.member", vote), *[("m.member", ask), ("n.member", ask)] * 2]
    threads = [threading.Thread(target=one, args=person) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    at = desk("m.member")
    records = at.shelf.records.about(at.card)
    assert len([record for record in records if record.kind == "asked"]) == 4
    decided = [record for record in records if record.kind == "decided"]
    assert len(decided) == 1  # the quorum is met once, whoever came last
    late = [outcome for name, outcome in outcomes if name == "n.member" and outcome == "out-of-turn"]
    votes = [record.by for record in records if record.kind == "voted"]
    assert len(votes) == 3 - len(late)  # a vote after the decision was refused, and said so; none vanished
    assert at.shelf.records.missing() == 0
    assert verify(store / "ledger.jsonl").holds


def test_a_record_that_was_changed_or_taken_out_stops_every_act(desk: Sit, store: Path) -> None:
    acts.ask(desk("m.member"), "label", "What of people not seen?")
    acts.ask(desk("n.member"), "label", "And what of the others?")
    path = store / FILE
    path.write_text(path.read_text().replace("not seen", "well seen"))
    at = desk("m.member")
    assert [record.by for record in at.shelf.records.about(at.card)] == ["n.member"]
    assert at.shelf.records.missing() == 1
    with pytest.raises(EvidenceError, match="records-missing"):
        acts.ask(desk("m.member"), "label", "What of people not seen?")


def test_a_record_slipped_in_without_a_trace_counts_for_nothing(desk: Sit, store: Path) -> None:
    submitted(desk)
    proposed(desk("m.member"))
    at = desk("h.chair")
    (motion,) = motions(at.shelf, at.card)
    forged = {"id": "f" * 32, "kind": "voted", "card": at.card, "at": "2026-01-01T00:00:00", "by": "h.chair",
              "role": "chair", "holds": {"motion": motion.id, "in_favour": True, "reason": WORDS}}  # fmt: skip
    with (store / FILE).open("a") as file:
        file.write(json.dumps(forged) + "\n" + '{"torn":')
    assert [vote.by for vote in motions(at.shelf, at.card)[0].votes] == ["m.member"]
    assert voted(desk("h.chair")) is not None  # goes on after the torn line


def test_nobody_is_named_in_the_ledger(desk: Sit, store: Path) -> None:
    submitted(desk)
    asked = acts.ask(desk("m.member"), "label", "What of people not seen?")
    acts.answer(desk("d.scientist"), asked.id, "They are missing entirely.")
    proposed(desk("h.chair"))
    voted(desk("m.member"))
    text = (store / "ledger.jsonl").read_text()
    for account in ("c.clerk", "m.member", "h.chair", "d.scientist", "not seen", "missing entirely"):
        assert account not in text

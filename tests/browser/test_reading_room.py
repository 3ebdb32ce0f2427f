"""A card's way through the reading room, in a real browser: from its submission to a condition that lapses."""

from __future__ import annotations

import datetime as dt
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pandas as pd
import pytest

from riskmodel import tracking
from riskmodel.advisory.review import ReviewForm
from riskmodel.advisory.reviews import Reviews
from riskmodel.board import acts
from riskmodel.board.acts import Desk
from riskmodel.board.motions import motions
from riskmodel.board.room import Room
from riskmodel.errors import NotPermitted
from riskmodel.governance.ledger import Ledger, verify

Visitor = Callable[..., Any]
CARD = "/models/early/early-support/1"
QUESTION = "Does this count people who were never taken to hospital?"
ANSWER = "No. They are missing, and the limits say so."
WHO = {"role": "worker", "reason": "known", "words": "Seen at home last week."}


def tabbed_to(page: Any, target: str, most: int = 120) -> None:
    """Press Tab until the element has the focus, as somebody without a mouse does; it is then to be seen."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("target => document.activeElement.matches(target)", target):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", target
            return
    raise AssertionError(f"{target} cannot be reached with the keyboard")


def filled_in(page: Any, form: str, **values: str) -> None:
    """Fill in a form and send it."""
    for name, value in values.items():
        field = page.locator(f"form[action$='{form}'] [name='{name}']")
        if field.first.get_attribute("type") == "radio":
            page.check(f"form[action$='{form}'] [name='{name}'][value='{value}']")
        else:
            field.fill(value)
    page.click(f"form[action$='{form}'] button")


def refused(case: Any, store: Path) -> str:
    """Ask for scores, and be refused; the code."""
    with pytest.raises(NotPermitted) as refusal:
        case.scores(store, case.approval(store))
    return refusal.value.code


def by_keyboard_alone(page: Any, address: str) -> None:
    """A member goes to a section, reads what a word means, and asks; never touching a mouse."""
    page.goto(f"{address}/")
    tabbed_to(page, f"a[href='{CARD}']")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}{CARD}")
    tabbed_to(page, "a[href='#label']")
    page.keyboard.press("Enter")
    tabbed_to(page, "#label a.word")
    assert page.locator("#label a.word:focus .meaning").is_visible()
    tabbed_to(page, "#label summary")
    page.keyboard.press("Enter")
    tabbed_to(page, "#label textarea")
    page.keyboard.type(QUESTION)
    tabbed_to(page, "#label button")
    page.keyboard.press("Enter")
    page.wait_for_url("**#question-*")
    assert QUESTION in page.inner_text("#label .question")
    assert "Not yet answered." in page.inner_text("#label .question")


def test_from_submission_to_a_condition_that_lapses(
    visitor: Visitor, address: str, case: Any, store: Path, making: ModuleType
) -> None:
    assert refused(case, store) == "approval-missing"

    clerk = visitor("c.clerk")
    clerk.click("text=Early support for young people")
    clerk.click("nav.tabs >> text=Decide")
    filled_in(clerk, "/submit", note="Please decide on a first use for a year.")
    assert "Before the board" in clerk.inner_text(".state")

    member = visitor("m.member")
    assert "A decision, since" in member.inner_text(".awaiting")
    by_keyboard_alone(member, address)

    scientist = visitor("d.scientist")
    scientist.goto(f"{address}{CARD}#label")
    filled_in(scientist, "/answer", answer=ANSWER)
    member.reload()
    assert ANSWER in member.inner_text("#label .answer")

    member.goto(f"{address}{CARD}/decide")
    until = (making.TODAY + dt.timedelta(days=90)).isoformat()
    filled_in(member, "/propose", choice="approve-with-conditions", reason="Help comes too late today.",
              valid_until=until, reviewed_percent="40", people_per_list="200")  # fmt: skip
    assert "Proposal: Approve with conditions" in member.inner_text("main")
    assert refused(case, store) == "approval-missing"  # one vote is no decision

    chair = visitor("h.chair")
    chair.goto(f"{address}{CARD}/decide")
    filled_in(chair, "/vote", vote="for", reason="The answer convinces me.")
    assert "Approved until" in chair.inner_text(".state")
    filled_in(chair, "/use")
    assert "In use until" in chair.inner_text(".state")

    made = case.scores(store, case.approval(store))  # what was refused before now runs
    made.export(store.parent / "list")

    assert refused(case, store) == "reviews-too-few"  # the condition lapses: nobody was reviewed
    chair.goto(f"{address}{CARD}/record")
    assert "reviews-too-few" in chair.locator("details").text_content()

    reviews = Reviews(store / "reviews.jsonl", ReviewForm(("offer", "no-offer"), ("known",)), made.ledger)
    for pseudonym in made.pseudonyms[: made.people // 2]:
        seen, _ = reviews.look(reviews.begin(made, pseudonym, choice="offer", **WHO), made)
        reviews.conclude(seen, choice="no-offer", reason="known", words="The family has a worker.")
    assert case.scores(store, case.approval(store)).people == made.people  # met again, it runs again

    served = tracking.load_for_scoring("models:/early-support@in_use", f"sqlite:///{store / 'mlflow.db'}")
    rows = pd.DataFrame(case.training.matrix()[:3], columns=list(case.model.feature_names))
    under = {"approval": str(next((store / "board" / "approvals").glob("*.toml"))), "ledger": made.ledger.path}
    under |= {"as_of": making.TODAY.isoformat(), "delivered_until": making.TODAY.isoformat()}
    params = {name: str(value) for name, value in under.items()}
    assert len(served.predict(rows, params=params)) == 3

    chair.goto(f"{address}{CARD}/decide")
    filled_in(chair, "/withdraw", reason="A complaint was upheld.")
    assert "Withdrawn by the board" in chair.inner_text(".state")
    assert refused(case, store) == "approval-withdrawn"
    with pytest.raises(NotPermitted, match="approval-superseded"):  # the one that was loaded before refuses, too
        served.predict(rows, params=params)
    assert verify(Ledger(store / "ledger.jsonl").path).holds


def asked_of(address: str, name: str, making: ModuleType) -> httpx.Client:
    """Somebody at the server without a browser, signed in."""
    client = httpx.Client(base_url=address, headers={"origin": address}, follow_redirects=True, timeout=60)
    form = {"csrf": within(client.get("/sign-in").text, "csrf"), "name": name, "password": making.PASSWORD}
    assert client.post("/sign-in", data=form).status_code == 200
    return client


def within(page: str, field: str) -> str:
    """The value of the first hidden field of that name."""
    return page.split(f'name="{field}" value="')[1].split('"')[0]


def test_three_who_decide_in_the_same_moment_lose_nothing(
    visitor: Visitor, address: str, store: Path, making: ModuleType
) -> None:
    clerk = visitor("c.clerk")
    clerk.goto(f"{address}{CARD}/decide")
    filled_in(clerk, "/submit", note="Please decide on a first use.")
    people = {name: asked_of(address, name, making) for name in ("m.member", "n.member", "h.chair")}
    days = {"valid_from": making.TODAY.isoformat(), "valid_until": (making.TODAY + dt.timedelta(days=9)).isoformat()}
    moment = threading.Barrier(len(people))

    def acted(name: str, act: str, given: dict[str, str]) -> str:
        page = people[name].get(f"{CARD}/decide").text
        held = {field: within(page, field) for field in ("csrf", "card", *(["motion"] if act == "vote" else []))}
        moment.wait()
        return people[name].post(f"{CARD}/{act}", data={**held, **given, "reason": f"As {name} sees it."}).text

    with ThreadPoolExecutor(len(people)) as together:
        list(together.map(lambda name: acted(name, "propose", {"choice": "approve", **days}), people))
    clerk.goto(f"{address}{CARD}/decide")
    assert clerk.locator(".motion").count() == 3  # proposed in the same moment, and all there
    with ThreadPoolExecutor(len(people)) as together:
        answers = list(together.map(lambda name: acted(name, "vote", {"vote": "for"}), people))
    told = sum("This was not done" in answer for answer in answers)
    for client in people.values():
        client.close()
    clerk.goto(f"{address}{CARD}/minutes")
    minutes = clerk.inner_text("main")
    assert all(f"As {name} sees it." in minutes for name in people)
    # who proposes votes for it; each further vote stands, or whoever came after the decision was told that it does not
    assert minutes.count("Voted for the proposal") + told == 2 * len(people)
    entries = [json.loads(line) for line in (store / "ledger.jsonl").read_text(encoding="utf-8").splitlines()]
    assert sum(entry["action"] == "approval" for entry in entries) == 1  # one decision; the other proposals fell
    assert verify(store / "ledger.jsonl").holds


def test_an_approval_lapses_on_its_day_and_is_renewed(
    visitor: Visitor, address: str, case: Any, store: Path, making: ModuleType
) -> None:
    long_ago = making.TODAY - dt.timedelta(days=90)
    with decided_on(long_ago, store, making) as desk:
        acts.submit(desk("c.clerk"), "Please decide on a first use.")
        days = {"valid_from": long_ago, "valid_until": making.TODAY}
        acts.propose(desk("m.member"), "approve", "For three months, as a try.", today=long_ago, **days)
        (motion,) = motions(desk("h.chair").shelf, desk("h.chair").card)
        acts.vote(desk("h.chair"), motion.id, "Three months are enough.", in_favour=True, today=long_ago)
    chair, member = visitor("h.chair"), visitor("m.member")
    assert "Its approval ended on" in chair.inner_text(".awaiting")
    assert refused(case, store) == "approval-expired"
    chair.goto(f"{address}{CARD}/decide")
    assert "the approval ended on" in chair.inner_text(".state")
    assert chair.locator("form[action$='/use']").count() == 0  # nothing that has ended is taken into use
    until = (making.TODAY + dt.timedelta(days=30)).isoformat()
    filled_in(chair, "/propose", choice="approve", reason="It went well, so once more.", valid_until=until)
    member.goto(f"{address}{CARD}/decide")
    filled_in(member, "/vote", vote="for", reason="I have seen that it did.")
    assert "Approved until" in member.inner_text(".state")
    assert case.scores(store, case.approval(store)).people > 0


@contextmanager
def decided_on(day: dt.date, store: Path, making: ModuleType) -> Iterator[Callable[[str], Desk]]:
    """The desks of the room's people, for acts of a day that has passed."""
    assert day < making.TODAY
    room = Room.of(store.parent / "room", [store])

    def sit(name: str) -> Desk:
        account = room.accounts.get(name)
        assert account is not None
        shelf, item = room.find(account, "early", "early-support", 1)
        return Desk(account, room.board(account), shelf, item)

    yield sit


def test_a_stranger_another_board_and_a_forged_form_get_nothing(visitor: Visitor, address: str, store: Path) -> None:
    stranger = visitor(None)
    for path in ("/", CARD, f"{CARD}/decide", f"{CARD}/minutes.pdf", f"{CARD}/finding-3-wide.svg", "/glossary"):
        stranger.goto(f"{address}{path}")
        assert stranger.url == f"{address}/sign-in"
    elsewhere = visitor("x.elsewhere")
    assert "Early support" not in elsewhere.content()
    answer = elsewhere.goto(f"{address}{CARD}")
    assert answer is not None
    assert answer.status == 404
    chair = visitor("h.chair")
    chair.goto(f"{address}{CARD}/decide")
    card = chair.locator("footer code").inner_text()
    forged = chair.request.post(f"{address}{CARD}/withdraw", form={"card": card, "reason": "no token at all"},
                                headers={"origin": address})  # fmt: skip
    assert forged.status == 403
    # a page elsewhere with a form to us: the browser brings neither the cookie nor our origin
    chair.route("http://evil.example/", lambda route: route.fulfill(
        content_type="text/html", body=f"<form method=post action='{address}{CARD}/submit'>"
        f"<input name=card value={card}><input name=note value='a b c'><button>Win</button></form>"))  # fmt: skip
    chair.goto("http://evil.example/")
    chair.click("button")
    assert "did not come from a page of the reading room" in chair.content()
    assert not (store / "board").exists()
    assert not (store / "ledger.jsonl").exists() or '"board"' not in (store / "ledger.jsonl").read_text()


def test_axe_finds_nothing_serious_and_nothing_is_wider_than_a_telephone(
    visitor: Visitor, address: str, findings: Callable[..., list[str]]
) -> None:
    clerk, chair = visitor("c.clerk"), visitor("h.chair")
    clerk.goto(f"{address}{CARD}/decide")
    assert findings(clerk) == []
    filled_in(clerk, "/submit", note="Please decide on a first use.")
    chair.goto(f"{address}{CARD}/decide")
    filled_in(chair, "/propose", choice="ask-for-more", reason="Show the groups by area too.")
    said = []
    chair.on("console", lambda message: said.append(message.text))
    for path in (
        "/",
        CARD,
        *(f"{CARD}/{tab}" for tab in ("brief", "changes", "groups", "record", "decide", "minutes")),
        "/glossary",
    ):
        chair.goto(f"{address}{path}")
        assert findings(chair) == [], path
        chair.emulate_media(color_scheme="dark")
        assert findings(chair, ["color-contrast"]) == [], f"{path} by night"  # nothing else depends on it
        chair.emulate_media(color_scheme="light")
        chair.set_viewport_size({"width": 375, "height": 800})
        assert chair.evaluate("document.documentElement.scrollWidth") <= 375, path
        chair.set_viewport_size({"width": 1280, "height": 900})
    assert said == []  # nothing that the policy had to stop, nothing that was not there
    for path in (CARD, f"{CARD}/brief"):
        chair.goto(f"{address}{path}")
        broken = chair.evaluate(
            "async () => { const all = [...document.images]; all.forEach(i => i.loading = 'eager');"
            " await Promise.allSettled(all.map(i => i.decode())); return all.filter(i => !i.naturalWidth).length }"
        )
        assert broken == 0, path
    stranger = visitor(None)
    assert findings(stranger) == []


def test_it_works_without_scripts(visitor: Visitor, address: str) -> None:
    member = visitor("m.member", java_script_enabled=False)
    member.goto(f"{address}{CARD}")
    member.click("#label summary")
    member.fill("#label textarea", QUESTION)
    member.click("#label button")
    assert QUESTION in member.locator("#label .question").text_content()


def test_the_command_opens_the_room_on_loopback(store: Path, making: ModuleType) -> None:
    making.furnished(store.parent / "room", [store])
    with socket.socket() as asking:
        asking.bind(("127.0.0.1", 0))
        port = asking.getsockname()[1]
    words = [sys.executable, "-m", "riskmodel.cli", "board", store, "--room", store.parent / "room", "--port", port]
    process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert f"http://127.0.0.1:{port}/" in process.stdout.readline()
        answer = None
        for _ in range(200):
            try:
                answer = httpx.get(f"http://127.0.0.1:{port}/sign-in")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        assert answer is not None
        assert answer.status_code == 200
        assert "server" not in answer.headers
    finally:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert "Traceback" not in said

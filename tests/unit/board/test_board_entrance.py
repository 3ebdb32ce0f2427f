"""Who gets in: accounts, sessions, tries, and what every answer carries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from riskmodel.board.accounts import FILE, Account, Accounts
from riskmodel.board.guard import HEADERS, LARGEST_FORM
from riskmodel.board.room import Room
from riskmodel.board.sessions import (
    COOKIE,
    IDLE,
    LONGEST,
    OVERLAP,
    TRIES_BY_NAME,
    TRIES_WITHIN,
    TURNED_AFTER,
    Attempts,
    Sessions,
)
from riskmodel.errors import DeclarationError, EvidenceError, NotFound

GOOD = "a long enough password"
PAGE = "/models/early/early-support/1"


class Clock:
    """A clock that the test winds."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def browser_of(room: Room, making: ModuleType) -> Iterator[httpx.Client]:
    """Somebody who asks a running room, and says where each form comes from, as a browser does."""
    with making.opened(room) as address, httpx.Client(base_url=address, headers={"origin": address}) as client:
        yield client


def sign_in(at: httpx.Client, name: str, password: str) -> httpx.Response:
    page = at.get("/sign-in").text
    token = page.split('name="csrf" value="')[1].split('"')[0]
    return at.post("/sign-in", data={"csrf": token, "name": name, "password": password})


def test_a_password_is_kept_as_a_hash_alone_and_checked(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path)
    accounts.add(Account("a.mensah", "chair"), GOOD)
    held = (tmp_path / FILE).read_text()
    assert GOOD not in held
    assert json.loads(held)["accounts"][0]["hash"].startswith("$argon2id$")
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0
    assert accounts.signed_in("a.mensah", GOOD) == Account("a.mensah", "chair")
    assert accounts.signed_in("a.mensah", GOOD + " ") is None
    assert accounts.signed_in("nobody", GOOD) is None
    accounts.remove("a.mensah")
    assert accounts.all() == ()
    with pytest.raises(NotFound, match="account-missing"):
        accounts.remove("a.mensah")
    (tmp_path / FILE).write_text("{")
    with pytest.raises(EvidenceError, match="accounts-damaged"):
        accounts.all()


def test_every_fault_of_an_account_at_once(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match="account-invalid") as refusal:
        Accounts(tmp_path).add(Account("A B", "king", "x y"), "short")
    assert len(refusal.value.faults) == 4


def test_a_session_ends_without_use_and_after_a_day() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    token = sessions.begin("m")
    assert sessions.find("guessed") == (None, None)
    clock.now += IDLE + 1
    assert sessions.find(token) == (None, None)
    token, begun = sessions.begin("m"), clock.now
    while clock.now - begun <= LONGEST:
        found, fresh = sessions.find(token)
        assert found is not None
        token, clock.now = fresh or token, clock.now + IDLE / 2
    assert sessions.find(token) == (None, None)


def test_a_token_changes_and_the_old_one_answers_for_a_moment_only() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    old = sessions.begin("m")
    clock.now += TURNED_AFTER
    session, fresh = sessions.find(old)
    assert session is not None
    assert fresh not in (None, old)
    assert sessions.find(old) == (session, None)  # a second page that was asked for at the same time
    clock.now += OVERLAP
    assert sessions.find(old) == (None, None)
    assert sessions.find(str(fresh)) == (session, None)
    sessions.end(str(fresh))
    assert sessions.find(str(fresh)) == (None, None)


def test_attack_signing_out_ends_a_session_whose_token_changes_at_that_moment() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    old = sessions.begin("m")
    clock.now += TURNED_AFTER
    _, fresh = sessions.find(old)  # as every page does, that of signing out too
    sessions.end(old)
    assert sessions.find(str(fresh)) == (None, None)
    assert sessions.find(old) == (None, None)


def test_too_many_tries_are_not_looked_at() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for _ in range(TRIES_BY_NAME):
        assert not attempts.too_many("m", "here")
        attempts.failed("m", "here")
    assert attempts.too_many("m", "elsewhere")
    assert not attempts.too_many("n", "here")
    clock.now += TRIES_WITHIN + 1
    assert not attempts.too_many("m", "here")


def test_signing_in_and_out(browser_of: httpx.Client, making: ModuleType) -> None:
    assert browser_of.get("/").headers["location"] == "/sign-in"
    answer = sign_in(browser_of, "m.member", making.PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = next(held for held in answer.headers.get_list("set-cookie") if held.startswith(f"{COOKIE}="))
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    page = browser_of.get(PAGE)
    assert page.status_code == 200
    token = page.text.split('name="csrf" value="')[1].split('"')[0]
    assert browser_of.post("/sign-out", data={"csrf": token}).status_code == 303
    assert browser_of.get(PAGE).headers["location"] == "/sign-in"


def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(browser_of: httpx.Client, making: ModuleType) -> None:
    def said(answer: httpx.Response) -> tuple[int, str]:
        words = answer.text.split('role="alert">')[1].split("<")[0]
        return answer.status_code, words

    wrong_name = said(sign_in(browser_of, "nobody", making.PASSWORD))
    wrong_password = said(sign_in(browser_of, "m.member", "wrong password here"))
    assert wrong_name == wrong_password
    assert wrong_name[0] == 403
    for _ in range(TRIES_BY_NAME):
        sign_in(browser_of, "m.member", "wrong password here")
    assert said(sign_in(browser_of, "m.member", making.PASSWORD)) == wrong_password  # right, but after too many tries


def test_an_account_that_is_removed_is_out_at_the_next_page(
    browser_of: httpx.Client, making: ModuleType, room: Room
) -> None:
    sign_in(browser_of, "m.member", making.PASSWORD)
    room.accounts.remove("m.member")
    assert browser_of.get("/").headers["location"] == "/sign-in"


def test_every_answer_carries_the_headers_and_no_page_a_script(browser_of: httpx.Client, making: ModuleType) -> None:
    sign_in(browser_of, "m.member", making.PASSWORD)
    drawing = browser_of.get(PAGE).text.split('src="')[1].split('"')[0]
    paths = ("/", "/sign-in", "/glossary", PAGE, f"{PAGE}/decide", "/nothing", "/models/early/x/1", "/?page=x", drawing)
    for path in paths:
        answer = browser_of.get(path)
        for name, value in HEADERS.items():
            if not (path == drawing and name == "content-security-policy"):
                assert answer.headers[name] == value, (path, name)
        assert "<script" not in answer.text
        assert " style=" not in answer.text or path == drawing
        assert "http://" not in answer.text.replace("http://www.w3.org/", "")
    assert "default-src 'none'" in browser_of.get(drawing).headers["content-security-policy"]
    assert browser_of.get("/board.css").headers["content-type"].startswith("text/css")


def test_other_hosts_origins_methods_and_large_forms_are_refused(browser_of: httpx.Client, making: ModuleType) -> None:
    sign_in(browser_of, "c.clerk", making.PASSWORD)
    assert browser_of.get("/", headers={"host": "evil.example"}).status_code == 400
    for origin in ({"origin": ""}, {"origin": "null"}, {"origin": "http://evil.example"}):
        assert browser_of.post(f"{PAGE}/submit", data={"note": "a b c"}, headers=origin).status_code == 403
    assert browser_of.put("/").status_code == 405
    large = {"note": "x" * LARGEST_FORM}
    assert browser_of.post(f"{PAGE}/submit", data=large).status_code == 413


def test_a_form_without_the_token_of_its_session_does_nothing(
    browser_of: httpx.Client, making: ModuleType, room: Room, store: Path
) -> None:
    sign_in(browser_of, "c.clerk", making.PASSWORD)
    card = room.find(making.PEOPLE_OF_THE_ROOM[0], "early", "early-support", 1)[1].version.card
    for token in ({}, {"csrf": "guessed"}, {"csrf": "é"}):
        answer = browser_of.post(f"{PAGE}/submit", data={"note": "a b c", "card": card, **token})
        assert answer.status_code == 403
        assert "Nothing was changed" in answer.text
    assert not (store / "board" / "records.jsonl").exists()
    token = browser_of.get(PAGE).text.split('name="csrf" value="')[1].split('"')[0]
    other = browser_of.post(f"{PAGE}/submit", data={"note": "a b c", "card": "0" * 64, "csrf": token})
    assert other.status_code == 403
    assert browser_of.post(f"{PAGE}/burn", data={"csrf": token}).status_code == 404
    good = browser_of.post(f"{PAGE}/submit", data={"note": "a b c", "card": card, "csrf": token})
    assert good.status_code == 303


def test_attack_a_token_is_worth_nothing_in_another_session_or_after_signing_in_again(
    browser_of: httpx.Client, making: ModuleType, room: Room, store: Path
) -> None:
    def token() -> str:
        return browser_of.get(PAGE).text.split('name="csrf" value="')[1].split('"')[0]

    card = room.find(making.PEOPLE_OF_THE_ROOM[0], "early", "early-support", 1)[1].version.card
    sign_in(browser_of, "m.member", making.PASSWORD)
    of_the_member = token()
    browser_of.cookies.clear()
    sign_in(browser_of, "c.clerk", making.PASSWORD)
    of_the_clerk = token()
    sign_in(browser_of, "c.clerk", making.PASSWORD)  # a form of before is replayed under a new session
    for forged in (of_the_member, of_the_clerk):
        answer = browser_of.post(f"{PAGE}/submit", data={"note": "a b c", "card": card, "csrf": forged})
        assert answer.status_code == 403
    assert not (store / "board" / "records.jsonl").exists()


def test_attack_a_cookie_given_to_somebody_beforehand_lets_nobody_in(
    browser_of: httpx.Client, making: ModuleType
) -> None:
    browser_of.cookies.set(COOKIE, "chosen-by-somebody-else")
    sign_in(browser_of, "m.member", making.PASSWORD)
    assert browser_of.get(PAGE).status_code == 200
    browser_of.cookies.clear()
    browser_of.cookies.set(COOKIE, "chosen-by-somebody-else")
    assert browser_of.get(PAGE).headers["location"] == "/sign-in"


ASTRAY = (
    f"{PAGE}/..%2f..%2f..%2froom%2faccounts.json-wide.svg",
    f"{PAGE}/brief/..%2f..%2faccounts-narrow.svg",
    f"{PAGE}/%2e%2e/%2e%2e/accounts.json",
    f"{PAGE}/finding-3-huge.svg",
    "/models/..%2froom/early-support/1",
    "/models/%2Fetc/passwd/1",
    "/models/early/early-support/1%00",
    "/models/early/early-support/-1",
    "/models/early/early-support/99999999999999999999",
)


def test_attack_no_address_leads_out_of_the_shelf(browser_of: httpx.Client, making: ModuleType) -> None:
    sign_in(browser_of, "m.member", making.PASSWORD)
    for path in ASTRAY:
        answer = browser_of.get(path)
        assert answer.status_code in (404, 405), path  # an address of forms is not for reading
        assert "There is no such page" in answer.text


def test_a_member_of_another_board_gets_nothing(browser_of: httpx.Client, making: ModuleType) -> None:
    sign_in(browser_of, "x.elsewhere", making.PASSWORD)
    front = browser_of.get("/")
    assert "Early support" not in front.text
    nothing = browser_of.get("/models/early/nothing/1")
    for path in ("", "/groups", "/record", "/decide", "/minutes", "/minutes.pdf", "/changes", "/finding-3-wide.svg"):
        answer = browser_of.get(PAGE + path)
        assert answer.status_code == 404
        assert answer.text == nothing.text  # not even that it is there
    token = front.text.split('name="csrf" value="')[1].split('"')[0]
    for act in ("submit", "ask", "propose", "vote", "withdraw"):
        form = {"csrf": token, "card": "0" * 64, "note": "a b c", "reason": "a b c", "choice": "approve"}
        assert browser_of.post(f"{PAGE}/{act}", data=form).status_code == 404

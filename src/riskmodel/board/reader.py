"""Who asks for a page: the session behind the cookie, the account behind the session, the form with its token."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any

from fastapi import Request
from starlette.datastructures import UploadFile

from riskmodel.board.accounts import Account
from riskmodel.board.guard import COOKIE_STATE
from riskmodel.board.room import Board, Room
from riskmodel.board.sessions import COOKIE, LONGEST, Attempts, Session, Sessions

_MOST_FIELDS = 30


class Stranger(Exception):
    """Nobody is signed in."""


class Forged(Exception):
    """A form came back without the token of its session."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who is signed in.

    Attributes
    ----------
    account : Account
    board : Board
    session : Session
    """

    account: Account
    board: Board
    session: Session


@dataclass(frozen=True, slots=True)
class Door:
    """Lets people in."""

    room: Room
    sessions: Sessions
    attempts: Attempts
    secure: bool = False

    def reader(self, request: Request) -> Reader:
        """Who asks.

        Raises
        ------
        Stranger : nobody who is signed in
        """
        session, fresh = self.sessions.find(request.cookies.get(COOKIE, ""))
        account = None if session is None else self.room.accounts.get(session.name)
        if session is None or account is None:
            raise Stranger
        if fresh is not None:
            self.give(request, fresh)
        return Reader(account, self.room.board(account), session)

    def sign_in(self, request: Request, name: str, password: str) -> bool:
        """Begin a session when name and password are right and there were not too many tries."""
        address = request.client.host if request.client else "nowhere"
        name = name[:200].strip().lower()
        if self.attempts.too_many(name, address):
            return False
        account = self.room.accounts.signed_in(name, password[:1000])
        if account is None:
            self.attempts.failed(name, address)
            return False
        self.sessions.end(request.cookies.get(COOKIE, ""))
        self.give(request, self.sessions.begin(account.name))
        return True

    def sign_out(self, request: Request) -> None:
        """End the session."""
        self.sessions.end(request.cookies.get(COOKIE, ""))
        self.set_cookie(request, COOKIE, "", 0)

    def give(self, request: Request, token: str) -> None:
        """Have the browser keep a token."""
        self.set_cookie(request, COOKIE, token, int(LONGEST))

    def set_cookie(self, request: Request, name: str, value: str, age: int) -> None:
        """Leave a cookie with the answer: for this site alone, and for no script."""
        cookie: SimpleCookie = SimpleCookie()
        cookie[name] = value
        settings: dict[str, Any] = {"path": "/", "httponly": True, "samesite": "Strict", "max-age": str(age)}
        for setting, held in (settings | ({"secure": True} if self.secure else {})).items():
            cookie[name][setting] = held
        request.scope["state"].setdefault(COOKIE_STATE, []).append(cookie[name].OutputString())


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form, texts only."""
    async with request.form(max_files=0, max_fields=_MOST_FIELDS) as given:
        return {name: value for name, value in given.items() if not isinstance(value, UploadFile)}


def must_be_ours(reader: Reader, form: dict[str, Any]) -> None:
    """Refuse a form without the token of its session.

    Raises
    ------
    Forged : it has none, or another
    """
    if not hmac.compare_digest(str(form.get("csrf", "")).encode(), reader.session.csrf.encode()):
        raise Forged

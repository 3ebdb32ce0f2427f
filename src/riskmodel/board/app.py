"""The reading room as a web application: its addresses, and what each shows or does.

Reading is GET, acting is POST with the token of the session; every POST ends in a page to read. Refusals are pages, in
the words of the refusal. Whatever stands on the shelf of another board is not there.
"""

from __future__ import annotations

import datetime as dt
import hmac
import secrets
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from riskmodel.board import forms, glossary, pages, views
from riskmodel.board.acts import Desk
from riskmodel.board.guard import POLICY, Guard
from riskmodel.board.pages import Sections, render
from riskmodel.board.reader import Door, Forged, Reader, Stranger, form_of, must_be_ours
from riskmodel.board.room import Room
from riskmodel.board.sessions import Attempts, Sessions
from riskmodel.cards.beside import brief_of
from riskmodel.cards.model_card import ModelCard
from riskmodel.cards.pdf import pdf
from riskmodel.errors import DeclarationError, NotFound, NotInstalled, NotPermitted, RiskmodelError

Form = Annotated[dict[str, str], Depends(form_of)]
_SIGN_IN_COOKIE = "reading-room-form"
_WRONG = "Name and password do not belong together, or there were too many tries. Wait a quarter of an hour at most."


def application(room: Room, hosts: frozenset[str], *, secure: bool = False) -> Guard:
    """The application, behind its guard.

    Parameters
    ----------
    room : Room
    hosts : the values of the Host header that are answered, such as "127.0.0.1:8765"
    secure : bool, whether it is reached through https, so that the cookie is sent over nothing else
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    door = Door(room, Sessions(), Attempts(), secure)
    _refusals(app, door)
    _entrance(app, door)
    _reading(app, door, Sections())
    _acting(app, door)
    return Guard(app, hosts)


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


def _page(template: str, reader: Reader | None, status: int = 200, **given: Any) -> HTMLResponse:
    return HTMLResponse(render(template, reader=reader, **given), status)


def _refusals(app: FastAPI, door: Door) -> None:
    """What is shown in place of a page."""

    def refused(request: Request, status: int, title: str, *words: str) -> HTMLResponse:
        try:
            reader: Reader | None = door.reader(request)
        except Stranger:
            reader = None
        return _page("refused.html.j2", reader, status, title=title, words=words)

    @app.exception_handler(Stranger)
    def stranger(request: Request, _: Exception) -> Response:
        if request.method == "GET":
            return RedirectResponse("/sign-in", 303)
        return refused(request, 403, "You are not signed in", "Sign in, then do it again. Nothing was changed.")

    @app.exception_handler(Forged)
    def forged(request: Request, _: Exception) -> Response:
        words = "This form did not come from a page that was shown to you. Nothing was changed."
        return refused(request, 403, "This form is not accepted", words)

    @app.exception_handler(RequestValidationError)
    @app.exception_handler(HTTPException)
    def missing(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 404
        return refused(request, status, "There is no such page", "Go back to the list of models.")

    @app.exception_handler(RiskmodelError)
    def refusal(request: Request, error: Exception) -> Response:
        assert isinstance(error, RiskmodelError)
        if isinstance(error, NotFound) and error.code == "version-missing":
            return refused(request, 404, "There is no such page", "Go back to the list of models.")
        kinds = ((DeclarationError, 422), (NotPermitted, 403), (NotFound, 404), (NotInstalled, 501))
        status = next((number for kind, number in kinds if isinstance(error, kind)), 409)
        faults = getattr(error, "faults", ())
        words = [str(fault) for fault in faults] or [f"Found {error.found}; expected {error.expected}. {error.repair}"]
        return refused(request, status, "This was not done", *words)


def _entrance(app: FastAPI, door: Door) -> None:
    """Signing in and out, and what needs no sign-in: the type."""

    def form(request: Request, status: int = 200, words: str = "") -> HTMLResponse:
        token = secrets.token_urlsafe(32)
        door.set_cookie(request, _SIGN_IN_COOKIE, token, 3600)
        return _page("sign_in.html.j2", None, status, csrf=token, words=words)

    @app.get("/board.css")
    def type_() -> Response:
        return Response(pages.stylesheet(), media_type="text/css", headers={"cache-control": "max-age=3600"})

    @app.get("/favicon.ico")
    def no_icon() -> Response:
        return Response(status_code=204)

    @app.get("/sign-in")
    def ask(request: Request) -> HTMLResponse:
        return form(request)

    @app.post("/sign-in")
    def sign_in(request: Request, given: Form) -> Response:
        held = request.cookies.get(_SIGN_IN_COOKIE, "")
        if not held or not hmac.compare_digest(given.get("csrf", "").encode(), held.encode()):
            raise Forged
        if not door.sign_in(request, given.get("name", ""), given.get("password", "")):
            return form(request, 403, _WRONG)
        return RedirectResponse("/", 303)

    @app.post("/sign-out")
    def sign_out(request: Request, given: Form) -> Response:
        must_be_ours(door.reader(request), given)
        door.sign_out(request)
        return RedirectResponse("/sign-in", 303)


def _reading(app: FastAPI, door: Door, sections: Sections) -> None:
    """The pages that change nothing."""
    known = Depends(door.reader)

    def desk(reader: Reader, shelf: str, name: str, number: int) -> Desk:
        held, item = door.room.find(reader.account, shelf, name, number)
        return Desk(reader.account, reader.board, held, item)

    @app.get("/")
    def models(state: str = "", page: int = 1, reader: Reader = known) -> HTMLResponse:
        given = views.models(door.room, reader.account, state, page, _today())
        return _page("models.html.j2", reader, **given)

    @app.get("/glossary")
    def words(reader: Reader = known) -> HTMLResponse:
        return _page("glossary.html.j2", reader, words=glossary.words())

    base = "/models/{shelf}/{name}/{number}"

    @app.get(base)
    def card(shelf: str, name: str, number: int, reader: Reader = known) -> HTMLResponse:
        at = desk(reader, shelf, name, number)
        return _page("card.html.j2", reader, **views.card(at, sections, _today()))

    @app.get(base + "/brief")
    def brief(shelf: str, name: str, number: int, reader: Reader = known) -> HTMLResponse:
        at = desk(reader, shelf, name, number)
        return _page("brief.html.j2", reader, **views.brief(at, sections, _today()))

    @app.get(base + "/changes")
    def changes(shelf: str, name: str, number: int, reader: Reader = known) -> HTMLResponse:
        return _page("changes.html.j2", reader, **views.changes(desk(reader, shelf, name, number), _today()))

    @app.get(base + "/groups")
    def groups(request: Request, shelf: str, name: str, number: int, reader: Reader = known) -> HTMLResponse:
        at = desk(reader, shelf, name, number)
        return _page("groups.html.j2", reader, **views.groups(at, dict(request.query_params), _today()))

    @app.get(base + "/record")
    def record(shelf: str, name: str, number: int, reader: Reader = known) -> HTMLResponse:
        return _page("record.html.j2", reader, **views.record(desk(reader, shelf, name, number), _today()))

    @app.get(base + "/decide")
    def decision(shelf: str, name: str, number: int, reader: Reader = known) -> HTMLResponse:
        return _page("decide.html.j2", reader, **views.decision(desk(reader, shelf, name, number), _today()))

    @app.get(base + "/minutes")
    def minutes(shelf: str, name: str, number: int, reader: Reader = known) -> HTMLResponse:
        return _page("minutes.html.j2", reader, **views.minutes(desk(reader, shelf, name, number), _today()))

    @app.get(base + "/minutes.pdf")
    def minutes_pdf(shelf: str, name: str, number: int, reader: Reader = known) -> Response:
        given = views.minutes(desk(reader, shelf, name, number), _today())
        made = pdf(render("minutes.html.j2", reader=None, **{**given, "inline": pages.stylesheet()}))
        headers = {"content-disposition": 'inline; filename="minutes.pdf"'}
        return Response(made, media_type="application/pdf", headers=headers)

    def picture(document: Mapping[str, Any] | None, figure: str, width: Literal["wide", "narrow"]) -> Response:
        made = None if document is None else sections.drawing(document, figure, width)
        if made is None:
            raise HTTPException(404)
        # a picture styles itself; it is no page, and nothing can run in it
        headers = {"content-security-policy": POLICY.replace("style-src 'self'", "style-src 'unsafe-inline'")}
        return Response(made, media_type="image/svg+xml", headers=headers)

    @app.get(base + "/{figure}-{width}.svg")
    def drawing(
        shelf: str, name: str, number: int, figure: str, width: Literal["wide", "narrow"], reader: Reader = known
    ) -> Response:
        at = desk(reader, shelf, name, number)
        return picture(at.shelf.card(at.item.version), figure, width)

    @app.get(base + "/brief/{figure}-{width}.svg")
    def drawing_of_brief(
        shelf: str, name: str, number: int, figure: str, width: Literal["wide", "narrow"], reader: Reader = known
    ) -> Response:
        at = desk(reader, shelf, name, number)
        return picture(brief_of(ModelCard(at.shelf.card(at.item.version))), figure, width)


def _acting(app: FastAPI, door: Door) -> None:
    """The forms."""

    @app.post("/models/{shelf}/{name}/{number}/{act}")
    def act(request: Request, given: Form, shelf: str, name: str, number: int, act: str) -> Response:
        reader = door.reader(request)
        must_be_ours(reader, given)
        held, item = door.room.find(reader.account, shelf, name, number)
        if act not in forms.ACTS:
            raise HTTPException(404)
        if given.get("card") != item.version.card:
            raise NotPermitted(
                "card-other",
                found="a form about another card",
                expected="the card as it now stands",
                repair="Read the card again, then act.",
            )
        made: str = forms.ACTS[act](Desk(reader.account, reader.board, held, item), given, _today())
        return RedirectResponse(pages.address(item) + made, 303)

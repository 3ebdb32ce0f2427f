"""Formulas and markup in all that is said before a board: its pages in a browser, its minutes as PDF, its files."""

from __future__ import annotations

import datetime as dt
import importlib.util
import re
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from riskmodel.board import acts, pages, views
from riskmodel.board.acts import Desk
from riskmodel.board.reader import Reader
from riskmodel.board.sessions import Session
from riskmodel.cards import pdf
from riskmodel.governance.ledger import verify

Sit = Callable[[str], Desk]
TODAY = dt.datetime.now(dt.UTC).date()
FORMULA = "=cmd|' /C calc'!A0"
MARKUP = (
    '<script>window.harmed=1</script><img src=x onerror="window.harmed=1"><a href="javascript:harmed=1">x</a></style>'
    "<style>@import 'http://127.0.0.1:9/x.css';</style>{{ 7 * 7 }}{% include 'card.html.j2' %}"
)
BOTH = f'{FORMULA} {MARKUP} """ \\u0000 [limits]\npeople_per_list = 1'
RUNS = (b"/JavaScript", b"/JS", b"/Launch", b"/OpenAction", b"/URI", b"/EmbeddedFile", b"/SubmitForm")


@pytest.fixture
def said(desk: Sit) -> dict[str, str]:
    """The pages of the room after everybody has said the payload wherever something may be written."""
    acts.submit(desk("c.clerk"), BOTH)
    asked = acts.ask(desk("m.member"), "label", BOTH)
    acts.answer(desk("d.scientist"), asked.id, BOTH)
    acts.propose(
        desk("h.chair"), "approve-with-conditions", BOTH, conditions=BOTH, limits={"people_per_list": 200},
        valid_from=TODAY, valid_until=TODAY + dt.timedelta(days=20), today=TODAY,
    )  # fmt: skip
    motion = views.decision(desk("m.member"), TODAY)["open"][0]
    member = desk("m.member")
    reader = Reader(member.account, member.board, Session("m.member", "token", 0, 0, 0))
    pending = pages.render("decide.html.j2", reader=reader, **views.decision(member, TODAY))
    acts.vote(desk("m.member"), motion.id, BOTH, in_favour=True, today=TODAY)
    acts.take_into_use(desk("c.clerk"), TODAY)
    acts.withdraw(desk("h.chair"), BOTH, TODAY)
    at = desk("o.observer")
    hostile = replace(at, board=replace(at.board, title=BOTH))
    page = {
        "card": pages.render("card.html.j2", reader=None, **views.card(hostile, pages.Sections(), TODAY)),
        "record": pages.render("record.html.j2", reader=None, **views.record(hostile, TODAY)),
        "decide": pages.render("decide.html.j2", reader=reader, **views.decision(hostile, TODAY)),
    }
    minutes = {**views.minutes(hostile, TODAY), "inline": pages.stylesheet()}
    page["minutes"] = pages.render("minutes.html.j2", reader=None, **minutes)
    return {**page, "pending": pending}


def test_attack_all_that_is_said_before_the_board_in_a_browser(
    said: dict[str, str], browser: Any, tmp_path: Path
) -> None:
    for name, text in said.items():
        (tmp_path / f"{name}.html").write_text(text, encoding="utf-8")
        page, asked = browser.new_page(), []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.goto((tmp_path / f"{name}.html").as_uri())
        assert page.evaluate("window.harmed") is None, name
        assert page.locator("img[src=x], a[href^=javascript]").count() == 0, name
        assert not [url for url in asked if url.startswith("http")], name
        if name in ("minutes", "card", "pending"):
            assert "<script>window.harmed=1</script>" in page.inner_text("body"), name  # read as text
            assert "{{ 7 * 7 }}" in page.inner_text("body"), name
        page.close()


def test_attack_the_minutes_as_pdf(said: dict[str, str]) -> None:
    if importlib.util.find_spec("weasyprint") is None:
        pytest.skip("WeasyPrint is not installed")
    made = pdf.pdf(said["minutes"])
    parts = [made]
    for part in re.findall(rb"stream\r?\n(.*?)endstream", made, flags=re.DOTALL):
        try:
            parts.append(zlib.decompressobj().decompress(part))
        except zlib.error:  # not a packed part
            parts.append(part)
    assert made.startswith(b"%PDF")
    assert not [runs for runs in RUNS for part in parts if runs in part]


@pytest.mark.usefixtures("said")
def test_attack_the_boards_files_hold_the_words_as_words(case: Any, store: Path, desk: Sit) -> None:
    """The approval is a TOML file: words that look like its lines change nothing in it, and the ledger has none."""
    made = case.approval(store)
    assert made.decision == "withdrawn"
    first = [path for path in (store / "board" / "approvals").glob("*.toml") if "approved" in path.read_text()]
    approval = type(made).load(first[0])
    assert approval.limits.people_per_list == 200  # not the 1 of the payload
    assert approval.conditions.startswith(FORMULA)
    assert approval.seal == approval.fingerprint
    assert verify(store / "ledger.jsonl").holds
    assert "harmed" not in (store / "ledger.jsonl").read_text()
    assert not [path for path in store.rglob("*.csv") if "board" in path.parts]  # nothing a spreadsheet would open
    assert desk("o.observer").item.standing.state == "retired"

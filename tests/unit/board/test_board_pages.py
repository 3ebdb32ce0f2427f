"""What the pages are made from: glossary, audit by group, what was done since, rooms and shelves, minutes."""

from __future__ import annotations

import datetime as dt
import importlib.util
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from riskmodel.board import acts, pages, views
from riskmodel.board.acts import Desk
from riskmodel.board.explorer import explored
from riskmodel.board.glossary import documented, explained, words
from riskmodel.board.room import Board, Room
from riskmodel.board.serve import prepared
from riskmodel.board.shelf import Shelf
from riskmodel.board.since import done_under
from riskmodel.cards import pdf
from riskmodel.cards.words import day_words
from riskmodel.errors import DeclarationError, EvidenceError, NotFound, NotInstalled, NotPermitted
from riskmodel.governance.ledger import Ledger

Sit = Callable[[str], Desk]
TODAY = dt.datetime.now(dt.UTC).date()
ROOT = Path(__file__).parents[3]


def approved(desk: Sit, **limits: int) -> None:
    acts.submit(desk("c.clerk"), "Please decide on this.")
    acts.propose(
        desk("h.chair"), "approve-with-conditions", "It helps some people.", conditions="Two people read each case.",
        limits=limits, valid_from=TODAY, valid_until=TODAY + dt.timedelta(days=20), today=TODAY,
    )  # fmt: skip
    motion = views.decision(desk("m.member"), TODAY)["open"][0]
    acts.vote(desk("m.member"), motion.id, "I agree with it.", in_favour=True, today=TODAY)


def test_the_glossary_says_what_the_documentation_says() -> None:
    said = documented((ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"))
    assert len(said) > 60
    assert dict(words()) == said
    assert all(said.values())


def test_a_word_is_explained_once_and_only_in_running_text() -> None:
    made = explained("<h3>The cohort</h3><p>The cohort & the Cohort.</p><p><a>audit</a> audits</p>", "s")
    assert made.count('role="tooltip"') == 1
    assert made.startswith("<h3>The cohort</h3>")
    assert "<a>audit</a> audits" in made
    assert 'href="/glossary#word-cohort"' in made


def test_the_audit_is_explored_and_nothing_suppressed_is_there(desk: Sit) -> None:
    at = desk("m.member")
    recorded, card = at.shelf.registry.groups(at.item.version), at.shelf.card(at.item.version)
    assert recorded is not None
    hidden = [row for row in recorded["rows"] if row["state"] in ("suppressed", "not_estimable")]
    assert hidden
    assert all(row["value"] is row["low"] is row["high"] is None for row in hidden)
    found = explored(recorded, card, {"attribute": "ethnicity", "capacity": "0.3", "metric": "fpr"})
    assert found is not None
    assert (found.attribute, found.capacity, found.metric) == ("ethnicity", "0.3", "fpr")
    assert [column.heading for column in found.lengths.columns] == ["Group", "List of 10%", "List of 30%"]
    assert {row[0] for row in found.groups.rows} == {"Asian", "Other", "White"}
    first = explored(recorded, card, {"attribute": "<script>", "capacity": "9", "metric": "x"})
    assert first is not None
    assert (first.attribute, first.capacity, first.metric) == ("sex", "0.1", "tpr")


def test_a_run_recorded_without_shows_the_cards_own_figures(desk: Sit) -> None:
    at = desk("m.member")
    card = at.shelf.card(at.item.version)
    found = explored(None, card, {"attribute": "sex"})
    assert found is not None
    assert found.lengths is None
    claim = card["evidence"]["claims"]["audit.sex.male.tpr"]
    (row,) = [row for row in found.groups.rows if row[0] == "Male"]
    headings = [column.heading for column in found.groups.columns]
    assert row[headings.index("Found, of those with the outcome")] == {
        name: claim[name] for name in ("value", "low", "high", "state")
    }
    bare = {**card, "evidence": {**card["evidence"], "claims": {}}}
    assert explored(None, bare, {}) is None


def test_what_was_done_under_an_approval(desk: Sit, case: Any, store: Path) -> None:
    approved(desk, reviewed_percent=50)
    approval = case.approval(store)
    made = case.scores(store, approval)
    made.export(store / "list")
    ledger = Ledger(store / "ledger.jsonl")
    for place in range(40):
        ledger.append("review", stage="concluded", list=made.fingerprint, role="worker", changed=place < 10)
    with pytest.raises(NotPermitted, match="reviews-too-few"):
        case.scores(store, approval)
    made.brief(made.pseudonyms[0], store / "brief.html")
    with pytest.raises(NotPermitted, match="capacity-not-approved"):
        made.export(store / "ranked", order="capacity")
    at = desk("m.member")
    decision = next(entry for entry in at.shelf.followed.now().about(at.card) if entry.action == "approval")
    since = done_under(at.shelf.followed, decision, base_rate=0.1)
    facts = dict(since.facts)
    assert facts["Lists made"] == facts["Lists given out"] == facts["Briefs of one person written"] == "1"
    assert facts["Refused requests"] == "2"  # another list, and this one in an order that the board did not allow
    assert facts["Reviews concluded"] == "40"
    assert facts["Changed after the score was seen"] == "25% (14% to 40%)"  # 10 of 40, Wilson: 14.2 to 40.2
    assert facts["Reviewed, of the people on lists given out"] == f"{100 * 40 / made.people:.0f}%"
    ((as_of, _, mean, apart),) = since.drift
    probability = round(float(made._probability.mean()), 3)
    assert as_of == TODAY.isoformat()
    assert mean == f"{100 * probability:.1f}%"
    assert apart == f"{probability / 0.1:.2f} times"
    assert [line.what for line in since.lines][-2:] == ["List given out", "List made"]
    page = pages.render("record.html.j2", reader=None, **views.record(at, TODAY))
    assert "Refused" in page
    assert not re.search(r"P-[0-9a-f]{16}", page)


def test_few_changed_minds_are_not_told(desk: Sit, case: Any, store: Path) -> None:
    approved(desk)
    made = case.scores(store, case.approval(store))
    made.export(store / "list")
    for place in range(30):
        Ledger(store / "ledger.jsonl").append("review", stage="concluded", list=made.fingerprint, changed=place < 2)
    at = desk("m.member")
    decision = next(entry for entry in at.shelf.followed.now().about(at.card) if entry.action == "approval")
    assert "suppressed" in dict(done_under(at.shelf.followed, decision, None).facts)["Changed after the score was seen"]


def test_what_awaits_the_board(desk: Sit, room: Room) -> None:
    account = desk("m.member").account

    def awaiting(day: dt.date = TODAY) -> list[str]:
        return [why for _, why, _ in views.models(room, account, "", 1, day)["awaiting"]]

    def open_business() -> list[str]:
        ((_, _, said),) = views.models(room, account, "", 1, TODAY)["awaiting"]
        return said

    assert awaiting() == []
    acts.submit(desk("c.clerk"), "Please decide on this.")
    assert awaiting() == [f"A decision, since {day_words(TODAY)}."]
    asked = acts.ask(desk("m.member"), "label", "What of people not seen?")
    acts.propose(desk("h.chair"), "reject", "Too little is known.", today=TODAY)
    proposed = "Proposed: reject. 1 of 2 votes in favour. You have not voted on it."
    assert open_business() == ["1 question not yet answered.", proposed]
    acts.answer(desk("d.scientist"), asked.id, "They are missing.")
    assert open_business() == [proposed]
    motion = views.decision(desk("m.member"), TODAY)["open"][0]
    acts.vote(desk("m.member"), motion.id, "I agree with it.", in_favour=True, today=TODAY)
    assert awaiting() == []
    approved(desk)
    assert awaiting() == [f"Its approval ends on {day_words(TODAY + dt.timedelta(days=20))}."]
    assert "ended" in awaiting(TODAY + dt.timedelta(days=20))[0]


def test_the_difference_to_the_last_approved_version(desk: Sit, case: Any, making: ModuleType, store: Path) -> None:
    from riskmodel import tracking
    from riskmodel.cards.model_card import ModelCard

    assert views.changes(desk("m.member"), TODAY)["before"] is None
    approved(desk)
    document = dict(ModelCard.load(case.card).document)
    document["text"] = {**document["text"], "not_for": "Nothing at all."}
    document["edition"] = "2"
    second = store.parent / "second"
    ModelCard.from_document(document).save(second)
    tracking.record(store, study="early-support", model=case.model, audit=case.audit, training=case.training,
                    card=second, tracking_uri=f"sqlite:///{store / 'mlflow.db'}")  # fmt: skip
    at = desk("m.member")
    shelf, item = at.shelf, at.shelf.item("early-support", 2)
    given = views.changes(Desk(at.account, at.board, shelf, item), TODAY)
    assert given["before"].version.number == 1
    assert [name for name, _, _ in given["diff"].texts] == ["not_for"]
    page = pages.render("changes.html.j2", reader=None, **given)
    assert "This is edition 2" in page
    assert "Nothing at all." in page
    assert making.TODAY.isoformat()[:4] in page


def test_a_card_changed_where_it_is_kept_is_not_shown(desk: Sit, store: Path, once: Path) -> None:
    at = desk("m.member")
    (path,) = once.glob(f"mlartifacts/{at.item.version.run_id}/**/card/card.json")
    text = path.read_text(encoding="utf-8")
    try:
        path.write_text(text.replace("Nobody here is real", "Everybody here is real"), encoding="utf-8")
        with pytest.raises(EvidenceError, match="card-altered"):
            at.shelf.card(at.item.version)
    finally:
        path.write_text(text, encoding="utf-8")
    assert at.shelf.store == store


def test_what_people_write_is_escaped(desk: Sit) -> None:
    acts.ask(desk("m.member"), "label", "<script>alert(1)</script> is this\na question?")
    at = desk("o.observer")
    page = pages.render("card.html.j2", reader=None, **views.card(at, pages.Sections(), TODAY))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; is this<br>a question?" in page


def test_minutes_say_everything_and_print(desk: Sit, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = acts.ask(desk("m.member"), "label", "What of people not seen?")
    acts.answer(desk("d.scientist"), asked.id, "They are missing here.")
    approved(desk)
    acts.take_into_use(desk("c.clerk"), TODAY)
    acts.withdraw(desk("h.chair"), "A complaint was upheld.", TODAY)
    page = pages.render("minutes.html.j2", reader=None, **views.minutes(desk("m.member"), TODAY))
    for words_said in ("What of people not seen?", "They are missing here.", "Two people read each case.",
                       "Taken into use", "A complaint was upheld.", "Ledger entry"):  # fmt: skip
        assert words_said in page
    if importlib.util.find_spec("weasyprint") is not None:
        assert pdf.pdf(f"<style>{pages.stylesheet()}</style>{page}").startswith(b"%PDF")
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(NotInstalled, match=r"\[pdf\]"):
        pdf.pdf("<p>x</p>")


def test_rooms(store: Path, room: Room, tmp_path: Path) -> None:
    assert Board().rule == "A decision needs 2 votes in favour, among them the chair."
    bare = tmp_path / "bare"
    with pytest.raises(NotPermitted, match="accounts-missing"):
        prepared(bare, [store])
    assert list(Room.of(bare, [store, store]).shelves["ethics"]) == ["early", "early-2"]
    (bare / "room.toml").parent.mkdir(exist_ok=True)
    (bare / "room.toml").write_text('[[board]]\nname = "x"\nquorum = 0\nneeds = ["clerk"]\nstore = []\n')
    with pytest.raises(DeclarationError, match="room-invalid") as refusal:
        Room.of(bare, [])
    assert len(refusal.value.faults) == 4  # title, quorum, needs, an unknown key
    with pytest.raises(NotFound, match="store-without-models"):
        Shelf.of(tmp_path / "nothing", "nothing")
    assert prepared(room.accounts.folder, [store]).boards["other"].stores == ()


def test_the_command_line_keeps_accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from riskmodel.board.accounts import Account, Accounts
    from riskmodel.cli import app

    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke
    added = run(app, ["board", "account", "add", "a.mensah", "--role", "chair"], input="long enough word\n" * 2)
    assert added.exit_code == 0, added.output
    assert "long enough word" not in added.output
    assert Accounts(tmp_path / "reading-room").signed_in("a.mensah", "long enough word") == Account("a.mensah", "chair")
    assert "a.mensah: chair" in run(app, ["board", "account", "list"]).output
    assert run(app, ["board", "account", "remove", "a.mensah"]).exit_code == 0
    refused = run(app, ["board", "nowhere"])  # a store, not a verb
    assert isinstance(refused.exception, NotFound)

"""An evaluation of a policy before the board: listed, read, asked about, accepted; no model, no alias to move."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from riskmodel import tracking
from riskmodel.board import acts, pages, views
from riskmodel.board.acts import Desk
from riskmodel.board.pages import Sections, render
from riskmodel.board.room import Room
from riskmodel.errors import DeclarationError, NotFound, NotPermitted
from riskmodel.governance.ledger import verify
from riskmodel.tracking import database

Sit = Callable[[str], Desk]
TODAY = dt.datetime.now(dt.UTC).date()
LATER = TODAY + dt.timedelta(days=200)
CARD = Path(__file__).parents[3] / "model_cards" / "policy"
WORDS = "Read and thought about."


@pytest.fixture
def evaluated(tmp_path: Path) -> Path:
    """A store with the committed evaluation recorded in its own MLflow."""
    store = tmp_path / "policy"
    store.mkdir()
    marks = {each["name"]: each["fingerprint"] for each in _card()["evidence"]["artefacts"]}
    made = tracking.record_evaluation(store, study="policy", card=CARD, made_from=marks)
    assert made.made
    assert not tracking.record_evaluation(store, study="policy", card=CARD, made_from=marks).made
    return store


@pytest.fixture
def sit(making: ModuleType, evaluated: Path) -> Sit:
    room: Room = making.furnished(evaluated.parent / "room", [evaluated])

    def at(name: str) -> Desk:
        account = room.accounts.get(name)
        assert account is not None
        shelf, item = room.find(account, "policy", "policy", 1)
        return Desk(account, room.board(account), shelf, item)

    return at


def _card() -> dict[str, Any]:
    held: dict[str, Any] = json.loads((CARD / "card.json").read_text(encoding="utf-8"))
    return held


def test_a_run_holds_the_effects_with_their_intervals_and_the_plots(evaluated: Path) -> None:
    effect = _card()["evidence"]["claims"]["effect.violence"]
    with database.opened(evaluated, None) as client:
        where = client.get_experiment_by_name("policy").experiment_id
        (run,) = client.search_runs([where], "tags.`riskmodel.kind` = 'evaluation'")
        plots = client.list_artifacts(run.info.run_id, "plots")
    assert run.data.metrics["effect.violence"] == effect["value"]
    assert run.data.metrics["interval/effect.violence.low"] == effect["low"]
    drawn = [block for section in _card()["sections"] for block in section["blocks"] if block["block"] == "figure"]
    assert len(plots) == len(drawn) > 0
    assert {each.dataset.name for each in run.inputs.dataset_inputs} >= {"evaluation", "plan", "histories"}


def test_it_is_listed_with_its_kind_and_read_like_a_card(sit: Sit) -> None:
    observer = sit("o.observer")
    assert observer.item.is_evaluation
    page = render("card.html.j2", reader=None, **views.card(observer, Sections(), TODAY))
    assert "Evaluation of a policy: policy, version 1" in page
    assert "/groups" not in page  # there is no audit of it
    assert pages.states_of(observer.item)["approved"] == "Accepted for publication"
    assert views.groups(observer, {}, TODAY)["found"] is None
    sections = Sections()
    given = views.brief(observer, sections, TODAY)
    brief = render("brief.html.j2", reader=None, **given)
    assert "Evaluation of a policy: policy, version 1" in brief
    assert all(section["title"] in brief for section in given["brief"]["sections"])


def test_it_is_asked_about_accepted_and_taken_back_and_no_name_moves(sit: Sit, evaluated: Path) -> None:
    acts.submit(sit("c.clerk"), "Please say whether it may be published.")
    question = acts.ask(sit("m.member"), "doubts", "Did recording change meanwhile?")
    acts.answer(sit("d.scientist"), question.id, "Yes, see the check of recording.")
    with pytest.raises(DeclarationError, match="an evaluation makes no list"):
        _proposed(sit("m.member"), limits={"people_per_list": 10})
    _proposed(sit("m.member"), conditions="With the doubts on its first page.")
    (motion,) = views.decision(sit("h.chair"), TODAY)["open"]
    made = acts.vote(sit("h.chair"), motion.id, WORDS, in_favour=True, today=TODAY)
    assert made is not None
    assert made.card == sit("h.chair").card
    at = sit("h.chair")
    assert at.item.standing.state == "approved"
    assert at.shelf.registry.aliases("policy") == {}
    with pytest.raises(NotPermitted, match="an evaluation, which nobody can use"):
        acts.take_into_use(sit("c.clerk"), TODAY)
    acts.withdraw(sit("h.chair"), "An error was found in it.", TODAY)
    assert sit("h.chair").item.standing.state == "retired"
    assert at.shelf.registry.aliases("policy") == {}
    assert verify(evaluated / "ledger.jsonl").holds


def test_there_is_nothing_to_load(evaluated: Path) -> None:
    address = f"sqlite:///{(evaluated / 'mlflow.db').resolve()}"
    with pytest.raises(NotFound):
        tracking.load_for_scoring("models:/policy/1", address)


def _proposed(desk: Desk, **how: Any) -> None:
    acts.propose(
        desk, "approve-with-conditions", WORDS, valid_from=TODAY, valid_until=LATER, today=TODAY, **how
    )  # fmt: skip

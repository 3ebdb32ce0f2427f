"""Every act on people's rows leaves exactly its entry, of the right kind, and nothing of a person in it.

The acts are those of a partnership's year, in order; each is done once, and what it added to the ledger is looked at.
A stage has one entry for each result that it reads or writes.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pytest

import riskmodel as rm
from riskmodel.advisory.contest import as_corrected, corrections
from riskmodel.advisory.funnel import funnel
from riskmodel.advisory.own_copy import own_copy
from riskmodel.dates import months, years
from riskmodel.errors import NotPermitted
from riskmodel.features.language import age, count
from riskmodel.governance.access import Store
from riskmodel.governance.ledger import Ledger, verify
from riskmodel.histories.store import Histories
from riskmodel.histories.timeline import timeline


@dataclass
class Watched:
    """The ledger, and what each act added to it."""

    ledger: Ledger
    seen: int = 0
    added: dict[str, list[str]] = field(default_factory=dict)

    def act(self, name: str, do: Callable[[], Any]) -> Any:
        try:
            return do()
        except NotPermitted:
            return None
        finally:
            entries = list(self.ledger.entries())
            self.added[name] = [entry.action for entry in entries[self.seen :]]
            self.seen = len(entries)


@pytest.fixture(scope="module")
def year(school: Any, tmp_path_factory: pytest.TempPathFactory) -> Watched:
    folder = tmp_path_factory.mktemp("year")
    store: Store = rm.connect(f"duckdb:///{folder / 'run'}", purpose=school.purpose)
    watched, sent, contracts = Watched(store.ledger), school.deliveries(folder), school.contracts(folder)
    intake = watched.act("receive", lambda: rm.receive(store, sent, contracts=contracts))
    people = watched.act("link", lambda: rm.link(store, intake, method="shared_key"))
    histories: Histories = watched.act("assemble", lambda: rm.assemble(store, people))
    cohort = rm.Cohort(between=("2017-01-01", "2019-01-01"), every=months(3), aged=(8, 25))
    outcome, features = rm.Outcome("exclusion", within=months(6)), [age(), count("exclusion")]
    training = watched.act(
        "build_training_set", lambda: rm.build_training_set(histories, cohort, outcome, features, groups=())
    )
    model = rm.fit(training, rm.Logistic(), rm.ForwardFolds(2), comparators=(), replicates=100, capacity=(0.1,))
    today, card, form = dt.date.today(), "c" * 64, folder / "approval.toml"
    asked = {"cohort": replace(cohort, every=years(99)), "outcome": outcome, "card": card}
    watched.act("refused", lambda: rm.score(model, histories, "2020-01-15", None, **asked))
    rm.draft_approval(form, model.fingerprint, card, school.purpose)
    kept = [line for line in form.read_text().splitlines() if line.startswith(("model", "card", "purpose"))]
    until = today + dt.timedelta(days=9)
    form.write_text("\n".join([*kept, 'decision = "approved"', 'decided_by = ["chair"]', 'conditions = "none"',
        f"decided_on = {today}", f"valid_from = {today}", f"valid_until = {until}"]))  # fmt: skip
    approval = watched.act("approve", lambda: rm.sign_off(form, store.ledger))
    scores = watched.act("score", lambda: rm.score(model, histories, "2020-01-15", approval, **asked))
    who = next(each for each in scores.pseudonyms if scores.person(each).reasons)
    watched.act("look at a list", scores.to_table)
    watched.act("explain", scores.person(who).explain)
    watched.act("draw", lambda: scores.waterfall(who))
    watched.act("own copy", lambda: own_copy(scores.person(who), "the lead"))
    watched.act("export", lambda: scores.export(folder / "list"))
    watched.act("refused export", lambda: scores.export(folder / "other", order="capacity"))
    watched.act("look at a timeline", lambda: timeline(histories, 1, "2019-01-01"))
    watched.act("look back on a case", lambda: rm.who_knew(histories, 1, "2019-01-01", reason="a named review"))
    form_of_reviews = rm.ReviewForm(("offer", "none"), ("known",))
    reviews = rm.Reviews(folder / "reviews.jsonl", form_of_reviews, store.ledger)
    given = {"choice": "offer", "reason": "known", "words": "Zoltrix was seen at home"}
    begun = watched.act("judge", lambda: reviews.begin(scores, who, role="worker", **given))
    seen, _ = watched.act("look at a score", lambda: reviews.look(begun, scores))
    ended = watched.act("conclude", lambda: reviews.conclude(seen, **given))
    support = rm.FollowUps(folder / "support.jsonl", rm.SupportForm(("mentor",), ("better", "same")), store.ledger)
    on = dt.datetime.now(dt.UTC).date()
    watched.act(
        "support", lambda: support.add(ended, "offered", code="mentor", on=on, role="worker", words="At the door")
    )
    watched.act("release", lambda: funnel(scores.pseudonyms, reviews.all(), put_forward={"offer"}, ledger=store.ledger))
    wrong = int(histories.events["event_id"][0].as_py())
    retracted = histories.events.filter(pa.compute.not_equal(histories.events["event_id"], wrong))
    after_histories = Histories.of(events=retracted, persons=histories.persons, covered_until=histories.covered_until)
    after = watched.act(
        "score again",
        lambda: rm.score(
            model, after_histories, "2020-01-15", approval, **asked, purpose=school.purpose, ledger=store.ledger
        ),
    )
    watched.act("correct", lambda: corrections(scores, after, reason="wrong-person"))
    watched.act("export a withdrawn list", lambda: scores.export(folder / "late"))
    assert as_corrected(histories, [wrong]).events.num_rows <= histories.events.num_rows
    return watched


def test_every_act_leaves_its_one_entry(year: Watched) -> None:
    assert year.added == {
        "receive": ["write", "read"],
        "link": ["write", "read"],
        "assemble": ["read", "write", "read"],
        "build_training_set": ["write"],
        "refused": ["refused"],
        "approve": ["approval"],
        "score": ["score"],
        "look at a list": ["looked-at"],
        "explain": ["explained"],
        "draw": ["explained"],
        "own copy": ["explained"],
        "export": ["export"],
        "refused export": ["refused"],
        "look at a timeline": ["looked-at"],
        "look back on a case": ["case-reviewed"],
        "judge": ["review"],
        "look at a score": ["review"],
        "conclude": ["review"],
        "support": ["support"],
        "release": ["released"],
        "score again": ["score"],
        "correct": ["corrected"],
        "export a withdrawn list": ["refused"],
    }


def test_nothing_of_a_person_is_in_it(year: Watched) -> None:
    text = year.ledger.path.read_text()
    assert "Zoltrix" not in text
    assert not {f'"q{number}"' for number in range(200)} & set(text.split(":"))
    for entry in year.ledger.entries():
        assert "P-" not in json.dumps(dict(entry.facts))
    assert verify(year.ledger.path).holds

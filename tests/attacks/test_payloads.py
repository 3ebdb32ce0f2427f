"""Formulas and markup from the first file to the last: what anybody can put into a record, a form or a review.

A school delivers pupils whose names, addresses, areas and codes are payloads; the approval, the purpose and the reviews
say more of them. Everything that comes out is opened again: the card and the brief in a real browser, the list and the
published tables as a spreadsheet reads them. Nothing runs, and what was refused or let out is in the ledger.
"""

from __future__ import annotations

import csv
import datetime as dt
import importlib.util
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import riskmodel as rm
from riskmodel.advisory.export import FILES
from riskmodel.advisory.funnel import funnel
from riskmodel.advisory.scores import Scores
from riskmodel.dates import months, years
from riskmodel.errors import DeclarationError
from riskmodel.features.language import age, count, count_distinct
from riskmodel.governance.ledger import Ledger
from riskmodel.population.publication import Publication

FORMULA = "=cmd|' /C calc'!A0"
MARKUP = '<script>window.harmed=1</script><img src=x onerror="window.harmed=1">'
BOTH = f"{FORMULA} {MARKUP}"
SHORT = "=1+1<img src=x>"
STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
CONTRACT = f"""
agency = "school"
title = '''{MARKUP}'''
controller = '''{BOTH}'''
legal_regime = "UK GDPR"
date_format = "%Y-%m-%d"

[feeds.people]
holds = "people"
file = "pupils"
key = ["pupil"]

[feeds.people.columns]
pupil = {{ type = "text", means = "person_key", required = true }}
name = {{ type = "text", means = "given_name" }}
born = {{ type = "date", means = "birth_date" }}
home = {{ type = "text", means = "address" }}
place = {{ type = "text", means = "area" }}
since = {{ type = "date", means = "address_from" }}
sex = {{ type = "code", means = "sex", codes = "sex" }}
recorded = {{ type = "date", means = "recorded_at", required = true }}

[feeds.events]
holds = "events"
file = "exclusions"
key = ["ref"]

[feeds.events.columns]
ref = {{ type = "text", means = "event_key", required = true }}
pupil = {{ type = "text", means = "person_key", required = true }}
what = {{ type = "text", means = "kind", required = true }}
from = {{ type = "date", means = "happened_at", required = true }}
recorded = {{ type = "date", means = "recorded_at", required = true }}

[codes.sex]
'{MARKUP}' = "female"
M = "male"
"""


def files(folder: Path) -> list[rm.Delivery]:
    """240 pupils, every fourth of whom is excluded four times as often; all their texts are payloads."""
    draw = np.random.default_rng(5)
    with (folder / "pupils.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["pupil", "name", "born", "home", "place", "since", "sex", "recorded"])
        for number in range(240):
            born = dt.date(2003, 1, 1) + dt.timedelta(days=int(draw.integers(0, 2500)))
            sex, place = (MARKUP, FORMULA) if number % 2 else ("M", BOTH)
            out.writerow(
                [
                    f"p{number}",
                    f"{BOTH} Zoltrix",
                    born,
                    f"{BOTH} {number} Quarry Row",
                    place,
                    "2014-01-01",
                    sex,
                    "2015-01-01",
                ]
            )
    with (folder / "exclusions.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["ref", "pupil", "what", "from", "recorded"])
        for number in range(1500):
            pupil = int(draw.integers(0, 60)) * 4 if draw.random() < 0.5 else int(draw.integers(0, 240))
            day = dt.date(2016, 1, 1) + dt.timedelta(days=int(draw.integers(0, 1460)))
            what = (FORMULA, MARKUP)[number % 2] if number % 5 == 0 else "exclusion"
            out.writerow([f"{BOTH}{number}", f"p{pupil}", what, day, day + dt.timedelta(days=3)])
    received, covers = dt.datetime(2020, 2, 1), (dt.date(2015, 1, 1), dt.date(2020, 2, 1))
    names = {"school.people": "pupils.csv", "school.events": "exclusions.csv"}
    return [rm.Delivery(feed, folder / name, received, *covers) for feed, name in names.items()]


@dataclass(frozen=True)
class Attacked:
    """What came of the payloads."""

    folder: Path
    scores: Scores
    ledger: Ledger
    pages: dict[str, str]

    @property
    def who(self) -> str:
        return next(each for each in self.scores.pseudonyms if self.scores.person(each).reasons)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Attacked:
    folder = tmp_path_factory.mktemp("payloads")
    (folder / "school.toml").write_text(CONTRACT)
    fields = ("given_name", "birth_date", "address", "area", "address_from", "sex")
    purpose = rm.Purpose("support", BOTH, BOTH, ("school",), fields, dt.date(9999, 1, 1))
    store = rm.connect(f"duckdb:///{folder / 'run'}", purpose=purpose)
    intake = rm.receive(store, files(folder), contracts=[rm.Contract.load(folder / "school.toml")])
    histories = rm.assemble(store, rm.link(store, intake, method="shared_key"))
    cohort = rm.Cohort(between=("2017-01-01", "2019-01-01"), every=months(3), aged=(8, 25))
    outcome = rm.Outcome("exclusion", within=months(6))
    training = rm.build_training_set(
        histories, cohort, outcome, [age(), count("exclusion"), count_distinct("kind")], groups=("sex",)
    )
    schools = pa.array([(FORMULA, SHORT)[entity % 2] for entity in training.people().tolist()])
    training = replace(training, table=training.table.append_column("group:school", schools))
    model = rm.fit(
        training, rm.Logistic(), rm.ForwardFolds(2), comparators=(rm.BaseRate(),), replicates=100, capacity=(0.1,)
    )
    audit = rm.audit(model, ["sex", "school"], training=training, capacity=0.1)
    text = {
        **dict.fromkeys(("summary", "organisation", "intended_use", "not_for"), BOTH),
        **dict.fromkeys(("label_is", "label_is_not", "human_review", "challenge_route", "owner", "contact"), BOTH),
        "title": BOTH, "decommission": BOTH, "people": SHORT,
        "outcome_words": SHORT, "review_by": dt.date(2099, 1, 1), "synthetic": True,
    }  # fmt: skip
    card = rm.ModelCard.draft(
        model, audit, purpose, training=training, explanation=rm.explanation(model, training), text=text,
        study={"name": "payloads", "title": BOTH}, intake_report=intake.report, linkage_quality=None,
        date=dt.date(2026, 1, 1), edition="1",
    )  # fmt: skip
    today, approval = dt.date.today(), folder / "approval.toml"
    until = today + dt.timedelta(days=90)
    rm.draft_approval(approval, model.fingerprint, card.fingerprint, purpose)
    kept = [line for line in approval.read_text().splitlines() if line.startswith(("model", "card", "purpose"))]
    said = json.dumps(BOTH)
    approval.write_text("\n".join([*kept, 'decision = "approved"', f"decided_by = [{said}]", f"conditions = {said}",
        f"decided_on = {today}", f"valid_from = {today}", f"valid_until = {until}"]))  # fmt: skip
    signed = rm.sign_off(approval, store.ledger)
    scores = rm.score(
        model, histories, "2020-01-15", signed, cohort=replace(cohort, every=years(99)), outcome=outcome,
        card=card.fingerprint, card_at=BOTH,
    )  # fmt: skip
    return Attacked(folder, scores, store.ledger, card.files())


@dataclass(frozen=True)
class LetOut:
    """What left or was seen, once: a list, a brief, reviews and an edition of published tables."""

    exported: Path
    brief: Path
    reviews: rm.Reviews
    published: Path


@pytest.fixture(scope="module")
def let_out(attacked: Attacked) -> LetOut:
    scores, folder = attacked.scores, attacked.folder
    exported = scores.export(folder / "list")
    brief = scores.brief(attacked.who, folder / "brief.html")
    form = rm.ReviewForm((FORMULA, MARKUP), (BOTH,))
    reviews = rm.Reviews(folder / "reviews.jsonl", form, attacked.ledger)
    for pseudonym in scores.pseudonyms[:30]:
        given = {"choice": FORMULA, "reason": BOTH, "words": f"{BOTH} three words"}
        seen, _ = reviews.look(reviews.begin(scores, pseudonym, role=BOTH, **given), scores)
        reviews.conclude(seen, **{**given, "choice": MARKUP})
    groups = {name: (FORMULA if place % 2 else MARKUP) for place, name in enumerate(scores.pseudonyms)}
    table = funnel(scores.pseudonyms, reviews.all(), groups, put_forward={MARKUP}, ledger=attacked.ledger)
    publication = Publication("reviews", FORMULA, dt.date(2026, 1, 1), ledger=attacked.ledger)
    shown = table.select(["group", "on_list", "concluded"])
    publication.leave("funnel", MARKUP, shown, keys=("group",), counts=("on_list", "concluded"))
    publication.save(folder / "published")
    return LetOut(exported, brief, rm.Reviews(folder / "reviews.jsonl", form, attacked.ledger), folder / "published")


def sheet(path: Path) -> list[str]:
    """Every cell as a spreadsheet reads it."""
    with path.open(newline="", encoding="utf-8") as file:
        return [cell for row in csv.reader(file) for cell in row]


def must_be_texts(cells: list[str]) -> None:
    for cell in cells:
        if cell.lstrip(" ")[:1] in STARTS_A_FORMULA:
            float(cell)  # a number below 0 is no formula


def test_attack_the_names_go_no_further_than_linkage(attacked: Attacked) -> None:
    """A payload in a name or an address has no way out: nothing that is made after linkage holds one."""
    run = attacked.folder / "run"
    texts = dict(attacked.pages)
    for path in run.rglob("*"):
        if path.is_file() and path.relative_to(run).parts[0] not in ("received", "linked"):
            cells = pq.read_table(path).to_pydict() if path.suffix == ".parquet" else path.read_bytes()
            texts[str(path)] = str(cells)
    assert len(texts) > 10
    assert not [name for name, text in texts.items() if "Zoltrix" in text or "Quarry" in text]


@pytest.mark.parametrize("kind", [FORMULA, MARKUP, "a\nb", "=1+1"])
def test_attack_a_kind_that_is_a_payload_is_refused_in_a_contract(kind: str, tmp_path: Path) -> None:
    listed = CONTRACT.replace('type = "text", means = "kind"', 'type = "code", means = "kind", codes = "what"')
    (tmp_path / "school.toml").write_text(f"{listed}\n[codes.what]\nX = {json.dumps(kind)}\n")
    with pytest.raises(DeclarationError, match="a word that begins with a letter"):
        rm.Contract.load(tmp_path / "school.toml")


def test_attack_the_list_as_a_spreadsheet_and_a_data_frame_open_it(attacked: Attacked, let_out: LetOut) -> None:
    text = (let_out.exported / FILES[0]).read_text(encoding="utf-8")
    assert FORMULA in text  # the board's conditions, in a line that begins with a sign of comment
    assert all(line.startswith("# ") for line in text.splitlines() if "cmd|" in line)
    must_be_texts(sheet(let_out.exported / FILES[0]))
    table = pq.read_table(let_out.exported / FILES[1])
    must_be_texts([str(cell) for column in table.columns for cell in column.to_pylist() if cell is not None])
    exports = [entry.facts["people"] for entry in attacked.ledger.entries() if entry.action == "export"]
    assert exports.count(attacked.scores.people) == 1  # the briefs are of one person


def test_attack_the_card_and_the_brief_in_a_browser(attacked: Attacked, let_out: LetOut, browser: Any) -> None:
    (attacked.folder / "card.html").write_text(attacked.pages["card.html"], encoding="utf-8")
    for path, words in (
        (let_out.brief, "cmd|' /C calc'!A0 <script>"),
        (attacked.folder / "card.html", "window.harmed=1"),
    ):
        page = browser.new_page()
        asked: list[str] = []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.goto(path.as_uri())
        assert page.evaluate("window.harmed") is None
        assert words in page.inner_text("body")  # a text that people read
        assert page.locator("img[src=x]").count() == 0
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
        page.close()


def test_attack_the_brief_as_pdf(attacked: Attacked) -> None:
    if importlib.util.find_spec("weasyprint") is None:
        pytest.skip("WeasyPrint is not installed")
    made = attacked.scores.brief(attacked.who, attacked.folder / "brief.pdf").read_bytes()
    assert made.startswith(b"%PDF")
    for runs in (b"/JavaScript", b"/JS", b"/Launch", b"/OpenAction", b"/URI", b"/EmbeddedFile"):
        assert runs not in made


def test_attack_words_and_codes_of_reviews_and_a_groups_name(attacked: Attacked, let_out: LetOut) -> None:
    must_be_texts(sheet(let_out.published / "data" / "funnel.csv"))
    concluded = [entry for entry in attacked.ledger.entries() if entry.facts.get("stage") == "concluded"]
    assert len(concluded) == 30
    assert all("three words" not in json.dumps(dict(entry.facts)) for entry in concluded)
    assert let_out.reviews.all()[0].after is not None


def test_attack_a_payload_that_would_break_the_ledger_is_refused(attacked: Attacked) -> None:
    before = attacked.ledger.head()
    for text in ("a\nb", "[1, 2]", "x," * 40, "P-0123456789abcdef"):
        with pytest.raises(DeclarationError, match="ledger-fact-refused"):
            attacked.ledger.append("review", role=text)
    assert attacked.ledger.head() == before


@pytest.mark.usefixtures("let_out")
def test_what_left_and_what_was_seen_is_on_record_without_a_name(attacked: Attacked) -> None:
    actions = [entry.action for entry in attacked.ledger.entries()]
    assert {"write", "read", "approval", "score", "export", "explained", "review", "released"} <= set(actions)
    assert not any(each in json.dumps(dict(entry.facts)) for entry in attacked.ledger.entries()
                   for each in attacked.scores.pseudonyms[:50])  # fmt: skip

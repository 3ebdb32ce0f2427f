"""A wrong record: the scores it touched are found and made again, the list is withdrawn, reviews are repeated."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from riskmodel.advisory.contest import as_corrected, corrections
from riskmodel.advisory.own_copy import own_copy
from riskmodel.advisory.review import ReviewForm
from riskmodel.advisory.reviews import Reviews
from riskmodel.advisory.words import day
from riskmodel.errors import DeclarationError, NotFound, NotPermitted
from riskmodel.explain.reasons import Reason
from riskmodel.features.language import count
from riskmodel.histories.store import Histories

DAY = dt.datetime(2020, 6, 1)


def version(event_id: int, known: int, until: int | None, value: float) -> dict[str, Any]:
    """One version of an event; days are counted from 1 June 2020."""
    return {
        "entity_id": 1,
        "happened_at": DAY,
        "known_at": DAY + dt.timedelta(days=known),
        "known_until": None if until is None else DAY + dt.timedelta(days=until),
        "agency": "police",
        "kind": "arson",
        "value": value,
        "event_id": event_id,
    }


def with_planted(histories: Histories, entity: int) -> tuple[Histories, list[int]]:
    """The histories with five wrong domestic abuse records about one person, all retracted in 2021."""
    planted = [
        {
            "entity_id": entity,
            "happened_at": dt.datetime(2020, month, 3),
            "known_at": dt.datetime(2020, month, 6),
            "known_until": dt.datetime(2021, 3, 1),
            "agency": "police",
            "kind": "domestic_abuse",
            "event_id": 900_000 + month,
        }
        for month in range(1, 6)
    ]
    schema = histories.events.schema
    events = pa.concat_tables([histories.events, pa.Table.from_pylist(planted, schema=schema)])
    made = Histories.of(events=events, persons=histories.persons, covered_until=histories.covered_until)
    return made, [each["event_id"] for each in planted]


def test_a_corrected_record_was_always_as_it_is_now_and_a_retracted_one_never_was() -> None:
    events = pa.Table.from_pylist(
        [version(1, 2, 40, 5.0), version(1, 40, None, 1.0), version(2, 3, 50, 9.0), version(3, 4, None, 7.0)]
    )
    made = as_corrected(Histories.of(events=events), [1, 2]).events.to_pylist()
    # event 1: its last version, known since its first (2 days on); event 2: gone; event 3: untouched
    assert [(each["event_id"], each["value"], (each["known_at"] - DAY).days) for each in made] == [
        (1, 1.0, 2),
        (3, 7.0, 4),
    ]
    assert all(each["known_until"] is None for each in made)


def test_a_record_that_was_never_delivered() -> None:
    events = pa.Table.from_pylist([version(1, 2, None, 5.0)])
    with pytest.raises(NotFound, match=r"1 of 2 records.*record-not-found"):
        as_corrected(Histories.of(events=events), [1, 77])


@pytest.fixture
def corrected(partnership: Any) -> Any:
    """A list with five wrong records about person 160, the corrections, and the approval."""
    approval = partnership.approved()
    wrong, ids = with_planted(partnership.histories, 160)
    before = partnership.scores(approval, histories=wrong)
    after = partnership.scores(approval, histories=as_corrected(wrong, ids))
    return corrections(before, after, reason="record-of-another-person")


def test_exactly_the_person_whose_record_was_wrong_is_touched(corrected: Any, partnership: Any) -> None:
    who = "P-00000000000000a0"
    assert set(corrected.touched) == {who}
    assert set(corrected.touched[who]) == {"probability", "reasons", "gaps"}
    assert corrected.before.person(who).probability > corrected.after.person(who).probability
    assert corrected.counts["probability"] == 1
    assert repr(corrected) == "Corrections(1 of 160 people touched)"
    action, facts = partnership.last_entry()
    assert action == "corrected"
    assert facts["people"] == 1
    assert facts["list"] == corrected.before.fingerprint
    assert facts["no_longer_on_the_list"] == 0


def test_the_corrected_advice_is_that_of_the_records_without_the_mistake(corrected: Any, partnership: Any) -> None:
    clean = partnership.scores(partnership.approved("again.toml"))
    for each in clean.pseudonyms:
        assert corrected.after.person(each).probability == clean.person(each).probability


def test_the_letter_says_that_it_takes_the_place_of_the_first(corrected: Any) -> None:
    letter = corrected.letter("P-00000000000000a0")
    assert letter.startswith("CORRECTED. A record was wrong; this takes the place of the earlier advice")
    assert "This is advice, not a decision." in letter
    with pytest.raises(NotFound, match="person-not-touched"):
        corrected.letter("P-0000000000000001")


def test_a_withdrawn_list_is_not_exported_again(corrected: Any, tmp_path: Path, partnership: Any) -> None:
    with pytest.raises(NotPermitted, match="list-withdrawn"):
        corrected.before.export(tmp_path / "list")
    assert partnership.last_entry()[1]["code"] == "list-withdrawn"
    corrected.after.export(tmp_path / "list")


def test_reviews_that_saw_a_wrong_score_are_to_be_repeated(partnership: Any, tmp_path: Path) -> None:
    approval = partnership.approved()
    wrong, ids = with_planted(partnership.histories, 160)
    before = partnership.scores(approval, histories=wrong)
    reviews = Reviews(tmp_path / "reviews.jsonl", ReviewForm(("offer", "none"), ("known",)), partnership.ledger)
    seen = []
    for pseudonym in ("P-00000000000000a0", "P-0000000000000001"):
        how = {"role": "worker", "choice": "offer", "reason": "known", "words": "knows the family well"}
        seen.append(reviews.look(reviews.begin(before, pseudonym, **how), before)[0])
    unopened = reviews.begin(before, "P-00000000000000a0", **how)
    after = partnership.scores(approval, histories=as_corrected(wrong, ids))
    made = corrections(before, after, reason="record-of-another-person")
    assert made.reviews_to_repeat([*seen, unopened]) == (seen[0],)
    with pytest.raises(NotPermitted, match="list-withdrawn"):
        reviews.look(unopened, before)


def test_somebody_who_is_no_longer_eligible(partnership: Any) -> None:
    approval = partnership.approved()
    before = partnership.scores(approval)
    fewer = partnership.histories.persons.filter(pc.not_equal(partnership.histories.persons["entity_id"], 7))
    without = partnership.histories.events.filter(pc.not_equal(partnership.histories.events["entity_id"], 7))
    smaller = Histories.of(events=without, persons=fewer, covered_until=partnership.histories.covered_until)
    made = corrections(before, partnership.scores(approval, histories=smaller), reason="wrong-link")
    assert made.touched == {"P-0000000000000007": ("no longer on the list",)}
    assert "there is no advice" in made.letter("P-0000000000000007")


def test_only_the_same_request_on_other_records_can_be_compared(scored: Any, partnership: Any) -> None:
    with pytest.raises(DeclarationError, match="same records"):
        corrections(scored, scored, reason="x")
    earlier = partnership.scores(partnership.approved("b.toml"), as_of="2020-12-01")
    with pytest.raises(DeclarationError, match="different models, dates"):
        corrections(scored, earlier, reason="x")


def test_advice_that_no_longer_holds_is_looked_back_on_and_says_so(past: Any) -> None:
    """Whoever answers for a score, or was scored, learns what was said; nobody can take it for advice of today."""
    said = past.person(past.pseudonyms[3]).explain()
    assert said.startswith("NOT TO BE ACTED ON: this rests on scores that were valid until 2021-07-01.")
    assert said.split("\n\n")[0].endswith("Ask for a new list.")
    copy = own_copy(past.person(past.pseudonyms[3]), "records@example.org")
    assert "It could be looked at until 1 July 2021, and may no longer be used." in copy


def test_advice_that_was_withdrawn_says_so(corrected: Any, partnership: Any) -> None:
    wrong = corrected.before.person("P-00000000000000a0")
    assert wrong.explain().startswith("NOT TO BE ACTED ON: this rests on a list that was withdrawn on ")
    assert "It may no longer be used: a record was wrong, and the advice was made again." in own_copy(wrong, "the lead")
    right = corrected.after.person("P-00000000000000a0")
    assert right.explain().startswith("P-00000000000000a0, as of 1 January 2021")
    assert f"It may be looked at until {day(right.valid_until)}." in own_copy(right, "the lead")
    partnership.approved("withdrawn.toml", decision="withdrawn")
    assert right.explain().startswith("NOT TO BE ACTED ON: this rests on an approval that a later decision (withdrawn)")
    assert "It may no longer be used.\n" in own_copy(right, "the lead")


def test_a_persons_own_copy_tells_nothing_of_other_peoples_records(scored: Any) -> None:
    """The professional may have been allowed to see that a parent was in custody; the person is not told it."""
    score = scored.person(scored.pseudonyms[3])
    feature = count("domestic_abuse", through="parent")
    reason = Reason("Number of domestic abuse events of a parent: 3", True, "of a parent", feature.name, 0.4)
    behind = replace(score.behind, features={**score.behind.features, feature.name: feature})
    steady = replace(score.steady, reasons=(*score.reasons, reason), hidden=0.0)
    told = replace(score, behind=behind, steady=steady)
    assert "of a parent: 3" in told.explain()
    said = own_copy(told, "records@example.org")
    assert "parent" not in said
    assert "records of other people, made the figure higher; how they did is never told." in said


def test_a_persons_own_copy_is_in_plain_words_and_says_where_to_write(scored: Any) -> None:
    said = own_copy(scored.person(scored.pseudonyms[3]), "records@example.org")
    assert said.startswith("What was said about you on 1 January 2021")
    assert "To offer help early." in said
    assert "write to: records@example.org" in said
    assert "It is not a decision." in said
    assert "P-" not in said
    score = scored.person(scored.pseudonyms[3])
    for reason in score.reasons:  # each with the person's own records under it
        lines = [reason.sentence, *score.behind.lines(reason.feature)]
        assert f"What made the figure {'higher' if reason.raises else 'lower'}" in said
        assert "  - " + "\n      ".join(lines) in said
    assert score.reasons
    for jargon in ("model", "samples", "log-odds", "[past"):
        assert jargon not in said.replace("The model takes", "")
    with pytest.raises(DeclarationError, match="contact-missing"):
        own_copy(scored.person(scored.pseudonyms[3]), " ")

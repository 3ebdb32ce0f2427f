"""No score without everything in order; each refusal is in the ledger, and no person is."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import pytest

from riskmodel.cohorts.cohort import Cohort
from riskmodel.dates import days
from riskmodel.errors import DataRefused, DeclarationError, NotPermitted
from riskmodel.governance.approvals import Approval
from riskmodel.governance.grants import FILE, Caller, Grant, Grants
from riskmodel.governance.ledger import Ledger, verify

Partnership: TypeAlias = Any  # the class is in conftest.py, from which test modules cannot import


def refused(partnership: Partnership, code: str, approval: Approval | None, **how: Any) -> str:
    """Ask, expect the refusal, and see it in the ledger; the repair."""
    with pytest.raises((NotPermitted, DataRefused)) as refusal:
        partnership.scores(approval, **how)
    assert refusal.value.code == code
    action, facts = partnership.last_entry()
    assert (action, facts["code"], facts["asked"]) == ("refused", code, "score")
    return refusal.value.repair


def test_with_everything_in_order_everybody_eligible_is_scored(partnership: Partnership) -> None:
    grants = Grants((Grant("analyst", "early-support", "scores", dt.date(9999, 1, 1)),))
    made = partnership.scores(partnership.approved(), caller=Caller("analyst", grants))
    assert made.people == made.flow[-1][1] == len(made.pseudonyms)
    action, facts = partnership.last_entry()
    assert action == "score"
    assert facts["asked_by"] == "analyst"
    assert facts["people"] == made.people
    assert facts["list"] == made.fingerprint
    assert facts["model"] == partnership.model.fingerprint
    assert facts["card"] == partnership.card
    assert facts["as_of"] == "2021-01-01"


def test_attack_grants_made_up_where_the_ledger_has_grants_beside_it(partnership: Partnership) -> None:
    """By them an analyst may see rows, not scores; grants that somebody brings along count for nothing."""
    kept = "[[grant]]\nrole = 'analyst'\npurpose = 'early-support'\nlevel = 'rows'\nexpires = 9999-01-01\n"
    (partnership.folder / FILE).write_text(kept)
    made_up = Caller("analyst", Grants((Grant("analyst", "early-support", "scores", dt.date(9999, 1, 1)),)))
    approval = partnership.approved()
    refused(partnership, "grant-too-low", approval, caller=made_up)
    refused(partnership, "role-missing", approval)
    (partnership.folder / FILE).write_text(kept.replace("'rows'", "'scores'"))
    assert partnership.scores(approval, caller=Caller("analyst", Grants(()))).people == 160


def test_the_ledger_holds_nobody(partnership: Partnership) -> None:
    made = partnership.scores(partnership.approved())
    made.export(partnership.folder / "list")
    text = partnership.ledger.path.read_text()
    assert not re.search(r"P-[0-9a-f]{16}", text)
    assert verify(partnership.ledger.path).holds


def test_the_same_request_gives_the_same_list(partnership: Partnership) -> None:
    approval = partnership.approved()
    assert partnership.scores(approval).fingerprint == partnership.scores(approval).fingerprint


def test_no_approval(partnership: Partnership) -> None:
    assert "Put the model card before the board" in refused(partnership, "approval-missing", None)


def test_no_card(partnership: Partnership) -> None:
    refused(partnership, "card-missing", partnership.approved(), card=None)


def test_attack_an_expired_approval(partnership: Partnership) -> None:
    today = dt.date.today()
    ended = partnership.approved(
        decided_on=today - dt.timedelta(days=90),
        valid_from=today - dt.timedelta(days=90),
        valid_until=today,
    )
    refused(partnership, "approval-expired", ended)


def test_attack_an_approval_that_was_lengthened_after_signing(partnership: Partnership) -> None:
    changed = replace(partnership.approved(), valid_until=dt.date(9998, 1, 1))
    refused(partnership, "approval-altered", changed)
    refused(partnership, "approval-not-recorded", replace(changed, seal=changed.fingerprint))


def test_attack_an_approval_of_another_model(partnership: Partnership) -> None:
    refused(partnership, "approval-other-model", partnership.approved(model="d" * 64))


def test_attack_the_card_of_another_model(partnership: Partnership) -> None:
    refused(partnership, "approval-other-card", partnership.approved(), card="d" * 64)


def test_attack_another_purpose(partnership: Partnership) -> None:
    other = replace(partnership.purpose, name="enforcement")
    refused(partnership, "approval-other-purpose", partnership.approved(), purpose=other)


def test_attack_a_purpose_that_lacks_a_controller(partnership: Partnership) -> None:
    narrow = replace(partnership.purpose, controllers=("police",))
    assert "agree the purpose" in refused(partnership, "controller-not-covered", partnership.approved(), purpose=narrow)


def test_attack_a_purpose_that_lacks_a_field_the_model_reads(partnership: Partnership) -> None:
    # the model reads age, so it needs the date of birth
    narrow = replace(partnership.purpose, fields=("address",))
    refused(partnership, "field-not-covered", partnership.approved(), purpose=narrow)


def test_an_expired_purpose(partnership: Partnership) -> None:
    ended = replace(partnership.purpose, expires=dt.date(2020, 1, 1))
    refused(partnership, "purpose-expired", partnership.approved(), purpose=ended)


def test_attack_a_role_without_a_grant_for_scores(partnership: Partnership) -> None:
    rows_only = Grants((Grant("analyst", "early-support", "rows", dt.date(9999, 1, 1)),))
    refused(partnership, "grant-too-low", partnership.approved(), caller=Caller("analyst", rows_only))
    assert partnership.last_entry()[1]["asked_by"] == "analyst"
    refused(partnership, "grant-missing", partnership.approved("again.toml"), caller=Caller("officer", rows_only))


def test_no_purpose(partnership: Partnership) -> None:
    refused(partnership, "purpose-missing", partnership.approved(), purpose=None)


def test_records_that_end_too_early(partnership: Partnership) -> None:
    # health is covered until 20 December 2020, twelve days before the as-of date; police until the day itself
    approval = partnership.approved(limits={"oldest_data_days": 12})
    assert partnership.scores(approval).people > 0
    strict = partnership.approved("strict.toml", limits={"oldest_data_days": 11})
    assert "newer records" in refused(partnership, "data-too-old", strict)
    refused(partnership, "data-too-old", strict, as_of="2021-02-01")


def test_longer_than_the_board_allows(partnership: Partnership) -> None:
    refused(partnership, "list-too-long", partnership.approved(limits={"people_per_list": 10}))


def test_nobody_eligible(partnership: Partnership) -> None:
    old = Cohort(between=partnership.cohort.between, every=partnership.cohort.every, aged=(90, 95))
    refused(partnership, "cohort-empty", partnership.approved(), cohort=old)


def test_a_model_without_features_cannot_score_anybody(partnership: Partnership) -> None:
    bare = replace(partnership.model, features=())
    refused(partnership, "model-without-features", partnership.approved(model=bare.fingerprint), model=bare)


def test_without_a_ledger_nobody_is_scored(partnership: Partnership) -> None:
    with pytest.raises(DeclarationError, match="ledger-missing"):
        partnership.scores(partnership.approved(), ledger=None)


def test_a_date_that_is_none(partnership: Partnership) -> None:
    with pytest.raises(DeclarationError, match="date-invalid"):
        partnership.scores(partnership.approved(), as_of="2021-02-30")


def test_scores_end_with_the_first_thing_that_ends(partnership: Partnership) -> None:
    # the cohort asks every six months: 1 July 2021; the approval limits it to 90 days: 1 April 2021
    every = {"cohort": partnership.cohort}
    assert partnership.scores(partnership.approved(), **every).basis.valid_until == dt.date(2021, 7, 1)
    short = partnership.approved("short.toml", limits={"score_valid_days": 90})
    assert partnership.scores(short, **every).basis.valid_until == dt.date(2021, 4, 1)


def test_only_what_was_known_on_the_day_counts(partnership: Partnership) -> None:
    # the same people asked half a year earlier, while the later records were not there yet
    approval = partnership.approved()
    early, late = (partnership.scores(approval, as_of=day) for day in ("2020-07-01", partnership.as_of))
    shared = sorted(set(early.pseudonyms) & set(late.pseudonyms))
    differ = [early.person(each).probability != late.person(each).probability for each in shared]
    assert np.mean(differ) > 0.5


def test_a_cohort_that_asks_at_each_event_scores_the_people_of_that_day(partnership: Partnership) -> None:
    approval = partnership.approved()
    events = partnership.histories.events
    police = events.filter(np.asarray(events["kind"].to_pylist()) == "domestic_abuse")
    day = police["happened_at"][0].as_py().date() + dt.timedelta(days=7)
    asking = Cohort(between=(dt.date(2016, 1, 1), dt.date(2021, 1, 1)), at_each="domestic_abuse", offset=days(7))
    made = partnership.scores(approval, cohort=asking, as_of=day)
    expected = {
        entity
        for entity, happened in zip(police["entity_id"].to_pylist(), police["happened_at"].to_pylist(), strict=True)
        if happened.date() + dt.timedelta(days=7) == day
    }
    assert made.people == len(expected)


def test_another_ledger_has_no_record_of_the_approval(partnership: Partnership) -> None:
    elsewhere = replace(partnership, ledger=Ledger(partnership.folder / "other.jsonl"))
    refused(elsewhere, "approval-not-recorded", partnership.approved())

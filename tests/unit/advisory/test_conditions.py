"""The board's conditions on reviews and areas: checked before every list, refused in words, written down."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pytest

from riskmodel.advisory import conditions
from riskmodel.errors import DeclarationError, NotPermitted
from riskmodel.governance.ledger import Ledger
from riskmodel.histories.store import Histories

Partnership: TypeAlias = Any  # the class is in conftest.py, from which test modules cannot import


def reviewed(partnership: Partnership, made: Any, people: int) -> None:
    """What concluded reviews leave in the ledger (`Reviews.conclude` writes it); scores of 2021 open no more."""
    for _ in range(people):
        partnership.ledger.append("review", stage="concluded", list=made.fingerprint)


def test_a_second_list_waits_for_the_reviews_of_the_first(partnership: Partnership) -> None:
    approval = partnership.approved(limits={"reviewed_percent": 50, "people_per_list": 200})
    made = partnership.scores(approval)
    assert conditions.reviewed_share(partnership.ledger, approval.fingerprint) is None
    assert partnership.scores(approval).people == made.people  # no list has been given out yet
    made.export(partnership.folder / "list")
    half = made.people // 2
    reviewed(partnership, made, half - 1)
    with pytest.raises(NotPermitted, match="reviews-too-few") as refusal:
        partnership.scores(approval)
    assert "at least 50 of 100" in refusal.value.expected
    assert partnership.last_entry()[1]["code"] == "reviews-too-few"
    reviewed(partnership, made, 2)  # people who are reviewed twice count twice: half - 1 + 2 of all
    assert partnership.scores(approval).people == made.people
    share = conditions.reviewed_share(partnership.ledger, approval.fingerprint)
    assert share == pytest.approx((half + 1) / made.people)


def test_lists_and_reviews_under_another_approval_do_not_count(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    for approval, name, people in (("a", "one", 10), ("b", "two", 90)):
        ledger.append("score", approval=approval, list=name, people=100)
        ledger.append("export", list=name, people=people)
    for _ in range(12):  # more than stood on the list: counted up to its length
        ledger.append("review", stage="concluded", list="one")
    ledger.append("review", stage="looked", list="two")
    assert conditions.reviewed_share(ledger, "a") == 1.0
    assert conditions.reviewed_share(ledger, "b") == 0.0
    assert conditions.reviewed_share(ledger, "c") is None


def residences(rows: list[tuple[int, str, str, str | None, str]]) -> pa.Table:
    return pa.table(
        {
            "entity_id": [row[0] for row in rows],
            "place_id": [100 + row[0] for row in rows],
            "area": [row[1] for row in rows],
            "starts_at": [dt.datetime.fromisoformat(row[2]) for row in rows],
            "ends_at": [None if row[3] is None else dt.datetime.fromisoformat(row[3]) for row in rows],
            "known_at": [dt.datetime.fromisoformat(row[4]) for row in rows],
        }
    )


def with_homes(partnership: Partnership, homes: pa.Table) -> Histories:
    held = partnership.histories
    return Histories.of(
        events=held.events, persons=held.persons, residences=homes, covered_until=held.covered_until
    )  # fmt: skip


def test_only_people_who_live_in_the_areas_are_scored(partnership: Partnership) -> None:
    everybody = partnership.scores(partnership.approved())
    first, second, third, fourth = sorted(everybody._entities.tolist())[:4]
    homes = residences(
        [
            (first, "north", "2015-01-01", None, "2015-01-02"),
            (second, "north", "2015-01-01", "2020-06-01", "2015-01-02"),  # moved away before the as-of date
            (second, "south", "2020-06-01", None, "2020-06-02"),
            (third, "north", "2020-12-01", None, "2021-02-01"),  # nobody knew on 1 January 2021
            (fourth, "west", "2015-01-01", None, "2015-01-02"),
        ]
    )
    histories = with_homes(partnership, homes)
    limited = partnership.approved("north.toml", limits={"areas": ["north", "west"]})
    made = partnership.scores(limited, histories=histories)
    assert sorted(made._entities.tolist()) == [first, fourth]
    assert made.flow[-1] == ("living in the areas the board allows", 2)
    assert partnership.last_entry()[1]["mean_probability"] is None  # two people are too few for a mean
    nowhere = partnership.approved("east.toml", limits={"areas": ["east"]})
    with pytest.raises(NotPermitted, match="areas-empty"):
        partnership.scores(nowhere, histories=histories)


def test_the_mean_probability_of_a_list_is_in_the_ledger(partnership: Partnership) -> None:
    made = partnership.scores(partnership.approved())
    assert partnership.last_entry()[1]["mean_probability"] == round(float(made._probability.mean()), 3)


@pytest.mark.parametrize(
    "limits",
    [{"reviewed_percent": 101}, {"reviewed_percent": 0}, {"areas": 7}, {"areas": [" "]}, {"area": ["north"]}],
)
def test_conditions_that_mean_nothing(partnership: Partnership, limits: dict[str, Any]) -> None:
    with pytest.raises(DeclarationError, match="approval-invalid"):
        partnership.approved(limits=limits)

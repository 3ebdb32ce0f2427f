"""A partnership's own lists: who is on which, what leaves, and that the criticism is never left off."""

from __future__ import annotations

import datetime as dt
from itertools import product
from pathlib import Path

import pyarrow as pa
import pytest

from riskmodel.dates import years
from riskmodel.errors import DataRefused, DeclarationError, NotFound
from riskmodel.governance.disclosure import RULES
from riskmodel.histories.store import Histories
from riskmodel.population.loglinear import ListCounts
from riskmodel.population.open_searches import ALREADY_OPEN
from riskmodel.population.pages.html import page_html
from riskmodel.population.pages.unseen import unseen_page
from riskmodel.population.publication import Publication
from riskmodel.population.reading import reading
from riskmodel.population.unseen import CRITICISM
from riskmodel.population.unseen_lists import (
    LISTS,
    KnownBy,
    UnseenPlan,
    leave_unseen,
    lists_in,
    measure_unseen,
    must_be_lists,
)

AS_OF = dt.datetime(2022, 1, 1)
THREE = (
    KnownBy("Police", "police", ("violence",), "victim"),
    KnownBy("Hospital", "health", ("injury",)),
    KnownBy("Charity", "charity", ("visit",)),
)
CELLS = list(product((0, 1), repeat=3))[1:]


def publication(rules: str = "hes") -> Publication:
    return Publication("needs", "1", AS_OF.date(), ALREADY_OPEN if rules == "open" else RULES[rules])


def histories() -> Histories:
    """Thirty people for each combination; two more whose records are too old, or of a suspect."""
    rows = []
    held = [("police", "violence", "victim"), ("health", "injury", "subject"), ("charity", "visit", "subject")]
    person = 0
    for cell in CELLS:
        for _ in range(30):
            person += 1
            rows += [(person, dt.datetime(2021, 6, 1), *held[at]) for at in range(3) if cell[at]]
    rows += [
        (person + 1, dt.datetime(2020, 12, 31), "police", "violence", "victim"),
        (person + 2, dt.datetime(2021, 6, 1), "police", "violence", "suspect"),
    ]
    who, when, agency, kind, role = zip(*rows, strict=True)
    return Histories.of(
        events=pa.table({"entity_id": who, "happened_at": when, "known_at": when, "agency": agency, "kind": kind,
                         "role": role, "event_id": range(len(rows))})
    )  # fmt: skip


def test_who_is_on_which_list_within_the_time_and_in_the_role():
    made = publication()
    with reading(histories(), AS_OF) as opened:
        found = measure_unseen(made, opened, UnseenPlan("People hurt", THREE, years(1)))
    left = {row["lists"]: row["people"] for row in made.tables[LISTS].table.to_pylist()}
    assert left["all"] == found.seen == 210
    assert left["Police"] == left["Police + Hospital + Charity"] == 30
    # every two lists share as many as every third: 240 in all, of whom 30 on none
    assert found.average.total.value == pytest.approx(240, abs=10)
    assert [link.missed for link in found.by_links] == [0.0, 0.02, 0.05, 0.1]
    assert found.by_links[0].total.value > found.by_links[3].total.value


def test_what_leaves_is_rounded_as_counts_are_and_small_combinations_are_hidden():
    counts = ListCounts.of(("a", "b", "c"), CELLS, [203, 187, 5, 214, 41, 38, 12])
    made = publication()
    found = leave_unseen(made, counts, "People")
    rows = {row["lists"]: row["people"] for row in made.tables[LISTS].table.to_pylist()}
    assert rows["b + c"] is None  # five people; the others are rounded, so that the sum does not open them
    figures = [found.average.total, found.chosen.total, *(link.total for link in found.by_links)]
    assert all(end % 10 == 0 for made in figures for end in (made.value, made.low, made.high))
    assert found.average.seen % 5 == found.average.total.n % 5 == 0
    assert len(made.figures) == 6


def test_lists_that_share_nobody_give_no_estimate_and_the_page_says_so():
    counts = ListCounts.of(("a", "b", "c"), [[1, 0, 0], [0, 1, 0], [0, 0, 1]], [50, 60, 70])
    made = publication()
    found = leave_unseen(made, counts, "People")
    assert found.average is None
    text = page_html(unseen_page(found, made, "A partnership", "Made up."))
    assert "No estimate:" in text
    assert "180 people are on at least one list" in text


def test_the_criticism_stands_on_the_page_of_every_estimate():
    made = publication("open")
    found = leave_unseen(made, ListCounts.of(("a", "b", "c"), CELLS, [90, 80, 30, 70, 20, 40, 10]), "People")
    text = page_html(unseen_page(found, made, "A partnership", "Made up."))
    for caution in CRITICISM:
        assert caution.split("(")[0].replace("'", "&#39;") in text


def test_a_plan_that_cannot_be_answered_says_every_fault():
    plan = UnseenPlan("People", (THREE[0], THREE[0], KnownBy("School", "school", ("lesson",))), years(1))
    with pytest.raises(DeclarationError, match=r"2 faults \[lists-invalid\]"):
        must_be_lists(plan, {"violence": {"police": 3}})


def test_an_open_table_is_read_and_joined_or_refused(tmp_path: Path):
    path = tmp_path / "lists.csv"
    path.write_text("a,b,c,n\n1,0,0,5\n0,1,1,3\n0,0,1,4\n", encoding="utf-8")
    assert lists_in(path).lists == ("a", "b", "c")
    assert lists_in(path, ["a+b"]).counts.tolist() == [4, 5, 3]  # c, a or b, both
    with pytest.raises(DeclarationError, match="lists-invalid"):
        lists_in(path, ["a+x"])
    path.write_text("a,b,n\n1,x,5\n", encoding="utf-8")
    with pytest.raises(DataRefused, match="no whole number"):
        lists_in(path)
    with pytest.raises(NotFound, match="lists-missing"):
        lists_in(tmp_path / "none.csv")

"""Known to several services: by hand, at the edges of time, and never more than may leave."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.dates import days
from riskmodel.errors import DeclarationError
from riskmodel.governance.disclosure import RuleSet
from riskmodel.histories.store import Histories
from riskmodel.population.contact import contact
from riskmodel.seeds import stream

OPEN = RuleSet("as counted", "for tests: nothing hidden, nothing rounded", 1, 1)
START = dt.datetime(2020, 1, 1)


def history(rows) -> Histories:
    """Rows of (person, agency, day it happened, day it was known, day it ended or None)."""
    return Histories.of(
        events=pa.table(
            {
                "entity_id": pa.array([row[0] for row in rows], pa.int64()),
                "agency": [row[1] for row in rows],
                "happened_at": [START + dt.timedelta(days=row[2]) for row in rows],
                "known_at": [START + dt.timedelta(days=row[3]) for row in rows],
                "ended_at": pa.array(
                    [None if row[4] is None else START + dt.timedelta(days=row[4]) for row in rows], pa.timestamp("us")
                ),
                "kind": ["contact"] * len(rows),
                "event_id": list(range(len(rows))),
            }
        )
    )


def figures(made, *key) -> list[int]:
    (row,) = [r for r in made.combinations.to_pylist() if (r["contact"], r["number"], r["agencies"]) == key]
    return [row[name] for name in ("people", "within", "at_once", "never_at_once")]


ROWS = [
    (1, "police", 0, 1, None),  # person 1: police, then school 100 days later, never at once
    (1, "school", 100, 101, None),
    (2, "police", 0, 1, None),  # person 2: police and school 30 days apart
    (2, "school", 30, 31, None),
    (3, "health", 0, 1, 200),  # person 3: a spell of health meets police late in it
    (3, "police", 150, 151, None),
    (4, "police", 10, 11, None),  # person 4: twice the same agency
    (4, "police", 12, 13, None),
    (5, "police", 5, 6, None),  # person 5: the school knows only after the day asked about
    (5, "school", 6, 400, None),
]


def test_ever_within_and_at_once_by_hand():
    made = contact(history(ROWS), START + dt.timedelta(days=300), window=days(250), rules=OPEN)
    assert made.agencies == ("health", "police", "school")
    # persons 1 and 2; in the 250 days from day 50 on, lasting 90 days: 1 by both, 2 by both (police until day 90)
    assert figures(made, "several", "2", "police + school") == [2, 2, 1, 1]
    assert figures(made, "several", "2", "health + police") == [1, 1, 1, 0]
    assert figures(made, "several", "all", "all") == [3, 3, 2, 1]
    assert figures(made, "none or one", "1", "police") == [2, 0, 0, 2]  # 4, and 5 whom the school does not know yet
    assert made.never_at_once.value == pytest.approx(1 / 3)
    assert made.never_at_once.n == 3


def test_what_is_not_visible_does_not_count():
    late = contact(history(ROWS), START + dt.timedelta(days=500), rules=OPEN)
    # now 5 too; of 1's contacts only the school's, until day 190, reaches into the year before day 500
    assert figures(late, "several", "2", "police + school") == [3, 0, 2, 1]
    early = contact(history(ROWS), START + dt.timedelta(days=1), rules=OPEN)
    assert early.agencies == ()  # what is known at that very moment is not known before it
    assert early.never_at_once.state == "not_estimable"


def test_order_of_contact():
    made = contact(history(ROWS), START + dt.timedelta(days=300), rules=OPEN)
    rows = {(row["pair"], row["order"]): (row["people"], row["median_days"]) for row in made.order.to_pylist()}
    assert rows["police + school", "police first"] == (2, 65)  # 100 and 30 days
    assert rows["police + school", "school first"] == (0, None)
    assert rows["health + police", "all"] == (1, 150)


def test_contacts_that_only_touch_are_not_at_once():
    rows = [(1, "police", 0, 1, 50), (1, "school", 50, 51, 60)]
    made = contact(history(rows), START + dt.timedelta(days=90), lasting=days(0), rules=OPEN)
    assert figures(made, "several", "2", "police + school")[2:] == [0, 1]
    one_day_more = contact(
        history([(1, "police", 0, 1, 51), rows[1]]), START + dt.timedelta(days=90), lasting=days(0), rules=OPEN
    )
    assert figures(one_day_more, "several", "2", "police + school")[2:] == [1, 0]


def test_an_open_spell_goes_on():
    rows = [(1, "care", 0, 1, None), (1, "police", 300, 301, None)]
    asked = START + dt.timedelta(days=400)
    assert contact(history(rows), asked, rules=OPEN).never_at_once.value == 1
    assert contact(history(rows), asked, open_ended=["contact"], rules=OPEN).never_at_once.value == 0
    with pytest.raises(DeclarationError, match="kind-unknown"):
        contact(history(rows), asked, open_ended=["parole"])


def test_only_the_people_in_question_are_counted():
    made = contact(history(ROWS), START + dt.timedelta(days=300), people=pa.array([2, 4, 99]), rules=OPEN)
    assert figures(made, "several", "all", "all")[0] == 1
    assert figures(made, "none or one", "0", "none")[0] == 1  # 99 is known to nobody


def test_small_counts_do_not_leave():
    made = contact(history(ROWS), START + dt.timedelta(days=300))
    assert figures(made, "several", "2", "police + school")[0] is None
    assert made.never_at_once.state == "suppressed"
    assert set(made.order.column("median_days").to_pylist()) == {None}
    assert repr(made) == "Contact(3 agencies, as of 2020-10-27)"


def test_the_sweep_agrees_with_looking_at_every_day():
    draw = stream(8, "contacts")
    rows = []
    for _ in range(300):
        start = int(draw.integers(0, 80))
        rows.append(
            (int(draw.integers(0, 40)), "abcd"[draw.integers(0, 4)], start, start + 1, start + int(draw.integers(1, 9)))
        )
    made = contact(history(rows), START + dt.timedelta(days=200), lasting=days(0), rules=OPEN)
    together = 0
    for person in range(40):
        on = [{row[1] for row in rows if row[0] == person and row[2] <= day < row[4]} for day in range(100)]
        together += max(map(len, on)) >= 2
    counted = np.nansum([row["at_once"] for row in made.combinations.to_pylist() if row["number"] == "all"])
    assert counted == together

"""Rates from histories: only people at risk, only what could be seen, only what may leave."""

import datetime as dt

import pyarrow as pa
import pytest

from riskmodel.errors import DeclarationError
from riskmodel.governance.disclosure import RuleSet
from riskmodel.histories.store import Histories
from riskmodel.population.incidence import incidence

OPEN = RuleSet("as counted", "for tests: nothing hidden, nothing rounded", 1, 1)
YEAR = ("2021-01-01", "2022-01-01")
ASKED = dt.datetime(2022, 3, 1)


def town(residents: int = 40) -> Histories:
    """Everybody lives here from 2019, the odd half of the last ten left on 1 July 2021; men are even, one unknown."""
    people = list(range(residents))
    moved = [dt.datetime(2021, 7, 1) if p >= residents - 10 and p % 2 else None for p in people]
    known = dt.datetime(2019, 1, 2)
    residences = pa.table(
        {
            "entity_id": people,
            "place_id": people,
            "starts_at": [dt.datetime(2019, 1, 1)] * residents,
            "ends_at": pa.array(moved, pa.timestamp("us")),
            "known_at": [known] * residents,
        }
    )
    sexes = [None if p == 0 else "male" if p % 2 == 0 else "female" for p in people]
    persons = pa.table({"entity_id": people, "sex": pa.array(sexes, pa.string()), "known_at": [known] * residents})
    rows = [(p, dt.datetime(2021, 5, 1), dt.datetime(2021, 5, 2)) for p in range(1, 21)]
    rows += [(2, dt.datetime(2021, 6, 1), dt.datetime(2021, 6, 2))]  # a second one of the same man
    rows += [(39, dt.datetime(2021, 8, 1), dt.datetime(2021, 8, 2))]  # after she had left
    rows += [(4, dt.datetime(2021, 9, 1), dt.datetime(2022, 3, 1))]  # known only at the moment asked about
    rows += [(6, dt.datetime(2022, 1, 1), dt.datetime(2022, 1, 2))]  # after the period
    who, happened, told = zip(*rows, strict=True)
    events = pa.table(
        {
            "entity_id": who,
            "happened_at": happened,
            "known_at": told,
            "agency": ["health"] * len(rows),
            "kind": ["injury"] * len(rows),
            "event_id": list(range(len(rows))),
        }
    )
    return Histories.of(events=events, persons=persons, residences=residences)


def test_one_rate_by_hand():
    made = incidence(town(), "injury", YEAR, as_of=ASKED, rules=OPEN)
    # 35 people all year, 5 for 181 days: 35 * 365 / 365.25 + 5 * 181 / 365.25 = 37.45 person-years
    assert made.table.to_pylist() == [
        {"group": "all", "people": 20, "events": 21, "person_years": 37, "disclosure": "shown"}
    ]
    assert made.of("all").value == pytest.approx(21 / 37 * 1000)
    assert made.of("all").n == 21


def test_by_sex_with_the_unknown_kept_apart():
    made = incidence(town(), "injury", YEAR, as_of=ASKED, by="sex", rules=OPEN)
    rows = {row["group"]: (row["people"], row["events"], row["person_years"]) for row in made.table.to_pylist()}
    # women 1, 3 .. 19; men 2, 4 .. 20, one of them twice; fifteen women all year and five for 181 days
    assert rows == {"female": (10, 10, 17), "male": (10, 11, 19), "unknown": (0, 0, 1)}


def test_counts_of_few_people_stay_and_so_does_the_rate():
    made = incidence(town(), "injury", ("2021-06-01", "2021-07-01"), as_of=ASKED)
    assert made.table.column("events").to_pylist() == [None]
    assert made.of("all").state == "suppressed"
    assert repr(made) == "Incidence(1 groups)"


def test_a_period_that_is_not_over_is_refused():
    with pytest.raises(DeclarationError, match="2 faults"):
        incidence(town(), "flood", ("2021-01-01", "2023-01-01"), as_of=ASKED)

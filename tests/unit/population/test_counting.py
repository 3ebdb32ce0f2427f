"""Harm, factors, overlap and missed use on a few dozen made-up people whose counts are known by hand."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from riskmodel.cohorts.outcome import Outcome
from riskmodel.dates import days, years
from riskmodel.errors import DeclarationError
from riskmodel.governance.disclosure import RuleSet
from riskmodel.histories.store import Histories
from riskmodel.population.cube import sliced
from riskmodel.population.factor_counts import AFTER, FACTORS, measure_factors
from riskmodel.population.factors import Factor, NamedCohort, must_be_factors
from riskmodel.population.harm import HARM, RESIDENTS, TWO_SOURCES, Harm, TwoSources, measure_harm, period_of
from riskmodel.population.missed_use import missed_use
from riskmodel.population.needs import CLOCK, NeedsPlan, assess
from riskmodel.population.overlap import KNOWN, STANDING, measure_overlap, measure_standing
from riskmodel.population.publication import Publication
from riskmodel.population.reading import Reading, reading
from riskmodel.population.thresholds import JointRule, Threshold, sub_threshold

OPEN = RuleSet("open", "for this test: nothing hidden", 1, 1, largest_percent=100, p_percent=1e-9)
AS_OF = dt.datetime(2022, 1, 1)
HARMS = (Harm("injury", 10, "declared", role="victim"),)


def at(year: int, month: int, day: int = 10) -> dt.datetime:
    return dt.datetime(year, month, day, 12)


def event(
    person: int, kind: str, when: dt.datetime, agency: str, role: str = "subject", late: int = 2
) -> dict[str, object]:
    return {"entity_id": person, "kind": kind, "happened_at": when, "known_at": when + dt.timedelta(days=late),
            "agency": agency, "role": role}  # fmt: skip


def histories(events: list[dict[str, object]], people: int = 20) -> Histories:
    since = dt.datetime(2015, 1, 1)
    rows = [{**row, "event_id": place, "place_id": None} for place, row in enumerate(events)]
    return Histories.of(
        events=pa.Table.from_pylist(rows),
        persons=pa.table({
            "entity_id": list(range(people)), "known_at": [since] * people,
            "birth_date": [dt.date(2000, 7, 1)] * people,
            "sex": ["female" if person % 2 else "male" for person in range(people)], "ethnicity": ["white"] * people,
        }),
        residences=pa.table({
            "entity_id": list(range(people)), "place_id": list(range(people)), "known_at": [since] * people,
            "area": ["south" if 5 <= person < 36 else "north" for person in range(people)],
            "starts_at": [since] * people,
        }),
        covered_until={str(row["agency"]): AS_OF.date() for row in events},
    )  # fmt: skip


@pytest.fixture
def publication() -> Publication:
    return Publication("needs", "1", AS_OF.date(), OPEN)


def counted(publication: Publication, held: Histories, **more: object) -> Reading:
    with reading(held, AS_OF) as opened:
        period = period_of(opened, HARMS, 2, 30)
        measure_harm(publication, opened, HARMS, period, **more)
        return opened


def test_harm_is_counted_by_year_area_and_age_and_only_what_was_known(publication: Publication):
    held = histories([
        event(0, "injury", at(2020, 3), "health", "victim"),
        event(0, "injury", at(2021, 3), "health", "victim"),
        event(7, "injury", at(2021, 6, 30), "health", "victim"),  # aged 20 still
        event(8, "injury", at(2021, 12), "health", "victim", late=60),  # known after the as-of date
        event(9, "injury", at(2021, 5), "health", "suspect"),  # another role
        event(9, "injury", at(2019, 5), "health", "victim"),  # before the period
    ])  # fmt: skip
    counted(publication, held)
    harm = publication.tables[HARM].table
    assert {row["year"]: (row["events"], row["people"]) for row in sliced(harm, "year")} == {
        "2020": (1, 1),
        "2021": (2, 2),
    }
    assert {row["area"]: row["events"] for row in sliced(harm, "area")} == {"north": 2, "south": 1}
    assert {row["age"]: row["events"] for row in sliced(harm, "age")} == {"18-24": 3}
    assert [row["people"] for row in sliced(harm)] == [2]
    residents = publication.tables[RESIDENTS].table
    assert [row["resident_years"] for row in sliced(residents)] == [40]
    assert {row["area"]: row["people"] for row in sliced(residents, "area")} == {"north": 5, "south": 15}


def test_what_the_hospital_knows_and_police_do_not(publication: Publication):
    held = histories([
        event(0, "injury", at(2021, 3), "health", "victim"),
        event(0, "assault", at(2021, 3, 12), "police", "victim"),  # two days after
        event(1, "injury", at(2021, 3), "health", "victim"),
        event(1, "assault", at(2021, 3, 20), "police", "victim"),  # ten days after
    ])  # fmt: skip
    counted(publication, held, two_sources=TwoSources("injury", "health", ("assault",), "police", 3))
    row = next(row for row in publication.tables[TWO_SOURCES].table.to_pylist() if row["year"] == "all")
    assert (row["events"], row["also_known"], row["only_here"]) == (2, 1, 1)


def test_the_last_months_are_provisional_for_as_long_as_records_take():
    slow = [event(person, "injury", at(2020, 6), "health", "victim", late=45) for person in range(20)]
    with reading(histories(slow), AS_OF) as opened:
        period = period_of(opened, HARMS, 2)
    assert (period.settle_days, period.provisional) == (45, 2)  # November and December 2021
    assert period.labels == ["2020", "2021"]


FACTORS_HERE = (
    Factor("excluded", "Excluded", "risk", ("exclusion",), years(1)),
    Factor("attends", "Attends", "protective", ("absence",), years(1), absent=True),
)


def test_factors_are_those_of_the_day_and_what_came_after_is_asked_a_year_before(publication: Publication):
    early = at(2020, 10)
    held = histories([
        *(event(person, "exclusion", early, "school") for person in range(4)),
        *(event(person, "injury", at(2021, 2), "health", "victim") for person in (0, 1, 10)),
        event(5, "absence", at(2021, 6), "school"),
        event(6, "exclusion", at(2021, 6), "school"),
    ])  # fmt: skip
    cohort = NamedCohort("both", "Excluded and absent", (18, 24), dt.date(2021, 1, 1), "analyst", all_of=("excluded",))
    with reading(held, AS_OF) as opened:
        asked = measure_factors(publication, opened, FACTORS_HERE, (cohort,), HARMS, aged=(18, 24), settle_days=30)
    assert asked == dt.date(2020, 12, 2)
    found = {row["factor"]: row["with_it"] for row in publication.tables[FACTORS].table.to_pylist()}
    assert found == {"excluded": 1, "attends": 19}  # within a year of 2022 only person 6 was excluded
    after = {(row["factor"], row["had"]): (row["people"], row["harmed"]) for row in
             publication.tables[AFTER].table.to_pylist()}  # fmt: skip
    assert after["excluded", "with it"] == (4, 2)
    assert after["excluded", "without it"] == (16, 1)
    assert publication.tables["cohorts"].table.column("people").to_pylist() == [1]


def test_factors_that_mean_nothing_are_refused_all_at_once():
    wrong = (Factor("Bad Name", "x", "risk", ("nothing",), years(1)),)
    cohort = NamedCohort("c", "C", (1, 2), dt.date(2021, 1, 1), "a", any_of=("absent",))
    with pytest.raises(DeclarationError, match="3 faults"):
        must_be_factors(wrong, (cohort,), ["injury"])
    assert cohort.fingerprint != NamedCohort("c", "C", (1, 3), dt.date(2021, 1, 1), "a", any_of=("absent",)).fingerprint


def test_known_to_two_agencies_but_never_in_one_quarter(publication: Publication):
    held = histories([
        event(0, "exclusion", at(2019, 2), "school"), event(0, "injury", at(2021, 2), "health"),
        event(1, "exclusion", at(2021, 1), "school"), event(1, "injury", at(2021, 3), "health"),
        event(2, "injury", at(2021, 3), "health"),
    ])  # fmt: skip
    with reading(held, AS_OF) as opened:
        measure_overlap(publication, opened, ("health", "school"))
    rows = {(row["number"], row["agencies"]): row for row in publication.tables[KNOWN].table.to_pylist()}
    both = rows["2", "health + school"]
    assert (both["people"], both["same_quarter"], both["never_same_quarter"]) == (2, 1, 1)
    assert rows["1", "health"]["people"] == 1
    assert rows["all", "all"]["people"] == 3


def test_the_count_in_the_engine_is_the_count_of_the_reference(publication: Publication):
    """`sub_threshold` over arrays and the engine's count of the same rules agree."""
    events = []
    for person in range(20):
        for number in range(person % 5):
            events.append(event(person, "exclusion" if number % 2 else "contact", at(2020, 1 + number * 2), "school"))
        for number in range(person % 3):
            events.append(event(person, "injury", at(2020, 3 + number), "health", "victim"))
        if person % 4 == 0:
            events.append(event(person, "injury", at(2021, 2), "health", "victim"))
    held, rules = (
        histories(events),
        (Threshold("school", 3, years(1)), Threshold("health", 2, years(1), kinds=("injury",))),
    )
    joint = JointRule(3, years(1), 2)
    with reading(held, AS_OF) as opened:
        asked = measure_standing(publication, opened, rules, joint, HARMS, settle_days=30)
    reference = sub_threshold(
        held, asked, rules, joint, outcome=Outcome("injury", days(365), days(29), role="victim"), rules=OPEN
    )
    mine = {row["standing"]: (row["people"], row["harmed"]) for row in publication.tables[STANDING].table.to_pylist()}
    theirs = {row["standing"]: (row["people"], row["yes"]) for row in reference.table.to_pylist()}
    assert {name: mine.get(name, (0, 0)) for name in theirs} == theirs
    assert mine["above the joint rule only"][0] > 0


def test_missed_use_is_what_only_the_pooled_records_show(publication: Publication):
    """Person 0: one record in each of three agencies within a year before harm; person 1: three in one agency."""
    held = histories([
        event(0, "exclusion", at(2021, 1), "school"), event(0, "referral", at(2021, 2), "care"),
        event(0, "search", at(2021, 3), "police"), event(0, "injury", at(2021, 6), "health", "victim"),
        *(event(1, "search", at(2021, month), "police") for month in (1, 2, 3)),
        event(1, "injury", at(2021, 7), "health", "victim"),
        event(2, "injury", at(2021, 7), "health", "victim"),
    ])  # fmt: skip
    with reading(held, AS_OF) as opened:
        period = period_of(opened, HARMS, 1, 30)
        made = missed_use(publication, opened, HARMS, period, held.agencies, count=3, within=years(1))
        days = opened.query(
            """SELECT date_diff('day', min(crossed_at), any_value(harmed_at)) AS days
               FROM first_harm JOIN crossings USING (entity_id) WHERE crossed_at < harmed_at GROUP BY entity_id"""
        )["days"].to_pylist()
    seen = {view.agencies: view.foreseen for view in made.views}
    assert seen["police",] == 1
    assert seen["care", "police", "school"] == 2
    assert made.pooled.foreseen == 2
    assert made.only_pooled == 1
    assert made.smallest == ("care", "police", "school")
    # person 0 crossed on 12 March 2021 (known two days after) and was harmed on 10 June: 90 days; person 1: 120
    assert sorted(days) == [90, 120]
    assert made.pooled.lead.state == "not_estimable"  # two people are too few for a median to leave
    assert len(made.views) == 15


def test_attack_one_person_who_has_nearly_all_the_events_of_an_area() -> None:
    """Thirty people of the south were hurt, one of them 290 times: thirty is no small number, and yet the sum is hers.

    Whoever knows her other figures, or is the second, would have it: 290 and 2 of 320 are more than 90 in 100.
    """
    hers = [event(6, "injury", at(2021, 1 + n % 12, 1 + n % 28), "health", "victim") for n in range(290)]
    others = [event(n, "injury", at(2021, 5, n % 28 + 1), "health", "victim") for n in [*range(7, 36), 8]]
    north = [event(n % 5, "injury", at(2021, 3, n % 28 + 1), "health", "victim") for n in range(50)]
    north += [event(n, "injury", at(2021, 4, n - 35), "health", "victim") for n in range(36, 60)]
    held = histories([*hers, *others, *north], people=60)
    made = Publication("needs", "1", AS_OF.date())
    counted(made, held)
    harm = {row["area"]: row["events"] for row in sliced(made.tables[HARM].table, "area")}
    assert harm["south"] is None
    # nor are the sums shown from which it follows: with the north's, everybody's would tell it
    assert None in (harm["north"], sliced(made.tables[HARM].table)[0]["events"])
    assert "events_largest" not in made.tables[HARM].table.column_names
    again = {
        row["times"]: (row["people"], row["events"]) for row in made.tables["people_harmed_again"].table.to_pylist()
    }
    assert again["4 or more"][1] is None


def test_attack_one_person_who_has_nearly_all_the_events_of_an_hour_or_of_one_source() -> None:
    """One of thirty people was hurt 290 times, on Fridays at night, and police heard of none of it."""
    fridays = [dt.datetime(2020, 1, 3, 23) + dt.timedelta(days=7 * n) for n in range(100)]
    hers = [event(6, "injury", fridays[n % 100] + dt.timedelta(minutes=n), "health", "victim") for n in range(290)]
    friday = [event(n, "injury", fridays[n], "health", "victim") for n in [*range(7, 36), 8]]
    others = [
        event(n, "injury", at(2021, 1 + n % 12, 1 + n % 28), "health", "victim") for n in range(60) for _ in range(9)
    ]
    known = [event(n, "assault", at(2021, 1 + n % 12, 1 + n % 28), "police", "victim") for n in range(60)]
    held = histories([*hers, *friday, *others, *known], people=60)
    both = TwoSources("injury", "health", ("assault",), "police", 3)
    plan = NeedsPlan("Needs", "Example", "1", AS_OF.date(), 2, HARMS, two_sources=both, settle_days=30)
    made = assess(held, plan)
    clock = made.publication.tables[CLOCK].table
    shown = {(row["weekday"], row["hours"]): row["events"] for row in clock.to_pylist()}
    assert shown["Friday", "18-24"] is None
    assert shown["Wednesday", "12-18"] is not None  # nobody has nearly all of these
    sums = [shown["Friday", "all"], shown["all", "18-24"]]
    assert None in sums or shown["Friday", "12-18"] is None  # nor does it follow from the sums beside it
    two = {row["year"]: row for row in made.publication.tables[TWO_SOURCES].table.to_pylist()}
    assert two["all"]["only_here"] is None  # hers are 290 of 320
    assert not [
        name for table in made.publication.tables.values() for name in table.table.column_names if "largest" in name
    ]

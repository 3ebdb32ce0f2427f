"""What the world planted comes back out of the population view: harm, the unseen, lead time, and two known cases."""

from __future__ import annotations

import csv
import datetime as dt

import numpy as np
import pyarrow.compute as pc
import pytest
from scipy.optimize import linprog

from riskmodel.dates import years
from riskmodel.feeds.intake import receive
from riskmodel.governance.access import connect
from riskmodel.governance.disclosure import RuleSet
from riskmodel.governance.purposes import Purpose
from riskmodel.histories.store import Histories, assemble
from riskmodel.linkage.identity import link
from riskmodel.population.cube import sliced
from riskmodel.population.harm import HARM, RESIDENTS, Harm, measure_harm, period_of
from riskmodel.population.loglinear import ListCounts
from riskmodel.population.missed_use import missed_use
from riskmodel.population.publication import Publication
from riskmodel.population.rates import rate
from riskmodel.population.reading import reading
from riskmodel.population.thresholds import JointRule, Threshold
from riskmodel.population.unseen import averaged
from riskmodel.population.who_knew import Asked, who_knew
from riskmodel.world.society import World

WORLD = World.generate(people=2_000, seed=11, scenes=True)
AS_OF = dt.datetime(2022, 7, 1)
OPEN = RuleSet("open", "for this test: nothing hidden", 1, 1, largest_percent=100, p_percent=1e-9)
FIELDS = (
    *("given_name", "family_name", "birth_date", "sex", "ethnicity", "address", "postcode", "area", "address_from"),
    *("role", "value", "ended_at", "starts_at", "ends_at", "retracted"),
)


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Histories, dict[tuple[str, str], int]]:
    folder = tmp_path_factory.mktemp("needs")
    deliveries = WORLD.deliveries(folder / "deliveries")
    agencies = tuple(sorted({delivery.feed.partition(".")[0] for delivery in deliveries}))
    purpose = Purpose("early-support", "To test.", "Synthetic records.", agencies, FIELDS, dt.date(2090, 1, 1))
    store = connect(f"duckdb:///{folder / 'store'}", purpose)
    people = link(store, receive(store, deliveries))
    keys = {(row["agency"], row["person_key"]): row["entity_id"] for row in people.links.to_pylist()}
    cast = {
        (row["scene"], row["role"]): keys[row["agency"], row["person_key"]] for row in WORLD.truth.scenes.to_pylist()
    }
    return assemble(store, people), cast


def test_recorded_harm_is_what_the_world_recorded_and_less_than_what_happened(linked):
    histories, _ = linked
    harms = (Harm("injury_by_violence", 1, "for this test"),)
    made = Publication("needs", "1", AS_OF.date(), OPEN)
    with reading(histories, AS_OF) as opened:
        period = period_of(opened, harms, 4)
        measure_harm(made, opened, harms, period)
    (harm,), (residents,) = sliced(made.tables[HARM].table), sliced(made.tables[RESIDENTS].table)
    facts = WORLD.truth.events
    facts = facts.filter(pc.equal(facts.column("kind"), "injury_by_violence"))
    inside = [period.starts <= at.date() < period.ends for at in facts.column("happened_at").to_pylist()]
    recorded = [key is not None for key in facts.column("event_key").to_pylist()]
    happened = sum(inside)
    known = sum(one and other for one, other in zip(inside, recorded, strict=True))
    # late arrivals and corrections are a few in a hundred
    assert abs(harm["events"] - known) <= 0.06 * known
    assert harm["events"] < happened
    # the rate of recorded harm: its interval holds the true recorded rate of the people who lived there
    true_years = _person_years(period.starts, period.ends)
    measured = rate(harm["events"], residents["resident_years"])
    assert measured.low < known / true_years * 1000 < measured.high
    assert residents["resident_years"] == pytest.approx(true_years, rel=0.08)


def _person_years(starts: dt.date, ends: dt.date) -> float:
    people = WORLD.truth.people
    total = 0.0
    for born, died in zip(*(people.column(name).to_pylist() for name in ("birth_date", "death_date")), strict=True):
        begin, end = max(born, starts), min(died or ends, ends)
        total += max(0, (end - begin).days) / 365.25
    return total


def test_susan_is_below_every_threshold_for_ten_years_and_so_are_her_records_together(linked):
    histories, cast = linked
    made = who_knew(
        histories, cast["susan", "susan"], "2022-12-31", reason="test of a review",
        thresholds=(Threshold("police", 4, years(1)),), joint=JointRule(15, years(10), 1),
    )  # fmt: skip
    assert made.own == {"police": None}  # never more than two a year
    assert len(made.events) == 20
    assert made.joint is not None  # over ten years they add up: the fifteenth is of the eighth year
    assert made.joint.year == 2019
    assert made.on("2015-01-01").together == 6  # two a year in three years
    assert "No agency's own threshold" in made.sentence
    told = who_knew(
        histories, cast["susan", "susan"], "2022-12-31", reason="test of a review", joint=JointRule(15, years(10), 1),
        also=(Asked("The model, all together", dt.date(2016, 4, 1), "8 lists"), Asked("The model, police alone", None)),
    )  # fmt: skip
    assert told.first == Asked("The model, all together", dt.date(2016, 4, 1), "8 lists")
    assert "The earliest to ask would have been: The model, all together, on 1 April 2016." in told.sentence
    shown = told._repr_html_()
    assert "Who knew what" in shown
    assert "<td>The model, police alone</td><td>never</td>" in shown


def test_the_child_is_known_to_four_services_one_after_the_other(linked):
    histories, cast = linked
    child = cast["four_services", "child"]
    rule = {"thresholds": (Threshold("education", 2, years(1)), Threshold("health", 2, years(1)))}
    within_a_year = who_knew(histories, child, "2022-12-31", reason="test", joint=JointRule(2, years(1), 2), **rule)
    assert set(within_a_year.agencies) == {"childrens_services", "education", "youth_justice", "health"}
    assert within_a_year.joint is None  # never two in one year
    ever = who_knew(histories, child, "2022-12-31", reason="test", joint=JointRule(3, years(10), 3), **rule)
    assert ever.joint is not None
    assert ever.joint.year == 2018  # the caution of the sixth year is the third record
    assert all(at is None for at in ever.own.values())
    assert [sight.together for sight in ever.sights] == [1, 2, 3, 4]
    entries = list(histories.store.ledger.entries())
    assert any(entry.action == "case-reviewed" for entry in entries)
    assert not any(ever.label in str(dict(entry.facts)) for entry in entries)


def test_the_pooled_view_sees_more_and_never_later_than_any_agency(linked):
    histories, _ = linked
    harms = (Harm("injury_by_violence", 1, "for this test"),)
    made = Publication("missed-use", "1", AS_OF.date(), OPEN)
    agencies = ("police", "health", "education")
    with reading(histories, AS_OF) as opened:
        period = period_of(opened, harms, 3)
        found = missed_use(made, opened, harms, period, agencies, count=3, within=years(1))
    singles = [view for view in found.views if len(view.agencies) == 1]
    assert len(found.views) == 7
    assert found.pooled.foreseen > max(view.foreseen for view in singles)
    assert found.only_pooled > 0
    assert found.pooled.foreseen >= found.only_pooled + max(view.foreseen for view in singles)


def test_the_unseen_are_covered_by_the_interval():
    """Three lists that find 400 people independently with .5, .35 and .4: the interval holds 400 as it promises."""
    draw, held = np.random.default_rng(5), 0
    cells = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 1, 1]]
    for _ in range(40):
        seen = (draw.random((400, 3)) < np.array([0.5, 0.35, 0.4])).astype(int)
        counts = [int((seen == cell).all(axis=1).sum()) for cell in cells]
        total = averaged(ListCounts.of(("a", "b", "c"), cells, counts)).total
        held += total.low <= 400 <= total.high
    assert held >= 34  # fewer would have a chance below .02 at 95 %


def test_an_attacker_with_the_downloads_of_an_edition_learns_no_small_count(linked, tmp_path):
    """Every CSV is read as a stranger would, all sums are set up, and each hidden count is driven as far as it goes."""
    histories, _ = linked
    harms = (Harm("injury_by_violence", 1, "for this test"), Harm("violence", 1, "for this test", role="victim"))
    made = Publication("needs", "1", AS_OF.date())
    with reading(histories, AS_OF) as opened:
        measure_harm(made, opened, harms, period_of(opened, harms, 4))
    made.save(tmp_path)
    attacked = 0
    for name, count in ((HARM, "events"), (RESIDENTS, "resident_years")):
        with (tmp_path / "data" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        for low, high in hidden_spans(rows, made.tables[name].keys, count):
            attacked += 1
            assert high - low >= 6, f"{name}: a hidden count lies between {low:.0f} and {high:.0f}"
    assert attacked > 5


def hidden_spans(rows: list[dict[str, str]], keys: tuple[str, ...], count: str) -> list[tuple[float, float]]:
    """The least and greatest value of every hidden count, given all that is printed and which rows add up."""
    place = {tuple(row[key] for key in keys): at for at, row in enumerate(rows)}
    sums = []
    for key, at in place.items():
        for dimension in range(len(keys)):
            parts = [
                other
                for one, other in place.items()
                if one[dimension] != "all" and (*one[:dimension], "all", *one[dimension + 1 :]) == key
            ]
            if key[dimension] == "all" and parts:
                line = np.zeros(len(rows))
                line[parts], line[at] = 1, -1
                sums.append(line)
    bounds = [(1, None) if row[count] == "" else known(int(row[count])) for row in rows]
    found = []
    for at in [at for at, row in enumerate(rows) if row[count] == ""]:
        ends = []
        for sign in (1, -1):
            goal = np.zeros(len(rows))
            goal[at] = sign
            solved = linprog(goal, A_eq=np.array(sums), b_eq=np.zeros(len(sums)), bounds=bounds)
            ends.append(np.inf if solved.status == 3 else sign * solved.fun)
        found.append((ends[0], ends[1]))
    return found


def known(figure: int) -> tuple[float, float]:
    """What a printed figure may stand for: nought, or at least eight and rounded to five."""
    return (0, 0) if figure == 0 else (max(8, figure - 2), figure + 2)

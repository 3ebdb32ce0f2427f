"""Missed and false links by group: by hand, from clerks and from linked worlds; what is refused."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

import riskmodel as rm
from riskmodel.errors import DataRefused, NotFound
from riskmodel.linkage.identity import link
from riskmodel.linkage.quality import compared


def records(people: int, linked: int, sex: str, first: int) -> tuple[list[dict], list[dict]]:
    """People with a record each at two agencies, of whom the first `linked` are linked."""
    links, truth = [], []
    for n in range(first, first + people):
        for agency in ("police", "health"):
            one = {"agency": agency, "person_key": str(n)}
            apart = agency == "health" and n - first >= linked
            links.append({**one, "entity_id": -n - 1 if apart else n})
            truth.append({**one, "person": n, "sex": sex})
    return links, truth


@pytest.fixture
def known() -> tuple[pa.Table, pa.Table]:
    """Forty women, four of them missed; twenty men, eight missed."""
    links, truth = records(40, 36, "female", 0)
    more, of_them = records(20, 12, "male", 100)
    return pa.Table.from_pylist(links + more), pa.Table.from_pylist(truth + of_them)


def test_rates_and_intervals_by_hand(known):
    """Women: 4 of 40 missed, variance .09 / 39, so Wilson at 39: (.1 + 3.8416 / 78 -+ 1.96 root(.09 / 39 + 3.8416 /
    (4 x 1521))) / (1 + 3.8416 / 39), .0391 to .2326. Men: 8 of 20, variance .24 / 19, Wilson at 19: .2152 to .6184."""
    found = rm.rates_from_truth(*known, by="sex")
    women, men = found.of("female"), found.of("male")
    assert (women.missed.value, women.missed.pairs, women.missed.people, women.records) == (0.1, 40.0, 40, 80)
    assert women.missed.variance == pytest.approx(0.09 / 39)
    assert (women.missed.low, women.missed.high) == (pytest.approx(0.0391, abs=1e-4), pytest.approx(0.2326, abs=1e-4))
    assert (men.missed.value, men.missed.state) == (pytest.approx(0.4), "imprecise")
    assert (men.missed.low, men.missed.high) == (pytest.approx(0.2152, abs=1e-4), pytest.approx(0.6184, abs=1e-4))
    assert found.everybody.missed.value == pytest.approx(12 / 60)
    assert (women.false.value, women.false.people) == (0.0, 36)
    assert women.false.high == pytest.approx(3.8416 / (36 + 3.8416), abs=1e-4)  # none of 36 is not "none"
    with pytest.raises(NotFound, match="group-missing"):
        found.of("unknown")


def test_people_with_many_records_do_not_count_as_many_people():
    """Ten people of six records each, one of them wholly unlinked: 15 of 150 pairs, but one person of ten."""
    rows = [(n, k) for n in range(10) for k in range(6)]
    where = {"agency": ["police"] * 60, "person_key": [f"{n}-{k}" for n, k in rows]}
    links = pa.table(where | {"entity_id": [n if n else 100 + k for n, k in rows]})
    truth = pa.table(where | {"person": [n for n, _ in rows], "sex": ["female"] * 60})
    missed = rm.rates_from_truth(links, truth, by="sex").everybody.missed
    assert (missed.value, missed.pairs, missed.people) == (0.1, 150.0, 10)
    assert missed.variance == pytest.approx(0.09 / 9)  # as one of ten, not as fifteen of 150
    assert missed.state == "imprecise"


def test_too_few_people_give_no_rate_and_an_unknown_group_stays_one():
    links, truth = records(9, 9, "female", 0)
    more, of_them = records(30, 30, None, 50)
    found = rm.rates_from_truth(pa.Table.from_pylist(links + more), pa.Table.from_pylist(truth + of_them), by="sex")
    few = found.of("female").missed
    assert (few.state, few.value, few.low, few.variance, few.people) == ("not_estimable", None, None, None, 9)
    assert found.of("unknown").missed.value == 0.0
    rows = found.table().to_pylist()
    assert [(one["group"], one["error"]) for one in rows][:2] == [("everybody", "missed"), ("everybody", "false")]
    assert rows[2]["value"] is None


def test_the_rates_are_those_of_precision_and_recall(known):
    counts = compared(*known, by=["sex"])["sex"]
    found = rm.rates_from_truth(*known, by="sex")
    for group, one in counts.items():
        assert found.of(group).missed.value == pytest.approx(1 - one["recall"])
        assert found.of(group).false.value == pytest.approx(1 - one["precision"])


@pytest.fixture
def doubtful(register):
    """Sixty pairs of which thirty differ in name, month and address; in two agencies."""
    rows = []
    for n in range(30):
        family = f"{'BCDFGHKLMN'[n % 10]}rad{'aeiou'[n % 5]}ck{'stvw'[n % 4]}"
        old, young = f"19{50 + n}-0{1 + n % 9}-1{n % 7}", f"20{10 + n % 10}-0{1 + n % 9}-2{n % 7}"
        other, ann = f"19{50 + n}-1{n % 3}-1{n % 7}", (f"Ann{'aeiou'[n % 5]}", f"T{family}", young, "female")
        rows += [
            ("police", f"p{n}", "Robin", family, old, "male", f"{n} Oak Street", "QX1 2AB"),
            ("health", f"h{n}", "Robert", family, other, "male", f"{n} Mill Lane", "ZZ3 1QR"),
            ("police", f"q{n}", *ann, f"{n} Elm Road", "QX4 9ZZ"),
            ("health", f"i{n}", *ann, f"{n} Elm Road", "QX4 9ZZ"),
        ]
    return register(*rows)


def test_worlds_doubt_the_doubtful_group_only(doubtful, store, received):
    people = link(store, received(doubtful), draws=8, seed=1)
    found = rm.rates_from_worlds(people, by="sex")
    women, everybody = found.of("female"), found.everybody
    assert (women.missed.value, women.false.value) == (0.0, 0.0)
    assert everybody.missed.value + everybody.false.value > 0.01
    assert everybody.missed.people >= 30
    assert rm.rates_from_worlds(people.drawn(3), by="sex") == found  # the groups and links are those of the best
    with pytest.raises(NotFound, match="column-missing"):
        rm.rates_from_worlds(people, by="religion")


def test_worlds_need_draws(doubtful, store, received):
    with pytest.raises(DataRefused, match="draws-missing"):
        rm.rates_from_worlds(link(store, received(doubtful)), by="sex")


def test_clerks_who_judge_every_pair_give_the_rates_of_the_truth(doubtful, store, received):
    people = link(store, received(doubtful))
    drawn = rm.pairs_to_judge(people, 10_000)
    assert set(drawn["weight"].to_pylist()) == {1.0}
    assert drawn["match"].null_count == drawn.num_rows
    same = [  # p3 is h3, q3 is i3
        (one["person_key_l"][1:] == one["person_key_r"][1:])
        and {one["person_key_l"][0], one["person_key_r"][0]} in ({"p", "h"}, {"q", "i"})
        for one in drawn.to_pylist()
    ]
    labels = drawn.set_column(drawn.column_names.index("match"), "match", pa.array(same))
    found = rm.rates_from_labels(people, labels, by="sex")
    linked = np.array(drawn["linked"].to_pylist())
    assert found.everybody.missed.value == pytest.approx(1 - (linked & same).sum() / sum(same))
    assert found.of("female").false.value == 0.0
    unsure = labels.set_column(labels.column_names.index("match"), "match", pa.nulls(labels.num_rows, pa.bool_()))
    assert rm.rates_from_labels(people, unsure, by="sex").everybody.missed.state == "not_estimable"


def test_what_a_clerk_cannot_judge(doubtful, store, received):
    people = link(store, received(doubtful))
    with pytest.raises(DataRefused, match="labels-columns"):
        rm.rates_from_labels(people, pa.table({"match": [True]}), by="sex")
    strange = {"agency_l": ["police"], "person_key_l": ["p0"], "agency_r": ["health"], "person_key_r": ["nobody"]}
    with pytest.raises(DataRefused, match="labels-unknown-records") as told:
        rm.rates_from_labels(people, pa.table(strange | {"match": [True]}), by="sex")
    assert "nobody" not in str(told.value)
    by_key = link(store, received(doubtful), method="shared_key")
    with pytest.raises(DataRefused, match="pairs-missing"):
        rm.pairs_to_judge(by_key)


def test_weights_give_back_the_number_of_pairs(doubtful, store, received):
    people = link(store, received(doubtful))
    every, few = rm.pairs_to_judge(people, 10_000), rm.pairs_to_judge(people, 20, seed=3)
    assert few.num_rows < every.num_rows
    assert math.fsum(few["weight"].to_pylist()) == pytest.approx(every.num_rows)
    assert rm.pairs_to_judge(people, 20, seed=3).equals(few)
    assert not rm.pairs_to_judge(people, 20, seed=4).equals(few)

"""Whose label, and who is seen: what was planted in the records is told, figures are worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from riskmodel.errors import DataRefused
from riskmodel.fairness.contact import audit_contact
from riskmodel.fairness.labels import audit_labels, discovered_and_reported
from riskmodel.fairness.rules import Rules
from riskmodel.seeds import stream

QUICK = Rules(replicates=300, reference={"g": "a"})


def test_a_gap_in_police_records_alone_is_told_as_a_change_between_labels():
    generator = stream(5, "labels")
    people = 12_000
    group = np.where(generator.random(people) < 0.4, "b", "a")
    score = generator.beta(2, 6, people)
    happened = generator.random(people) < score
    police = happened & (generator.random(people) < np.where(group == "b", 0.9, 0.5))
    hospital = happened & (generator.random(people) < 0.7)
    made = audit_labels(score, {"police": police, "hospital": hospital}, {"g": group}, capacity=0.2, rules=QUICK)
    row = made.changes.set_index("metric").loc["base_rate"]
    # Police: .25 x (.9 - .5) = .10 more in b; hospital: none.
    assert row["gap_against"] == pytest.approx(0.10, abs=0.02)
    assert row["gap"] == pytest.approx(0.0, abs=0.02)
    assert row["low"] < -0.10 < row["high"] < 0
    assert any("base rate" in told and "by hospital" in told for told in made.findings)
    # The share found does not change with recording that does not depend on the score.
    found = made.changes.set_index("metric").loc["tpr"]
    assert found["low"] < 0 < found["high"]


def test_one_label_told_twice_changes_nothing():
    score, outcome = np.tile([0.9, 0.2, 0.6, 0.4], 50), np.tile([1, 0, 0, 1], 50)
    made = audit_labels(score, {"one": outcome, "two": outcome}, {"g": ["a", "b"] * 100}, capacity=0.3, rules=QUICK)
    told = made.changes[made.changes["state"] != "not_estimable"]
    assert len(told) >= 3
    assert (told["change"].abs() < 1e-12).all()
    assert (made.changes["high"] - made.changes["low"]).max() < 1e-12
    assert made.findings == ("No gap was shown to depend on whose label it is judged by.",)
    assert made.agreement.to_dict("records")[0] == {
        "label": "two", "against": "one", "both": 100, "only": 0, "only_against": 0, "rows": 200,
    }  # fmt: skip
    with pytest.raises(DataRefused):
        audit_labels(score, {"one": outcome}, {"g": ["a", "b"] * 100}, rules=QUICK)


def test_what_was_reported_is_not_discovered_and_unknown_stays_unknown():
    made = discovered_and_reported([1, 1, 0, 0, None], [0, 1, 1, 0, 1])
    assert made["any"].tolist()[:4] == [1, 1, 1, 0]
    assert made["reported"].tolist()[:4] == [0, 1, 1, 0]
    assert made["discovered only"].tolist()[:4] == [1, 0, 0, 0]
    assert all(np.isnan(part[4]) for part in made.values())


def test_a_score_that_counts_contacts_rises_with_them_among_people_without_the_outcome():
    generator = stream(6, "contact")
    people = 6000
    need = generator.random(people)
    services = generator.integers(0, 5, people)
    outcome = (generator.random(people) < 0.3 * need).astype(float)
    score = 0.1 * need + 0.1 * services
    made = audit_contact(score, outcome, services, capacity=0.2, rules=Rules(replicates=100))
    rows = made.slopes.set_index(["among", "what"])
    one = rows.loc["without the outcome", "score"]
    assert one["slope"] == pytest.approx(0.1, abs=0.002)  # a tenth a service was planted
    assert one["low"] < 0.1 < one["high"]
    side = made.side_by_side.set_index("group")
    assert side.loc["0", "missed_per_100"] == 100  # nobody whom no service sees is listed
    assert side.loc["3 or more", "listed_in_error_per_100"] > 30
    assert side.loc["0", "services"] == 0
    assert made.contact_alone == pytest.approx(0.5, abs=0.05)


def test_a_score_of_need_alone_has_no_slope_on_contact():
    generator = stream(7, "contact")
    need, services = generator.random(4000), generator.integers(0, 5, 4000)
    outcome = (generator.random(4000) < need).astype(float)
    made = audit_contact(need, outcome, services, {"g": ["a", "b"] * 2000}, capacity=0.2, rules=Rules(replicates=100))
    rows = made.slopes.set_index(["among", "what"])
    for among in ("with the outcome", "without the outcome"):
        assert rows.loc[(among, "score"), "slope"] == pytest.approx(0.0, abs=0.015)
    assert {"services", "g", "g, services"} == set(made.audit.table["attribute"].to_pylist())
    assert set(made.side_by_side["attribute"]) == {"services", "g"}


@pytest.mark.parametrize("services", [[-1] * 4, [0.5] * 4, [None] * 4])
def test_services_are_whole_numbers(services):
    with pytest.raises(DataRefused):
        audit_contact([0.1, 0.2, 0.3, 0.4], [0, 1, 0, 1], services, capacity=0.5)

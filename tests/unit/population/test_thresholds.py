"""Below every threshold and above the joint one: by hand, on the right day, with what it costs."""

import datetime as dt

import pyarrow as pa
import pytest

from riskmodel.cohorts.outcome import Outcome
from riskmodel.dates import days, years
from riskmodel.errors import DeclarationError
from riskmodel.governance.disclosure import RuleSet
from riskmodel.governance.ledger import Ledger
from riskmodel.histories.store import Histories
from riskmodel.population.thresholds import BELOW, JOINT_ONLY, OWN, JointRule, Threshold, sub_threshold

OPEN = RuleSet("as counted", "for tests: nothing hidden, nothing rounded", 1, 1)
START = dt.datetime(2021, 1, 1)
ASKED = START + dt.timedelta(days=300)
RULES_OF_AGENCIES = [
    Threshold("police", 3, years(1), source="made up"),
    Threshold("school", 2, days(100), kinds=("exclusion",), least_value=5),
    Threshold("health", 2, years(1), valid_until="2021-06-01"),
]
JOINT = JointRule(4, years(1), agencies=3)


def history(rows) -> Histories:
    """Rows of (person, agency, kind, day, value); known the day after."""
    person, agency, kind, day, value = zip(*rows, strict=True)
    happened = [START + dt.timedelta(days=number) for number in day]
    table = pa.table(
        {
            "entity_id": pa.array(person, pa.int64()),
            "agency": agency,
            "kind": kind,
            "value": pa.array(value, pa.float64()),
            "happened_at": happened,
            "known_at": [moment + dt.timedelta(days=1) for moment in happened],
            "event_id": list(range(len(rows))),
        }
    )
    return Histories.of(events=table, covered_until=dict.fromkeys(set(agency), dt.date(2023, 1, 1)))


def four_services(person: int) -> list[tuple]:
    """A child whom four services each know a little: two police records, two of school, one of health."""
    return [
        (person, "police", "violence", 20, None),
        (person, "police", "violence", 260, None),
        (person, "school", "exclusion", 250, 5),
        (person, "school", "exclusion", 255, 2),  # too short to count
        (person, "health", "injury", 210, None),
    ]


def counts(made, standing: str, column: str = "people"):
    return next(row[column] for row in made.table.to_pylist() if row["standing"] == standing)


def test_the_four_service_child_is_below_all_and_above_the_joint_rule():
    rows = [
        *four_services(1),
        *[(2, "police", "violence", day, None) for day in (1, 2, 3)],
        (3, "police", "arson", 5, None),
    ]
    made = sub_threshold(history(rows), ASKED, RULES_OF_AGENCIES, JOINT, rules=OPEN)
    assert [counts(made, standing) for standing in (BELOW, JOINT_ONLY, OWN, "all")] == [1, 1, 1, 3]
    assert made.joint_only.value == pytest.approx(1 / 3)
    assert made.in_force == ("police", "school")
    assert made.without_rule == ("health",)  # its rule ended in June
    assert made.found.note == "no outcome was asked about"


def test_a_rule_counts_while_it_is_in_force():
    rows = [(1, "health", "injury", 10, None), (1, "health", "injury", 20, None)]
    before = sub_threshold(history([*rows, *four_services(2)]), "2021-05-31", RULES_OF_AGENCIES, JOINT, rules=OPEN)
    after = sub_threshold(history([*rows, *four_services(2)]), "2021-06-01", RULES_OF_AGENCIES, JOINT, rules=OPEN)
    assert (counts(before, OWN), counts(after, OWN)) == (1, 0)


def test_what_is_not_known_yet_does_not_count():
    made = sub_threshold(
        history(four_services(1)), START + dt.timedelta(days=256), RULES_OF_AGENCIES, JOINT, rules=OPEN
    )
    # the fourth record is of day 255 and known on day 256, at that very moment: three are seen
    assert counts(made, JOINT_ONLY) == 0
    later = sub_threshold(
        history(four_services(1)), START + dt.timedelta(days=257), RULES_OF_AGENCIES, JOINT, rules=OPEN
    )
    assert counts(later, JOINT_ONLY) == 1


def test_the_price_in_false_alarms():
    rows = [row for person in range(1, 41) for row in four_services(person)]
    rows += [(person, "health", "stabbing", 320, None) for person in range(1, 11)]
    harm = Outcome("stabbing", within=years(1), settles_after=days(30))
    made = sub_threshold(history(rows), ASKED, RULES_OF_AGENCIES, JOINT, outcome=harm)
    assert [counts(made, JOINT_ONLY, column) for column in ("people", "yes", "no", "unknown")] == [40, 10, 30, 0]
    assert made.found.value == pytest.approx(0.25)
    assert made.sentence.endswith("Of 100 like them 25 came to the outcome; the others are false alarms.")
    unknown = sub_threshold(
        history(rows), ASKED, RULES_OF_AGENCIES, JOINT, outcome=Outcome("stabbing", within=years(3)), rules=OPEN
    )
    assert counts(unknown, JOINT_ONLY, "unknown") == 40  # three years on lies beyond what was delivered
    assert unknown.found.state == "not_estimable"


def test_few_people_are_not_counted_out_and_the_release_is_written_down(tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    made = sub_threshold(history(four_services(1)), ASKED, RULES_OF_AGENCIES, JOINT, ledger=ledger)
    assert counts(made, JOINT_ONLY) is None
    assert (made.joint_only.state, made.joint_only.n) == ("suppressed", 0)
    assert made.sentence.startswith("Too few people")
    assert '"below every threshold"' in ledger.path.read_text()
    assert repr(made) == "SubThreshold(2 thresholds in force, as of 2021-10-28)"


def test_rules_that_mean_nothing_are_refused_at_once():
    with pytest.raises(DeclarationError, match="3 faults"):
        Threshold("police", 0, days(0), valid_from="2021-02-01", valid_until="2021-01-01")
    with pytest.raises(DeclarationError, match="between 1 and the count"):
        JointRule(2, years(1), agencies=3)
    with pytest.raises(DeclarationError, match="agency-unknown"):
        sub_threshold(history(four_services(1)), ASKED, [Threshold("vet", 1, years(1))], JOINT)

"""The oracle and the kernel agree on histories and features made by Hypothesis: few people, many coincidences.

What became known later never changes a row, and neither the order of the input nor blocks nor threads can be seen.
"""

import datetime as dt
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from riskmodel.dates import Duration, Window, days
from riskmodel.features import nodes, patterns, places
from riskmodel.features.areas import of_areas
from riskmodel.features.build import feature_matrix, filled
from riskmodel.features.feature import NODES, from_document
from riskmodel.features.on_spark import filled_on_spark
from riskmodel.features.reference import answer
from riskmodel.features.selection import PLACE_TIES, Events
from riskmodel.histories.overlaid import with_area_values
from riskmodel.histories.store import Histories
from riskmodel.tables import AREA_VALUES, EVENTS, PERSONS, RELATIONS, RESIDENCES, ROWS

START = dt.datetime(2021, 1, 1)
FAR_APART = 1_000_000  # between the numbers of societies that stand side by side
MEASURES = ("imd_decile", "population")
KINDS, ROLES, AGENCIES = ("arson", "custody", "violence"), ("victim", "suspect"), ("health", "police")
PERSON_TIES = ("parent", "co_resident")
AREAS = st.sampled_from(["E01", "E02"])
ENTITIES, PLACES = st.integers(1, 4), st.integers(7, 9)

moment = st.integers(0, 130).map(lambda halves: START + dt.timedelta(hours=12 * halves))
maybe_moment = st.none() | moment
value = st.none() | st.floats(-1e6, 1e6) | st.sampled_from([0.0, float("nan"), float("inf"), 0.25, 2.0**63])


def table(schema, row, most):
    return st.lists(st.fixed_dictionaries(row), max_size=most).map(
        lambda rows: pa.Table.from_pylist(rows, schema=schema)
    )


EVENT = {
    "entity_id": st.none() | ENTITIES,
    "happened_at": moment,
    "ended_at": maybe_moment,
    "known_at": moment,
    "known_until": maybe_moment,
    "agency": st.sampled_from(AGENCIES),
    "kind": st.sampled_from(KINDS),
    "role": st.none() | st.sampled_from(ROLES),
    "value": value,
    "place_id": st.none() | PLACES,
    "event_id": st.integers(1, 6),
}
RESIDENCE = {
    "entity_id": ENTITIES, "place_id": PLACES, "area": st.none() | AREAS, "starts_at": moment,
    "ends_at": maybe_moment, "known_at": moment, "known_until": maybe_moment,
}  # fmt: skip
AREA_VALUE = {
    "area": AREAS, "measure": st.sampled_from(MEASURES), "value": value, "source": st.just("ons"), "starts_at": moment,
    "known_at": moment, "known_until": maybe_moment,
}  # fmt: skip
RELATION = {
    "entity_id": ENTITIES, "other_id": ENTITIES, "kind": st.sampled_from(PERSON_TIES), "starts_at": maybe_moment,
    "ends_at": maybe_moment, "known_at": moment, "known_until": maybe_moment,
}  # fmt: skip

# one event of every kind, role and agency, of somebody else, long after: so that no word is unknown
EVERY_WORD = [
    {"entity_id": 99, "happened_at": START.replace(year=2031), "known_at": START.replace(year=2031), "kind": kind,
     "role": ROLES[number % 2], "agency": AGENCIES[number % 2], "event_id": number}
    for number, kind in enumerate(KINDS)
]  # fmt: skip
EVERY_TIE = pa.Table.from_pylist(
    [{"entity_id": 99, "other_id": 98, "kind": kind, "known_at": START} for kind in PERSON_TIES], schema=RELATIONS
)


# a residence with an area and a value of every measure, of somebody and somewhere else
EVERY_AREA = pa.Table.from_pylist(
    [{"entity_id": 99, "place_id": 99, "area": "E09", "starts_at": START, "known_at": START}], schema=RESIDENCES
)
EVERY_MEASURE = pa.Table.from_pylist(
    [{"area": "E09", "measure": one, "source": "ons", "starts_at": START, "known_at": START} for one in MEASURES],
    schema=AREA_VALUES,
)


def histories_of(tables):
    areas = tables["area_values"]
    return with_area_values(Histories.of(**{name: part for name, part in tables.items() if part is not areas}), areas)


@st.composite
def tables(draw):
    """The five tables; births and the day a person became known are drawn too."""
    born = st.none() | st.dates(dt.date(1999, 1, 1), dt.date(2021, 2, 1))
    persons = [
        {"entity_id": entity, "birth_date": draw(born), "known_at": draw(moment)} for entity in draw(st.sets(ENTITIES))
    ]
    events = draw(table(EVENTS, EVENT, 14))
    return {
        "events": pa.concat_tables([events, pa.Table.from_pylist(EVERY_WORD, schema=EVENTS)]),
        "persons": pa.Table.from_pylist(persons, schema=PERSONS),
        "relations": pa.concat_tables([draw(table(RELATIONS, RELATION, 6)), EVERY_TIE]),
        "residences": pa.concat_tables([draw(table(RESIDENCES, RESIDENCE, 6)), EVERY_AREA]),
        "area_values": pa.concat_tables([draw(table(AREA_VALUES, AREA_VALUE, 5)), EVERY_MEASURE]),
    }


asked = st.lists(st.fixed_dictionaries({"entity_id": ENTITIES, "as_of": moment}), min_size=1, max_size=8).map(
    lambda rows: pa.Table.from_pylist(rows, schema=ROWS)
)

some_kinds = st.sampled_from([(), *((kind,) for kind in KINDS), KINDS[:2], KINDS[1:]])
PLACE_KINDS = tuple(sorted(PLACE_TIES))
ties = st.sampled_from(
    [(), *((tie,) for tie in PERSON_TIES), PERSON_TIES, *((tie,) for tie in PLACE_KINDS), PLACE_KINDS]
)
choice = st.builds(
    Events,
    kinds=some_kinds,
    roles=st.just(()) | st.sampled_from(ROLES).map(lambda word: (word,)),
    agencies=st.just(()) | st.sampled_from(AGENCIES).map(lambda word: (word,)),
    through=ties,
)
at_home = choice.map(lambda events: replace(events, through=()))
spells = st.builds(Events, kinds=some_kinds.filter(bool), through=ties)
duration = st.builds(Duration, months=st.sampled_from([0, 0, 1, 2]), days=st.integers(0, 20))


@st.composite
def window(draw):
    opens, closes = draw(st.none() | duration), draw(st.just(Duration()) | duration)
    if opens is not None and opens.nominal_days <= closes.nominal_days:
        opens = Duration(closes.months, closes.days + 1 + opens.days)
    return Window(opens, closes)


def bool_duration(length):
    return length != Duration()


def escalation(events, recent, more, months_more, of):
    return patterns.Escalation(events, days(recent), Window(Duration(months_more, recent + more)), of)


measure = st.sampled_from(patterns.MEASURES)
thresholds = st.dictionaries(
    st.tuples(st.sampled_from(AGENCIES), st.dates(dt.date(2020, 12, 1), dt.date(2021, 3, 1))),
    st.sampled_from([0.25, 1.0, 1000.0]),
    min_size=1,
    max_size=4,
).map(lambda found: tuple((agency, day, level) for (agency, day), level in found.items()))

STRATEGIES = {
    "age": st.just(nodes.Age()),
    "count": st.builds(nodes.Count, choice, window()),
    "count_distinct": st.builds(nodes.CountDistinct, choice, st.sampled_from(sorted(nodes.DISTINCT)), window()),
    "ever": st.builds(nodes.Ever, choice, window()),
    "days_since": st.builds(nodes.DaysSince, choice, st.sampled_from(["last", "first"]), window()),
    "value": st.builds(nodes.ValueOf, choice, st.sampled_from(nodes.STATISTICS), window()),
    "state": st.builds(nodes.State, spells),
    "days_in_state": st.builds(nodes.DaysInState, spells, window()),
    "agencies_at_once": st.builds(nodes.AgenciesAtOnce, spells),
    "rate": st.builds(patterns.Rate, choice, window().filter(lambda one: one.opens), st.just(Events()) | spells),
    "trend": st.builds(patterns.Trend, choice, duration.filter(bool_duration), st.integers(2, 4), measure),
    "escalation": st.builds(escalation, choice, st.integers(1, 20), st.integers(1, 40), st.integers(0, 2), measure),
    "gap": st.builds(patterns.Gap, choice, st.sampled_from(["shortest", "mean"]), window()),
    "sequence": st.builds(patterns.Sequence, choice, choice, st.integers(1, 40).map(days), window()),
    "below_thresholds": st.builds(patterns.BelowThresholds, choice, thresholds, st.sampled_from([0.0, 0.5]), window()),
    "days_since_agencies": st.builds(patterns.DaysSinceAgencies, choice, st.integers(1, 3)),
    "moves": st.builds(places.Moves, window()),
    "days_at_address": st.just(places.DaysAtAddress()),
    "area_rate": st.builds(places.AreaRate, at_home, window().filter(lambda one: one.opens), st.integers(1, 2)),
    "area_value": st.builds(places.AreaValue, st.sampled_from(MEASURES)),
    "household_size": st.builds(places.HouseholdSize, st.none() | st.integers(1, 20)),
}


several_features = st.lists(
    st.sampled_from(sorted(STRATEGIES)).flatmap(STRATEGIES.get),
    min_size=1,
    max_size=6,
    unique_by=lambda node: node.name,
)


def later_events(since):
    """Rows of every table that became known on or after a day."""
    late = moment.map(lambda at: max(at, since))
    return st.fixed_dictionaries(
        {
            "events": table(EVENTS, EVENT | {"known_at": late}, 6),
            "relations": table(RELATIONS, RELATION | {"known_at": late}, 4),
            "residences": table(RESIDENCES, RESIDENCE | {"known_at": late}, 4),
            "area_values": table(AREA_VALUES, AREA_VALUE | {"known_at": late}, 4),
        }
    )


@st.composite
def questions(draw):
    """Tables, rows asked about, features, and what became known on or after the last as-of date."""
    given, rows, features = draw(tables()), draw(asked), draw(several_features)
    return given, rows, features, draw(later_events(max(rows["as_of"].to_pylist())))


thorough = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def columns(table):
    """Every column's float32 bits, any NaN as one."""
    return bits(np.stack([column.to_numpy() for column in table.columns]))


def bits(found):
    return np.where(np.isnan(found), np.float32(np.nan), found).view(np.uint32)


def test_every_node_has_a_strategy():
    assert set(STRATEGIES) == set(NODES)


@thorough
@given(several_features)
def test_documents_give_the_same_features(features):
    for feature in features:
        assert from_document(feature.document()) == feature


@thorough
@given(questions())
def test_the_kernel_is_the_reference_to_the_bit(question):
    given_tables, rows, features, _ = question
    histories = histories_of(given_tables)
    found = columns(feature_matrix(histories, rows, features))
    for number, feature in enumerate(features):
        oracle = [answer(histories, feature, row["entity_id"], row["as_of"]).value for row in rows.to_pylist()]
        expected = np.asarray(oracle, np.float64).astype(np.float32)
        expected = np.where(np.isnan(expected), np.float32(np.nan), expected).view(np.uint32)
        assert found[number].tolist() == expected.tolist(), (feature, found[number].view(np.float32), oracle)


@thorough
@given(questions())
def test_what_became_known_later_changes_nothing(question):
    given_tables, rows, features, later = question
    before = feature_matrix(histories_of(given_tables), rows, features)
    more = {
        name: pa.concat_tables([part, later[name]]) if name in later else part for name, part in given_tables.items()
    }
    assert (columns(feature_matrix(histories_of(more), rows, features)) == columns(before)).all()


@thorough
@given(questions(), st.randoms(use_true_random=False), st.integers(1, 3), st.integers(1, 4))
def test_order_blocks_and_threads_cannot_be_seen(question, random, threads, block_rows):
    given_tables, rows, features, _ = question
    before = columns(feature_matrix(histories_of(given_tables), rows, features))
    shuffled = {
        name: part.take(pa.array(mixed(part.num_rows, random), pa.int64())) for name, part in given_tables.items()
    }
    order = mixed(rows.num_rows, random)
    after = feature_matrix(
        histories_of(shuffled), rows.take(pa.array(order)), features, threads=threads, block_rows=block_rows
    )
    assert (columns(after) == before[:, order]).all()


@pytest.mark.slow
@settings(thorough, max_examples=3, phases=[Phase.generate])
@given(st.lists(questions(), min_size=6, max_size=10), st.integers(1, 4))
def test_spark_is_this_process_to_the_bit(local_spark, side_by_side, several, partitions):
    """Several questions stand side by side, for a job costs a second; measures of areas never go to Spark."""
    society = side_by_side([histories_of(given_tables) for given_tables, *_ in several])
    asked_of_each = [
        part.set_column(0, part.schema.field(0), pc.add(part["entity_id"], number * FAR_APART))
        for number, (_, part, *_) in enumerate(several)
    ]
    rows = pa.concat_tables(asked_of_each)
    features = list({node.name: node for _, _, some, _ in several for node in some}.values())
    features = [node for node in features if not of_areas([node])]
    here, _ = filled(society, rows, features)
    there, _ = filled_on_spark(local_spark, society, rows, features, partitions=partitions)
    assert (bits(there) == bits(here)).all()


def mixed(number, random):
    return random.sample(range(number), number)

"""Features cannot be built if they are meaningless, and say in words what they are."""

import datetime as dt

import pytest

from riskmodel.dates import days, months, years
from riskmodel.errors import DeclarationError
from riskmodel.features import language as words
from riskmodel.features.dictionary import describe
from riskmodel.features.feature import NODES, from_document
from riskmodel.features.nodes import Count, ValueOf
from riskmodel.features.selection import Events


@pytest.mark.parametrize(
    ("build", "parts"),
    [
        (lambda: words.count("Domestic Abuse"), ["small letters"]),
        (lambda: words.count(["arson", "arson"]), ["a word twice"]),
        (lambda: words.count("arson", within=days(5), until=days(5)), ["Make `within` longer"]),
        (lambda: words.count("arson", through=["parent", "own_address"]), ["Make two features"]),
        (lambda: words.count_distinct("colour"), ["kind, agency, place"]),
        (lambda: words.days_since("arson", "middle"), ["last, first"]),
        (lambda: ValueOf(Events(("a b",)), "median"), ["2 faults", "small letters", "total, mean"]),
        (lambda: words.state(None), ["an event of a moment has no end"]),
        (lambda: words.concurrent_agencies("custody", at_once=True, within=days(3)), ["Drop `within`"]),
        (lambda: words.rate("arson"), ["a window with a beginning"]),
        (lambda: words.trend("arson", part=days(0), parts=1), ["2 faults"]),
        (lambda: words.escalation("arson", recent=years(2), within=years(1)), ["Make `recent` shorter"]),
        (lambda: words.sequence("arson", "violence", gap=months(1)), ["in days or weeks"]),
        (lambda: words.below_thresholds("arson", []), ["at least one"]),
        (lambda: words.below_thresholds("arson", [("police", dt.date(2020, 1, 1), -1)], nearness=2), ["2 faults"]),
        (lambda: words.days_since_agencies(0), ["Write 1 or more"]),
        (lambda: words.seen_by(words.count("arson", agency="police"), "health"), ["no agency"]),
        (lambda: words.count("arson", within="2 years"), ["digits followed by"]),
    ],
)
def test_what_is_meaningless_cannot_be_built(build, parts):
    with pytest.raises(DeclarationError) as caught:
        build()
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("feature", "name"),
    [
        (words.count("domestic_abuse", role="victim", within="2y", through="co_resident"),
         "domestic_abuse_victim_count_2y_through_co_resident"),
        (words.days_since("custody", through="parent"), "custody_days_since_last_through_parent"),
        (words.ever("exclusion", agency="education"), "exclusion_ever_by_education"),
        (words.total("rent_arrears", within=years(1), until=months(3)), "rent_arrears_value_total_1y_to_3m"),
        (words.rate("violence", outside="custody", within=years(2)), "violence_rate_per_year_2y_outside_custody"),
        (words.sequence("custody", "violence", gap=days(30)), "violence_after_custody_within_30d_count"),
    ],
)  # fmt: skip
def test_names_say_what_the_column_is(feature, name):
    assert feature.name == name


def test_documents_with_unknown_words_are_refused():
    with pytest.raises(DeclarationError, match="Did you mean 'count'"):
        from_document({"feature": "cuont"})
    with pytest.raises(DeclarationError, match="Did you mean 'window'"):
        from_document({**words.count("arson").document(), "windw": None})


def test_the_dictionary_reads_well(histories):
    text = str(describe([words.count("violence", role="victim", within=years(2)), words.household_size()], histories))
    assert "number of violence events as victim, in the last 2 years" in text
    assert "a place or household, not the person" in text
    assert "agencies: police" in text
    assert describe([words.age()]).markdown().count("|") == 15


def test_a_value_in_words():
    sentence = words.days_since("arson").sentence
    assert sentence.with_value(3.0) == "days since the last of arson events, so far: 3 days"
    assert sentence.with_value(float("nan")).endswith("unknown")


def test_every_node_says_what_it_means():
    assert all(node.says and node.word for node in NODES.values())
    assert Count(Events()).tags == ("about_person",)
    assert words.household_size().tags == ("about_place",)
    assert words.count(through="parent").tags == ("about_relation",)
    assert words.count("arson", through="co_resident").needs == ("address", "happened_at", "kind")

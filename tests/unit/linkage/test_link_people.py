"""Who is joined with whom, on a few made-up people: errors must not part one person, likeness must not join two."""

from __future__ import annotations

import logging

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.errors import DeclarationError
from riskmodel.linkage.identity import link, matched, shared_key
from riskmodel.linkage.people import agreed
from riskmodel.tables import LINKS, PERSONS

OAK, ELM, MILL = ("14 Oak Street", "QX1 2AB"), ("3 Elm Road", "QX4 9ZZ"), ("Flat 2, 9 Mill Lane", "ZZ3 1QR")


def together(people: pa.Table) -> set[frozenset[str]]:
    """The clusters, as sets of person keys."""
    found = matched(people)
    groups: dict[int, set[str]] = {}
    for key, cluster in zip(found.records.column("person_key").to_pylist(), found.cluster.tolist(), strict=True):
        groups.setdefault(cluster, set()).add(key)
    return {frozenset(group) for group in groups.values()}


@pytest.mark.parametrize(
    "other",
    [
        ("health", "b", "Wilhelmina", "Featherstone", "1987-03-09", "female", *OAK),
        ("health", "b", "Wilhelmnia", "Featherstone", "1987-03-09", "female", *OAK),  # slip in the name
        ("health", "b", "Featherstone", "Wilhelmina", "1987-03-09", "female", *OAK),  # names changed places
        ("health", "b", "Wilhelmina", "Featherstone", "1987-09-03", "female", *OAK),  # day and month swapped
        ("health", "b", "Wilhelmina", "Featherstone", "1978-03-09", "female", *OAK),  # slip in the year
        ("health", "b", "Wilhelmina", "Featherstone", "1987-03-09", None, *MILL),  # moved
        ("health", "b", "Wilhelmina", "Featherstone", "1987-03-09", "female", None, None),
        ("health", "b", "Wilhelmina", "Abernathy", "1987-03-09", "female", *OAK),  # married
        ("health", "b", "WILHELMÍNA ", "FEATHERSTONE-Jones", "1987-03-09", "female", *OAK),
    ],
)
def test_one_person_with_an_error(register, other):
    first = ("police", "a", "Wilhelmina", "Featherstone", "1987-03-09", "female", *OAK)
    letters = "abcdefghijklmnopqrstuvwxyz"
    strangers = [
        (
            "police",
            f"s{n}",
            letters[n % 26] * 3 + "o",
            letters[-1 - n % 26] * 3 + letters[n // 26] * 3,
            f"{1910 + n}-{1 + n % 12:02d}-{1 + n % 28:02d}",
        )
        for n in range(60)
    ]
    assert frozenset("ab") in together(register(first, other, *strangers))


def test_pet_names_are_one_name(register):
    people = register(
        ("police", "a", "Robert", "Featherstone", "1987-03-09", "male", *OAK),
        ("health", "b", "Bob", "Featherstone", "1987-03-09", "male", *ELM),
    )
    assert together(people) == {frozenset("ab")}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # twins
        (("Oliver", "Hill", "2010-05-05", "male"), ("Jack", "Hill", "2010-05-05", "male")),
        (("Amelia", "Hill", "2010-05-05", "female"), ("Jack", "Hill", "2010-05-05", "male")),
        # father and son of one name
        (("Mohammed", "Hill", "1971-05-05", "male"), ("Mohammed", "Hill", "2001-02-19", "male")),
        # brothers
        (("Oliver", "Hill", "2010-05-05", "male"), ("Jack", "Hill", "2012-08-13", "male")),
        # a couple
        (("Oliver", "Hill", "1980-05-05", "male"), ("Anna", "Hill", "1982-01-13", "female")),
    ],
)
def test_one_household_is_not_one_person(register, one, other):
    people = register(("police", "a", *one, *OAK), ("health", "b", *other, *OAK), ("housing", "c", *one, *OAK))
    assert together(people) == {frozenset("ac"), frozenset("b")}


def test_strangers_with_a_common_name_stay_apart(register):
    people = register(
        ("police", "a", "Mohammed", "Khan", "1990-05-05", "male", *OAK),
        ("health", "b", "Mohammed", "Khan", "1984-11-21", "male", *ELM),
        ("health", "c", "Mohammed", "Khan", None, None, None, None),
    )
    assert together(people) == {frozenset("a"), frozenset("b"), frozenset("c")}


def test_records_that_say_nothing_are_people_of_their_own(register):
    nothing = [("police", key, None, None, None, None, None, None) for key in "abc"]
    place_holders = [("health", key, "Unknown", "unknown", None, "male", "No fixed abode", None) for key in "de"]
    assert together(register(*nothing, *place_holders)) == {frozenset(key) for key in "abcde"}


def test_one_record_and_none(register):
    assert together(register(("police", "a", "Oliver", "Hill", "2010-05-05"))) == {frozenset("a")}
    assert together(register()) == set()


def test_one_agency_with_the_person_twice_and_with_many_versions(register):
    people = register(
        ("police", "a", "Wilhelmina", "Featherstone", "1987-03-09", "female", *OAK),
        ("police", "a", "Wilhelmina", "Abernathy", "1987-03-09", "female", *ELM),
        ("police", "b", "Wilhelmina", "Featherstone", "1987-03-09", "female", *ELM),
    )
    assert together(people) == {frozenset("ab")}


def test_a_hostel_does_not_join_its_people_and_finds_them_elsewhere(register):
    """600 people at one door; every third is known to health, too, under a slip and with another address or none."""
    rng = np.random.default_rng(5)
    letters = "abcdefghijklmnopqrstuvwxyz"
    word = lambda: "".join(letters[n] for n in rng.integers(0, 26, 7)).title()  # noqa: E731 - shorter than a def
    rows, expected = [], set()
    for n in range(600):
        given, family, born = word(), word(), f"{1950 + n % 50}-{1 + n % 12:02d}-{1 + n % 28:02d}"
        rows.append(("housing", f"h{n}", given, family, born, "male", "1 Hostel Row", "QX9 9QQ"))
        other = [
            ("health", f"i{n}", given, family[1] + family[0] + family[2:], born, "male", *(OAK, (None, None))[n % 2])
        ]
        rows += other if n % 3 == 0 else []
        expected.add(frozenset((f"h{n}", f"i{n}") if n % 3 == 0 else (f"h{n}",)))
    assert together(register(*rows)) == expected


def test_the_same_links_for_any_number_of_threads_and_any_order(register):
    names = ["Oliver", "Jack", "Amelia", "Wilhelmina", "Bilal", "Ayan", "Priya", "Katarzyna"]
    rows = [
        (
            agency,
            f"{n}",
            names[n % 8],
            f"Family{names[(n * 3) % 8]}",
            f"19{60 + n % 40}-0{1 + n % 9}-1{n % 7}",
            None,
            f"{n} Oak Street",
            "QX1 2AB",
        )
        for n in range(120)
        for agency in ("police", "health")
    ]
    people = register(*rows)
    mixed = people.take(np.random.default_rng(3).permutation(people.num_rows))
    one, two, three = matched(people, threads=1), matched(people, threads=2), matched(mixed, threads=2)
    for other in (two, three):
        assert other.records.equals(one.records)
        assert other.cluster.tolist() == one.cluster.tolist()
        assert other.probability.tolist() == one.probability.tolist()
        assert other.document == one.document


def test_link_stores_and_keeps(register, store, received, capfd, caplog):
    rows = [
        ("police", "P1", "Wilhelmina", "Featherstone", "1987-03-09", "female", *OAK),
        ("health", "H9", "Wilhelmina", "Featherstone", "1987-03-09", "female", *OAK),
        ("health", "H7", "Bilal", "Ahmed", "1999-12-09", "male", *ELM),
    ]
    intake = received(register(*rows))
    with caplog.at_level(logging.DEBUG):
        people = link(store, intake)
    assert people.links.schema.equals(LINKS, check_metadata=False)
    assert people.persons.schema.equals(PERSONS, check_metadata=False)
    entity = dict(zip(people.links["person_key"].to_pylist(), people.links["entity_id"].to_pylist(), strict=True))
    assert entity["P1"] == entity["H9"] != entity["H7"]
    assert people.quality["records"] == 3
    assert people.quality["people"] == 2
    assert people.quality["people_by_records"] == {"1": 1, "2": 1}
    assert people.quality["agencies"]["health"] == {"records": 2, "records_also_elsewhere": 1}
    assert link(store, intake).fingerprint == people.fingerprint
    assert [entry.action for entry in store.ledger.entries()].count("write") == 2
    everything = repr(people) + str(people.quality) + caplog.text + "".join(capfd.readouterr())
    for name in ("ilhelmina", "eatherstone", "Bilal", "Ahmed", "P1", "Oak"):
        assert name not in everything
    stored = b"".join(path.read_bytes() for path in store.folder.glob("linked/*"))
    assert not any(name in stored for name in (b"ilhelmina", b"eatherstone", b"Oak"))
    assert repr(people) == "People(2 people from 3 records)"


def test_a_secret_salt_changes_every_pseudonym(register, store, received):
    intake = received(register(("police", "P1", "Bilal", "Ahmed", "1999-12-09", "male", *ELM)))
    before = link(store, intake).links["entity_id"].to_pylist()
    (store.folder / "salt").write_text("a secret of the partnership, 1234567890\n")
    assert link(store, intake).links["entity_id"].to_pylist() != before
    (store.folder / "salt").write_text("short\n")
    with pytest.raises(DeclarationError, match="salt-short"):
        link(store, intake)


def test_settings_that_mean_nothing_are_refused_at_once(register, store, received):
    intake = received(register(("police", "P1", "Bilal", "Ahmed")))
    with pytest.raises(DeclarationError) as refusal:
        link(store, intake, method="by-name", threshold=0.2)  # type: ignore[arg-type] # what a user may write
    assert len(refusal.value.faults) == 2


def test_a_shared_key_is_the_person(register):
    people = register(
        ("police", "7", "Bilal", "Ahmed"), ("health", "7", "Anna", "Hill"), ("health", "8", "Bilal", "Ahmed")
    )
    found = shared_key(people)
    assert found.records.to_pylist() == [
        {"agency": "health", "person_key": "7"},
        {"agency": "health", "person_key": "8"},
        {"agency": "police", "person_key": "7"},
    ]
    assert found.cluster.tolist() == [0, 1, 0]
    assert found.probability.tolist() == [1, 1, 1]


def test_what_most_records_say_is_agreed(register):
    people = register(
        ("police", "a", None, None, "1987-03-09", "female"),
        ("police", "a", None, None, "1987-03-09", "female"),
        ("police", "b", None, None, "1987-09-03", "male"),
        ("health", "c", None, None, "1987-03-09", None),
        ("housing", "d", None, None, None, "male"),
        ("housing", "e", None, None, None, None),
    )
    keys = ["a", "b", "c", "d", "e"]
    links = pa.table(
        {
            "agency": ["police", "police", "health", "housing", "housing"],
            "person_key": keys,
            "entity_id": [1, 1, 1, 1, 2],
        }
    )
    found = agreed(people, links).sort_by("entity_id").to_pylist()
    # birth: a and c say 9 March (two voices), b says 3 September. sex: a female, b and d male.
    assert [(row["entity_id"], str(row["birth_date"]), row["sex"], row["ethnicity"]) for row in found] == [
        (1, "1987-03-09", "male", None),
        (2, "None", None, None),
    ]

"""Registers as bad as they come: names from other scripts, hostels, whole columns missing."""

from __future__ import annotations

import numpy as np
import pytest

from riskmodel.errors import DataRefused
from riskmodel.linkage.blocking import blocked
from riskmodel.linkage.identity import matched
from riskmodel.linkage.records import prepared

OAK = ("14 Oak Street", "QX1 2AB")


def clusters(people):
    found = matched(people)
    return dict(zip(found.records["person_key"].to_pylist(), found.cluster.tolist(), strict=True))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Muhammad", "Hussain"), ("Mohammed", "Husain")),
        (("Aisha", "al-Rahman"), ("Ayesha", "Al Rahman")),
        (("Łukasz", "Wójcik"), ("Lukasz", "Wojcik")),
        (("Oleksandr", "Kovalenko"), ("Aleksandr", "Kovalenko")),
        (("Søren", "Müller"), ("Soren", "Muller")),
        (("Zoë", "O’Brien"), ("ZOE", "OBRIEN")),
        (("Олександр", "Шевченко"), ("Aleksandr", "Shevchenko")),
        (("Γιώργος", "Παππάς"), ("Giorgos", "Pappas")),
    ],
)
def test_transliterated_names_are_one_person(register, one, other):
    found = clusters(
        register(("police", "a", *one, "1987-03-09", None, *OAK), ("health", "b", *other, "1987-03-09", None, *OAK))
    )
    assert found["a"] == found["b"]


def test_people_without_any_name_are_refused_as_a_whole(register):
    with pytest.raises(DataRefused, match="names-missing"):
        matched(register(("police", "a", None, None, "1987-03-09"), ("health", "b", None, None, "1987-03-09")))


def test_one_agency_without_names_does_not_hurt_the_others(register):
    rows = [("police", "a", "Wilhelmina", "Featherstone", "1987-03-09", "female", *OAK),
            ("health", "b", "Wilhelmina", "Featherstone", "1987-03-09", "female", *OAK),
            ("housing", "c", None, None, None, None, *OAK)]  # fmt: skip
    found = clusters(register(*rows))
    assert found["a"] == found["b"] != found["c"]


def test_thirty_thousand_people_at_one_hostel_are_not_all_compared(register):
    """One door for all: 450 million pairs. Keys that too many share are narrowed or left out, and counted."""
    rng = np.random.default_rng(5)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = ["".join(word).title() for word in letters[rng.integers(0, 26, (60_000, 7))]]
    rows = [
        (
            "housing",
            f"h{n}",
            words[2 * n],
            words[2 * n + 1],
            f"{1940 + n % 60}-{1 + n % 12:02d}-{1 + n % 28:02d}",
            None,
            "1 Hostel Row",
            "QX9 9QQ",
        )
        for n in range(30_000)
    ]
    found = blocked(prepared(register(*rows)))
    assert found.narrowed_keys > 0
    assert found.pairs.num_rows < 450_000_000 / 50

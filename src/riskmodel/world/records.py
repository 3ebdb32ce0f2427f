"""The register entries of one block in the contracts' standard fields, and beside each what is true of it.

The truth: entries carry the errors of `noise`, and versions follow what the agency learned. For every entry it is kept
which person it is, and what is wrong with it. A naive analyst who takes the last address of an entry for the present
one follows the habits of the agency. Nothing here is a file yet and nothing is in an agency's own codes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from riskmodel.world import noise
from riskmodel.world.agencies import AGENCIES
from riskmodel.world.facts import DAY, OPEN
from riskmodel.world.names import COMMUNITIES, names_of
from riskmodel.world.noise import CARELESSNESS, Carelessness
from riskmodel.world.people import ETHNICITIES, Whole
from riskmodel.world.registers import Clerk, Register, true_residence

PREFIX: Final = {
    "childrens_services": "C",
    "education": "U",
    "health": "H",
    "housing": "T",
    "justice": "J",
    "police": "N",
    "youth_justice": "Y",
    "fire": "F",
    "charity": "V",
}
_MOMENT: Final = pa.timestamp("us")


def person_keys(register: Register, block: int, random: np.random.Generator) -> np.ndarray:
    """The agency's own number of each entry, in an order that says nothing about the person: (n_entries,) str."""
    number = random.permutation(len(register.person))
    keys = np.empty(len(number), object)
    for agency in np.unique(register.agency).tolist():
        name = AGENCIES[agency]
        for force in (0, 1) if name == "police" else (None,):
            mine = register.agency == agency
            if force is not None:
                mine &= register.slot % 2 == force
            prefix = f"{PREFIX[name]}{'' if force is None else force}{block:04d}"
            keys[mine] = numbered(prefix, number[mine], 6).to_numpy(zero_copy_only=False)
    return keys


def numbered(prefix: str, number: Whole, width: int) -> pa.Array:
    """Text of a prefix and a number filled up with zeros: (n,) text; numbers below 10 to the power of `width`.

    Examples
    --------
    >>> numbered("C0007", np.array([5, 12]), 6).to_pylist()
    ['C0007000005', 'C0007000012']
    """
    start = prefix.encode()
    cells = np.empty((len(number), len(start) + width), np.uint8)
    cells[:, : len(start)] = np.frombuffer(start, np.uint8)
    for place in range(width):
        cells[:, len(start) + place] = number // 10 ** (width - 1 - place) % 10 + ord("0")
    offsets = np.arange(len(number) + 1, dtype=np.int32) * cells.shape[1]
    return pa.StringArray.from_buffers(len(number), pa.py_buffer(offsets), pa.py_buffer(cells.tobytes()))


@dataclass(frozen=True, slots=True)
class _Entry:
    """What an agency wrote into the entries of its register: (n,) each."""

    given: np.ndarray
    family: np.ndarray
    new_family: np.ndarray
    born: np.ndarray  # days, or OPEN where missing
    sex: np.ndarray
    ethnicity: np.ndarray
    given_wrong: np.ndarray
    family_wrong: np.ndarray
    short: np.ndarray


def _entries(
    random: np.random.Generator, care: Carelessness, clerk: Clerk, person: Whole, first_day: Whole, seed: int
) -> _Entry:
    people, words = clerk.people, names_of(seed).words
    given, family, later = (words[name[person]] for name in (people.given, people.family, clerk.new_name()))
    community = people.community[person]
    spelling = care.name * np.array(noise.SPELLING)[community]
    short = noise.shortened(random, given, care.short)
    given_wrong = noise.misspelt(random, given, spelling)
    same = later == family
    family_wrong = noise.misspelt(random, family, spelling)
    later[same] = family[same]
    given[random.random(len(given)) < care.no_name] = None
    unsure = np.where(np.isin(community, _of("somali", "arab", "south_asian_muslim")), 0.02, 0.001)
    born = noise.misdated(random, people.born[person], care.birth, unsure)
    born = np.where(born > first_day, people.born[person], born)  # nobody is entered before the birth that is entered
    born = np.where(random.random(len(born)) < care.no_birth, OPEN, born)
    sex = np.array(["female", "male"], object)[people.sex[person]]
    sex[random.random(len(sex)) < care.no_sex] = None
    seen_as = noise.perceived(random, people.ethnicity[person], care.mistaken)
    ethnicity = np.array(ETHNICITIES, object)[seen_as]
    minority = np.where(people.ethnicity[person] == 0, 1.0, 1.3)
    ethnicity[random.random(len(ethnicity)) < care.no_ethnicity * minority] = None
    if care.capitals:
        given, family, later = (_upper(column) for column in (given, family, later))
    return _Entry(given, family, later, born, sex, ethnicity, given_wrong, family_wrong, short)


def _of(*names: str) -> list[int]:
    return [COMMUNITIES.index(name) for name in names]


def _upper(column: np.ndarray) -> np.ndarray:
    return np.array([None if text is None else text.upper() for text in column], object)


def people_tables(
    random: np.random.Generator, clerk: Clerk, register: Register, keys: np.ndarray, seed: int
) -> tuple[dict[str, pa.Table], pa.Table]:
    """The people feed of each agency in standard fields, and the truth of every entry.

    Returns
    -------
    tables : agency -> rows of standard fields, one a version of an entry, in order of recording
    truth : agency, person_key, person (in the block), given_wrong, family_wrong, short_form, birth_wrong
    """
    plain = clerk.places.address
    forms = noise.address_forms(plain)
    tables, truths = {}, []
    for agency in clerk.agencies:
        number = AGENCIES.index(agency)
        chosen = np.flatnonzero(register.agency == number)
        person, care = register.person[chosen], CARELESSNESS[agency]
        first_day = register.version_at[np.searchsorted(register.version_entry, chosen)] // DAY
        entry = _entries(random, care, clerk, person, first_day, seed)
        version = np.flatnonzero(register.agency[register.version_entry] == number)
        version = version[np.argsort(register.version_at[version], kind="stable")]
        of = register.version_entry[version] - (chosen[0] if len(chosen) else 0)
        tables[agency] = _versions(random, clerk, register, care, entry, keys, version, of, (plain, forms))
        truths.append(
            pa.table(
                {
                    "agency": pa.array([agency] * len(chosen), pa.string()),
                    "person_key": pa.array(keys[chosen], pa.string()),
                    "person": person,
                    "given_wrong": entry.given_wrong,
                    "family_wrong": entry.family_wrong,
                    "short_form": entry.short,
                    "birth_wrong": (entry.born != clerk.people.born[person]) & (entry.born != OPEN),
                }
            )
        )
    return tables, pa.concat_tables(truths)


def _versions(
    random: np.random.Generator, clerk: Clerk, register: Register, care: Carelessness, entry: _Entry,
    keys: np.ndarray, version: Whole, of: Whole, spellings: tuple[np.ndarray, np.ndarray],
) -> pa.Table:  # fmt: skip
    places, dwelling = clerk.places, register.version_dwelling[version]
    count = len(version)
    address = np.where(random.random(count) < 0.25, spellings[1][dwelling], spellings[0][dwelling])
    if care.capitals:
        address = _upper(address)
    postcode, area = places.postcode[dwelling].copy(), places.area_code[places.area[dwelling]].copy()
    at = register.version_at[version]
    since = true_residence(clerk.lives.residences, register.person[register.version_entry[version]], at // DAY)
    nowhere = random.random(count) < care.no_address
    postcode[nowhere | (random.random(count) < 0.03)] = None
    address[nowhere], area[nowhere] = None, None
    undated = nowhere | (random.random(count) < 0.2)
    family = np.where(register.version_renamed[version], entry.new_family[of], entry.family[of])
    return pa.table(
        {
            "person_key": pa.array(keys[register.version_entry[version]], pa.string()),
            "given_name": pa.array(entry.given[of], pa.string()),
            "family_name": pa.array(family, pa.string()),
            "birth_date": _dates(np.where(entry.born[of] == OPEN, 0, entry.born[of]), entry.born[of] == OPEN),
            "sex": pa.array(entry.sex[of], pa.string()),
            "ethnicity": pa.array(entry.ethnicity[of], pa.string()),
            "address": pa.array(address, pa.string()),
            "postcode": pa.array(postcode, pa.string()),
            "area": pa.array(area, pa.string()),
            "address_from": _dates(since, undated),
            "recorded_at": moments(at),
        }
    )


def _dates(days: Whole, missing: np.ndarray) -> pa.Array:
    return pa.array(days.astype(np.int32), pa.int32(), mask=missing).view(pa.date32())


def moments(at: Whole) -> pa.Array:
    """Microseconds as timestamps, null where OPEN."""
    return pa.array(at, pa.int64(), mask=at == OPEN).view(_MOMENT)

"""The records of one block in the contracts' standard fields, and beside each what is true of it.

The truth: entries carry the errors of `noise`, versions follow what the agency learned, and events come with the
corrections, withdrawals and late ends of real registers. For every entry it is kept which person it is, and what is
wrong with it. Nothing here is a file yet and nothing is in an agency's own codes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa

from riskmodel.world import noise
from riskmodel.world.agencies import AGENCIES, Sightings, end_follows, has_end
from riskmodel.world.facts import DAY, KINDS, OPEN, kind_number
from riskmodel.world.lives import Lives
from riskmodel.world.names import COMMUNITIES, names_of
from riskmodel.world.noise import CARELESSNESS, Carelessness
from riskmodel.world.people import ETHNICITIES, Whole
from riskmodel.world.places import District
from riskmodel.world.registers import Clerk, Parents, Register, true_residence

CORRECTED_SHARE: Final = 0.025
WITHDRAWN_SHARE: Final = 0.004
_PREFIX: Final = {
    "childrens_services": "C",
    "education": "U",
    "health": "H",
    "housing": "T",
    "justice": "J",
    "police": "N",
    "youth_justice": "Y",
}
_OUT_OF_DOORS: Final = 0.55  # share of violence, robbery and searches that police place at somebody else's address
_MOMENT: Final = pa.timestamp("us")


@dataclass(frozen=True, slots=True)
class Truths:
    """What is true of the records of a block: Arrow tables that only tests and benches read."""

    records: pa.Table  # agency, person_key, person, what is wrong with the entry
    events: pa.Table  # agency, event_key, fact (its place in the block), what was done to the row

    def __repr__(self) -> str:
        return f"Truths({self.records.num_rows} entries, {self.events.num_rows} events)"


def person_keys(register: Register, block: int, random: np.random.Generator) -> np.ndarray:
    """The agency's own number of each entry, in an order that says nothing about the person: (n_entries,) str."""
    number = random.permutation(len(register.person))
    return np.array(
        [
            f"{_PREFIX[AGENCIES[agency]]}{slot % 2 if AGENCIES[agency] == 'police' else ''}{block:04d}{place:06d}"
            for agency, slot, place in zip(
                register.agency.tolist(), register.slot.tolist(), number.tolist(), strict=True
            )
        ],
        object,
    )


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
    for number, agency in enumerate(AGENCIES):
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
            "recorded_at": _moments(at),
        }
    )


def _dates(days: Whole, missing: np.ndarray) -> pa.Array:
    return pa.array(days.astype(np.int32), pa.int32(), mask=missing).view(pa.date32())


def _moments(at: Whole) -> pa.Array:
    """Microseconds as timestamps, null where OPEN."""
    return pa.array(at, pa.int64(), mask=at == OPEN).view(_MOMENT)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Event rows before they become Arrow: (n,) each."""

    sighting: Whole
    at: Whole
    ended: Whole
    value: np.ndarray
    recorded: Whole
    withdrawn: np.ndarray
    in_error: np.ndarray  # the row tells of something that never happened

    def take(self, order: np.ndarray) -> _Rows:
        """The rows in another order, or some of them."""
        return _Rows(*(getattr(self, name)[order] for name in self.__slots__))


def _joined(parts: list[_Rows]) -> _Rows:
    return _Rows(*(np.concatenate([getattr(part, name) for part in parts]) for name in _Rows.__slots__))


def _event_rows(random: np.random.Generator, lives: Lives, seen: Sightings) -> tuple[_Rows, np.ndarray]:
    """One row for each version of each sighting, and which sightings were corrected.

    A corrected event is first written with a wrong time or value, and right weeks later under the same key. A
    mistaken one is a second record of an event that happened once; it is withdrawn later.
    """
    facts, count = lives.facts, len(seen.fact)
    end = int(lives.quarters[-1]) * DAY
    at, ended, value = facts.at[seen.fact], facts.ended[seen.fact], facts.value[seen.fact]
    never, still = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    later_end = end_follows()[facts.kind[seen.fact]] & has_end(facts)[seen.fact]
    first_end = np.where(later_end & (ended > seen.recorded), OPEN, ended)
    corrected = random.random(count) < CORRECTED_SHARE
    shift = random.integers(1, 4 * 1440, count) * (DAY // 1440)
    wrong_at = np.where(corrected, at - shift, at)
    wrong_value = np.where(corrected, np.ceil(value * random.uniform(1.2, 2.0, count)), value)
    firsts = _Rows(np.arange(count), wrong_at, first_end, wrong_value, seen.recorded, still, never)
    again = np.flatnonzero(corrected)
    weeks = random.integers(2 * 1440, 120 * 1440, len(again)) * (DAY // 1440)
    seconds = _Rows(
        again, at[again], first_end[again], value[again], seen.recorded[again] + weeks, still[again], never[again]
    )
    closes = np.flatnonzero(later_end & (first_end == OPEN))
    lag = random.exponential(18.0, len(closes)) + 0.2
    told = np.maximum(ended[closes], seen.recorded[closes]) + (lag * 1440).astype(np.int64) * (DAY // 1440)
    told = np.where(corrected[closes], np.maximum(told, seen.recorded[closes] + 121 * DAY), told)
    ends = _Rows(closes, at[closes], ended[closes], value[closes], told, still[closes], never[closes])
    mistaken = np.flatnonzero(random.random(count) < WITHDRAWN_SHARE)
    noticed = seen.recorded[mistaken] + random.integers(1440, 200 * 1440, len(mistaken)) * (DAY // 1440)
    yes = np.ones(len(mistaken), np.bool_)
    entered = _Rows(
        mistaken,
        at[mistaken] + 7 * 60_000_000,
        first_end[mistaken],
        value[mistaken],
        seen.recorded[mistaken],
        ~yes,
        yes,
    )
    withdrawn = _Rows(entered.sighting, entered.at, entered.ended, entered.value, noticed, yes, yes)
    rows = _joined([firsts, seconds, ends, entered, withdrawn])
    ahead = (rows.ended >= end) & (facts.kind[seen.fact][rows.sighting] != kind_number("court_order"))
    ended = np.where(ahead, OPEN, np.where(rows.ended == OPEN, OPEN, np.maximum(rows.ended, rows.at)))
    rows = replace(rows, ended=ended).take(rows.recorded < end)
    return rows.take(np.lexsort((rows.in_error, rows.sighting, rows.recorded))), corrected


def event_tables(
    random: np.random.Generator, clerk: Clerk, register: Register, keys: np.ndarray,
    seen: Sightings, slot: Whole, block: int,
) -> tuple[dict[str, pa.Table], pa.Table]:  # fmt: skip
    """The event feed of each agency in standard fields, and the truth of every event key.

    Returns
    -------
    tables : agency -> rows of standard fields, one a version of an event, in order of recording
    truth : agency, event_key, fact (place in the block's facts), late, corrected
    """
    facts = clerk.lives.facts
    person = facts.person[seen.fact]
    named = person >= 0
    owner = np.full(len(person), None, object)
    owner[named] = keys[register.entry_of(seen.agency[named], person[named], slot[named])]
    rows, corrected = _event_rows(random, clerk.lives, seen)
    number = random.permutation(2 * len(person))
    dwelling = _place(random, clerk.places, facts.kind[seen.fact], facts.dwelling[seen.fact])
    tables, truths = {}, []
    for which, agency in enumerate(AGENCIES):
        chosen = rows.take(seen.agency[rows.sighting] == which)
        label = number[chosen.sighting + len(person) * chosen.in_error]
        key = [f"{_PREFIX[agency]}E{block:04d}{place:07d}" for place in label.tolist()]
        tables[agency] = _standard_events(clerk, facts.kind[seen.fact], owner, dwelling, chosen, key)
        first = np.unique(label, return_index=True)[1]
        one = chosen.take(np.sort(first))
        truths.append(
            pa.table(
                {
                    "agency": pa.array([agency] * len(first), pa.string()),
                    "event_key": pa.array([key[place] for place in np.sort(first).tolist()], pa.string()),
                    "fact": seen.fact[one.sighting],
                    "late": seen.late[one.sighting],
                    "corrected": corrected[one.sighting] & ~one.in_error,
                    "mistaken": one.in_error,
                }
            )
        )
    return tables, pa.concat_tables(truths)


def _place(random: np.random.Generator, places: District, kind: Whole, home: Whole) -> Whole:
    """Where police say it happened: at home, or, for half of what happens in the street, somewhere in the same area."""
    outside = np.isin(
        kind, [at for at, (name, _) in enumerate(KINDS) if name in ("violence", "robbery", "stop_search")]
    )
    outside &= random.random(len(kind)) < _OUT_OF_DOORS
    first = np.searchsorted(places.area, places.area[home], side="left")
    count = np.searchsorted(places.area, places.area[home], side="right") - first
    return np.where(outside, first + (random.random(len(kind)) * count).astype(np.int64), home)


def _standard_events(
    clerk: Clerk, kind: Whole, owner: np.ndarray, dwelling: Whole, rows: _Rows, key: list[str]
) -> pa.Table:
    number = kind[rows.sighting]
    names, roles = (pa.array([pair[at] for pair in KINDS], pa.string()) for at in (0, 1))
    place = dwelling[rows.sighting]
    return pa.table(
        {
            "event_key": pa.array(key, pa.string()),
            "person_key": pa.array(owner[rows.sighting], pa.string()),
            "happened_at": _moments(rows.at),
            "ended_at": _moments(rows.ended),
            "recorded_at": _moments(rows.recorded),
            "kind": names.take(pa.array(number)),
            "role": roles.take(pa.array(number)),
            "value": pa.array(rows.value, pa.float64(), mask=np.isnan(rows.value)),
            "address": pa.array(clerk.places.address[place], pa.string()),
            "postcode": pa.array(clerk.places.postcode[place], pa.string()),
            "retracted": pa.array(rows.withdrawn, pa.bool_()),
        }
    )


def relation_table(clerk: Clerk, register: Register, keys: np.ndarray, parents: Parents) -> pa.Table:
    """Parents on file at children's services: the parent's key, the child's key, from the child's birth."""
    services = np.full(len(parents.parent), AGENCIES.index("childrens_services"))
    entry = np.zeros_like(services)
    born = clerk.people.born[parents.child] * DAY
    order = np.lexsort((parents.child, parents.at))
    return pa.table(
        {
            "person_key": pa.array(keys[register.entry_of(services, parents.parent, entry)], pa.string()),
            "other_person_key": pa.array(keys[register.entry_of(services, parents.child, entry)], pa.string()),
            "kind": pa.array(["parent"] * len(services), pa.string()),
            "starts_at": _moments(born),
            "ends_at": pa.nulls(len(services), _MOMENT),
            "recorded_at": _moments(parents.at),
        }
    ).take(pa.array(order))

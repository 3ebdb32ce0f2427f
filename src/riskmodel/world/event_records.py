"""The event rows of one block in the contracts' standard fields, and beside each what is true of it.

The truth: most events are written down once. One in forty is first written with a wrong time or value and put right
weeks later under the same key; one in 250 is written twice and the second withdrawn; ends of plans, care and custody
follow when they have come. For every key it is kept which true event it stands for. A naive analyst who takes the last
version of every row trains on what nobody could have known at the time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa

from riskmodel.world.agencies import AGENCIES, Sightings, end_follows, has_end
from riskmodel.world.facts import DAY, KINDS, OPEN, Facts, kind_number
from riskmodel.world.people import Whole
from riskmodel.world.places import District
from riskmodel.world.records import PREFIX, moments, numbered
from riskmodel.world.registers import Clerk, Parents, Register

CORRECTED_SHARE: Final = 0.025
WITHDRAWN_SHARE: Final = 0.004
_OUT_OF_DOORS: Final = 0.55  # share of violence, robbery and searches that police place at somebody else's address
_MOMENT: Final = pa.timestamp("us")


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


def _event_rows(
    random: np.random.Generator, facts: Facts, seen: Sightings, end: int, *, flawed: bool
) -> tuple[_Rows, np.ndarray]:
    """One row for each version of each sighting until the last moment, and which sightings were corrected.

    A corrected event is first written with a wrong time or value, and right weeks later under the same key. A
    mistaken one is a second record of an event that happened once; it is withdrawn later.
    """
    count = len(seen.fact)
    at, ended, value = facts.at[seen.fact], facts.ended[seen.fact], facts.value[seen.fact]
    never, still = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    later_end = end_follows()[facts.kind[seen.fact]] & has_end(facts)[seen.fact]
    first_end = np.where(later_end & (ended > seen.recorded), OPEN, ended)
    corrected = random.random(count) < CORRECTED_SHARE * flawed
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
    mistaken = np.flatnonzero(random.random(count) < WITHDRAWN_SHARE * flawed)
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
    random: np.random.Generator, clerk: Clerk, facts: Facts, seen: Sightings, owner: np.ndarray, block: int,
    *, flawed: bool,
) -> tuple[dict[str, pa.Table], pa.Table]:  # fmt: skip
    """The event feed of each of the clerk's agencies in standard fields, and the truth of every event key.

    Parameters
    ----------
    owner : (n_sightings,) the agency's own number of the person of each sighting, None at a place only
    flawed : bool, whether some rows are corrected or withdrawn later

    Returns
    -------
    tables : agency -> rows of standard fields, one a version of an event, in order of recording
    truth : agency, event_key, fact (place in the facts), late, corrected, mistaken
    """
    rows, corrected = _event_rows(random, facts, seen, clerk.end * DAY, flawed=flawed)
    number = random.permutation(2 * len(owner))
    dwelling = _place(random, clerk.places, facts.kind[seen.fact], facts.dwelling[seen.fact])
    tables, truths = {}, []
    for agency in clerk.agencies:
        chosen = rows.take(seen.agency[rows.sighting] == AGENCIES.index(agency))
        label = number[chosen.sighting + len(owner) * chosen.in_error]
        key = numbered(f"{PREFIX[agency]}E{block:04d}", label, 7)
        tables[agency] = _standard_events(clerk, facts.kind[seen.fact], owner, dwelling, chosen, key)
        first = np.sort(np.unique(label, return_index=True)[1])
        one = chosen.take(first)
        truths.append(
            pa.table(
                {
                    "agency": pa.array([agency] * len(first), pa.string()),
                    "event_key": key.take(pa.array(first)),
                    "fact": seen.fact[one.sighting],
                    "late": seen.late[one.sighting],
                    "corrected": corrected[one.sighting] & ~one.in_error,
                    "mistaken": one.in_error,
                }
            )
        )
    return tables, pa.concat_tables(truths)


def owners(register: Register, keys: np.ndarray, facts: Facts, seen: Sightings, slot: Whole) -> np.ndarray:
    """The agency's own number of the person of each sighting: (n_sightings,) of str, None at a place only."""
    person = facts.person[seen.fact]
    named = person >= 0
    owner = np.full(len(person), None, object)
    owner[named] = keys[register.entry_of(seen.agency[named], person[named], slot[named])]
    return owner


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
    clerk: Clerk, kind: Whole, owner: np.ndarray, dwelling: Whole, rows: _Rows, key: pa.Array
) -> pa.Table:
    number = kind[rows.sighting]
    names, roles = (pa.array([pair[at] for pair in KINDS], pa.string()) for at in (0, 1))
    place = dwelling[rows.sighting]
    return pa.table(
        {
            "event_key": key,
            "person_key": pa.array(owner[rows.sighting], pa.string()),
            "happened_at": moments(rows.at),
            "ended_at": moments(rows.ended),
            "recorded_at": moments(rows.recorded),
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
            "starts_at": moments(born),
            "ends_at": pa.nulls(len(services), _MOMENT),
            "recorded_at": moments(parents.at),
        }
    ).take(pa.array(order))

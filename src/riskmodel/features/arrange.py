"""Events brought into the order that the kernel sweeps: one entity after another, each in time order.

Simultaneous events of an entity stand in the order (event_id, value): it decides the order in which values are added
and which of them is the last, so it may depend on nothing but the events themselves. Own events and those that reach an
entity through ties are put together here. Nothing is computed and nothing is hidden: visibility is the kernel's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.features.carried import Carrying, carrying, simple_ties, together
from riskmodel.features.columns import arrow
from riskmodel.features.exposures import MOST_TIES, exposures, is_own_stream, own_stream, tie_table
from riskmodel.features.feature import Feature
from riskmodel.features.order import standing
from riskmodel.features.pieces import FOREVER_MICRO, Arrays, Needs, Whole, arrays_of, needs_of, needs_through, pieces_of
from riskmodel.features.program import CODES, POINT, SPELL, Program, Types
from riskmodel.features.selection import PLACE_TIES
from riskmodel.features.steps import compiled
from riskmodel.histories.store import Histories


@dataclass(frozen=True, slots=True, repr=False)
class Sweepable:
    """Events as the kernel reads them, sorted by (entity, happened, event_id, value); times in microseconds.

    ``starts`` is (entities + 1,): events ``starts[e]:starts[e + 1]`` are those of the e-th entity in question.
    """

    starts: Whole
    happened: Whole
    known: Whole
    until: Whole
    ended: Whole
    value: npt.NDArray[np.float64]
    type: npt.NDArray[np.int32]
    codes: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, repr=False)
class Plan:
    """A program fitted to the words of the data, the events it sweeps, and what its ties left out.

    Attributes
    ----------
    events : all that is laid out for every entity
    carrying : ties whose events are laid out for a block of entities at a time
    """

    program: Program
    types: Types
    needs: Needs
    arrays: Arrays
    events: Sweepable
    carrying: tuple[Carrying, ...]
    ties_left_out: Mapping[str, int]

    def events_of(self, begin: int, end: int) -> Sweepable:
        """The events of the entities ``begin:end``; ``starts`` is for those, into the arrays that come with it."""
        starts = self.events.starts[begin : end + 1]
        if not self.carrying:
            return replace(self.events, starts=starts)
        own = {name: array[starts[0] : starts[-1]] for name, array in self.arrays.items() if name != "starts"}
        own["entity"] = np.repeat(np.arange(end - begin, dtype=np.int32), np.diff(starts))
        parts = [own]
        for one in self.carrying:
            parts.append(one.laid_out(begin, end))
            parts[-1]["entity"] -= np.int32(begin)
        arrays = _in_order(together(parts), end - begin, ordered=self.needs.ordered)
        return _sweepable(arrays, _codes(arrays, self.needs))


def planned(
    histories: Histories, features: Sequence[Feature], entities: Whole, *, threads: int, most_ties: int = MOST_TIES
) -> Plan:
    """What the kernel needs for these features and these entities (each once)."""
    sizes = {"kind": len(histories.kinds), "agency": len(histories.agencies), "place": 1}
    program = compiled(features, sizes)
    needs = needs_of(program, sorted(histories.kinds), histories.agencies)
    types = program.typed(*(needs.words[part] for part in ("kind", "role", "agency")))
    ids = arrow(entities)
    parts, left_out, carrying = [], {}, []
    if any(not step.events.through for step in program.steps):
        pieces = pieces_of(histories, needs.columns)
        with ThreadPoolExecutor(threads) as pool:
            parts += list(pool.map(lambda piece: arrays_of(piece(), 0, types, needs, ids), pieces))
    for channel, through in enumerate(program.channels[1:], 1):
        reaching, simple, missing = _through(histories, program, channel, entities, types, needs, threads, most_ties)
        parts += reaching
        carrying += simple
        if missing:
            left_out["_or_".join(through)] = missing
    placed = program.uses("place")
    if placed:  # the places of an entity are numbered over all its events, so that all have to be there
        parts += [one.laid_out(0, len(entities)) for one in carrying]
        carrying = []
    arrays = _in_order(together(parts), len(entities), ordered=needs.ordered, whole=bool(carrying))
    codes = np.empty((len(CODES), 0), np.int32)
    if not carrying:
        codes = _codes(arrays, needs)
    if placed:
        sizes["place"] = int(codes[2].max(initial=0)) + 1
        program = compiled(features, sizes)
        types = program.typed(*(needs.words[part] for part in ("kind", "role", "agency")))
    return Plan(program, types, needs, arrays, _sweepable(arrays, codes), tuple(carrying), left_out)


def _codes(arrays: Arrays, needs: Needs) -> npt.NDArray[np.int32]:
    if not needs.numbered:
        return np.empty((len(CODES), 0), np.int32)
    return np.stack([arrays["kind"], arrays["agency"], _numbered_in_entity(arrays)]).astype(np.int32, order="C")


def _through(
    histories: Histories,
    program: Program,
    channel: int,
    entities: Whole,
    types: Types,
    needs: Needs,
    threads: int,
    most_ties: int,
) -> tuple[list[Arrays], list[Carrying], int]:
    """What reaches the entities through a choice of ties, in parts, and how many tie rows were left out."""
    through = program.channels[channel]
    ids = arrow(entities)
    if is_own_stream(through[0]):
        return [arrays_of(own_stream(histories, through[0]), channel, types, needs, ids, spell=True)], [], 0
    ties, places = tie_table(histories, through), through[0] in PLACE_TIES
    points, spells = program.carries(channel, POINT), program.carries(channel, SPELL)
    parts, simple, others, lazily = [], ties.slice(0, 0), ties, []
    if points and not places:
        simple, others = simple_ties(ties, entities, most_ties)
    if simple.num_rows:
        own = needs_through(needs, program, through)
        pieces = pieces_of(histories, own.columns)
        lazily.append(carrying(simple, pieces, entities, channel, types, own, threads=threads))
    left_out = 0
    asked = [(ties, points, spells)] if not simple.num_rows else [(others, points, False), (ties, False, spells)]
    for chosen, as_points, as_spells in asked:
        if chosen.num_rows and (as_points or as_spells):
            table, missing = exposures(
                chosen,
                _named_events(histories, program, through),
                pa.table({"entity_id": entities}),
                places=places,
                points=as_points,
                spells=as_spells,
                most_ties=most_ties,
                threads=threads,
            )
            parts.append(arrays_of(table, channel, types, needs, ids, spell=True))
            left_out = max(left_out, missing)
    return parts, lazily, left_out


def _named_events(histories: Histories, program: Program, through: tuple[str, ...]) -> pa.Table:
    """The events of the kinds that are asked for through these ties."""
    chosen = [step.events for step in program.steps if step.events.through == through]
    if not all(choice.kinds for choice in chosen):
        return histories.events
    kinds = sorted({kind for choice in chosen for kind in choice.kinds})
    return histories.events.filter(pc.is_in(histories.events["kind"], value_set=pa.array(kinds, pa.string())))


def _in_order(arrays: Arrays, entities: int, *, ordered: bool, whole: bool = False) -> Arrays:
    """The arrays sorted, with ``starts``; simultaneous events are put in order only if their order matters.

    `whole`: what settles the order is kept, for they will be put in order again with others.
    """
    entity = np.ascontiguousarray(arrays["entity"], np.int32)
    happened = np.ascontiguousarray(arrays["happened"])
    made = {
        name: array
        for name, array in arrays.items()
        if (name != "event_id" or whole) and (name != "entity" or "placed" in arrays)
    }
    if not ordered and _is_sorted(entity, happened):
        return made | {"starts": np.searchsorted(entity, np.arange(entities + 1)).astype(np.int64)}
    if ordered:
        number = np.ascontiguousarray(arrays.get("event_id", np.zeros(len(entity), np.int64)), np.int64)
        starts, source = standing(entity, entities, happened, number, arrays.get("value"))
    else:
        starts, source = standing(entity, entities, happened)
    return {name: array[source] for name, array in made.items()} | {"starts": starts}


def _is_sorted(entity: npt.NDArray[np.int32], happened: Whole) -> bool:
    ahead = (entity[1:] > entity[:-1]) | ((entity[1:] == entity[:-1]) & (happened[1:] >= happened[:-1]))
    return bool(ahead.all())


def _sweepable(arrays: Arrays, codes: npt.NDArray[np.int32]) -> Sweepable:
    number = len(arrays["happened"])
    happened = np.ascontiguousarray(arrays["happened"], np.int64)
    forever = np.broadcast_to(np.int64(FOREVER_MICRO), number)
    return Sweepable(
        arrays["starts"],
        happened,
        np.ascontiguousarray(arrays["known"], np.int64) if "known" in arrays else happened,
        arrays.get("until", forever),
        arrays.get("ended", forever),
        arrays.get("value", np.broadcast_to(np.float64(np.nan), number)),
        np.ascontiguousarray(arrays["type"], np.int32),
        codes,
    )


def _numbered_in_entity(arrays: Arrays) -> npt.NDArray[np.int32]:
    """The places of one entity numbered from 0; -1 where the place is unknown."""
    numbers = np.full(len(arrays["happened"]), -1, np.int32)
    if "placed" not in arrays:
        return numbers
    entity, place = arrays["entity"], arrays["place"]
    order = np.flatnonzero(arrays["placed"])
    order = order[np.lexsort((place[order], entity[order]))]
    new_entity = np.ones(len(order), bool)
    new_entity[1:] = entity[order][1:] != entity[order][:-1]
    new = new_entity.copy()
    new[1:] |= place[order][1:] != place[order][:-1]
    rank = np.cumsum(new)
    first = np.repeat(rank[new_entity], np.diff(np.append(np.flatnonzero(new_entity), len(order))))
    numbers[order] = rank - first
    return numbers

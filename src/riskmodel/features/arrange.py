"""Events brought into the form and order that the kernel sweeps: compact arrays, one entity after another.

The order within an entity is (happened_at, event_id, value): it decides the order in which values are added and which
of two simultaneous events is the last, so it may depend on nothing but the events themselves. Own events and those
that reach an entity through ties are put together here. Nothing is computed and nothing is hidden: visibility is the
kernel's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.dates import FOREVER
from riskmodel.features.exposures import OWN_STREAMS, exposures, own_stream, tie_table
from riskmodel.features.feature import Feature
from riskmodel.features.program import CODES, POINT, SPELL, Program, Types
from riskmodel.features.selection import PLACE_TIES
from riskmodel.features.steps import compiled
from riskmodel.histories.store import Histories
from riskmodel.tables import MOMENT

Whole = npt.NDArray[np.int64]
Arrays = dict[str, np.ndarray]

_FOREVER: Final = int(FOREVER.astype(np.int64))
_WORDED: Final = ("kind", "role", "agency")
_NOT_NAMED: Final = "-"


@dataclass(frozen=True, slots=True, repr=False)
class Sweepable:
    """Events as the kernel reads them, sorted by (entity, happened, event_id, value); times in microseconds."""

    entity: Whole
    happened: Whole
    known: Whole
    until: Whole
    ended: Whole
    value: npt.NDArray[np.float64]
    type: npt.NDArray[np.int32]
    codes: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, repr=False)
class Plan:
    """A program fitted to the words of the data, the events it sweeps, and what its ties left out."""

    program: Program
    types: Types
    events: Sweepable
    ties_left_out: Mapping[str, int]


def planned(histories: Histories, features: Sequence[Feature], entities: Whole, *, threads: int | None = None) -> Plan:
    """What the kernel needs for these features and these entities (sorted, each once)."""
    sizes = {"kind": len(histories.kinds), "agency": len(histories.agencies), "place": 1}
    program = compiled(features, sizes)
    words = _named(program)
    types = program.typed(words["kind"], words["role"], words["agency"])
    distinct = any(program.uses(code) for code in CODES)
    numbered = {"kind": sorted(histories.kinds), "agency": list(histories.agencies)} if distinct else None
    parts, left_out = [], {}
    for channel, through in enumerate(program.channels):
        table, missing = histories.events, 0
        if channel:
            table, missing = _through(histories, program, channel, entities, threads)
        if missing:
            left_out["_or_".join(through)] = missing
        parts.append(_arrays(table, channel, types, words, entities, numbered))
    arrays = _in_order(parts)
    codes = np.empty((len(CODES), 0), np.int32)
    if distinct:
        codes = np.stack([arrays["kind"], arrays["agency"], _numbered_in_entity(arrays)])
        sizes["place"] = int(codes[2].max(initial=0)) + 1
        program = compiled(features, sizes)
        types = program.typed(words["kind"], words["role"], words["agency"])
    names = ("entity", "happened", "known", "until", "ended", "value", "type")
    return Plan(program, types, Sweepable(codes=codes, **{name: arrays[name] for name in names}), left_out)


def _named(program: Program) -> dict[str, list[str]]:
    """The words that selections name, and one that stands for all others: types need to tell no more apart."""
    chosen = [step.events for step in program.steps]
    named = {
        "kind": {word for events in chosen for word in events.kinds},
        "role": {word for events in chosen for word in events.roles},
        "agency": {word for events in chosen for word in events.agencies},
    }
    return {part: [*sorted(words), _NOT_NAMED] for part, words in named.items()}


def _through(
    histories: Histories, program: Program, channel: int, entities: Whole, threads: int | None
) -> tuple[pa.Table, int]:
    through = program.channels[channel]
    if through[0] in OWN_STREAMS:
        return own_stream(histories, through[0]), 0
    chosen = [step.events for step in program.steps if step.events.through == through]
    events = histories.events
    if all(choice.kinds for choice in chosen):
        kinds = sorted({kind for choice in chosen for kind in choice.kinds})
        events = events.filter(pc.is_in(events["kind"], value_set=pa.array(kinds, pa.string())))
    return exposures(
        tie_table(histories, through),
        events,
        pa.table({"entity_id": entities}),
        places=through[0] in PLACE_TIES,
        points=program.carries(channel, POINT),
        spells=program.carries(channel, SPELL),
        threads=threads,
    )


def _arrays(
    table: pa.Table,
    channel: int,
    types: Types,
    words: Mapping[str, list[str]],
    entities: Whole,
    numbered: Mapping[str, list[str]] | None,
) -> Arrays:
    """The columns of the events of one channel that some step looks at."""
    kinds, roles, agencies = (_numbered(table[part], words[part]) for part in _WORDED)
    reach = table["spell"].to_numpy().astype(np.int64) if channel else np.zeros(table.num_rows, np.int64)
    type_ = types.codes[channel, reach, kinds, roles, agencies]
    used = np.diff(types.starts)[type_] > 0
    if table["entity_id"].null_count:
        used &= table["entity_id"].is_valid().to_numpy()
    entity = table["entity_id"].fill_null(0).to_numpy()
    used &= _among(entity, entities)
    kept = slice(None) if used.all() else np.flatnonzero(used)
    value = table["value"].fill_null(np.nan).to_numpy()[kept]
    made = {
        "entity": entity[kept],
        "happened": _whole(table["happened_at"])[kept],
        "event_id": table["event_id"].to_numpy()[kept],
        "value": np.where(np.isfinite(value), value, np.nan),
        "known": _whole(table["known_at"])[kept],
        "until": _whole(table["known_until"])[kept],
        "ended": _whole(table["ended_at"])[kept],
        "type": type_[kept],
    }
    if numbered is not None:
        made |= {part: _numbered(table[part], names)[kept].astype(np.int32) for part, names in numbered.items()}
        made["place"] = table["place_id"].fill_null(0).to_numpy()[kept]
        made["placed"] = table["place_id"].is_valid().to_numpy()[kept]
    return made


def _in_order(parts: list[Arrays]) -> Arrays:
    """All parts as one, sorted by (entity, happened, event_id, value)."""
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts[1:] else parts[0]
    entity, happened = arrays["entity"], arrays["happened"]
    same = entity[1:] == entity[:-1]
    if not ((entity[1:] > entity[:-1]) | (same & (happened[1:] >= happened[:-1]))).all():
        keys = ("value", "event_id", "happened", "entity")
        return _taken(arrays, np.lexsort([arrays[key] for key in keys]))
    tied = np.zeros(len(entity), bool)
    tied[1:] = same & (happened[1:] == happened[:-1])
    tied[:-1] |= tied[1:]
    if not tied.any():
        return arrays
    places = np.flatnonzero(tied)
    order = np.arange(len(entity))
    order[places] = places[np.lexsort([arrays[key][places] for key in ("value", "event_id", "happened", "entity")])]
    return _taken(arrays, order)


def _taken(arrays: Arrays, order: Whole) -> Arrays:
    return {name: array[order] for name, array in arrays.items()}


def _numbered(column: pa.ChunkedArray, words: Sequence[str]) -> Whole:
    """The place of each word in `words`; of any other, and of none, the last place."""
    found = pc.index_in(column, value_set=pa.array(words, pa.string()))
    return np.asarray(found.fill_null(len(words) - 1).to_numpy(), np.int64)


def _numbered_in_entity(arrays: Arrays) -> npt.NDArray[np.int32]:
    """The places of one entity numbered from 0; -1 where the place is unknown."""
    entity, place = arrays["entity"], arrays["place"]
    order = np.flatnonzero(arrays["placed"])
    order = order[np.lexsort((place[order], entity[order]))]
    new_entity = np.ones(len(order), bool)
    new_entity[1:] = entity[order][1:] != entity[order][:-1]
    new = new_entity.copy()
    new[1:] |= place[order][1:] != place[order][:-1]
    rank = np.cumsum(new)
    first = np.repeat(rank[new_entity], np.diff(np.append(np.flatnonzero(new_entity), len(order))))
    numbers = np.full(len(entity), -1, np.int32)
    numbers[order] = rank - first
    return numbers


def _whole(times: pa.ChunkedArray) -> Whole:
    """Times as int64 microseconds; what is missing lies after everything."""
    micro = times.cast(MOMENT).fill_null(pa.scalar(_FOREVER, pa.int64()).cast(MOMENT))
    return np.asarray(micro.to_numpy(), "datetime64[us]").view(np.int64)


def _among(entity: Whole, entities: Whole) -> npt.NDArray[np.bool_]:
    """Which events belong to the entities in question, if that leaves out enough to be worth the search."""
    if not len(entities):
        return np.zeros(len(entity), bool)
    place = np.minimum(np.searchsorted(entities, entity), len(entities) - 1)
    return np.asarray(entities[place] == entity)

"""Moments carried along simple ties, in memory: where a pair of people is tied by one row, no join has to be searched.

The same exposures as those of `exposures`, made by repeating the events of the other person for each who receives them.
Pairs with several rows (told by two agencies, corrected, broken off and taken up again) and spells go through the
engine, which settles overlaps; so does everything where somebody has more ties than may carry events.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.dates import EARLIEST
from riskmodel.features.order import compiled_order
from riskmodel.features.pieces import FOREVER_MICRO, Arrays, Needs, Piece, Whole, arrays_of, whole
from riskmodel.features.program import Types

_EARLIEST = int(EARLIEST.astype(np.int64))


def simple_ties(ties: pa.Table, entities: Whole, most_ties: int) -> tuple[pa.Table, pa.Table]:
    """The ties of these entities, in two: pairs tied by one row, and all others (or all, where the bound matters)."""
    owner = pc.index_in(ties["entity_id"], pa.array(entities)).fill_null(-1).to_numpy()
    ours = (owner >= 0) & (ties["entity_id"].to_numpy() != ties["other_id"].to_numpy())
    if not ours.all():
        ties, owner = ties.filter(pa.array(ours)), owner[ours]
    if np.bincount(owner, minlength=1).max(initial=0) > most_ties:
        return ties.slice(0, 0), ties
    order = np.lexsort((ties["other_id"].to_numpy(), owner))
    other = ties["other_id"].to_numpy()[order]
    again = (owner[order][1:] == owner[order][:-1]) & (other[1:] == other[:-1])
    several = np.zeros(len(order), bool)
    several[order[1:]] = again
    several[order[:-1]] |= again
    return (ties, ties.slice(0, 0)) if not several.any() else (
        ties.filter(pa.array(~several)), ties.filter(pa.array(several))
    )  # fmt: skip


def carried(
    ties: pa.Table,
    pieces: Sequence[Piece],
    entities: Whole,
    channel: int,
    types: Types,
    needs: Needs,
    *,
    threads: int,
) -> Arrays:
    """What the ties carry, as the arrays of `arrays_of`: one event for each (tie, event of the other while it held)."""
    others = pc.unique(ties["other_id"])
    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(lambda piece: arrays_of(piece(), channel, types, needs, others), pieces))
    events = together(parts)
    starts, events = _by_other(events, len(others))
    other = pc.index_in(ties["other_id"], others).to_numpy()
    counts = starts[other + 1] - starts[other]
    tie = np.repeat(np.arange(len(other), dtype=np.int32), counts)
    place = np.arange(len(tie)) + np.repeat(starts[other] - (np.cumsum(counts) - counts), counts)
    held = _held(ties, events["happened"], tie, place)
    if not held.all():
        tie, place = tie[held], place[held]
    made = {name: array[place] for name, array in events.items() if name not in ("entity", "known", "until")}
    made["entity"] = pc.index_in(ties["entity_id"], pa.array(entities)).to_numpy()[tie]
    made["known"] = np.maximum(events.get("known", events["happened"])[place], whole(ties["known_at"])[tie])
    if ties["known_until"].null_count < ties.num_rows or "until" in events:
        until = whole(ties["known_until"])[tie]
        made["until"] = np.minimum(until, events["until"][place]) if "until" in events else until
        seen = made["known"] < made["until"]
        made = made if seen.all() else {name: array[seen] for name, array in made.items()}
    return made


def together(parts: list[Arrays]) -> Arrays:
    """The parts as one; a column that only some parts have is filled with what its absence means."""
    if not parts:
        return {name: np.empty(0, np.int64) for name in ("entity", "type", "happened", "kind", "agency")}
    if len(parts) == 1:
        return parts[0]
    names = dict.fromkeys(name for part in parts for name in part)
    made: Arrays = {}
    for name in names:
        if name == "known":
            made[name] = np.concatenate([part.get(name, part["happened"]) for part in parts])
            continue
        made[name] = np.concatenate([part[name] if name in part else _absent(name, part) for part in parts])
        for part in parts:
            if name not in ("happened", "entity"):
                part.pop(name, None)
    return made


def _absent(name: str, part: Arrays) -> npt.NDArray[np.generic]:
    fill = {"until": FOREVER_MICRO, "ended": FOREVER_MICRO, "value": np.nan, "placed": False}.get(name, 0)
    return np.full(len(part["entity"]), fill)


def _by_other(events: Arrays, others: int) -> tuple[Whole, Arrays]:
    entity = np.ascontiguousarray(events["entity"], np.int32)
    starts = np.concatenate([[0], np.cumsum(np.bincount(entity, minlength=others))]).astype(np.int64)
    source, none = np.empty(len(entity), np.int64), np.zeros(1, np.int64)
    happened = np.ascontiguousarray(events["happened"], np.int64)
    compiled_order()(entity, starts, happened, none, none.astype(np.float64), False, source)
    return starts, {name: array[source] for name, array in events.items() if name != "entity"}


def _held(ties: pa.Table, happened: Whole, tie: npt.NDArray[np.int32], place: Whole) -> npt.NDArray[np.bool_]:
    """Whether each event happened while the tie held."""
    held = np.ones(len(tie), bool)
    if ties["starts_at"].null_count < ties.num_rows:
        begins = np.where(ties["starts_at"].is_valid().to_numpy(), whole(ties["starts_at"]), _EARLIEST)
        held &= happened[place] >= begins[tie]
    if ties["ends_at"].null_count < ties.num_rows:
        held &= happened[place] < whole(ties["ends_at"])[tie]
    return held

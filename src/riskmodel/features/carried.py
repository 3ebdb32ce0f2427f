"""Moments carried along simple ties, in memory: where a pair of people is tied by one row, no join has to be searched.

The same exposures as those of `exposures`, made by repeating the events of the other person for each who receives them.
Pairs with several rows (told by two agencies, corrected, broken off and taken up again) and spells go through the
engine, which settles overlaps; so does everything where somebody has more ties than may carry events. Events are read
once; what the ties make of them is many times as much, and is laid out only for the block of entities in hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.dates import EARLIEST
from riskmodel.features.columns import arrow, numbers, numbers_or
from riskmodel.features.order import standing
from riskmodel.features.pieces import FOREVER_MICRO, Arrays, Needs, Piece, Whole, arrays_of, whole
from riskmodel.features.program import Types

_EARLIEST = int(EARLIEST.astype(np.int64))


def simple_ties(ties: pa.Table, entities: Whole, most_ties: int) -> tuple[pa.Table, pa.Table]:
    """The ties of these entities, in two: pairs tied by one row, and all others (or all, where the bound matters)."""
    owner = numbers_or(pc.index_in(ties["entity_id"], arrow(entities)), -1)
    ours = (owner >= 0) & (numbers(ties["entity_id"]) != numbers(ties["other_id"]))
    if not ours.all():
        ties, owner = ties.filter(pa.array(ours)), owner[ours]
    if np.bincount(owner, minlength=1).max(initial=0) > most_ties:
        return ties.slice(0, 0), ties
    order = np.lexsort((numbers(ties["other_id"]), owner))
    other = numbers(ties["other_id"])[order]
    again = (owner[order][1:] == owner[order][:-1]) & (other[1:] == other[:-1])
    several = np.zeros(len(order), bool)
    several[order[1:]] = again
    several[order[:-1]] |= again
    return (ties, ties.slice(0, 0)) if not several.any() else (
        ties.filter(pa.array(~several)), ties.filter(pa.array(several))
    )  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class Carrying:
    """Simple ties and the events of those at their other end; what they carry is laid out for some entities at a time.

    Attributes
    ----------
    starts : (entities + 1,) the ties of entity e are ``starts[e]:starts[e + 1]``
    other : (ties,) whose events each tie carries, numbered from 0
    ties : the ties themselves, in that order
    first : (others + 1,) the events of other o are ``first[o]:first[o + 1]``
    events : the arrays of the events of the others, each one's together
    """

    starts: Whole
    other: npt.NDArray[np.int32]
    ties: pa.Table
    first: Whole
    events: Arrays

    def laid_out(self, begin: int, end: int) -> Arrays:
        """What reaches the entities ``begin:end``: one event for each (tie, event of the other while the tie held)."""
        low, high = int(self.starts[begin]), int(self.starts[end])
        ties, other = self.ties.slice(low, high - low), self.other[low:high]
        counts = self.first[other + 1] - self.first[other]
        tie = np.repeat(np.arange(len(other), dtype=np.int32), counts)
        place = np.arange(len(tie)) + np.repeat(self.first[other] - (np.cumsum(counts) - counts), counts)
        held = _held(ties, self.events["happened"], tie, place)
        if not held.all():
            tie, place = tie[held], place[held]
        made = {name: array[place] for name, array in self.events.items() if name not in ("known", "until")}
        owner = np.repeat(np.arange(begin, end, dtype=np.int32), np.diff(self.starts[begin : end + 1]))
        made["entity"] = owner[tie]
        made["known"] = np.maximum(
            self.events.get("known", self.events["happened"])[place], whole(ties["known_at"])[tie]
        )
        if ties["known_until"].null_count < ties.num_rows or "until" in self.events:
            until = whole(ties["known_until"])[tie]
            made["until"] = np.minimum(until, self.events["until"][place]) if "until" in self.events else until
            seen = made["known"] < made["until"]
            made = made if seen.all() else {name: array[seen] for name, array in made.items()}
        return made


def carrying(
    ties: pa.Table,
    pieces: Sequence[Piece],
    entities: Whole,
    channel: int,
    types: Types,
    needs: Needs,
    *,
    threads: int,
) -> Carrying:
    """The ties by whom they reach, and the events they can carry, read once."""
    owner = numbers(pc.index_in(ties["entity_id"], arrow(entities)))
    order = np.argsort(owner, kind="stable")
    if not (order == np.arange(len(order))).all():
        ties, owner = ties.take(arrow(order)).combine_chunks(), owner[order]
    others = pc.unique(ties["other_id"])
    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(lambda piece: arrays_of(piece(), channel, types, needs, others), pieces))
    first, events = _by_other(together(parts), len(others))
    other = numbers(pc.index_in(ties["other_id"], others))
    starts = np.searchsorted(owner, np.arange(len(entities) + 1)).astype(np.int64)
    return Carrying(starts, other, ties, first, events)


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
    happened = np.ascontiguousarray(events["happened"], np.int64)
    starts, source = standing(np.ascontiguousarray(events["entity"], np.int32), others, happened)
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

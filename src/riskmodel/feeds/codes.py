"""Code lists: an agency's own codes and what each means, between which dates.

A code may change its meaning on a day: then it is listed with one meaning for each span of dates, and the date of the
record decides. ``valid_from`` is the first day, ``valid_until`` the first day after. No code is ever guessed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.feeds.standard import UNKNOWN


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one code stands for: a standard value, or for kinds a kind and a role; "unknown" becomes null."""

    code: str
    value: str
    role: str | None = None
    valid_from: dt.date | None = None
    valid_until: dt.date | None = None

    def holds_at(self, when: pa.Array) -> pa.Array | None:
        """Which of the dates lie in the span of validity (a missing date does), or None when it is unlimited."""
        inside = None
        for bound, compare in ((self.valid_from, pc.greater_equal), (self.valid_until, pc.less)):
            if bound is not None:
                passes = compare(when, pa.scalar(bound, pa.date32()))
                inside = passes if inside is None else pc.and_kleene(inside, passes)
        return None if inside is None else pc.fill_null(inside, True)


@dataclass(frozen=True, slots=True)
class Decoded:
    """Standard values of a column of codes, and two masks (n,): codes in no list, codes not in force on the day."""

    values: pa.Array
    roles: pa.Array
    unknown: np.ndarray
    out_of_date: np.ndarray


@dataclass(frozen=True, slots=True)
class CodeList:
    """The codes of one column, in the order in which the contract lists them."""

    name: str
    meanings: tuple[Meaning, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code once."""
        return tuple(dict.fromkeys(meaning.code for meaning in self.meanings))

    def decode(self, codes: pa.Array, when: pa.Array) -> Decoded:
        """Standard values for (n,) text codes at (n,) date32 dates; null stays null and is no fault.

        Examples
        --------
        >>> listed = CodeList("sex", (Meaning("1", "male"), Meaning("2", "female"), Meaning("9", "unknown")))
        >>> nowhen = pa.nulls(4, pa.date32())
        >>> decoded = listed.decode(pa.array(["1", "9", "7", None]), nowhen)
        >>> decoded.values.to_pylist(), decoded.unknown.tolist()
        (['male', None, None, None], [False, False, True, False])
        """
        position = np.full(len(codes), -1, np.int64)
        for layer in self._layers():
            found = pc.index_in(codes, value_set=pa.array([self.meanings[at].code for at in layer], pa.string()))
            found = pc.fill_null(found, -1).to_numpy(zero_copy_only=False).astype(np.int64)
            there = np.where(found >= 0, np.asarray(layer, np.int64)[np.maximum(found, 0)], -1)
            for at in layer:
                inside = self.meanings[at].holds_at(when)
                if inside is not None:
                    there[(there == at) & ~inside.to_numpy(zero_copy_only=False)] = -1
            position = np.where(position >= 0, position, there)
        given = codes.is_valid().to_numpy(zero_copy_only=False)
        listed = pc.is_in(codes, value_set=pa.array(self.codes, pa.string())).to_numpy(zero_copy_only=False)
        at = pa.array(position, mask=position < 0)
        values = pa.array([None if m.value == UNKNOWN else m.value for m in self.meanings], pa.string())
        roles = pa.array([m.role for m in self.meanings], pa.string())
        missed = given & (position < 0)
        return Decoded(values.take(at), roles.take(at), missed & ~listed, missed & listed)

    def encode(self, values: pa.Array, roles: pa.Array, when: pa.Array) -> pa.Array:
        """The agency's codes for standard values (and roles) at the given dates: the first listed that fits.

        A null value takes the code for "unknown" when there is one; what no code can say comes out null.
        """
        chosen = np.full(len(values), -1, np.int64)
        for same_role in (True, False):
            for at, meaning in enumerate(self.meanings):
                fits = _equals(values, None if meaning.value == UNKNOWN else meaning.value)
                if same_role:
                    fits &= _equals(roles, meaning.role)
                elif meaning.role is not None:
                    fits &= _equals(roles, None)
                inside = meaning.holds_at(when)
                if inside is not None:
                    fits &= inside.to_numpy(zero_copy_only=False)
                chosen[fits & (chosen < 0)] = at
        return pa.array([meaning.code for meaning in self.meanings], pa.string()).take(
            pa.array(chosen, mask=chosen < 0)
        )

    def overlaps(self) -> Iterator[str]:
        """Codes with two meanings on one day."""
        for code in self.codes:
            spans = sorted(
                (meaning.valid_from or dt.date.min, meaning.valid_until or dt.date.max)
                for meaning in self.meanings
                if meaning.code == code
            )
            if any(start < end for (_, end), (start, _) in pairwise(spans)):
                yield code

    def _layers(self) -> list[list[int]]:
        """Positions of the first meanings of each code, then of the second ones, and so on."""
        seen: dict[str, int] = {}
        layers: list[list[int]] = []
        for at, meaning in enumerate(self.meanings):
            depth = seen.get(meaning.code, 0)
            seen[meaning.code] = depth + 1
            if depth == len(layers):
                layers.append([])
            layers[depth].append(at)
        return layers


def _equals(column: pa.Array, value: str | None) -> np.ndarray:
    same = pc.is_null(column) if value is None else pc.fill_null(pc.equal(column, value), False)
    return np.array(same.to_numpy(zero_copy_only=False), dtype=bool)

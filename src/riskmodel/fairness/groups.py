"""Who belongs to which group: by one attribute or by an intersection; a missing value is a group of its own.

Every row has exactly one group of each attribute, so nobody drops out of an audit by having no value. Nothing here
looks at a score or an outcome, and no group is left out for being small: what is too small to estimate is said later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.errors import DataRefused, DeclarationError, Fault

UNKNOWN: Final = "unknown"
MOST_GROUPS: Final = 500

By: TypeAlias = str | Sequence[str]
"""One attribute, or several whose intersection is meant."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """The group of every row, by one attribute or intersection.

    Attributes
    ----------
    attribute : str, such as "sex" or "sex, ethnicity"
    names : the groups, sorted, "unknown" last
    codes : (n,) int32, which of `names` each row belongs to
    parts : how many attributes it crosses; 1 for an attribute alone
    """

    attribute: str
    names: tuple[str, ...]
    codes: npt.NDArray[np.int32]
    parts: int = 1

    def aligned(self, order: npt.NDArray[np.int64]) -> Grouping:
        """The same groups with the rows in another order."""
        return replace(self, codes=self.codes[order])

    def __repr__(self) -> str:
        return f"Grouping({self.attribute!r}, {len(self.names)} groups)"


def groupings(groups: Any, by: Sequence[By] | None = None) -> tuple[Grouping, ...]:
    """The groups of every row for each attribute or intersection asked for.

    Parameters
    ----------
    groups : mapping of attribute to (n,) values, pandas DataFrame or Arrow table; None, NaN and empty text are unknown
    by : attributes (text) and intersections (tuples); None is every attribute alone

    Raises
    ------
    DeclarationError : an attribute that is not there, or an empty intersection
    DataRefused : an attribute with more than `MOST_GROUPS` values, which is not a grouping

    Examples
    --------
    >>> made = groupings({"sex": ["f", None, "m"], "area": ["n", "n", "s"]}, ["sex", ("sex", "area")])
    >>> [(g.attribute, g.names, g.codes.tolist()) for g in made]
    [('sex', ('f', 'm', 'unknown'), [0, 2, 1]), ('sex, area', ('f, n', 'm, s', 'unknown, n'), [0, 2, 1])]
    """
    columns = _columns(groups)
    wanted = [(name,) for name in columns] if by is None else [(b,) if isinstance(b, str) else tuple(b) for b in by]
    _must_exist(wanted, columns)
    single = {name: _single(name, columns[name]) for name in sorted({name for names in wanted for name in names})}
    return tuple(single[names[0]] if len(names) == 1 else _crossed([single[n] for n in names]) for names in wanted)


def _columns(groups: Any) -> dict[str, Any]:
    if isinstance(groups, pa.Table):
        return {str(name): groups.column(name) for name in groups.column_names}
    if isinstance(groups, Mapping):
        return {str(name): values for name, values in groups.items()}
    return {str(name): groups[name] for name in groups.columns}


def _must_exist(wanted: Sequence[Sequence[str]], columns: Mapping[str, Any]) -> None:
    known = ", ".join(columns) or "(none)"
    faults = [
        Fault("audit.by", repr(name), f"one of {known}", "Correct the name, or give the column among the groups.")
        for names in wanted
        for name in names
        if name not in columns
    ]
    faults += [
        Fault("audit.by", f"{len(names)} attributes in an intersection", "different attributes", "Name each once.")
        for names in wanted
        if not names or len(set(names)) < len(names)
    ]
    if not wanted:
        faults = [Fault("audit.by", "no attribute", f"one of {known}", "Name the groups to compare.")]
    if faults:
        raise DeclarationError("groups-unknown", faults=faults)


def _single(attribute: str, values: Any) -> Grouping:
    encoded = _as_text(values).dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
        encoded = encoded.chunk(0) if isinstance(encoded, pa.ChunkedArray) else encoded
    texts = [text.strip() for text in encoded.dictionary.to_pylist()]
    known = sorted({text for text in texts if text and text.lower() != UNKNOWN})
    if len(known) > MOST_GROUPS:
        raise DataRefused(
            "groups-too-many",
            found=f"{len(known)} different values of {attribute}",
            expected=f"at most {MOST_GROUPS} groups",
            repair="Audit by an attribute with groups, such as bands in place of exact values.",
        )
    number = {text: code for code, text in enumerate(known)}
    code_of = np.array([number.get(text, len(known)) for text in texts] + [len(known)], dtype=np.int32)
    which = encoded.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)
    return _compact(attribute, [*known, UNKNOWN], code_of[which])


def _as_text(values: Any) -> Any:
    array = values if isinstance(values, pa.Array | pa.ChunkedArray) else _arrow(values)
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if pa.types.is_floating(array.type):
        array = pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
    return array.cast(pa.string())


def _arrow(values: Any) -> Any:
    if not isinstance(getattr(values, "dtype", None), np.dtype | None):  # categories, texts of pandas
        return pa.Array.from_pandas(values)
    given = np.asarray(values, dtype=object)
    try:
        return pa.array(given, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # numbers and texts mixed
        missing = pa.array([value is None or value != value for value in given])
        return pc.if_else(missing, pa.scalar(None, pa.string()), pa.array([str(value) for value in given]))


def _crossed(parts: Sequence[Grouping]) -> Grouping:
    code = parts[0].codes.astype(np.int64)
    names = list(parts[0].names)
    for part in parts[1:]:
        code = code * len(part.names) + part.codes
        names = [f"{left}, {right}" for left in names for right in part.names]
    return _compact(", ".join(part.attribute for part in parts), names, code, len(parts))


def _compact(attribute: str, names: Sequence[str], codes: npt.NDArray[Any], parts: int = 1) -> Grouping:
    """Only the groups that occur."""
    present = np.bincount(codes, minlength=len(names)) > 0
    new_code = np.cumsum(present) - 1
    kept = tuple(name for name, there in zip(names, present, strict=True) if there)
    return Grouping(attribute, kept, new_code[codes].astype(np.int32), parts)

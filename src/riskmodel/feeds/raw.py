"""Cells as they came: what every reader of files hands to the checks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa


@dataclass(frozen=True, slots=True, repr=False)
class RawRows:
    """A file's cells, or those of a part of it, under the contract's headings, before anything is judged.

    Attributes
    ----------
    cells : Arrow table, one column for each column asked for (all null where the file may lack it)
    row : (n,) int64, the number of each record in the file
    unreadable : (m,) int64, numbers of records that could not be read
    encoding : str, of a text file; else the kind of file
    undeclared : tuple of headings that the contract does not name
    """

    cells: pa.Table
    row: npt.NDArray[np.int64]
    unreadable: npt.NDArray[np.int64]
    encoding: str
    undeclared: tuple[str, ...]


def joined(parts: Iterable[RawRows]) -> RawRows:
    """All parts of a file as one."""
    listed = list(parts)
    return RawRows(
        pa.concat_tables([part.cells for part in listed]),
        np.concatenate([part.row for part in listed]),
        np.concatenate([part.unreadable for part in listed]),
        listed[0].encoding,
        tuple(sorted({name for part in listed for name in part.undeclared})),
    )

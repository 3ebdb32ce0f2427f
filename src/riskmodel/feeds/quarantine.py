"""What was not let in, and why: stable codes for rows, refusals for whole files.

Every delivered row is either accepted or stands here once, with its file, its row number and one code. Nothing of the
row's content is kept. Row 1 is the first row after the heading (the first line of a file without one).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riskmodel.errors import DataRefused

QUARANTINE: Final = pa.schema(
    [
        pa.field("feed", pa.string(), nullable=False),
        pa.field("file", pa.string(), nullable=False),
        pa.field("row", pa.int64(), nullable=False),
        pa.field("code", pa.string(), nullable=False),
        pa.field("column", pa.string()),  # the heading at fault, where it is one
    ]
)

CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "row-unreadable": "The line has too many or too few cells, or is not JSON.",
        "cell-too-long": "A cell is longer than the contract allows.",
        "value-missing": "A cell that every row must fill is empty.",
        "wrong-type": "A cell is not the number that the contract says it is.",
        "date-invalid": "A cell is no calendar date in the way the contract writes them.",
        "date-out-of-range": "A date before 1850.",
        "value-out-of-range": "A number outside the bounds of the contract.",
        "date-in-future": "A date after the day on which the file was received.",
        "unknown-code": "A code that is in no list of the contract.",
        "code-out-of-date": "A code used on a day on which it did not hold.",
        "end-before-start": "The end lies before the start.",
        "duplicate-row": "The same row once more in the same file; the first one is accepted.",
        "key-conflict": "The same key and the same date of recording with other content; the first one is accepted.",
        "person-unknown": "A person who is in no register of the agency.",
    }
)
"""code -> what it means, in words for the agency. The order is the order in which a row's faults are looked for."""

NUMBER: Final = MappingProxyType({code: number for number, code in enumerate(CODES, 1)})
"""code -> the small number that stands for it while checking; 0 is no fault."""


@dataclass(slots=True, repr=False)
class Verdict:
    """Why each of n rows is refused: the number of a code (0: accepted) and the place of the column at fault (-1)."""

    code: npt.NDArray[np.int16]
    column: npt.NDArray[np.int16]

    @classmethod
    def clear(cls, n: int) -> Verdict:
        """Nothing wrong with any of n rows."""
        return cls(np.zeros(n, np.int16), np.full(n, -1, np.int16))

    def refuse(self, where: npt.NDArray[np.bool_], code: str, column: int = -1) -> None:
        """Refuse the rows of a mask that nothing refused before."""
        fresh = where & (self.code == 0)
        self.code[fresh] = NUMBER[code]
        self.column[fresh] = column

    @property
    def accepted(self) -> npt.NDArray[np.bool_]:
        """(n,) mask of the rows with no fault."""
        return np.asarray(self.code == 0)

    def of(self, mask: npt.NDArray[np.bool_]) -> Verdict:
        """The verdict on some of the rows."""
        return Verdict(self.code[mask], self.column[mask])

    def counts(self) -> dict[str, int]:
        """How many rows each code refused."""
        found = np.bincount(self.code, minlength=len(NUMBER) + 1)
        return {code: int(found[number]) for code, number in NUMBER.items() if found[number]}


def quarantined(feed: str, file: str, row: npt.NDArray[np.int64], verdict: Verdict, columns: Sequence[str]) -> pa.Table:
    """The refused rows as a QUARANTINE table."""
    refused = ~verdict.accepted
    codes = pa.array(["", *CODES], pa.string()).take(pa.array(verdict.code[refused]))
    at = verdict.column[refused]
    names = pa.array(list(columns), pa.string()).take(pa.array(at, mask=at < 0))
    n = int(refused.sum())
    same = [pa.array([text] * n, pa.string()) for text in (feed, file)]
    return pa.table([*same, pa.array(row[refused]), codes, names], schema=QUARANTINE)


class DeliveriesRefused(DataRefused):
    """Whole files that cannot be used, all of them at once."""

    def __init__(self, refusals: Sequence[tuple[str, DataRefused]]) -> None:
        self.refusals = tuple(refusals)
        _, first = self.refusals[0]
        super().__init__(first.code, found=first.found, expected=first.expected, repair=first.repair)

    def __str__(self) -> str:
        lines = "\n".join(f"  {feed}: {error}" for feed, error in self.refusals)
        many = "1 file is" if len(self.refusals) == 1 else f"{len(self.refusals)} files are"
        return f"{many} refused; nothing was received.\n{lines}"

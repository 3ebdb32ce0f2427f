"""What those who word, order and write advice need of a score and of a list; they know no more of either."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from riskmodel.advisory.basis import Basis
from riskmodel.advisory.behind import Behind
from riskmodel.advisory.missing import Missing
from riskmodel.explain.reasons import Reason
from riskmodel.explain.steady import Steady
from riskmodel.governance.ledger import Ledger
from riskmodel.models.similar import NaturalFrequency

Numbers = npt.NDArray[np.float64]


class OneScore(Protocol):
    """The advice on one person."""

    @property
    def pseudonym(self) -> str: ...

    @property
    def probability(self) -> float | None: ...

    @property
    def low(self) -> float | None: ...

    @property
    def high(self) -> float | None: ...

    @property
    def frequency(self) -> NaturalFrequency | None: ...

    @property
    def steady(self) -> Steady: ...

    @property
    def missing(self) -> Missing: ...

    @property
    def basis(self) -> Basis: ...

    @property
    def behind(self) -> Behind: ...

    @property
    def withheld(self) -> str: ...

    @property
    def made_again(self) -> tuple[float, float] | None: ...

    @property
    def reasons(self) -> tuple[Reason, ...]: ...


class Listed(Protocol):
    """The advice on everybody on one list."""

    @property
    def basis(self) -> Basis: ...

    @property
    def ledger(self) -> Ledger: ...

    @property
    def fingerprint(self) -> str: ...

    @property
    def people(self) -> int: ...

    @property
    def withheld(self) -> int: ...

    @property
    def _probability(self) -> Numbers: ...

    def person(self, pseudonym: str) -> OneScore:
        """The advice on one person."""
        ...

    def made_again(self, places: npt.NDArray[np.intp]) -> Numbers | None:
        """What models made again say of the people at some places."""
        ...

    def _at(self, places: Sequence[int]) -> Iterator[OneScore]: ...

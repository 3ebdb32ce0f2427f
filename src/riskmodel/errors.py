"""One tree of refusals: each says what was found, what was expected, and what to do next.

An error holds facts as fields and words itself from them. It carries a stable ``code`` (for tests, ledgers and
support) and the ``exit_code`` with which the command line ends. It also subclasses the builtin that it refines,
so that code which knows nothing of riskmodel still catches it. Nothing about a person is ever put in one:
counts, codes, file names and row numbers only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class RiskmodelError(Exception):
    """A refusal that a person can act on.

    Parameters
    ----------
    code : str, stable and kebab-case, such as ``"feed-empty"``
    found : str, what was there
    expected : str, what should have been there
    repair : str, what to do next, a full sentence
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, *, found: str, expected: str, repair: str) -> None:
        super().__init__(code, found, expected, repair)
        self.code = code
        self.found = found
        self.expected = expected
        self.repair = repair

    def __str__(self) -> str:
        return f"Found {self.found}; expected {self.expected}. {self.repair} [{self.code}]"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a declaration: where it stands, what is there, and the repair."""

    where: str
    found: str
    expected: str
    repair: str

    def __str__(self) -> str:
        return f"{self.where}: found {self.found}; expected {self.expected}. {self.repair}"


class DeclarationError(RiskmodelError, ValueError):
    """A study, contract, window, feature or setting that cannot mean anything. Lists every fault at once."""

    exit_code = 2

    def __init__(self, code: str, *, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        first = self.faults[0]
        super().__init__(code, found=first.found, expected=first.expected, repair=first.repair)

    @classmethod
    def of(cls, code: str, *, where: str, found: str, expected: str, repair: str) -> DeclarationError:
        """A declaration with a single fault."""
        return cls(code, faults=[Fault(where, found, expected, repair)])

    def __str__(self) -> str:
        if len(self.faults) == 1:
            return f"{self.faults[0]} [{self.code}]"
        lines = "\n".join(f"  {fault}" for fault in self.faults)
        return f"{len(self.faults)} faults [{self.code}]\n{lines}"


class NotFound(RiskmodelError, LookupError):
    """A file, table, result or person that is not there."""

    exit_code = 2


class DataRefused(RiskmodelError, ValueError):
    """Data that cannot be used as a whole (single bad rows are quarantined, not refused)."""

    exit_code = 3


class NotPermitted(RiskmodelError, PermissionError):
    """A purpose, grant or approval is missing, expired, or is for something else."""

    exit_code = 4


class NotADecision(RiskmodelError, TypeError):
    """Someone tried to use a score as if it were a decision."""

    exit_code = 4


class NotInstalled(RiskmodelError, ImportError):
    """An optional part of the machine or the package is missing."""

    exit_code = 5


class EvidenceError(RiskmodelError, ValueError):
    """A card, ledger or result whose evidence is missing, stale or altered."""

    exit_code = 6

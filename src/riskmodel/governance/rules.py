"""Rule sets of disclosure control, as data: how small a count may be shown, how it is rounded, what dominates a sum.

The published ones lie beside this module as TOML; a partnership writes its own in the same form. What the rules mean
for a table is not said here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np

from riskmodel.errors import DeclarationError, Fault
from riskmodel.governance.declarations import read_declaration, text_faults, unknown_key_faults
from riskmodel.governance.derivable import Cell


@dataclass(frozen=True, slots=True)
class RuleSet:
    """How figures of people are made safe.

    Parameters
    ----------
    name : str
    source : str, where the rule is published
    smallest_shown : int, counts from 1 to one below this are hidden
    round_to : int, shown counts are rounded to the nearest multiple (halves up)
    small_becomes_zero : bool, print 0 for noughts and small counts alike, instead of "suppressed"
    largest : int, the n of the (n, k) rule for sums of amounts
    largest_percent : float, its k: a sum is hidden when its n largest parts are more than k % of it
    p_percent : float, of the p % rule: a sum is hidden when whoever has its second largest part could tell the largest
        to within p %

    Raises
    ------
    DeclarationError : with every fault at once
    """

    name: str
    source: str
    smallest_shown: int
    round_to: int
    small_becomes_zero: bool = False
    largest: int = 2
    largest_percent: float = 90.0
    p_percent: float = 10.0

    def __post_init__(self) -> None:
        if faults := _faults(asdict(self)):
            raise DeclarationError("rules-invalid", faults=faults)

    @classmethod
    def load(cls, path: str | Path) -> RuleSet:
        """Rules from a TOML file; those for sums of amounts stand in a table ``[amounts]``."""
        held = read_declaration(path, "rules")
        amounts = held.pop("amounts", {})
        if not isinstance(amounts, Mapping):
            found = "a value that is no table"
            faults = [Fault("rules.amounts", found, "a table [amounts]", "Write it as a table.")]
            raise DeclarationError("rules-invalid", faults=faults)
        given = {**held, **{name: value for name, value in amounts.items() if name != "source"}}
        known = [field.name for field in fields(cls)]
        if faults := [*unknown_key_faults("rules", given, known), *_faults(given)]:
            raise DeclarationError("rules-invalid", faults=faults)
        return cls(**given)

    def document(self) -> dict[str, Any]:
        """The rules as JSON-able values."""
        return asdict(self)

    def rounded(self, count: int) -> int:
        """The count as shown.

        Examples
        --------
        >>> [RULES["hes"].rounded(count) for count in (0, 8, 12, 13, 102)]
        [0, 10, 10, 15, 100]
        """
        return (2 * count + self.round_to) // (2 * self.round_to) * self.round_to

    def is_small(self, count: float) -> bool:
        """Whether a number of people is too small to show; 0 is not a number of people.

        Examples
        --------
        >>> [RULES["hes"].is_small(count) for count in (0, 0.4, 7, 8)]
        [False, True, True, False]
        """
        return 0 < count < self.smallest_shown

    def cell(self, count: int, *, printed: bool = True) -> Cell:
        """What a reader may learn of a count; one that is not `printed` can only be worked out."""
        most = float(self.smallest_shown - 1)
        promised = (1.0, most) if self.is_small(count) else None
        if not printed:
            return Cell(count, None, (0.0, np.inf), promised, printed)
        if self.small_becomes_zero:
            # whoever sees no figure knows that it is not small: a small one would be printed as 0
            known, hide = ((0.0, most), True) if count <= most else ((most + 1, np.inf), False)
        else:
            known, hide = (1.0, np.inf), promised is not None
        return Cell(count, None if hide else self.span_of(self.rounded(count)), known, promised)

    def span_of(self, figure: int) -> tuple[float, float]:
        """The least and greatest count that a printed figure may stand for."""
        if figure == 0:
            return 0.0, float(self.smallest_shown - 1) if self.small_becomes_zero else 0.0
        low = figure - self.round_to // 2
        return float(max(low, self.smallest_shown)), float(figure + (self.round_to - 1) // 2)


def _faults(given: Mapping[str, Any]) -> list[Fault]:
    faults = text_faults("rules", given, ("name", "source"))
    for name in ("smallest_shown", "round_to", "largest"):
        value = given.get(name, 1 if name == "largest" else None)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            faults.append(Fault(f"rules.{name}", repr(value), "a whole number from 1", f"Correct {name}."))
    for name in ("largest_percent", "p_percent"):
        value = given.get(name, 50.0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 100:
            faults.append(Fault(f"rules.{name}", repr(value), "above 0 and at most 100", f"Correct {name}."))
    if not isinstance(given.get("small_becomes_zero", False), bool):
        faults.append(Fault("rules.small_becomes_zero", "no truth value", "true or false", "Correct it."))
    return faults


RULES: Final[Mapping[str, RuleSet]] = {
    path.stem: RuleSet.load(path) for path in sorted(Path(__file__).with_name("published_rules").glob("*.toml"))
}
"""The rule sets that come with the package, by name."""

"""Figures about people on their way onto a card: all of them pass through `governance.disclosure`.

Counts are hidden when small and rounded otherwise; a share of a group is hidden when the people behind it, or the
rest of them, are a small number, because the share would give the number away. A card has no way around this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from riskmodel.governance.disclosure import RULES, SUPPRESSED, RuleSet, Total, released

CARD_RULES: Final[RuleSet] = RULES["hes"]
"""The rule set of every card."""


def rule_words() -> str:
    """The rule in words, for the card."""
    return (
        f"Counts of people below {CARD_RULES.smallest_shown} are hidden and the others rounded to the nearest"
        f" {CARD_RULES.round_to}. Shares that rest on such a small count are hidden too."
    )


def count_cell(count: int | float | None) -> int | str | None:
    """One count as it may be shown.

    Examples
    --------
    >>> count_cell(12345), count_cell(3), count_cell(0), count_cell(None)
    (12345, 'suppressed', 0, None)
    """
    if count is None:
        return None
    return SUPPRESSED if is_small(count) else CARD_RULES.rounded(round(count))


def count_or_none(count: int | float | None) -> int | None:
    """The same for a claim: the count as it may be shown, or None."""
    shown = count_cell(count)
    return shown if isinstance(shown, int) else None


def is_small(count: float) -> bool:
    """Whether a number of people is too small to show; 0 is not a number of people.

    Examples
    --------
    >>> is_small(0), is_small(0.4), is_small(7), is_small(8)
    (False, True, True, False)
    """
    return CARD_RULES.is_small(count)


def gives_away(numerator: float | None, denominator: float | None) -> bool:
    """Whether a share would tell a small number of people: those it counts, or the rest.

    Examples
    --------
    >>> gives_away(3, 40), gives_away(38, 40), gives_away(20, 40), gives_away(0, 40)
    (True, True, False, False)
    """
    if numerator is None or denominator is None:
        return False
    return is_small(numerator) or is_small(denominator - numerator)


def count_rows(
    rows: Sequence[Mapping[str, Any]],
    counts: Sequence[str],
    *,
    totals: Sequence[Total] = (),
    parts: Mapping[str, Sequence[str]] | None = None,
) -> list[dict[str, Any]]:
    """Rows of a table with their counts as they may be shown: whole numbers, or "suppressed".

    Parameters
    ----------
    rows : mappings with texts and counts
    counts : the names that count people
    totals : which rows are sums of others
    parts : counts that are parts of other counts in the same row
    """
    if not rows:
        return []
    table = pa.Table.from_pylist([dict(row) for row in rows])
    shown = released(table, counts, totals=totals, within_counts=parts, rules=CARD_RULES).to_pylist()
    return [
        {name: SUPPRESSED if name in counts and value is None else value for name, value in row.items()}
        for row in shown
    ]

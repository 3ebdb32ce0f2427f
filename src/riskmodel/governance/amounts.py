"""Sums of amounts that leave (events, days, pounds a person): hidden where few people, or one of them, make the sum.

A count of people is safe when it is large. A sum is not: of 40 people's 900 days one person may have 700, and whoever
knows the other large one can work that out. So a sum is hidden when too few people stand behind it, when its largest
parts make up nearly all of it (the (n, k) rule), and when the second largest contributor could tell the largest too
closely (the p % rule). Then, as with counts, whatever would let a hidden sum be worked out is hidden too: each hidden
sum stays open by as much as the rule that hid it asks for.

Hundepool and others (2012), Statistical Disclosure Control, chapter 4: the rules and the protection each asks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import pyarrow as pa

from riskmodel.engines.duckdb import query
from riskmodel.errors import DataRefused
from riskmodel.governance.derivable import Cell
from riskmodel.governance.rules import RULES, RuleSet

ALL = "all"
PARTS = ("people", "largest", "second", "top")
"""What is kept beside a sum, in columns named such as ``days_largest``: how many people have a part in it, its largest
and second largest part, and its n largest parts together. None of it may be shown."""
_MOST = 10**8


def concentrated(
    rows: pa.Table, by: Sequence[str], amount: str, person: str, rules: RuleSet = RULES["hes"]
) -> pa.Table:
    """Sums of an amount in every combination of some columns and their totals, with what it takes to judge them.

    Parameters
    ----------
    rows : Arrow, people's rows
    by : names of columns of `rows`, at least one; totals over each are labelled "all"
    amount : name of the column that is added up, whole numbers of at least 0
    person : name of the column that says whose row it is
    rules : RuleSet, for its n

    Returns
    -------
    pa.Table : the columns `by`, `amount`, and the `PARTS` of it, to be handed to `disclosure.released`

    Examples
    --------
    >>> rows = pa.table({"place": ["x", "x", "y"], "person": [1, 2, 1], "days": [4, 3, 9]})
    >>> concentrated(rows, ["place"], "days", "person").to_pylist()[0]              # person 1 has 13 of the 16
    {'place': 'all', 'days': 16, 'days_people': 2, 'days_largest': 13, 'days_second': 3, 'days_top': 16}
    """
    names = ", ".join(f'"{name}"' for name in by)
    labels = ", ".join(
        f"CASE WHEN grouping({name}) = 1 THEN '{ALL}' ELSE {name}::VARCHAR END AS {name}" for name in names.split(", ")
    )
    return query(
        f"""
        SELECT {names}, sum(part)::BIGINT AS "{amount}", count(*) FILTER (part > 0) AS "{amount}_people",
            max(part) AS "{amount}_largest", coalesce(list_sort(list(part), 'DESC')[2], 0) AS "{amount}_second",
            list_sum(list_sort(list(part), 'DESC')[1:{rules.largest}])::BIGINT AS "{amount}_top"
        FROM (SELECT {labels}, "{person}" AS whose, sum("{amount}")::BIGINT AS part FROM rows
            GROUP BY CUBE ({names}), "{person}")
        GROUP BY {names} ORDER BY {names}
        """,
        rows=rows,
    )


@dataclass(frozen=True, slots=True)
class Concentration:
    """One sum and the largest parts of it.

    Parameters
    ----------
    amount : int, the sum
    people : int, who have a part above 0 in it
    largest, second : int, the two largest parts
    top : int, the n largest parts together, n as in the rules
    """

    amount: int
    people: int
    largest: int
    second: int
    top: int

    def needed(self, rules: RuleSet) -> int:
        """By how much the sum has to stay open on both sides; 0 when it may be shown.

        Examples
        --------
        Of 900 days 700 are one person's and 100 another's: that other knows the 700 to within 100, more than a tenth
        of it, and the two have 89 %, not above 90.
        With 150 that other knows it to within 50, 20 short of a tenth; and 850 would be 90 % of 944, which is 44 more.

        >>> Concentration(900, 40, 700, 100, 800).needed(RULES["hes"])
        0
        >>> Concentration(900, 40, 700, 150, 850).needed(RULES["hes"])
        45
        """
        by_share = self.top / (rules.largest_percent / 100) - self.amount
        by_closeness = rules.p_percent / 100 * self.largest - (self.amount - self.largest - self.second)
        by_few = rules.p_percent / 100 * self.amount if rules.is_small(self.people) else 0.0
        needed = ceil(max(by_share, by_closeness, by_few, 0.0) - 1e-9) if self.amount else 0
        return max(needed, 1) if rules.is_small(self.people) else needed


def amount_cells(table: pa.Table, amount: str, rules: RuleSet) -> list[Cell]:
    """Each sum of a table as its reader sees it.

    Raises
    ------
    DataRefused : a sum is null, negative, no whole number, above 100 million, or less than one a person
    """
    columns = [table.column(name).to_pylist() for name in (amount, *helpers(amount))]
    made = []
    for row in zip(*columns, strict=True):
        if any(value is None or value != int(value) or not 0 <= value <= _MOST for value in row) or row[0] < row[1]:
            raise DataRefused(
                "amount-invalid",
                found=f"a sum of {amount} that is no whole number from 0 to {_MOST:,}",
                expected="whole amounts, none empty",
                repair="Choose a unit in which amounts are whole, such as days or pounds, and not too small.",
            )
        found = Concentration(*map(int, row))
        needed = found.needed(rules)
        promised = (float(max(0, found.amount - needed)), float(found.amount + needed)) if needed else None
        shown = None if needed else rules.span_of(rules.rounded(found.amount))
        made.append(Cell(found.amount, shown, (0.0, np.inf), promised))
    return made


def amount_rest(left: int, rules: RuleSet) -> Cell:
    """What is left of a total beside its parts: nobody knows how many people's it is, so it is taken for one's."""
    needed = ceil(rules.p_percent / 100 * left)
    return Cell(left, None, (0.0, np.inf), (float(max(0, left - needed)), float(left + needed)), printed=False)


def helpers(amount: str) -> tuple[str, ...]:
    """The columns beside a sum."""
    return tuple(f"{amount}_{part}" for part in PARTS)

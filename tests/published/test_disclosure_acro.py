"""Equal to acro 1.0.2 in what it hides first; and what it leaves to the reader, by name. Its decisions are kept.

acro flags a cell as small below 10, by the (n, k) rule (2, 90 %) and by the p % rule (10 %). Run `acro/oracle.py` in an
environment of its own to make them again.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pytest

from riskmodel.governance.amounts import concentrated
from riskmodel.governance.disclosure import RULES, Total, released

HERE = Path(__file__).resolve().parent / "acro"
NEVER = 1e-9
RULE = replace(RULES["ons-10-5"], round_to=1)
SMALL = replace(RULE, largest_percent=100, p_percent=NEVER)
NK = replace(RULE, smallest_shown=1, p_percent=NEVER)
P_PERCENT = replace(RULE, smallest_shown=1, largest_percent=100)


@pytest.fixture(scope="module")
def cells() -> pa.Table:
    rows = pyarrow.csv.read_csv(HERE / "contributions.csv")
    return concentrated(rows, ["place", "band"], "amount", "person")


@pytest.mark.parametrize(("rule", "column"), [(SMALL, "small"), (NK, "nk"), (P_PERCENT, "p_percent")])
def test_the_same_cells_are_hidden_first(cells: pa.Table, rule: object, column: str) -> None:
    inner = cells.filter(pc.and_(pc.not_equal(cells["place"], "all"), pc.not_equal(cells["band"], "all")))
    made = released(inner, [], amounts=["amount"], rules=rule)
    ours = {(row["place"], row["band"]): row["amount"] is None for row in made.to_pylist()}
    decided = pyarrow.csv.read_csv(HERE / "decisions.csv").to_pylist()
    theirs = {(row["place"], row["band"]): row[column] for row in decided if (row["place"], row["band"]) in ours}
    assert ours == theirs
    assert 0 < sum(theirs.values()) < len(theirs)


def test_with_totals_acro_hides_no_further_cell_and_we_do(cells: pa.Table) -> None:
    totals = [Total("place", "all", ("band",)), Total("band", "all", ("place",))]
    made = released(cells, [], amounts=["amount"], totals=totals, rules=RULE)
    decided = pyarrow.csv.read_csv(HERE / "decisions.csv").to_pylist()
    first = {(row["place"], row["band"]) for row in decided if row["small"] or row["nk"] or row["p_percent"]}
    hidden = {(row["place"], row["band"]) for row in made.to_pylist() if row["amount"] is None}
    assert first & {(row["place"], row["band"]) for row in made.to_pylist()} <= hidden
    assert hidden - first

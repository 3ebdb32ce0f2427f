"""Panels from long tables: what is refused, in which words, and what cutting them does."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.policies.calendar import NEVER
from riskmodel.policies.panel import Panel

LONG = {
    "who": ["b", "a", "a", "b", "a", "b"],
    "year": [2001, 2001, 2003, 2003, 2002, 2002],
    "from": [2002.0, None, None, 2002.0, None, 2002.0],
    "y": [4.0, 1, 3, 6, 2, 5],
}


def panel(**other) -> Panel:
    return Panel.of(pa.table(LONG | other), unit="who", period="year", starts="from", measures=["y"])


def test_cells_find_their_place_whatever_the_order_of_rows():
    made = panel()
    assert made.units.tolist() == ["a", "b"]
    assert made.labels == ("2001", "2002", "2003")
    assert made.starts.tolist() == [NEVER, 1]
    assert made.measure("y").tolist() == [[1, 2, 3], [4, 5, 6]]
    assert made.under_treatment.tolist() == [[False] * 3, [False, True, True]]


def test_a_repeated_cell_a_gap_and_a_moving_start_are_refused():
    with pytest.raises(DataRefused, match="1 unit\\(s\\) and period\\(s\\) that stand twice"):
        panel(year=[2001, 2001, 2003, 2003, 2002, 2003])
    short = {name: values[:-1] for name, values in LONG.items()}
    with pytest.raises(DataRefused, match="1 of 6 cells without a row"):
        Panel.of(pa.table(short), unit="who", period="year", starts="from", measures=["y"])
    with pytest.raises(DataRefused, match="1 unit\\(s\\) whose treatment date differs") as refused:
        panel(**{"from": [2002.0, None, None, 2002.0, None, 2003.0]})
    assert refused.value.code == "start-changes"
    with pytest.raises(DataRefused, match="without who"):
        panel(who=["b", "a", None, "b", "a", "b"])


def test_an_unknown_cell_is_refused_when_it_is_asked_for():
    made = panel(y=[4.0, 1, None, 6, 2, 5])
    with pytest.raises(DataRefused, match="1 unknown cell\\(s\\) of y"):
        made.measure("y")
    assert made.between(0, 2).measure("y").tolist() == [[1, 2], [4, 5]]
    with pytest.raises(DeclarationError, match="no measure 'z'"):
        made.measure("z")


def test_starts_outside_the_periods_are_refused_when_an_effect_is_asked_for():
    early, late = (
        panel(**{"from": [1999.0, None, None, 1999.0, None, 1999.0]}),
        panel(**{"from": [2009.0, None, None, 2009.0, None, 2009.0]}),
    )
    with pytest.raises(DeclarationError, match="treated in every period"):
        early.must_allow()
    with pytest.raises(DeclarationError, match="only after the data ends"):
        late.must_allow()
    with pytest.raises(DeclarationError, match="1 treated unit"):
        panel().must_allow()
    panel().must_allow(single=True)


def test_cutting_moves_the_starts(grid):
    made = grid(np.arange(12.0).reshape(3, 4), [None, 1, 3])
    assert made.between(1, 4).starts.tolist() == [NEVER, 0, 2]
    assert made.between(0, 3).starts.tolist() == [NEVER, 1, NEVER]
    assert made.keeping(made.treated).starts.tolist() == [1, 3]
    assert repr(made) == "Panel(3 units, 2 treated, 4 periods, 1 measures)"

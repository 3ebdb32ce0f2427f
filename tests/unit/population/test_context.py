"""A group is not a person: its figure has words and no number, and no published table holds people."""

from __future__ import annotations

import datetime as dt
import operator

import numpy as np
import pyarrow as pa
import pytest

import riskmodel as rm
from riskmodel.errors import DataRefused, NotADecision
from riskmodel.population.context import GroupContext
from riskmodel.population.estimate import Estimate
from riskmodel.population.publication import Publication

CONTEXT = GroupContext("residents of one area", "events per 1,000", Estimate(47.6, 43.9, 51.5, 620, "ok", "exact"))


USES = [
    *(float, int, bool, operator.index, np.asarray),
    *(lambda made: made + 0.1, lambda made: 0.3 * made, lambda made: made > 0.2, lambda made: sum([made])),
    lambda made: max(made, 1.0),
]


@pytest.mark.parametrize("use", USES)
def test_a_groups_figure_cannot_be_counted_with(use):
    with pytest.raises(NotADecision, match="group-is-not-a-person"):
        use(CONTEXT)


def test_it_is_a_sentence_that_says_whose_it_is():
    assert "about residents of one area and not about this person" in str(CONTEXT)
    assert "suppressed" in str(GroupContext("few", "events", Estimate.hidden("exact")))
    assert rm.GroupContext is GroupContext


def test_it_is_no_column_of_advice():
    with pytest.raises((pa.ArrowInvalid, pa.ArrowTypeError, NotADecision)):
        pa.table({"score": [0.2], "area": [CONTEXT]})


@pytest.mark.parametrize("table", [
    pa.table({"entity_id": [1], "n": [40]}),
    pa.table({"group": ["see P-00000000000000ff"], "n": [40]}),
])  # fmt: skip
def test_no_table_that_names_people_leaves(table: pa.Table):
    made = Publication("needs", "1", dt.date(2022, 1, 1))
    with pytest.raises(DataRefused, match="people-in-table"):
        made.leave("people", "People", table, keys=(table.column_names[0],), counts=("n",))

"""Every case of the specification on Spark, all of them in one job: the societies of the cases stand side by side."""

import numpy as np
import pyarrow as pa
import pytest

from riskmodel.features.areas import of_areas
from riskmodel.features.feature import NODES
from riskmodel.features.on_spark import filled_on_spark

FAR_APART = 1_000_000
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cases_and_answers(request, local_spark, side_by_side):
    spec = next(plugin for plugin in request.config.pluginmanager.get_plugins() if hasattr(plugin, "by_kernel"))
    cases = [case for case in spec.cases() if not of_areas([case.feature])]
    societies = list({id(case.histories): case.histories for case in cases}.values())
    number = {id(society): place for place, society in enumerate(societies)}
    rows, begins = [], []
    for case in cases:
        begins.append(sum(len(part) for part in rows))
        entity = pa.array(case.rows["entity_id"].to_numpy() + number[id(case.histories)] * FAR_APART)
        rows.append(pa.table({"entity_id": entity, "as_of": case.rows["as_of"]}))
    features = list(dict.fromkeys(case.feature for case in cases))
    found, _ = filled_on_spark(local_spark, side_by_side(societies), pa.concat_tables(rows), features)
    answers = [
        found[features.index(case.feature), begin : begin + len(case.answers)].tolist()
        for case, begin in zip(cases, begins, strict=True)
    ]
    return list(zip(cases, answers, strict=True))


def test_the_answers_worked_by_hand(cases_and_answers, same_answers):
    wrong = [
        (case.name, found, case.expected) for case, found in cases_and_answers if not same_answers(found, case.expected)
    ]
    assert not wrong


def test_every_word_but_the_measures_of_areas_ran(cases_and_answers):
    assert {case.feature.word for case, _ in cases_and_answers} == set(NODES) - {"area_rate", "area_value"}


def test_unknown_stays_unknown(cases_and_answers):
    """Never a sentinel: at least one case of each kind of answer came through the shuffle."""
    found = np.concatenate([answers for _, answers in cases_and_answers])
    assert np.isnan(found).any()
    assert (found == 0).any()

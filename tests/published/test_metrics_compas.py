"""Published figures from real data: the AUROC of the COMPAS decile, and ProPublica's error rates as a list."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from riskmodel.models import metrics

FOLDER = Path(os.environ.get("RISKMODEL_DATA", Path(__file__).parents[3] / "shared" / "data")) / "compas_events"
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="the COMPAS tables are not here: set RISKMODEL_DATA"),
]


@pytest.mark.parametrize(
    ("file", "outcome", "score", "rows", "published"),
    [
        ("two_years", "two_year_recid", "decile_score", 7214, 0.7022),
        ("two_years_violent", "two_year_recid", "v_decile_score", 4743, 0.7124),
    ],
)
def test_area_under_the_curve_of_the_decile(file, outcome, score, rows, published):
    table = pq.read_table(FOLDER / f"{file}.parquet")
    assert table.num_rows == rows
    y, decile = (np.asarray(table[name].to_numpy(), float) for name in (outcome, score))
    assert round(metrics.auroc(y, decile), 4) == published


def test_the_precision_of_a_list_of_all_with_a_decile_from_five_is_the_published_ppv():
    # ProPublica: PPV 62.97 % of Black and 59.13 % of white defendants at decile >= 5.
    table = pq.read_table(FOLDER / "two_years.parquet")
    for race, published in (("African-American", 0.6297), ("Caucasian", 0.5913)):
        rows = table.filter(pc.equal(table["race"], race))
        y, decile = (np.asarray(rows[name].to_numpy(), float) for name in ("two_year_recid", "decile_score"))
        made = metrics.at_capacity(y, decile, float((decile >= 5).sum()))
        assert made.precision == pytest.approx(published, abs=5e-5)

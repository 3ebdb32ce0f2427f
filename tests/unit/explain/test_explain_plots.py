"""Plots with their tables and words: no single person's point in any that may leave, and a person's that cannot."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from riskmodel.errors import NotPermitted
from riskmodel.explain.contact import BOTH, ENFORCEMENT, HELP, NOT_EVENTS, OTHER, contact_of
from riskmodel.explain.drawings import DRAWINGS, drawn
from riskmodel.explain.families import Told
from riskmodel.explain.plots import waterfall
from riskmodel.explain.shapes import CLOUD, LEAST, VALUES, cloud, dependence
from riskmodel.features.language import age, count, count_distinct
from riskmodel.seeds import stream

COLUMNS = (Told("debts", None, "debts"), Told("moves", None, "moves"))


def many(people: int = 600) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = stream(8, "plots")
    values = np.column_stack([rng.lognormal(3, 1, people), rng.poisson(1.0, people)])
    return np.column_stack([values[:, 0] / 50, -0.2 * values[:, 1]]), values, np.arange(people)


def test_attack_reading_one_persons_point_out_of_a_plot_that_leaves() -> None:
    """One person owes more than anybody, and is the only one whose debts add that much."""
    made, values, people = many()
    values[17, 0], made[17, 0] = 987_654.0, 7.654
    for table in (cloud(made, values, COLUMNS, people), dependence(made, values, COLUMNS, people)):
        text = str(table.to_pylist())
        assert "987654" not in text
        assert "7.65" not in text
        assert not {round(each, 3) for each in made[:, 0]} & {
            round(each, 3) for row in table.to_pylist() for each in row.values() if isinstance(each, float) and each > 4
        }
    counts = [each for each in cloud(made, values, COLUMNS, people)["people"].to_pylist() if each is not None]
    assert min(counts) >= 8  # HES: counts of 1 to 7 are hidden
    assert all(each % 5 == 0 for each in counts)
    assert min(dependence(made, values, COLUMNS, people)["people"].to_pylist()) >= LEAST


def test_the_rows_of_one_person_are_one_person() -> None:
    made, values, _ = many(40)
    table = cloud(np.tile(made[:1], (400, 1)), np.tile(values[:1], (400, 1)), COLUMNS, np.zeros(400, np.int64))
    assert table.schema == CLOUD
    assert table["people"].null_count == table.num_rows > 0
    assert dependence(made[:5], values[:5], COLUMNS, np.arange(5)).num_rows == 0


def test_the_cloud_counts_people_where_they_lie() -> None:
    # 200 people: 100 with value 0 and -1, 100 with value 1 and +1.
    made = np.repeat([[-1.0], [1.0]], 100, axis=0)
    table = cloud(made, (made + 1) / 2, COLUMNS[:1], np.arange(200)).to_pylist()
    assert [(row["value"], row["people"], np.sign(row["low"] + row["high"])) for row in table] == [
        ("low", 100, -1), ("high", 100, 1),
    ]  # fmt: skip
    assert set(VALUES) == {"low", "middle", "high", "missing"}


def test_dependence_by_hand() -> None:
    values = np.repeat([[0.0], [1.0], [np.nan]], 100, axis=0)
    made = np.repeat([[-1.0], [2.0], [0.5]], 100, axis=0)
    rows = dependence(made, values, COLUMNS[:1], np.arange(300)).to_pylist()
    assert [(row["values"], row["mean"], row["people"]) for row in rows] == [
        ("up to 0", -1.0, 100), ("above 0", 2.0, 100), ("no value", 0.5, 100),
    ]  # fmt: skip
    assert rows[0]["mean_low"] == rows[0]["mean_high"] == -1.0


def test_contact_is_read_off_the_meaning() -> None:
    assert contact_of(count("violence", role="suspect")) == ENFORCEMENT
    assert contact_of(count("caution")) == ENFORCEMENT
    assert contact_of(count("violence", role="victim")) == HELP
    assert contact_of(count("mental_health_contact")) == HELP
    assert contact_of(count("violence")) == OTHER
    assert contact_of(count_distinct("agency")) == BOTH
    assert contact_of(age()) == NOT_EVENTS
    assert contact_of(None) == NOT_EVENTS


def test_a_persons_waterfall_adds_up_and_is_not_saved(tmp_path: Path) -> None:
    plot = waterfall(-3.0, [("violence events", 0.9), ("moves", -0.2)], -2.3)
    assert plot.table.to_pylist()[-1]["to"] == pytest.approx(-2.3)
    assert "violence events +0.90" in plot.alt
    with pytest.raises(NotPermitted, match="plot-of-a-person"):
        plot.save(tmp_path / "plot.html")
    assert not list(tmp_path.iterdir())


def test_every_drawing_has_its_words_its_table_and_escapes_what_it_shows() -> None:
    name = '<script>alert("x")</script>'
    plot = waterfall(-3.0, [(name, 0.9)], -2.1)
    page = plot._repr_html_()
    assert "<script" not in page
    assert page.count('role="img"') == 1
    assert re.search(r'aria-label="From -3.00 to -2.10 in log-odds: &lt;script', page)
    assert "<table>" in page
    assert plot.svg() == plot.svg()
    assert 'viewBox="0 0 352.8' in plot.svg("narrow")
    assert set(DRAWINGS) == {"beeswarm", "dependence", "by_group", "waterfall"}
    row = {"name": "a", "group": "b", "gap": None, "gap_low": None, "gap_high": None}
    assert "not estimable" in drawn("by_group", {"rows": [row]}, "x", "alt")

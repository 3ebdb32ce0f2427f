"""Drawings: the same bytes for the same data, ids of their own, all text escaped, nothing missing drawn as a nought."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pytest

from riskmodel.cards import figures
from riskmodel.explain.drawings import DRAWINGS as OF_REASONS

ROW = {"label": "This model", "value": 0.7, "low": 0.6, "high": 0.8, "state": "ok", "marked": True}
MISSING = {"label": "Mixed", "value": None, "low": None, "high": None, "state": "not_estimable", "marked": False,
           "said": "not estimable"}  # fmt: skip
DATA: dict[str, dict[str, Any]] = {
    "frequencies": {"panels": [{"title": "Of 100 on the list", "share": 0.14, "said": "about 14 were hurt"}]},
    "forest": {"rows": [ROW, MISSING], "axis": "AUROC", "unit": "number", "reference": 0.5, "reference_said": "chance"},
    "calibration": {
        "rows": [
            {"predicted": 0.02, "value": 0.03, "low": 0.02, "high": 0.05, "n": 400},
            {"predicted": 0.2, "value": None, "low": None, "high": None, "n": 0},
        ],
        "axis": "What happened",
    },
    "bars": {
        "rows": [{"label": "Age", "value": 0.4}, {"label": "Absence", "value": 0.1}],
        "axis": "Share",
        "unit": "share",
    },
    "event_study": {
        "rows": [
            {"event_time": -2, "estimate": 0.1, "low": -0.4, "high": 0.6, "state": "ok"},
            {"event_time": 0, "estimate": -2.0, "low": -3.0, "high": -1.0, "state": "ok"},
            {"event_time": 1, "estimate": None, "low": None, "high": None, "state": "not_estimable"},
        ],
        "axis": "Injuries a quarter",
        "across": "Quarters since the start",
    },
    "effects_matrix": {
        "rows": [{"label": "Injuries (health)", "cells": [[-0.2, -0.3, -0.1], [0.001, -0.1, 0.1], [None, None, None]]}],
        "lags": [0, 1, 2],
        "across": "Quarters since the start",
    },
}  # fmt: skip


@pytest.mark.parametrize("width", ["wide", "narrow"])
@pytest.mark.parametrize("drawing", sorted(DATA))
def test_the_same_data_give_the_same_well_formed_drawing(drawing: str, width: Any) -> None:
    first = figures.svg(drawing, DATA[drawing], "part-1", "In words", width)
    assert first == figures.svg(drawing, DATA[drawing], "part-1", "In words", width)
    root = ElementTree.fromstring(first.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))
    assert root.attrib["aria-label"] == "In words"
    assert root.attrib["role"] == "img"
    assert "http" not in first  # nothing to fetch
    assert "font-family" not in first


def test_every_drawing_has_a_case() -> None:
    assert set(DATA) | set(OF_REASONS) == set(figures.DRAWINGS)  # those of reasons have theirs beside the reasons


def test_two_drawings_on_a_page_share_no_id() -> None:
    def ids(name: str) -> set[str]:
        return set(re.findall(r' id="([^"]*)"', figures.svg("forest", DATA["forest"], name, "x")))

    assert ids("part-1")
    assert not ids("part-1") & ids("part-2")


def test_labels_cannot_become_markup() -> None:
    attack = '</text><script>alert("x")</script> & id="y"'
    row = {**ROW, "label": attack}
    for width in ("wide", "narrow"):
        drawn = figures.svg("forest", {**DATA["forest"], "rows": [row]}, "n", attack, width)  # type: ignore[arg-type]  # literal
        assert "<script" not in drawn
        assert "&lt;script&gt;" in drawn


def test_dollar_signs_are_text_not_mathematics() -> None:
    drawn = figures.svg("bars", {**DATA["bars"], "rows": [{"label": "rent $x_1$ owed", "value": 1.0}]}, "n", "x")
    assert "rent $x_1$ owed" in drawn


def test_what_is_not_estimable_is_written_not_drawn() -> None:
    both = figures.svg("forest", DATA["forest"], "n", "x")
    assert "not estimable" in both
    alone = figures.svg("forest", {**DATA["forest"], "rows": [ROW]}, "n", "x")
    assert "not estimable" not in alone
    marks = [len(re.findall("<use ", drawn)) for drawn in (both, alone)]
    assert marks[0] == marks[1]  # no mark more for the row without a value


def test_a_drawing_of_nothing_but_missing_values_is_still_drawn() -> None:
    assert "not estimable" in figures.svg("forest", {**DATA["forest"], "rows": [MISSING]}, "n", "x", "narrow")

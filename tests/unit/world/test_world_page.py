"""The page on the society, followed literally."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from riskmodel.world.agencies import AGENCIES
from riskmodel.world.truth import Truth

PAGE = (Path(__file__).parents[3] / "docs" / "society.md").read_text(encoding="utf-8")


def test_the_page_makes_a_society(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (printed,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "society.md", "exec"), {})
    assert capsys.readouterr().out == printed


def test_the_page_names_every_agency_and_every_table_of_the_truth() -> None:
    assert tuple(sorted(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))) == tuple(sorted(AGENCIES))
    tables = {name for name, one in vars(Truth).items() if isinstance(one, property)}
    named = set(re.findall(r"`(\w+)`", PAGE[PAGE.index("## What is true") : PAGE.index("## Planted")]))
    assert tables - {"registered"} <= named

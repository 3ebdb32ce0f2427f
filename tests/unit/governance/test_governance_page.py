"""The page on governance, followed literally; and every attack it names is tried where it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "governance.md").read_text(encoding="utf-8")


def test_every_block_of_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "governance.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == [
        "controller-not-covered",
        "['write', 'refused']",
        "True",
        "['line-altered']",
        "[None, 40, 60, 105]",
        "[10, 40, 60, 115]",
        "{'place': ['all', 'x', 'y'], 'days': [1880, None, None]}",
        "1300.0",
    ]


def test_every_attack_of_the_table_is_tried() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
    assert len(named) > 15
    lost = [f"{file}::{name}" for file, name in named if f"def {name}(" not in (ROOT / file).read_text()]
    assert not lost

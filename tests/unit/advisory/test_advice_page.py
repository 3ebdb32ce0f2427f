"""The page on advice runs from top to bottom, block by block, and says what it promises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[3] / "docs" / "advice.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_every_block_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) >= 9
    exec(compile("\n".join(blocks), "advice.md", "exec"), {})
    said = capsys.readouterr().out
    for words in ("approval-missing", "This is advice, not a decision", "taken_up", "What was said about you"):
        assert words in said

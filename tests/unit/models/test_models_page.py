"""The page on models, followed literally; what it prints says something."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from riskmodel.models.checking import Check
from riskmodel.models.learners import _SETTINGS

PAGE = (Path(__file__).parents[3] / "docs" / "models.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_every_block_of_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(code, "models.md", "exec"), names)
    printed = capsys.readouterr().out
    assert re.search(r"AUROC 0\.[67]\d\d \(0\.\d{3} to 0\.\d{3}\), n \d+, ok", printed)
    assert (tmp_path / "trials.jsonl").exists()
    check = names["check"]
    assert isinstance(check, Check)
    asked = {one[1] for one in re.findall(r"^(pass|review|fail|not_applicable) +([a-z-]+):", printed, re.MULTILINE)}
    table = PAGE[PAGE.index("| leak | question |") : PAGE.index("A pass is no proof")]
    named = set(re.findall(r"`([a-z-]+)`", table))
    assert named - asked == {"filled-in-later", "own-time"}  # these two need the histories


def test_the_page_names_every_learner() -> None:
    named = set(re.findall(r"`(\w+)`", PAGE[PAGE.index("## Learners") : PAGE.index("## Fit and judge")]))
    assert {made.__name__ for made in _SETTINGS.values()} <= named

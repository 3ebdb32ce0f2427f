"""The page on audits, followed literally; it ends with a record in MLflow."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from riskmodel.fairness.frontier import Frontier

PAGE = (Path(__file__).parents[3] / "docs" / "fairness.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_every_block_of_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    Path("run").mkdir()
    names: dict[str, object] = {}
    exec(compile(code, "fairness.md", "exec"), names)
    printed = capsys.readouterr().out
    assert "Ethnicity: of 100 assessments, the outcome was recorded for" in printed
    assert "the gap in base rate between black and white is" in printed
    assert "vanishes if of 100 outcomes that happened, 50 are recorded in white" in printed
    assert "over 5 linked worlds" in printed
    assert "come with the place and not with the person" in printed
    assert "against a loop without feedback" in printed
    assert "Fewer listed in error, at a small cost in finds." in printed
    assert isinstance(names["frontier"], Frontier)


def test_the_page_names_the_states_and_every_table() -> None:
    named = set(re.findall(r"`(\w+)`", PAGE[PAGE.index("| state | what") : PAGE.index("| question | call |")]))
    assert {"ok", "imprecise", "not_estimable", "suppressed", "heterogeneity", "estimates"} <= named

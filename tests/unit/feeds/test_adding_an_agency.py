"""The page on adding an agency, followed literally."""

from __future__ import annotations

import re
from pathlib import Path

from riskmodel.feeds.quarantine import CODES

PAGE = (Path(__file__).parents[3] / "docs" / "adding-an-agency.md").read_text(encoding="utf-8")


def test_the_page_adds_an_agency(tmp_path, monkeypatch, capsys):
    for name, content in re.findall(r"`([a-z_/]+\.(?:toml|csv))`:\n\n```\w+\n(.*?)```", PAGE, re.DOTALL):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (printed,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "adding-an-agency.md", "exec"), {})
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == printed.splitlines()


def test_the_page_lists_every_code():
    assert dict(re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", PAGE, re.MULTILINE)) == CODES

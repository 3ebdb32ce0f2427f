"""The page on sending no names, followed literally at the command line."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "pseudonymise.md").read_text(encoding="utf-8")


def test_the_page_encodes_a_file(tmp_path: Path, command: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    for name, content in re.findall(r"`([a-z_/]+\.(?:toml|csv))`:\n\n```\w+\n(.*?)```", PAGE, re.DOTALL):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
    (tmp_path / "partnership.key").write_text(bytes(range(3, 67)).hex())
    (tmp_path / "partnership.key").chmod(0o600)
    (typed,) = re.findall(r"```sh\n(riskmodel pseudonymise .*?)```", PAGE, re.DOTALL)
    words = typed.replace("\\\n", " ").split()
    run = command(*words[1:])
    assert run.returncode == 0, run.stderr
    (printed,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert re.sub("[0-9a-f]{16}", "CHECK", run.stdout) == printed
    encoded = (tmp_path / "encoded" / "shelter_residents_encoded.csv").read_text()
    for name in ("Okafor", "Jones", "Mill", "1990"):
        assert name not in encoded + run.stdout + run.stderr
    again = command(*words[1:])
    assert again.returncode == 3
    assert "encoded-exists" in again.stderr

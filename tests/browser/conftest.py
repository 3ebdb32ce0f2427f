"""The small partnership in a running reading room, people with a browser each, and axe when npm can bring it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

AXE = "4.10.3"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_WAIT = 15_000.0


@pytest.fixture(scope="session")
def making() -> ModuleType:
    """The module that makes the case."""
    if "board_case" not in sys.modules:
        spec = spec_from_file_location("board_case", Path(__file__).with_name("case.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules["board_case"] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules["board_case"])
    return sys.modules["board_case"]


@pytest.fixture(scope="session")
def case(making: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The case."""
    return making.made(tmp_path_factory.mktemp("case") / "card")


@pytest.fixture(scope="session")
def once(making: ModuleType, case: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the case recorded; never written to."""
    made: Path = making.recorded(case, tmp_path_factory.mktemp("once") / "early")
    return made


@pytest.fixture
def store(once: Path, tmp_path: Path) -> Path:
    """A store of one's own; its artefacts stay where they were recorded."""
    shutil.copytree(once, tmp_path / "early", ignore=shutil.ignore_patterns("mlartifacts"))
    return tmp_path / "early"


@pytest.fixture
def address(making: ModuleType, store: Path) -> Iterator[str]:
    """The address of the running room."""
    with making.opened(making.furnished(store.parent / "room", [store])) as answered:
        yield answered


@pytest.fixture
def visitor(browser: Any, address: str, making: ModuleType) -> Iterator[Callable[..., Any]]:
    """A page of somebody's own browser, signed in by account; None is a stranger."""
    contexts: list[Any] = []

    def enter(name: str | None, **how: Any) -> Any:
        contexts.append(browser.new_context(**how))
        page = contexts[-1].new_page()
        page.set_default_timeout(_WAIT)
        page.goto(f"{address}/sign-in")
        if name is not None:
            page.fill("#name", name)
            page.fill("#password", making.PASSWORD)
            page.click("main button")
            page.wait_for_url(f"{address}/")
        return page

    yield enter
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The text of axe-core, fetched through npm once on this machine; skips where npm cannot bring it."""
    kept = Path(tempfile.gettempdir()) / f"axe-core-{AXE}-{os.getuid()}"
    if not (kept / "axe.min.js").exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("no npm on this machine, which brings axe-core")
        with tempfile.TemporaryDirectory() as aside:
            packed = subprocess.run([npm, "pack", f"axe-core@{AXE}", "--silent"], cwd=aside, capture_output=True,
                                    check=False, timeout=120)  # fmt: skip
            found = list(Path(aside).glob("axe-core-*.tgz"))
            if packed.returncode or not found:
                pytest.skip("npm could not bring axe-core")
            with tarfile.open(found[0]) as archive:
                text = archive.extractfile("package/axe.min.js")
                assert text is not None
                kept.mkdir(mode=0o700, exist_ok=True)
                (kept / "axe.min.js.part").write_bytes(text.read())
                os.replace(kept / "axe.min.js.part", kept / "axe.min.js")
    return (kept / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def findings(axe: str) -> Callable[..., list[str]]:
    """What axe finds on a page by WCAG 2.2 A and AA, with its impact; the page's own policy does not hinder it."""

    def look(page: Any, rules: Sequence[str] = RULES) -> list[str]:
        page.evaluate(axe)
        # A drawing is one picture with its words: what it is drawn of is nothing that is read, and thousands of paths.
        asked = {"runOnly": list(rules), "resultTypes": ["violations"], "selectors": False}
        found = page.evaluate("asked => axe.run({exclude: ['svg.drawing > *']}, asked)", asked)
        return [
            f"{each['impact']}: {each['id']}: {each['nodes'][0]['html'][:160]}"
            for each in found["violations"]
            if each["impact"] in ("serious", "critical")
        ]

    return look

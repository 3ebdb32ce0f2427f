"""The committed cards in a real browser: axe finds nothing serious by day or night; what is short is so in print."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from riskmodel.cards.beside import files_beside
from riskmodel.cards.model_card import ModelCard

CARDS = Path(__file__).parents[2] / "model_cards"
PAGES = sorted(CARDS.glob("*.html")) + sorted(CARDS.glob("*/*.html"))
LONG = {"card.html", "records.html"}
"""Pages of thousands of cells; those of two studies are looked at in every run, the others in the nightly one."""
STUDIES = sorted(path.parent.name for path in CARDS.glob("*/card.json"))
SHEETS = {"public.html": 1, "brief.html": 2}
"""At most so many sheets of paper."""


@pytest.fixture(scope="module")
def opened(browser: Any) -> Iterator[Any]:
    """One page, in which all are opened."""
    page = browser.new_page()
    yield page
    page.close()


def _by_study(path: Path) -> Any:
    late = path.name in LONG and path.parent.name not in ("quickstart", "policy")
    return pytest.param(path, id=path.relative_to(CARDS).as_posix(), marks=[pytest.mark.nightly] if late else [])


@pytest.mark.parametrize("page", [_by_study(page) for page in PAGES])
def test_axe_finds_nothing_serious(opened: Any, findings: Callable[..., list[str]], page: Path) -> None:
    opened.set_viewport_size({"width": 1280, "height": 720})
    opened.goto(page.as_uri())
    assert findings(opened) == []
    opened.set_viewport_size({"width": 375, "height": 800})
    assert opened.evaluate("document.documentElement.scrollWidth") <= 375


@pytest.mark.parametrize("study", STUDIES)
def test_the_brief_and_the_summary_are_short_in_print_and_read_by_night(
    opened: Any, findings: Callable[..., list[str]], study: str, tmp_path: Path
) -> None:
    made = files_beside(ModelCard.load(CARDS / study))
    assert "brief.html" in made
    for name in SHEETS.keys() & made.keys():
        (tmp_path / name).write_text(made[name], encoding="utf-8")
        opened.goto((tmp_path / name).as_uri())
        printed = opened.pdf(format="A4", prefer_css_page_size=True)
        assert 1 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= SHEETS[name], name
        opened.emulate_media(color_scheme="dark")
        assert opened.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 27)"
        assert findings(opened, ["color-contrast"]) == []  # nothing else depends on the hour
        opened.emulate_media(color_scheme="light")


def test_there_are_cards() -> None:
    assert len(PAGES) >= 4

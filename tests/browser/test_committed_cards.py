"""The committed cards in a real browser: axe finds nothing serious, on the page and as it prints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CARDS = Path(__file__).parents[2] / "model_cards"
PAGES = sorted(CARDS.glob("*.html")) + sorted(CARDS.glob("*/*.html"))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(CARDS).as_posix())
def test_axe_finds_nothing_serious(browser: Any, findings: Callable[[Any], list[str]], page: Path) -> None:
    opened = browser.new_page()
    try:
        opened.goto(page.as_uri())
        assert findings(opened) == []
        opened.set_viewport_size({"width": 375, "height": 800})
        assert opened.evaluate("document.documentElement.scrollWidth") <= 375
    finally:
        opened.close()


def test_there_are_cards() -> None:
    assert len(PAGES) >= 4

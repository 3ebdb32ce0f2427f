"""The pages in a real browser: self-contained, readable without script, filtered, and hostile names stay text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from riskmodel.population.estimate import Estimate
from riskmodel.population.pages.agency_charts import lanes, upset
from riskmodel.population.pages.blocks import Callout, Column, Page, Picture, Section, Text, grid
from riskmodel.population.pages.charts import Point, bars, control, dots
from riskmodel.population.pages.html import page_html, page_pdf, write_page
from riskmodel.population.pages.place_charts import Tile, funnel, lorenz, tiles

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
AREAS = [f"Area {number}" for number in range(107)]
GROUPS = ["Asian", "Black", "Mixed", "Other", "White", HOSTILE]


def estimate(value: float) -> Estimate:
    return Estimate(value, value * 0.8, value * 1.3, 40, "ok", "exact")


@pytest.fixture(scope="module")
def page() -> Page:
    rows = [(area, group, place * 7 % 97, estimate(1 + place)) for place, area in enumerate(AREAS) for group in GROUPS]
    columns = [
        Column("Area", filter=True),
        Column("Group", filter=True),
        Column("Events", "count"),
        Column("Rate", "number"),
    ]
    months = [Point(f"2021-{at:02d}", at, 40.0 + at, at == 11) for at in range(1, 13)]
    limits = [(float(size), 1.0, 2.0, 8.0, 9.0) for size in range(100, 1000, 100)]
    pictures = [
        dots([(HOSTILE, estimate(2)), ("hidden", Estimate.hidden("exact"))], "Rate", "Two", reference=(1, "as often")),
        bars([(HOSTILE, 3.0), ("b", None)], "events", "Two bars"),
        control(months, "Events", "A year", centre=[45.0] * 12, limits=([20.0] * 12, [70.0] * 12), provisional=2),
        funnel([Point(HOSTILE, 500, 9.5, True), Point("b", 200, 5)], limits, 5.0, ("People", "Rate"), "Two areas"),
        lorenz([(0, 0), (0.3, 0.5), (1, 1)], "by chance", "Half in 30 %"),
        tiles([Tile(HOSTILE, 0, 0, 3.0, 4), Tile("b", 1, 0, None, None)], ["1", "2", "3", "4", "5"], "Two tiles"),
        upset([(HOSTILE, 3), ("b", 4)], [([HOSTILE, "b"], 5), (["b"], None)], "Two sets"),
        lanes([HOSTILE], [(0, 2019.5, 2019.9, HOSTILE)], (2019, 2021), [(2020.2, HOSTILE)], "One lane"),
    ]  # fmt: skip
    blocks = (Text(HOSTILE, lead=True), Callout(HOSTILE, warning=True), grid(HOSTILE, columns, rows))
    shown = tuple(Picture(HOSTILE, drawing) for drawing in pictures)
    return Page("Dashboard", HOSTILE, HOSTILE, HOSTILE, (Section("all", HOSTILE, (*blocks, *shown)),), (HOSTILE,))


@pytest.fixture(scope="module")
def written(page: Page, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(page, tmp_path_factory.mktemp("pages"), "page")[0]


def opened(browser: Any, path: Path, **options: Any) -> tuple[Any, list[str]]:
    context = browser.new_context(**options)
    tab = context.new_page()
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: asked.append(f"console: {message.text}"))
    tab.on("pageerror", lambda error: asked.append(f"error: {error}"))
    tab.goto(path.as_uri())
    return tab, asked


def test_the_page_asks_for_nothing_but_itself_and_runs_no_name(browser: Any, written: Path) -> None:
    tab, asked = opened(browser, written)
    assert [url for url in asked if not url.startswith("data:")] == [written.as_uri()]
    assert "owned" not in tab.title() or HOSTILE in tab.title()
    assert tab.locator("img").count() == 0
    assert tab.locator("main script").count() == 0


def test_a_filter_answers_at_once_and_says_what_is_left(browser: Any, written: Path) -> None:
    tab, _ = opened(browser, written)
    table = tab.locator("table").first
    assert table.locator("tbody tr:visible").count() == 107 * 6
    tab.select_option("select[data-column='1']", "Black")
    assert table.locator("tbody tr:visible").count() == 107
    tab.select_option("select[data-column='0']", "Area 5")
    assert table.locator("tbody tr:visible").count() == 1
    assert tab.locator("output").first.text_content() == "1 of 642 rows"
    tab.select_option("select[data-column='1']", "")
    assert table.locator("tbody tr:visible").count() == 6


def test_without_script_every_row_is_there_and_no_filter(browser: Any, written: Path) -> None:
    tab, _ = opened(browser, written, java_script_enabled=False)
    assert tab.locator("tbody tr").count() >= 107 * 6
    assert not tab.locator("form.filters").first.is_visible()


@pytest.mark.parametrize("width", [375, 1280])
def test_nothing_hangs_over_the_edge_and_the_right_drawing_is_shown(browser: Any, written: Path, width: int) -> None:
    tab, _ = opened(browser, written, viewport={"width": width, "height": 800})
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    kind, other = ("narrow", "wide") if width == 375 else ("wide", "narrow")
    assert tab.locator(f"svg.{kind}:visible").count() == 8
    assert tab.locator(f"svg.{other}:visible").count() == 0


def test_every_picture_has_words_and_every_table_a_caption_and_headings(browser: Any, written: Path) -> None:
    tab, _ = opened(browser, written)
    assert tab.locator("svg:not([aria-label])").count() == 0
    assert tab.locator("svg[role=img][aria-label='']").count() == 0
    assert tab.locator("table:not(:has(caption))").count() == 0
    assert tab.locator("th:not([scope])").count() == 0
    assert tab.locator("h1").count() == 1
    assert tab.evaluate("document.documentElement.lang") == "en-GB"
    # everything that scrolls can be reached by keyboard and has a name
    assert tab.locator(".scroll:not([tabindex='0'][role=region][aria-label])").count() == 0


def test_on_paper_the_filters_are_gone_and_the_tables_stay(browser: Any, written: Path) -> None:
    tab, _ = opened(browser, written)
    tab.emulate_media(media="print")
    assert not tab.locator("form.filters").first.is_visible()
    assert tab.locator("table").first.is_visible()


def test_the_page_as_pdf(page: Page) -> None:
    pytest.importorskip("weasyprint")
    made = page_pdf(page_html(page))
    assert made.startswith(b"%PDF")
    assert len(made) > 20_000


def test_a_hidden_figure_is_a_word_and_never_a_nought() -> None:
    drawing = dots([("a", Estimate.hidden("exact")), ("b", Estimate.none(3, "exact", "too few"))], "Rate", "Two")
    assert "suppressed" in drawing.wide
    assert "not estimable" in drawing.wide
    assert drawing.wide.count("<circle") == 0

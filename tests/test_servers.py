"""The servers of the tests themselves answer."""

from typing import Any

import psycopg


def test_postgresql_answers(postgresql: str) -> None:
    with psycopg.connect(postgresql) as connection:
        assert connection.execute("SELECT 1 + 1").fetchone() == (2,)


def test_the_browser_renders(browser: Any) -> None:
    page = browser.new_page()
    page.set_content("<h1>Seen</h1>")
    assert page.inner_text("h1") == "Seen"
    page.close()

"""The minutes of one card before the board: a page that prints, and the same as PDF when WeasyPrint is installed."""

from __future__ import annotations

from importlib.util import find_spec

from riskmodel.errors import NotInstalled


def pdf(page: str) -> bytes:
    """The page as PDF. Nothing is fetched while it is made.

    Raises
    ------
    NotInstalled : WeasyPrint is not there
    """
    if find_spec("weasyprint") is None:
        raise NotInstalled(
            "pdf-not-installed",
            found="no WeasyPrint on this machine",
            expected="the extra [pdf]",
            repair="Install it with `pip install 'riskmodel-advisory[pdf]'`, or print the page of the minutes.",
        )
    import weasyprint

    return bytes(weasyprint.HTML(string=page, url_fetcher=_nothing).write_pdf() or b"")


def _nothing(url: str, *_: object, **__: object) -> dict[str, object]:
    raise ValueError(f"minutes take nothing from elsewhere ({url.partition(':')[0]})")

"""A page as one self-contained file of HTML, and as PDF: nothing fetched, all text escaped, readable without script.

The one script only hides rows of tables that are there already; its hash is in the page's policy, so that no other
can run.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path

import jinja2
from markupsafe import Markup

from riskmodel.errors import NotInstalled
from riskmodel.population.pages.blocks import Grid, Page


def page_html(page: Page) -> str:
    """The page as HTML."""
    script = _template("filter.js.j2").strip()
    scripted = any(isinstance(block, Grid) and block.filtered for section in page.sections for block in section.blocks)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            page=page,
            css=Markup(type_sheet() + _template("page.css")),
            script=Markup(script) if scripted else None,
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            safe=Markup,
        )
    )


def type_sheet() -> str:
    """The type of every printed page: pages about a population and cards add to it what they alone have."""
    return _template("type.css")


def write_page(page: Page, folder: str | Path, name: str, *, pdf: bool = False) -> list[Path]:
    """Write the page as ``name.html`` and, if asked for, ``name.pdf``; returns the paths.

    Raises
    ------
    NotInstalled : a PDF is asked for and what makes it is not there
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text = page_html(page)
    made = [folder / f"{name}.html"]
    made[0].write_text(text, encoding="utf-8")
    if pdf:
        made.append(folder / f"{name}.pdf")
        made[1].write_bytes(page_pdf(text))
    return made


def page_pdf(text: str) -> bytes:
    """The page as PDF with tags for screen readers; nothing is fetched.

    Raises
    ------
    NotInstalled : weasyprint is not there
    """
    try:
        import weasyprint
    except (ImportError, OSError) as error:  # the library is there but its system libraries are not
        raise NotInstalled(
            "pdf-not-installed",
            found=f"no weasyprint that works here ({type(error).__name__})",
            expected="the extra [pdf] and the Pango library",
            repair='Install it with pip install "riskmodel-advisory[pdf]", or print the HTML page from a browser.',
        ) from error

    def nothing(url: str, *_: object, **__: object) -> dict[str, object]:
        raise ValueError(f"a page takes nothing from elsewhere ({url.partition(':')[0]})")

    return bytes(weasyprint.HTML(string=text, url_fetcher=nothing).write_pdf(pdf_variant="pdf/ua-1"))


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(_template), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=False
    )


def _template(name: str) -> str:
    return (files("riskmodel.population.pages") / "templates" / name).read_text(encoding="utf-8")

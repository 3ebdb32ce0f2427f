"""One person's advice on a page to read together: HTML, and PDF where WeasyPrint is installed.

The caveats stand on the page and in the file's own description, and there is room to write down what was judged. It
is made under an approval in force only, and the ledger notes it. Every word from data is escaped.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

from riskmodel.advisory import words
from riskmodel.advisory.export import REVIEW_COLUMNS, given_out
from riskmodel.advisory.listed import Listed, OneScore
from riskmodel.advisory.standing import BRIEF
from riskmodel.engines.folders import refusals_of_the_disk
from riskmodel.errors import DeclarationError
from riskmodel.population.pages.html import page_pdf
from riskmodel.tables import fingerprint_document

ENDINGS = (".pdf", ".html")
_STYLE = """@page { size: A4; margin: 15mm; @bottom-center { content: "Advice, not a decision"; font: 9pt sans-serif } }
body { font: 10pt/1.4 "DejaVu Sans", sans-serif; color: #0b0c0c; max-width: 46em; margin: 0 auto; padding: 0 .5em }
h1 { font-size: 15pt; margin: .3em 0 } h2 { font-size: 11.5pt; margin: .9em 0 .2em } p, ul { margin: .3em 0 }
ul { padding-left: 1.4em } ul ul { list-style: none; color: #505a5f; margin: 0 }
.note { border-left: 4px solid #12436d; padding-left: .8em } .room { break-inside: avoid }
.how { font-size: 11.5pt } td { border: 1px solid #505a5f; height: 3em; width: 72% }
th { text-align: left; vertical-align: top; border: 1px solid #505a5f; padding: .3em } table { width: 100% }
table { border-collapse: collapse; margin-top: .5em }"""


def write_brief(scores: Listed, pseudonym: str, path: Path) -> Path:
    """Write the advice on one person as ``.html`` or ``.pdf`` and note it in the ledger, without the person.

    Raises
    ------
    NotPermitted : the list no longer holds (see `standing.must_hold`)
    NotFound : nobody of that pseudonym is on the list
    DeclarationError : another ending
    DataRefused : the file cannot be written
    NotInstalled : a PDF is asked for and what makes it is not there
    """
    if path.suffix not in ENDINGS:
        raise DeclarationError.of(
            "brief-ending",
            where="brief",
            found=f"a file that ends in {path.suffix or 'nothing'}",
            expected=" or ".join(ENDINGS),
            repair="Choose one of these endings.",
        )
    with given_out(scores, "brief"):
        page = brief_page(scores.person(pseudonym))
    made = page_pdf(page) if path.suffix == ".pdf" else page.encode()
    with refusals_of_the_disk("the brief"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made)
    basis = scores.basis
    scores.ledger.append(
        "export",
        list=scores.fingerprint,
        table=fingerprint_document({"page": page}),
        people=1,
        order=BRIEF,
        purpose=basis.purpose.name,
        model=basis.model,
        card=basis.card,
    )
    return path


def brief_page(score: OneScore) -> str:
    """The advice on one person as a page of its own; looking at the records behind it is written into the ledger."""
    score.behind.noted()
    basis = score.basis
    caveats = words.caveats(basis, "")
    head = html.escape(f"Advice on {score.pseudonym}, as of {words.day(basis.as_of)}")
    names = (name.removeprefix("review: ").capitalize() for name in REVIEW_COLUMNS)
    review = "".join(f"<tr><th scope='row'>{html.escape(name)}</th><td></td></tr>" for name in names)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{head}</title>'
        f'<meta name="description" content="{html.escape(" ".join(filter(None, caveats)))}">'
        f"<style>{_STYLE}</style></head><body>\n<h1>{head}</h1>\n"
        f"{f'<p><strong>{words.MADE_UP}</strong></p>' if basis.made_up else ''}"
        f'<p class="note">{html.escape(words.NOT_A_DECISION)}</p>\n'
        f"<p><strong>Valid until {words.day(basis.valid_until)}</strong>: do not look at it from that day on.</p>\n"
        f'<p class="how">{_text(words.how_likely(score))}</p>\n{_sections(words.why(score))}'
        f"<h2>Read this with it</h2>\n{_list([*words.STANDING_CAVEATS, words.checked(basis)])}"
        f"<p>{html.escape(words.grounds(basis))}</p>\n"
        f'<div class="room"><h2>Your own judgement</h2>\n<table>{review}</table></div>\n</body></html>\n'
    )


def _sections(text: str) -> str:
    """The plain text of the reasons: each part's first line is its heading where lines of a list follow.

    Records that stand under a reason are a list of their own within it.
    """
    made = []
    for part in text.split("\n\n"):
        first, *lines = part.split("\n")
        if not any(line.startswith("  - ") for line in lines):
            made.append("".join(f"<p>{_text(line)}</p>\n" for line in (first, *lines)))
            continue
        items: list[list[str]] = []
        for line in lines:
            if line.startswith("  - "):
                items.append([line.removeprefix("  - ")])
            else:
                items[-1].append(line.strip())
        listed = "".join(f"<li>{_text(item)}{_list(behind) if behind else ''}</li>" for item, *behind in items)
        made.append(f"<h2>{html.escape(first)}</h2>\n<ul>{listed}</ul>\n")
    return "".join(made)


def _list(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{_text(line)}</li>' for line in lines)}</ul>\n"


def _text(words: str) -> str:
    """The words for a page; a figure and its sign of per cent stay on one line."""
    return html.escape(words).replace(" %", "&nbsp;%")

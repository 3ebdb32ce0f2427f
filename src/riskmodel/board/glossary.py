"""The words of the cards and what they mean: a list of its own, and an explanation where a word first stands.

An explanation is shown on hover and on keyboard focus, without a script; the word is a link to the list. Only running
text is marked: no heading, no table, no link, no picture.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from markupsafe import Markup, escape

_TAG = re.compile(r"(<[^>]+>)")
_MARKED = {"p", "li", "dd"}
_LEFT_ALONE = {"a", "h2", "h3", "summary", "figure", "table", "code", "svg", "caption"}


@cache
def words() -> Mapping[str, str]:
    """Every word with its meaning, as in docs/glossary.md: the file here is a link to that one."""
    return documented((files("riskmodel.board") / "glossary.md").read_text("utf-8"))


def documented(text: str) -> dict[str, str]:
    """The words of docs/glossary.md, from its table."""
    rows = (line.strip("| ").split(" | ", 1) for line in text.splitlines() if line.startswith("| "))
    return {row[0]: row[1].strip() for row in rows if len(row) == 2 and row[0] != "word"}


def anchor(word: str) -> str:
    """The id of a word on the glossary's page."""
    return "word-" + re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")


def explained(page: str, section: str) -> Markup:
    """The page with the first mention of each word explained.

    Parameters
    ----------
    page : str, the inside of a section, escaped
    section : str, its name, for ids that are unique on the whole page

    Examples
    --------
    >>> "role=\\"tooltip\\"" in explained("<p>The base rate is low.</p>", "s")
    True
    >>> explained("<table><tr><td>base rate</td></tr></table>", "s")
    Markup('<table><tr><td>base rate</td></tr></table>')
    """
    seen: set[str] = set()
    inside: list[str] = []
    parts = []
    for part in _TAG.split(page):
        if part.startswith("<"):
            name = re.sub(r"[^a-z0-9]", "", part[1:12].split(" ")[0].rstrip("/>"))
            if part.startswith("</") and name in inside:
                while inside.pop() != name:
                    pass
            elif not part.startswith("</") and name in _MARKED | _LEFT_ALONE:
                inside.append(name)
            parts.append(part)
        elif inside and _MARKED & set(inside) and not _LEFT_ALONE & set(inside):
            parts.append(_pattern().sub(lambda found: _marked(found, seen, section), part))
        else:
            parts.append(part)
    return Markup("".join(parts))


@cache
def _by_spelling() -> Mapping[str, str]:
    """Each spelling in small letters and the word of the list it stands for."""
    spelled = {}
    for word in words():
        for one in re.split(r", |: ", word):
            spelled[str(escape(one.lower()))] = word
    return spelled


@cache
def _pattern() -> re.Pattern[str]:
    longest = sorted(_by_spelling(), key=lambda word: -len(word))
    return re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, longest))})(?![\w-])", re.IGNORECASE)


def _marked(found: re.Match[str], seen: set[str], section: str) -> str:
    word = _by_spelling()[found.group(1).lower()]
    if word in seen:
        return found.group(0)
    seen.add(word)
    name = f"{section}-{anchor(word)}"
    return (
        f'<a class="word" href="/glossary#{anchor(word)}" aria-describedby="{name}">{found.group(0)}'
        f'<span class="meaning" role="tooltip" id="{name}">{escape(words()[word])}</span></a>'
    )

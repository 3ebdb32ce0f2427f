"""Does a card's own content hold together? What a look at the document alone can tell.

Somebody who edits a card and makes its fingerprint anew is caught where the edit contradicts the rest: a figure in a
table that is no claim, a model that is not the artefact, a number of people too small to show, a limit left out, a
state that only the ledger can give. An edit that contradicts nothing is found by making the card again from its results
(`verify`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from riskmodel.cards import limits
from riskmodel.cards.disclosed import is_small
from riskmodel.cards.evaluation import KIND as EVALUATION

ALWAYS = (limits.RECORDED, limits.INTERVALS, limits.GOOD_HELP, limits.NOT_ANONYMOUS, limits.HUMAN, limits.NOT_LAWFUL)
"""The limits that no model card may leave out."""
_OF_PEOPLE = ("cohort", "linkage", "groups")
"""Sections whose counts are of people or of their rows."""


def content_faults(document: Mapping[str, Any]) -> Iterator[str]:
    """What contradicts itself or should not be shown, in words."""
    if document["state"] != "draft":
        yield f"the state {document['state']!r}, which only the ledger can give"
    evidence = document["evidence"]
    names = {artefact["name"] for artefact in evidence["artefacts"]}
    loose = sorted(key for key, claim in evidence["claims"].items() if claim["artefact"] not in names)
    if loose:
        yield f"figures without an artefact: {', '.join(loose)}"
    empty = [section["name"] for section in document["sections"] if not section["blocks"]]
    if empty:
        yield f"nothing in the sections {', '.join(empty)}"
    yield from _claims(evidence["claims"])
    if document.get("kind") != EVALUATION:
        yield from _artefacts(document)
        yield from _tables(document)
        yield from _limits(document)


def _claims(claims: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for key, claim in sorted(claims.items()):
        value, low, high = claim["value"], claim["low"], claim["high"]
        if claim["n"] is not None and is_small(claim["n"]):
            yield f"figure {key} rests on a number of people too small to show"
        if claim["state"] in ("not_estimable", "suppressed") and (value, low, high) != (None, None, None):
            yield f"figure {key} is {claim['state'].replace('_', ' ')} and shown all the same"
        if None not in (value, low, high) and not low - 1e-9 <= value <= high + 1e-9:
            yield f"figure {key} lies outside its own interval"
        if key.startswith("cohort.") and claim["unit"] == "count" and value is not None and is_small(value):
            yield f"figure {key} is a number of people too small to show"


def _artefacts(document: Mapping[str, Any]) -> Iterator[str]:
    prints = {artefact["name"]: artefact["fingerprint"] for artefact in document["evidence"]["artefacts"]}
    for name, wanted in (
        ("model", document["model"]["fingerprint"]),
        ("training", document["model"]["training_fingerprint"]),
    ):
        if prints.get(name, "") != wanted:
            yield f"the {name} of the card is not the one that its figures come from"


def _tables(document: Mapping[str, Any]) -> Iterator[str]:
    """Counts of people that should be hidden, and intervals that are no claim."""
    claims = document["evidence"]["claims"].values()
    known = {(claim["artefact"], claim["value"], claim["low"], claim["high"]) for claim in claims}
    for section in document["sections"]:
        for table in (block for block in section["blocks"] if block["block"] == "table"):
            for row in table["rows"]:
                for column, cell in zip(table["columns"], row, strict=False):
                    if section["name"] in _OF_PEOPLE and column["kind"] == "count" and _is_few(cell):
                        yield f"a number of people too small to show, in “{table['caption']}”"
                    if isinstance(cell, Mapping) and not _claimed(table, cell, known):
                        yield f"a figure in “{table['caption']}” that is not among the card's figures"


def _is_few(cell: object) -> bool:
    return isinstance(cell, int | float) and is_small(cell)


def _claimed(table: Mapping[str, Any], cell: Mapping[str, Any], known: set[tuple[Any, ...]]) -> bool:
    if cell.get("value") is None or "href" in cell:
        return True
    return (table["source"], cell["value"], cell["low"], cell["high"]) in known


def _limits(document: Mapping[str, Any]) -> Iterator[str]:
    said = {
        item
        for section in document["sections"]
        if section["name"] == "limits"
        for block in section["blocks"]
        if block["block"] == "bullets"
        for item in block["items"]
    }
    gone = [limit for limit in ALWAYS if limit not in said]
    if gone:
        yield f"{len(gone)} of the limits that every card must print are not on it"

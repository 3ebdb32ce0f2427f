"""For those who check: published figures beside ours, the features, the manifest, fingerprints, software."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskmodel.cards.blocks import Block, Cell, Column, Facts, Heading, Paragraph, Section, Table
from riskmodel.cards.evidence import SAID
from riskmodel.cards.given import Given
from riskmodel.cards.sections.privacy import privacy
from riskmodel.cards.words import capital, day_words, learner_words, listed, plain


def published(given: Given) -> Section | None:
    """Figures that others have published, beside the same figures computed here; None where there are none."""
    if not given.published:
        return None
    rows = tuple(
        (
            str(one["figure"]),
            _or_unknown(one.get("published")),
            _or_unknown(one.get("computed")),
            _agrees(one),
            str(one.get("source", "")),
        )
        for one in given.published
    )
    for number, one in enumerate(given.published, start=1):
        if one.get("computed") is not None:
            given.worked_out(f"published.{number}", float(one["computed"]), "published")
    agreeing = sum(one.get("agrees") is True for one in given.published)
    compared = sum(one.get("agrees") is not None for one in given.published)
    columns = (
        Column("Figure"),
        Column("Published", "count"),
        Column("Computed here", "count"),
        Column("Agrees"),
        Column("Source"),
    )
    blocks: tuple[Block, ...] = (
        Paragraph(
            "Others have published figures on the same records. They are computed again here from the same files,"
            f" before anything else is claimed. {agreeing} of {compared} agree to the published digits."
        ),
        Table("Published and computed", columns, rows, source="published"),
    )
    return Section("published", "Beside what others have published", blocks)


def annex(given: Given, software: Mapping[str, str]) -> Section:
    """Features, definitions, fingerprints, software."""
    training, model = given.training, given.model
    blocks: list[Block] = [
        Heading("The model"),
        Facts(
            (
                ("Learner", learner_words(model.learner.kind)),
                ("Features", f"{len(model.feature_names)}"),
                ("Settings", _settings(model.learner.document())),
            )
        ),
        Heading("What it looks at"),
        _features(given),
    ]
    notes = training.manifest.get("notes") or ()
    if notes:
        blocks += [Heading("Reach of the records"), *(Paragraph(capital(given.in_words(str(note)))) for note in notes)]
    covered = training.manifest.get("covered_until") or {}
    if covered:
        rows = tuple((capital(plain(agency)), day_words(day)) for agency, day in sorted(covered.items()))
        blocks.append(
            Table("Until when each agency has delivered", (Column("Agency"), Column("Until")), rows, "training")
        )
    blocks += [*privacy(given), Heading("Fingerprints"), _fingerprints(given), Heading("Software")]
    blocks.append(Facts(tuple((name, version) for name, version in software.items())))
    return Section("annex", "Technical annex", tuple(blocks))


def _features(given: Given) -> Table:
    manifest: Mapping[str, Any] = given.training.manifest.get("columns") or {}
    rows: list[tuple[Cell, ...]] = []
    for name in given.model.feature_names:
        column = manifest.get(name, {})
        sources = column.get("sources") or ()
        nowhere = "The registers of people" if name in manifest else SAID["unknown"]
        rows.append(
            (
                name,
                capital(given.meaning(name) or "not described"),
                capital(listed([plain(source) for source in sources])) if sources else nowhere,
                column.get("missing"),
            )
        )
    columns = (Column("Feature", "code"), Column("Meaning"), Column("From the records of"), Column("Missing", "share"))
    return Table(f"All {len(rows)} features", columns, tuple(rows), source="training", folded=len(rows) > 12)


def _fingerprints(given: Given) -> Table:
    rows = tuple(
        (capital(artefact["holds"]), artefact["fingerprint"]) for artefact in given.evidence.document()["artefacts"]
    )
    return Table("SHA-256 of everything that this card rests on", (Column("What"), Column("Fingerprint", "code")), rows)


def _settings(document: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{plain(str(name))} {value}" for name, value in document.items() if name != "kind" and value != {}
    )


def _agrees(one: Mapping[str, Any]) -> str:
    return {True: "yes", False: "no", None: "nothing to compare"}[one.get("agrees")]


def _or_unknown(value: object) -> str:
    if value is None:
        return SAID["unknown"]
    if isinstance(value, float) and value.is_integer():
        return f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int | float) else str(value)

"""The verb that begins a study: from agencies' files to contracts and a study file that ask what only people know."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from riskmodel.errors import DeclarationError


def new(
    study: Annotated[Path, typer.Argument(help="The folder of the new study.")],
    files: Annotated[list[str], typer.Argument(help="AGENCY=FILE, such as police=crimes.csv; as many as there are.")],
) -> None:
    """Begin a study from agencies' files: drafts contracts and a study file, and says what is still to answer."""
    from riskmodel.studies.skeleton import new_study

    made = new_study(study, _by_agency(files), today=dt.date.today())
    for path in made.written:
        typer.echo(f"wrote {path}")
    typer.echo(f"{made.recognised} columns recognised, {made.passed_over} not; no record was copied.")
    typer.echo(f"Next: `riskmodel check {study}` names every answer that is still empty, with its line.")


def _by_agency(files: list[str]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for given in files:
        agency, sign, path = given.partition("=")
        if not (agency and sign and path):
            raise DeclarationError.of(
                "agency-missing",
                where="the files",
                found=repr(given),
                expected="AGENCY=FILE",
                repair="Say which agency each file is from, such as police=crimes.csv.",
            )
        found.setdefault(agency, []).append(Path(path))
    return found

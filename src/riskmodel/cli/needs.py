"""The verbs about a population: the needs assessment of a study, and stop and search from open tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from riskmodel.cli.arguments import StudyFolder

Pdf = Annotated[bool, typer.Option("--pdf", help="Also as PDF.")]


def needs(
    study: StudyFolder,
    to: Annotated[Path | None, typer.Option(help="The folder of this edition [default: STUDY/needs].")] = None,
    earlier: Annotated[Path | None, typer.Option(help="The folder of the last edition.")] = None,
    data: Annotated[Path | None, typer.Option(envvar="RISKMODEL_DATA", help="Where the study's files lie.")] = None,
    store: Annotated[Path | None, typer.Option(help="Where results are kept [default: STUDY/run].")] = None,
    pdf: Pdf = False,
) -> None:
    """Make the needs assessment that needs.toml declares: pages, data files, and an open pack for the community."""
    from riskmodel.studies.needs import needs_of_study
    from riskmodel.studies.study import Study
    from riskmodel.world.society import World

    def society(people: int, seed: int, folder: Path) -> None:
        World.generate(people=people, seed=seed).deliveries(folder)

    loaded = Study.load(study)
    kept = store or loaded.folder / "run"
    made = needs_of_study(
        loaded, kept, to or loaded.folder / "needs", society=society, data=data, earlier=earlier, pdf=pdf
    )
    for path in made.files:
        typer.echo(f"{path}")
    if made.missing:
        typer.echo(f"{made.missing} statutory headings are not fully answered: see the last part of needs.html.")


def stop_search(
    tables: Annotated[Path, typer.Argument(help="The folder with the open tables.", show_default=False)],
    to: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("stop-search"),
    pdf: Pdf = False,
) -> None:
    """Make the stop and search dashboard from open tables."""
    from riskmodel.studies.needs import searches_of_open_tables

    for path in searches_of_open_tables(tables, to, pdf=pdf):
        typer.echo(f"{path}")

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

    loaded = Study.load(study)
    kept = store or loaded.folder / "run"
    made = needs_of_study(
        loaded, kept, to or loaded.folder / "needs", society=_society, data=data, earlier=earlier, pdf=pdf
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


def missed_use(
    study: StudyFolder,
    to: Annotated[Path | None, typer.Option(help="The folder to write to [default: STUDY/missed-use].")] = None,
    earlier: Annotated[Path | None, typer.Option(help="The folder of the last edition.")] = None,
    data: Annotated[Path | None, typer.Option(envvar="RISKMODEL_DATA", help="Where the study's files lie.")] = None,
    store: Annotated[Path | None, typer.Option(help="Where results are kept [default: STUDY/run].")] = None,
) -> None:
    """Replay the joint rule of needs.toml for one agency, each coalition and all together."""
    from riskmodel.studies.missed_use import missed_use_of_study
    from riskmodel.studies.study import Study

    loaded = Study.load(study)
    kept = store or loaded.folder / "run"
    place = to or loaded.folder / "missed-use"
    for path in missed_use_of_study(loaded, kept, place, society=_society, data=data, earlier=earlier):
        typer.echo(f"{path}")


def who_knew(
    study: StudyFolder,
    person: Annotated[str, typer.Argument(help="The pseudonym, such as P-00000000000000ff.", show_default=False)],
    reason: Annotated[str, typer.Option(help="Which review this is for; it is written to the ledger.")],
    to: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("review"),
    data: Annotated[Path | None, typer.Option(envvar="RISKMODEL_DATA", help="Where the study's files lie.")] = None,
    store: Annotated[Path | None, typer.Option(help="Where results are kept [default: STUDY/run].")] = None,
) -> None:
    """Look back on one person's case: who knew what, when, and when a rule would have asked for a conversation."""
    from riskmodel.studies.missed_use import review_of_study
    from riskmodel.studies.study import Study

    loaded = Study.load(study)
    kept = store or loaded.folder / "run"
    for path in review_of_study(loaded, kept, person, reason, to, society=_society, data=data):
        typer.echo(f"{path}")


def _society(people: int, seed: int, folder: Path) -> None:
    from riskmodel.world.society import World

    World.generate(people=people, seed=seed).deliveries(folder)

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


def unseen(
    table: Annotated[Path, typer.Argument(help="A CSV: a column of 0 and 1 for each list, then people.")],
    title: Annotated[str, typer.Option(help="Who is on the lists.")],
    as_of: Annotated[str, typer.Option(help="The day before which what is in the table was known, as 2014-01-01.")],
    source: Annotated[str, typer.Option(help="Where the table is from; it stands at the foot of the page.")] = "",
    join: Annotated[list[str] | None, typer.Option(help="Take two lists as one, as PF+NCA.")] = None,
    to: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("unseen"),
    pdf: Pdf = False,
) -> None:
    """Estimate how many are on no list from an open table of overlapping lists, with what is held against it."""
    from riskmodel.dates import parse_date
    from riskmodel.studies.needs import unseen_of_open_table

    said, day = source or f"The open table {table.name}.", parse_date(as_of, "--as-of")
    for path in unseen_of_open_table(table, title, said, day, to, joined=join or (), pdf=pdf):
        typer.echo(f"{path}")


def missed_use(
    study: StudyFolder,
    to: Annotated[Path | None, typer.Option(help="The folder to write to [default: STUDY/missed-use].")] = None,
    earlier: Annotated[Path | None, typer.Option(help="The folder of the last edition.")] = None,
    data: Annotated[Path | None, typer.Option(envvar="RISKMODEL_DATA", help="Where the study's files lie.")] = None,
    store: Annotated[Path | None, typer.Option(help="Where results are kept [default: STUDY/run].")] = None,
    model: Annotated[bool, typer.Option(help="Teach the study's model again for each coalition.")] = True,
    pdf: Pdf = False,
) -> None:
    """Replay the model and the joint rule of needs.toml for one agency, coalitions, and all together."""
    from riskmodel.studies.missed_use import missed_use_of_study
    from riskmodel.studies.study import Study

    loaded = Study.load(study)
    kept, place = store or loaded.folder / "run", to or loaded.folder / "missed-use"
    made = missed_use_of_study(loaded, kept, place, society=_society, data=data, earlier=earlier, model=model, pdf=pdf)
    for path in made:
        typer.echo(f"{path}")


def who_knew(
    study: StudyFolder,
    person: Annotated[str, typer.Argument(help="The pseudonym, such as P-00000000000000ff.", show_default=False)],
    reason: Annotated[str, typer.Option(help="Which review this is for; it is written to the ledger.")],
    to: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("review"),
    data: Annotated[Path | None, typer.Option(envvar="RISKMODEL_DATA", help="Where the study's files lie.")] = None,
    store: Annotated[Path | None, typer.Option(help="Where results are kept [default: STUDY/run].")] = None,
    model: Annotated[bool, typer.Option(help="Also ask the study's model, taught again without this person.")] = True,
    pdf: Pdf = False,
) -> None:
    """Look back on one person's case: who knew what, when, and when a rule or the model would have asked for a talk."""
    from riskmodel.studies.review import review_of_study
    from riskmodel.studies.study import Study

    loaded = Study.load(study)
    kept = store or loaded.folder / "run"
    made = review_of_study(loaded, kept, person, reason, to, society=_society, data=data, model=model, pdf=pdf)
    for path in made:
        typer.echo(f"{path}")


def _society(people: int, seed: int, folder: Path) -> None:
    from riskmodel.world.society import World

    World.generate(people=people, seed=seed).deliveries(folder)

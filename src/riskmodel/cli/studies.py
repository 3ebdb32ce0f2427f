"""The verbs of a study: run it, or read what it declares."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from riskmodel.cli.arguments import StudyFolder


def run(
    study: StudyFolder,
    data: Annotated[Path | None, typer.Option(envvar="RISKMODEL_DATA", help="Where the study's files lie.")] = None,
    store: Annotated[Path | None, typer.Option(help="Where results are kept [default: STUDY/run].")] = None,
    cards: Annotated[Path | None, typer.Option(help="Where the card goes [default: model_cards/NAME].")] = None,
    tracking_uri: Annotated[str | None, typer.Option(envvar="MLFLOW_TRACKING_URI", help="MLflow server.")] = None,
) -> None:
    """Run a study from its records to its model card."""
    for line in run_of(study, data, store, cards, tracking_uri):
        typer.echo(line)


def run_of(
    study: Path, data: Path | None, store: Path | None, cards: Path | None, tracking_uri: str | None
) -> list[str]:
    """Run a study of any kind; returns what there is to print."""
    from riskmodel.studies.declaration import is_of_a_table, read_text
    from riskmodel.studies.policy_declaration import is_of_a_policy
    from riskmodel.studies.run import Places, run_study
    from riskmodel.studies.study import Study
    from riskmodel.studies.table_study import TableStudy, run_table_study
    from riskmodel.world.society import World

    if is_of_a_policy(read_text(study)):
        from riskmodel.cli.policy import run_policy

        return run_policy(study, data, store, cards)
    if is_of_a_table(read_text(study)):
        table = TableStudy.load(study)
        return list(run_table_study(table, Places.of(table, data, store, cards, tracking_uri)).summary())

    def society(people: int, seed: int, folder: Path) -> None:
        World.generate(people=people, seed=seed).deliveries(folder)

    loaded = Study.load(study)
    return list(run_study(loaded, Places.of(loaded, data, store, cards, tracking_uri), society).summary())


def check(study: StudyFolder) -> None:
    """Read a study and say what it declares, without opening any data."""
    from riskmodel.studies.declaration import is_of_a_table, read_text
    from riskmodel.studies.policy_declaration import is_of_a_policy
    from riskmodel.studies.study import Study
    from riskmodel.studies.table_study import TableStudy

    if is_of_a_policy(read_text(study)):
        from riskmodel.cli.policy import check_policy

        check_policy(study)
        return
    if is_of_a_table(read_text(study)):
        table = TableStudy.load(study)
        rounds, columns = len(table.declaration.rounds), len(table.declaration.table.columns)
        typer.echo(f"{table.declaration.study.title}: {rounds} rounds, {columns} columns.")
        return
    loaded = Study.load(study)
    typer.echo(f"{loaded.declaration.study.title}: {len(loaded.features)} features, learner {loaded.learner!r}.")

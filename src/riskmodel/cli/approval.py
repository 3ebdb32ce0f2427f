"""The verbs of the board's approvals."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from riskmodel.cli.arguments import StudyFolder

verbs = typer.Typer(help="The board's approvals.", no_args_is_help=True)


@verbs.command("draft")
def approval_draft(
    study: StudyFolder,
    store: Annotated[Path | None, typer.Option(help="Where results are kept [default: STUDY/run].")] = None,
) -> None:
    """Write an approval for the study's model and card, still undecided, for the board to fill in."""
    from riskmodel.studies.run import Places, draft_approval_for
    from riskmodel.studies.study import Study

    loaded = Study.load(study)
    typer.echo(f"{draft_approval_for(loaded, Places.of(loaded, None, store, None, None))}")


@verbs.command("sign-off")
def approval_sign_off(
    study: StudyFolder,
    store: Annotated[Path | None, typer.Option(help="Where results are kept [default: STUDY/run].")] = None,
) -> None:
    """Seal the approval that the board has filled in; from then on a changed word is seen."""
    from riskmodel.studies.run import Places, sign_off_for
    from riskmodel.studies.study import Study

    loaded = Study.load(study)
    typer.echo(f"{sign_off_for(loaded, Places.of(loaded, None, store, None, None))}")

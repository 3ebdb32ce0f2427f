"""The verbs of model cards."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

verbs = typer.Typer(help="Model cards.", no_args_is_help=True)


@verbs.command("verify")
def card_verify(folder: Annotated[Path, typer.Argument(help="The folder with card.json.")]) -> None:
    """Check a card against its own evidence; refuses an altered one."""
    from riskmodel.cards.verify import verify_card

    typer.echo(verify_card(folder))

"""The verbs of the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

verbs = typer.Typer(help="The record of what was read, made, approved and refused.", no_args_is_help=True)


@verbs.command("verify")
def ledger_verify(path: Annotated[Path, typer.Argument(help="The ledger.jsonl of a store.")]) -> None:
    """Check the ledger's chain from the first entry to the last."""
    from riskmodel.governance.ledger import verify

    found = verify(path)
    typer.echo(f"{found}")
    found.must_hold()

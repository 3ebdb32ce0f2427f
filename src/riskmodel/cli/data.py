"""The verbs of public data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

verbs = typer.Typer(help="Real data to learn with.", no_args_is_help=True)


@verbs.command("fetch")
def data_fetch(
    name: Annotated[str, typer.Argument(help="compas")],
    to: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("data"),
) -> None:
    """Download a public data set, check it against its published hash, and lay it out for its study."""
    from riskmodel.feeds.public import fetch

    typer.echo(f"{fetch(name, to)}")

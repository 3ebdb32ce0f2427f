"""The verbs of the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from riskmodel.governance.ledger import Head

verbs = typer.Typer(help="The record of what was read, made, approved and refused.", no_args_is_help=True)


@verbs.command("verify")
def ledger_verify(
    path: Annotated[Path, typer.Argument(help="The ledger.jsonl of a store.")],
    study: Annotated[str | None, typer.Option(help="The study, where a server keeps the runs of several.")] = None,
    tracking_uri: Annotated[str | None, typer.Option(envvar="MLFLOW_TRACKING_URI", help="MLflow server.")] = None,
) -> None:
    """Check the chain from first to last, its anchor, and the heads that recorded runs noted in MLflow."""
    from riskmodel.governance.ledger import verify

    heads = _noted(path.parent, tracking_uri, study)
    found = verify(path, heads)
    typer.echo(f"{found}")
    if heads:
        typer.echo(f"{len(heads)} heads noted in MLflow, the last at entry {heads[-1].number:,}.")
    else:
        typer.echo("No head was noted in MLflow: that file and anchor were replaced together would not show.")
    found.must_hold()


def _noted(folder: Path, tracking_uri: str | None, study: str | None) -> list[Head]:
    """The heads that MLflow holds; nothing is made where there is no database yet."""
    if tracking_uri is None and not (folder / "mlflow.db").exists():
        return []
    from riskmodel.tracking.anchors import noted_heads

    return list(noted_heads(folder, tracking_uri, study))

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


@verbs.command("from-run")
def card_from_run(
    run: Annotated[str, typer.Argument(help="The id of a run in MLflow that was made without riskmodel.")],
    data: Annotated[Path, typer.Option(help="The rows to judge it on: Parquet or CSV.")],
    outcome: Annotated[str, typer.Option(help="The column with 0, 1 or nothing.")],
    group: Annotated[list[str], typer.Option(help="A column to audit by; several with commas are crossed.")],
    purpose: Annotated[Path, typer.Option(help="The TOML file with the purpose the rows are read for.")],
    store: Annotated[Path, typer.Option(help="The folder for card and ledger, and of mlflow.db.")] = Path("."),
    person: Annotated[str | None, typer.Option(help="The column that says whose row it is.")] = None,
    scores: Annotated[str | None, typer.Option(help="A column of scores, when the model is not to be opened.")] = None,
    feature: Annotated[list[str] | None, typer.Option(help="A column the model takes, if it does not say.")] = None,
    capacity: Annotated[list[float] | None, typer.Option(help="A list length [default: 0.05, 0.1, 0.2].")] = None,
    not_probabilities: Annotated[bool, typer.Option("--not-probabilities", help="The scores only rank.")] = False,
    text: Annotated[Path | None, typer.Option(help="A TOML file with what people wrote, under [card].")] = None,
    model: Annotated[str | None, typer.Option(help="Which model, when the run has several.")] = None,
    name: Annotated[str | None, typer.Option(help="The registered model that gets the card.")] = None,
    date: Annotated[str | None, typer.Option(help="The day on the card, such as 2026-12-01.")] = None,
    edition: Annotated[str, typer.Option(help="The edition of the card.")] = "1",
    tracking_uri: Annotated[str | None, typer.Option(envvar="MLFLOW_TRACKING_URI", help="MLflow server.")] = None,
) -> None:
    """Audit a run that was made without riskmodel, and draft its card; what nobody has said stays a question."""
    from riskmodel.cards.found_given import ASKED
    from riskmodel.dates import parse_date
    from riskmodel.governance.declarations import read_declaration
    from riskmodel.governance.purposes import Purpose
    from riskmodel.tracking.found_runs import card_of_run

    made = card_of_run(
        run,
        data,
        outcome=outcome,
        groups=[tuple(by.split(",")) if "," in by else by for by in group],
        purpose=Purpose.load(purpose),
        store=store,
        person=person,
        scores=scores,
        features=tuple(feature or ()),
        capacity=tuple(capacity or (0.05, 0.1, 0.2)),
        probabilities=not not_probabilities,
        text=read_declaration(text, "card").get("card", {}) if text else {},
        model=model,
        name=name,
        date=parse_date(date, "date") if date else None,
        edition=edition,
        tracking_uri=tracking_uri,
    )
    typer.echo(f"Draft card: {made.folder / 'card.html'}")
    typer.echo(f"In MLflow: {made.model_uri}")
    for name_ in made.unanswered:
        typer.echo(f"A person must answer {name_}: {ASKED[name_]}.")

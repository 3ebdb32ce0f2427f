"""The verbs of model cards."""

from __future__ import annotations

import datetime as dt
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from riskmodel.cards.model_card import ModelCard

verbs = typer.Typer(help="Model cards.", no_args_is_help=True)
Folder = Annotated[Path, typer.Argument(help="The folder with card.json.")]


class ToBe(StrEnum):
    """What a card is to go on to."""

    draft = "draft"
    reviewed = "reviewed"
    approved = "approved"
    in_use = "in_use"
    retired = "retired"


@verbs.command("verify")
def card_verify(
    folder: Folder,
    state: Annotated[ToBe, typer.Option("--for", help="What the card is to go on to.")] = ToBe.draft,
    study: Annotated[Path | None, typer.Option(help="Make the card again from this study, and compare.")] = None,
    store: Annotated[Path | None, typer.Option(help="Where the study's results are [default: STUDY/run].")] = None,
    data: Annotated[Path | None, typer.Option(envvar="RISKMODEL_DATA", help="Where the study's files lie.")] = None,
    on: Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day [default: today].")] = None,
) -> None:
    """Check a card against its own evidence, and whether it may go on; with a study, every figure is made again."""
    from riskmodel.cards.verify import verify_card

    again = None if study is None else _made_again(study, store, data)
    typer.echo(verify_card(folder, again, state=state.value, today=on.date() if on else None))


@verbs.command("figure")
def card_figure(
    folder: Folder,
    key: Annotated[str, typer.Argument(help="The figure's key, such as performance.model.all.auroc.")],
) -> None:
    """Print all that is known of one figure: interval, n, state, artefact, code, data, time of making."""
    import json

    from riskmodel.cards.evidence import record_of
    from riskmodel.cards.model_card import ModelCard
    from riskmodel.cards.verify import whole

    typer.echo(json.dumps(record_of(whole(ModelCard.load(folder)).document, key), indent=1, ensure_ascii=False))


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


@verbs.command("diff")
def card_diff_of(
    before: Annotated[Path, typer.Argument(help="The folder of the card that the board last saw.")],
    after: Annotated[Path, typer.Argument(help="The folder of the card as it is now.")],
    page: Annotated[Path | None, typer.Option(help="Also write it as a web page.")] = None,
) -> None:
    """Say what changed between two cards: in sentences, then in tables."""
    from riskmodel.cards import html
    from riskmodel.cards.diff import diff_document
    from riskmodel.cards.model_card import ModelCard

    document = diff_document(ModelCard.load(before), ModelCard.load(after))
    if page is not None:
        page.write_text(html.page(document), encoding="utf-8", newline="\n")
    typer.echo(html.markdown(document))


@verbs.command("pdf")
def card_pdf(folder: Folder) -> None:
    """Write the card and the pages beside it as tagged PDF (needs the extra [pdf])."""
    from riskmodel.cards.model_card import ModelCard
    from riskmodel.cards.pdf import write_pdfs
    from riskmodel.cards.verify import verify_card

    verify_card(folder)
    for path in write_pdfs(ModelCard.load(folder), folder):
        typer.echo(str(path))


def _made_again(study: Path, store: Path | None, data: Path | None) -> ModelCard:
    """The card that the study makes now; results that are kept and still fit are not made again."""
    from riskmodel.cards.model_card import ModelCard
    from riskmodel.cli.studies import run_of

    with tempfile.TemporaryDirectory() as place:
        run_of(study, data, store, Path(place) / "card", None)
        return ModelCard.load(Path(place) / "card")

"""The command line: thin verbs over the package. It prints results, sentences and exit codes; never a traceback.

Exit codes
----------
0 done; 1 a fault in riskmodel itself; 2 a study, setting or path refused; 3 data refused; 4 not permitted (purpose or
approval); 5 something is not installed; 6 evidence missing, stale or altered; 130 interrupted.

Heavy libraries are imported inside the verbs that need them, so that ``riskmodel --help`` answers at once.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from riskmodel import __version__
from riskmodel.errors import RiskmodelError

app = typer.Typer(
    name="riskmodel",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
data_app = typer.Typer(help="Real data to learn with.", no_args_is_help=True)
card_app = typer.Typer(help="Model cards.", no_args_is_help=True)
ledger_app = typer.Typer(help="The record of what was read, made, approved and refused.", no_args_is_help=True)
approval_app = typer.Typer(help="The board's approvals.", no_args_is_help=True)
app.add_typer(data_app, name="data")
app.add_typer(card_app, name="card")
app.add_typer(ledger_app, name="ledger")
app.add_typer(approval_app, name="approval")

StudyFolder = Annotated[Path, typer.Argument(help="The folder with study.toml.", show_default=False)]


@app.command()
def run(
    study: StudyFolder,
    data: Annotated[Path | None, typer.Option(envvar="RISKMODEL_DATA", help="Where the study's files lie.")] = None,
    store: Annotated[Path | None, typer.Option(help="Where results are kept [default: STUDY/run].")] = None,
    cards: Annotated[Path | None, typer.Option(help="Where the card goes [default: model_cards/NAME].")] = None,
    tracking_uri: Annotated[str | None, typer.Option(envvar="MLFLOW_TRACKING_URI", help="MLflow server.")] = None,
) -> None:
    """Run a study from its records to its model card."""
    from riskmodel.studies.declaration import is_of_a_table, read_text
    from riskmodel.studies.run import Places, run_study
    from riskmodel.studies.study import Study
    from riskmodel.studies.table_study import TableStudy, run_table_study
    from riskmodel.world.society import World

    if is_of_a_table(read_text(study)):
        table = TableStudy.load(study)
        for line in run_table_study(table, Places.of(table, data, store, cards, tracking_uri)).summary():
            typer.echo(line)
        return

    def society(people: int, seed: int, folder: Path) -> None:
        World.generate(people=people, seed=seed).deliveries(folder)

    loaded = Study.load(study)
    finished = run_study(loaded, Places.of(loaded, data, store, cards, tracking_uri), society)
    for line in finished.summary():
        typer.echo(line)


@app.command()
def check(study: StudyFolder) -> None:
    """Read a study and say what it declares, without opening any data."""
    from riskmodel.studies.declaration import is_of_a_table, read_text
    from riskmodel.studies.study import Study
    from riskmodel.studies.table_study import TableStudy

    if is_of_a_table(read_text(study)):
        table = TableStudy.load(study)
        rounds, columns = len(table.declaration.rounds), len(table.declaration.table.columns)
        typer.echo(f"{table.declaration.study.title}: {rounds} rounds, {columns} columns.")
        return
    loaded = Study.load(study)
    typer.echo(f"{loaded.declaration.study.title}: {len(loaded.features)} features, learner {loaded.learner!r}.")


@data_app.command("fetch")
def data_fetch(
    name: Annotated[str, typer.Argument(help="compas")],
    to: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("data"),
) -> None:
    """Download a public data set, check it against its published hash, and lay it out for its study."""
    from riskmodel.feeds.public import fetch

    typer.echo(f"{fetch(name, to)}")


@card_app.command("verify")
def card_verify(folder: Annotated[Path, typer.Argument(help="The folder with card.json.")]) -> None:
    """Check a card against its own evidence; refuses an altered one."""
    from riskmodel.cards.verify import verify_card

    typer.echo(verify_card(folder))


@ledger_app.command("verify")
def ledger_verify(path: Annotated[Path, typer.Argument(help="The ledger.jsonl of a store.")]) -> None:
    """Check the ledger's chain from the first entry to the last."""
    from riskmodel.governance.ledger import verify

    found = verify(path)
    typer.echo(f"{found}")
    found.must_hold()


@approval_app.command("draft")
def approval_draft(
    study: StudyFolder,
    store: Annotated[Path | None, typer.Option(help="Where results are kept [default: STUDY/run].")] = None,
) -> None:
    """Write an approval for the study's model and card, still undecided, for the board to fill in."""
    from riskmodel.studies.run import Places, draft_approval_for
    from riskmodel.studies.study import Study

    loaded = Study.load(study)
    typer.echo(f"{draft_approval_for(loaded, Places.of(loaded, None, store, None, None))}")


@approval_app.command("sign-off")
def approval_sign_off(
    study: StudyFolder,
    store: Annotated[Path | None, typer.Option(help="Where results are kept [default: STUDY/run].")] = None,
) -> None:
    """Seal the approval that the board has filled in; from then on a changed word is seen."""
    from riskmodel.studies.run import Places, sign_off_for
    from riskmodel.studies.study import Study

    loaded = Study.load(study)
    typer.echo(f"{sign_off_for(loaded, Places.of(loaded, None, store, None, None))}")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"riskmodel {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Risk modelling and fairness for violence-reduction partnerships. Advisory decision support, never a decision."""


def main() -> None:
    """Run the command line and end with its exit code."""
    interrupts = _noted_interrupts()
    try:
        app()
    except (Exception, KeyboardInterrupt, SystemExit) as ending:
        if isinstance(ending, SystemExit) and (not interrupts or not ending.code):
            raise
        if not interrupts and not isinstance(ending, RiskmodelError) and os.environ.get("RISKMODEL_DEBUG"):
            raise
        words, code = _INTERRUPTED if interrupts else _last_words(ending)
        print(f"riskmodel: {words}", file=sys.stderr)
        sys.exit(code)


_INTERRUPTED = "interrupted; finished stages are kept. Run the same command again to go on.", 130


def _noted_interrupts() -> list[int]:
    """A list that gets an entry at every Ctrl-C: libraries below may turn one into an error of their own."""
    noted: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        noted.append(number)
        signal.default_int_handler(number, frame)

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a command in the background may ignore it
        signal.signal(signal.SIGINT, note)
    return noted


def _last_words(error: BaseException) -> tuple[str, int]:
    """What to say of an error, and the exit code."""
    if isinstance(error, RiskmodelError):
        return str(error), error.exit_code
    last = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"a fault in riskmodel itself ({type(error).__name__} in {Path(last.filename).name}, line {last.lineno}). "
        "Nothing that was finished is lost. Set RISKMODEL_DEBUG=1 and run again for the details."
    ), 1


if __name__ == "__main__":
    main()

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
from riskmodel.cli import approval, board, card, data, ledger, needs, new, pseudonymise, studies, world
from riskmodel.errors import RiskmodelError

app = typer.Typer(
    name="riskmodel",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(new.new)
app.command()(studies.run)
app.command()(studies.check)
app.command()(needs.needs)
app.command()(needs.stop_search)
app.command()(needs.unseen)
app.command()(needs.missed_use)
app.command()(needs.who_knew)
app.command()(world.world)
app.command()(pseudonymise.pseudonymise)
for name, group in (("data", data), ("card", card), ("ledger", ledger), ("approval", approval), ("board", board)):
    app.add_typer(group.verbs, name=name)


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

"""The verbs of the reading room: open it on stores and studies, and keep its accounts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

Room = Annotated[Path, typer.Option("--room", help="The folder with the room's accounts and, if any, room.toml.")]
_ROOM = Path("reading-room")


class _OpenByDefault(TyperGroup):
    """`riskmodel board STORE` opens the room; `riskmodel board account ...` keeps its accounts."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ("--help", "-h")):
            args = ["open", *args]
        return super().parse_args(ctx, args)


verbs = typer.Typer(help="The reading room of the ethics board.", cls=_OpenByDefault)
accounts = typer.Typer(help="Who may enter the reading room.", no_args_is_help=True)
verbs.add_typer(accounts, name="account")


@verbs.command("open")
def board_open(
    stores: Annotated[list[Path] | None, typer.Argument(help="Folders of studies, or of their results.")] = None,
    room: Room = _ROOM,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8765,
    name: Annotated[list[str] | None, typer.Option(help="A further host name to answer to.")] = None,
    https: Annotated[bool, typer.Option(help="It is reached through https: cookies go over nothing else.")] = False,
) -> None:
    """Open the reading room on the models of studies and stores, until interrupted."""
    _must_be_installed("fastapi", "uvicorn", "argon2", "python_multipart")
    from riskmodel.board.serve import prepared, serve

    made = prepared(room, stores or [])
    typer.echo(f"The reading room is open at http://{host}:{port}/ (end it with Ctrl-C).")
    serve(made, host, port, name or [], secure=https)


@accounts.command("add")
def account_add(
    name: Annotated[str, typer.Argument(help="Small letters, such as a.mensah.")],
    role: Annotated[str, typer.Option(help="member, chair, clerk, data scientist or observer.")],
    board: Annotated[str, typer.Option(help="The board whose models the account sees.")] = "ethics",
    room: Room = _ROOM,
) -> None:
    """Add an account, or give one a new role and password; asks for the password."""
    _must_be_installed("argon2")
    from riskmodel.board.accounts import Account, Accounts

    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    Accounts(room).add(Account(name, role, board), password)
    typer.echo(f"{name}: {role} of the board {board}.")


@accounts.command("list")
def account_list(room: Room = _ROOM) -> None:
    """Say which accounts there are."""
    _must_be_installed("argon2")
    from riskmodel.board.accounts import Accounts

    for account in Accounts(room).all():
        typer.echo(f"{account.name}: {account.role} of the board {account.board}.")


@accounts.command("remove")
def account_remove(name: str, room: Room = _ROOM) -> None:
    """Remove an account; whoever is signed in with it is out at the next page."""
    _must_be_installed("argon2")
    from riskmodel.board.accounts import Accounts

    Accounts(room).remove(name)
    typer.echo(f"{name} was removed.")


def _must_be_installed(*modules: str) -> None:
    from importlib.util import find_spec

    from riskmodel.errors import NotInstalled

    if absent := [module for module in modules if find_spec(module) is None]:
        raise NotInstalled(
            "board-not-installed",
            found=f"no {', '.join(absent)} on this machine",
            expected="the extra [board]",
            repair="Install it: pip install 'riskmodel-advisory[board]'.",
        )

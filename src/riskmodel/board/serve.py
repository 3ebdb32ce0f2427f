"""Starting the reading room: on loopback unless told otherwise, one process, and no line of log about anybody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from riskmodel.board.app import application
from riskmodel.board.guard import Guard
from riskmodel.board.pages import ready_to_draw
from riskmodel.board.room import Room
from riskmodel.errors import NotFound, NotPermitted


def prepared(folder: Path, stores: Sequence[Path]) -> Room:
    """The room, its registries brought into line with the ledgers.

    Raises
    ------
    NotPermitted : there is no account, so nobody could enter
    """
    room = Room.of(folder, stores)
    if not room.accounts.all():
        raise NotPermitted(
            "accounts-missing",
            found="a reading room without an account",
            expected="at least one account",
            repair="Add one: riskmodel board account add NAME --role chair.",
        )
    today = dt.datetime.now(dt.UTC).date()
    for shelf in {id(shelf): shelf for held in room.shelves.values() for shelf in held.values()}.values():
        with suppress(NotFound):
            shelf.registry.follow_all(shelf.followed.now().stands, today)
        shelf.items()  # read now, so that the first reader does not wait for it
    return room


def hosts_of(host: str, port: int, names: Sequence[str] = ()) -> frozenset[str]:
    """The values of the Host header that are answered.

    Examples
    --------
    >>> sorted(hosts_of("127.0.0.1", 8765, ["board.example.org"]))
    ['127.0.0.1:8765', 'board.example.org', 'board.example.org:8765', 'localhost:8765']
    """
    loopback = ["127.0.0.1", "localhost"] if host in ("127.0.0.1", "localhost") else []
    own = [] if host in ("0.0.0.0", "::") else [host]
    return frozenset([f"{name}:{port}" for name in (*loopback, *own, *names)] + list(names))


def serve(room: Room, host: str, port: int, names: Sequence[str] = (), *, secure: bool = False) -> None:
    """Answer until interrupted."""
    import uvicorn

    ready_to_draw()
    app: Guard = application(room, hosts_of(host, port, names), secure=secure)
    uvicorn.run(
        app, host=host, port=port, log_level="warning", access_log=False, server_header=False, proxy_headers=False
    )  # fmt: skip

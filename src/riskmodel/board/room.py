"""The reading room: which boards there are, how each decides, and which stores stand on whose shelf.

Without a file ``room.toml`` there is one board, and everything stands on its shelf. With it, a store that no board
names is shown to nobody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from riskmodel.board.accounts import DEFAULT_BOARD, Account, Accounts
from riskmodel.board.shelf import Item, Shelf, no_such_version
from riskmodel.errors import DeclarationError, Fault
from riskmodel.governance.declarations import read_declaration, unknown_key_faults

FILE = "room.toml"
VOTERS = ("chair", "member")
"""The roles that propose and vote."""


@dataclass(frozen=True, slots=True)
class Board:
    """One board and how it decides.

    Parameters
    ----------
    name : str, as in its accounts
    title : str
    quorum : int, how many votes in favour make a decision
    needs : tuple of roles of which each must be among them
    stores : tuple of paths as given at the start; None is every store
    """

    name: str = DEFAULT_BOARD
    title: str = "Ethics board"
    quorum: int = 2
    needs: tuple[str, ...] = ("chair",)
    stores: tuple[str, ...] | None = None

    @property
    def rule(self) -> str:
        """How it decides, in words."""
        needed = f", among them the {' and the '.join(self.needs)}" if self.needs else ""
        return f"A decision needs {self.quorum} vote{'' if self.quorum == 1 else 's'} in favour{needed}."

    def decides(self, roles: Sequence[str]) -> bool:
        """Whether votes in favour of these roles make a decision."""
        return len(roles) >= self.quorum and set(self.needs) <= set(roles)

    def counted(self, roles: Sequence[str]) -> str:
        """How far votes in favour of these roles have come, in words.

        Examples
        --------
        >>> Board(quorum=3).counted(["member", "member"])
        "2 of 3 votes in favour. Still needed: the chair's."
        """
        said = f"{len(roles)} of {self.quorum} votes in favour."
        absent = [role for role in self.needs if role not in roles]
        return f"{said} Still needed: the {' and the '.join(absent)}'s." if absent else said


@dataclass(frozen=True, slots=True)
class Room:
    """Boards, accounts and shelves.

    Attributes
    ----------
    accounts : Accounts
    boards : mapping of name to Board
    shelves : mapping of board to its shelves, by their names
    """

    accounts: Accounts
    boards: Mapping[str, Board]
    shelves: Mapping[str, Mapping[str, Shelf]]

    @classmethod
    def of(cls, folder: Path, stores: Sequence[Path]) -> Room:
        """The room whose accounts and boards lie in a folder, with these stores on its shelves."""
        boards = _boards(folder)
        shelves: dict[str, dict[str, Shelf]] = {name: {} for name in boards}
        for store in stores:
            name = _name(store, [each for held in shelves.values() for each in held])
            shelf = Shelf.of(store, name)
            for board in boards.values():
                if board.stores is None or any(Path(given).resolve() == store.resolve() for given in board.stores):
                    shelves[board.name][name] = shelf
        return cls(Accounts(folder), boards, shelves)

    def board(self, account: Account) -> Board:
        """The board of an account; one that is not in the room sees nothing."""
        return self.boards.get(account.board) or Board(account.board, account.board, stores=())

    def items(self, account: Account) -> list[Item]:
        """What the account's board has on its shelves, newest first."""
        own = self.shelves.get(account.board, {})
        return sorted(
            (item for shelf in own.values() for item in shelf.items()), key=lambda item: -item.version.made_at
        )

    def find(self, account: Account, shelf: str, name: str, number: int) -> tuple[Shelf, Item]:
        """One version on the shelf of the account's own board.

        Raises
        ------
        NotFound : it is not there, or stands on the shelf of another board
        """
        held = self.shelves.get(account.board, {}).get(shelf)
        if held is None:
            raise no_such_version()
        return held, held.item(name, number)


def _boards(folder: Path) -> dict[str, Board]:
    if not (folder / FILE).exists():
        return {DEFAULT_BOARD: Board()}
    held = read_declaration(folder / FILE, "room")
    faults = unknown_key_faults("room", held, ["board"])
    given = held.get("board", [])
    if not given:
        faults.append(Fault("room", "no board", "a table [[board]] for each", "Write at least one."))
    for number, each in enumerate(given, start=1):
        faults += _faults(f"board {number}", each)
    if faults:
        raise DeclarationError("room-invalid", faults=faults)
    made = [
        Board(**{**each, "needs": tuple(each.get("needs", ("chair",))), "stores": _stores(folder, each)})
        for each in given
    ]
    return {board.name: board for board in made}


def _stores(folder: Path, given: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Paths as they are meant: beside the room's folder when they are not absolute."""
    named = given.get("stores")
    return None if named is None else tuple(str((folder / name).resolve()) for name in named)


def _faults(where: str, given: Mapping[str, Any]) -> list[Fault]:
    faults = unknown_key_faults(where, given, [field.name for field in fields(Board)])
    for name in ("name", "title"):
        if not isinstance(given.get(name), str) or not given[name].strip():
            faults.append(Fault(f"{where}.{name}", "nothing", "a text", f"Write the {name} of the board."))
    quorum = given.get("quorum", 2)
    if isinstance(quorum, bool) or not isinstance(quorum, int) or quorum < 1:
        faults.append(Fault(f"{where}.quorum", repr(quorum), "a whole number above 0", "Say how many votes decide."))
    for name, allowed in (("needs", VOTERS), ("stores", None)):
        value = given.get(name, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            faults.append(Fault(f"{where}.{name}", "no list of texts", "a list", "Write a list."))
        elif allowed and not set(value) <= set(allowed):
            faults.append(Fault(f"{where}.{name}", repr(value), f"some of {', '.join(allowed)}", "Name who votes."))
    return faults


def _name(store: Path, taken: Sequence[str]) -> str:
    """A short name for addresses of pages: that of the study's folder, with a number where there are two."""
    resolved = store.resolve()
    given = resolved.parent.name if resolved.name == "run" else resolved.name
    plain = re.sub(r"[^a-z0-9]+", "-", given.lower()).strip("-") or "store"
    name, number = plain, 1
    while name in taken:
        number += 1
        name = f"{plain}-{number}"
    return name

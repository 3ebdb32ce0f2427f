"""Who may enter the reading room: local accounts with a role and a board, their passwords hashed with Argon2.

The file is readable by its owner only and is replaced whole. Whether a name or a password was wrong is told by neither
the answer nor the time it takes.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from riskmodel.errors import DeclarationError, EvidenceError, Fault, NotFound

FILE: Final = "accounts.json"
ROLES: Final = ("member", "chair", "clerk", "data scientist", "observer")
DEFAULT_BOARD: Final = "ethics"
SHORTEST_PASSWORD: Final = 12
_NAME = re.compile(r"[a-z][a-z0-9]*([._-][a-z0-9]+)*")
_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash("nobody has this password")
"""Checked when there is no such account, so that the answer takes as long."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account.

    Attributes
    ----------
    name : str, small letters, such as "a.mensah"
    role : one of `ROLES`
    board : str, the board whose models it sees
    """

    name: str
    role: str
    board: str = DEFAULT_BOARD


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts of a reading room.

    Parameters
    ----------
    folder : Path, of the reading room
    """

    folder: Path

    def add(self, account: Account, password: str) -> None:
        """Add an account, or give an account that is there a new role and password.

        Raises
        ------
        DeclarationError : every fault of name, role, board and password
        """
        faults = [
            _fault(part, value, "small letters, digits, dots and hyphens")
            for part, value in (("name", account.name), ("board", account.board))
            if not _NAME.fullmatch(value)
        ]
        if account.role not in ROLES:
            faults.append(_fault("role", account.role, f"one of {', '.join(ROLES)}"))
        if len(password) < SHORTEST_PASSWORD or password.lower() == account.name:
            wanted = f"at least {SHORTEST_PASSWORD} characters, other than the name"
            faults.append(Fault("account.password", f"{len(password)} characters", wanted, "Choose a longer one."))
        if faults:
            raise DeclarationError("account-invalid", faults=faults)
        held = self._held()
        held[account.name] = {**asdict(account), "hash": _HASHER.hash(password)}
        self._write(held)

    def remove(self, name: str) -> None:
        """Remove an account; whoever is signed in with it is out at the next page."""
        held = self._held()
        if held.pop(name, None) is None:
            raise NotFound(
                "account-missing",
                found=f"no account {name!r}",
                expected="one of the accounts of this reading room",
                repair="See them with: riskmodel board account list.",
            )
        self._write(held)

    def all(self) -> tuple[Account, ...]:
        """Every account, by name."""
        return tuple(_account(held) for _, held in sorted(self._held().items()))

    def get(self, name: str) -> Account | None:
        """The account as it now is, or None."""
        held = self._held().get(name)
        return None if held is None else _account(held)

    def signed_in(self, name: str, password: str) -> Account | None:
        """The account, when the password is right."""
        held = self._held().get(name)
        try:
            _HASHER.verify(_NOBODY if held is None else held["hash"], password)
        except (VerificationError, InvalidHashError):
            return None
        return None if held is None else _account(held)

    def _held(self) -> dict[str, dict[str, str]]:
        path = self.folder / FILE
        if not path.exists():
            return {}
        try:
            return {held["name"]: held for held in json.loads(path.read_text(encoding="utf-8"))["accounts"]}
        except (ValueError, KeyError, TypeError):
            raise EvidenceError(
                "accounts-damaged",
                found=f"a file {FILE} that cannot be read",
                expected="the accounts as they were written",
                repair="Restore the file from a backup, or remove it and add the accounts again.",
            ) from None

    def _write(self, held: dict[str, dict[str, str]]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        aside = self.folder / f".{FILE}"
        file = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(file, "w", encoding="utf-8") as out:
            json.dump({"accounts": list(held.values())}, out, indent=1)
        os.replace(aside, self.folder / FILE)


def _account(held: dict[str, str]) -> Account:
    return Account(held["name"], held["role"], held["board"])


def _fault(part: str, found: str, expected: str) -> Fault:
    return Fault(f"account.{part}", repr(found), expected, f"Correct the {part}.")

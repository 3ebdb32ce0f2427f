"""Who may do what under a purpose: a role, a purpose, a level, until a day. Written by people, checked at the gate.

Levels build on each other: a role that may see people's rows may see counts, too. A grant never goes beyond its
purpose, and a role without one may do nothing. Roles are written down, not people's names.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from riskmodel.errors import DeclarationError, Fault, NotPermitted
from riskmodel.governance.declarations import read_declaration, text_faults, unknown_key_faults

FILE: Final = "grants.toml"
"""The name of a store's own grants; where there are some, nobody else's count in it."""
ROLE: Final = "RISKMODEL_ROLE"
"""The variable of the environment that says in which role a command is run."""
LEVELS: Final = ("aggregates", "rows", "scores")
"""What a role may see: tables of counts; people's rows under pseudonym; scores of people as well."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What one role may do under one purpose.

    Parameters
    ----------
    role : str, such as "analyst"
    purpose : str, the name of the purpose
    level : str, one of `LEVELS`; a level includes those before it
    expires : date, the first day on which it no longer holds

    Raises
    ------
    DeclarationError : with every fault at once
    """

    role: str
    purpose: str
    level: str
    expires: dt.date

    def __post_init__(self) -> None:
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        if faults := _faults("grant", given):
            raise DeclarationError("grant-invalid", faults=faults)

    def document(self) -> dict[str, str]:
        """The grant as JSON-able values."""
        return {"role": self.role, "purpose": self.purpose, "level": self.level, "expires": self.expires.isoformat()}


@dataclass(frozen=True, slots=True)
class Grants:
    """Every grant of a partnership.

    Examples
    --------
    >>> grants = Grants((Grant("analyst", "early-support", "rows", dt.date(2027, 1, 1)),))
    >>> grants.must_allow("analyst", "early-support", "aggregates", dt.date(2026, 12, 31))
    >>> grants.must_allow("analyst", "early-support", "scores", dt.date(2026, 12, 31))
    Traceback (most recent call last):
    ...
    riskmodel.errors.NotPermitted: Found a grant for 'analyst' up to the level rows; expected the level scores. ...
    """

    all: tuple[Grant, ...]

    @classmethod
    def load(cls, path: str | Path) -> Grants:
        """Grants from a TOML file with a table ``[[grant]]`` for each; all faults at once."""
        held = read_declaration(path, "grants")
        given = held.get("grant", [])
        faults = unknown_key_faults("grants", held, ["grant"])
        if not isinstance(given, list) or not given:
            faults.append(Fault("grants", "no grant", "a table [[grant]] for each", "Write at least one."))
            given = []
        known = [field.name for field in fields(Grant)]
        for number, each in enumerate(given, start=1):
            where = f"grant {number}"
            faults += [*unknown_key_faults(where, each, known), *_faults(where, each)]
        if faults:
            raise DeclarationError("grants-invalid", faults=faults)
        return cls(tuple(Grant(**each) for each in given))

    @classmethod
    def of_store(cls, folder: Path) -> Grants | None:
        """The grants that a store holds itself, in the file ``grants.toml`` of its folder; None where it holds none."""
        path = folder / FILE
        return cls.load(path) if path.exists() else None

    def must_allow(self, role: str, purpose: str, level: str, on: dt.date | None = None) -> None:
        """Refuse unless the role has a grant in force for the purpose at the level or above.

        Raises
        ------
        NotPermitted : with one sentence that says what to do
        """
        day = on or dt.date.today()
        own = [grant for grant in self.all if (grant.role, grant.purpose) == (role, purpose)]
        if not own:
            raise _refused(
                "grant-missing",
                f"no grant for {role!r} under the purpose {purpose!r}",
                "a grant of that role for that purpose",
                "Ask the data protection lead for a grant.",
            )
        in_force = [grant for grant in own if day < grant.expires]
        if not in_force:
            raise _refused(
                "grant-expired",
                f"a grant for {role!r} that ended on {max(grant.expires for grant in own)}",
                "a grant in force",
                "Ask the data protection lead to renew it.",
            )
        highest = max(LEVELS.index(grant.level) for grant in in_force)
        if highest < LEVELS.index(level):
            raise _refused(
                "grant-too-low",
                f"a grant for {role!r} up to the level {LEVELS[highest]}",
                f"the level {level}",
                "Ask the data protection lead for it, or let a role that has it do this.",
            )


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking, in which role, under which grants."""

    role: str
    grants: Grants

    def must_be_allowed(self, purpose: str, level: str) -> None:
        """Refuse unless the role's grants allow the level under the purpose today."""
        self.grants.must_allow(self.role, purpose, level)


def asking(folder: Path, caller: Caller | None) -> Caller | None:
    """Who asks of a store, under the store's own grants where it holds some, whatever grants came with the caller.

    Without a caller the role is taken from the environment, as for a command.

    Raises
    ------
    NotPermitted : the store holds grants, and nobody says in which role this is asked
    """
    kept = Grants.of_store(folder)
    if kept is None:
        return caller
    role = caller.role if caller is not None else os.environ.get(ROLE, "")
    if not role:
        raise _refused(
            "role-missing",
            "a store that holds grants, and no role",
            "the role in which this is asked",
            f"Set {ROLE} to your role, or pass caller=Caller(role, grants).",
        )
    return Caller(role, kept)


def _faults(where: str, given: Mapping[str, Any]) -> list[Fault]:
    faults = text_faults(where, given, ("role", "purpose", "level"))
    level, expires = given.get("level"), given.get("expires")
    if isinstance(level, str) and level.strip() and level not in LEVELS:
        faults.append(Fault(f"{where}.level", repr(level), f"one of {', '.join(LEVELS)}", "Correct the word."))
    if not isinstance(expires, dt.date) or isinstance(expires, dt.datetime):
        wanted = "a date without quotation marks, such as 2027-01-01"
        faults.append(Fault(f"{where}.expires", "no date", wanted, "Write when the grant ends."))
    return faults


def _refused(code: str, found: str, expected: str, repair: str) -> NotPermitted:
    return NotPermitted(code, found=found, expected=expected, repair=repair)

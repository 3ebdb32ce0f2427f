"""A purpose: why the records may be read, on what lawful basis, which fields, and until when."""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskmodel.dates import parse_date
from riskmodel.errors import DeclarationError, Fault, NotPermitted


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why records may be read.

    Parameters
    ----------
    name : str, such as "early-support"
    statement : str, one sentence for the people whose records they are
    lawful_basis : str
    controllers : tuple of agency names whose rows may be read; empty means none
    fields : tuple of standard field names that may be kept at intake
    expires : date, the first day on which it no longer holds
    """

    name: str
    statement: str
    lawful_basis: str
    controllers: tuple[str, ...]
    fields: tuple[str, ...]
    expires: dt.date

    def __post_init__(self) -> None:
        empty = [
            name for name in ("name", "statement", "lawful_basis", "controllers", "fields") if not getattr(self, name)
        ]
        if empty:
            raise DeclarationError(
                "purpose-incomplete",
                faults=[
                    Fault(f"purpose.{name}", "nothing", "a value", f"Write what the {name} of the purpose is.")
                    for name in empty
                ],
            )

    @classmethod
    def from_mapping(cls, given: dict[str, Any]) -> Purpose:
        """A purpose from a TOML table with the same names."""
        return cls(
            name=given["name"],
            statement=given["statement"],
            lawful_basis=given["lawful_basis"],
            controllers=tuple(given["controllers"]),
            fields=tuple(given["fields"]),
            expires=parse_date(given["expires"], "purpose.expires"),
        )

    @classmethod
    def load(cls, path: str | Path) -> Purpose:
        """A purpose from a TOML file, at the top or under ``[purpose]``."""
        given = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        return cls.from_mapping(given.get("purpose", given))

    def must_be_in_force(self, on: dt.date | None = None) -> None:
        """Refuse when the purpose has expired (today, or on the given day)."""
        if (on or dt.date.today()) >= self.expires:
            raise NotPermitted(
                "purpose-expired",
                found=f"the purpose {self.name!r}, which ended on {self.expires}",
                expected="a purpose in force",
                repair="Ask the data protection lead to renew the purpose, then change `expires`.",
            )

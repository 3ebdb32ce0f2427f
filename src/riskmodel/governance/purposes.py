"""A purpose: why the records may be read, on what lawful basis, whose, which fields, and until when.

A purpose is written by people and read by every stage. It never widens itself: an agency or a field it does not
name cannot be reached under it, and what was made under one purpose cannot be read under another.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from riskmodel.dates import parse_date
from riskmodel.errors import DeclarationError, Fault, NotPermitted
from riskmodel.governance.declarations import read_declaration, text_faults, unknown_key_faults

_NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
_TEXTS = ("name", "statement", "lawful_basis")
_LISTS = ("controllers", "fields")


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why records may be read.

    Parameters
    ----------
    name : str, small letters and hyphens, such as "early-support"
    statement : str, one sentence for the people whose records they are
    lawful_basis : str, the law relied on, in words a data protection lead would accept
    controllers : tuple of agency names (each the controller of its own records) whose rows may be read.
        Deliveries of any other agency are refused at intake, and a result that was made from another
        controller's rows cannot be read.
    fields : tuple of standard field names that may be kept at intake (``birth_date``, ``value`` ...). Every other
        column of a delivery is dropped before anything is stored, whatever the contract maps.
    expires : date, the first day on which it no longer holds

    Raises
    ------
    DeclarationError : with every fault at once

    Examples
    --------
    >>> purpose = Purpose("early-support", "To offer help early.", "Crime and Disorder Act 1998, section 115",
    ...                   ("police", "housing"), ("birth_date", "kind"), dt.date(2027, 1, 1))
    >>> purpose.must_be_in_force(dt.date(2026, 12, 31))
    >>> purpose.must_cover(["police", "health"])
    Traceback (most recent call last):
    ...
    riskmodel.errors.NotPermitted: Found the purpose 'early-support' without health; expected ...
    """

    name: str
    statement: str
    lawful_basis: str
    controllers: tuple[str, ...]
    fields: tuple[str, ...]
    expires: dt.date

    def __post_init__(self) -> None:
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        if faults := _faults(given):
            raise DeclarationError("purpose-invalid", faults=faults)

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any]) -> Purpose:
        """A purpose from a TOML table with the same names; refuses unknown keys, with every other fault."""
        known = [field.name for field in fields(cls)]
        if faults := [*unknown_key_faults("purpose", given, known), *_faults(given)]:
            raise DeclarationError("purpose-invalid", faults=faults)
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
        given = read_declaration(path, "purpose")
        return cls.from_mapping(given.get("purpose", given))

    def document(self) -> dict[str, Any]:
        """The purpose as JSON-able values; ``Purpose.from_mapping(purpose.document())`` is the same purpose."""
        return {
            "name": self.name,
            "statement": self.statement,
            "lawful_basis": self.lawful_basis,
            "controllers": list(self.controllers),
            "fields": list(self.fields),
            "expires": self.expires.isoformat(),
        }

    def scope(self) -> dict[str, Any]:
        """What decides which rows and fields could be read: name, controllers, fields, in sorted order."""
        return {"name": self.name, "controllers": sorted(self.controllers), "fields": sorted(self.fields)}

    def must_be_in_force(self, on: dt.date | None = None) -> None:
        """Refuse when the purpose has expired (today, or on the given day)."""
        if (on or dt.date.today()) >= self.expires:
            raise NotPermitted(
                "purpose-expired",
                found=f"the purpose {self.name!r}, which ended on {self.expires}",
                expected="a purpose in force",
                repair="Ask the data protection lead to renew the purpose, then change `expires`.",
            )

    def must_cover(self, agencies: Iterable[str]) -> None:
        """Refuse when rows of an agency are asked for that the purpose does not name."""
        if outside := sorted(set(agencies) - set(self.controllers)):
            raise NotPermitted(
                "controller-not-covered",
                found=f"the purpose {self.name!r} without {', '.join(outside)}",
                expected="a purpose that names every agency whose records are read",
                repair="Leave those records out, or agree the purpose with that agency and add it to `controllers`.",
            )

    def must_cover_fields(self, wanted: Iterable[str]) -> None:
        """Refuse when fields are needed that the purpose does not name."""
        if outside := sorted(set(wanted) - set(self.fields)):
            raise NotPermitted(
                "field-not-covered",
                found=f"the purpose {self.name!r} without the field {', '.join(outside)}",
                expected="a purpose that names every field that is used",
                repair="Leave out what needs those fields, or have them agreed and add them to `fields`.",
            )


def _faults(given: Mapping[str, Any]) -> list[Fault]:
    faults = text_faults("purpose", given, _TEXTS)
    name = given.get("name")
    if isinstance(name, str) and name.strip() and not _NAME.fullmatch(name):
        faults.append(
            _fault("name", repr(name), "small letters, digits and hyphens", "Write it such as early-support.")
        )
    for key in _LISTS:
        faults += _list_faults(key, given.get(key))
    return faults + _expiry_faults(given.get("expires"))


def _list_faults(key: str, value: Any) -> list[Fault]:
    wanted = "a list of names"
    if value is None or value in ((), []):
        return [_fault(key, "nothing", wanted, f"Write which {key} the purpose covers.")]
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        return [_fault(key, f"a {type(value).__name__} that is not a list of texts", wanted, f"Write {key} as a list.")]
    faults = []
    if odd := [item for item in value if not _NAME.fullmatch(item)]:
        shown = ", ".join(map(repr, odd))
        faults.append(_fault(key, shown, "names in small letters, digits and underscores", "Correct the names."))
    if twice := sorted({item for item in value if value.count(item) > 1}):
        faults.append(_fault(key, f"{', '.join(twice)} twice", "each name once", "Remove the repeated name."))
    return faults


def _expiry_faults(value: Any) -> list[Fault]:
    if value is None:
        return [_fault("expires", "nothing", "a date", "Write the first day on which the purpose no longer holds.")]
    if not isinstance(value, str | dt.date):
        return [_fault("expires", f"a {type(value).__name__}", "a date", "Write it such as 2027-01-01.")]
    try:
        parse_date(value, "purpose.expires")
    except DeclarationError as error:
        return list(error.faults)
    return []


def _fault(key: str, found: str, expected: str, repair: str) -> Fault:
    return Fault(f"purpose.{key}", found, expected, repair)

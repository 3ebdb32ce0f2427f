"""Reading what people declare in TOML: files that are not there or not TOML, unknown keys, texts left empty.

Only how a declaration is wrong; what it means is said where it is declared. Values are shown in faults only where
the declaring module chooses to: a declaration holds settings, not people.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from riskmodel.errors import DeclarationError, Fault, NotFound


def read_declaration(path: str | Path, what: str) -> dict[str, Any]:
    """The content of a TOML file.

    Raises
    ------
    NotFound : there is no such file
    DeclarationError : it is not TOML, or holds a date that no calendar has (with the line)
    """
    path = Path(path)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise NotFound(
            f"{what}-file-missing",
            found=f"no file {path.name}",
            expected=f"the {what} as a TOML file",
            repair=f"Give the path of the {what}.",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        reason = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "text that is not UTF-8"
        raise DeclarationError.of(
            f"{what}-not-toml",
            where=path.name,
            found=reason,
            expected="valid TOML",
            repair="Correct the line.",
        ) from None


def code_faults(where: str, codes: Mapping[str, tuple[Sequence[object], int]]) -> list[Fault]:
    """A fault for each list of codes with too few different ones, or with one that is no text.

    Parameters
    ----------
    codes : mapping of a name to its codes and how many there have to be at least
    """
    return [
        Fault(f"{where}.{name}", f"{len(held)} codes", f"at least {least} different texts", "Write the codes.")
        for name, (held, least) in codes.items()
        if len(set(held)) < least or not all(isinstance(code, str) and code.strip() for code in held)
    ]


def unknown_key_faults(what: str, given: Mapping[str, Any], known: Iterable[str]) -> list[Fault]:
    """One fault for each key that means nothing, with the name that may have been meant."""
    names = list(known)
    faults = []
    for key in given:
        if key not in names:
            close = get_close_matches(key, names, n=1)
            repair = f"Did you mean {close[0]}?" if close else "Remove the key."
            faults.append(Fault(f"{what}.{key}", "an unknown key", f"one of {', '.join(names)}", repair))
    return faults


def text_faults(what: str, given: Mapping[str, Any], names: Iterable[str]) -> list[Fault]:
    """One fault for each of the names that is not a text with something in it."""
    faults = []
    for name in names:
        value = given.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            faults.append(Fault(f"{what}.{name}", "nothing", "a text", f"Write the {name} of the {what}."))
        elif not isinstance(value, str):
            found = f"a {type(value).__name__}"
            faults.append(Fault(f"{what}.{name}", found, "a text", f"Put the {name} in quotation marks."))
    return faults

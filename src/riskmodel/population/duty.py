"""The headings of the Serious Violence Duty as a checklist: what the assessment holds, and what is missing by name.

The headings are data. A heading is answered by released tables and declared texts, never by a tick.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Heading:
    """One statutory heading: what it asks for, and what of it is missing."""

    id: str
    title: str
    missing: tuple[str, ...]

    @property
    def answered(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing


def duty_checklist(
    tables: Collection[str], texts: Mapping[str, str], lists: Mapping[str, Collection[object]]
) -> tuple[Heading, ...]:
    """Every heading with what is missing under it.

    Parameters
    ----------
    tables : names of the released tables
    texts : declared texts by name; an empty one is missing
    lists : declared lists by name; an empty one is missing

    Examples
    --------
    >>> found = {one.id: one.missing for one in duty_checklist({"harm"}, {"local_definition": "Knife crime."}, {})}
    >>> found["definition"], found["kinds"], found["cost"]
    ((), (), ('costs', 'checked costs'))
    """
    text = (files("riskmodel.population") / "duty.toml").read_text(encoding="utf-8")
    made = []
    for given in tomllib.loads(text)["heading"]:
        missing = []
        for need in given["needs"]:
            kind, _, name = need.partition(":")
            held = {
                "table": name in tables,
                "text": bool(texts.get(name, "").strip()),
                "list": bool(lists.get(name)),
            }[kind]
            if not held:
                missing.append(name.replace("_", " "))
        made.append(Heading(given["id"], given["title"], tuple(missing)))
    return tuple(made)

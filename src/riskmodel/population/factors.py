"""Risk and protective factors as a partnership declares them, and the cohorts that are made of them.

A factor is a declared record of a person within a time, or the lack of one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from riskmodel.dates import Duration, moments
from riskmodel.errors import DeclarationError, Fault
from riskmodel.population.periods import text_sql
from riskmodel.tables import fingerprint_document

Direction = Literal["risk", "protective"]


@dataclass(frozen=True, slots=True)
class Factor:
    """One thing in the records that raises or lowers risk, as the literature or the partnership says.

    Parameters
    ----------
    name : str, small letters and underscores
    title : str
    direction : "risk" or "protective"
    kinds : tuple of str, the records that count
    within : Duration, how far back
    role, agency : str or None, narrow the records
    absent : bool, the factor is the *lack* of such a record (no exclusion, say)
    level : str, "person", "family", "place" or "community"
    source : str, why it is taken for a factor
    """

    name: str
    title: str
    direction: Direction
    kinds: tuple[str, ...]
    within: Duration
    role: str | None = None
    agency: str | None = None
    absent: bool = False
    level: str = "person"
    source: str = ""

    def sql(self, at: dt.datetime) -> str:
        """Whether a person has it at a moment, as SQL over their visible events."""
        since = self.within.before(moments([at]))[0]
        names = ", ".join(text_sql(kind) for kind in self.kinds)
        more = "".join(
            f" AND {column} = {text_sql(word)}"
            for column, word in (("role", self.role), ("agency", self.agency))
            if word
        )
        held = f"count(*) FILTER (WHERE kind IN ({names}) AND happened_at >= TIMESTAMP '{since}'{more}) > 0"
        return f"NOT coalesce({held}, false)" if self.absent else f"coalesce({held}, false)"


@dataclass(frozen=True, slots=True)
class NamedCohort:
    """A group that a service is for, as dated code: whoever wrote it, anybody can count it again.

    Parameters
    ----------
    name, title : str
    aged : (low, high) completed years, both in
    all_of, any_of : names of factors
    at_least : int, how many risk factors a person has at least
    valid_from : date, since when the definition holds
    author : str, the role that answers for it
    """

    name: str
    title: str
    aged: tuple[int, int]
    valid_from: dt.date
    author: str
    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    at_least: int = 0

    @property
    def definition(self) -> str:
        """The rule in words."""
        parts = [f"aged {self.aged[0]} to {self.aged[1]}"]
        if self.all_of:
            parts.append("all of: " + ", ".join(self.all_of))
        if self.any_of:
            parts.append("any of: " + ", ".join(self.any_of))
        if self.at_least:
            parts.append(f"at least {self.at_least} risk factors")
        return "; ".join(parts)

    @property
    def fingerprint(self) -> str:
        """Of the definition, so that a changed one is seen."""
        document: dict[str, Any] = {
            "aged": list(self.aged),
            "all_of": list(self.all_of),
            "any_of": list(self.any_of),
            "at_least": self.at_least,
            "valid_from": self.valid_from.isoformat(),
        }
        return fingerprint_document(document)[:12]

    def sql(self, factors: Sequence[Factor]) -> str:
        """The condition over the table of flags."""
        risks = " + ".join(f"{factor.name}::INT" for factor in factors if factor.direction == "risk") or "0"
        parts = [f"age BETWEEN {self.aged[0]} AND {self.aged[1]}", *self.all_of]
        if self.any_of:
            parts.append(f"({' OR '.join(self.any_of)})")
        if self.at_least:
            parts.append(f"({risks}) >= {self.at_least}")
        return " AND ".join(parts)


def must_be_factors(factors: Sequence[Factor], cohorts: Sequence[NamedCohort], kinds: Sequence[str]) -> None:
    """Refuse factors that no agency records, names that are no names, and cohorts of unknown factors."""
    faults: list[Fault] = []
    for factor in factors:
        unknown = sorted(set(factor.kinds) - set(kinds))
        if unknown or not factor.kinds:
            found = f"{factor.name} of {', '.join(unknown) or 'no records'}"
            faults.append(Fault("factors", found, f"some of {', '.join(kinds)}", "Name kinds that an agency records."))
        if (
            not factor.name.replace("_", "").isalnum()
            or not factor.name.isascii()
            or factor.name != factor.name.lower()
        ):
            faults.append(Fault("factors", repr(factor.name), "small letters and underscores", "Rename the factor."))
    names = [factor.name for factor in factors]
    if len(set(names)) < len(names):
        faults.append(Fault("factors", "a name twice", "each name once", "Rename one of them."))
    for cohort in cohorts:
        if missing := sorted({*cohort.all_of, *cohort.any_of} - set(names)):
            repair = "Declare them as factors first."
            faults.append(Fault(f"cohort {cohort.name}", ", ".join(missing), f"some of {', '.join(names)}", repair))
    if faults:
        raise DeclarationError("factors-invalid", faults=faults)

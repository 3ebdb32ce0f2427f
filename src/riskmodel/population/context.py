"""A figure of a group beside one person: only ever as a sentence that says it is about the group.

Most members of a group at high risk come to no harm, so a group's rate is no knowledge about one of them. A published
figure can therefore not be counted with: it has no number to take, only words. That nothing published holds people,
whose rows could be joined the other way, is what `must_hold_no_people` sees to.
"""

from __future__ import annotations

import re
from typing import NoReturn

import pyarrow as pa

from riskmodel.errors import DataRefused, NotADecision
from riskmodel.population.estimate import Estimate

_PSEUDONYM = re.compile(r"\b[PE]-[0-9a-f]{16}\b")
_OF_PEOPLE = frozenset({"entity_id", "other_id", "event_id", "person_key", "place_id"})


class GroupContext:
    """One group's figure in words, for a page about a person: "In areas like this ...; it says nothing about ...".

    Parameters
    ----------
    group : str, whose figure it is, such as "residents of Mill Lane ward"
    figure : str, what the figure is, such as "events of harm per 1,000 a year"
    estimate : Estimate, as published

    Examples
    --------
    >>> made = GroupContext("residents aged 10 to 17", "events per 1,000 a year",
    ...                     Estimate(47.6, 43.9, 51.5, 620, "ok", "exact"))
    >>> print(made)
    Context, about residents aged 10 to 17 and not about this person: events per 1,000 a year 47.6 (43.9 to 51.5).
    >>> float(made)
    Traceback (most recent call last):
    ...
    riskmodel.errors.NotADecision: Found a group's figure that was taken for a person's; expected ...
    """

    __slots__ = ("_words",)

    def __init__(self, group: str, figure: str, estimate: Estimate) -> None:
        if estimate.value is None or estimate.low is None or estimate.high is None:
            said = estimate.state.replace("_", " ")
        else:
            said = f"{estimate.value:.3g} ({estimate.low:.3g} to {estimate.high:.3g})"
        self._words = f"Context, about {group} and not about this person: {figure} {said}."

    def __str__(self) -> str:
        return self._words

    def __repr__(self) -> str:
        return f"GroupContext({self._words!r})"

    def _refuse(self, *_: object) -> NoReturn:
        raise NotADecision(
            "group-is-not-a-person",
            found="a group's figure that was taken for a person's",
            expected="words beside the advice, and nothing that is counted with",
            repair="Show str(context); what is known of a person comes from their own records.",
        )

    __float__ = __int__ = __bool__ = __index__ = __array__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = _refuse


def must_hold_no_people(name: str, table: pa.Table) -> None:
    """Refuse to publish a table with a column of people, or with a pseudonym in a text.

    Raises
    ------
    DataRefused : the table names people
    """
    named = sorted(_OF_PEOPLE & set(table.column_names))
    texts = [field.name for field in table.schema if pa.types.is_string(field.type)]
    held = [
        column
        for column in texts
        if any(text is not None and _PSEUDONYM.search(text) for text in table.column(column).unique().to_pylist())
    ]
    if named or held:
        raise DataRefused(
            "people-in-table",
            found=f"the table {name!r} with {', '.join(named + held)}",
            expected="counts of groups, without a column or a text that names people",
            repair="Count people by group before anything leaves.",
        )

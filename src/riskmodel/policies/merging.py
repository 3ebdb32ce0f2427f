"""Units that merge: two wards become one, a force is joined to another. Counted as if they had always been one.

Counts add up. What cannot be added (a rate, a rank) is refused, and so is a merger of units that started at different
times: then nobody can say from when the whole was treated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.policies.panel import Panel


def merged(panel: Panel, into: Mapping[object, object], *, counts: Sequence[str]) -> Panel:
    """The panel with some units added up.

    Parameters
    ----------
    into : mapping of a unit to the name under which it goes on; units that are not named stay
    counts : the measures that may be added; others are left out of the new panel

    Raises
    ------
    DeclarationError : a unit that is not in the panel, or a measure that is not
    DataRefused : merged units that started in different periods

    Examples
    --------
    >>> y = np.array([[1.0, 2], [10, 20], [5, 5]])
    >>> panel = Panel(np.array(["a", "b", "c"]), np.arange(2), np.full(3, 2**31 - 1), {"y": y})
    >>> merged(panel, {"a": "b"}, counts=["y"]).measure("y").tolist()
    [[11.0, 22.0], [5.0, 5.0]]
    """
    names = panel.units.tolist()
    if strangers := sum(unit not in names for unit in into):
        raise DeclarationError.of(
            "units-unknown", where="merged", found=f"{strangers} unit(s) that are not in the panel",
            expected="units of the panel", repair="Name units as the panel does.",
        )  # fmt: skip
    labels, of = np.unique(np.asarray([into.get(unit, unit) for unit in names]), return_inverse=True)
    starts = np.asarray([panel.starts[of == k].min() for k in range(len(labels))], np.int64)
    if differing := int((panel.starts != starts[of]).sum()):
        raise DataRefused(
            "merger-of-starts",
            found=f"{differing} unit(s) that started later than the unit they merge with",
            expected="merged units that start together, or never",
            repair="Leave these units out, or end the panel before they merged, and say so in the plan.",
        )
    measures = {}
    for name in counts:
        values = panel.measure(name)
        added = np.zeros((len(labels), panel.n_periods))
        np.add.at(added, of, values)
        measures[name] = added
    return replace(panel, units=labels, starts=starts, measures=measures)

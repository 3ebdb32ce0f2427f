"""One grouping's sums and replicates, and one figure over all of its groups with intervals and states.

A figure that cannot be estimated is marked so here, once; whoever reads it afterwards leaves it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from riskmodel.errors import DeclarationError
from riskmodel.fairness.bootstrap import Drawing, block_sums, replicate_sums, standard_errors
from riskmodel.fairness.estimability import NOT_ESTIMABLE, Minimums
from riskmodel.fairness.groups import UNKNOWN, Grouping
from riskmodel.fairness.intervals import Bounds, critical_values, interval
from riskmodel.fairness.measures import Measure, added, replicates_of, value_of
from riskmodel.fairness.rules import Rules
from riskmodel.fairness.scored import Scored
from riskmodel.models.metrics import Numbers


@dataclass(frozen=True, slots=True)
class Sample:
    """One grouping's sums, its replicates and its head counts."""

    grouping: Grouping
    sums: Numbers
    blocks: Numbers
    drawn: Numbers
    people: Mapping[str, Numbers]
    overlap: bool
    reference: int


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure over all groups."""

    measure: Measure
    value: Numbers
    error: Numbers
    below: Numbers
    people: Numbers
    low: Numbers
    high: Numbers
    states: list[str]
    replicates: Numbers

    def bounds(self, group: int) -> Bounds:
        """Figure and interval of one group."""
        return float(self.value[group]), float(self.low[group]), float(self.high[group])

    @property
    def estimable(self) -> list[int]:
        """The groups for which there is a value."""
        return [group for group, state in enumerate(self.states) if state != NOT_ESTIMABLE]

    def at(self, critical: float) -> Figure:
        """The same with intervals at another critical value."""
        wide = np.full(len(self.value), critical)
        low, high = interval(self.measure, self.value, self.error, self.below, self.people, wide)
        return replace(self, low=low, high=high)


def sample_of(scored: Scored, grouping: Grouping, drawn: Drawing, rules: Rules) -> Sample:
    """Sums, replicates and head counts of one grouping."""
    n_groups = len(grouping.names)
    blocks = block_sums(drawn, grouping.codes, n_groups, scored.columns(grouping))
    sums = blocks.sum(axis=1)
    people = scored.people(grouping)
    overlap = bool(people["rows"].sum() > scored.n_people)
    reference = reference_group(grouping, people["rows"], rules.reference.get(grouping.attribute))
    return Sample(grouping, sums, blocks, replicate_sums(drawn, blocks), people, overlap, reference)


def reference_group(grouping: Grouping, people: Numbers, wanted: str | None) -> int:
    """The group that others are compared with: the one wanted, or the known group with the most people."""
    if wanted is not None:
        if wanted not in grouping.names:
            raise DeclarationError.of(
                "reference-unknown",
                where=f"audit.reference of {grouping.attribute}",
                found=repr(wanted),
                expected=f"one of its {len(grouping.names)} groups",
                repair="Name a group as the data write it.",
            )
        return grouping.names.index(wanted)
    known = np.array([UNKNOWN not in name.split(", ") for name in grouping.names])
    return int(np.argmax(np.where(known | ~known.any(), people, -1.0)))


def figure_of(measure: Measure, sample: Sample, rules: Rules) -> Figure:
    """One measure of every group, with interval and state."""
    value = value_of(measure, sample.sums)
    below, people = added(sample.sums, measure.below), sample.people[measure.rests_on]
    replicates = replicates_of(measure, sample.sums, sample.drawn)
    error = standard_errors(replicates)
    critical = critical_values(rules.confidence, people)
    low, high = interval(measure, value, error, below, people, critical)
    states = [
        _state(measure, rules.minimums, *(float(part[group]) for part in (value, low, high, below, people)))
        for group in range(len(value))
    ]
    return Figure(measure, value, error, below, people, low, high, states, replicates)


def _state(
    measure: Measure, minimums: Minimums, value: float, low: float, high: float, below: float, people: float
) -> str:
    ratio = measure.kind == "ratio"
    if not minimums.allow(people, people if measure.kind == "auroc" else below, ratio=ratio):
        return NOT_ESTIMABLE
    return minimums.state(value, low, high, ratio=ratio, scale=measure.per)


def finite(value: float) -> float | None:
    """The number, or None where there is none."""
    return value if np.isfinite(value) else None

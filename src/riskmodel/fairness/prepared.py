"""Rows made ready for figures by group: checked, ranked, grouped, and people drawn again. Every audit begins here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from riskmodel.fairness.bootstrap import Drawing, drawing
from riskmodel.fairness.groups import By, Grouping, groupings
from riskmodel.fairness.measures import Measure, measures_for
from riskmodel.fairness.rules import Rules
from riskmodel.fairness.scored import Scored, refused, scored_rows


@dataclass(frozen=True, slots=True)
class Prepared:
    """Rows ready for figures.

    Attributes
    ----------
    scored : Scored, in ascending order of score
    grouped : the groupings, their rows in the same order
    measures : the figures that mean something here
    drawn : Drawing, how people are drawn again
    rules : Rules
    """

    scored: Scored
    grouped: tuple[Grouping, ...]
    measures: tuple[Measure, ...]
    drawn: Drawing
    rules: Rules

    def measure(self, name: str) -> Measure:
        """One figure by its name; refuses one that means nothing for these scores."""
        for measure in self.measures:
            if measure.name == name:
                return measure
        raise refused(f"{name!r}, which is no figure of these scores ({', '.join(m.name for m in self.measures)})")


def prepared(
    scores: Any,
    outcomes: Any,
    groups: Any,
    *,
    people: Any = None,
    by: Sequence[By] | None = None,
    capacity: float | None = None,
    decisions: Any = None,
    listed: Any = None,
    lists: Any = None,
    probabilities: bool = True,
    rules: Rules | None = None,
    seed: int = 0,
) -> Prepared:
    """Check, rank and group rows; parameters and refusals are those of `audit.audit_scores`."""
    rules = rules or Rules()
    scored = scored_rows(
        scores, outcomes, people, capacity, decisions, lists, listed=listed, probabilities=probabilities
    )
    grouped = groupings(groups, by)
    for grouping in grouped:
        if len(grouping.codes) != len(scored.score):
            raise refused(f"{len(grouping.codes)} groups of {grouping.attribute} for {len(scored.score)} scores")
    measures = measures_for(
        with_list=any(one is not None for one in (capacity, decisions, listed)),
        with_ranks=capacity is not None,
        with_probability=probabilities,
    )
    drawn = drawing(scored.person, scored.n_people, rules.replicates, seed)
    return Prepared(scored, tuple(grouping.aligned(scored.order) for grouping in grouped), measures, drawn, rules)

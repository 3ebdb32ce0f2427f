"""Effects on those to whom nothing was done: kin and periphery through ties, and the surroundings in rings of distance.

People with a tie are followed as units of a panel; they are "treated" from the period in which something first reached
them, and compared with people who have the same kind of tie and whom nothing reached. Places around a treated place are
compared with places further away than the last ring. A spillover is only looked for when the plan says so.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from riskmodel.dates import moments
from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.governance.ledger import Ledger
from riskmodel.histories.store import Histories
from riskmodel.policies.calendar import NEVER
from riskmodel.policies.design import Plan, PlannedSpillover
from riskmodel.policies.effects import Asked, Effect
from riskmodel.policies.estimators import Estimator
from riskmodel.policies.panel import Numbers, Panel
from riskmodel.policies.panels import Counting, count_panel
from riskmodel.policies.registration import open_outcomes
from riskmodel.policies.ties import first_exposures


@dataclass(frozen=True, slots=True)
class Spillover:
    """An effect on people at the edge.

    Attributes
    ----------
    planned : PlannedSpillover
    effect : Effect, on an exposed person in a period
    n_exposed, n_others : int, whom something reached, and those with the tie whom nothing reached
    left_out : int, people reached in the first period already: they have no time before
    """

    planned: PlannedSpillover
    effect: Effect = field(repr=False)
    n_exposed: int
    n_others: int
    left_out: int


def spillover_panel(histories: Histories, plan: Plan, planned: PlannedSpillover, ledger: Ledger) -> tuple[Panel, int]:
    """The panel of everybody with the tie, and how many were reached too early to be followed.

    Raises
    ------
    EvidenceError : the plan does not stand in the ledger
    DeclarationError : a tie or an outcome that nobody records
    DataRefused : nobody was reached, or everybody was
    """
    open_outcomes(plan, ledger, histories.fingerprint)
    calendar = plan.calendar
    as_of = min(histories.covered_until.values())
    reached = first_exposures(histories, planned.through, planned.agency, planned.kind, as_of)
    first = reached["first"].to_pylist()
    days = [moment.date() if moment is not None else None for moment in first]
    starts = np.full(len(days), NEVER, np.int64)
    given = np.asarray([day is not None for day in days], bool)
    if given.any():
        starts[given] = calendar.indices_of(moments([day for day in days if day is not None]))
    early = starts < 1
    starts = np.where(starts >= len(calendar), NEVER, starts)
    units = [unit for unit, out in zip(reached["entity_id"].to_pylist(), early.tolist(), strict=True) if not out]
    starts = starts[~early]
    n_exposed = int((starts != NEVER).sum())
    if n_exposed == 0 or n_exposed == len(starts):
        raise DataRefused(
            "nobody-to-compare",
            found=f"{n_exposed:,} of {len(starts):,} people reached through {planned.through!r}",
            expected="some whom it reached and some whom it did not",
            repair="Choose another tie or event, or take this spillover out of the plan and say so.",
        )
    counting = Counting("person", calendar, plan.settles_after)
    return count_panel(histories, counting, [planned.outcome], units, starts), int(early.sum())


def spillover(panel: Panel, planned: PlannedSpillover, estimate: Estimator, *, left_out: int = 0) -> Spillover:
    """The effect of being reached."""
    made = estimate(panel, Asked(planned.outcome.name))
    exposed = int(panel.treated.sum())
    return Spillover(planned, made, exposed, panel.n_units - exposed, left_out)


@dataclass(frozen=True, slots=True)
class Ring:
    """The effect at a distance from the nearest treated unit.

    Attributes
    ----------
    inner, outer : float, in the unit of the coordinates; both 0 for the treated units themselves
    effect : Effect, compared with units beyond the last ring
    """

    inner: float
    outer: float
    effect: Effect = field(repr=False)


def ring_effects(
    panel: Panel, at: Numbers, edges: Sequence[float], asked: Asked, estimate: Estimator
) -> tuple[Ring, ...]:
    """The effect on treated units and in rings around them: does harm move round the corner, or does calm spread?

    A unit in a ring is taken as reached when the first treated unit within the ring's outer edge starts. The comparison
    is only with units further from every treated unit than the last edge.

    Parameters
    ----------
    at : (n, 2) coordinates, in metres or any unit
    edges : outer edges of the rings, ascending

    Raises
    ------
    DeclarationError : edges that do not ascend, or no unit beyond the last
    """
    if not edges or sorted(set(edges)) != list(edges) or edges[0] <= 0:
        raise DeclarationError.of(
            "rings-invalid", where="rings", found=f"edges {list(edges)}", expected="distances that ascend from above 0",
            repair="Give the outer edge of each ring, nearest first.",
        )  # fmt: skip
    treated = np.flatnonzero(panel.treated)
    apart = np.sqrt(((at[:, None, :] - at[None, treated, :]) ** 2).sum(axis=-1))
    nearest = apart.min(axis=1)
    far = ~panel.treated & (nearest > edges[-1])
    if not far.any():
        raise DeclarationError.of(
            "rings-cover-all", where="rings", found="no unit beyond the last ring", expected="units out of reach",
            repair="Draw the last ring closer, or add units further away.",
        )  # fmt: skip
    rings = [Ring(0.0, 0.0, estimate(panel.keeping(panel.treated | far), asked))]
    for inner, outer in itertools.pairwise([0.0, *edges]):
        members = ~panel.treated & (nearest > inner) & (nearest <= outer)
        if not members.any():
            continue
        reached = np.where(apart <= outer, panel.starts[treated][None, :], NEVER).min(axis=1)
        ring = panel.starting(np.where(members, reached, NEVER)).keeping(members | far)
        rings.append(Ring(inner, outer, estimate(ring, asked)))
    return tuple(rings)

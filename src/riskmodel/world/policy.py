"""Small worlds with one policy whose effects are known: areas by quarters, and children of whom some lose a parent.

Five worlds differ in nothing but what the policy does. Areas with more harm are more likely to get it, its start is
staggered, and all areas share the same swings, so that comparing changes is right and comparing levels is wrong.

What is true. Police and hospital record the same violence; calls, referrals and absences are work for police, social
care and schools; arrears cannot be moved by any of it.

==================  =================================================================================================
``works``           violence falls by a quarter, in the police's records and in the hospital's alike
``moves_demand``    calls to the police fall by eight a quarter, referrals to social care rise by as many
``harms_children``  violence falls as in ``works``; more parents are imprisoned, and their children are excluded more
``records_only``    the police record a quarter less violence; the hospital sees no less
``null``            nothing
==================  =================================================================================================

What a naive analyst would find. In ``records_only``, a policy that works; in ``moves_demand``, one that saves work; in
``harms_children``, one that works and harms nobody; in all of them, by levels, one that brings violence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from riskmodel.errors import DeclarationError
from riskmodel.seeds import stream

Kind = Literal["works", "moves_demand", "harms_children", "records_only", "null"]
KINDS: Final = get_args(Kind)
NEVER: Final = -1
"""The start of an area without the policy, and of a child whose parents never went inside."""
QUARTERS: Final = 16
FIRST: Final = (6, 8, 10)
"""The quarters in which areas start, a sixth of the areas in each."""
SOURCES: Final[Mapping[str, tuple[str, str, float]]] = {
    "violence": ("police", "violence", 24.0),
    "injuries": ("health", "injury_by_violence", 16.0),
    "calls": ("police", "anti_social_behaviour", 40.0),
    "referrals": ("childrens_services", "referral", 30.0),
    "absences": ("education", "unauthorised_absence", 20.0),
    "arrears": ("housing", "rent_arrears", 14.0),
}
"""Each outcome: agency, event kind, mean of an area in a quarter."""
_FALL, _MOVED, _EXCLUDED, _MORE = 0.75, 8.0, 0.12, 0.22
_INSIDE: Final = 0.006  # share of parents imprisoned in a quarter without the policy

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, repr=False, eq=False)
class PolicyWorld:
    """One world: what every agency counted, and what the policy truly did.

    Attributes
    ----------
    kind : str, one of KINDS
    seed : int
    starts : (areas,) int, the first quarter under the policy, NEVER for none
    rank : (areas,) float, 0 (least deprived) to 1
    counts : mapping of outcome to (areas, quarters) int
    child_area : (children,) int
    child_starts : (children,) int, the quarter in which a parent went inside, NEVER for none
    exclusions : (children, quarters) int
    truth : mapping of outcome (and "exclusions") to the true average effect on a treated cell, events
    """

    kind: Kind
    seed: int
    starts: Counts = field(repr=False)
    rank: npt.NDArray[np.float64]
    counts: Mapping[str, Counts]
    child_area: Counts
    child_starts: Counts
    exclusions: Counts
    truth: Mapping[str, float]

    @classmethod
    def generate(cls, kind: Kind, seed: int, *, areas: int = 120, children: int = 1_500) -> PolicyWorld:
        """Make a world.

        Parameters
        ----------
        areas : int, at least 12; half of them get the policy
        children : int, at least 1

        Raises
        ------
        DeclarationError : an unknown kind, or too few areas or children

        Examples
        --------
        >>> world = PolicyWorld.generate("works", 7)
        >>> world, round(world.truth["injuries"], 1) < 0, world.truth["arrears"]
        (PolicyWorld(works, 120 areas, 1500 children, 16 quarters), True, 0.0)
        """
        _must_be_possible(kind, areas, children)
        chance = stream(seed, "policy-world", kind)
        rank = chance.permutation(areas) / max(areas - 1, 1)
        starts = _starts(chance, rank)
        under = np.arange(QUARTERS)[None, :] >= np.where(starts == NEVER, QUARTERS, starts)[:, None]
        means = _means(chance, rank)
        moved = {name: _effect(kind, name, mean) * under for name, mean in means.items()}
        # one swing of violence and what follows from it, seen by every agency that records it
        swing = chance.gamma(40.0, 1 / 40.0, under.shape)
        counts = {
            name: chance.poisson((mean + moved[name]) * (1.0 if name == "arrears" else swing))
            for name, mean in means.items()
        }
        truth = {name: float(moved[name][under].mean()) for name in means}
        child_area, child_starts, exclusions, harmed = _children(chance, kind, under, children)
        return cls(
            kind, seed, starts, rank, counts, child_area, child_starts, exclusions, {**truth, "exclusions": harmed}
        )

    def __repr__(self) -> str:
        size = f"{len(self.starts)} areas, {len(self.child_area)} children, {QUARTERS} quarters"
        return f"PolicyWorld({self.kind}, {size})"


def _starts(chance: np.random.Generator, rank: npt.NDArray[np.float64]) -> Counts:
    """Half of the areas, the deprived more often, in three waves."""
    areas = len(rank)
    order = np.argsort(-(rank + chance.normal(0, 0.5, areas)), kind="stable")
    starts = np.full(areas, NEVER, np.int64)
    chosen = chance.permutation(order[: areas // 2])
    starts[chosen] = np.resize(FIRST, len(chosen))
    return starts


def _means(chance: np.random.Generator, rank: npt.NDArray[np.float64]) -> dict[str, npt.NDArray[np.float64]]:
    """Expected counts without the policy: an area's own level, more where it is more deprived, and shared swings."""
    quarter = np.arange(QUARTERS)
    made = {}
    for name, (_, _, mean) in SOURCES.items():
        own = mean * (0.6 + 0.6 * rank + np.abs(chance.normal(0, 0.15, len(rank))))
        shared = mean * (0.08 * np.sin(2 * np.pi * quarter / 4) + 0.01 * quarter + chance.normal(0, 0.03, QUARTERS))
        made[name] = np.maximum(own[:, None] + shared[None, :], 0.5)
    return made


def _effect(kind: Kind, name: str, mean: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """What the policy adds to the expected count."""
    works = kind in ("works", "harms_children")
    if (works and name in ("violence", "injuries")) or (kind == "records_only" and name == "violence"):
        return np.asarray((_FALL - 1) * mean)
    if kind == "moves_demand" and name in ("calls", "referrals"):
        return np.full_like(mean, -_MOVED if name == "calls" else _MOVED)
    return np.zeros_like(mean)


def _children(
    chance: np.random.Generator, kind: Kind, under: npt.NDArray[np.bool_], children: int
) -> tuple[Counts, Counts, Counts, float]:
    """Where each child lives, when a parent went inside, how often it was excluded, and the true effect of that."""
    area = chance.integers(0, len(under), children)
    more = 4.0 if kind == "harms_children" else 1.0
    inside = chance.random((children, QUARTERS)) < _INSIDE * np.where(under[area], more, 1.0)
    inside[:, 0] = False  # who is inside from the first quarter has no time before
    starts = np.where(inside.any(axis=1), inside.argmax(axis=1), NEVER)
    since = np.arange(QUARTERS)[None, :] >= np.where(starts == NEVER, QUARTERS, starts)[:, None]
    harm = _MORE if kind == "harms_children" else 0.0
    own = _EXCLUDED * chance.gamma(4.0, 0.25, children)[:, None]
    return area, starts, chance.poisson(own + harm * since), harm


def _must_be_possible(kind: object, areas: int, children: int) -> None:
    if kind in KINDS and areas >= 12 and children >= 1:
        return
    raise DeclarationError.of(
        "policy-world-invalid",
        where="world",
        found=f"kind {kind!r}, {areas} areas, {children} children",
        expected=f"a kind of {', '.join(KINDS)}, at least 12 areas and a child",
        repair="Correct the world of the policy.",
    )

"""What if a partner had not shared its records, or records had been linked wrongly? The answer, asked again.

Without a partner the same numbers are read again under the same rules: where the answer changes, it hung on that
partner. Wrong links blur an effect on people towards nothing; with the share of missed and false links that a linkage
study found, the effect can be set right, and a range of shares says how much hangs on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from riskmodel.errors import DeclarationError
from riskmodel.policies.conclusion import Conclusion, conclude
from riskmodel.policies.effects import Effect
from riskmodel.policies.ledger_of_effects import LedgerOfEffects
from riskmodel.policies.multiplicity import holm
from riskmodel.policies.spillover import Spillover


@dataclass(frozen=True, slots=True)
class WithoutPartner:
    """The answer as it would read without one agency's records.

    Attributes
    ----------
    agency : str
    conclusion : Conclusion or None when the primary outcome itself is that agency's
    changed : bool, whether anything reads otherwise
    sentence : str
    """

    agency: str
    conclusion: Conclusion | None
    changed: bool
    sentence: str


def without_each_partner(made: LedgerOfEffects) -> tuple[WithoutPartner, ...]:
    """The conclusion without each agency in turn; nothing is estimated again."""
    whole = conclude(made)
    of_people = {agency for each in made.spillovers for agency in (_of(each), each.planned.agency)}
    agencies = sorted({outcome.agency for outcome in made.outcomes} | of_people)
    return tuple(_without(made, whole, agency) for agency in agencies)


def _without(made: LedgerOfEffects, whole: Conclusion, agency: str) -> WithoutPartner:
    primary = next(outcome for outcome in made.outcomes if outcome.name == made.primary)
    if primary.agency == agency:
        return WithoutPartner(
            agency, None, True, f"Without {_words(agency)}: no answer, the primary outcome is theirs."
        )
    said = conclude(_restricted(made, agency))
    differing = []
    if said.answer != whole.answer:
        differing.append(f"the answer would read {said.answer!r} instead of {whole.answer!r}")
    if set(whole.moved) - set(said.moved):
        differing.append("that work moved would not be seen")
    if set(whole.harmed) - set(said.harmed):
        differing.append(f"harm to {', '.join(sorted(set(whole.harmed) - set(said.harmed)))} would not be seen")
    words = "; ".join(differing) or "the same answer"
    return WithoutPartner(agency, said, bool(differing), f"Without {_words(agency)}: {words}.")


def _words(agency: str) -> str:
    return agency.replace("childrens", "children's").replace("_", " ")


def _restricted(made: LedgerOfEffects, agency: str) -> LedgerOfEffects:
    """The ledger without the agency's outcomes and what rests on them; families are judged anew."""
    kept = [i for i, outcome in enumerate(made.outcomes) if outcome.agency != agency]
    spillovers = [each for each in made.spillovers if agency not in (_of(each), each.planned.agency)]
    names = {made.outcomes[i].name for i in kept}
    judged = [i for i in kept if not made.outcomes[i].placebo]
    family = holm([made.effects[i].p_value for i in judged] + [each.effect.p_value for each in spillovers])
    p_family = dict(zip(judged, family, strict=False))
    checks = [check for check in made.checks if check.outcome in names and _rests_on(check.effects, names)]
    return replace(
        made,
        outcomes=tuple(made.outcomes[i] for i in kept),
        effects=tuple(made.effects[i] for i in kept),
        p_family=tuple(p_family.get(i, float("nan")) for i in kept),
        spillovers=tuple(spillovers),
        p_spillover=tuple(family[len(judged) :]),
        checks=tuple(checks),
    )


def _rests_on(effects: Sequence[Effect], names: set[str]) -> bool:
    """Whether every source that a check compares is still there ("violence beside injuries" names two)."""
    return all(source in names for effect in effects for source in effect.outcome.split(" beside "))


def _of(spillover: Spillover) -> str:
    """The agency that records what is counted of the people at the edge."""
    return spillover.planned.outcome.agency


@dataclass(frozen=True, slots=True)
class LinkageRange:
    """An effect on linked people, set right for wrong links.

    Attributes
    ----------
    missed : float, share of true ties that were not linked
    false : float, share of linked ties that are wrong
    kept : float, share of the true effect that survives them
    estimate, low, high : float, divided by `kept`
    """

    missed: float
    false: float
    kept: float
    estimate: float
    low: float
    high: float


def linkage_range(
    effect: Effect, n_exposed: int, n_others: int, shares: Sequence[tuple[float, float]]
) -> tuple[LinkageRange, ...]:
    """The effect under each pair (missed, false) of shares of wrong links.

    Among the exposed a share `false` was not, and among the others are the exposed who were missed. If errors fall at
    random, the estimate is the true effect times ``1 - false - missed among the others`` (Neter, Maynes and Ramanathan
    1965, for a yes-or-no exposure). Errors that fall more on some people than on others are not covered.

    Examples
    --------
    >>> from riskmodel.policies.cross_section import mean_difference
    >>> made = mean_difference(np.array([1.0, 3, 5, 7]), np.array([False, False, True, True]))
    >>> again = linkage_range(made, 100, 900, [(0.1, 0.05)])[0]  # 95 true ties found, 10.6 missed among 900
    >>> round(again.kept, 4), round(again.estimate, 3)
    (0.9383, 4.263)
    """
    made = []
    for missed, false in shares:
        lost = n_exposed * (1 - false) * missed / (1 - missed) if missed < 1 else np.inf
        kept = 1 - false - lost / max(n_others, 1)
        if not (0 <= missed < 1 and 0 <= false < 1) or kept <= 0:
            raise DeclarationError.of(
                "linkage-shares",
                where="linkage_range",
                found=f"missed {missed}, false {false}",
                expected="shares from 0 to below 1 that leave something of the effect",
                repair="Give the shares that the linkage study found.",
            )
        made.append(LinkageRange(missed, false, kept, effect.estimate / kept, effect.low / kept, effect.high / kept))
    return tuple(made)

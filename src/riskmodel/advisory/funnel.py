"""From a list to what people put forward: how many stood on it, were judged, looked at, concluded and put forward.

Every person counts once, at the furthest stage that a review of them on this list reached; whether they were put
forward is what the newest conclusion says. The figures are of groups and leave through disclosure control.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence, Set
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from riskmodel.advisory.oversight import EVERYBODY
from riskmodel.advisory.review import Review
from riskmodel.governance.disclosure import RULES, RuleSet, Total, released
from riskmodel.governance.ledger import Ledger

if TYPE_CHECKING:
    from riskmodel.advisory.scores import Scores

STAGES: Final = ("on_list", "judged", "looked_at", "concluded", "put_forward")
WITHHELD: Final = "withheld"


def funnel(
    on_list: Collection[str],
    reviews: Sequence[Review],
    groups: Mapping[str, str] | None = None,
    *,
    put_forward: Set[str],
    rules: RuleSet = RULES["hes"],
    ledger: Ledger | None = None,
) -> pa.Table:
    """How many people reached each stage.

    Parameters
    ----------
    on_list : pseudonyms on the list
    reviews : of this list; those of anybody else are left out
    groups : mapping of pseudonym to group; people in no group stand under "unknown"
    put_forward : the choice codes of the review form that put a person forward
    rules : RuleSet
    ledger : Ledger, to which the release is written

    Returns
    -------
    pa.Table : group, one count for each of `STAGES` as it may leave, disclosure
    """
    reached = dict.fromkeys(on_list, 0)
    forward: dict[str, bool] = {}
    for review in sorted(reviews, key=lambda each: each.concluded_at or ""):
        if review.pseudonym in reached:
            stage = 3 if review.after is not None else 2 if review.looked_at else 1
            reached[review.pseudonym] = max(reached[review.pseudonym], stage)
            if review.after is not None:
                forward[review.pseudonym] = review.after.choice in put_forward
    counts = Counter[tuple[str, str]]()
    for pseudonym, furthest in reached.items():
        stages = [*STAGES[: furthest + 1], *(STAGES[4:] if forward.get(pseudonym) else ())]
        names = [EVERYBODY] if groups is None else [EVERYBODY, groups.get(pseudonym, "unknown")]
        counts.update((name, stage) for name in names for stage in stages)
    order = [*sorted({name for name, _ in counts} - {EVERYBODY}), EVERYBODY]
    table = pa.table({"group": order, **{stage: [counts[name, stage] for name in order] for stage in STAGES}})
    return released(
        table,
        STAGES,
        totals=[Total("group", EVERYBODY)],
        within_counts={whole: [part] for whole, part in pairwise(STAGES)},
        rules=rules,
        ledger=ledger,
        name="funnel",
    )


def fifths(scores: Scores) -> dict[str, str]:
    """The fifth of the list in which each person's probability lies, for groups of people and for nothing else.

    Equal probabilities share a fifth, the lower one; people whose score is withheld stand under "withheld".
    """
    known = scores._probability[~np.isnan(scores._probability)]
    edges = np.quantile(known, (0.2, 0.4, 0.6, 0.8), method="higher") if len(known) else np.empty(0)
    names = ("lowest fifth", "second fifth", "third fifth", "fourth fifth", "highest fifth")
    fifth = np.searchsorted(edges, scores._probability, side="left")
    return {
        pseudonym: WITHHELD if np.isnan(scores._probability[place]) else names[fifth[place]]
        for place, pseudonym in enumerate(scores.pseudonyms)
    }

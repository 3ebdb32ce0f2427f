"""From a list to what came of it: how many stood on it, were judged, looked at, concluded, put forward, offered
support, took it up, and for how many something changed; and where people dropped out on the way.

Every person counts once, at the furthest stage that a review of them on this list reached; whether they were put
forward is what the newest conclusion says, and what became of it what the follow-ups say. The figures are of groups and
leave through disclosure control.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence, Set
from itertools import pairwise
from typing import Final

import numpy as np
import pyarrow as pa

from riskmodel.advisory.follow_up import FollowUp
from riskmodel.advisory.oversight import EVERYBODY
from riskmodel.advisory.review import Review
from riskmodel.advisory.scores import Scores
from riskmodel.advisory.support import latest
from riskmodel.governance.disclosure import RULES, RuleSet, Total, released
from riskmodel.governance.ledger import Ledger
from riskmodel.models.uncertainty import wilson

STAGES: Final = ("on_list", "judged", "looked_at", "concluded", "put_forward")
SUPPORT: Final = ("not_available", "offered", "refused", "taken_up", "changed")
"""What follow-ups add, of the people put forward."""
_OF: Final = {
    **{stage: before for before, stage in pairwise(STAGES)},
    "not_available": "put_forward",
    "offered": "put_forward",
    "refused": "offered",
    "taken_up": "offered",
    "changed": "taken_up",
}
"""Of whom each stage is a part."""
WITHHELD: Final = "withheld"


def funnel(
    on_list: Collection[str],
    reviews: Sequence[Review],
    groups: Mapping[str, str] | None = None,
    *,
    put_forward: Set[str],
    follow_ups: Sequence[FollowUp] | None = None,
    changes: Set[str] = frozenset(),
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
    follow_ups : what became of the people put forward; with them the counts of `SUPPORT` are added
    changes : the codes of change that count as one, such as {"better"}
    rules : RuleSet
    ledger : Ledger, to which the release is written

    Returns
    -------
    pa.Table : group, one count for each of `STAGES` (and of `SUPPORT`) as it may leave, disclosure
    """
    reached = dict.fromkeys(on_list, 0)
    forward: dict[str, bool] = {}
    for review in sorted(reviews, key=lambda each: each.concluded_at or ""):
        if review.pseudonym in reached:
            stage = 3 if review.after is not None else 2 if review.looked_at else 1
            reached[review.pseudonym] = max(reached[review.pseudonym], stage)
            if review.after is not None:
                forward[review.pseudonym] = review.after.choice in put_forward
    became = latest([each for each in follow_ups or () if each.list_fingerprint in _lists(reviews)])
    counts = Counter[tuple[str, str]]()
    for pseudonym, furthest in reached.items():
        stages = [*STAGES[: furthest + 1]]
        if forward.get(pseudonym):
            stages += [*STAGES[4:], *_support(became.get(pseudonym, {}), changes)]
        names = [EVERYBODY] if groups is None else [EVERYBODY, groups.get(pseudonym, "unknown")]
        counts.update((name, stage) for name in names for stage in stages)
    order = [*sorted({name for name, _ in counts} - {EVERYBODY}), EVERYBODY]
    shown = STAGES if follow_ups is None else (*STAGES, *SUPPORT)
    table = pa.table({"group": order, **{stage: [counts[name, stage] for name in order] for stage in shown}})
    return released(
        table,
        shown,
        totals=[Total("group", EVERYBODY)],
        within_counts={
            whole: [part for part in shown if _OF.get(part) == whole] for whole in {*shown} & {*_OF.values()}
        },
        rules=rules,
        ledger=ledger,
        name="funnel",
    )


def drop_off(counted: pa.Table) -> pa.Table:
    """Of the people at one stage, how many reached the next: shares of the counts as they left.

    Parameters
    ----------
    counted : what `funnel` returned

    Returns
    -------
    pa.Table : group, stage, of (the stage before), people, of_people, share, low, high (95 % Wilson interval) and
        state: "ok", "suppressed" where a count may not be shown, or "not_estimable" where nobody came that far
    """
    rows = []
    for row in counted.to_pylist():
        for stage in [name for name in counted.column_names if name in _OF]:
            people, of_people = row[stage], row[_OF[stage]]
            state = "suppressed" if people is None or of_people is None else "ok" if of_people else "not_estimable"
            share = min(people / of_people, 1.0) if state == "ok" else None
            low, high = (None, None) if share is None else wilson(share, of_people)
            figures = {"share": share, "low": low, "high": high, "state": state}
            rows.append({"group": row["group"], "stage": stage, "of": _OF[stage], "people": people,
                         "of_people": of_people, **figures})  # fmt: skip
    return pa.Table.from_pylist(rows, schema=_DROP_OFF)


_DROP_OFF: Final = pa.schema(
    [
        *((name, pa.string()) for name in ("group", "stage", "of")),
        *((name, pa.int64()) for name in ("people", "of_people")),
        *((name, pa.float64()) for name in ("share", "low", "high")),
        ("state", pa.string()),
    ]
)


def _support(became: Mapping[str, FollowUp], changes: Set[str]) -> list[str]:
    """The counts of `SUPPORT` to which a person put forward belongs; the newest answer to an offer counts."""
    if "offered" not in became:
        return ["not_available"] if "not_available" in became else []
    answers = [became[step] for step in ("taken_up", "refused") if step in became]
    answer = max(answers, key=lambda each: (each.on, each.at)).step if answers else None
    changed = answer == "taken_up" and "changed" in became and became["changed"].code in changes
    return ["offered", *([answer] if answer else ()), *(["changed"] if changed else ())]


def _lists(reviews: Sequence[Review]) -> set[str]:
    return {review.list_fingerprint for review in reviews}


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

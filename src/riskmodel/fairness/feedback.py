"""Would this study drift? Deploy, act, record, refit: the user's own model in a loop with the records it makes.

Every period the model scores everybody, those listed get attention, attention may help them and discovers more of what
happens, and the model is fitted again on what is then on record. Beside it runs the same loop in which discovery does
not depend on the list: what the two differ by is the feedback, and nothing else. Reported events come on record whoever
is listed; discovered ones only where somebody looks. The correction counts each discovered event by one over the chance
that it was found (importance weighting; Ensign et al. 2018). The truth is stated by whoever runs it: this shows what
would follow from it, it does not find out whether it holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from riskmodel.errors import DeclarationError, Fault
from riskmodel.fairness.capacity import listed
from riskmodel.fairness.groups import groupings
from riskmodel.fairness.pictures import loop_plot
from riskmodel.fairness.plots import Plot
from riskmodel.fairness.rules import Row
from riskmodel.fairness.scored import numbers, refused
from riskmodel.fairness.view import told_html
from riskmodel.models.metrics import Numbers, auroc
from riskmodel.seeds import stream

if TYPE_CHECKING:
    import pandas as pd

Fit: TypeAlias = Callable[[Any, Numbers, Numbers], Callable[[Any], Any]]
"""Features, recorded outcomes and weights in; a function of features to scores out."""


@dataclass(frozen=True, slots=True)
class Recording:
    """How what happens comes on record, and what attention does.

    Parameters
    ----------
    reported : share of events that are reported, whoever is listed
    discovered_listed : share of the others that are discovered among those listed
    discovered_unlisted : the same among everybody else; above 0, or nothing could be learned of them
    effect : by how much attention multiplies the chance of the event; 1 does nothing, 0.8 prevents a fifth
    """

    reported: float
    discovered_listed: float
    discovered_unlisted: float
    effect: float = 1.0

    def __post_init__(self) -> None:
        ends = {"reported": (0, 1), "discovered_listed": (0, 1), "discovered_unlisted": (0, 1), "effect": (0, np.inf)}
        faults = [
            Fault(f"recording.{name}", repr(getattr(self, name)), f"from {low} to {high}", f"Correct {name}.")
            for name, (low, high) in ends.items()
            if not low <= getattr(self, name) <= high
        ]
        if self.reported + (1 - self.reported) * self.discovered_unlisted <= 0:
            text = "some chance that an event of somebody not listed comes on record"
            faults.append(Fault("recording", "no chance", text, "Raise reported or discovered_unlisted."))
        if faults:
            raise DeclarationError("recording-invalid", faults=faults)


@dataclass(frozen=True)
class Feedback:
    """The loop over periods, with and without feedback, and corrected.

    Attributes
    ----------
    periods : DataFrame, one row a loop (feedback, no feedback, corrected), run, period and group: list_share (of all
        places), recorded_rate, true_rate, auroc (for what happens; of everybody), found (share of all events that
        happen to those listed)
    drift : DataFrame, one row a group and loop: change of list_share from the first period to the last against the loop
        without feedback, with an interval over the runs; of three groups and more the intervals hold 95 times in 100
        for all groups at once (Bonferroni)
    """

    periods: pd.DataFrame = field(repr=False)
    drift: pd.DataFrame = field(repr=False)

    @property
    def drifts(self) -> bool:
        """Whether some group's share of the list moves beyond chance because of the feedback."""
        own = self.drift[self.drift["loop"] == "feedback"]
        return bool(((own["low"] > 0) | (own["high"] < 0)).any())

    def plot(self, group: str) -> Plot:
        """A group's share of the list over the periods in each loop; NotFound for a group that is not there."""
        return loop_plot(self.periods, group)

    def _repr_html_(self) -> str:
        """What moves, and by how much, for a notebook."""
        return told_html("Would it drift", self.findings, {"Change of each group's share of the list": self.drift})

    @property
    def findings(self) -> tuple[str, ...]:
        """What moves, in words per hundred places."""
        told = []
        for row in self.drift.to_dict("records"):
            sure = row["low"] > 0 or row["high"] < 0
            said = "moves" if sure else "is not shown to move"
            loop = "with feedback" if row["loop"] == "feedback" else "corrected"
            told.append(
                f"{row['group']}, {loop}: its share of the list {said} by {100 * row['change']:+.1f} in 100 places "
                f"({100 * row['low']:+.1f} to {100 * row['high']:+.1f}) against a loop without feedback."
            )
        return tuple(told)


def simulate_feedback(
    fit: Fit,
    features: Any,
    risk: Any,
    group: Any,
    recording: Recording,
    *,
    capacity: float = 0.1,
    periods: int = 8,
    runs: int = 10,
    history: str | None = None,
    seed: int = 0,
) -> Feedback:
    """Put a model in a loop with the records that it makes.

    Parameters
    ----------
    fit : the user's own pipeline: of (features, recorded outcomes, weights), giving a function of features to scores
    features : (n, d) DataFrame of people; they stay the same but for `history`
    risk : (n,) chance of the event in a period, as assumed to be true
    group : (n,) groups whose share of the list is watched
    recording : Recording
    capacity : how long the list is
    periods : rounds of deploy, act, record and refit
    runs : independent histories; the intervals are over them
    history : the feature that counts a person's events on record, which the loop then keeps up to date; None for none

    Raises
    ------
    DataRefused : lengths that differ, or chances outside 0 to 1
    """
    import pandas as pd

    chance = numbers(risk)
    (grouping,) = groupings({"group": group})
    if {len(chance), len(grouping.codes)} != {len(features)} or not ((chance >= 0) & (chance <= 1)).all():
        raise refused(f"{len(features)} rows of features with risks or groups of another number, or outside 0 to 1")
    world = _World(features, chance, grouping.codes, grouping.names, recording, capacity, history)
    even = replace(recording, discovered_listed=recording.discovered_unlisted)
    loops = {
        "no feedback": (replace(world, recording=even), False),
        "feedback": (world, False),
        "corrected": (world, True),
    }
    rows: list[Row] = []
    for run in range(runs):
        for loop, (own, corrected) in loops.items():
            generator = stream(seed, "fairness", "feedback", run)  # the same people, the same luck
            rows += [{"loop": loop, "run": run, **row} for row in _looped(own, fit, periods, corrected, generator)]
    frame = pd.DataFrame(rows)
    return Feedback(frame, _drift(frame, runs))


@dataclass(frozen=True, slots=True)
class _World:
    features: Any
    risk: Numbers
    codes: npt.NDArray[np.int32]
    names: tuple[str, ...]
    recording: Recording
    capacity: float
    history: str | None


def _looped(world: _World, fit: Fit, periods: int, corrected: bool, generator: np.random.Generator) -> list[Row]:
    n, made = len(world.risk), []
    features = world.features.copy()
    share, score = np.zeros(n), np.zeros(n)  # before the first list nobody is listed
    for period in range(periods + 1):
        seen, happened, worth, on_list = _recorded(world, share, generator)
        if period:
            made += _told(world, period, share, score, seen, happened, on_list)
        if period == periods:
            break
        model = fit(features, seen, worth if corrected else np.ones(n))
        if world.history is not None:
            features[world.history] = features[world.history] + seen * (worth if corrected else 1.0)
        score = np.asarray(model(features), np.float64)
        share = listed(score, world.capacity)
    return made


def _recorded(world: _World, share: Numbers, generator: np.random.Generator) -> tuple[Numbers, ...]:
    """What is on record, what happened, what a record counts when corrected, and who was listed.

    A record counts one over the chance that it would be made, as a share of the largest such number.

    A person without a record has weight 1: it is not known whether nothing happened.
    """
    rules, n = world.recording, len(world.risk)
    draws = generator.random((4, n))
    on_list = draws[0] < share
    happened = draws[1] < np.minimum(world.risk * np.where(on_list, rules.effect, 1.0), 1.0)
    told = draws[2] < rules.reported
    discovered = np.where(on_list, rules.discovered_listed, rules.discovered_unlisted)
    seen = happened & (told | (draws[3] < discovered))
    of_all = rules.reported + (1 - rules.reported) * discovered
    least = rules.reported + (1 - rules.reported) * min(rules.discovered_listed, rules.discovered_unlisted)
    return (
        seen.astype(np.float64),
        happened.astype(np.float64),
        np.where(seen, least / of_all, 1.0),
        on_list.astype(np.float64),
    )


def _told(
    world: _World, period: int, share: Numbers, score: Numbers, seen: Numbers, happened: Numbers, on_list: Numbers
) -> list[Row]:
    area, found = auroc(happened, score), float(on_list @ happened / max(happened.sum(), 1.0))
    return [
        {
            "period": period,
            "group": name,
            "list_share": float(share[world.codes == code].sum() / share.sum()),
            "recorded_rate": float(seen[world.codes == code].mean()),
            "true_rate": float(happened[world.codes == code].mean()),
            "auroc": area,
            "found": found,
        }
        for code, name in enumerate(world.names)
    ]


def _drift(frame: pd.DataFrame, runs: int) -> pd.DataFrame:
    """Last less first list share, less that of the loop without feedback, run by run."""
    import pandas as pd
    from scipy import stats

    last = frame["period"].max()
    ends = frame[frame["period"].isin([1, last])].pivot_table(
        index=["loop", "group", "run"], columns="period", values="list_share"
    )
    moved = (ends[last] - ends[1]).unstack("run")
    groups = frame["group"].nunique()
    tail = 0.025 / (groups if groups > 2 else 1)  # the shares of two groups are one number
    rows = []
    for loop in ("feedback", "corrected"):
        for group in moved.loc[loop].index:
            gap = (moved.loc[(loop, group)] - moved.loc[("no feedback", group)]).to_numpy()
            half = float(stats.t.ppf(1 - tail, runs - 1) * gap.std(ddof=1) / np.sqrt(runs)) if runs > 1 else np.inf
            change = float(gap.mean())
            rows.append({"loop": loop, "group": group, "change": change, "low": change - half, "high": change + half})
    return pd.DataFrame(rows)

"""Fields asked for, and what came of them: which were sent, what read them, and how much the model leans on them.

A purpose names fields so that they may be kept. A field that nobody sends, that nothing reads, or that only features
read to which the model gives no weight, was asked for and never mattered: it can be left out of the purpose next time.

What reads a field is known from the declarations: linkage compares it, the cohort or the groups ask for it, features
are made of it. How much the model leans on the features of a field is their share of all contributions (mean absolute
log-odds) over a sample of rows; its interval resamples people. The share says what this model uses, not what a model
without the field would lose: of two fields that say the same, either may carry the weight. So a field counts as without
weight only when the whole interval lies below `LITTLE`, and taking it away is to be tried before it is believed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from riskmodel.cohorts.cohort import Cohort
from riskmodel.explain.contributions import contributions
from riskmodel.features.feature import Feature
from riskmodel.features.training_set import TrainingSet
from riskmodel.feeds.standard import STRUCTURAL
from riskmodel.models.metrics import Numbers
from riskmodel.models.risk_model import RiskModel
from riskmodel.seeds import stream

LITTLE: Final = 0.01
"""A share of all contributions below which a field is without weight."""
COMPARED: Final = frozenset(
    {"given_name", "family_name", "birth_date", "sex", "address", "postcode", "area", "encoded"}
)
"""What linkage by probability compares."""
RESIDENCE: Final = frozenset({"address", "postcode", "address_from"})
"""What is read to know who lives where, and since when."""
STATES: Final[Mapping[str, str]] = {
    "needed": "Needed",
    "in every record": "Part of every record, kept whatever is asked for",
    "weight": "The model leans on it",
    "not clear": "Whether the model leans on it is not clear",
    "no weight": "Asked for; the model gives it no weight",
    "never read": "Asked for, kept, and read by nothing",
    "never sent": "Asked for and sent by nobody",
}
"""What became of a field -> in words."""
NEVER_MATTERED: Final = ("no weight", "never read", "never sent")
_DRAWS, _ROWS, _LEVEL = 400, 2000, 0.95


@dataclass(frozen=True, slots=True)
class FieldUse:
    """What came of one field.

    Attributes
    ----------
    field : the standard field
    state : a key of `STATES`
    read_by : what reads it beside features: "linkage", "who is in it", "groups compared"
    features : how many features read it
    share, low, high : of all contributions, with a 95 % interval over people; None when no feature reads it
    """

    field: str
    state: str
    read_by: tuple[str, ...] = ()
    features: int = 0
    share: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def readers(self) -> str:
        """What reads it, in words."""
        made = [f"{self.features} feature{'s' * (self.features > 1)}"] if self.features else []
        return ", ".join((*self.read_by, *made))


@dataclass(frozen=True, slots=True)
class FieldReport:
    """What came of every field that the purpose asks for, over a sample of `rows` rows of `people` people."""

    uses: tuple[FieldUse, ...]
    rows: int
    people: int

    @property
    def never_mattered(self) -> tuple[str, ...]:
        """The fields that could have been left out."""
        return tuple(use.field for use in self.uses if use.state in NEVER_MATTERED)

    def document(self) -> dict[str, Any]:
        """The report as JSON-able data."""
        uses = [asdict(use) | {"readers": use.readers, "words": STATES[use.state]} for use in self.uses]
        return {
            "uses": uses,
            "rows": self.rows,
            "people": self.people,
            "little": LITTLE,
            "never_mattered": list(self.never_mattered),
        }

    def lines(self) -> Iterator[str]:
        """The report for a terminal."""
        for use in self.uses:
            share = "" if use.share is None else f" {use.share:.1%} ({use.low:.1%} to {use.high:.1%}) of contributions"
            yield f"{use.field:<14}{STATES[use.state]}{share}{f'; read by {use.readers}' if use.readers else ''}"


def fields_used(
    asked: Sequence[str], intake: Mapping[str, Any], model: RiskModel, training: TrainingSet,
    *, linked_by_comparing: bool, seed: int = 0,
) -> FieldReport:  # fmt: skip
    """What came of each field that a purpose asks for.

    Parameters
    ----------
    asked : the fields that the purpose names
    intake : the report of the intake
    model, training : the model and the set on which it was fitted
    linked_by_comparing : whether records were joined by what stands in them, and not by a shared number
    seed : int, of the rows and of the resampled people
    """
    never_sent = set(intake["fields"]["asked_for_and_never_sent"])
    never_sent |= set(intake["fields"]["asked_for_and_no_standard_field"])
    structural = frozenset.union(*STRUCTURAL.values()) - {"recorded_at"}
    rows, parts = _parts(model, training, seed)
    reading = {name: _readers(name, training, linked_by_comparing) for name in asked}
    made = []
    for name in sorted(set(asked)):
        places = [at for at, feature in enumerate(model.features) if name in _fields_of(feature)]
        if name in never_sent:
            made.append(FieldUse(name, "never sent"))
            continue
        share, low, high = _share(parts, places, rows, seed) if places else (None, None, None)
        state = _state(name in structural, reading[name], low, high)
        made.append(FieldUse(name, state, reading[name], len(places), share, low, high))
    return FieldReport(tuple(made), len(rows), len(np.unique(rows)))


def _state(structural: bool, readers: Sequence[str], low: float | None, high: float | None) -> str:
    if structural:
        return "in every record"
    if readers:
        return "needed"
    if low is None or high is None:
        return "never read"
    if high < LITTLE:
        return "no weight"
    return "weight" if low >= LITTLE else "not clear"


def _fields_of(feature: Feature) -> frozenset[str]:
    """The fields that a feature is made of; one that needs an address reads all that tells who lived there when."""
    needs = frozenset(feature.needs)
    return needs | RESIDENCE if "address" in needs else needs


def _readers(name: str, training: TrainingSet, linked_by_comparing: bool) -> tuple[str, ...]:
    """What reads a field beside the features."""
    found = {
        "linkage": linked_by_comparing and name in COMPARED,
        "who is in it": name in _of_cohort(training.cohort),
        "groups compared": name in training.group_names,
        "the score it is compared with": name == "value" and bool(training.carried_names),
    }
    return tuple(reader for reader, reads in found.items() if reads)


def _of_cohort(cohort: Cohort | None) -> frozenset[str]:
    if cohort is None:
        return frozenset()
    aged = frozenset({"birth_date"} if cohort.aged is not None else ())
    return aged | (RESIDENCE if cohort.resident_for is not None else frozenset())


def _parts(model: RiskModel, training: TrainingSet, seed: int) -> tuple[Numbers, Numbers]:
    """People and absolute contributions (n, n_features) of a sample of rows."""
    count = training.table.num_rows
    chosen = np.sort(stream(seed, "fields", "rows").permutation(count)[:_ROWS])
    columns = {name: at for at, name in enumerate(training.feature_names)}
    X = training.taken(chosen)[:, [columns[name] for name in model.feature_names]]
    people = training.table.column("entity_id").to_numpy()[chosen]
    return people, np.abs(contributions(model, X)[:, :-1])


def _share(parts: Numbers, places: Sequence[int], people: Numbers, seed: int) -> tuple[float, float, float]:
    """The share of some features in all contributions, with an interval over resampled people."""
    _, person = np.unique(people, return_inverse=True)
    mine = np.bincount(person, parts[:, list(places)].sum(axis=1))
    all_ = np.bincount(person, parts.sum(axis=1))
    if all_.sum() == 0:  # a model that leans on nothing
        return 0.0, 0.0, 0.0
    draw = stream(seed, "fields", "people")
    weights = draw.multinomial(len(all_), np.full(len(all_), 1 / len(all_)), size=_DRAWS).astype(np.float64)
    total = weights @ all_
    shares = np.divide(weights @ mine, total, out=np.zeros(_DRAWS), where=total > 0)
    low, high = np.quantile(shares, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return float(mine.sum() / all_.sum()), float(low), float(high)

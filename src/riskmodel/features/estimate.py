"""Before a large build starts: how many rows, features and events, how much memory, and about how long.

The time is measured on a small sample of the people in question and scaled; it is a guide, never a promise.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from riskmodel.features.arrange import planned
from riskmodel.features.build import filled
from riskmodel.features.declared import checked
from riskmodel.features.feature import Feature
from riskmodel.features.kernel import compiled_sweep
from riskmodel.histories.store import Histories

SAMPLE = 1000
"""People on whom the time is measured."""

_EVENT_BYTES = 60


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a build will take.

    Attributes
    ----------
    rows, people, features : counts
    events : events (and exposures, from the sample) that the features look at
    memory : bytes at the peak, besides the histories themselves
    seconds : about how long the build takes on this machine
    """

    rows: int
    people: int
    features: int
    events: int
    memory: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.rows:,} rows of {self.people:,} people, {self.features} features, about {self.events:,} events: "
            f"about {self.memory / 2**20:,.0f} MiB and {self.seconds:,.1f} s"
        )


def dry_run(histories: Histories, rows: pa.Table, features: Sequence[Feature]) -> Estimate:
    """What building these features for these rows will take; nothing is kept.

    Parameters
    ----------
    rows : (n,) Arrow table with entity_id and as_of, such as ``eligible(histories, cohort).rows``
    """
    checked(histories, features)
    compiled_sweep()
    entity = rows["entity_id"].to_numpy()
    people = np.unique(entity)
    if not len(people):
        return Estimate(0, 0, len(features), 0, 0, 0.0)
    sample = people[:: max(1, len(people) // SAMPLE)]
    chosen = rows.filter(pa.array(np.isin(entity, sample)))
    events = len(planned(histories, features, sample, threads=1).events_of(0, len(sample)).happened)
    began = time.perf_counter()
    filled(histories, chosen, features)
    scale = len(people) / len(sample)
    seconds = (time.perf_counter() - began) * (len(entity) / max(1, chosen.num_rows))
    memory = 4 * len(entity) * len(features) + round(2 * _EVENT_BYTES * events * scale)
    return Estimate(len(entity), len(people), len(features), round(events * scale), memory, seconds)

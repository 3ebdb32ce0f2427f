"""What was not known of a person when the score was made: agencies that are silent, feeds that end early, gaps.

Nothing on record is not the same as nothing happened, and a score cannot tell the two apart; the reader has to be
told. Uses the one rule of what could be seen on the day; never changes a score.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riskmodel.engines.duckdb import query
from riskmodel.features.feature import Feature
from riskmodel.features.nodes import DaysSince, ValueOf
from riskmodel.histories.store import Histories
from riskmodel.histories.visibility import visible_sql


@dataclass(frozen=True, slots=True)
class Missing:
    """What was not known of one person.

    Attributes
    ----------
    unanswered : tuple of str, the features (in words) without a value
    silent : tuple of str, agencies the model reads that have no record of this person
    late : tuple of (agency, days), agencies whose data ends before the as-of date
    """

    unanswered: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    late: tuple[tuple[str, int], ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """In words; empty when nothing is missing."""
        said = []
        if self.silent:
            who = ", ".join(map(agency_words, self.silent))
            said.append(f"Nothing on record from {who}: that is not the same as nothing having happened")
        said += [
            f"The records of {agency_words(agency)} end {days} day{'' if days == 1 else 's'} before the as-of date"
            for agency, days in self.late
        ]
        if self.unanswered:
            said.append(f"No value for: {', '.join(self.unanswered)}")
        return tuple(said)


def agency_words(agency: str) -> str:
    """The agency as a reader is told of it: ``childrens_services`` is "childrens services"."""
    return agency.replace("_", " ")


def agencies_read(histories: Histories, features: Sequence[Feature]) -> tuple[str, ...]:
    """The agencies whose records the features can draw on: those named, or all that record the kinds."""
    found: set[str] = set()
    for feature in features:
        for events in feature.selections:
            recording = {agency for kind in events.kinds for agency in histories.kinds.get(kind, {})}
            everyone = recording if events.kinds else set(histories.agencies)
            found |= everyone & set(events.agencies) if events.agencies else everyone
    return tuple(sorted(found))


def late_feeds(histories: Histories, agencies: Sequence[str], as_of: dt.date) -> tuple[tuple[str, int], ...]:
    """The agencies whose data ends before the as-of date, and by how many days.

    ``covered_until`` is the first day that is not covered, so an agency covered until the as-of date is not late.
    """
    until = histories.covered_until
    gaps = ((agency, (as_of - until[agency]).days) for agency in agencies if agency in until)
    return tuple((agency, days) for agency, days in gaps if days > 0)


def missing_of(
    histories: Histories,
    rows: pa.Table,
    features: Sequence[Feature],
    matrix: npt.NDArray[np.float32],
    late: tuple[tuple[str, int], ...],
) -> list[Missing]:
    """What is missing for each row.

    Parameters
    ----------
    rows : (n,) ROWS
    matrix : (n, p) float32, NaN where a feature has no answer
    """
    agencies = agencies_read(histories, features)
    seen = _agencies_seen(histories, rows)
    entities = rows["entity_id"].to_pylist()
    asked = [place for place, feature in enumerate(features) if not _none_is_an_answer(feature)]
    gaps = np.isnan(matrix)
    made = []
    for row, entity in enumerate(entities):
        unanswered = tuple(str(features[place].sentence) for place in asked if gaps[row, place])
        silent = tuple(agency for agency in agencies if agency not in seen.get(entity, ()))
        made.append(Missing(unanswered, silent, late))
    return made


def _none_is_an_answer(feature: Feature) -> bool:
    """Whether having no value says something: no time since an event that never was, no mean of no events."""
    return isinstance(feature, DaysSince) or (isinstance(feature, ValueOf) and feature.statistic != "total")


def _agencies_seen(histories: Histories, rows: pa.Table) -> dict[int, set[str]]:
    """The agencies with at least one visible event of each entity."""
    sql = f"""SELECT DISTINCT r.entity_id, e.agency FROM rows r JOIN events e ON e.entity_id = r.entity_id
              AND {visible_sql("r.as_of", "e")} ORDER BY 1, 2"""
    found: dict[int, set[str]] = {}
    events = histories.events.select(["entity_id", "happened_at", "known_at", "known_until", "agency"])
    for row in query(sql, rows=rows, events=events).to_pylist():
        found.setdefault(row["entity_id"], set()).add(row["agency"])
    return found

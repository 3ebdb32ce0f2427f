"""What was not known of a person when the score was made: agencies that are silent, feeds that end early, gaps.

Nothing on record is not the same as nothing happened, and a score cannot tell the two apart; the reader has to be
told. Uses the one rule of what could be seen on the day; never changes a score.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

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
    effect : str, what the model makes of the silence, in words; empty where nobody is silent
    """

    unanswered: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    late: tuple[tuple[str, int], ...] = ()
    effect: str = ""

    @property
    def sentences(self) -> tuple[str, ...]:
        """In words; empty when nothing is missing."""
        said = []
        if self.silent:
            who = ", ".join(map(agency_words, self.silent))
            said.append(f"Nothing on record from {who}: that is not the same as nothing having happened")
        said += [self.effect] if self.effect else []
        said += [
            f"The records of {agency_words(agency)} end {days} day{'' if days == 1 else 's'} before the as-of date: "
            "what happened since may make the score too low or too high"
            for agency, days in self.late
        ]
        if self.unanswered:
            said.append(f"No value for: {', '.join(self.unanswered)}")
        return tuple(said)


@dataclass(frozen=True)
class Gaps(Sequence[Missing]):
    """What was not known of many people, worded when it is asked for.

    Attributes
    ----------
    matrix : (n, p) float32, NaN where a feature has no answer
    questions : tuple of (column, words), the features whose answer can be missing
    agencies : the agencies the model reads
    heard : (n, agencies) bool, whether each has a record of the person
    late : tuple of (agency, days)
    """

    matrix: npt.NDArray[np.float32] = field(repr=False)
    questions: tuple[tuple[int, str], ...]
    agencies: tuple[str, ...]
    heard: npt.NDArray[np.bool_] = field(repr=False)
    late: tuple[tuple[str, int], ...] = ()

    def __len__(self) -> int:
        return len(self.matrix)

    @overload
    def __getitem__(self, row: int) -> Missing: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[Missing]: ...
    def __getitem__(self, row: int | slice) -> Missing | Sequence[Missing]:
        if isinstance(row, slice):
            return [self[number] for number in range(*row.indices(len(self)))]
        unanswered = tuple(words for place, words in self.questions if np.isnan(self.matrix[row, place]))
        silent = tuple(agency for at, agency in enumerate(self.agencies) if not self.heard[row, at])
        return Missing(unanswered, silent, self.late)


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
) -> Gaps:
    """What is missing for each row.

    Parameters
    ----------
    rows : (n,) ROWS
    matrix : (n, p) float32, NaN where a feature has no answer
    """
    agencies = agencies_read(histories, features)
    return Gaps(matrix, questions_of(features), agencies, _agencies_heard(histories, rows, agencies), late)


def questions_of(features: Sequence[Feature]) -> tuple[tuple[int, str], ...]:
    """The features whose answer can be missing: their place and their words."""
    asked = [place for place, feature in enumerate(features) if not _none_is_an_answer(feature)]
    return tuple((place, str(features[place].sentence)) for place in asked)


def _none_is_an_answer(feature: Feature) -> bool:
    """Whether having no value says something: no time since an event that never was, no mean of no events."""
    return isinstance(feature, DaysSince) or (isinstance(feature, ValueOf) and feature.statistic != "total")


def _agencies_heard(histories: Histories, rows: pa.Table, agencies: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Whether each of the agencies has a visible event of each row's entity: (n, agencies) bool."""
    sql = f"""SELECT DISTINCT r.place, e.agency FROM asked r JOIN events e ON e.entity_id = r.entity_id
              AND {visible_sql("r.as_of", "e")}"""
    events = histories.events.select(["entity_id", "happened_at", "known_at", "known_until", "agency"])
    asked = rows.select(["entity_id", "as_of"]).append_column("place", pa.array(np.arange(rows.num_rows)))
    found = query(sql, asked=asked, events=events)
    heard = np.zeros((rows.num_rows, len(agencies)), bool)
    who = found["agency"].combine_chunks()
    for number, agency in enumerate(agencies):
        of_it = found.filter(pc.equal(who, agency))
        heard[of_it["place"].to_numpy(), number] = True
    return heard

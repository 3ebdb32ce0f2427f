"""Which rows may teach and which rows judge: folds that go forward in time, as use would.

A row may teach a fold only if its outcome was complete and settled before the fold's test period begins. With an
outcome of one year that settles after 90 days, a row as of 2019-01-01 is complete on 2020-04-01 and may teach a
test period that begins on 2020-04-01 or later. No row may both teach and judge a fold, and no date after the start
of the test period may shape what is learned.

People may stand on both sides (the same person, at an earlier date): they are counted, and can be left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from riskmodel.dates import Duration, Moments
from riskmodel.errors import DataRefused, DeclarationError, Fault
from riskmodel.seeds import stream

Rows: TypeAlias = "npt.NDArray[np.int64]"
"""Row numbers, ascending."""


@dataclass(frozen=True, slots=True)
class Fold:
    """One judgement: the rows that teach it and the rows that it is judged on.

    Attributes
    ----------
    number : int, from 1, in time order
    train, test : (n,) int64 row numbers, ascending
    test_from, test_until : datetime64[us], first and last as-of moment of the test period, both inside
    shared_people : int, people with a row on both sides
    waiting : int, rows before the test period whose outcome was not yet complete when it began
    place : str, the place that was held out, empty where places are not
    """

    number: int
    train: Rows
    test: Rows
    test_from: np.datetime64
    test_until: np.datetime64
    shared_people: int
    waiting: int
    place: str = ""

    def __repr__(self) -> str:
        period = self.place or f"{str(self.test_from)[:10]}..{str(self.test_until)[:10]}"
        return f"Fold({self.number}: train {len(self.train)} rows, test {len(self.test)} rows, {period})"

    def document(self) -> dict[str, int | str]:
        """Counts and dates for the manifest."""
        return {
            "fold": self.number,
            "train_rows": len(self.train),
            "test_rows": len(self.test),
            "test_from": str(self.test_from)[:10],
            "test_until": str(self.test_until)[:10],
            "people_in_both": self.shared_people,
            "rows_waiting_for_their_outcome": self.waiting,
            **({"place": self.place} if self.place else {}),
        }


@dataclass(frozen=True, slots=True)
class ForwardFolds:
    """Test periods one after the other; each is judged by a model of what was complete when it began.

    The first test period begins at the earliest date at which the rows that may teach are at least as many as a
    test period will hold; with no gap that is the usual cut into n + 1 parts.

    Parameters
    ----------
    n : int, number of test periods
    gap : Duration or None, time from the as-of date to a complete outcome; None is the outcome's own horizon
        (within + settles_after). A shorter gap lets rows teach before their outcome could have been known: allowed
        only because it is written here, and the manifest shows it.
    periods : "rows" cuts the test time so that periods hold about the same number of rows, "time" so that they
        are equally long
    without_shared_people : bool, leave people of the test period out of the rows that teach it
    """

    kind: ClassVar[str] = "forward"
    n: int = 4
    gap: Duration | None = None
    periods: Literal["rows", "time"] = "rows"
    without_shared_people: bool = False

    def __post_init__(self) -> None:
        _must_be_settings(self.n, 1, self.periods in ("rows", "time"))

    def document(self) -> dict[str, object]:
        """The settings as JSON."""
        return {
            "kind": self.kind,
            "n": self.n,
            "gap": None if self.gap is None else str(self.gap),
            "periods": self.periods,
            "without_shared_people": self.without_shared_people,
        }

    def split(self, as_of: Moments, people: npt.NDArray[np.int64], horizon: Duration | None) -> tuple[Fold, ...]:
        """The folds over rows whose outcome is known.

        Parameters
        ----------
        as_of : (n_rows,) datetime64[us]
        people : (n_rows,) int64
        horizon : Duration or None, the outcome's own horizon; used when `gap` is None

        Raises
        ------
        DataRefused : the dates are too short for so many folds
        """
        gap = self.gap if self.gap is not None else horizon or Duration()
        dates, date_of = np.unique(as_of, return_inverse=True)
        rows_before = np.concatenate([[0], np.cumsum(np.bincount(date_of, minlength=len(dates)))])
        complete = gap.after(dates)
        teaching = rows_before[np.searchsorted(complete, dates, side="right")]
        first = _first_test_date(self.n, rows_before, teaching)
        if first is None:
            raise _too_short(self.n, gap, dates)
        starts = _period_starts(dates, rows_before, first, self.n, self.periods)
        ends = [*starts[1:], len(dates)]
        return tuple(
            _fold(number, as_of, people, gap, dates[start], dates[end - 1], drop_shared=self.without_shared_people)
            for number, (start, end) in enumerate(zip(starts, ends, strict=True), start=1)
        )


@dataclass(frozen=True, slots=True)
class PersonFolds:
    """Folds by person, not by time: for data without dates that matter, such as a one-off cohort.

    All rows of a person are on one side. It says nothing about how a model ages; a card has to say so.

    Parameters
    ----------
    n : int, number of parts, at least 2
    seed : int
    """

    kind: ClassVar[str] = "person"
    n: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        _must_be_settings(self.n, 2, True)

    def document(self) -> dict[str, object]:
        """The settings as JSON."""
        return {"kind": self.kind, "n": self.n, "seed": self.seed}

    def split(self, as_of: Moments, people: npt.NDArray[np.int64], horizon: Duration | None) -> tuple[Fold, ...]:
        """The folds; `horizon` is not used, because time is not."""
        del horizon
        part = person_parts(people, self.n, self.seed)
        folds = []
        for number in range(1, self.n + 1):
            test = np.flatnonzero(part == number - 1)
            train = np.flatnonzero(part != number - 1)
            if not len(test) or not len(train):
                raise DataRefused(
                    "too-few-people",
                    found=f"too few people to cut into {self.n} parts",
                    expected="at least one person in every part",
                    repair="Ask for fewer folds.",
                )
            folds.append(Fold(number, train, test, as_of[test].min(), as_of[test].max(), 0, 0))
        return tuple(folds)


@dataclass(frozen=True, slots=True)
class PlaceFolds:
    """One place after the other is held out: how would the model do where nobody taught it?

    Each place with enough rows is judged by a model of the people of all other places. People with a row in the place
    do not teach it. Time is not kept apart, so it says nothing about how a model ages: judge forward in time as well.

    Parameters
    ----------
    by : str, the group of the training set that holds the place, such as "area" or "force"
    least : int, rows that a place needs to be judged; smaller places always teach
    """

    kind: ClassVar[str] = "place"
    by: str = "area"
    least: int = 100

    def __post_init__(self) -> None:
        if not self.by or self.least < 1:
            fault = Fault("folds", f"by {self.by!r}, least {self.least}", "a group, and at least 1 row", "Correct it.")
            raise DeclarationError("folds-invalid", faults=[fault])

    def document(self) -> dict[str, object]:
        """The settings as JSON."""
        return {"kind": self.kind, "by": self.by, "least": self.least}

    def split_by(self, places: Sequence[str | None], as_of: Moments, people: npt.NDArray[np.int64]) -> tuple[Fold, ...]:
        """The folds over rows whose outcome is known, the places in the order of their names.

        Parameters
        ----------
        places : (n_rows,) the place of each row, None where it is not known: such rows teach and are never judged
        as_of : (n_rows,) datetime64[us]
        people : (n_rows,) int64

        Raises
        ------
        DataRefused : fewer than two places are large enough
        """
        known = np.array([place or "" for place in places])
        named, rows = np.unique(known, return_counts=True)
        judged = [str(place) for place, n in zip(named, rows, strict=True) if place and n >= self.least]
        if len(judged) < 2:
            raise DataRefused(
                "too-few-places",
                found=f"{len(judged)} places of {len(named)} with at least {self.least} rows",
                expected="at least two places to hold out",
                repair="Lower `least`, or group the places into larger ones.",
            )
        folds = []
        for number, place in enumerate(judged, start=1):
            test = np.flatnonzero(known == place)
            in_test = np.isin(people, people[test])
            train = np.flatnonzero(~in_test)
            if not len(train):
                raise DataRefused(
                    "no-one-left-to-teach",
                    found="a place in which everybody has a row",
                    expected="people who were never there",
                    repair="Group by places that people seldom change.",
                )
            folds.append(Fold(number, train, test, as_of[test].min(), as_of[test].max(), 0, 0, place))
        return tuple(folds)


Folds: TypeAlias = ForwardFolds | PersonFolds | PlaceFolds


def person_parts(people: npt.NDArray[np.int64], parts: int, seed: int) -> npt.NDArray[np.int64]:
    """The part (0 .. parts-1) of each row, whole people together, parts as even in people as can be.

    Examples
    --------
    >>> parts = person_parts(np.array([5, 5, 7, 9]), 3, seed=1)
    >>> bool(parts[0] == parts[1]), len(set(parts.tolist()))
    (True, 3)
    """
    known, which = np.unique(people, return_inverse=True)
    of_person = stream(seed, "person-parts", parts).permutation(np.arange(len(known)) % parts)
    return np.asarray(of_person[which], dtype=np.int64)


def _fold(
    number: int,
    as_of: Moments,
    people: npt.NDArray[np.int64],
    gap: Duration,
    test_from: np.datetime64,
    test_until: np.datetime64,
    *,
    drop_shared: bool,
) -> Fold:
    test = np.flatnonzero((as_of >= test_from) & (as_of <= test_until))
    before = as_of < test_from
    may_teach = before & (gap.after(as_of) <= test_from)
    in_test = np.isin(people, people[test])
    shared = len(np.unique(people[may_teach & in_test]))
    train = np.flatnonzero(may_teach & ~in_test if drop_shared else may_teach)
    if not len(train):
        raise DataRefused(
            "no-one-left-to-teach",
            found=f"a fold in which all {shared} people who could teach are also judged",
            expected="people who are in the training rows only",
            repair="Set without_shared_people=False, or ask for fewer folds.",
        )
    waiting = int(before.sum() - may_teach.sum())
    return Fold(number, train, test, test_from, test_until, 0 if drop_shared else shared, waiting)


def _first_test_date(n: int, rows_before: Rows, teaching: Rows) -> int | None:
    """Number of the date at which the first test period begins, or None when n periods do not fit."""
    last = len(teaching) - n
    if last < 0 or teaching[last] == 0:
        return None
    to_judge = rows_before[-1] - rows_before[:-1]
    enough = np.flatnonzero(teaching * n >= to_judge)
    return int(min(last, enough[0])) if len(enough) else last


def _period_starts(dates: Moments, rows_before: Rows, first: int, n: int, periods: str) -> list[int]:
    """First date of each test period: n ascending date numbers, every period with at least one date."""
    if periods == "time":
        span = (dates[-1] - dates[first]) / n
        wanted = [int(np.searchsorted(dates, dates[first] + span * part)) for part in range(n)]
    else:
        to_judge = rows_before[-1] - rows_before[first]
        marks = [rows_before[first] + to_judge * part / n for part in range(n)]
        wanted = [int(np.abs(rows_before[:-1] - mark).argmin()) for mark in marks]
    starts = [first]
    for part in range(1, n):
        latest = len(dates) - (n - part)
        starts.append(min(max(wanted[part], starts[-1] + 1), latest))
    return starts


def _too_short(n: int, gap: Duration, dates: Moments) -> DataRefused:
    span = f"{str(dates[0])[:10]} to {str(dates[-1])[:10]}" if len(dates) else "no date at all"
    return DataRefused(
        "too-short-for-folds",
        found=f"known outcomes at {len(dates)} as-of dates, {span}",
        expected=f"a date to learn from, then {gap} for its outcome to be complete, then {n} dates to judge",
        repair="Ask for fewer folds, a longer period or a shorter outcome horizon; a gap shorter than the horizon, or "
        "folds by person, must be written in the declaration and is shown on the card.",
    )


def _must_be_settings(n: int, least: int, periods_known: bool) -> None:
    faults = []
    if n < least:
        faults.append(Fault("folds.n", repr(n), f"a whole number of at least {least}", "Ask for more folds."))
    if not periods_known:
        faults.append(Fault("folds.periods", "another word", "'rows' or 'time'", "Write rows or time."))
    if faults:
        raise DeclarationError("folds-invalid", faults=faults)

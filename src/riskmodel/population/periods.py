"""The years a page covers and the age bands it uses, and both as SQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from riskmodel.population.cube import UNKNOWN

AGES = (0, 10, 18, 25, 45)


@dataclass(frozen=True, slots=True)
class Period:
    """Whole years up to the month of the as-of date, and how long records take to arrive.

    Attributes
    ----------
    ends : date, the first day after it, the first of a month
    years : int
    provisional : int, months at its end in which records are still coming in
    settle_days : int, days after which 95 of 100 records were known

    Examples
    --------
    >>> period = Period(dt.date(2022, 10, 1), 2, 1, 31)
    >>> period.starts, period.labels, period.words
    (datetime.date(2020, 10, 1), ['2020/21', '2021/22'], 'October 2020 to September 2022')
    >>> period.months()[:1], period.months()[-1]
    ([('2020/21', '10', '2020-10')], ('2021/22', '09', '2022-09'))
    """

    ends: dt.date
    years: int
    provisional: int
    settle_days: int

    @property
    def starts(self) -> dt.date:
        """The first day."""
        return self.ends.replace(year=self.ends.year - self.years)

    @property
    def labels(self) -> list[str]:
        """The names of the years, such as "2021" or, from October to September, "2021/22"."""
        first = self.starts.year
        if self.ends.month == 1:
            return [str(year) for year in range(first, first + self.years)]
        return [f"{year}/{(year + 1) % 100:02d}" for year in range(first, first + self.years)]

    @property
    def words(self) -> str:
        """The period for a reader."""
        last = self.ends - dt.timedelta(days=1)
        return f"{self.starts:%B %Y} to {last:%B %Y}"

    def months(self) -> list[tuple[str, str, str]]:
        """Year, month and calendar month ("2021-10") of the whole period, in order."""
        made = []
        for place in range(12 * self.years):
            at = self.starts.month - 1 + place
            year, month = self.starts.year + at // 12, at % 12 + 1
            made.append((self.labels[place // 12], f"{month:02d}", f"{year}-{month:02d}"))
        return made

    def label_sql(self, moment: str) -> str:
        """The name of the year of a moment, as SQL."""
        steps = " ".join(
            f"WHEN {moment} < TIMESTAMP '{self.starts.replace(year=self.starts.year + place + 1)}' THEN '{label}'"
            for place, label in enumerate(self.labels)
        )
        return f"CASE {steps} END"

    def inside_sql(self, moment: str) -> str:
        """Whether a moment lies in the period, as SQL."""
        return f"({moment} >= TIMESTAMP '{self.starts}' AND {moment} < TIMESTAMP '{self.ends}')"


def age_label(ages: Sequence[int], place: int) -> str:
    """The name of an age band.

    Examples
    --------
    >>> [age_label((0, 10, 18), place) for place in range(3)]
    ['00-09', '10-17', '18+']
    """
    low = ages[place]
    return f"{low:02d}+" if place == len(ages) - 1 else f"{low:02d}-{ages[place + 1] - 1:02d}"


def age_at_sql(moment: str) -> str:
    """Completed years of the person ``p`` at a moment, as SQL."""
    return (
        f"date_diff('year', p.birth_date, {moment})"
        f" - (strftime(p.birth_date, '%m%d') > strftime({moment}, '%m%d'))::INT"
    )


def age_sql(age: str, ages: Sequence[int]) -> str:
    """The band of an age, as SQL; without an age it is unknown."""
    steps = " ".join(
        f"WHEN {age} >= {ages[place]} THEN '{age_label(ages, place)}'" for place in reversed(range(len(ages)))
    )
    return f"CASE WHEN {age} IS NULL THEN '{UNKNOWN}' {steps} ELSE '{UNKNOWN}' END"


def text_sql(text: str) -> str:
    """A text as SQL.

    Examples
    --------
    >>> text_sql("children's")
    "'children''s'"
    """
    quoted = text.replace("'", "''")
    return f"'{quoted}'"

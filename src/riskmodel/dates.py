"""The only date arithmetic of the package: durations, half-open windows, dates from text.

All times are naive wall-clock times of the partnership (intake converts what carries a zone). A window is
half-open: ``Window(years(1))`` at 2024-03-31 is [2023-03-31, 2024-03-31), so what happens on the as-of day
itself is never in it. Months are calendar months, cut to the month's end: one month before 2024-03-31
is 2024-02-29. Nothing here knows what an event is.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from riskmodel.errors import DeclarationError

Moments: TypeAlias = "npt.NDArray[np.datetime64]"
"""An array of datetime64[us]."""

_MEAN_MONTH_DAYS = 365.2425 / 12
_UNITS = {"d": (0, 1), "w": (0, 7), "m": (1, 0), "y": (12, 0)}


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of calendar time: whole months, then whole days.

    Examples
    --------
    >>> str(years(2)), str(months(18)), str(days(90))
    ('2y', '18m', '90d')
    >>> Duration.parse("2y") == years(2) == months(24)
    True
    """

    months: int = 0
    days: int = 0

    def __post_init__(self) -> None:
        whole = all(isinstance(part, int) and not isinstance(part, bool) for part in (self.months, self.days))
        if not whole or self.months < 0 or self.days < 0:
            raise DeclarationError.of(
                "duration-invalid",
                where="duration",
                found=f"{self.months!r} months and {self.days!r} days",
                expected="whole numbers of at least 0",
                repair="Write days(90), months(18) or years(2).",
            )

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read ``"90d"``, ``"6w"``, ``"18m"``, ``"2y"`` or a sum such as ``"1y6m"``."""
        parts = re.findall(r"(\d+)([dwmy])", text)
        if not parts or "".join(number + unit for number, unit in parts) != text:
            raise DeclarationError.of(
                "duration-invalid",
                where="duration",
                found=repr(text),
                expected="a number and a unit, such as '90d', '6w', '18m' or '2y'",
                repair="Write the duration as digits followed by d, w, m or y.",
            )
        counted = [(int(number) * _UNITS[unit][0], int(number) * _UNITS[unit][1]) for number, unit in parts]
        return cls(sum(month for month, _ in counted), sum(day for _, day in counted))

    @property
    def nominal_days(self) -> float:
        """Length in days with an average month of 30.44 days: for comparing durations, never for date arithmetic."""
        return self.months * _MEAN_MONTH_DAYS + self.days

    def before(self, moments: Moments) -> Moments:
        """The moments this long before each given one: (n,) datetime64[us] in, the same out."""
        return _shift(moments, -self.months, -self.days)

    def after(self, moments: Moments) -> Moments:
        """The moments this long after each given one: (n,) datetime64[us] in, the same out."""
        return _shift(moments, self.months, self.days)

    def __str__(self) -> str:
        whole_years = self.months % 12 == 0
        months_part = f"{self.months // 12}y" if whole_years else f"{self.months}m"
        days_part = f"{self.days}d" if self.days or not self.months else ""
        return (months_part if self.months else "") + days_part


def days(number: int) -> Duration:
    """`number` days."""
    return Duration(days=number)


def weeks(number: int) -> Duration:
    """`number` weeks of seven days."""
    return Duration(days=7 * number)


def months(number: int) -> Duration:
    """`number` calendar months."""
    return Duration(months=number)


def years(number: int) -> Duration:
    """`number` calendar years."""
    return Duration(months=12 * number)


@dataclass(frozen=True, slots=True)
class Window:
    """The half-open span ``[as_of - opens, as_of - closes)``; ``opens=None`` reaches back without limit.

    Examples
    --------
    >>> start, end = Window(years(1)).bounds(moments(["2024-02-29"]))
    >>> str(start[0])[:10], str(end[0])[:10]
    ('2023-02-28', '2024-02-29')
    >>> str(Window(years(2), days(90)))
    '2y_to_90d'
    """

    opens: Duration | None = None
    closes: Duration = Duration()

    def __post_init__(self) -> None:
        if self.opens is not None and self.opens.nominal_days <= self.closes.nominal_days:
            raise DeclarationError.of(
                "window-empty",
                where="window",
                found=f"a window that opens {self.opens} and closes {self.closes} before the as-of date",
                expected="an opening further back than the close",
                repair="Make `within` longer than `until`.",
            )

    def bounds(self, as_of: Moments) -> tuple[Moments, Moments]:
        """First moment inside and first moment after, for each as-of: two (n,) datetime64[us]."""
        end = self.closes.before(as_of)
        if self.opens is None:
            return np.full(as_of.shape, EARLIEST), end
        return self.opens.before(as_of), end

    def __str__(self) -> str:
        opens = "ever" if self.opens is None else str(self.opens)
        return opens if self.closes == Duration() else f"{opens}_to_{self.closes}"


EARLIEST = np.datetime64("0001-01-01", "us")
"""Before every event: the far end of an unbounded window."""
FOREVER = np.datetime64("9999-12-31", "us")
"""After every as-of date: the end of what is still open or not superseded."""


def duration_words(length: Duration | str) -> str:
    """A duration, or its text, in words.

    Examples
    --------
    >>> duration_words(years(2)), duration_words("18m"), duration_words(Duration(1, 1)), duration_words("0d")
    ('2 years', '18 months', '1 month and 1 day', 'no time')
    """
    names = {"y": "year", "m": "month", "w": "week", "d": "day"}
    parts = [(int(number), names[unit]) for number, unit in re.findall(r"(\d+)([ymwd])", str(length))]
    return " and ".join(f"{number} {unit}{'' if number == 1 else 's'}" for number, unit in parts if number) or "no time"


def moments(values: object) -> Moments:
    """Dates, datetimes, texts or datetime64 of any unit as a (n,) datetime64[us] array."""
    return np.atleast_1d(np.asarray(values, dtype="datetime64[us]"))


def parse_date(value: object, where: str) -> dt.date:
    """One calendar date from a date or an ISO text; refuses what no calendar has."""
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError:
        raise DeclarationError.of(
            "date-invalid",
            where=where,
            found=repr(value),
            expected="a calendar date such as 2024-03-31",
            repair="Correct the date.",
        ) from None


def _shift(moments_in: Moments, by_months: int, by_days: int) -> Moments:
    at = moments_in.astype("datetime64[us]")
    if by_months:
        day = at.astype("datetime64[D]")
        month = day.astype("datetime64[M]")
        day_of_month = (day - month.astype("datetime64[D]")).astype(np.int64)
        target = month + by_months
        last_day = ((target + 1).astype("datetime64[D]") - target.astype("datetime64[D]")).astype(np.int64) - 1
        shifted_day = target.astype("datetime64[D]") + np.minimum(day_of_month, last_day)
        at = shifted_day.astype("datetime64[us]") + (at - day.astype("datetime64[us]"))
    return np.asarray(at + np.timedelta64(by_days, "D"), dtype="datetime64[us]")

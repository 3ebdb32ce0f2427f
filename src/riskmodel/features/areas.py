"""Measures of areas: what is asked of the area where each row's person lives is computed once for each area and day.

An area is an entity like any other: its events are those of the people who lived there when they happened, its
household is everybody who lives there. So the same kernel answers for areas, and the rows of people read off what
belongs to their area on their day. Nothing here decides which area that is (the kernel, from the residences).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.features.feature import Feature
from riskmodel.features.nodes import Count, ValueOf
from riskmodel.features.pieces import Whole
from riskmodel.features.places import PER_PEOPLE, AreaRate, AreaValue, HouseholdSize
from riskmodel.features.selection import Events
from riskmodel.histories.overlaid import Overlaid
from riskmodel.histories.store import Histories
from riskmodel.tables import EVENTS, RELATIONS

YEAR: Final = 365.25 * 86_400_000_000.0
_FIRST: Final = np.iinfo(np.int64).min
"""Areas are numbered from here on, where no person's number lies."""

Matrix = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Filling = Callable[[Histories, pa.Table, Sequence[Feature]], Matrix]


@dataclass(frozen=True, slots=True, repr=False)
class AreaColumns:
    """Columns read off areas: ``values[:, pair[row]]`` are those of a row, NaN in the last place.

    Attributes
    ----------
    columns : their places among the features
    values : (columns, pairs + 1) float32, one pair for each area and day that somebody asks about
    pair : (rows,) int64
    """

    columns: tuple[int, ...]
    values: Matrix
    pair: Whole

    def fill(self, matrix: Matrix, offset: int, begin: int, end: int) -> None:
        """Fill the columns of rows ``begin:end`` into the matrix from row `offset` on."""
        for number, column in enumerate(self.columns):
            matrix[column, offset : offset + end - begin] = self.values[number, self.pair[begin:end]]


def of_areas(features: Sequence[Feature]) -> tuple[int, ...]:
    """Which of the features are asked of areas."""
    return tuple(column for column, feature in enumerate(features) if isinstance(feature, AreaRate | AreaValue))


def area_columns(
    histories: Histories,
    features: Sequence[Feature],
    area: npt.NDArray[np.float32],
    date: Whole,
    dates: Whole,
    filling: Filling,
) -> AreaColumns:
    """The columns of the features that are asked of areas.

    Parameters
    ----------
    area : (rows,) the number of the area where each row's person lives, NaN where it is not known
    date : (rows,) which of the dates is the row's
    dates : (dates,) int64, as-of dates in microseconds
    filling : computes features of entities; it is the caller's, and keeps to no bound of ties
    """
    columns = of_areas(features)
    known = ~np.isnan(area)
    codes, place = np.unique(area[known].astype(np.int64) * len(dates) + date[known], return_inverse=True)
    pair = np.full(len(area), len(codes), np.int64)
    pair[known] = place
    number, of_date = np.divmod(codes, len(dates))
    moments = dates[of_date].view("datetime64[us]")
    asked = pa.table({"entity_id": _FIRST + number, "as_of": moments})
    values = np.full((len(columns), len(codes) + 1), np.nan, np.float32)
    for place_of, measure in _measured(histories, [features[column] for column in columns], asked, filling).items():
        values[place_of, :-1] = measure
    return AreaColumns(columns, values, pair)


def _measured(
    histories: Histories, features: Sequence[Feature], asked: pa.Table, filling: Filling
) -> Mapping[int, Floats]:
    rates = {place: one for place, one in enumerate(features) if isinstance(one, AreaRate)}
    values = {place: one for place, one in enumerate(features) if isinstance(one, AreaValue)}
    found: dict[int, Floats] = {}
    if rates:
        counts: list[Feature] = [Count(_residents(one.events), one.window) for one in rates.values()]
        made = filling(_as_households(histories), asked, [*counts, HouseholdSize()]).astype(np.float64)
        for place, counted in zip(rates, made[:-1], strict=True):
            found[place] = _rate(rates[place], counted, made[-1], np.asarray(asked["as_of"].to_numpy()))
    if values:
        latest: list[Feature] = [ValueOf(Events((one.measure,)), "last") for one in values.values()]
        last = filling(_as_events(histories), asked, latest).astype(np.float64)
        found |= dict(zip(values, last, strict=True))
    return found


def _residents(events: Events) -> Events:
    return replace(events, through=("co_resident",))


def _rate(
    feature: AreaRate,
    count: npt.NDArray[np.float64],
    people: npt.NDArray[np.float64],
    as_of: npt.NDArray[np.datetime64],
) -> npt.NDArray[np.float64]:
    opens, closes = (np.asarray(edge, "datetime64[us]").view(np.int64) for edge in feature.window.bounds(as_of))
    length = (closes - opens).astype(np.float64)
    enough = (people >= feature.fewest) & (length > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = PER_PEOPLE * count / (people * (length / YEAR))
    return np.where(enough, rate, np.nan)


def _numbers(histories: Histories) -> pa.Array:
    """The areas in the order of their numbers, as the stream "area" gives them."""
    return pc.unique(histories.residences["area"]).drop_null().sort()


def _as_households(histories: Histories) -> Histories:
    """Histories in which an area lives with everybody who lived there."""
    lived = histories.residences.filter(histories.residences["area"].is_valid())
    number = pc.index_in(lived["area"], value_set=_numbers(histories)).cast(pa.int64()).to_numpy()
    ties = pa.table(
        {
            "entity_id": _FIRST + number,
            "other_id": lived["entity_id"],
            "kind": pa.array(["co_resident"]).take(pa.array(np.zeros(len(lived), np.int64))),
            **{name: lived[name] for name in ("starts_at", "ends_at", "known_at", "known_until")},
        },
        schema=RELATIONS,
    )
    return Histories(None, Overlaid(histories.result, {"relations": ties}))


def _as_events(histories: Histories) -> Histories:
    """Histories in which the measures of an area are its events, the later known last."""
    given = histories.area_values
    number = pc.index_in(given["area"], value_set=_numbers(histories))
    given, number = given.filter(number.is_valid()), number.drop_null()
    schema = EVENTS
    columns = {
        "entity_id": pa.array(_FIRST + number.cast(pa.int64()).to_numpy()),
        "happened_at": given["starts_at"],
        "known_at": given["known_at"],
        "known_until": given["known_until"],
        "agency": given["source"],
        "kind": given["measure"],
        "value": given["value"],
        "event_id": given["known_at"].cast(pa.int64()),
    }
    absent = {name: pa.nulls(len(given), schema.field(name).type) for name in schema.names if name not in columns}
    made = pa.table({name: (columns | absent)[name] for name in schema.names}, schema=schema)
    return Histories(None, Overlaid(histories.result, {"events": made}))

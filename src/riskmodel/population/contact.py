"""Known to several services, not at once: which agencies knew the same people, in what order, and whether together.

Serious case reviews keep finding people whom every service knew for a while and none knew together. Here they are
counted: ever known, known within a window, and known at the same time. Only what could be seen on the as-of date
counts, by the one time rule. Nothing leaves but counts that went through disclosure control; nobody is listed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.dates import Duration, Moments, days, moments, years
from riskmodel.errors import DeclarationError
from riskmodel.governance.disclosure import RULES, RuleSet, Total, released
from riskmodel.governance.ledger import Ledger
from riskmodel.histories.store import Histories
from riskmodel.histories.visibility import known, times_of, visible_rows
from riskmodel.population.estimate import Estimate
from riskmodel.population.rates import share

ALL = "all"
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, repr=False)
class Contact:
    """Who knew the same people, as counts that may leave.

    Attributes
    ----------
    as_of : datetime
    agencies : tuple of str
    combinations : Arrow, one row a set of agencies that knew people (``contact`` "none or one" or "several", ``number``
        of agencies, their names ``agencies``; "all" for sums): ``people``, of them ``within`` (contact with at
        least two reaches into the window), ``at_once`` (at least two at one time) and ``never_at_once``
    order : Arrow, one row an order in which two agencies came to know people (``pair``, ``order``): ``people``, and the
        ``median_days`` between, null where the count is hidden
    never_at_once : Estimate, share of the people known to several agencies who were never known to two at one time
    """

    as_of: dt.datetime
    agencies: tuple[str, ...]
    combinations: pa.Table
    order: pa.Table
    never_at_once: Estimate

    def __repr__(self) -> str:
        return f"Contact({len(self.agencies)} agencies, as of {self.as_of:%Y-%m-%d})"


def contact(
    histories: Histories,
    as_of: dt.datetime | dt.date | str,
    *,
    window: Duration = years(1),
    lasting: Duration = days(90),
    open_ended: Collection[str] = (),
    people: pa.Array | None = None,
    rules: RuleSet = RULES["hes"],
    ledger: Ledger | None = None,
) -> Contact:
    """Count who was known to which agencies, ever, within a window, and at the same time.

    Parameters
    ----------
    as_of : nothing that happened or became known at that moment or later is counted
    window : how far back "within" reaches
    lasting : how long after an event an agency is taken to be in contact; a spell lasts until its end, if that is later
    open_ended : kinds of event that are spells: without an end they go on until the as-of date
    people : int64, who is in question (a cohort); None for everybody known by then
    rules, ledger : how counts are made safe, and where the release is written down

    Raises
    ------
    DeclarationError : an open-ended kind that the histories do not know
    """
    at = moment_of(as_of)
    _must_be_known(histories, open_ended)
    persons = people_in_question(histories, at, people)
    spells = _spells(visible_rows(histories.events, at), persons, at, lasting, open_ended)
    agencies = tuple(sorted(set(spells.agency_names)))
    ever = _matrix(spells, np.ones(len(spells.person), dtype=bool), len(persons), agencies)
    recent = spells.ends > window.before(moments([at]))[0]
    within = _matrix(spells, recent, len(persons), agencies).sum(axis=1) >= 2
    at_once = _most_at_once(spells, len(persons)) >= 2
    table = released(
        _combinations(ever, within, at_once, agencies),
        ["people", "within", "at_once", "never_at_once"],
        totals=[Total("agencies", ALL, ("contact", "number")), Total("number", ALL, ("contact", "agencies"))],
        within_counts={"people": ["at_once", "never_at_once"]},
        rules=rules,
        ledger=ledger,
        name="agencies in contact",
    )
    order = _order(spells, len(persons), agencies, rules, ledger)
    return Contact(at, agencies, table, order, _never_at_once(table))


def moment_of(as_of: dt.datetime | dt.date | str) -> dt.datetime:
    """An as-of date as a moment; a date is its midnight."""
    if isinstance(as_of, str):
        return dt.datetime.fromisoformat(as_of)
    return as_of if isinstance(as_of, dt.datetime) else dt.datetime.combine(as_of, dt.time())


def people_in_question(histories: Histories, at: dt.datetime, people: pa.Array | None = None) -> npt.NDArray[np.int64]:
    """(n,) int64, sorted: the given people, or everybody whom some agency knew at the moment."""
    if people is not None:
        return np.unique(np.asarray(people, dtype=np.int64))
    since = times_of(histories.persons, "known_at")
    never = np.full(len(since), np.datetime64("NaT", "us"))
    held = known(since, never, np.datetime64(at, "us"))
    return np.unique(histories.persons.column("entity_id").to_numpy()[held])


def coded(words: pa.ChunkedArray) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
    """The different words, sorted, and (n,) int64 which of them each row holds."""
    held = pa.chunked_array([words]) if isinstance(words, pa.Array) else words
    encoded = held.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    names = np.asarray(encoded.dictionary.to_pylist(), dtype=str)
    order = np.argsort(names, kind="stable")
    rank = np.empty(len(names), dtype=np.int64)
    rank[order] = np.arange(len(names))
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return tuple(str(name) for name in names[order]), rank[codes]


@dataclass(frozen=True, slots=True, repr=False)
class _Spells:
    """Contacts as (m,) arrays: whose (place among the people), with which agency, from when to when (half-open)."""

    person: npt.NDArray[np.int64]
    agency: npt.NDArray[np.int64]
    starts: Moments
    ends: Moments
    agency_names: tuple[str, ...]


def _must_be_known(histories: Histories, kinds: Collection[str]) -> None:
    unknown = sorted(set(kinds) - set(histories.kinds))
    if unknown:
        raise DeclarationError.of(
            "kind-unknown",
            where="kinds",
            found=", ".join(unknown),
            expected=f"some of {', '.join(histories.kinds)}",
            repair="Name kinds of event that the histories hold.",
        )


def _spells(
    events: pa.Table, persons: npt.NDArray[np.int64], at: dt.datetime, lasting: Duration, open_ended: Collection[str]
) -> _Spells:
    events = events.filter(events.column("entity_id").is_valid())
    ids = events.column("entity_id").to_numpy()
    place = np.minimum(np.searchsorted(persons, ids), max(0, len(persons) - 1))
    held = persons[place] == ids if len(persons) else np.zeros(len(ids), dtype=bool)
    events, place = events.filter(pa.array(held)), place[held]
    names, agency = coded(events.column("agency"))
    starts, told, now = times_of(events, "happened_at"), times_of(events, "ended_at"), np.datetime64(at, "us")
    still = pc.is_in(events.column("kind"), value_set=pa.array(sorted(open_ended), pa.string()))
    given = ~np.isnat(told)
    ends = np.maximum(lasting.after(starts), np.where(given, told, starts))
    ends = np.where(~given & still.to_numpy(zero_copy_only=False), now, ends)
    # contact on the day itself counts even if it lasts no time
    ends = np.maximum(np.minimum(ends, now), np.minimum(starts + np.timedelta64(1, "us"), now))
    return _Spells(place, agency, starts, ends, names)


def _matrix(spells: _Spells, chosen: Mask, persons: int, agencies: tuple[str, ...]) -> Mask:
    """(persons, agencies) who was known to whom by the chosen spells."""
    made = np.zeros((persons, len(agencies)), dtype=bool)
    made[spells.person[chosen], spells.agency[chosen]] = True
    return made


def _most_at_once(spells: _Spells, persons: int) -> npt.NDArray[np.int64]:
    """(persons,) the greatest number of different agencies in contact at one moment."""
    pair = spells.person * max(1, len(spells.agency_names)) + spells.agency
    owner, when, step = _swept(pair, spells.starts, spells.ends, starts_first=True)
    going = np.cumsum(step)  # every group sums to nothing, so that one running sum serves all
    opens, closes = (step == 1) & (going == 1), (step == -1) & (going == 0)
    person = owner // max(1, len(spells.agency_names))
    whose, _, change = _swept(person[opens], when[opens], when[closes], starts_first=False)
    most = np.zeros(persons, dtype=np.int64)
    np.maximum.at(most, whose, np.cumsum(change))
    return most


def _swept(
    owner: npt.NDArray[np.int64], starts: Moments, ends: Moments, *, starts_first: bool
) -> tuple[npt.NDArray[np.int64], Moments, npt.NDArray[np.int64]]:
    """Starts (+1) and ends (-1) by owner and time; at the same time starts or ends go first."""
    owners, times = np.concatenate([owner, owner]), np.concatenate([starts, ends])
    steps = np.repeat(np.array([1, -1]), len(owner))
    order = np.lexsort((-steps if starts_first else steps, times, owners))
    return owners[order], times[order], steps[order]


def _combinations(ever: Mask, within: Mask, at_once: Mask, agencies: tuple[str, ...]) -> pa.Table:
    """One row a combination that occurs, with sums by number of agencies and by contact."""
    rows: dict[tuple[str, str, str], list[int]] = {}
    weights = 1 << np.arange(len(agencies), dtype=np.int64)
    codes, sets = np.unique(ever @ weights if len(agencies) else np.zeros(len(ever), np.int64), return_inverse=True)
    for place, code in enumerate(codes):
        names = [name for bit, name in enumerate(agencies) if int(code) >> bit & 1]
        mine = sets == place
        counts = [
            int(mine.sum()),
            int((mine & within).sum()),
            int((mine & at_once).sum()),
            int((mine & ~at_once).sum()),
        ]
        kind, number = "several" if len(names) > 1 else "none or one", str(len(names))
        for key in {(kind, number, " + ".join(names) or "none"), (kind, number, ALL), (kind, ALL, ALL)}:
            rows[key] = [one + other for one, other in zip(rows.get(key, [0] * 4), counts, strict=True)]
    kept = sorted(rows, key=lambda key: (key[0], key[1] == ALL, key[1], key[2] == ALL, key[2]))
    keys = {name: [key[place] for key in kept] for place, name in enumerate(("contact", "number", "agencies"))}
    counted = ("people", "within", "at_once", "never_at_once")
    figures = {name: pa.array([rows[key][place] for key in kept], pa.int64()) for place, name in enumerate(counted)}
    return pa.table({**{name: pa.array(column, pa.string()) for name, column in keys.items()}, **figures})


def _order(spells: _Spells, persons: int, agencies: tuple[str, ...], rules: RuleSet, ledger: Ledger | None) -> pa.Table:
    """Of the people known to both of two agencies: which knew them first, and the median days between."""
    first = np.full((persons, len(agencies)), np.iinfo(np.int64).max)
    day = spells.starts.astype("datetime64[D]").astype(np.int64)
    np.minimum.at(first, (spells.person, spells.agency), day)
    seen = first < np.iinfo(np.int64).max
    rows: list[tuple[str, str, int, float | None]] = []
    for one, other in combinations(range(len(agencies)), 2):
        both = seen[:, one] & seen[:, other]
        gap = first[both, other] - first[both, one]
        pair = f"{agencies[one]} + {agencies[other]}"
        for label, days_between in (
            (f"{agencies[one]} first", gap[gap > 0]),
            (f"{agencies[other]} first", -gap[gap < 0]),
            ("the same day", gap[gap == 0]),
            (ALL, np.abs(gap)),
        ):
            middle = float(np.median(days_between)) if len(days_between) else None
            rows.append((pair, label, len(days_between), middle))
    pairs, labels, counts, medians = zip(*rows, strict=True) if rows else ((), (), (), ())
    table = pa.table(
        {
            "pair": pa.array(pairs, pa.string()),
            "order": pa.array(labels, pa.string()),
            "people": pa.array(counts, pa.int64()),
        }
    )
    totals = [Total("order", ALL, ("pair",))]
    made = released(table, ["people"], totals=totals, rules=rules, ledger=ledger, name="order of contact")
    shown = [
        None if count is None or not count else middle
        for count, middle in zip(made.column("people").to_pylist(), medians, strict=True)
    ]
    return made.add_column(3, "median_days", pa.array(shown, pa.float64()))


def _never_at_once(table: pa.Table) -> Estimate:
    """The share from the released counts, so that it gives nothing more away."""
    for row in table.to_pylist():
        if (row["contact"], row["number"], row["agencies"]) == ("several", ALL, ALL):
            if row["people"] is None or row["never_at_once"] is None:
                return Estimate.hidden("Wilson 1927, from rounded counts")
            return share(min(row["never_at_once"], row["people"]), row["people"])
    return Estimate.none(0, "Wilson 1927", "nobody is known to several agencies")

"""Missed use: harm that a rule would have seen coming from the pooled records, and from no single agency's.

The same rule (so many records within so long) is replayed for one agency, for each coalition, and for all together, on
what each could have seen before the harm. How many days earlier the pooled view would have crossed the line is lead
time gained; how many people a rule points to without harm is its price, and stands beside it. Attempts to read what
was not permitted (misuse) come from the ledger and stand on the same chart: both are harm that data can do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import pyarrow as pa

from riskmodel.dates import Duration
from riskmodel.governance.ledger import Ledger
from riskmodel.population.harm import Harm, harms_sql
from riskmodel.population.periods import Period, text_sql
from riskmodel.population.publication import Publication
from riskmodel.population.reading import Reading

MISSED, ONLY_POOLED = "missed_use", "seen_only_together"
MOST_AGENCIES = 7
"""With more, not every coalition is replayed."""
_ALL = "all agencies"


@dataclass(frozen=True, slots=True)
class View:
    """What one coalition would have seen coming.

    Attributes
    ----------
    agencies : tuple of str
    harmed, foreseen : int or None, people harmed in the period, and those the rule pointed to before; as released
    flagged : int or None, people the rule pointed to at any time before the end of the period
    median_lead_days : float or None, from the first crossing within the horizon to the first harm
    """

    agencies: tuple[str, ...]
    harmed: int | None
    foreseen: int | None
    flagged: int | None
    median_lead_days: float | None


@dataclass(frozen=True, slots=True, repr=False)
class MissedUse:
    """The replay of one rule.

    Attributes
    ----------
    views : tuple of View, single agencies first, all together last
    only_pooled : int or None, harmed people seen coming by all together and by no agency alone; as released
    smallest : of the coalitions replayed, the one of fewest agencies that sees 95 in 100 of what all see, or None
    misuse : mapping of a refusal's code to how often it is in the ledger
    """

    views: tuple[View, ...]
    only_pooled: int | None
    smallest: tuple[str, ...] | None
    misuse: dict[str, int]

    @property
    def pooled(self) -> View:
        """All agencies together."""
        return self.views[-1]

    def __repr__(self) -> str:
        return f"MissedUse({len(self.views)} coalitions)"


def missed_use(
    publication: Publication,
    reading: Reading,
    harms: Sequence[Harm],
    period: Period,
    agencies: Sequence[str],
    *,
    count: int,
    within: Duration,
    horizon_days: int = 365,
    ledger: Ledger | None = None,
) -> MissedUse:
    """Replay the rule "`count` records within `within`" for every coalition of the agencies.

    Records of the harm itself count like any other, as long as they were known before. A crossing is a run of `count`
    records in order of time, all known, the first not older than `within` when the last became known.

    Parameters
    ----------
    horizon_days : a crossing counts if it lies at most so long before the harm
    ledger : where refused reads are written down; None for none

    With more than seven agencies the coalitions are one agency, two, all but one, and all.
    """
    reading.keep(
        "first_harm",
        f"""SELECT entity_id, min(happened_at) AS harmed_at FROM events WHERE {harms_sql(harms)}
            AND entity_id IS NOT NULL AND {period.inside_sql("happened_at")} GROUP BY entity_id""",
    )
    coalitions = _coalitions(sorted(agencies))
    rows, leads, seen_by = [], [], {}
    for place, coalition in enumerate(coalitions):
        _keep_crossings(reading, coalition, count, within, period)
        found = reading.query(
            f"""WITH hit AS (SELECT h.entity_id, min(c.crossed_at) AS crossed_at, any_value(h.harmed_at) AS harmed_at
                    FROM first_harm h JOIN crossings c ON c.entity_id = h.entity_id AND c.crossed_at < h.harmed_at
                    AND c.crossed_at >= h.harmed_at - INTERVAL {int(horizon_days)} DAY GROUP BY h.entity_id)
                SELECT (SELECT count(*) FROM first_harm) AS harmed, count(*) AS foreseen,
                       (SELECT count(DISTINCT entity_id) FROM crossings) AS flagged,
                       median(date_diff('day', crossed_at, harmed_at)) AS lead FROM hit"""
        ).to_pylist()[0]
        name = _ALL if len(coalition) == len(agencies) else " + ".join(coalition)
        rows.append(
            {
                "coalition": name,
                "harmed": found["harmed"],
                "foreseen": found["foreseen"],
                "not_foreseen": found["harmed"] - found["foreseen"],
                "flagged": found["flagged"],
            }
        )
        leads.append(found["lead"])
        if len(coalition) in (1, len(agencies)):
            reading.keep(f"hit_{place}", _hit_sql(horizon_days))
            seen_by[coalition] = f"hit_{place}"
    counts = ("harmed", "foreseen", "not_foreseen", "flagged")
    left = publication.leave(
        MISSED,
        f"Harm a rule of {count} records within {within} would have seen coming, by coalition, {period.words}",
        pa.Table.from_pylist(rows),
        keys=("coalition",),
        counts=counts,
        within_counts={"harmed": ["foreseen", "not_foreseen"]},
    )
    views = tuple(
        View(chosen, row["harmed"], row["foreseen"], row["flagged"], lead if row["foreseen"] else None)
        for chosen, row, lead in zip(coalitions, left.to_pylist(), leads, strict=True)
    )
    only = _only_pooled(publication, reading, seen_by, tuple(sorted(agencies)))
    return MissedUse(views, only, _smallest(views), _misuse(ledger))


def _coalitions(agencies: Sequence[str]) -> list[tuple[str, ...]]:
    """Every coalition, or with many agencies the smallest and the largest; single agencies first, all last."""
    whole = len(agencies)
    sizes = range(1, whole + 1) if whole <= MOST_AGENCIES else (1, 2, whole - 1, whole)
    return [chosen for size in sizes for chosen in combinations(agencies, size)]


def _keep_crossings(reading: Reading, coalition: Sequence[str], count: int, within: Duration, period: Period) -> None:
    names = ", ".join(text_sql(agency) for agency in coalition)
    length = f"INTERVAL {within.months} MONTH" if not within.days else f"INTERVAL {within.days} DAY"
    reading.keep(
        "crossings",
        f"""SELECT entity_id, crossed_at FROM (
                SELECT entity_id, lag(happened_at, {int(count) - 1}) OVER run AS oldest,
                       max(greatest(known_at, happened_at)) OVER (
                           run ROWS BETWEEN {int(count) - 1} PRECEDING AND CURRENT ROW) AS crossed_at
                FROM events WHERE agency IN ({names}) AND entity_id IS NOT NULL
                WINDOW run AS (PARTITION BY entity_id ORDER BY happened_at, event_id))
            WHERE oldest IS NOT NULL AND oldest >= crossed_at - {length} AND crossed_at < TIMESTAMP '{period.ends}'""",
    )


def _hit_sql(horizon_days: int) -> str:
    return f"""SELECT DISTINCT h.entity_id FROM first_harm h JOIN crossings c ON c.entity_id = h.entity_id
        AND c.crossed_at < h.harmed_at AND c.crossed_at >= h.harmed_at - INTERVAL {int(horizon_days)} DAY"""


def _only_pooled(
    publication: Publication, reading: Reading, seen_by: dict[tuple[str, ...], str], everybody: tuple[str, ...]
) -> int | None:
    alone = " UNION ".join(f"SELECT entity_id FROM {table}" for chosen, table in seen_by.items() if chosen != everybody)
    found = reading.query(
        f"""SELECT count(*) AS foreseen, count(*) FILTER (WHERE entity_id IN ({alone})) AS by_one_alone,
                   count(*) FILTER (WHERE entity_id NOT IN ({alone})) AS only_together FROM {seen_by[everybody]}"""
    )
    counts = tuple(found.column_names)
    table = found.add_column(0, "rule", pa.array(["pooled"]))
    left = publication.leave(
        ONLY_POOLED,
        "People whose harm all agencies together would have seen coming",
        table,
        keys=("rule",),
        counts=counts,
        within_counts={"foreseen": list(counts[1:])},
        whole_rows=True,
    )
    value = left.column("only_together")[0].as_py()
    return None if value is None else int(value)


def _smallest(views: Sequence[View]) -> tuple[str, ...] | None:
    goal = views[-1].foreseen
    if not goal:
        return None
    enough = [view for view in views if view.foreseen is not None and view.foreseen >= 0.95 * goal]
    best = min(enough, key=lambda view: (len(view.agencies), -(view.foreseen or 0), view.agencies))
    return best.agencies


def _misuse(ledger: Ledger | None) -> dict[str, int]:
    """Refused reads by code."""
    if ledger is None:
        return {}
    codes = Counter(str(entry.facts.get("code", "refused")) for entry in ledger.entries() if entry.action == "refused")
    return dict(sorted(codes.items()))

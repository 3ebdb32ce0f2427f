"""Missed use by rule: harm that a rule would have seen coming from the pooled records, and from no single agency's.

The same rule (so many records within so long) is replayed for one agency, for each coalition, and for all together, on
what each could have seen before the harm. Attempts to read what was not permitted (misuse) come from the ledger: both
are harm that data can do, and they stand on one chart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from riskmodel.dates import Duration
from riskmodel.governance.ledger import Ledger
from riskmodel.population.foresight import Foreseen, Foresight, coalitions, leave_foresight, nested
from riskmodel.population.harm import Harm, harms_sql
from riskmodel.population.periods import Period, text_sql
from riskmodel.population.publication import Publication
from riskmodel.population.reading import Reading

MOST_AGENCIES = 7
"""With more, not every coalition is replayed."""


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
) -> Foresight:
    """Replay the rule "`count` records within `within`" for every coalition of the agencies.

    Records of the harm itself count like any other, as long as they were known before. A crossing is a run of `count`
    records in order of time, all known, the first not older than `within` when the last became known.

    Parameters
    ----------
    horizon_days : a crossing counts if it lies at most so long before the harm

    With more than seven agencies the coalitions are one agency, two, all but one, all, and nested ones
    between.
    """
    reading.keep(
        "first_harm",
        f"""SELECT entity_id, min(happened_at) AS harmed_at FROM events WHERE {harms_sql(harms)}
            AND entity_id IS NOT NULL AND {period.inside_sql("happened_at")} GROUP BY entity_id""",
    )
    harmed = np.sort(reading.query("SELECT entity_id FROM first_harm").column("entity_id").to_numpy())
    names = sorted(agencies)

    def replayed(coalition: tuple[str, ...]) -> Foreseen:
        _keep_crossings(reading, coalition, count, within, period)
        return _foreseen(reading, coalition, harmed, horizon_days)

    made = [replayed(chosen) for chosen in coalitions(names, MOST_AGENCIES)]
    made += [replayed(chosen) for chosen in nested(made, names)] if len(names) > MOST_AGENCIES else []
    title = f"a rule of {count} records within {within}"
    return leave_foresight(publication, made, name="rule", title=title, when=period.words)


def misuse_in(ledger: Ledger) -> dict[str, int]:
    """How often a read or a score was refused, by the code of the refusal, as the ledger holds it."""
    codes = Counter(str(entry.facts.get("code", "refused")) for entry in ledger.entries() if entry.action == "refused")
    return dict(sorted(codes.items()))


def _foreseen(reading: Reading, coalition: tuple[str, ...], harmed: np.ndarray, horizon_days: int) -> Foreseen:
    found = reading.query(
        f"""SELECT h.entity_id, date_diff('day', min(c.crossed_at), any_value(h.harmed_at)) AS days
            FROM first_harm h JOIN crossings c ON c.entity_id = h.entity_id AND c.crossed_at < h.harmed_at
            AND c.crossed_at >= h.harmed_at - INTERVAL {int(horizon_days)} DAY GROUP BY h.entity_id"""
    )
    days = np.full(len(harmed), np.nan)
    days[np.searchsorted(harmed, found.column("entity_id").to_numpy())] = found.column("days").to_numpy()
    flagged = reading.query("SELECT DISTINCT entity_id FROM crossings").column("entity_id").to_numpy()
    return Foreseen(coalition, days, flagged)


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

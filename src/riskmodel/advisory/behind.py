"""The very events behind a reason, with their dates and the agency that recorded them.

Only the person's own records are shown. Where a reason rests on somebody else (a parent, a person at the same
address) or on a place, it is said how many records there are and not what they are: they belong to others, and
whether this reader may see them is not for the model to say.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from riskmodel.advisory.missing import agency_words
from riskmodel.features.feature import Feature
from riskmodel.features.reference import Seen, answer
from riskmodel.governance.ledger import Ledger
from riskmodel.histories.store import Histories

MOST_SHOWN = 5


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Behind:
    """Where the events behind one person's reasons are found when they are asked for.

    Parameters
    ----------
    histories : Histories
    features : mapping of column name to Feature
    entity_id : int
    as_of : date
    ledger : Ledger, to which each look is written, without the person
    list_fingerprint : str, of the list the score is on
    """

    histories: Histories
    features: Mapping[str, Feature]
    entity_id: int
    as_of: dt.date
    ledger: Ledger
    list_fingerprint: str

    def noted(self) -> None:
        """Write down that the records behind one score on the list were looked at."""
        self.ledger.append("explained", list=self.list_fingerprint)

    def of_others(self, column: str) -> bool:
        """Whether a column is drawn from records of other people."""
        feature = self.features.get(column)
        return feature is not None and "about_relation" in feature.tags

    def lines(self, column: str) -> tuple[str, ...]:
        """The events behind a column, newest first; empty for what does not rest on events."""
        feature = self.features.get(column)
        if feature is None or not feature.selections:
            return ()
        events = answer(self.histories, feature, self.entity_id, dt.datetime.combine(self.as_of, dt.time())).events
        if not events:
            return ("no such record",)
        if any(selection.through for selection in feature.selections):
            return (f"{len(events)} record{'' if len(events) == 1 else 's'} of other people or places, not shown here",)
        newest = sorted(events, key=lambda seen: (seen.happened_at, seen.event_id), reverse=True)
        shown = [event_words(seen) for seen in newest[:MOST_SHOWN]]
        earlier = len(newest) - len(shown)
        return (*shown, f"and {earlier} earlier") if earlier else tuple(shown)

    def __repr__(self) -> str:
        return "Behind(one person's records)"


def event_words(seen: Seen) -> str:
    """One event in words: ``12 March 2020, domestic abuse as victim (police)``."""
    role = f" as {seen.role.replace('_', ' ')}" if seen.role else ""
    day = f"{seen.happened_at.day} {seen.happened_at:%B %Y}"
    return f"{day}, {seen.kind.replace('_', ' ')}{role} ({agency_words(seen.agency)})"

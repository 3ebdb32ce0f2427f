"""The linked people: whose records are whose, in the best world or in one that was drawn, and what is agreed of them.

What is kept of a linkage has no name, no address and no date of birth beyond the one agreed on. Nothing here decides
who is who.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.engines.duckdb import query
from riskmodel.engines.folders import Result
from riskmodel.errors import NotFound
from riskmodel.feeds.intake import NAME as RECEIVED
from riskmodel.governance.access import Store
from riskmodel.tables import LINKS, PERSONS, combined_fingerprint, conform, ordered

NAME: Final = "linked"


@dataclass(frozen=True, repr=False)
class People:
    """The linked people of a store: who each record belongs to, and what is agreed about them.

    Attributes
    ----------
    store : Store
    result : Result, named "linked"
    draw : int or None, which of the drawn worlds this is; None is the best one
    """

    store: Store
    result: Result
    draw: int | None = None

    @property
    def links(self) -> pa.Table:
        """LINKS: one row a record."""
        best = self.result.table("links")
        if self.draw is None:
            return best
        worlds = self.result.table("worlds")
        other = worlds.filter(pc.equal(worlds.column("draw"), self.draw)).drop_columns(["draw"])
        kept = query("SELECT b.* FROM b ANTI JOIN o USING (agency, person_key)", b=best, o=other)
        return ordered(
            pa.concat_tables([conform(kept, LINKS), conform(other, LINKS)]), ["agency", "person_key", "feed"]
        )

    @property
    def persons(self) -> pa.Table:
        """PERSONS: one row a person, no names."""
        if self.draw is None:
            return self.result.table("persons")
        return ordered(agreed(self.store.result(RECEIVED).table("people"), self.links), ["entity_id"])

    @property
    def quality(self) -> dict[str, Any]:
        """Counts of records, people, comparisons and match probabilities."""
        document: dict[str, Any] = self.result.document("quality")
        return document

    @property
    def draws(self) -> int:
        """How many linked worlds were drawn beside the best one."""
        return int(self.quality["settings"].get("draws", 0))

    def drawn(self, number: int) -> People:
        """One of the linked worlds, to be used like the best one; numbers count from 0.

        Raises
        ------
        NotFound : no draw of that number was made
        """
        if not 0 <= number < self.draws:
            raise NotFound(
                "draw-missing",
                found=f"no draw {number} among {self.draws}",
                expected=f"a number from 0 to {self.draws - 1}" if self.draws else "people linked with draws",
                repair="Link with draws=20, and ask for one of them.",
            )
        return People(self.store, self.result, number)

    @property
    def fingerprint(self) -> str:
        if self.draw is None:
            return self.result.fingerprint
        return combined_fingerprint({"linked": self.result.fingerprint, "draw": str(self.draw)})

    def __repr__(self) -> str:
        rows = self.result.rows
        if self.draw is not None:
            return f"People(draw {self.draw} of {self.draws}, {rows['links']:,} records)"
        return f"People({rows['persons']:,} people from {rows['links']:,} records)"


def agreed(people: pa.Table, links: pa.Table) -> pa.Table:
    """PERSONS: for each attribute the value that most records give.

    A record (one agency's number for a person) has one voice for each value it ever gave. Of values with as many voices
    the one given by the agency first in the alphabet wins, then the one known first. Nothing given is null.
    """
    voices = query(
        """SELECT l.entity_id, p.agency, p.person_key, p.birth_date, p.sex, p.ethnicity, p.known_at FROM people p
           JOIN links l ON p.agency = l.agency AND p.person_key = l.person_key""",
        people=people,
        links=links.select(["agency", "person_key", "entity_id"]),
    )
    sql = "SELECT entity_id, min(known_at) AS known_at FROM voices GROUP BY entity_id"
    made = query(sql, voices=voices)
    for column in ("birth_date", "sex", "ethnicity"):
        made = query(_MOST_GIVEN.format(column=column), made=made, voices=voices)
    return conform(made, PERSONS)


_MOST_GIVEN: Final = """
WITH counted AS (
    SELECT entity_id, {column}, count(DISTINCT (agency, person_key)) AS voices, min(agency) AS agency,
           min(known_at) AS known_at
    FROM voices WHERE {column} IS NOT NULL GROUP BY entity_id, {column}
), first AS (
    SELECT entity_id, {column} FROM counted
    QUALIFY row_number() OVER (PARTITION BY entity_id ORDER BY voices DESC, agency, known_at, {column}) = 1
)
SELECT made.*, first.{column} FROM made LEFT JOIN first USING (entity_id)
"""

"""A record was wrong: which scores and reasons it touched, and the corrected ones.

What was known on the day of a score does not change when a record is put right later, so asking again for that day
would give the wrong score again. `as_corrected` therefore makes histories in which the record had always been as it
is now; scores on them are compared with the first ones, person by person. A list that was corrected is withdrawn:
it is no longer exported or opened for a review. The ledger gets counts, never whom.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import pyarrow as pa

from riskmodel.advisory.one_score import Score
from riskmodel.advisory.review import Review
from riskmodel.advisory.scores import Scores
from riskmodel.advisory.standing import CORRECTED
from riskmodel.engines.duckdb import query
from riskmodel.errors import DeclarationError, NotFound
from riskmodel.histories.store import Histories
from riskmodel.tables import EVENTS

TOUCHED = ("probability", "reasons", "gaps", "no longer on the list", "newly on the list")
"""What a correction may change for a person."""


def as_corrected(histories: Histories, event_ids: Collection[int]) -> Histories:
    """The histories as if these records had always been as they are now; a retracted one was never there.

    A corrected record is taken to have been known since its first version was.

    Raises
    ------
    NotFound : an event that is not in the histories
    """
    ids = pa.table({"event_id": pa.array(sorted(set(event_ids)), pa.int64())})
    known = query("SELECT count(DISTINCT event_id) AS n FROM events SEMI JOIN ids USING (event_id)",
                  events=histories.events, ids=ids)["n"][0].as_py()  # fmt: skip
    if known < ids.num_rows:
        raise NotFound(
            "record-not-found",
            found=f"{ids.num_rows - known} of {ids.num_rows} records that are not in the histories",
            expected="event ids of records that were delivered",
            repair="Take the event ids from the histories the scores were made on.",
        )
    columns = ", ".join(EVENTS.names)
    first = "min(known_at) OVER (PARTITION BY event_id)"
    sql = f"""SELECT {columns} FROM events ANTI JOIN ids USING (event_id) UNION ALL
              SELECT {columns.replace("known_at", "first_known AS known_at", 1)} FROM (
                SELECT *, {first} AS first_known FROM events SEMI JOIN ids USING (event_id)
              ) WHERE known_until IS NULL"""
    return Histories.of(
        events=query(sql, events=histories.events, ids=ids).cast(EVENTS),
        persons=histories.persons,
        residences=histories.residences,
        relations=histories.relations,
        covered_until=histories.covered_until,
    )


@dataclass(frozen=True, slots=True, repr=False)
class Corrections:
    """What a correction changed on one list.

    Attributes
    ----------
    before, after : Scores
    touched : mapping of pseudonym to what changed, some of `TOUCHED`; people for whom nothing changed are not in it
    """

    before: Scores
    after: Scores
    touched: dict[str, tuple[str, ...]]

    @property
    def counts(self) -> dict[str, int]:
        """How many people each kind of change touched."""
        found = Counter(kind for kinds in self.touched.values() for kind in kinds)
        return {kind: found[kind] for kind in TOUCHED}

    def letter(self, pseudonym: str) -> str:
        """The corrected advice on one person, which says that it takes the place of the first.

        Raises
        ------
        NotFound : nothing changed for that person
        """
        if pseudonym not in self.touched:
            raise NotFound(
                "person-not-touched",
                found="a person for whom the correction changed nothing",
                expected=f"one of the {len(self.touched):,} people it touched",
                repair="The first advice stands.",
            )
        gone = "no longer on the list" in self.touched[pseudonym]
        said = f"{pseudonym} is not eligible on the corrected records: there is no advice." if gone else (
            self.after.person(pseudonym).explain()
        )  # fmt: skip
        changed = ", ".join(self.touched[pseudonym])
        return f"CORRECTED. A record was wrong; this takes the place of the earlier advice ({changed}).\n\n{said}"

    def reviews_to_repeat(self, reviews: Iterable[Review]) -> tuple[Review, ...]:
        """The reviews in which somebody saw a score that the correction touched."""
        return tuple(
            review
            for review in reviews
            if review.list_fingerprint == self.before.fingerprint
            and review.looked_at
            and review.pseudonym in self.touched
        )

    def __repr__(self) -> str:
        return f"Corrections({len(self.touched):,} of {self.before.people:,} people touched)"


def corrections(before: Scores, after: Scores, *, reason: str) -> Corrections:
    """Compare a list with the corrected one, withdraw the first, and write both into the ledger.

    Parameters
    ----------
    before : Scores, as they were given out
    after : Scores of the same model, date and purpose on corrected histories
    reason : str, a code such as "record-of-another-person"

    Raises
    ------
    DeclarationError : the lists are not of the same model, date and purpose, or rest on the same histories
    """
    one, other = before.basis, after.basis
    same = (one.model, one.as_of, one.purpose.name) == (other.model, other.as_of, other.purpose.name)
    if not same or one.histories == other.histories:
        raise DeclarationError.of(
            "lists-not-comparable",
            where="corrections",
            found="lists of different models, dates or purposes" if not same else "two lists on the same records",
            expected="the same request on the records as they were and as corrected",
            repair="Score the corrected histories with the same model, date and purpose.",
        )
    touched = {}
    for pseudonym in sorted({*before.pseudonyms, *after.pseudonyms}):
        if kinds := _changed(before, after, pseudonym):
            touched[pseudonym] = kinds
    made = Corrections(before, after, touched)
    before.ledger.append(
        CORRECTED,
        list=before.fingerprint,
        by_list=after.fingerprint,
        reason=reason,
        people=len(touched),
        **{kind.replace(" ", "_"): count for kind, count in made.counts.items()},
    )
    return made


def _changed(before: Scores, after: Scores, pseudonym: str) -> tuple[str, ...]:
    if pseudonym not in after.pseudonym_set:
        return ("no longer on the list",)
    if pseudonym not in before.pseudonym_set:
        return ("newly on the list",)
    one, other = (_told(scores.person(pseudonym)) for scores in (before, after))
    return tuple(kind for kind in one if one[kind] != other[kind])


def _told(score: Score) -> dict[str, object]:
    """What a person is told, by the kind of change it would be."""
    return {
        "probability": (score.probability, score.low, score.high),
        "reasons": [(reason.sentence, reason.raises) for reason in score.reasons],
        "gaps": score.missing,
    }

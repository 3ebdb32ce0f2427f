"""Who is who: the verb that turns register records of many agencies into pseudonymous people.

Two methods. "probabilistic" compares names, birth dates, sex and addresses (see `comparisons`) and joins what is
probably one person. "shared_key" trusts a number that all agencies share: the same person_key is the same person.
What comes out has no name, address or date of birth beyond the one agreed on: (agency, person_key) -> entity.

Ethnicity is never compared: it is often missing or somebody else's impression, and a model must not learn that people
of one group are more alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa

from riskmodel.engines.duckdb import query
from riskmodel.engines.folders import Draft, Result
from riskmodel.errors import DataRefused, DeclarationError, Fault
from riskmodel.feeds.intake import Intake
from riskmodel.governance.access import Store
from riskmodel.linkage import quality
from riskmodel.linkage.blocking import blocked
from riskmodel.linkage.clusters import clustered
from riskmodel.linkage.persons import scored
from riskmodel.linkage.pseudonyms import salt_mark, salt_of
from riskmodel.linkage.records import IDENTIFIERS, prepared
from riskmodel.linkage.training import Parameters
from riskmodel.tables import LINKS, PERSONS, conform, pseudonyms

Method = Literal["probabilistic", "shared_key"]
METHODS: Final = ("probabilistic", "shared_key")
NAME: Final = "linked"


@dataclass(frozen=True, repr=False)
class People:
    """The linked people of a store: who each record belongs to, and what is agreed about them."""

    store: Store
    result: Result

    @property
    def links(self) -> pa.Table:
        """LINKS: one row a record."""
        return self.result.table("links")

    @property
    def persons(self) -> pa.Table:
        """PERSONS: one row a person, no names."""
        return self.result.table("persons")

    @property
    def quality(self) -> dict[str, Any]:
        """Counts of records, people, comparisons and match probabilities."""
        document: dict[str, Any] = self.result.document("quality")
        return document

    @property
    def fingerprint(self) -> str:
        return self.result.fingerprint

    def __repr__(self) -> str:
        rows = self.result.rows
        return f"People({rows['persons']:,} people from {rows['links']:,} records)"


@dataclass(frozen=True, slots=True, repr=False)
class Linked:
    """The answer of a method before it is stored: which record belongs with which."""

    records: pa.Table
    cluster: np.ndarray
    probability: np.ndarray
    document: dict[str, Any]


def link(
    store: Store,
    intake: Intake,
    *,
    method: Method = "probabilistic",
    threshold: float = 0.9,
    seed: int = 0,
    threads: int | None = None,
) -> People:
    """Find the people behind the records.

    Parameters
    ----------
    intake : Intake, whose people feeds are linked
    method : "probabilistic", or "shared_key" where one number serves all agencies
    threshold : float in (0.5, 1), the match probability from which two records are joined
    seed : int, of the random pairs from which chance agreement is learned
    threads : int or None, for speed only: the result is the same for any number

    Raises
    ------
    DeclarationError : an unknown method, or a threshold outside (0.5, 1)
    DataRefused : the probabilistic method on records without any name
    """
    _check(method, threshold)
    settings: dict[str, Any] = {"method": method}
    if method == "probabilistic":
        settings |= {"threshold": threshold, "seed": seed}
    inputs = {"received": intake.fingerprint, "settings": settings, "salt": salt_mark(store)}
    kept = store.kept(NAME, inputs)
    if kept is None:
        people = intake.people
        found = shared_key(people) if method == "shared_key" else matched(people, threshold, seed, threads)
        with store.writing(NAME, inputs) as draft:
            _write(draft, people, found, salt_of(store), settings)
        kept = store.result(NAME)
    return People(store, kept)


def matched(people: pa.Table, threshold: float = 0.9, seed: int = 0, threads: int | None = None) -> Linked:
    """Compare and join records: the probabilistic method on a table of PERSON_RECORDS.

    Raises
    ------
    DataRefused : records without any name, which nothing tells apart
    """
    _must_have_names(people)
    records = prepared(people)
    blocking = blocked(records)
    matches, learned = scored(records, blocking.pairs, seed=seed, threads=threads)
    clusters = clustered(records, matches, threshold)
    document = {
        "pairs_compared": blocking.pairs.num_rows,
        "keys_shared_by_too_many": {"narrowed": blocking.narrowed_keys, "left_out": blocking.dropped_keys},
        "matches_accepted": int(np.count_nonzero(matches.column("probability").to_numpy() >= threshold)),
        "matches_refused_as_impossible": clusters.refused,
        "match_probability": quality.histogram(matches.column("probability").to_numpy()),
        "learned": _learned(learned),
    }
    return Linked(records.select(["agency", "person_key"]), clusters.of, clusters.held_by, document)


def shared_key(people: pa.Table) -> Linked:
    """Join records by their key alone."""
    sql = """SELECT agency, person_key, min(record) OVER (PARTITION BY person_key) AS cluster
             FROM (SELECT agency, person_key, row_number() OVER (ORDER BY agency, person_key) - 1 AS record
                   FROM (SELECT DISTINCT agency, person_key FROM people))
             ORDER BY agency, person_key"""
    found = query(sql, people=people.select(["agency", "person_key"]))
    cluster = found.column("cluster").to_numpy()
    return Linked(found.select(["agency", "person_key"]), cluster, np.ones(len(cluster)), {})


def _check(method: str, threshold: float) -> None:
    faults = []
    if method not in METHODS:
        known = " or ".join(METHODS)
        faults.append(Fault("link.method", repr(method), known, f"Write {known}."))
    if not 0.5 < threshold < 1:
        faults.append(
            Fault("link.threshold", repr(threshold), "a probability above 0.5 and below 1", "Leave it out to have 0.9.")
        )
    if faults:
        raise DeclarationError("link-settings", faults=faults)


def _must_have_names(people: pa.Table) -> None:
    telling = [name for name in ("given_name", "family_name", *IDENTIFIERS) if name in people.column_names]
    if people.num_rows and all(people.column(name).null_count == people.num_rows for name in telling):
        raise DataRefused(
            "names-missing",
            found=f"{people.num_rows:,} records of people, none with a name",
            expected="given or family names, which the probabilistic method compares",
            repair="Add given_name and family_name to the purpose's `fields` and to the contracts, or write "
            'method = "shared_key" where one number serves all agencies.',
        )


def _write(draft: Draft, people: pa.Table, found: Linked, salt: str, settings: dict[str, Any]) -> None:
    links = _links(people, found, salt)
    draft.write("links", links, ["agency", "person_key", "feed"])
    draft.write("persons", agreed(people, links), ["entity_id"])
    draft.write_document("quality", {"settings": settings, **quality.described(links), **found.document})


def _links(people: pa.Table, found: Linked, salt: str) -> pa.Table:
    texts = zip(*(found.records.column(name).to_pylist() for name in ("agency", "person_key")), strict=True)
    keys = [f"{agency}\x1f{key}" for agency, key in texts]
    heads, inverse = np.unique(found.cluster, return_inverse=True)
    entity = pseudonyms([keys[head] for head in heads.tolist()], salt)[inverse]
    table = found.records.append_column("entity_id", pa.array(entity)).append_column(
        "probability", pa.array(np.round(found.probability, 6))
    )
    feeds = query(
        "SELECT agency, person_key, min(feed) AS feed FROM p GROUP BY ALL",
        p=people.select(["agency", "person_key", "feed"]),
    )
    return conform(query("SELECT * FROM t JOIN feeds USING (agency, person_key)", t=table, feeds=feeds), LINKS)


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


def _learned(parameters: Parameters) -> dict[str, Any]:
    return {
        "match_rate": parameters.match_rate,
        "levels": {
            one.name: {
                level.name: {"m": float(m), "u": float(u)}
                for level, m, u in zip(reversed(one.levels), parameters.m[column], parameters.u[column], strict=True)
            }
            for column, one in enumerate(parameters.comparisons)
        },
    }

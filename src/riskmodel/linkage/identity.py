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
import pyarrow.compute as pc

from riskmodel.engines.duckdb import query
from riskmodel.engines.folders import Draft
from riskmodel.errors import DataRefused, DeclarationError, Fault
from riskmodel.feeds.intake import Intake
from riskmodel.governance.access import Store
from riskmodel.linkage import encoded_records, quality
from riskmodel.linkage.blocking import blocked
from riskmodel.linkage.clusters import Clusters, clustered, facts_of
from riskmodel.linkage.draws import LEAST, drawn
from riskmodel.linkage.evidence import Evidence
from riskmodel.linkage.people import NAME, People, agreed
from riskmodel.linkage.persons import WORTH_KEEPING, scored
from riskmodel.linkage.pseudonyms import salt_mark, salt_of
from riskmodel.linkage.records import IDENTIFIERS, prepared
from riskmodel.linkage.training import Parameters
from riskmodel.tables import LINKS, conform, pseudonyms

Method = Literal["probabilistic", "shared_key"]
METHODS: Final = ("probabilistic", "shared_key")
THRESHOLD: Final = 0.5
"""More likely one person than two, all that is known of both considered."""


@dataclass(frozen=True, slots=True, repr=False)
class Linked:
    """The answer of a method before it is stored: which record belongs with which."""

    records: pa.Table
    cluster: np.ndarray
    probability: np.ndarray
    document: dict[str, Any]
    worlds: tuple[Clusters, ...] = ()
    pairs: pa.Table | None = None


def link(
    store: Store,
    intake: Intake,
    *,
    method: Method = "probabilistic",
    threshold: float = THRESHOLD,
    draws: int = 0,
    seed: int = 0,
    threads: int | None = None,
    engine: str | None = None,
) -> People:
    """Find the people behind the records.

    Parameters
    ----------
    intake : Intake, whose people feeds are linked
    method : "probabilistic", or "shared_key" where one number serves all agencies
    threshold : float, at least 0.5 and below 1, the probability from which two groups of records are one person
    draws : int, linked worlds to draw beside the best one, see `linkage.draws`; 20 carry the doubt on well enough
    seed : int, of the random pairs from which chance agreement is learned, and of the draws
    threads : int or None, for speed only: the result is the same for any number
    engine : where pairs are compared, the store's own unless said: "duckdb" is this process; ``local[2]``,
        ``spark://HOST:PORT`` and the like are Spark (`engines.spark`). The people are the same

    Raises
    ------
    DeclarationError : an unknown method, a threshold outside [0.5, 1), or draws that cannot be made
    DataRefused : the probabilistic method on records without any name
    """
    _check(method, threshold, draws)
    settings: dict[str, Any] = {"method": method}
    if method == "probabilistic":
        settings |= {"threshold": threshold, "seed": seed, "draws": draws}
    inputs = {"received": intake.fingerprint, "settings": settings, "salt": salt_mark(store)}
    kept = store.kept(NAME, inputs)
    if kept is None:
        people = intake.people
        found = (
            shared_key(people)
            if method == "shared_key"
            else matched(people, threshold, draws=draws, seed=seed, threads=threads, engine=engine or store.engine)
        )
        with store.writing(NAME, inputs) as draft:
            _write(draft, people, found, salt_of(store), settings)
        kept = store.result(NAME)
    return People(store, kept)


def matched(
    people: pa.Table,
    threshold: float = THRESHOLD,
    *,
    draws: int = 0,
    seed: int = 0,
    threads: int | None = None,
    engine: str = "duckdb",
) -> Linked:
    """Compare and join records: the probabilistic method on a table of PERSON_RECORDS. Arguments as `link`.

    Raises
    ------
    DataRefused : records without any name, which nothing tells apart
    """
    _must_have_names(people)
    if _is_encoded(people):
        records = encoded_records.prepared(people)
        keys, keys_of_lists = encoded_records.KEYS, encoded_records.KEYS_OF_LISTS
        blocking = blocked(records, keys, keys_of_lists, encoded_records.FINER, {}, "false")
    else:
        records = prepared(people)
        blocking = blocked(records)
    least = LEAST if draws else WORTH_KEEPING
    found, learned = scored(records, blocking.pairs, seed=seed, least=least, threads=threads, engine=engine)
    matches = found.filter(pc.greater_equal(found.column("probability"), WORTH_KEEPING))
    facts, evidence = facts_of(records), Evidence.of(records.column("agency").to_pylist(), matches, learned)
    clusters = clustered(facts, evidence, threshold)
    evidence = evidence.with_sizes(np.unique(clusters.of, return_counts=True)[1].tolist())
    clusters = clustered(facts, evidence, threshold)
    worlds = drawn(facts, evidence, found, clusters, draws=draws, seed=seed)
    document = {
        "pairs_compared": blocking.pairs.num_rows,
        "keys_shared_by_too_many": {"narrowed": blocking.narrowed_keys, "left_out": blocking.dropped_keys},
        "matches_accepted": int(np.count_nonzero(matches.column("probability").to_numpy() >= threshold)),
        "matches_refused_as_impossible": clusters.refused,
        "match_probability": quality.histogram(matches.column("probability").to_numpy()),
        "learned": _learned(learned),
        "draws": [
            {"people": len(np.unique(world.of)), "records_elsewhere": int(np.count_nonzero(clusters.of != world.of))}
            for world in worlds
        ],
    }
    keys = records.select(["agency", "person_key"])
    return Linked(keys, clusters.of, clusters.held_by, document, tuple(worlds), _named(matches, keys))


def shared_key(people: pa.Table) -> Linked:
    """Join records by their key alone."""
    sql = """SELECT agency, person_key, min(record) OVER (PARTITION BY person_key) AS cluster
             FROM (SELECT agency, person_key, row_number() OVER (ORDER BY agency, person_key) - 1 AS record
                   FROM (SELECT DISTINCT agency, person_key FROM people))
             ORDER BY agency, person_key"""
    found = query(sql, people=people.select(["agency", "person_key"]))
    cluster = found.column("cluster").to_numpy()
    return Linked(found.select(["agency", "person_key"]), cluster, np.ones(len(cluster)), {})


def _check(method: str, threshold: float, draws: int) -> None:
    faults = []
    if method not in METHODS:
        known = " or ".join(METHODS)
        faults.append(Fault("link.method", repr(method), known, f"Write {known}."))
    if not 0.5 <= threshold < 1:
        expected = "a probability of at least 0.5 and below 1"
        faults.append(Fault("link.threshold", repr(threshold), expected, f"Leave it out to have {THRESHOLD}."))
    if draws < 0 or (draws and method != "probabilistic"):
        expected = "none or more, and none where a shared key leaves nothing to chance"
        faults.append(Fault("link.draws", f"{draws} draws", expected, "Leave it out, or ask for 20."))
    if faults:
        raise DeclarationError("link-settings", faults=faults)


def _is_encoded(people: pa.Table) -> bool:
    return "encoded" in people.column_names and people.column("encoded").null_count < people.num_rows


def _must_have_names(people: pa.Table) -> None:
    telling = [name for name in ("given_name", "family_name", "encoded", *IDENTIFIERS) if name in people.column_names]
    if people.num_rows and all(people.column(name).null_count == people.num_rows for name in telling):
        raise DataRefused(
            "names-missing",
            found=f"{people.num_rows:,} records of people, none with a name",
            expected="given or family names, which the probabilistic method compares",
            repair="Add given_name and family_name to the purpose's `fields` and to the contracts, or write "
            'method = "shared_key" where one number serves all agencies.',
        )


def _write(draft: Draft, people: pa.Table, found: Linked, salt: str, settings: dict[str, Any]) -> None:
    links = _links(people, found.records, found.cluster, found.probability, salt)
    draft.write("links", links, ["agency", "person_key", "feed"])
    if found.worlds:
        draft.write("worlds", _worlds(people, found, salt), ["draw", "agency", "person_key"])
    if found.pairs is not None:
        draft.write("pairs", found.pairs, ["agency_l", "person_key_l", "agency_r", "person_key_r"])
    draft.write("persons", agreed(people, links), ["entity_id"])
    draft.write_document("quality", {"settings": settings, **quality.described(links), **found.document})


def _links(
    people: pa.Table, records: pa.Table, cluster: np.ndarray, probability: np.ndarray, salt: str,
    rows: np.ndarray | None = None,
) -> pa.Table:  # fmt: skip
    """The links of all records, or of those at `rows`."""
    rows = np.arange(records.num_rows) if rows is None else rows
    heads, inverse = np.unique(cluster[rows], return_inverse=True)
    texts = zip(*(records.column(name).take(heads).to_pylist() for name in ("agency", "person_key")), strict=True)
    entity = pseudonyms([f"{agency}\x1f{key}" for agency, key in texts], salt)[inverse]
    table = records.take(rows).append_column("entity_id", pa.array(entity))
    table = table.append_column("probability", pa.array(np.round(probability[rows], 6)))
    feeds = query(
        "SELECT agency, person_key, min(feed) AS feed FROM p GROUP BY ALL",
        p=people.select(["agency", "person_key", "feed"]),
    )
    return conform(query("SELECT * FROM t JOIN feeds USING (agency, person_key)", t=table, feeds=feeds), LINKS)


def _worlds(people: pa.Table, found: Linked, salt: str) -> pa.Table:
    """The links of every draw that are not those of the best clustering, with the number of the draw."""
    tables = []
    for number, world in enumerate(found.worlds):
        elsewhere = np.flatnonzero(world.of != found.cluster)  # a person is named after the first of its records
        other = _links(people, found.records, world.of, world.held_by, salt, elsewhere)
        tables.append(other.append_column("draw", pa.array(np.full(other.num_rows, number, np.int32))))
    return pa.concat_tables(tables)


def _named(matches: pa.Table, keys: pa.Table) -> pa.Table:
    """The matches worth keeping, by the agencies' own numbers in the place of record numbers."""
    sides = {
        f"{name}_{side}": keys.column(name).take(matches.column(side)) for side in "lr" for name in keys.column_names
    }
    return pa.table(sides | {"probability": matches.column("probability")})


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

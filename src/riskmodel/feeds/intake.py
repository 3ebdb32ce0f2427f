"""Intake: deliveries in, three tables of accepted records out, and a report in which every row is accounted for.

Only agencies that the purpose names may be received, only the fields that it names are kept, and a column that the
agency sends for other purposes is not read. Whole files that
cannot be used are refused together; single rows that cannot be used are quarantined. Receiving the same files again
changes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.engines.folders import Result
from riskmodel.errors import DataRefused, DeclarationError, Fault, NotPermitted
from riskmodel.feeds.checks import check
from riskmodel.feeds.contract import Contract, agency_contracts
from riskmodel.feeds.delivery import Delivery
from riskmodel.feeds.encoded import Encoding, encoded_feed, encoding_of, must_be_encoded, must_fit_together, sidecar_of
from riskmodel.feeds.feed import Feed
from riskmodel.feeds.quarantine import QUARANTINE, DeliveriesRefused, Verdict, quarantined
from riskmodel.feeds.reading import file_hash, read_rows
from riskmodel.feeds.report import Received, Span, contract_report, coverage, feed_report, field_report, report_lines
from riskmodel.feeds.versions import history, with_ends_known_later
from riskmodel.governance.access import Store
from riskmodel.tables import (
    FEED_EVENTS,
    FEED_RELATIONS,
    MOMENT,
    PERSON_RECORDS,
    combined_fingerprint,
    conform,
)

NAME = "received"
_TABLES = {"people": PERSON_RECORDS, "events": FEED_EVENTS, "relations": FEED_RELATIONS}
_ORDER = {
    "people": ["feed", "person_key", "known_at", "address_from", "address", "postcode", "family_name", "given_name"],
    "events": ["feed", "event_key", "known_at"],
    "relations": ["feed", "person_key", "other_person_key", "kind", "starts_at", "known_at"],
    "quarantine": ["feed", "file", "row", "code"],
}


@dataclass(frozen=True, slots=True)
class Intake:
    """What was received.

    Attributes
    ----------
    store : Store
    result : Result, named "received"
    """

    store: Store
    result: Result

    @property
    def people(self) -> pa.Table:
        """PERSON_RECORDS of every agency."""
        return self.result.table("people")

    @property
    def events(self) -> pa.Table:
        """FEED_EVENTS of every agency."""
        return self.result.table("events")

    @property
    def relations(self) -> pa.Table:
        """FEED_RELATIONS of every agency."""
        return self.result.table("relations")

    @property
    def quarantine(self) -> pa.Table:
        """Rows not accepted: feed, file, row, code and the heading of the column at fault."""
        return self.result.table("quarantine")

    @property
    def report(self) -> dict[str, Any]:
        """Counts, dates, fields and alarms for each feed."""
        report: dict[str, Any] = self.result.document("report")
        return report

    @property
    def covered_until(self) -> dict[str, dt.date]:
        """Agency -> the first day of which its feeds say nothing."""
        agencies = self.report["coverage"]["agencies"]
        return {agency: dt.date.fromisoformat(until) for agency, until in agencies.items()}

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the accepted records and what they cover."""
        parts = {name: self.result.parts[f"{name}.parquet"] for name in _TABLES}
        return combined_fingerprint(parts | self.report["coverage"]["agencies"])

    def report_lines(self) -> list[str]:
        """The report for a terminal."""
        return report_lines(self.report)


def receive(
    store: Store,
    deliveries: Sequence[Delivery],
    *,
    contracts: Sequence[Contract] | None = None,
    accept_partial: bool = False,
) -> Intake:
    """Check every delivery against its contract and keep what may be kept.

    Parameters
    ----------
    store : Store, opened for a purpose that names the agencies and the fields
    deliveries : the files, in any order
    contracts : the agencies' contracts; by default those that come with the package
    accept_partial : bool, receive what is left when some files are refused as a whole; they stand in the report

    Returns
    -------
    Intake

    Raises
    ------
    NotPermitted : a delivery of an agency that the purpose does not name
    DeclarationError : a delivery of a feed that no contract declares, or no delivery at all
    DataRefused : files that cannot be used as a whole, all of them at once; encoded files that cannot be linked
    """
    chosen = list(agency_contracts().values()) if contracts is None else list(contracts)
    purpose = store.purpose.name
    declared = _feeds_of(deliveries, chosen)
    feeds = {name: feed.for_purpose(purpose) for name, feed in declared.items()}
    _must_be_permitted(store, deliveries)
    files, refusals = _distinct(deliveries)
    covered = sorted({(one.feed, one.covers_from, one.covers_until) for one in deliveries})
    inputs = {
        "covered": covered,
        "contracts": {
            one.agency: one.fingerprint for one in chosen if any(file.agency == one.agency for file, _ in files)
        },
        "controllers": sorted(store.purpose.controllers),
        "fields": sorted(store.purpose.fields),
        "files": [
            [one.feed, digest, one.path.name, one.received_at, one.covers_from, one.covers_until]
            for one, digest in files
        ],
        "accept_partial": accept_partial,
        "encoded": sorted(file_hash(sidecar_of(one.path)) for one, _ in files if sidecar_of(one.path).exists()),
    }
    if not refusals and (kept := store.kept(NAME, inputs)) is not None:
        return Intake(store, kept)
    encodings = _encodings(files, chosen, refusals)
    must_fit_together(
        [(one.feed, code) for one, code in encodings if code is not None or feeds[one.feed].holds == "people"],
        store.purpose.name,
    )
    received = []
    encoded = {one for one, code in encodings if code is not None}
    for delivery, digest in files:
        try:
            wanted = frozenset(store.purpose.fields)
            if delivery in encoded:
                received.append(
                    _received_encoded(declared[delivery.feed], feeds[delivery.feed], delivery, digest, wanted)
                )
            elif all(delivery is not refused for refused, _ in refusals):
                received.append(_received(feeds[delivery.feed], delivery, digest, wanted))
        except DataRefused as error:
            refusals.append((delivery, error))
    feeds |= {one.feed: encoded_feed(feeds[one.feed]) for one in encoded}
    if refusals and (not accept_partial or not received):
        raise DeliveriesRefused([(delivery.feed, error) for delivery, error in refusals])
    whole = {one.delivery.feed for one in received}
    covered = [one for one in covered if one[0] in whole]
    return _written(store, inputs, declared, feeds, chosen, received, refusals, covered)


def _feeds_of(deliveries: Sequence[Delivery], contracts: Sequence[Contract]) -> dict[str, Feed]:
    declared = {feed.name: feed for contract in contracts for feed in contract.feeds}
    where = "deliveries"
    faults = [
        Fault(where, f"a delivery of {name!r}", "a feed of a contract", "Add a contract, or correct the feed's name.")
        for name in sorted({one.feed for one in deliveries} - set(declared))
    ]
    if not deliveries:
        faults.append(Fault(where, "no delivery", "at least one", "Name the deliveries to receive."))
    if faults:
        raise DeclarationError("deliveries-invalid", faults=faults)
    return {name: declared[name] for name in sorted({one.feed for one in deliveries})}


def _must_be_permitted(store: Store, deliveries: Sequence[Delivery]) -> None:
    strangers = sorted({one.agency for one in deliveries} - set(store.purpose.controllers))
    if strangers:
        store.ledger.append("refused", what="receive", agencies=", ".join(strangers), purpose=store.purpose.name)
        raise NotPermitted(
            "agency-not-permitted",
            found=f"deliveries of {', '.join(strangers)} for the purpose {store.purpose.name!r}",
            expected=f"only agencies that it names: {', '.join(store.purpose.controllers)}",
            repair="Leave these deliveries out, or have the purpose extended first.",
        )


def _distinct(
    deliveries: Sequence[Delivery],
) -> tuple[list[tuple[Delivery, str]], list[tuple[Delivery, DataRefused]]]:
    """Each file of a feed once, as it first came; files that cannot be opened."""
    found: dict[tuple[str, str], Delivery] = {}
    refusals = []
    for one in sorted(deliveries, key=lambda one: (one.received_at, one.feed, one.path.name, one.covers_from)):
        try:
            key = (one.feed, file_hash(one.path))
        except DataRefused as error:
            refusals.append((one, error))
            continue
        found.setdefault(key, one)
    return [(one, digest) for (_, digest), one in found.items()], refusals


def _encodings(
    files: Sequence[tuple[Delivery, str]],
    contracts: Sequence[Contract],
    refusals: list[tuple[Delivery, DataRefused]],
) -> list[tuple[Delivery, Encoding | None]]:
    """How each file is encoded; a file in clear whose contract wants codes is a refusal."""
    coded = {one.agency for one in contracts if one.encoded}
    found = []
    for delivery, _ in files:
        try:
            encoding = encoding_of(delivery.path)
            if encoding is None and delivery.agency in coded:
                raise DataRefused(
                    "file-unencoded",
                    found=f"{delivery.path.name} without a sidecar that says it is encoded",
                    expected=f"an encoded file, as the contract of {delivery.agency} says",
                    repair="Delete the file, and ask the agency to run riskmodel pseudonymise on its own file.",
                )
            found.append((delivery, encoding))
        except DataRefused as error:
            refusals.append((delivery, error))
    return found


def _received_encoded(declared: Feed, feed: Feed, delivery: Delivery, digest: str, wanted: frozenset[str]) -> Received:
    code = encoded_feed(feed)
    columns = code.read_columns(wanted)
    raw = read_rows(code, delivery.path, columns)
    must_be_encoded(declared, delivery.path.name, raw.cells, raw.undeclared)
    checked = check(code, raw, columns, wanted, delivery.received_at, delivery.path.name)
    return Received.of(delivery, digest, raw, checked)


def _received(feed: Feed, delivery: Delivery, digest: str, wanted: frozenset[str]) -> Received:
    columns = feed.read_columns(wanted)
    raw = read_rows(feed, delivery.path, columns)
    checked = check(feed, raw, columns, wanted, delivery.received_at, delivery.path.name)
    return Received.of(delivery, digest, raw, checked)


def _written(
    store: Store,
    inputs: Mapping[str, object],
    declared: Mapping[str, Feed],
    feeds: Mapping[str, Feed],
    contracts: Sequence[Contract],
    received: Sequence[Received],
    refusals: Sequence[tuple[Delivery, DataRefused]],
    covered: Sequence[Span],
) -> Intake:
    received = _without_strangers(feeds, contracts, received)
    wanted = frozenset(store.purpose.fields)
    stored: dict[str, list[pa.Table]] = {holds: [] for holds in _TABLES}
    documents = {}
    for name, feed in feeds.items():
        mine = [one for one in received if one.delivery.feed == name]
        if mine:
            rows = _feed_rows(feed, mine)
            stored[feed.holds].append(rows)
            closed = list(declared[name].closed_to(store.purpose.name))
            documents[name] = feed_report(feed, mine, rows, wanted) | {"columns_for_other_purposes": closed}
    sent = [feeds[name] for name in documents]
    report = {
        "purpose": store.purpose.name,
        "feeds": documents,
        "totals": {what: sum(one[what] for one in documents.values()) for what in ("delivered", "accepted", "stored")},
        "fields": field_report(sent, store.purpose.fields),
        "coverage": coverage(contracts, covered),
        "contracts": contract_report(contracts, {feed.agency for feed in sent}, store.purpose.name),
        "refused": [{"feed": one.feed, "file": one.path.name, "code": error.code} for one, error in refusals],
    }
    quarantine = pa.concat_tables([QUARANTINE.empty_table(), *(one.checked.quarantine for one in received)])
    with store.writing(NAME, inputs) as draft:
        for holds, schema in _TABLES.items():
            table = pa.concat_tables([schema.empty_table(), *stored[holds]])
            draft.write(holds, table, order_by=_ORDER[holds])
        draft.write("quarantine", quarantine, order_by=_ORDER["quarantine"])
        draft.write_document("report", report)
    return Intake(store, store.result(NAME))


def _feed_rows(feed: Feed, received: Sequence[Received]) -> pa.Table:
    """All versions of a feed's records under the package's schema."""
    marked = []
    for order, one in enumerate(received):
        rows = one.checked.rows
        rows = rows.append_column("delivery_", pa.array(np.full(rows.num_rows, order, np.int64)))
        stamp = pa.array(np.full(rows.num_rows, np.datetime64(one.delivery.received_at, "us")), MOMENT)
        marked.append(rows.append_column("received_", stamp))
    rows = history(with_ends_known_later(feed, pa.concat_tables(marked)))
    if feed.holds == "events":
        rows = rows.set_column(rows.schema.get_field_index("event_key"), "event_key", rows.column("key_"))
    for place, (name, text) in enumerate((("feed", feed.name), ("agency", feed.agency))):
        rows = rows.add_column(place, name, pa.array([text] * rows.num_rows, pa.string()))
    return conform(rows, _TABLES[feed.holds])


def _without_strangers(
    feeds: Mapping[str, Feed], contracts: Sequence[Contract], received: Sequence[Received]
) -> list[Received]:
    """Quarantine events and relations of people who are in no people feed of their agency."""
    registers = {one.agency for one in contracts if any(feed.holds == "people" for feed in one.feeds)}
    known: dict[str, pa.Array] = {}
    for agency in registers:
        keys = [
            one.checked.rows.column("person_key").combine_chunks()
            for one in received
            if one.delivery.agency == agency and feeds[one.delivery.feed].holds == "people"
        ]
        known[agency] = pc.unique(pa.concat_arrays(keys)) if keys else pa.array([], pa.string())
    return [
        one
        if feeds[one.delivery.feed].holds == "people" or one.delivery.agency not in known
        else _judged(feeds[one.delivery.feed], one, known[one.delivery.agency])
        for one in received
    ]


def _judged(feed: Feed, one: Received, known: pa.Array) -> Received:
    rows = one.checked.rows
    verdict = Verdict.clear(rows.num_rows)
    names = [column.name for column in feed.columns]
    for field in ("person_key", "other_person_key"):
        if field in rows.column_names:
            person = rows.column(field)
            stranger = pc.and_(person.is_valid(), pc.invert(pc.is_in(person, value_set=known)))
            column = feed.meaning(field)
            at = names.index(column.name) if column is not None else -1
            verdict.refuse(stranger.to_numpy(), "person-unknown", at)
    found = verdict.counts()
    if not found:
        return one
    refused = quarantined(feed.name, one.delivery.path.name, rows.column("row_").to_numpy(), verdict, names)
    checked = replace(
        one.checked,
        rows=rows.filter(pa.array(verdict.accepted)),
        quarantine=pa.concat_tables([one.checked.quarantine, refused]),
        counts={**one.checked.counts, **found},
    )
    return replace(one, checked=checked)

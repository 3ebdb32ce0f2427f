"""Intake: deliveries in, three tables of accepted records out, and a report in which every row is accounted for.

Only agencies that the purpose names may be received, only the fields that it names are kept, and a column that the
agency sends for other purposes is not read. Whole files that cannot be used are refused together; single rows that
cannot be used are quarantined. Receiving the same files again changes nothing. Files are read in parts and may be
larger than memory; how large the parts are changes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from riskmodel.engines.folders import Draft, Result
from riskmodel.errors import DataRefused, DeclarationError, Fault, NotPermitted
from riskmodel.feeds.aside import Aside, Pile, put_aside
from riskmodel.feeds.checks import judged
from riskmodel.feeds.contract import Contract, agency_contracts
from riskmodel.feeds.delivery import Delivery
from riskmodel.feeds.encoded import Encoding, encoded_feed, encoding_of, must_be_encoded, must_fit_together, sidecar_of
from riskmodel.feeds.feed import Feed
from riskmodel.feeds.quarantine import QUARANTINE, DeliveriesRefused
from riskmodel.feeds.reading import PART, file_hash, read_parts
from riskmodel.feeds.report import contract_report, coverage, feed_report, field_report, report_lines
from riskmodel.feeds.settling import ORDER, TABLES, Received, Stored, settled
from riskmodel.feeds.standard import FIELDS, STRUCTURAL
from riskmodel.governance.access import Store
from riskmodel.tables import combined_fingerprint

NAME = "received"
_QUARANTINE_ORDER = ("feed", "file", "row", "code", "column")


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
        parts = {name: self.result.parts[f"{name}.parquet"] for name in TABLES}
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
    part_bytes: int = PART,
) -> Intake:
    """Check every delivery against its contract and keep what may be kept.

    Parameters
    ----------
    store : Store, opened for a purpose that names the agencies and the fields
    deliveries : the files, in any order
    contracts : the agencies' contracts; by default those that come with the package
    accept_partial : bool, receive what is left when some files are refused as a whole; they stand in the report
    part_bytes : int, about how much of a file is read at a time: for memory and speed, the result is the same for any

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
    encoded = {one for one, code in encodings if code is not None}
    unusable = {one for one, _ in refusals}
    wanted = frozenset(store.purpose.fields)
    with put_aside(store.folder) as aside:
        received: list[Received] = []
        for delivery, digest in files:
            if delivery in unusable:
                continue
            one = Received(delivery, digest, aside.pile(), aside.pile())
            own = declared[delivery.feed] if delivery in encoded else None
            order = sum(delivery.feed == before.delivery.feed for before in received)
            try:
                _take_in(feeds[delivery.feed], one, wanted, order, part_bytes, encoded_from=own)
                received.append(one)
            except DataRefused as error:
                one.rows.discard()
                one.quarantine.discard()
                refusals.append((delivery, error))
        if refusals and (not accept_partial or not received):
            raise DeliveriesRefused([(delivery.feed, error) for delivery, error in refusals])
        feeds |= {one.feed: encoded_feed(feeds[one.feed]) for one in encoded}
        whole = {one.delivery.feed for one in received}
        covered = [one for one in covered if one[0] in whole]
        with store.writing(NAME, inputs) as draft:
            stored = _store(draft, aside, feeds, chosen, received)
            report = _report(store, declared, feeds, chosen, received, stored)
            report["coverage"] = coverage(chosen, covered)
            report["refused"] = [
                {"feed": one.feed, "file": one.path.name, "code": error.code} for one, error in refusals
            ]
            draft.write_document("report", report)
    return Intake(store, store.result(NAME))


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


def _take_in(
    feed: Feed, one: Received, wanted: frozenset[str], order: int, part_bytes: int, *, encoded_from: Feed | None
) -> None:
    """Read a file part by part, judge its rows, and put the accepted and the refused ones aside.

    Parameters
    ----------
    order : int, how many files of the feed came before it
    encoded_from : the agency's own feed where the file is encoded, None where it is in clear
    """
    feed = feed if encoded_from is None else encoded_feed(feed)
    columns = feed.read_columns(wanted)
    file = one.delivery.path.name
    given = set(feed.gives()) & (wanted | STRUCTURAL[feed.holds])
    absent = [name for name in FIELDS[feed.holds] if name not in given and name != "recorded_at"]
    for part in read_parts(feed, one.delivery.path, columns, part_bytes):
        if encoded_from is not None:
            must_be_encoded(encoded_from, file, part.cells, part.undeclared)
        found = judged(feed, part, columns, wanted, one.delivery.received_at, file)
        one.encoding = part.encoding
        one.undeclared.update(part.undeclared)
        one.delivered += found.delivered
        one.set_aside += found.set_aside
        one.refused.update(found.counts)
        one.quarantine.add(found.quarantine)
        mark = pa.array(np.full(found.rows.num_rows, order, np.int32))
        one.rows.add(found.rows.drop_columns(absent).append_column("delivery_", mark))
    one.rows.close()


def _store(
    draft: Draft,
    aside: Aside,
    feeds: Mapping[str, Feed],
    contracts: Sequence[Contract],
    received: Sequence[Received],
) -> dict[str, Stored]:
    """Settle feed after feed into the stored tables, registers first; what is stored of each."""
    registers: dict[str, list[Pile]] = {
        one.agency: [] for one in contracts if any(feed.holds == "people" for feed in one.feeds)
    }
    counts: dict[str, Stored] = {}
    for holds, schema in TABLES.items():
        with draft.writing(holds, schema) as write:
            for name, feed in feeds.items():
                mine = [one for one in received if one.delivery.feed == name]
                if feed.holds != holds or not mine:
                    continue
                counts[name] = Stored()
                register = None if holds == "people" else registers.get(feed.agency)
                tables = settled(feed, mine, aside, register, counts[name])
                if holds != "events":
                    tables = _again_in_order(tables, aside, holds, registers.get(feed.agency))
                for table in tables:
                    write(table)
    for one in received:
        one.quarantine.close()
    with draft.writing("quarantine", QUARANTINE) as write:
        for table in aside.ordered([one.quarantine for one in received], _QUARANTINE_ORDER):
            write(table.cast(QUARANTINE))
    return counts


def _again_in_order(
    tables: Iterator[pa.Table], aside: Aside, holds: str, register: list[Pile] | None
) -> Iterator[pa.Table]:
    """Rows that came in the order of their keys in the order in which they are stored; people join their register."""
    pile = aside.pile()
    for table in tables:
        pile.add(table)
    pile.close()
    if holds == "people" and register is not None:
        register.append(pile)
    schema = TABLES[holds]
    by = (*ORDER[holds], *(name for name in schema.names if name not in ORDER[holds]))  # so that no two rows tie
    for table in aside.ordered([pile], by):
        yield table.cast(schema)


def _report(
    store: Store,
    declared: Mapping[str, Feed],
    feeds: Mapping[str, Feed],
    contracts: Sequence[Contract],
    received: Sequence[Received],
    stored: Mapping[str, Stored],
) -> dict[str, Any]:
    purpose = store.purpose
    documents = {
        name: feed_report(
            feed, [one for one in received if one.delivery.feed == name], stored[name], frozenset(purpose.fields)
        )
        | {"columns_for_other_purposes": list(declared[name].closed_to(purpose.name))}
        for name, feed in feeds.items()
        if name in stored
    }
    sent = [feeds[name] for name in documents]
    return {
        "purpose": purpose.name,
        "feeds": documents,
        "totals": {what: sum(one[what] for one in documents.values()) for what in ("delivered", "accepted", "stored")},
        "fields": field_report(sent, purpose.fields),
        "contracts": contract_report(contracts, {feed.agency for feed in sent}, purpose.name),
    }

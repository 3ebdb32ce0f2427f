"""Intake: deliveries in, three tables of accepted records out, and a report in which every row is accounted for.

Only agencies that the purpose names may be received, only the fields that it names are kept, and a column that the
agency sends for other purposes is not read. Whole files that cannot be used are refused together; single rows that
cannot be used are quarantined. Receiving the same files again changes nothing. Files are read in parts and may be
larger than memory; how large the parts are changes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from riskmodel.engines.folders import Result
from riskmodel.errors import DataRefused, DeclarationError, Fault, NotPermitted
from riskmodel.feeds.aside import put_aside
from riskmodel.feeds.contract import Contract, agency_contracts
from riskmodel.feeds.delivery import Delivery
from riskmodel.feeds.encoded import Encoding, encoded_feed, encoding_of, must_fit_together, sidecar_of
from riskmodel.feeds.feed import Feed
from riskmodel.feeds.quarantine import DeliveriesRefused
from riskmodel.feeds.reading import PART, file_hash
from riskmodel.feeds.report import Span, contract_report, coverage, feed_report, field_report, report_lines
from riskmodel.feeds.settling import TABLES, Received, Stored
from riskmodel.feeds.storing import store_settled
from riskmodel.feeds.taking_in import taken_in
from riskmodel.governance.access import Store
from riskmodel.tables import combined_fingerprint

NAME = "received"


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
    inputs = _inputs(store, chosen, files, covered, accept_partial=accept_partial)
    if not refusals and (kept := store.kept(NAME, inputs)) is not None:
        return Intake(store, kept)
    encodings = _encodings(files, chosen, refusals)
    must_fit_together(
        [(one.feed, code) for one, code in encodings if code is not None or feeds[one.feed].holds == "people"],
        store.purpose.name,
    )
    encoded = {one for one, code in encodings if code is not None}
    usable = [(one, digest) for one, digest in files if all(one != refused for refused, _ in refusals)]
    wanted = frozenset(store.purpose.fields)
    own = {one: declared[one.feed] for one in encoded}
    with put_aside(store.folder) as aside:
        received, unreadable = taken_in(aside, feeds, usable, own, wanted, part_bytes)
        refusals += unreadable
        if refusals and (not accept_partial or not received):
            raise DeliveriesRefused([(delivery.feed, error) for delivery, error in refusals])
        feeds |= {one.feed: encoded_feed(feeds[one.feed]) for one in encoded}
        whole = {one.delivery.feed for one in received}
        covered = [one for one in covered if one[0] in whole]
        with store.writing(NAME, inputs) as draft:
            stored = store_settled(draft, aside, feeds, chosen, received)
            report = _report(store, declared, feeds, chosen, received, stored)
            report["coverage"] = coverage(chosen, covered)
            report["refused"] = [
                {"feed": one.feed, "file": one.path.name, "code": error.code} for one, error in refusals
            ]
            draft.write_document("report", report)
    return Intake(store, store.result(NAME))


def _inputs(
    store: Store,
    contracts: Sequence[Contract],
    files: Sequence[tuple[Delivery, str]],
    covered: Sequence[Span],
    *,
    accept_partial: bool,
) -> dict[str, object]:
    """All that the result depends on: made again from the same, it is found and kept."""
    sent = {one.agency for one, _ in files}
    return {
        "covered": covered,
        "contracts": {one.agency: one.fingerprint for one in contracts if one.agency in sent},
        "controllers": sorted(store.purpose.controllers),
        "fields": sorted(store.purpose.fields),
        "files": [
            [one.feed, digest, one.path.name, one.received_at, one.covers_from, one.covers_until]
            for one, digest in files
        ],
        "accept_partial": accept_partial,
        "encoded": sorted(file_hash(sidecar_of(one.path)) for one, _ in files if sidecar_of(one.path).exists()),
    }


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

"""The report of an intake: what was delivered, accepted and quarantined, how fresh it is, what looks wrong.

Counts, codes, dates of whole feeds and file names; nothing about a person.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from riskmodel.feeds.alarms import alarms_of
from riskmodel.feeds.contract import Contract
from riskmodel.feeds.feed import Feed
from riskmodel.feeds.settling import Received, Stored
from riskmodel.feeds.standard import FIELDS, STRUCTURAL

Span: TypeAlias = tuple[str, dt.date, dt.date]
"""A feed and the half-open span of days that one delivery of it covers."""


def file_report(one: Received) -> dict[str, Any]:
    """The part of the report for one file."""
    return {
        "file": one.delivery.path.name,
        "sha256": one.digest,
        "received_at": one.delivery.received_at.isoformat(),
        "covers_from": one.delivery.covers_from.isoformat(),
        "covers_until": one.delivery.covers_until.isoformat(),
        "encoding": one.encoding,
        "delivered": one.delivered,
        "accepted": one.delivered - one.refused.total(),
        "quarantined": dict(sorted(one.refused.items())),
        "repeated": one.unchanged,
        "not_of_this_feed": one.set_aside,
        "kinds": dict(sorted(one.kinds.items())),
    }


def feed_report(feed: Feed, received: Sequence[Received], stored: Stored, wanted: frozenset[str]) -> dict[str, Any]:
    """The part of the report for one feed: its files, its sums, its dates and its alarms."""
    files = [file_report(one) for one in received]
    counts: Counter[str] = Counter()
    for one in received:
        counts.update(one.refused)
    first, last = stored.first, stored.last
    newest = max(one.delivery.received_at for one in received)
    gives = [field for field in feed.gives() if field != "recorded_at"]
    free = [field for field in gives if field not in STRUCTURAL[feed.holds]]
    document: dict[str, Any] = {
        "holds": feed.holds,
        "files": files,
        "delivered": sum(file["delivered"] for file in files),
        "accepted": sum(file["accepted"] for file in files),
        "quarantined": dict(sorted(counts.items())),
        "stored": stored.rows,
        "first": None if first is None else first.isoformat(),
        "last": None if last is None else last.isoformat(),
        "freshness_days": None if last is None else round((newest - last).total_seconds() / 86400, 1),
        "kept_fields": [field for field in gives if field in STRUCTURAL[feed.holds] or field in wanted],
        "dropped_fields": [field for field in free if field not in wanted],
        "approximate_fields": sorted(feed.approximate),
        "undeclared_columns": sorted({name for one in received for name in one.undeclared}),
        "known_before_it_happened": stored.early,
        "caveats": [*feed.caveats, *(f"{one.name}: {one.caveat}" for one in feed.columns if one.caveat)],
    }
    document["alarms"] = alarms_of(feed, document)
    return document


def covered_until(spans: Iterable[tuple[dt.date, dt.date]]) -> dt.date:
    """The end of the first unbroken stretch that half-open spans cover: what lies after a gap is not covered.

    Examples
    --------
    >>> day = dt.date
    >>> str(covered_until([(day(2020, 1, 1), day(2021, 1, 1)), (day(2020, 7, 1), day(2021, 7, 1))]))
    '2021-07-01'
    >>> str(covered_until([(day(2020, 1, 1), day(2021, 1, 1)), (day(2021, 2, 1), day(2022, 1, 1))]))
    '2021-01-01'
    """
    ordered = sorted(spans)
    reached = ordered[0][1]
    for start, end in ordered[1:]:
        if start > reached:
            break
        reached = max(reached, end)
    return reached


def coverage(contracts: Iterable[Contract], covered: Sequence[Span]) -> dict[str, dict[str, str]]:
    """Agency and feed -> the first day of which nothing is known; an agency's is the earliest of its event feeds.

    The feeds of people and relations bound an agency only when it sends no events.
    """
    feeds = {
        name: covered_until((start, end) for feed, start, end in covered if feed == name)
        for name in sorted({feed for feed, _, _ in covered})
    }
    agencies = {}
    for contract in contracts:
        mine = {feed.name: feeds[feed.name] for feed in contract.feeds if feed.name in feeds}
        events = [feeds[feed.name] for feed in contract.feeds if feed.name in feeds and feed.holds == "events"]
        if mine:
            agencies[contract.agency] = min(events or list(mine.values()))
    return {
        "agencies": {agency: until.isoformat() for agency, until in agencies.items()},
        "feeds": {name: until.isoformat() for name, until in feeds.items()},
    }


def contract_report(contracts: Iterable[Contract], agencies: Iterable[str], purpose: str) -> dict[str, dict[str, Any]]:
    """Agency -> who answers for its records, under which law, with which caveats, and whether it names this purpose."""
    wanted = set(agencies)
    return {
        one.agency: {
            "title": one.title,
            "controller": one.controller,
            "legal_regime": one.legal_regime,
            "caveats": list(one.caveats),
            "names_this_purpose": purpose in one.purposes,
            "fingerprint": one.fingerprint,
        }
        for one in contracts
        if one.agency in wanted
    }


def field_report(feeds: Sequence[Feed], asked: Sequence[str]) -> dict[str, list[str]]:
    """Which fields the purpose asked for, which of them nobody sends, and which were sent and not kept."""
    sent = {field for feed in feeds for field in feed.gives()}
    free = {field for feed in feeds for field in feed.gives() if field not in STRUCTURAL[feed.holds]}
    known = {field for fields in FIELDS.values() for field in fields}
    return {
        "asked_for": sorted(asked),
        "kept": sorted(free & set(asked)),
        "always_kept": sorted(sent - free),
        "dropped": sorted(free - set(asked)),
        "asked_for_and_never_sent": sorted((set(asked) & known) - sent),
        "asked_for_and_no_standard_field": sorted(set(asked) - known),
    }


def report_lines(report: Mapping[str, Any]) -> list[str]:
    """The report for a terminal: one line a feed, then what is in quarantine and why, then the alarms."""
    lines = [f"{'feed':<28}{'delivered':>12}{'accepted':>12}{'quarantined':>13}  {'newest':<12}"]
    for name, feed in report["feeds"].items():
        refused = feed["delivered"] - feed["accepted"]
        newest = (feed["last"] or "-")[:10]
        lines.append(f"{name:<28}{feed['delivered']:>12,}{feed['accepted']:>12,}{refused:>13,}  {newest:<12}")
    totals = report["totals"]
    refused = totals["delivered"] - totals["accepted"]
    lines.append(f"{'all':<28}{totals['delivered']:>12,}{totals['accepted']:>12,}{refused:>13,}")
    for name, feed in report["feeds"].items():
        lines += [f"quarantined in {name}: {count:,} {code}" for code, count in feed["quarantined"].items()]
    for name, feed in report["feeds"].items():
        lines += [f"alarm for {name}: {alarm}" for alarm in feed["alarms"]]
    lines += [f"refused: {one['file']} of {one['feed']} [{one['code']}]" for one in report["refused"]]
    for name, feed in report["feeds"].items():
        if closed := feed.get("columns_for_other_purposes"):
            lines.append(f"not read in {name}, because the agency sends them for other purposes: {', '.join(closed)}")
    dropped = report["fields"]["dropped"]
    lines.append(f"fields sent and not kept, because the purpose does not name them: {', '.join(dropped) or 'none'}")
    return lines

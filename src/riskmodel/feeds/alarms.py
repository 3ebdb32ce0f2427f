"""Alarms: sentences about a feed that does not look as it should. An alarm stops nothing; a person has to look.

Each begins with a stable word: no-rows, much-quarantined, stale, clock, volume, mix, stopped, gap.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from riskmodel.feeds.feed import Feed

MUCH_QUARANTINED = 0.05
"""More than this share of a file in quarantine."""
STALE_LAGS, STALE_DAYS = 3.0, 31.0
"""The newest record is older at receipt than this many usual lags, and than this many days."""
VOLUME_CHANGE = 0.5
"""A file's rows a day lie this far below or above those of the file before it."""
MIX_CHANGE = 0.15
"""The share of one kind moved by more than this from one file to the next."""
ENOUGH = 200
"""Rows in each of two files before their mix is compared; a tenth of it: rows to come before a kind has stopped."""


def alarms_of(feed: Feed, document: Mapping[str, Any]) -> list[str]:
    """Every alarm for one feed, from its part of the report."""
    files = sorted(document["files"], key=lambda file: (file["covers_from"], file["covers_until"], file["file"]))
    return [*_of_files(files), *_of_dates(feed, document), *_volume(files), *_mix(files), *_gaps(files)]


def _of_files(files: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for file in files:
        refused = sum(file["quarantined"].values())
        if not file["delivered"]:
            yield f"no-rows: {file['file']} holds no row."
        elif refused > MUCH_QUARANTINED * file["delivered"]:
            share = round(100 * refused / file["delivered"])
            yield f"much-quarantined: {share} % of {file['file']} is in quarantine."


def _of_dates(feed: Feed, document: Mapping[str, Any]) -> Iterator[str]:
    fresh = document["freshness_days"]
    if fresh is not None and fresh > max(STALE_DAYS, STALE_LAGS * feed.arrival_lag_days):
        usual = feed.arrival_lag_days
        yield f"stale: the newest record is {fresh:.0f} days older than its receipt; usual is {usual} days."
    if document["known_before_it_happened"]:
        yield f"clock: {document['known_before_it_happened']} records were known before they happened."


def _volume(files: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    rates = [(file["delivered"] / _days(file["covers_from"], file["covers_until"]), file) for file in files]
    for (before, _), (rate, file) in pairwise(rates):
        if before > 0 and abs(rate / before - 1) > VOLUME_CHANGE and max(rate, before) * 30 >= 30:
            yield f"volume: {file['file']} has {rate:.1f} rows a day, the file before it {before:.1f}."


def _mix(files: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for before, after in pairwise(files):
        old, new = (sum(file["kinds"].values()) for file in (before, after))
        if min(old, new) < ENOUGH:
            continue
        for kind in sorted({*before["kinds"], *after["kinds"]}):
            was, now = before["kinds"].get(kind, 0) / old, after["kinds"].get(kind, 0) / new
            if not now and was * new >= ENOUGH / 10:
                yield f"stopped: {after['file']} has no {kind}; some {was * new:.0f} were to come."
            elif abs(now - was) > MIX_CHANGE:
                yield f"mix: {kind} goes from {100 * was:.0f} % to {100 * now:.0f} % of the rows in {after['file']}."


def _gaps(files: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    reached = ""
    for file in files:
        if reached and file["covers_from"] > reached:
            yield f"gap: nothing covers {reached} to {file['covers_from']}."
        reached = max(reached, file["covers_until"])


def _days(start: str, end: str) -> int:
    return (dt.date.fromisoformat(end) - dt.date.fromisoformat(start)).days

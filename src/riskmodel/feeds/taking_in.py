"""Delivered files one after the other, each read part by part, its rows judged one by one and put aside.

A file that turns out to be unusable, be it at its last byte, leaves nothing behind but its refusal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from riskmodel.errors import DataRefused
from riskmodel.feeds.aside import Aside
from riskmodel.feeds.checks import judged
from riskmodel.feeds.delivery import Delivery
from riskmodel.feeds.encoded import encoded_feed, must_be_encoded
from riskmodel.feeds.feed import Feed
from riskmodel.feeds.reading import read_parts
from riskmodel.feeds.settling import Received
from riskmodel.feeds.standard import FIELDS, STRUCTURAL


def taken_in(
    aside: Aside,
    feeds: Mapping[str, Feed],
    files: Sequence[tuple[Delivery, str]],
    encoded_from: Mapping[Delivery, Feed],
    wanted: frozenset[str],
    part_bytes: int,
) -> tuple[list[Received], list[tuple[Delivery, DataRefused]]]:
    """Take in every file; those that were read, in the order given, and those that are refused.

    Parameters
    ----------
    feeds : feed name -> the feed as it may be read for the purpose
    files : deliveries and the hashes of their bytes
    encoded_from : encoded delivery -> the agency's own feed
    wanted : standard fields that may be kept
    part_bytes : int, about how much of a file is read at a time
    """
    received: list[Received] = []
    refusals = []
    for delivery, digest in files:
        one = Received(delivery, digest, aside.pile(), aside.pile())
        order = sum(delivery.feed == before.delivery.feed for before in received)
        try:
            _take_in(feeds[delivery.feed], one, wanted, order, part_bytes, encoded_from.get(delivery))
            received.append(one)
        except DataRefused as error:
            one.rows.discard()
            one.quarantine.discard()
            refusals.append((delivery, error))
    return received, refusals


def _take_in(
    feed: Feed, one: Received, wanted: frozenset[str], order: int, part_bytes: int, encoded_from: Feed | None
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

"""Deliveries: one file of one feed, when it came and which dates it covers; and the folder they arrive in.

A folder of deliveries says what it holds in ``deliveries.toml``. Nothing here looks inside a file to judge it.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from riskmodel.engines.duckdb import query
from riskmodel.errors import DeclarationError, Fault
from riskmodel.feeds.contract import Contract
from riskmodel.feeds.declaration import Reader
from riskmodel.feeds.feed import Feed
from riskmodel.feeds.reading import ENDINGS

MANIFEST = "deliveries.toml"
_FEED_NAME = re.compile(r"\w+\.\w+")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One file of one feed.

    Parameters
    ----------
    feed : str, the feed's full name, such as "police.events"
    path : Path, or the text of one
    received_at : datetime, naive wall-clock; nothing in the file can have happened later
    covers_from, covers_until : date, half-open: the file holds all that was recorded from the first day up to the
        day before the last
    """

    feed: str
    path: Path
    received_at: dt.datetime
    covers_from: dt.date
    covers_until: dt.date

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", Path(self.path))
        faults = []
        where = f"delivery of {self.feed}"
        if not _FEED_NAME.fullmatch(self.feed):
            faults.append(Fault(where, "a name without one dot", "AGENCY.FEED", "Write it like police.events."))
        if self.received_at.tzinfo is not None:
            faults.append(Fault(where, "a receipt time with a zone", "a naive wall-clock time", "Drop the zone."))
        if self.covers_from >= self.covers_until:
            found = f"{self.covers_from} to {self.covers_until}"
            faults.append(Fault(where, found, "a covered span of at least a day", "Correct the dates."))
        if self.covers_until > self.received_at.date() + dt.timedelta(days=1):
            found = f"a span until {self.covers_until} received on {self.received_at.date()}"
            faults.append(Fault(where, found, "no span beyond the receipt", "Correct covers_until."))
        if faults:
            raise DeclarationError("delivery-invalid", faults=faults)

    @property
    def agency(self) -> str:
        """The agency that sent it."""
        return self.feed.partition(".")[0]


def deliveries_in(folder: str | Path) -> list[Delivery]:
    """The deliveries that a folder's ``deliveries.toml`` lists, in its order.

    Raises
    ------
    NotFound : there is no ``deliveries.toml``
    DeclarationError : code "deliveries-invalid", every fault with its line
    """
    folder = Path(folder)
    top = Reader.open(folder / MANIFEST)
    listed = top.given.get("delivery", [])
    top.asked.add("delivery")
    if not isinstance(listed, list) or not listed:
        top.fault("delivery", found="no deliveries", expected="[[delivery]] tables", repair="List each file once.")
        listed = []
    made = [
        _listed(Reader(one, top.file, ("delivery", str(at)), top.lines, top.faults), folder)
        for at, one in enumerate(listed, 1)
    ]
    top.close()
    if top.faults:
        raise DeclarationError("deliveries-invalid", faults=top.faults)
    return [delivery for delivery in made if delivery is not None]


def _listed(one: Reader, folder: Path) -> Delivery | None:
    feed, file = one.text("feed", needed=True), one.text("file", needed=True)
    start, end = one.date("covers_from"), one.date("covers_until")
    received = one.given.get("received_at")
    one.asked |= {"received_at"}
    one.close()
    if isinstance(received, dt.date) and not isinstance(received, dt.datetime):
        received = dt.datetime.combine(received, dt.time())
    if not isinstance(received, dt.datetime) or start is None or end is None:
        one.fault(
            found="a delivery without all its dates",
            expected="received_at, covers_from and covers_until",
            repair="Write for instance received_at = 2024-04-02T09:30:00, covers_from = 2024-01-01.",
        )
        return None
    try:
        return Delivery(feed or "?", folder / (file or "?"), received, start, end)
    except DeclarationError as error:
        one.faults += [Fault(one.where(), fault.found, fault.expected, fault.repair) for fault in error.faults]
        return None


def write_manifest(folder: str | Path, deliveries: Iterable[Delivery]) -> Path:
    """Write ``deliveries.toml`` for files inside the folder; the same deliveries give the same bytes."""
    folder = Path(folder)
    blocks = [
        "\n".join(
            (
                "[[delivery]]",
                f'feed = "{one.feed}"',
                f'file = "{one.path.relative_to(folder).as_posix()}"',
                f"received_at = {one.received_at.isoformat(timespec='seconds')}",
                f"covers_from = {one.covers_from}",
                f"covers_until = {one.covers_until}",
            )
        )
        for one in deliveries
    ]
    path = folder / MANIFEST
    path.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    return path


def deliveries_of(
    contracts: Sequence[Contract],
    folder: str | Path,
    *,
    received_at: dt.datetime,
    covers_from: dt.date,
    covers_until: dt.date,
) -> list[Delivery]:
    """One delivery for each feed of the contracts from a folder of source files, by the feeds' own file names.

    A feed whose file is not there is still listed: receiving it then names the file that is missing.
    """
    return [
        Delivery(feed.name, file_of(feed, Path(folder)), received_at, covers_from, covers_until)
        for contract in contracts
        for feed in contract.feeds
    ]


def file_of(feed: Feed, folder: Path) -> Path:
    """The feed's file in a folder, whatever its ending; where there is none, under the ending that is usual."""
    names = [folder / f"{feed.file}{ending}" for ending in (feed.suffix, *ENDINGS)]
    return next((name for name in names if name.exists()), names[0])


def write_file(feed: Feed, table: pa.Table, path: Path) -> None:
    """Write rows that are already in the agency's own columns as the feed's kind of file.

    Text that Windows-1252 cannot hold is written as a question mark where the agency writes Windows-1252.
    """
    if feed.format == "parquet":
        pq.write_table(table, path, compression="snappy")
    elif feed.format == "jsonl":
        lines = (
            query("SELECT CAST(to_json(rows_) AS VARCHAR) AS line FROM rows_", rows_=table).column("line").to_pylist()
        )
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
    else:
        buffer = io.BytesIO()
        options = pacsv.WriteOptions(delimiter=feed.delimiter, quoting_style="needed")
        pacsv.write_csv(table, buffer, options)
        data = b"\n" * (feed.heading_line - 1) + buffer.getvalue()
        if feed.encoding != "utf-8":
            data = data.decode("utf-8").encode(feed.encoding, errors="replace")
        path.write_bytes(data)


def write_delivery(
    feed: Feed,
    rows: pa.Table,
    folder: str | Path,
    *,
    received_at: dt.datetime,
    covers_from: dt.date,
    covers_until: dt.date,
    stem: str | None = None,
) -> Delivery:
    """Render standard rows, write them as the agency would, and return the delivery.

    Parameters
    ----------
    feed : Feed
    rows : Arrow table of standard fields, see `Feed.render`
    folder : where the file goes; it is made when it is not there
    received_at, covers_from, covers_until : as in `Delivery`
    stem : str, the file's name without ending; by default the agency's name and the feed's ``file``
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem or f'{feed.agency}_{feed.file}'}{feed.suffix}"
    write_file(feed, feed.render(rows), path)
    return Delivery(feed.name, path, received_at, covers_from, covers_until)

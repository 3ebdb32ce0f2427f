"""Contracts: one agency's declared word on what it delivers, how it is written and what it means.

One contract an agency, one file to read. A declaration is checked whole: every fault is named at once, with its line.
A contract reads no data and checks none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from riskmodel.errors import DeclarationError, Fault
from riskmodel.feeds.codes import CodeList, Meaning
from riskmodel.feeds.declaration import Reader
from riskmodel.feeds.encodings import is_encoding
from riskmodel.feeds.feed import FORMATS, TYPES, Column, Feed, Selection
from riskmodel.feeds.full_names import FULL_NAME, PARTS
from riskmodel.feeds.standard import FIELDS, HOLDS, NEEDED, UNKNOWN, VOCABULARY
from riskmodel.tables import fingerprint_document

REGIMES = ("UK GDPR", "DPA 2018 Part 3", "public record")
"""Under which law the agency processes: general processing, law enforcement, or published records."""

__all__ = ["Column", "Contract", "Feed", "agency_contracts", "contracts_in", "format_contract"]


@dataclass(frozen=True, slots=True)
class Contract:
    """What one agency delivers.

    Attributes
    ----------
    agency : str, the short name used everywhere, such as "police"
    title, controller : str, its full name, and who answers in law for the records
    legal_regime : str, one of REGIMES
    purposes : tuple of str, tags of the purposes for which the agency may send its records
    feeds : tuple of Feed
    caveats : tuple of str
    encoded : bool, only deliveries that ``riskmodel pseudonymise`` encoded are accepted
    """

    agency: str
    title: str
    controller: str
    legal_regime: str
    purposes: tuple[str, ...]
    feeds: tuple[Feed, ...]
    caveats: tuple[str, ...] = ()
    encoded: bool = False

    @classmethod
    def load(cls, path: str | Path) -> Contract:
        """Read a contract from its TOML file.

        Raises
        ------
        NotFound : there is no such file
        DeclarationError : code "contract-invalid", with every fault and its line
        """
        reader = Reader.open(Path(path))
        contract = _contract(reader)
        if reader.faults:
            raise DeclarationError("contract-invalid", faults=reader.faults)
        return contract

    def feed(self, name: str) -> Feed:
        """A feed by its own name ("events") or its full one ("police.events")."""
        for feed in self.feeds:
            if name in (feed.name, feed.name.partition(".")[2]):
                return feed
        raise DeclarationError.of(
            "feed-unknown",
            where=f"contract of {self.agency}",
            found=f"the feed {name!r}",
            expected=", ".join(feed.name for feed in self.feeds),
            repair="Use one of the declared feeds.",
        )

    def document(self) -> dict[str, Any]:
        """The whole contract as JSON-able data: what its fingerprint is taken of."""
        return asdict(self)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all that the contract says."""
        return fingerprint_document(self.document())


@cache
def agency_contracts() -> dict[str, Contract]:
    """The contracts that come with the package, by agency in alphabetical order.

    Examples
    --------
    >>> sorted(agency_contracts())
    ['charity', 'childrens_services', 'education', 'fire', 'health', 'housing', 'justice', 'police', 'youth_justice']
    """
    return {contract.agency: contract for contract in contracts_in(Path(__file__).parent / "agencies")}


def format_contract(name: str) -> Contract:
    """The contract of a published format that comes with the package: "ssda903", "synthea" or "oulad"."""
    return Contract.load(Path(__file__).parent / "formats" / f"{name}.toml")


def contracts_in(folder: str | Path) -> tuple[Contract, ...]:
    """Every contract (``*.toml``) of a folder, by agency; the faults of all files are raised together."""
    contracts: list[Contract] = []
    faults: list[Fault] = []
    for path in sorted(Path(folder).glob("*.toml")):
        try:
            contracts.append(Contract.load(path))
        except DeclarationError as error:
            faults += error.faults
    agencies = [contract.agency for contract in contracts]
    for agency in sorted({one for one in agencies if agencies.count(one) > 1}):
        faults.append(Fault(Path(folder).name, f"{agency!r} in two files", "one contract an agency", "Join the files."))
    if faults:
        raise DeclarationError("contract-invalid", faults=faults)
    return tuple(sorted(contracts, key=lambda contract: contract.agency))


def _contract(top: Reader) -> Contract:
    agency = top.text("agency", needed=True) or "?"
    if not agency.replace("_", "").isalnum():
        top.fault("agency", found=repr(agency), expected="letters, digits and _", repair="Write a short plain name.")
    written = {
        "date": top.texts("date_format", ("%Y-%m-%d",)),
        "moment": top.texts("moment_format", ("%Y-%m-%dT%H:%M:%S",)),
    }
    lists = {name: _code_list(name, table) for name, table in top.table("codes").tables()}
    defaults = _Written("csv", ",", "utf-8").changed(top)
    contract = Contract(
        agency=agency,
        title=top.text("title", needed=True) or "",
        controller=top.text("controller", needed=True) or "",
        legal_regime=top.choice("legal_regime", REGIMES, needed=True) or "",
        purposes=top.texts("purposes"),
        feeds=tuple(
            _feed(agency, name, table, lists, written, defaults) for name, table in top.table("feeds").tables()
        ),
        caveats=top.texts("caveats"),
        encoded=top.flag("encoded"),
    )
    if not contract.feeds:
        top.fault("feeds", found="no feed", expected="at least one", repair="Write a table [feeds.NAME].")
    top.close()
    used = {column.codes.name for feed in contract.feeds for column in feed.columns if column.codes is not None}
    for name in lists:
        if name not in used:
            top.fault(
                "codes", name, found="a code list that no column uses", expected="lists in use", repair="Remove it."
            )
    return contract


@dataclass(frozen=True, slots=True)
class _Written:
    """How an agency's files are written; a feed may differ from its agency's habit."""

    format: str
    delimiter: str
    encoding: str

    def changed(self, reader: Reader) -> _Written:
        return _Written(
            reader.choice("format", FORMATS, self.format) or self.format,
            _delimiter(reader, self.delimiter),
            _encoding(reader, self.encoding),
        )


def _delimiter(reader: Reader, default: str) -> str:
    delimiter = reader.text("delimiter", default) if reader.given.get("delimiter") != "\t" else "\t"
    reader.asked.add("delimiter")
    if delimiter is None or len(delimiter) != 1 or delimiter in '"\n\r':
        reader.fault("delimiter", found=repr(delimiter), expected="one character", repair="Write , ; | or \\t.")
        return default
    return delimiter


def _encoding(reader: Reader, default: str) -> str:
    encoding = (reader.text("encoding", default) or default).lower()
    if not is_encoding(encoding):
        reader.fault(
            "encoding",
            found=repr(encoding),
            expected="the name of an encoding, such as utf-8, windows-1252, iso-8859-15 or utf-16",
            repair="Ask the agency how it saves the file.",
        )
        return default
    return encoding


def _feed(
    agency: str,
    name: str,
    table: Reader,
    lists: dict[str, CodeList],
    written: dict[str, tuple[str, ...]],
    defaults: _Written,
) -> Feed:
    holds = table.choice("holds", HOLDS, needed=True) or "events"
    constants = table.table("constants")
    as_written = defaults.changed(table)
    columns = tuple(_column(key, one, holds, lists, written) for key, one in table.table("columns").tables())
    feed = Feed(
        name=f"{agency}.{name}",
        agency=agency,
        holds=holds,
        file=table.text("file", needed=True) or name,
        columns=columns,
        key=table.texts("key"),
        format=as_written.format,
        delimiter=as_written.delimiter,
        encoding=as_written.encoding,
        heading_line=table.integer("heading_line", 1, at_least=1),
        constants=tuple(constants.given.items()),
        known_at=table.texts("known_at"),
        ends_known=table.choice("ends_known", ("with_row", "at_end"), "with_row") or "with_row",
        rows=_selection(table.table("rows")) if "rows" in table.given else None,
        may_be_empty=table.flag("may_be_empty"),
        ignored=table.texts("ignored"),
        arrival_lag_days=table.integer("arrival_lag_days", 0),
        caveats=table.texts("caveats"),
    )
    table.asked |= {"rows"}
    table.close()
    _check_feed(feed, table)
    return feed


def _selection(table: Reader) -> Selection:
    selection = Selection(table.text("column", needed=True) or "", table.texts("one_of"))
    if not selection.values:
        table.fault("one_of", found="no values", expected="at least one", repair="Name the values to keep.")
    table.close()
    return selection


def _column(
    name: str, table: Reader, holds: str, lists: dict[str, CodeList], written: dict[str, tuple[str, ...]]
) -> Column:
    kind = table.choice("type", TYPES, needed=True) or "text"
    listed = table.text("codes")
    if listed is not None and listed not in lists:
        table.fault(
            "codes", found=f"the code list {listed!r}", expected=", ".join(lists) or "a list", repair="Write it."
        )
    if (listed is None) == (kind == "code"):
        table.fault(
            found=f"type {kind!r} with codes {listed!r}", expected="codes exactly for type code", repair="Name one."
        )
    column = Column(
        name=name,
        type=kind,
        means=table.choice("means", (*FIELDS[holds], *([FULL_NAME] if holds == "people" else []))),
        required=table.flag("required"),
        may_be_absent=table.flag("may_be_absent"),
        written=table.texts("format", written.get(kind, ())),
        codes=lists.get(listed) if listed else None,
        unknown_when=table.texts("unknown_when"),
        open_when=table.texts("open_when"),
        or_else=table.text("or_else"),
        may_be_future=table.flag("may_be_future"),
        at_least=table.number("at_least"),
        at_most=table.number("at_most"),
        longest=table.integer("longest", 1000, at_least=1),
        caveat=table.text("caveat"),
        purposes=table.texts("purposes"),
    )
    table.close()
    _check_column(column, holds, table)
    return column


_WORDS = re.compile(r"[^\W\d_][\w /'().,-]{0,79}")
_SUITS = {
    "text": ("text", "integer", "code", "number"),
    "date": ("date", "moment", "year"),
    "moment": ("date", "moment"),
    "number": ("integer", "number"),
    "flag": ("code",),
}


def _check_column(column: Column, holds: str, table: Reader) -> None:
    if column.means is not None:
        suits = ("text",) if column.means == FULL_NAME else _SUITS[FIELDS[holds][column.means]]
        if column.type not in suits:
            table.fault(
                "type", found=column.type, expected=f"{' or '.join(suits)} for {column.means}", repair="Change it."
            )
    if any("%y" in pattern for pattern in column.written):
        table.fault(
            "format",
            found="a year of two digits (%y)",
            expected="%Y",
            repair="Ask for full years: 16 may be 1916 or 2016.",
        )
    if column.codes is None:
        return
    allowed = VOCABULARY.get(column.means or "")
    for meaning in column.codes.meanings:
        if allowed is not None and meaning.value not in allowed | {UNKNOWN}:
            table.fault(
                found=f"the code {meaning.code!r} meaning {meaning.value!r}",
                expected=f"one of {', '.join(sorted(allowed))} or unknown",
                repair="Use the standard word.",
            )
        if column.means == "kind":
            _check_words(meaning, table)
        if meaning.role is not None and column.means != "kind":
            table.fault(
                found=f"a role at the code {meaning.code!r}", expected="roles only for kinds", repair="Remove it."
            )


def _check_words(meaning: Meaning, table: Reader) -> None:
    """Kinds and roles stand in the reasons people read: words, nothing that a page or a spreadsheet could run."""
    for word in filter(None, (meaning.value, meaning.role)):
        if not _WORDS.fullmatch(word):
            table.fault(
                found=f"the code {meaning.code!r} meaning {word!r}",
                expected="a word that begins with a letter, of letters, digits, spaces and _ - / ' ( ) . ,",
                repair="Write it such as domestic_abuse.",
            )


def _check_feed(feed: Feed, table: Reader) -> None:
    names = {column.name for column in feed.columns}
    for what, used in (
        ("key", feed.key),
        ("known_at", () if feed.known_at == ("always",) else feed.known_at),
        ("rows", (feed.rows.column,) if feed.rows else ()),
        ("columns", tuple(column.or_else for column in feed.columns if column.or_else)),
    ):
        for name in used:
            if name not in names:
                table.fault(what, found=f"the column {name!r}", expected="a declared column", repair="Declare it.")
    dated = {column.name for column in feed.columns if column.type in ("date", "moment")}
    for name in feed.known_at:
        if name in names - dated:
            table.fault("known_at", found=f"{name!r}, no date", expected="a date or moment column", repair="Name one.")
    for field in NEEDED[feed.holds]:
        if field not in feed.gives():
            table.fault(
                "columns", found=f"nothing that means {field}", expected="a column or constant", repair="Add it."
            )
    meant = [column.means for column in feed.columns if column.means]
    meant += PARTS if FULL_NAME in meant else ()
    for field in sorted({field for field in meant if meant.count(field) > 1}):
        table.fault(
            "columns", found=f"{meant.count(field)} columns that mean {field}", expected="one", repair="Keep one."
        )
    _check_constants(feed, table)


def _check_constants(feed: Feed, table: Reader) -> None:
    for field, value in feed.constants:
        kind = FIELDS[feed.holds].get(field)
        right = (
            (isinstance(value, str) and bool(value))
            if kind == "text"
            else isinstance(value, (int, float)) and kind == "number"
        )
        if not right or isinstance(value, bool):
            texts = [name for name, of in FIELDS[feed.holds].items() if of in ("text", "number")]
            table.fault(
                "constants",
                field,
                found=f"{field} = {value!r}",
                expected=f"one of {', '.join(texts)}",
                repair="Fix it.",
            )
        if feed.meaning(field) is not None:
            table.fault(
                "constants", field, found="a constant and a column", expected="one of them", repair="Remove one."
            )


def _code_list(name: str, table: Reader) -> CodeList:
    meanings: list[Meaning] = []
    for code in table.given:
        meanings += _meanings(code, table)
    if not table.given:
        table.fault(found="no codes", expected="at least one", repair="List the codes.")
    listed = CodeList(name, tuple(meanings))
    for code in listed.overlaps():
        table.fault(
            code, found=f"the code {code!r} listed twice for one day", expected="one meaning a day", repair="Set dates."
        )
    return listed


def _meanings(code: str, table: Reader) -> list[Meaning]:
    given = table.given[code]
    spans: Sequence[Any] = given if isinstance(given, list) else [given]
    made = []
    for span in spans:
        if isinstance(span, str) and span:
            made.append(Meaning(code, span))
            continue
        if not isinstance(span, dict):
            table.fault(
                code, found=repr(span)[:60], expected="a word or a table", repair='Write "male" or { kind = ... }.'
            )
            continue
        inner = Reader(span, table.file, (*table.path, code), table.lines, table.faults)
        value = inner.text("kind" if "kind" in span else "means", needed=True) or UNKNOWN
        made.append(Meaning(code, value, inner.text("role"), inner.date("valid_from"), inner.date("valid_until")))
        inner.close()
    return made

"""A drafted contract as a TOML text, with a note at everything that a person must say or check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from riskmodel.feeds.drafting import DraftColumn, DraftFeed, guessed


def draft_text(agency: str, feeds: Sequence[DraftFeed]) -> str:
    """The contract as a TOML text, with a note at everything a person must say or check."""
    return "\n".join(_lines(agency, feeds)) + "\n"


def _lines(agency: str, feeds: Sequence[DraftFeed]) -> Iterator[str]:
    yield f"# A draft: what {agency} sends, guessed from the heads of its files. Check every line with the agency."
    yield "# An empty answer is refused, with its line, until somebody fills it in."
    yield f"agency = {_quoted(agency)}"
    yield 'title = ""          # its full name'
    yield 'controller = ""     # who answers in law for the records'
    yield 'legal_regime = ""   # "UK GDPR", "DPA 2018 Part 3" or "public record"'
    yield "purposes = []       # the purposes for which it may send them"
    yield "caveats = []        # what a reader must know: who is recorded, and who is not"
    for feed in feeds:
        yield from _feed_lines(feed)
    for feed in feeds:
        for column in feed.columns:
            if column.type == "code":
                yield from _code_lines(f"{feed.name}_{column.means}", column)


def _feed_lines(feed: DraftFeed) -> Iterator[str]:
    yield ""
    yield f"[feeds.{feed.name}]"
    yield f'holds = "{feed.holds}"'
    yield f"file = {_quoted(feed.sample.path.stem)}"
    key = feed.meaning("event_key") or (feed.meaning("person_key") if feed.holds == "people" else None)
    if key is not None:
        yield f"key = [{_quoted(key.name)}]        # what tells two records apart"
    if feed.sample.format != "csv":
        yield f'format = "{feed.sample.format}"'
    elif feed.sample.delimiter != ",":
        yield f"delimiter = {_quoted(feed.sample.delimiter)}"
    if feed.sample.encoding != "utf-8":
        yield f'encoding = "{feed.sample.encoding}"'
    if feed.sample.heading_line > 1:
        yield f"heading_line = {feed.sample.heading_line}        # what stands above it is not read"
    if feed.meaning("recorded_at") is None:
        yield "# No column was recognised that says when a record was made. Without one, a record counts as known only"
        yield '# from the day you receive it. If another column says it, name that column here: known_at = ["..."]'
    if feed.holds == "events" and feed.meaning("kind") is None:
        yield 'constants = { kind = "" }   # no column says what happened: what is every record of?'
    yield from _ignored_lines(feed.ignored)
    yield ""
    yield f"[feeds.{feed.name}.columns]"
    for column in feed.columns:
        yield _column_line(feed, column)
    if feed.meaning("person_key") is None:
        yield "# No column was recognised that numbers people. Ask for one: for the same person always the same number."
    if feed.holds == "events" and feed.meaning("happened_at") is None:
        yield "# No column was recognised that says when it happened. Describe one here:"
        yield '# "HEADING" = { type = "date", means = "happened_at", required = true }'


def _ignored_lines(names: Sequence[str]) -> Iterator[str]:
    if names:
        yield "# Not recognised, so not read. To read one, take it out and describe it among the columns."
        yield f"ignored = [{', '.join(map(_quoted, names))}]"


def _column_line(feed: DraftFeed, column: DraftColumn) -> str:
    said = [f'type = "{column.type}"', f'means = "{column.means}"']
    if column.type == "code":
        said.append(f'codes = "{feed.name}_{column.means}"')
    if column.patterns:
        written = ", ".join(map(_quoted, column.patterns))
        said.append(f"format = {written}" if len(column.patterns) == 1 else f"format = [{written}]")
    if column.means in ("person_key", "happened_at") and (feed.holds == "people" or column.means == "happened_at"):
        said.append("required = true")
    return f"{_quoted(column.name)} = {{ {', '.join(said)} }}"


def _code_lines(name: str, column: DraftColumn) -> Iterator[str]:
    yield ""
    yield f"[codes.{name}]        # of {_quoted(column.name)}; a code in no list is set aside, never guessed"
    for code in column.codes:
        word = guessed(column.means, code)
        yield f"{_quoted(code)} = {_quoted(word or '')}" + ("" if word else "   # what does it mean?")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    return f'"{escaped}"'

"""Where the rows come from: purpose and lawful basis, feeds, linkage, who is in question, the label, the time rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from riskmodel.cards.blocks import Block, Bullets, Column, Facts, Heading, Paragraph, Section, Table, text_blocks
from riskmodel.cards.disclosed import count_or_none, count_rows, rule_words
from riskmodel.cards.evidence import count_words, share_words
from riskmodel.cards.given import Given
from riskmodel.cards.sections.lateness import lateness
from riskmodel.cards.words import capital, day_words, listed, plain
from riskmodel.dates import duration_words
from riskmodel.governance.disclosure import SUPPRESSED, Total
from riskmodel.governance.purposes import Purpose

TABLE_RULE = (
    "The table holds no dates, so nothing can be checked against a day. Which columns were known by the time of the"
    " forecast is what its publishers say; a column that was measured later is refused."
)
TIME_RULE = (
    "A fact is used for an as-of date only if it both happened and became known to the partnership strictly before that"
    " date, and had not been corrected by then. A record that arrived late is not used for the days on which nobody"
    " could have seen it."
)


LINKED_BY_KEY = (
    "Records with the same number are taken to be of the same person. A wrong number joins two people or parts one, and"
    " nobody checked how often. The intervals on this card do not cover it."
)
LINKED = (
    "Records of different agencies are joined when they are probably of the same person. Some are joined wrongly and"
    " some are missed, and neither error falls equally on all groups. The intervals on this card do not cover it."
)


def declared_purpose(declared: Purpose, whose: Sequence[str] = ()) -> tuple[Paragraph, Facts]:
    """What a purpose says of itself; `whose` is what its agencies are called."""
    called = [capital(name) for name in whose or map(plain, declared.controllers)]
    rows = (
        ("Purpose", declared.name),
        ("Lawful basis", declared.lawful_basis),
        ("Whose records", "; ".join(called)),
        ("Holds until", day_words(declared.expires)),
    )
    return Paragraph(declared.statement), Facts(rows)


def purpose(given: Given) -> Section:
    """Why the records may be read."""
    blocks: list[Block] = [*declared_purpose(given.purpose, given.whose)]
    if given.text.legal:
        blocks += [Heading("The law, source by source"), *text_blocks(given.text.legal)]
    if given.text.equality:
        blocks += [Heading("Due regard to equality"), *text_blocks(given.text.equality)]
    if given.text.impact_assessment:
        blocks += [Heading("Impact assessment"), *text_blocks(given.text.impact_assessment)]
    return Section("purpose", "Purpose and lawful basis", tuple(blocks))


def feeds(given: Given) -> Section:
    """What came from each agency, what was accepted and what was set aside."""
    blocks: list[Block] = [*text_blocks(given.text.data_notes)] if given.text.data_notes else []
    by_feed: Mapping[str, Any] = (given.intake or {}).get("feeds", {})
    checked = given.training.manifest.get("checked")
    if checked:
        given.counted("table.rows", int(checked["rows"]), "training")
        blocks.append(Paragraph(_checked_words(checked)))
        return Section("records", "Whose records", tuple(blocks))
    if not by_feed:
        blocks.append(Paragraph("No report of the intake was given to this card, so what was delivered is not known."))
        return Section("records", "Whose records", tuple(blocks))
    rows = [_feed_row(name, feed) for name, feed in sorted(by_feed.items())]
    blocks.append(_accounted(given, rows))
    columns = (Column("Feed"), *(Column(capital(name), "count") for name in _COUNTED), Column("Why set aside"))
    shown = tuple((row["feed"], *(row[name] for name in _COUNTED), row["why"]) for row in rows)
    blocks.append(
        Table(
            "Rows of each feed",
            columns,
            shown,
            source="intake",
            note="These are rows of records, not people.",
            folded=len(shown) > _MANY,
        )
    )
    blocks += _source_mix(given, by_feed)
    blocks += lateness(given, (given.intake or {}).get("delays") or {})
    alarms = tuple(
        f"{_feed_words(name)}: {alarm}" for name, feed in sorted(by_feed.items()) for alarm in feed.get("alarms", ())
    )
    if alarms:
        blocks += [Heading("What does not look right in the records"), Bullets(alarms)]
    blocks += _fields(given.intake or {})
    caveats = tuple(
        f"{_feed_words(name)}: {one}" for name, feed in sorted(by_feed.items()) for one in feed.get("caveats", ())
    )
    if caveats:
        folded = f"{len(caveats)} remarks" if len(caveats) > _MANY else ""
        blocks += [Heading("What to know about these records"), Bullets(caveats, folded=folded)]
    return Section("records", "Whose records", tuple(blocks))


def _fields(intake: Mapping[str, Any]) -> list[Block]:
    """What came of each field that was asked for; nothing when the run did not ask."""
    used: Mapping[str, Any] | None = intake.get("fields_used")
    if not used:
        return []
    idle = [plain(name) for name in used["never_mattered"]]
    said = (
        f"Asked for and without use in this model: {listed(idle)}. The next purpose can leave such a field out, once a"
        " model without it was tried."
        if idle
        else "No field was asked for in vain, as far as this model can say."
    )
    always = [plain(one["field"]) for one in used["uses"] if one["state"] == "in every record"]
    if always:
        said += f" Kept whatever is asked for, because a record means nothing without it: {listed(always)}."
    shown = tuple(
        (
            capital(plain(one["field"])),
            one["words"],
            capital(one["readers"]) or "Nothing",
            "" if one["share"] is None else _share_of_weight(one),
        )
        for one in used["uses"]
        if one["state"] != "in every record"
    )
    note = (
        "The share is of the absolute contributions of all features, in log-odds, over"
        f" {count_words(used['rows'])} rows, with a 95% interval over people. A field is without weight when the whole"
        f" interval lies below {share_words(used['little'])}. It says what this model uses, not what it would lose"
        " without the field: of two fields that say the same, either may carry the weight."
    )
    columns = (Column("Field"), Column("State"), Column("Read by"), Column("Share of the model's weight"))
    return [
        Heading("Fields asked for"),
        Paragraph(said),
        Table("What came of each field", columns, shown, source="intake", note=note),
    ]


def _share_of_weight(one: Mapping[str, Any]) -> str:
    return f"{share_words(one['share'])} ({share_words(one['low'])} to {share_words(one['high'])})"


def _source_mix(given: Given, by_feed: Mapping[str, Any]) -> list[Block]:
    """How the records come about, as people declared it for each agency, with the rows of events accepted from it."""
    declared = given.text.source_mix
    if not declared:
        return []
    accepted: dict[str, int] = {}
    for name, feed in by_feed.items():
        agency, _, holds = name.partition(".")
        if holds == "events":
            how = declared.get(agency, "not said")
            accepted[how] = accepted.get(how, 0) + int(feed.get("accepted", 0))
    total = sum(accepted.values())
    rows = tuple(
        (
            capital(how),
            capital(listed([plain(agency) for agency in sorted(declared) if declared[agency] == how])) or "the others",
            count,
            given.worked_out(f"source.{how}", count / total, "intake", n=total, unit="share").value,
        )
        for how, count in sorted(accepted.items(), key=lambda each: (-each[1], each[0]))
        if total
    )
    columns = (Column("How they come about"), Column("Records of"), Column("Events", "count"), Column("Share", "share"))
    note = (
        "Reported: somebody told the agency. Discovered: the agency went and looked, so that more looking makes more"
        " records. A model that leans on what is discovered learns where agencies look."
    )
    return [Table("How the records come about", columns, rows, source="intake", note=note)]


def _checked_words(checked: Mapping[str, Any]) -> str:
    """The check of a finished table in words."""
    return (
        f"The records came as one finished table, {checked['file']} ({checked['licence']}), with"
        f" {count_words(checked['rows'])} rows. Each of the {checked['columns']} columns that are used was checked"
        f" against what it may hold; {len(checked['missing'])} of them have missing values, which stay missing."
    )


def linkage(given: Given) -> Section:
    """How records were joined into people, and how many."""
    quality = given.linkage
    if given.training.manifest.get("checked"):
        said = "Nothing was joined here: the table holds one row a person, made by those who published it."
        return Section("linkage", "Joining records into people", (Paragraph(said),))
    if not quality:
        return Section(
            "linkage",
            "Joining records into people",
            (Paragraph("No report of the linkage was given to this card, so its quality is not known."),),
        )
    settings = quality.get("settings", {})
    by_key = settings.get("method") == "shared_key"
    method = (
        "By the number that all agencies use for the same person"
        if by_key
        else f"By probability, from a match probability of {settings.get('threshold', 'unknown')} on"
    )
    rows = [
        ("Method", method),
        ("Records", count_words(quality.get("records"))),
        ("People found in them", count_words(count_or_none(quality.get("people")))),
    ]
    if "matches_refused_as_impossible" in quality:
        rows.append(("Matches refused as impossible", count_words(quality["matches_refused_as_impossible"])))
    blocks: list[Block] = [Paragraph(LINKED_BY_KEY if by_key else LINKED), Facts(tuple(rows))]
    agencies = [
        {"agency": name, "records": one["records"], "elsewhere": one["records_also_elsewhere"]}
        for name, one in sorted(quality.get("agencies", {}).items())
    ]
    if agencies:
        shown = count_rows(agencies, ("records", "elsewhere"), parts={"records": ["elsewhere"]})
        columns = (
            Column("Agency"),
            Column("Records of people", "count"),
            Column("Joined with another agency's", "count"),
        )
        blocks.append(
            Table(
                "What each agency shares with others",
                columns,
                tuple((capital(plain(row["agency"])), row["records"], row["elsewhere"]) for row in shown),
                source="linkage",
                note=rule_words(),
            )
        )
    return Section("linkage", "Joining records into people", tuple(blocks))


def cohort(given: Given) -> Section:
    """Who is in it: the flow, and how many have the outcome."""
    training, people = given.training, given.text.people
    blocks: list[Block] = [Paragraph(_who(given))]
    steps = [{"step": given.in_words(each.name), "people": each.people, "rows": each.rows} for each in training.flow]
    flow = count_rows(steps, ("people", "rows"))
    if flow:
        columns = (Column("Step"), Column(capital(people), "count"), Column("Rows", "count"))
        blocks.append(
            Table(
                "Who was left after each step",
                columns,
                tuple((capital(step["step"]), step["people"], step["rows"] or "none yet") for step in flow),
                source="training",
                note=f"A row is one person on one as-of date. {rule_words()}",
            )
        )
    blocks.append(_outcomes(given))
    return Section("cohort", "Who is in it", tuple(blocks))


def _outcomes(given: Given) -> Table:
    outcome = np.asarray(given.training.outcome(), np.float64)
    yes, no = int((outcome == 1).sum()), int((outcome == 0).sum())
    counts = {"yes": yes, "no": no, "unknown": len(outcome) - yes - no, "all": len(outcome)}
    for name, count in counts.items():
        given.counted(f"cohort.{name}", count, "training")
    rows = count_rows(
        [{"outcome": name, "rows": count} for name, count in counts.items()],
        ("rows",),
        totals=(Total("outcome", "all"),),
    )
    words = {"yes": "Yes", "no": "No", "unknown": "Unknown", "all": "All rows"}
    share = {row["outcome"]: None if row["rows"] == SUPPRESSED else row["rows"] / max(1, len(outcome)) for row in rows}
    return Table(
        "What became of them",
        (Column("Outcome"), Column("Rows", "count"), Column("Share of rows", "share")),
        tuple((words[row["outcome"]], row["rows"], share[row["outcome"]]) for row in rows if row["outcome"] != "all"),
        source="training",
        note="Unknown means that follow-up, or the time for records to arrive, was not complete. Unknown is never"
        " counted as no.",
    )


def label(given: Given) -> Section:
    """What the label is and is not, and who knew what when."""
    text, outcome = given.text, given.training.outcome_definition
    blocks: list[Block] = [
        Heading("What it is"),
        *text_blocks(text.label_is),
        Heading("What it is not"),
        *text_blocks(text.label_is_not),
    ]
    if outcome is not None:
        blocks.append(
            Facts(
                (
                    ("Recorded event", plain(outcome.kind) + (f", as {outcome.role}" if outcome.role else "")),
                    ("Recorded by", plain(outcome.agency) if outcome.agency else "every agency that records it"),
                    ("Looked for during", f"{duration_words(outcome.within)} from the as-of date"),
                    ("Time left for records to arrive", f"{duration_words(outcome.settles_after)} after that"),
                )
            )
        )
    blocks += [
        Heading("Who knew what, and when"),
        Paragraph(TABLE_RULE if given.training.manifest.get("checked") else TIME_RULE),
    ]
    return Section("label", "What is predicted", tuple(blocks))


_MANY = 6
_COUNTED = ("delivered", "accepted", "quarantined")


def _feed_row(name: str, feed: Mapping[str, Any]) -> dict[str, Any]:
    """One feed's counts, and the codes under which rows were set aside."""
    codes = feed.get("quarantined") or {}
    why = ", ".join(f"{plain(code)} {count_words(number)}" for code, number in sorted(codes.items()))
    return {
        "feed": _feed_words(name),
        "delivered": int(feed.get("delivered", 0)),
        "accepted": int(feed.get("accepted", 0)),
        "quarantined": sum(codes.values()),
        "why": why,
    }


def _feed_words(name: str) -> str:
    return capital(plain(name.replace(".", ": ")))


def _accounted(given: Given, rows: list[dict[str, Any]]) -> Paragraph:
    """Every row delivered is accepted or set aside: the sums, in words."""
    totals = {name: sum(row[name] for row in rows) for name in _COUNTED}
    for name, total in totals.items():
        given.worked_out(f"intake.{name}", total, "intake", unit="count")
    aside = totals["quarantined"] / totals["delivered"] if totals["delivered"] else 0.0
    share = f" ({share_words(aside) if aside >= 0.0005 else 'less than 0.1%'})" if aside else ""
    return Paragraph(
        f"{count_words(totals['delivered'])} rows were delivered in {len(rows)} feeds."
        f" {count_words(totals['accepted'])} were accepted. {count_words(totals['quarantined'])}{share} were set aside"
        " because they broke the feed's contract; none was dropped in silence."
    )


def _who(given: Given) -> str:
    cohort = given.training.cohort
    people = capital(given.text.people)
    if cohort is None:
        return f"{people} as they stand in the table that was given; how they were chosen is not recorded."
    first, last = cohort.between
    said = people
    if cohort.aged is not None:
        said += f" aged {cohort.aged[0]} to {cohort.aged[1]}"
    if cohort.resident_for is not None:
        said += f" who had lived in the area for at least {duration_words(cohort.resident_for)}"
    when = f"every {duration_words(cohort.every)}" if cohort.every else f"at each {plain(cohort.at_each or '')}"
    return f"{said}, asked about {when} from {day_words(first)} to before {day_words(last)}."

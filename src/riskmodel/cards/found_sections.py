"""The sections of the card of a run made without riskmodel; the one on groups is that of every card."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from riskmodel.cards.blocks import Block, Bullets, Callout, Column, Facts, Heading, Paragraph, Section, Table
from riskmodel.cards.disclosed import count_cell, count_rows, gives_away, rule_words
from riskmodel.cards.evidence import Claim, share_words
from riskmodel.cards.found_given import MUST, OF_PROBABILITIES, RANKING, FoundGiven
from riskmodel.cards.given import cell, clean
from riskmodel.cards.limits import RunFigures, standing_limits
from riskmodel.cards.sections.opening import ADVISORY, missed, on_the_list, pictures
from riskmodel.cards.sections.records import declared_purpose
from riskmodel.cards.words import capital, day_words, listed, measure_words, plain
from riskmodel.governance.disclosure import Total

ELSEWHERE = (
    "The model was made without riskmodel. What is below was worked out afterwards, from its scores on rows that were"
    " given with their outcomes. How the rows were chosen and what the model could see is known only as far as people"
    " have written it down."
)
PERHAPS_TAUGHT = (
    "Nobody has said whether the model was made from these very rows. If it was, every figure on this card is better"
    " than the model is."
)
TAUGHT = (
    "These rows have the digest of data that the run itself names. If the model was made from them, every figure on"
    " this card is better than the model is"
)
_MOST_OWN_FIGURES = 40


def finding(given: FoundGiven) -> Section:
    """The finding in plain words, and what it rests on."""
    blocks: list[Block] = [Callout(ELSEWHERE)]
    if given.run.taught_by:
        blocks.append(Callout(f"{TAUGHT} ({listed(given.run.taught_by)}).", "warning"))
    elif "held_out" in given.text.unanswered:
        blocks.append(Callout(PERHAPS_TAUGHT, "warning"))
    if given.working is None:
        blocks.append(Paragraph("No length of list was named, so there is no finding about one.", lead=True))
    else:
        blocks.append(Paragraph(on_the_list(given, given.working), lead=True))
        blocks.append(Paragraph(missed(given, given.working), lead=True))
        blocks += pictures(given, given.working)
    base = given.base_rate
    if base.usable:
        blocks.append(
            Paragraph(f"Of all {given.text.people} who were judged, {share_words(base.value)} {given.outcome_words}.")
        )
    blocks.append(Callout(ADVISORY, "warning"))
    return Section("finding", "The finding in plain words", tuple(blocks))


def unanswered(given: FoundGiven) -> Section | None:
    """Everything that a person must still answer; None when nothing is open."""
    still = given.text.unanswered
    if not still:
        return None
    said = (
        "No run can know these things, and none is guessed. The card stays a draft, and no board is asked to decide on"
        " it, until each is written down."
    )
    items = tuple(f"{capital(plain(name))}: {given.text.asked[name]}." for name in still)
    return Section("unanswered", MUST, (Paragraph(said), Bullets(items, numbered=True)))


def what_it_is(given: FoundGiven) -> Section:
    """What it is for, what it must not be used for, who answers for it."""
    text = given.text
    blocks: list[Block] = [Heading("What it is for"), *text.blocks("intended_use")]
    blocks += [Heading("What it must not be used for"), *text.blocks("not_for")]
    blocks += [Heading("What is done today, and what is gained"), *text.blocks("compared_with"), _who(given)]
    return Section("what-it-is", "What it is and what it is not", tuple(blocks))


def purpose(given: FoundGiven) -> Section:
    """Why the rows may be read, and where they come from."""
    blocks = (*declared_purpose(given.purpose), Heading("The records"), *given.text.blocks("records"))
    return Section("purpose", "Purpose and lawful basis", blocks)


def label(given: FoundGiven) -> Section:
    """What is predicted, and who knew what when."""
    text = given.text
    blocks: list[Block] = [Heading("What it is"), *text.blocks("label_is")]
    blocks += [Heading("What it is not"), *text.blocks("label_is_not")]
    blocks += [Heading("Who knew what, and when"), *text.blocks("known_when")]
    return Section("label", "What is predicted", tuple(blocks))


def cohort(given: FoundGiven) -> Section:
    """Who the judged rows are, and what became of them."""
    text = given.text
    blocks: list[Block] = [*text.blocks("rows_are"), _outcomes(given)]
    blocks += [Heading("Were they kept apart from the rows that taught the model?"), *text.blocks("held_out")]
    if "scores_are" in text.asked:
        blocks += [Heading("Are these the model's scores?"), *text.blocks("scores_are")]
    return Section("cohort", "Who is in it", tuple(blocks))


def performance(given: FoundGiven) -> Section:
    """Ranking, calibration, lists; then what the run says of itself."""
    blocks: list[Block] = [
        Callout(
            "No simpler way was run beside it. Whether the model does better than one, or than what is done today, is"
            " not known from these figures."
        ),
        _measures(given, "How well it ranks", RANKING),
    ]
    if given.scored.probabilities:
        blocks += [
            Heading("Are the probabilities right?"),
            _bands(given),
            _measures(given, "Calibration in figures", OF_PROBABILITIES),
        ]
    else:
        blocks.append(Paragraph("The scores are no probabilities, so nothing can be said about how right they are."))
    blocks += [*_lists(given), *_own_figures(given)]
    return Section("performance", "How good it is, and beside what", tuple(blocks))


def limits(given: FoundGiven) -> Section:
    """The standing limits, and those of a card made afterwards."""
    states = given.audit.table["state"].to_pylist()
    unsaid = sum(state in ("not_estimable", "suppressed") for state in states)
    given.evidence.claim(Claim("audit.not_estimable", unsaid, "audit", n=len(states), unit="count"))
    figures = RunFigures(
        people=given.text.people,
        precision=given.working.precision if given.working else None,
        not_estimable=unsaid,
        group_measures=len(states),
        youngest=None,
        children_said=str(given.text.answers.get("children", "")),
        fairness_choice=str(given.text.answers.get("fairness_choice", "")),
        synthetic=bool(given.text.answers.get("synthetic", False)),
        reasons=False,
    )
    own = (
        "No reasons can be given for a score of this model: nothing was explained.",
        "Linkage, lateness of records and stability under a new fit were not looked at.",
        *given.text.answers.get("limits_extra", ()),
    )
    blocks = (Bullets(standing_limits(figures), numbered=True), Heading("Of this card in particular"), Bullets(own))
    return Section("limits", "Limits, in plain words", blocks)


def people_decide(given: FoundGiven) -> Section:
    """Human review, challenge, ending."""
    text = given.text
    blocks: list[Block] = [Heading("Who looks, and with what power"), *text.blocks("human_review")]
    blocks += [Heading("How a person can find out and object"), *text.blocks("challenge_route")]
    triggers = tuple(text.answers.get("triggers", ()))
    if triggers:
        blocks += [Heading("What sends it back to the board"), Bullets(triggers)]
    blocks += [Heading("How it ends"), *text.blocks("decommission"), _who(given)]
    return Section("people", "People decide", tuple(blocks))


def annex(given: FoundGiven, software: Mapping[str, str]) -> Section:
    """The run's record, what the model takes, fingerprints, software."""
    run = given.run
    opened = "Yes: the scores were made here" if run.opened else "No: the scores were given as a column"
    facts = (
        ("Run", run.run_id), ("Began", day_words(run.began)), ("Made by", run.made_by), ("Opened here", opened),
        *((capital(plain(name)), value) for name, value in run.source.items()),
    )  # fmt: skip
    blocks: list[Block] = [Heading("The run"), Facts(facts)]
    if run.columns:
        rows = tuple((name,) for name in run.columns)
        blocks.append(
            Table(f"All {len(rows)} columns the model takes", (Column("Column", "code"),), rows, "model", folded=True)
        )
    if run.parameters:
        settings = (Column("Setting", "code"), Column("Value"))
        blocks.append(Table("The run's settings", settings, tuple(run.parameters.items()), "run", folded=True))
    if run.datasets:
        data = (Column("Data"), Column("Digest", "code"), Column("Used for"))
        blocks.append(Table("Data that the run names", data, run.datasets, "run"))
    prints = tuple(
        (capital(artefact["holds"]), artefact["fingerprint"]) for artefact in given.evidence.document()["artefacts"]
    )
    what = (Column("What"), Column("Fingerprint", "code"))
    blocks += [Heading("Fingerprints"), Table("SHA-256 of everything that this card rests on", what, prints)]
    blocks += [Heading("Software"), Facts(tuple(software.items()))]
    return Section("annex", "Technical annex", tuple(blocks))


def _who(given: FoundGiven) -> Facts:
    text = given.text
    until = day_words(text.answers["review_by"]) if "review_by" in text.answers else text.said("review_by")
    return Facts(
        (("Answers for it", text.said("owner")), ("Questions to", text.said("contact")), ("Looked at again by", until))
    )


def _outcomes(given: FoundGiven) -> Table:
    outcome = given.scored.outcome
    people = len(np.unique(given.scored.person))
    yes, no = int((outcome == 1).sum()), int((outcome == 0).sum())
    counts = {"Yes": yes, "No": no, "Unknown": len(outcome) - yes - no, "All rows": len(outcome)}
    for name, key in (("Yes", "yes"), ("No", "no"), ("Unknown", "unknown"), ("All rows", "all")):
        _counted(given, f"cohort.{key}", counts[name])
    _counted(given, "cohort.people", people)
    rows = count_rows(
        [{"outcome": name, "rows": count} for name, count in counts.items()],
        ("rows",),
        totals=(Total("outcome", "All rows"),),
    )
    shown = count_cell(people)
    of = shown if isinstance(shown, str) else f"{shown:,}"
    return Table(
        "What became of them",
        (Column("Outcome"), Column("Rows", "count")),
        tuple((row["outcome"], row["rows"]) for row in rows),
        source="rows",
        note=f"Rows of {of} {given.text.people}. Unknown is never counted as no. {rule_words()}",
    )


def _counted(given: FoundGiven, key: str, count: int) -> None:
    shown = count_cell(count)
    hidden = isinstance(shown, str)
    value = None if shown is None or isinstance(shown, str) else shown
    given.evidence.claim(Claim(key, value, "rows", state="suppressed" if hidden else "ok", unit="count"))


def _measures(given: FoundGiven, caption: str, metrics: tuple[str, ...]) -> Table:
    rows = tuple((measure_words(metric), cell(given.figure(metric)), _RIGHT[metric]) for metric in metrics)
    columns = (Column("Measure"), Column("Figure, 95% interval", "number_interval"), Column("How to read it"))
    note = "Intervals by drawing whole people again."
    return Table(caption, columns, rows, source="evaluation", note=note)


_RIGHT = {
    "auroc": "how often one with the outcome ranks above one without; 0.5 is chance, 1 is perfect",
    "auprc": "the base rate is chance, 1 is perfect",
    "scaled_brier": "0 is no better than giving everyone the base rate, 1 is perfect",
    "brier": "as low as can be; 0 is perfect",
    "expected_observed": "1 is right; above 1 the model says too much",
    "calibration_in_the_large": "0 is right; below 0 the model says too much",
    "calibration_slope": "1 is right; below 1 predictions are too extreme",
}


def _bands(given: FoundGiven) -> Table:
    rows = []
    for number, band in enumerate(given.bands, start=1):
        hidden = gives_away(band["positives"], band["n"])
        value, low, high = (None if hidden else clean(band[name]) for name in ("observed", "low", "high"))
        state = "suppressed" if hidden else "ok"
        shown = {"value": value, "low": low, "high": high, "state": state}
        given.evidence.claim(
            Claim(f"calibration.{number}", value, "evaluation", low, high, state=state, unit="share")  # type: ignore[arg-type]  # one of two words
        )
        rows.append((band["predicted"], shown, count_cell(band["n"])))
    columns = (
        Column("What the model said", "share"),
        Column("What happened", "share_interval"),
        Column("Rows", "count"),
    )
    return Table(
        "Said and happened, in tenths of the rows", columns, tuple(rows), source="evaluation", note=rule_words()
    )


def _lists(given: FoundGiven) -> list[Block]:
    if not given.on_list:
        return []
    rows = tuple(
        (
            f"{label} of the rows" if label.endswith("%") else f"{label} places",
            *(cell(given.figure(f"{metric}@{label}")) for metric in ("precision", "recall", "lift")),
        )
        for label in given.on_list
    )
    columns = (
        Column("A list of"),
        Column("On the list with the outcome", "share_interval"),
        Column("With the outcome on the list", "share_interval"),
        Column("Times the base rate", "number_interval"),
    )
    table = Table("What a list would have held", columns, rows, source="evaluation", note=rule_words())
    return [Heading("What a list would have held"), table]


def _own_figures(given: FoundGiven) -> list[Block]:
    """The run's own metrics, said to be the run's own."""
    if not given.run.metrics:
        return []
    shown = dict(sorted(given.run.metrics.items())[:_MOST_OWN_FIGURES])
    for name, value in shown.items():
        given.evidence.claim(
            Claim(f"run.{name}", clean(value), "run", state="ok" if clean(value) is not None else "not_estimable")
        )
    rows = tuple((name, clean(value)) for name, value in shown.items())
    left = len(given.run.metrics) - len(shown)
    note = "Written down when the run was made. On which rows, and how, is not known; nothing here was made again."
    more = f" {left} more are in MLflow." if left else ""
    table = Table(
        "The run's own figures", (Column("Name", "code"), Column("Figure", "number")), rows, "run", note + more
    )
    return [Heading("What the run says of itself"), table]

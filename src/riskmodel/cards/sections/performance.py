"""How good it is and beside what: the success bar, ranking, calibration, and what a list would have held."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskmodel.cards.blocks import Block, Callout, Column, Figure, Heading, Paragraph, Section, Table
from riskmodel.cards.capacity import capacity_labels
from riskmodel.cards.disclosed import count_cell, count_or_none, gives_away
from riskmodel.cards.evidence import Claim, State, interval_words, share_words
from riskmodel.cards.given import MODEL, Given, cell, clean, point
from riskmodel.cards.words import capital, condition_words, day_words, learner_words, listed, measure_words, uncapital
from riskmodel.dates import Duration, duration_words


def performance(given: Given) -> Section:
    """Discrimination beside the honest comparators, the success bar, calibration, yield."""
    what = f"This model is made by {uncapital(learner_words(given.model.learner.kind))}. {_judged(given)}"
    blocks: list[Block] = [Paragraph(what), *_success(given), *_ranking(given), *_leads(given)]
    blocks += [*_calibration(given), *_yield(given), *_by_period(given)]
    return Section("performance", "How good it is, and beside what", tuple(blocks))


def _judged(given: Given) -> str:
    """How the folds were made, and what they do not rule out."""
    folds = given.model.declaration["folds"]
    beside = "Beside it stand simpler ways, judged on the same rows."
    if folds["kind"] == "place":
        return (
            f"It is judged in one {folds['by']} after the other, each time by a model that was taught in all others; "
            f"not on later years. {beside}"
        )
    if folds["kind"] != "forward":
        return f"It is judged on people that it had not seen, not on later years. {beside}"
    later = "It is judged on rows that it had not seen and that come later than those it learned from"
    horizon = given.training.horizon
    gap = horizon if folds["gap"] is None else Duration.parse(folds["gap"])
    if gap.nominal_days >= horizon.nominal_days:
        return f"{later}, with a gap as long as the outcome takes to be known. {beside}"
    return (
        f"{later}. Between the two lies {duration_words(gap)}, while the outcome takes {duration_words(horizon)} to be"
        f" known: some outcomes that it learned from were complete only after the judged period began. {beside}"
    )


def _success(given: Given) -> list[Block]:
    findings = given.model.evaluation.success
    if not findings:
        return [
            Callout("No success bar was fixed before the run. Whether these figures are good enough is for the board.")
        ]
    verdicts = [finding.verdict for finding in findings]
    if all(verdict == "met" for verdict in verdicts):
        said = "The success bar, fixed before the run, was met."
    elif "not met" in verdicts:
        said = "The success bar, fixed before the run, was not met."
    else:
        said = "It cannot be said that the success bar, fixed before the run, was met."
    rows = tuple(
        (
            condition_words(finding.condition),
            capital(finding.verdict),
            {
                "value": finding.value,
                "low": finding.low,
                "high": finding.high,
                "state": "not_estimable" if finding.value is None else "ok",
            },
        )
        for finding in findings
    )
    columns = (
        Column("Condition"),
        Column("Verdict"),
        Column("Figure or lead, 95% interval", "number_interval"),
    )
    return [Callout(said, "note"), Table("The success bar", columns, rows, source="evaluation")]


def _ranking(given: Given) -> list[Block]:
    names = (MODEL, *given.comparators)
    points = [point(given.called(name), given.figure("auroc", name), marked=name == MODEL) for name in names]
    said = [f"{row['label']} {interval_words(row['value'], row['low'], row['high'], row['state'])}" for row in points]
    figure = Figure(
        "forest",
        "How well each way ranks people",
        f"AUROC with 95% intervals. {'; '.join(said)}. 0.5 is no better than chance.",
        {
            "rows": points,
            "axis": "AUROC: how often one with the outcome ranks above one without",
            "unit": "number",
            "reference": 0.5,
            "reference_said": "no better than chance",
        },
        "evaluation",
    )
    metrics = ("auroc", "auprc", "scaled_brier")
    table = Table(
        "Each way of ranking, all test periods together",
        (Column("Way"), *(Column(measure_words(metric), "number_interval") for metric in metrics)),
        tuple((given.called(name), *(cell(given.figure(metric, name)) for metric in metrics)) for name in names),
        source="evaluation",
        note="95% intervals, made by drawing whole people again. AUROC: 0.5 is chance, 1 is perfect. Scaled Brier"
        " score: 0 is no better than giving everyone the base rate, 1 is perfect. The base rate is the same for all"
        " within one test period, so its AUROC over all periods together only says how the periods differ.",
        marked=(0,),
    )
    return [figure, table]


def _leads(given: Given) -> list[Block]:
    metrics = ("auroc", "auprc", "scaled_brier")
    rows = tuple(
        (given.called(name), *(cell(given.lead(metric, name)) for metric in metrics)) for name in given.comparators
    )
    if not rows:
        return []
    columns = (Column("Against"), *(Column(measure_words(metric), "number_interval") for metric in metrics))
    note = (
        "The model's figure minus the other's, on the same people: above 0 the model is better. If the interval holds"
        " 0, no difference was shown."
    )
    return [Table("The model's lead over simpler ways", columns, rows, source="evaluation", note=note)]


def _calibration(given: Given) -> list[Block]:
    bands = [row for row in given.model.evaluation.calibration.to_pylist() if row["model"] == MODEL]
    blocks: list[Block] = [Heading("Are the probabilities right?")]
    told = [(row, _band(given, number, row)) for number, row in enumerate(bands, start=1)]
    drawn = [
        {"predicted": row["predicted"], "value": claim.value, "low": claim.low, "high": claim.high, "n": row["n"]}
        for row, claim in told
        if claim.usable
    ]
    said = "; ".join(f"said {share_words(row['predicted'])}, happened {share_words(row['value'])}" for row in drawn)
    blocks.append(
        Figure(
            "calibration",
            "What the model said, and what happened",
            f"Rows in bands of predicted probability. {said}.",
            {"rows": drawn, "curve": _curve(given), "axis": "What happened"},
            "evaluation",
        )
    )
    rows = tuple((row["predicted"], cell(claim), count_cell(row["n"])) for row, claim in told)
    columns = (
        Column("What the model said", "share"),
        Column("What happened", "share_interval"),
        Column("Rows", "count"),
    )
    blocks.append(Table("Predicted and observed, by band", columns, rows, source="evaluation"))
    metrics = ("expected_observed", "calibration_in_the_large", "calibration_slope", "ici", "e90", "brier")
    whole = tuple((measure_words(metric), cell(given.figure(metric)), _RIGHT[metric]) for metric in metrics)
    columns = (Column("Measure"), Column("Figure", "number_interval"), Column("What would be right"))
    blocks.append(Table("Calibration in figures", columns, whole, source="evaluation"))
    return blocks


def _band(given: Given, number: int, row: Mapping[str, Any]) -> Claim:
    """What happened in one band as a claim; hidden where it would give a few people away."""
    hidden = gives_away(round(row["observed"] * row["n"]), row["n"])
    value, low, high = (None, None, None) if hidden else (clean(row[name]) for name in ("observed", "low", "high"))
    n = count_or_none(row["n"])
    state: State = "suppressed" if hidden else "ok"
    claim = Claim(f"calibration.band.{number}", value, "evaluation", low, high, n, state, "share")
    return given.evidence.claim(claim)


def _curve(given: Given) -> list[dict[str, float | None]]:
    """The smooth curve between the lowest and the highest band."""
    rows = [row for row in given.model.evaluation.smooth.to_pylist() if row["model"] == MODEL]
    return [{name: clean(row[name]) for name in ("predicted", "observed", "low", "high")} for row in rows]


_RIGHT = {
    "expected_observed": "1; above 1 the model says too much",
    "calibration_in_the_large": "0; below 0 the model says too much",
    "calibration_slope": "1; below 1 predictions are too extreme",
    "ici": "0; what a probability is wrong by, on average",
    "e90": "0; nine in ten probabilities are wrong by less",
    "brier": "as low as can be; 0 is perfect",
}


def _yield(given: Given) -> list[Block]:
    labels = capacity_labels(given)
    if not labels:
        return []
    names = (MODEL, *given.comparators)
    blocks: list[Block] = [
        Heading("What a list would have held"),
        Paragraph(
            f"Lists of {listed(labels)} of the rows judged, taken from the highest scores. No list length is the right"
            " one: how many people can be helped well decides that."
        ),
    ]
    for label in labels:
        rows = tuple(
            (
                given.called(name),
                *(cell(given.figure(f"{metric}@{label}", name)) for metric in ("precision", "recall")),
                cell(given.figure(f"lift@{label}", name)),
            )
            for name in names
        )
        columns = (
            Column("Way"),
            Column("On the list with the outcome", "share_interval"),
            Column("With the outcome on the list", "share_interval"),
            Column("Times the base rate", "number_interval"),
        )
        size = f"{label} of the rows" if label.endswith("%") else f"{label} places"
        blocks.append(Table(f"A list of {size}", columns, rows, source="evaluation", marked=(0,)))
    return blocks


def _by_period(given: Given) -> list[Block]:
    folds = given.model.evaluation.folds
    by_time = given.model.declaration["folds"]["kind"] == "forward"
    rows = tuple(
        (
            _part(fold, by_time=by_time),
            count_cell(fold.get("train_rows")),
            count_cell(fold.get("test_rows")),
            cell(given.figure("auroc", MODEL, str(fold.get("fold")))),
        )
        for fold in folds
    )
    if not rows:
        return []
    columns = (
        Column("Judged on"),
        Column("Rows to learn from", "count"),
        Column("Rows judged", "count"),
        Column(measure_words("auroc"), "number_interval"),
    )
    if not by_time:
        return [Heading("Part by part"), Table("Each part of the people", columns, rows, source="evaluation")]
    return [Heading("Period by period"), Table("Each test period", columns, rows, source="evaluation")]


def _part(fold: Mapping[str, Any], *, by_time: bool) -> str:
    """What a fold was judged on: its period, its place, or its number where people were parted."""
    if not by_time:
        return str(fold["place"]) if fold.get("place") else f"People, part {fold.get('fold')}"
    return f"{day_words(str(fold.get('test_from')))} to {day_words(str(fold.get('test_until')))}"

"""A drafted card: same inputs, same bytes; every figure from a table of the run; gaps and strangers refused."""

from __future__ import annotations

import dataclasses
import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from riskmodel.cards.blocks import Table, section_from
from riskmodel.cards.model_card import ModelCard
from riskmodel.errors import EvidenceError

Case = Any  # the class is in conftest, which tests do not import


def section(card: ModelCard, name: str) -> Any:
    return next(section_from(one) for one in card.document["sections"] if one["name"] == name)


def tables(card: ModelCard, name: str) -> list[Table]:
    return [block for block in section(card, name).blocks if isinstance(block, Table)]


def words(card: ModelCard) -> str:
    return card.files()["card.md"]


def test_the_same_inputs_give_the_same_bytes(case: Case, card: ModelCard) -> None:
    assert case.draft().files() == card.files()


def test_the_document_fits_the_published_schema(card: ModelCard) -> None:
    schema = json.loads((files("riskmodel.cards") / "card.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(card.document)


def test_a_saved_card_reads_back(card: ModelCard, tmp_path: Path) -> None:
    assert card.save(tmp_path / "card") is card
    assert sorted(path.name for path in (tmp_path / "card").iterdir()) == ["card.html", "card.json", "card.md"]
    assert ModelCard.load(tmp_path / "card").document == card.document


def test_every_figure_names_an_artefact_of_the_card(case: Case, card: ModelCard) -> None:
    evidence = card.document["evidence"]
    prints = {artefact["name"]: artefact["fingerprint"] for artefact in evidence["artefacts"]}
    assert prints["model"] == case.model.fingerprint
    assert prints["audit"] == case.audit.fingerprint
    assert prints["training"] == case.training.fingerprint
    assert {claim["artefact"] for claim in evidence["claims"].values()} <= set(prints)


def test_every_figure_is_the_one_in_the_table_it_names(case: Case, card: ModelCard) -> None:
    sources = {
        ("evaluation", "metrics"): case.model.evaluation.metrics.to_pylist(),
        ("evaluation", "differences"): case.model.evaluation.differences.to_pylist(),
        ("audit", "table"): case.audit.table.to_pylist(),
    }
    looked_up = 0
    for key, claim in card.document["evidence"]["claims"].items():
        at = dict(claim["found_at"])
        if not at or claim["state"] == "suppressed":
            continue
        rows = sources[claim["artefact"], at.pop("table")]
        row = next(row for row in rows if all(row[name] == value for name, value in at.items()))
        assert claim["value"] == row["value"] or np.isnan(row["value"]), key
        assert claim["state"] == row["state"], key
        looked_up += 1
    assert looked_up > 100


def test_the_finding_is_told_in_hundreds(case: Case, card: ModelCard) -> None:
    figure = case.model.evaluation.figure
    said = section(card, "finding").blocks[0].text
    precision = round(100 * figure("precision@20%").value)
    assert said.startswith(
        "Of 100 young people on a list of the highest-scoring 20% (about 100 of them on each date), about"
    )
    assert f"about {precision} (between" in said
    assert f"The other {100 - precision} were not." in said
    missed = round(100 * (1 - figure("recall@20%").value))
    assert f"about {missed} (between" in section(card, "finding").blocks[1].text


def test_small_counts_of_people_do_not_leave(card: ModelCard) -> None:
    # 8 people are "other"; in the intersection some of their groups are smaller
    by_both = next(table for table in tables(card, "groups") if table.caption == "Of 100, by sex and ethnicity")
    counts = [cell for row in by_both.rows for cell in row[1:3]]
    assert "suppressed" in counts
    assert all(cell == "suppressed" or cell % 5 == 0 for cell in counts)
    linkage = tables(card, "linkage")[0]
    assert linkage.worded()[0] == ["Health", "500", "suppressed"]
    assert "**People found in them**: 505" in words(card)  # 503, to the nearest 5


def test_shares_that_rest_on_few_people_are_hidden(case: Case, card: ModelCard) -> None:
    claims = card.document["evidence"]["claims"]
    hidden = [key for key, claim in claims.items() if claim["state"] == "suppressed" and key.startswith("audit.")]
    assert hidden
    for key in hidden:
        at = claims[key]["found_at"]
        row = case.audit.figure(at["attribute"], at["group"], at["metric"])
        few = min(row["numerator"], row["denominator"] - row["numerator"])
        assert 0 < few < 8 or 0 < row["numerator"] < 8 or 0 < row["denominator"] - row["numerator"] < 8
        assert claims[key]["value"] is None
        assert claims[key]["n"] is None


def test_what_cannot_be_estimated_is_named_without_its_small_number(card: ModelCard) -> None:
    silent = next(table for table in tables(card, "groups") if table.caption.startswith("Groups with too few"))
    assert ["Ethnicity", "Other"] in [row[:2] for row in silent.worded()]
    assert not re.search(r"\(\d+ (person|people),", words(card))


def test_the_success_bar_is_told_as_the_run_judged_it(case: Case, card: ModelCard) -> None:
    table = next(table for table in tables(card, "performance") if table.caption == "The success bar")
    assert [row[0] for row in table.rows] == [
        "Ranking (AUROC) better than best single count",
        "Ranking (AUROC): 0.55 or more",
    ]
    assert [row[1].lower() for row in table.rows] == [finding.verdict for finding in case.model.evaluation.success]


def test_without_a_bar_the_card_says_so(case: Case) -> None:
    evaluation = dataclasses.replace(case.model.evaluation, success=())
    model = dataclasses.replace(case.model, evaluation=evaluation)
    text = words(case.draft(model=model, audit=_about(case.audit, model), explanation=_about(case.explanation, model)))
    assert "No success bar was fixed before the run." in text


def test_how_the_records_come_about_is_counted_by_what_people_declared(case: Case, card: ModelCard) -> None:
    assert "How the records come about" not in words(card)
    mix = {"police": "reported and discovered", "health": "health"}
    drafted = case.draft(case.draft().document["text"] | {"source_mix": mix})
    table = next(table for table in tables(drafted, "records") if table.caption == "How the records come about")
    # 990 of the 1,490 accepted events came from the police
    assert table.worded() == [
        ["Reported and discovered", "Police", "990", "66.4%"],
        ["Health", "Health", "500", "33.6%"],
    ]


def test_every_fact_from_elsewhere_names_its_source(card: ModelCard) -> None:
    (table,) = tables(card, "context")
    assert all(found and source for found, source in table.rows)


def test_every_row_of_the_records_is_accounted_for(card: ModelCard) -> None:
    text = words(card)
    assert "1,500 rows were delivered in 2 feeds. 1,490 were accepted. 10 (0.7%) were set aside" in text
    assert "future date 3, unknown code 7" in text
    assert "Police: events: clock: 3 records were known before they happened." in text


def test_published_figures_stand_beside_ours_even_where_they_disagree(card: ModelCard) -> None:
    assert tables(card, "published")[0].worded()[1] == ["People", "998", "997", "no", "Someone 2019"]
    assert "1 of 2 agree" in words(card)


def test_reports_that_were_not_given_are_said_to_be_missing(case: Case) -> None:
    text = words(case.draft(intake_report=None, linkage_quality=None, published=None))
    assert "what was delivered is not known" in text
    assert "its quality is not known" in text
    assert "Beside what others have published" not in text


def test_a_gap_in_the_texts_stops_the_card(case: Case) -> None:
    text = {name: value for name, value in case.draft().document["text"].items() if name != "human_review"}
    with pytest.raises(EvidenceError) as refused:
        case.draft(text | {"challenge_route": "TBC"})
    assert refused.value.found == "no usable text for human_review, challenge_route"


def test_artefacts_of_different_runs_are_refused_all_at_once(case: Case) -> None:
    stranger = dataclasses.replace(case.model, training_fingerprint="0" * 64)
    with pytest.raises(EvidenceError) as refused:
        case.draft(model=stranger)
    assert refused.value.code == "card-evidence"
    assert refused.value.found == (
        "the model was made from another training set; the audit is of another model;"
        " the explanation is of another model"
    )


def test_an_audit_without_a_figure_stops_the_card(case: Case) -> None:
    with pytest.raises(EvidenceError) as refused:
        case.draft(audit=dataclasses.replace(case.audit, table=case.audit.table.slice(0, 0)))
    assert "section groups" in refused.value.found


def test_nothing_on_the_card_is_a_person(card: ModelCard) -> None:
    everything = "".join(card.files().values())
    labels = {f"P-{person:016x}" for person in range(500)}
    assert not any(label in everything for label in labels)
    assert "entity_id" not in everything
    assert "predictions" not in json.dumps(card.document["evidence"]["claims"])


def test_the_repr_shows_no_more_than_title_state_and_fingerprint(card: ModelCard) -> None:
    assert repr(card) == f"ModelCard('Early support for young people', draft, {card.fingerprint[:12]})"


def _about(made: Any, model: Any) -> Any:
    return dataclasses.replace(made, settings={**made.settings, "model": model.fingerprint})

"""A choice among candidates in MLflow: who, when, why, and every candidate's figures; nothing that tells a few."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskmodel.errors import DataRefused
from riskmodel.fairness.frontier import Frontier, mitigation_frontier
from riskmodel.fairness.mitigate import AS_IT_IS, Candidate
from riskmodel.fairness.rules import Rules
from riskmodel.seeds import stream
from riskmodel.tracking import database
from riskmodel.tracking.alternatives import disclosed, record_alternatives, recorded_alternatives

WHY = "Half of the gap at the least cost."


@pytest.fixture(scope="module")
def frontier() -> Frontier:
    """Two candidates on 900 people; group c has nine people on the first list and three on the second."""
    generator = stream(1, "alternatives")
    group = np.repeat(["a", "b", "c"], [500, 350, 50])
    score = generator.random(900)
    outcome = (generator.random(900) < 0.2 + 0.5 * score).astype(float)
    rank = np.concatenate([np.arange(500), np.arange(350), np.arange(50)])
    first = np.where(group == "a", rank < 60, np.where(group == "b", rank < 20, rank < 9)).astype(float)
    second = np.where(group == "a", rank < 51, np.where(group == "b", rank < 35, rank < 3)).astype(float)
    made = (Candidate(AS_IT_IS, score, first, False), Candidate("same share found", score, second, True))
    return mitigation_frontier(made, outcome, group, attribute="ethnicity", rules=Rules(replicates=60))


def chosen(frontier: Frontier, **how: str):
    given = {"by": "Ethics board", "why": WHY, "legal_advice": "Memo 12"} | how
    return frontier.chosen("same share found", on=date(2026, 3, 4), **given)


def test_the_record_says_who_chose_what_when_and_why_and_is_made_once(store: Path, frontier: Frontier) -> None:
    choice = chosen(frontier)
    made = record_alternatives(store, study="early-support", frontier=frontier, choice=choice, model="m" * 64)
    again = record_alternatives(store, study="early-support", frontier=frontier, choice=choice, model="m" * 64)
    assert (made.made, again.made, again.run_id) == (True, False, made.run_id)
    with database.opened(store, None) as client:
        run = client.get_run(made.run_id)
        assert run.data.params["why"] == WHY
        assert run.data.params["legal_advice"] == "Memo 12"
        kept = {name: run.data.tags[f"riskmodel.{name}"] for name in ("chosen", "chosen_by", "chosen_on", "model")}
        assert kept == {
            "chosen": "same share found", "chosen_by": "Ethics board", "chosen_on": "2026-03-04", "model": "m" * 64,
        }  # fmt: skip
        where = run.info.experiment_id
        nested = client.search_runs([where], f"tags.`mlflow.parentRunId` = '{made.run_id}'")
        by_name = {one.data.params["candidate"]: one for one in nested}
        assert set(by_name) == {"as it is", "same share found"}
        moved = by_name["same share found"].data
        assert moved.params["advice"] == "legal advice first"
        assert moved.tags["riskmodel.chosen"] == "yes"
        # 9 of a and 6 of c leave the list, 15 of b come onto it. 6 is too few to be told, so no group's part is told.
        lost, came = (f"{figure} listed" for figure in ("no longer", "newly"))
        assert moved.metrics[f"{lost}.everybody"] == moved.metrics[f"{came}.everybody"] == 15
        assert moved.metrics[f"{came}.everybody.low"] < 15 < moved.metrics[f"{came}.everybody.high"]
        assert not [name for name in moved.metrics if name.startswith((f"{lost}.a", f"{came}.b"))]
        assert {name for name in moved.metrics if name.endswith(".c")} == {"gap in observed_expected.c"}
        assert moved.metrics["auroc.everybody.low"] < moved.metrics["auroc.everybody"]
        assert "slope.everybody" in moved.metrics
        files = {one.path for one in client.list_artifacts(made.run_id, "alternatives")}
        assert files == {f"alternatives/{name}" for name in
                         ("alternatives.html", "alternatives.json", "candidates.csv", "candidates.png")}  # fmt: skip
        page = Path(client.download_artifacts(made.run_id, "alternatives/alternatives.html")).read_text()
        assert WHY in page
        assert 'alt="Candidates by their largest gap in the share found by ethnicity' in page
        table = pd.read_csv(client.download_artifacts(made.run_id, "alternatives/candidates.csv"))
        assert "numerator" not in table.columns
        assert table.loc[table["state"] == "suppressed", "value"].isna().all()


def test_a_later_choice_is_another_run_and_all_are_read_back_with_the_latest_first(
    store: Path, frontier: Frontier
) -> None:
    assert recorded_alternatives(store, study="early-support") == ()
    for why in (WHY, "The board thought again, and keeps to it."):
        record_alternatives(store, study="early-support", frontier=frontier, choice=chosen(frontier, why=why))
    told = recorded_alternatives(store, study="early-support")
    assert [one["why"] for one in told] == ["The board thought again, and keeps to it.", WHY]
    assert told[0]["considered"] == ["as it is", "same share found"]


def test_a_record_that_was_cut_short_is_made_again(store: Path, frontier: Frontier) -> None:
    choice = chosen(frontier)
    made = record_alternatives(store, study="early-support", frontier=frontier, choice=choice)
    with database.opened(store, None) as client:
        client.delete_tag(made.run_id, "riskmodel.finished")
    again = record_alternatives(store, study="early-support", frontier=frontier, choice=choice)
    assert again.made
    assert again.run_id != made.run_id
    assert len(recorded_alternatives(store, study="early-support")) == 1


def test_a_choice_from_another_table_is_refused(store: Path, frontier: Frontier) -> None:
    other = Frontier(frontier.table.iloc[:-1], frontier.reference, frontier.attribute)
    with pytest.raises(DataRefused) as refused:
        record_alternatives(store, study="early-support", frontier=other, choice=chosen(frontier))
    assert refused.value.code == "alternatives-differ"


def test_shares_and_counts_of_a_few_people_are_left_out(frontier: Frontier) -> None:
    shown = disclosed(frontier.table).set_index(["candidate", "figure", "group"])
    assert shown.loc[("same share found", "no longer listed", "c"), "state"] == "suppressed"
    assert np.isnan(shown.loc[("same share found", "gap in selection_rate", "c"), "value"])
    for group in "abc":
        assert np.isnan(shown.loc[("same share found", "places", group), "value"])  # 51, 35 and 3 of 89
    assert shown.loc[("as it is", "places", "c"), "value"] == 9

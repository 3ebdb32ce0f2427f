"""Reasons that do not hold still are left out, strangers and drifted lists get no score, and each says so."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskmodel.advisory.bands import LEAST, OUTER, Bands, bands_of
from riskmodel.advisory.familiar import Familiar, stability_index
from riskmodel.advisory.footing import BANDS, FOOTING, Footing
from riskmodel.advisory.own_copy import own_copy
from riskmodel.advisory.rehearsal import rehearsed
from riskmodel.advisory.words import percent
from riskmodel.errors import DataRefused, EvidenceError
from riskmodel.explain.steady import NO_STABLE_REASON
from riskmodel.features.training_set import TrainingSet
from riskmodel.governance.access import connect
from riskmodel.models.judging import share_of_a_place
from riskmodel.seeds import stream

DAY = dt.date(2019, 6, 1)  # inside the years that taught: ages have not drifted yet


@pytest.fixture(scope="session")
def footing(fitted: Any, training: TrainingSet) -> Footing:
    return Footing.of(fitted[1], training)


def checked(partnership: Any, footing: Footing) -> Any:
    return partnership.scores(partnership.approved(limits={"working_capacity": 150}), as_of=DAY, footing=footing)


def test_reasons_shown_are_those_that_nine_of_ten_refits_give_too(partnership: Any, footing: Footing) -> None:
    first = partnership.scores(partnership.approved("first.toml"), as_of=DAY)
    made = checked(partnership, footing)
    assert made.fingerprint != first.fingerprint
    figures = made.reasons_counted()
    shown = sum(len(made.person(each).reasons) for each in made.pseudonyms)
    assert figures["told_by_feature"] + figures["told_by_family"] == shown
    assert figures["not_told"] > 0
    without = [each for each in made.pseudonyms if made.person(each).steady.unsteady_raising]
    told = next(made.person(each) for each in without if not any(one.raises for one in made.person(each).reasons))
    before = first.person(told.pseudonym)
    assert any(one.raises for one in before.reasons)
    assert f"What raises it\n  - {NO_STABLE_REASON}" in told.explain()
    assert "models made from other samples of the same people give the same." in told.explain()
    assert "hold still when the model is made again was not measured" in before.explain()
    row = made.to_table().filter(np.array([each == told.pseudonym for each in made.pseudonyms])).to_pylist()[0]
    assert row["raises"] == NO_STABLE_REASON


def test_a_stranger_gets_no_score_and_one_sentence(partnership: Any, footing: Footing) -> None:
    made = checked(partnership, footing)
    strangers = [each for each in made.pseudonyms if made.person(each).withheld]
    assert len(strangers) == made.withheld > 0
    score = made.person(strangers[0])
    assert (score.probability, score.low, score.high, score.frequency, score.reasons) == (None, None, None, None, ())
    said = score.explain()
    assert "The score is withheld: number of " in said
    assert said.count("lies outside what the model learned from. Judge without it.") == 1
    assert "Probability" not in said
    assert "What raises it" not in said
    assert "The score is withheld" in own_copy(score, "the data office")
    action, facts = next(
        (entry.action, entry.facts) for entry in partnership.ledger.entries() if entry.action == "score"
    )
    assert (action, facts["withheld"], facts["footing"]) == ("score", made.withheld, footing.fingerprint)


def test_who_is_withheld_stands_on_the_full_list_and_on_none_by_score(partnership: Any, footing: Footing) -> None:
    made = checked(partnership, footing)
    strangers = {each for each in made.pseudonyms if made.person(each).withheld}
    everybody = pq.read_table(made.export(partnership.folder / "all") / "advisory_list.parquet").to_pylist()
    assert {row["pseudonym"] for row in everybody if row["probability"] is None} == strangers
    assert all(bool(row["withheld"]) == (row["probability"] is None) for row in everybody)
    table = pq.read_table(made.export(partnership.folder / "some", order="capacity") / "advisory_list.parquet")
    assert not strangers & set(table["pseudonym"].to_pylist())
    assert f"For {len(strangers)} the score is withheld; they are not here." in str(table.schema.metadata)


def test_a_list_of_capacity_gives_no_rank_to_people_on_whom_the_models_disagree(
    partnership: Any, footing: Footing
) -> None:
    made = partnership.scores(partnership.approved(limits={"working_capacity": 20}), as_of=DAY, footing=footing)
    table = pq.read_table(made.export(partnership.folder / "some", order="capacity") / "advisory_list.parquet")
    rows = table.to_pylist()
    settled = [row for row in rows if row["place"] == "settled"]
    others = rows[len(settled) :]
    assert 0 < len(settled) < len(rows) == 20
    assert all(row["place"].startswith("not settled: ") for row in others)
    assert [row["probability"] for row in settled] == sorted((row["probability"] for row in settled), reverse=True)
    assert [row["pseudonym"] for row in others] == sorted(row["pseudonym"] for row in others)
    assert f"Not settled are {len(others)} of these places" in str(table.schema.metadata)
    assert partnership.last_entry()[1]["not_settled"] == len(others)
    # by hand: of the ten first places by each refit, whoever at least nine of ten refits have is settled
    kept = [place for place in range(made.people) if not np.isnan(made._probability[place])]
    chances = np.stack([one.predict(made._reasons.X[kept]) for one in footing.refits.members])
    votes = np.mean([share_of_a_place(each, 20.0) for each in chances], axis=0)
    by_hand = {made.pseudonyms[place] for place, vote in zip(kept, votes, strict=True) if 0.1 < vote < 0.9}
    assert {row["pseudonym"] for row in others} == by_hand & {row["pseudonym"] for row in rows}


def test_what_models_made_again_say_stands_beside_the_probability(partnership: Any, footing: Footing) -> None:
    made = checked(partnership, footing)
    score = next(each for each in map(made.person, made.pseudonyms) if not each.withheld)
    place = made.pseudonyms.index(score.pseudonym)
    said = [float(partnership.model.calibration.probability(one.predict(made._reasons.X[[place]]))[0])
            for one in footing.refits.members]  # fmt: skip
    assert score.made_again == (min(said), max(said))
    assert f"20 models made again from other samples of the same people say {percent(min(said))} to" in score.explain()
    row = next(row for row in made.to_table().to_pylist() if row["pseudonym"] == score.pseudonym)
    assert (row["made_again_low"], row["made_again_high"]) == score.made_again
    without = partnership.scores(partnership.approved("first.toml"), as_of=DAY).person(score.pseudonym)
    assert without.made_again is None
    assert "made again from other samples of the same people say" not in without.explain()


def test_a_store_that_keeps_the_footing_of_the_model_is_asked_for_it(
    partnership: Any, footing: Footing, tmp_path: Path
) -> None:
    store = connect(f"duckdb:///{tmp_path / 'store'}", partnership.purpose)
    assert Footing.kept_in(store, partnership.model) is None
    with store.writing(FOOTING, {}) as draft:
        footing.save(draft.folder)
    held = replace(partnership.histories, store=store)
    made = partnership.scores(partnership.approved(), as_of=DAY, histories=held, purpose=None)
    assert made.basis.footing == footing.fingerprint
    other = replace(partnership.model, training_fingerprint="f" * 64)
    assert Footing.kept_in(store, other) is None


def test_a_list_of_people_who_drifted_is_refused_and_written_down(partnership: Any, footing: Footing) -> None:
    with pytest.raises(DataRefused, match="list-drifted") as refused:  # everybody is 18 months older than who taught
        partnership.scores(partnership.approved(), footing=footing)
    assert "age (" in refused.value.found
    assert "domestic_abuse" not in refused.value.found
    assert partnership.last_entry()[1]["code"] == "list-drifted"


def test_attack_the_footing_of_another_model(partnership: Any, footing: Footing, training: TrainingSet) -> None:
    other = Footing(footing.refits, Familiar("f" * 64, footing.familiar.people, footing.familiar.bands))
    with pytest.raises(DataRefused, match="bands-of-another-model"):
        partnership.scores(partnership.approved(), as_of=DAY, footing=other)
    assert partnership.last_entry()[1]["code"] == "bands-of-another-model"
    fewer = TrainingSet.of(training.table.slice(0, 300), training.features, training.horizon)
    with pytest.raises(DataRefused, match="training-set-other"):
        Familiar.of(partnership.model, fewer)


def test_saved_and_read_again_it_is_the_same(footing: Footing, tmp_path: Path) -> None:
    footing.save(tmp_path)
    assert Footing.load(tmp_path).fingerprint == footing.fingerprint
    held = json.loads((tmp_path / BANDS).read_text())
    held["bands"]["age"]["high"] = 99.0
    (tmp_path / BANDS).write_text(json.dumps(held))
    with pytest.raises(EvidenceError, match="bands-altered"):
        Footing.load(tmp_path)


def test_attack_reading_a_persons_value_out_of_the_bands(tmp_path: Path) -> None:
    """One person owes more than anybody, and a few do something that nobody else does: neither is in the file."""
    arrears = stream(4, "arrears").lognormal(5, 1, 2000)
    arrears[17] = 987_654.0
    rare = np.where(np.arange(2000) < OUTER - 1, 3.0, 0.0)
    people = np.arange(2000)
    made = Familiar("m" * 64, 2000, {"arrears": bands_of(arrears, people), "rare": bands_of(rare, people)})
    made.save(tmp_path / BANDS)
    text = (tmp_path / BANDS).read_text()
    assert "987654" not in text
    assert "988000" not in text
    assert made.bands["rare"].edges == ()
    assert (made.bands["rare"].low, made.bands["rare"].high) == (None, None)
    band = made.bands["arrears"]
    counts = np.bincount(np.searchsorted(band.edges, arrears))
    assert counts.min() >= LEAST
    assert {round(edge, 6) for edge in (*band.edges, band.low, band.high)} <= {
        float(f"{value:.3g}") for value in arrears
    }
    assert not {*band.edges, band.low, band.high} & set(arrears.tolist())
    assert Familiar.load(tmp_path / BANDS) == made


def test_the_rows_of_one_person_are_one_person() -> None:
    # One person seen 500 times at 90, twenty others at 10: nothing of the 90 is kept.
    values = np.array([10.0] * 20 + [90.0] * 500)
    made = bands_of(values, np.array([*range(20), *([20] * 500)]))
    assert made.edges == ()
    assert made.high is None


def test_missing_is_out_of_range_only_where_it_was_new() -> None:
    people = np.arange(100)
    always = bands_of(np.linspace(0, 1, 100), people)
    often = bands_of(np.where(people < LEAST, np.nan, people), people)
    assert (always.missing, often.missing) == (None, 0.2)
    assert always.out_of_range(np.array([np.nan])).tolist() == [True]
    assert often.out_of_range(np.array([np.nan])).tolist() == [False]


def test_the_index_by_hand() -> None:
    # .2 to .4 and .8 to .6: .2 ln 2 - .2 ln .75 = 0.1386 + 0.0575
    assert stability_index(np.array([0.2, 0.8]), np.array([0.4, 0.6]), 1000) == pytest.approx(0.1962, abs=1e-4)
    assert Bands((1.0,), (0.5, 0.5), 0.2, 0.0, 2.0).shares_of(np.array([1.0, 1.5, np.nan, 0.0])).tolist() == [
        0.5,
        0.25,
        0.25,
    ]


def test_people_like_those_who_taught_are_rarely_refused() -> None:
    """At most one list in a thousand by chance, whatever its length; shifted people are found."""
    rng = stream(5, "familiar")
    known = rng.normal(50, 10, (3000, 4))
    familiar = Familiar("m", 3000, {str(at): bands_of(known[:, at], np.arange(3000)) for at in range(4)})
    names = [str(at) for at in range(4)]
    refused = 0
    for rows in [20] * 100 + [60] * 100 + [400] * 50:
        try:
            familiar.must_not_have_drifted(rng.normal(50, 10, (rows, 4)), names)
        except DataRefused:
            refused += 1
    assert refused <= 3
    with pytest.raises(DataRefused, match=r"population stability index: 2 \("):
        familiar.must_not_have_drifted(rng.normal(50, 10, (400, 4)) + np.array([0, 0, 8.0, 0]), names)


def test_how_many_scores_would_be_withheld_is_told_before_there_is_a_list(fitted: Any, training: TrainingSet) -> None:
    """The newest people are held against the earlier dates; ten of them have a count that nobody had."""
    model = fitted[1]
    made = rehearsed(model, training)
    newest = training.table["as_of"].to_numpy() == training.table["as_of"].to_numpy().max()
    (row,) = made["rows"]
    assert (row["people"], row["state"]) == (int(newest.sum()), "ok")
    before = row["withheld"]
    assert before <= 2
    name = model.feature_names[1]
    values = training.table[name].to_numpy().copy()
    values[np.flatnonzero(newest)[:10]] = 1e6
    strange = training.table.set_column(training.table.column_names.index(name), name, pa.array(values))
    (row,) = rehearsed(model, replace(training, table=strange))["rows"]
    assert 10 <= row["withheld"] <= 10 + before
    assert row["share"] == pytest.approx(row["withheld"] / row["people"])
    assert row["low"] < row["share"] < row["high"]
    few = rehearsed(model, replace(training, table=training.table.filter(pa.array(newest))))
    assert few is None  # one date only: nothing earlier to hold it against

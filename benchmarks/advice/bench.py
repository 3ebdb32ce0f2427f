"""What advice costs beside its floor: a list of a million people, and the top reasons of a hundred thousand.

`python benchmarks/advice/bench.py` makes everything it needs (made-up people, no file) and prints each number beside
the library's own call on the same matrix: LightGBM's `predict` for the list, its `pred_contrib` for the reasons.
"""

from __future__ import annotations

import datetime as dt
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import riskmodel.advisory.score as advice
from riskmodel.advisory.footing import Footing
from riskmodel.cohorts.cohort import Cohort
from riskmodel.cohorts.outcome import Outcome
from riskmodel.dates import months, years
from riskmodel.explain.reasons import top_reasons
from riskmodel.features.language import count, days_since
from riskmodel.features.training_set import TrainingSet, build_training_set
from riskmodel.governance.approvals import draft_approval, sign_off
from riskmodel.governance.ledger import Ledger
from riskmodel.governance.purposes import Purpose
from riskmodel.histories.store import Histories
from riskmodel.models.comparators import BaseRate
from riskmodel.models.fit import fit
from riskmodel.models.learners import LightGBM
from riskmodel.models.risk_model import RiskModel
from riskmodel.models.splits import ForwardFolds
from riskmodel.seeds import stream

KINDS = ("domestic_abuse", "exclusion", "arson", "missing_from_home", "injury_by_violence")
AGENCIES = ("police", "education", "fire", "childrens_services", "health")
FEATURES = [
    *(count(kind, within=within) for kind in KINDS for within in ("1y", "2y", "5y")),
    *(days_since(kind) for kind in KINDS),
]
COHORT = Cohort(between=(dt.date(2019, 1, 1), dt.date(2020, 1, 1)), every=months(3))
OUTCOME = Outcome("injury_by_violence", within=months(6))
CARD = "c" * 64


def people(number: int, seed: int) -> Histories:
    """Made-up people with six events each on average, over six years."""
    rng = stream(seed, "bench-advice")
    events = rng.poisson(6, number)
    who = np.repeat(np.arange(1, number + 1), events)
    kind = rng.choice(len(KINDS), len(who), p=[0.4, 0.2, 0.05, 0.2, 0.15])
    at = np.datetime64("2015-01-01", "us") + rng.integers(0, 6 * 365, len(who)) * np.timedelta64(1, "D")
    return Histories.of(
        events=pa.table(
            {
                "entity_id": who,
                "happened_at": at,
                "known_at": at + np.timedelta64(2, "D"),
                "agency": np.array(AGENCIES)[kind],
                "kind": np.array(KINDS)[kind],
                "event_id": np.arange(len(who)),
            }
        ),
        persons=pa.table(
            {
                "entity_id": np.arange(1, number + 1),
                "birth_date": pa.array(np.datetime64("1995-01-01", "D") + rng.integers(0, 5000, number), pa.date32()),
                "known_at": np.full(number, np.datetime64("2014-01-01", "us")),
            }
        ),
        covered_until={agency: dt.date(2021, 1, 1) for agency in AGENCIES},
    )


class Timed:
    """Wraps a function and keeps the clock's and the processors' seconds, and the answer, of its last call."""

    def __init__(self, work: Callable[..., Any]) -> None:
        self.work, self.seconds, self.cpu, self.answer = work, 0.0, 0.0, None

    def __call__(self, *args: Any, **settings: Any) -> Any:
        begin, worked = time.perf_counter(), time.process_time()
        self.answer = self.work(*args, **settings)
        self.seconds, self.cpu = time.perf_counter() - begin, time.process_time() - worked
        return self.answer


def memory() -> float:
    """Peak memory of this process so far, GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def the_list(number: int, folder: Path) -> None:
    """A list of `number` people, gates, checks and ledger included."""
    few = people(20_000, seed=1)
    training = build_training_set(few, COHORT, OUTCOME, FEATURES, groups=())
    model = fit(training, LightGBM(seed=7), ForwardFolds(2), comparators=(BaseRate(),), replicates=100)
    footing = Footing.of(model, training, refits_made=10)
    everybody = people(number, seed=2)
    today = dt.date.today()
    purpose = Purpose("early-support", "To offer help.", "a law", AGENCIES, ("birth_date",), dt.date(9999, 1, 1))
    path = draft_approval(folder / "approval.toml", model.fingerprint, CARD, purpose)
    given = [line for line in path.read_text().splitlines() if line.startswith(("model", "card", "purpose"))]
    given += ['decision = "approved"', 'decided_by = ["chair"]', f"decided_on = {today}", f"valid_from = {today}"]
    path.write_text("\n".join([*given, f"valid_until = {today + dt.timedelta(days=9)}", 'conditions = "Review."', ""]))
    ledger = Ledger(folder / "ledger.jsonl")
    approval = sign_off(path, ledger)
    building, finding = Timed(advice.feature_matrix), Timed(advice._eligible_on)
    advice.feature_matrix, advice._eligible_on = building, finding  # only to take their time
    before = memory()
    for checked in (None, footing):
        whole = Timed(advice.score)
        made = whole(
            model, everybody, dt.date(2021, 1, 1), approval, cohort=COHORT, card=CARD, purpose=purpose,
            outcome=OUTCOME, ledger=ledger, footing=checked,
        )  # fmt: skip
        matrix = advice._matrix(building.answer)
        floor = Timed(model.fitted.booster.predict)
        floor(matrix)
        beyond = whole.seconds - building.seconds - finding.seconds
        worked = whole.cpu - building.cpu - finding.cpu
        print(
            f"list of {made.people:,} x {matrix.shape[1]}, {'with' if checked else 'without'} footing: "
            f"{beyond:.1f} s, {worked:.1f} CPU s beyond features ({building.seconds:.1f} s) and cohort "
            f"({finding.seconds:.1f} s); LightGBM predict alone {floor.seconds:.1f} s, {floor.cpu:.1f} CPU s, "
            f"ratio {worked / floor.cpu:.2f} of CPU; withheld "
            f"{made.withheld:,}; peak {memory():.2f} GiB ({before:.2f} before)",
            flush=True,
        )
    room = Timed(lambda: [each.explain() for each in made._at(range(200))])
    room()
    print(f"200 people explained in words, held against 10 refits, events included: {room.seconds:.1f} s", flush=True)


def the_reasons(number: int, trees: int) -> None:
    """Top reasons of `number` rows by a model of so many trees, beside the library's own contributions."""
    rng = stream(3, "bench-advice", "reasons")
    X = rng.poisson(0.6, (number, len(FEATURES))).astype(np.float32)
    names = [feature.name for feature in FEATURES]
    taught = 20_000
    outcome = rng.random(taught) < 1 / (1 + np.exp(3 - X[:taught] @ rng.normal(0, 0.3, len(names))))
    rows = {
        "entity_id": np.arange(taught),
        "as_of": np.datetime64("2018-01-01", "us") + rng.integers(0, 900, taught) * np.timedelta64(1, "D"),
        "outcome": outcome.astype(np.int8),
        **dict(zip(names, X[:taught].T, strict=True)),
    }
    training = TrainingSet.of(pa.table(rows), FEATURES, horizon=years(1))
    learner = LightGBM(seed=7, rounds=trees)
    model: RiskModel = fit(training, learner, ForwardFolds(1), calibrate=None, comparators=(), replicates=100)
    ours = Timed(lambda: sum(batch.num_rows for batch in top_reasons(model, X)))
    floor = Timed(lambda: model.fitted.booster.predict(X, pred_contrib=True))
    floor()
    ours()
    print(
        f"top reasons of {number:,} x {trees} trees: {ours.cpu:.1f} CPU s, {ours.seconds:.1f} s ({ours.answer:,} "
        f"reasons); pred_contrib alone {floor.cpu:.1f} CPU s, {floor.seconds:.1f} s; ratio {ours.cpu / floor.cpu:.3f} "
        f"of CPU, {ours.seconds / floor.seconds:.3f} of the clock; peak {memory():.2f} GiB",
        flush=True,
    )


def main() -> None:
    """Both, in one run."""
    the_reasons(100_000, 500)
    with tempfile.TemporaryDirectory() as folder:
        the_list(1_000_000, Path(folder))


if __name__ == "__main__":
    main()

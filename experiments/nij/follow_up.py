"""Days of supervision read back out of published ratios: why supervision fields tell more than they should.

Jobs a year is a whole number of jobs over days / 365.25, the share of days employed a whole number over days, and days
per drug test days over a whole number of tests. The least number of days that fits all digits is mostly the number of
days somebody was followed - which ends at a rearrest. This module measures what that is worth on unseen people of the
training sample; it never reads the test sample, and no model of the study uses it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

sys.path.insert(0, str(Path(__file__).parent))

import challenge

from riskmodel.models.learners import LightGBM, fitted
from riskmodel.models.splits import person_parts

DAYS = np.arange(1, 1500)
TESTS = np.arange(1, 400)
Numbers = npt.NDArray[np.float64]


def read_back(share_employed: Numbers, jobs_a_year: Numbers, days_per_test: Numbers) -> npt.NDArray[np.float32]:
    """Fewest days that fit the share employed, the jobs, both, and the drug tests: (n, 4), NaN where none does."""
    employed = _whole(share_employed[:, None] * DAYS, 6e-10 * DAYS + 1e-9)
    jobs = _whole(jobs_a_year[:, None] * DAYS / 365.25, 5e-12 * DAYS + 3e-9)
    tests = _whole(days_per_test[:, None] * TESTS, 6e-10 * TESTS + 1e-8)
    part, some = (share_employed > 0) & (share_employed < 1), jobs_a_year > 0
    found = [
        _first(employed, DAYS, part),
        _first(jobs, DAYS, some),
        _first(employed & jobs, DAYS, some & (share_employed > 0)),
        np.round(days_per_test * _first(tests, TESTS, np.isfinite(days_per_test))),
    ]
    return np.stack(found, axis=1).astype(np.float32)


def _whole(values: Numbers, within: Numbers) -> npt.NDArray[np.bool_]:
    return np.asarray(np.abs(values - np.round(values)) <= within)


def _first(fits: npt.NDArray[np.bool_], numbers: npt.NDArray[np.int64], where: npt.NDArray[np.bool_]) -> Numbers:
    return np.where(where & fits.any(axis=1), numbers[fits.argmax(axis=1)].astype(np.float64), np.nan)


def worth(table: pa.Table, round_: int, folds: int = 5) -> tuple[float, float]:
    """Mean of men's and women's Brier score on unseen training people: fields as they stand, and with the days."""
    table = table.filter(pc.equal(table["Training_Sample"], 1))
    made = challenge.training_set(table, round_)
    rows = challenge.risk_set(table, round_)
    names = ("Percent_Days_Employed", "Jobs_Per_Year", "Avg_Days_per_DrugTest")
    days = read_back(*(np.asarray(rows[name].to_numpy(), np.float64) for name in names))
    part, y, sex = person_parts(made.people(), folds, 1), made.outcome(), np.array(made.group("sex").to_pylist())
    scores = []
    for X in (made.matrix(), np.column_stack([made.matrix(), days])):
        p = np.empty(len(y))
        for number in range(folds):
            out = part == number
            p[out] = fitted(LightGBM(seed=1, rounds=400, leaves=12), X[~out], y[~out], None, 0).predict(X[out])
        scores.append(float(np.mean([np.mean((p - y)[sex == one] ** 2) for one in ("male", "female")])))
    return scores[0], scores[1]


if __name__ == "__main__":
    everybody = challenge.load(Path(sys.argv[1]))
    for number in (2, 3):
        plain, with_days = worth(everybody, number)
        print(f"round {number}: {plain:.4f} as they stand, {with_days:.4f} with the days read back")

"""Published estimates of policies' effects come out again; where a number rests on a choice, the choice is named."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskmodel.policies.cross_section import mean_difference, regression_adjusted
from riskmodel.policies.effects import Asked
from riskmodel.policies.group_time import group_time
from riskmodel.policies.imputation import imputation
from riskmodel.policies.panel import Panel
from riskmodel.policies.synthetic import single_did, synthetic_did
from riskmodel.policies.synthetic_control import synthetic_control
from riskmodel.policies.twfe import twfe
from riskmodel.policies.two_stage import two_stage

pytestmark = pytest.mark.data
DIGITS = 5.1e-5  # published to four decimals


@pytest.fixture(scope="module")
def read(published_data):
    return lambda file: pq.read_table(published_data("policy_eval", file) / file)


@pytest.fixture(scope="module")
def counties(read) -> Panel:
    """Minimum wage and youth employment, 500 counties, 2003-2007 (Callaway and Sant'Anna 2021)."""
    table = read("mpdta.parquet")
    return Panel.of(table, unit="countyreal", period="year", starts="first.treat", measures=["lemp"], never=0)


@pytest.fixture(scope="module")
def castle(read) -> Panel:
    """Castle-doctrine laws and homicide, 50 states, 2000-2010 (Cheng and Hoekstra 2013)."""
    return Panel.of(
        read("castle.parquet"), unit="sid", period="year", starts="effyear", measures=["l_homicide", "popwt", "post"]
    )


@pytest.fixture(scope="module")
def smoking(read) -> Panel:
    """Proposition 99 and cigarette sales, California and 38 states, 1970-2000 (Abadie et al. 2010)."""
    table = read("prop99_smoking.parquet")
    first = pa.array([1989.0 if state == "California" else None for state in table["state"].to_pylist()])
    table = table.append_column("first", first)
    return Panel.of(table, unit="state", period="year", starts="first", measures=["cigsale"])


def test_minimum_wage_group_time_effects(counties):
    # Never-treated counties as comparison, no covariates, cohorts weighed by size: the example of R's did.
    made = group_time(counties, Asked("lemp"), comparison="never_treated")
    assert (made.n_units, made.n_treated, made.state) == (500, 191, "ok")
    assert made.estimate == pytest.approx(-0.0400, abs=DIGITS)
    assert made.se == pytest.approx(0.0120, abs=DIGITS)
    after = {event.event_time: event.estimate for event in made.by_event_time if event.event_time >= 0}
    assert after == pytest.approx({0: -0.0199, 1: -0.0510, 2: -0.1373, 3: -0.1008}, abs=DIGITS)


def test_minimum_wage_bootstrap_is_near_the_analytic_error(counties):
    made = group_time(counties, Asked("lemp"), bootstrap=1_000, seed=1)
    assert made.se == pytest.approx(0.0120, abs=0.001)  # simulation error of 1,000 draws is about 3 %


def test_castle_two_way_fixed_effects(castle):
    # Weighted by population (popwt), clustered by state, and treated from the first *whole* year under the law: the
    # file's `post`, which is 0 in the year of the law. Counting that year as treated gives .0594 (.0276) instead.
    whole_years = castle.starting(np.where(castle.treated, castle.starts + 1, castle.starts))
    assert (whole_years.under_treatment == castle.measure("post")).all()
    made = twfe(whole_years, Asked("l_homicide", weights="popwt"))
    assert made.estimate == pytest.approx(0.0755, abs=DIGITS)
    assert made.se == pytest.approx(0.0332, abs=DIGITS)
    first_year = twfe(castle, Asked("l_homicide", weights="popwt"))
    assert (first_year.estimate, first_year.se) == pytest.approx((0.0594, 0.0276), abs=DIGITS)


def test_castle_group_time(castle):
    # Unweighted, treated from the year of the law, never-treated states as comparison. Population weights give .1082.
    made = group_time(castle, Asked("l_homicide"), comparison="never_treated")
    assert made.estimate == pytest.approx(0.1104, abs=DIGITS)
    assert made.se == pytest.approx(0.0387, abs=DIGITS)
    weighted = group_time(castle, Asked("l_homicide", weights="popwt"), comparison="never_treated")
    assert weighted.estimate == pytest.approx(0.1082, abs=DIGITS)


def test_castle_imputation(castle):
    # Unweighted, treated from the year of the law; residuals around each cohort's average in each year.
    made = imputation(castle, Asked("l_homicide"))
    assert made.estimate == pytest.approx(0.0798, abs=DIGITS)
    assert made.se == pytest.approx(0.0609, abs=DIGITS)


def test_smoking_synthetic_difference_in_differences(smoking):
    # -15.6038 with the steps of the authors' program, which stop before the optimum; the exact weights give -15.6054.
    made = synthetic_did(smoking, Asked("cigsale"), solver="frank_wolfe")
    assert made.estimate == pytest.approx(-15.6038, abs=DIGITS)
    exact = synthetic_did(smoking, Asked("cigsale"))
    assert exact.estimate == pytest.approx(-15.60, abs=0.01)
    # The paper's placebo error is 8.4, from drawn placebos; here each of the 38 states is the placebo once.
    assert exact.se == pytest.approx(9.37, abs=0.01)
    assert single_did(smoking, Asked("cigsale")).estimate == pytest.approx(-27.35, abs=0.005)


def columns(table: pa.Table, *names: str) -> list[np.ndarray]:
    return [table.column(name).cast(pa.float64()).to_numpy() for name in names]


def test_job_training_by_lot_and_against_a_survey(read):
    # LaLonde 1986 in Dehejia and Wahba's sample: earnings in 1978, dollars.
    trial, survey = read("nsw_mixtape.parquet"), read("cps_mixtape.parquet")
    pay, treated = columns(trial, "re78", "treat")
    by_lot = mean_difference(pay, treated == 1)
    assert by_lot.estimate == pytest.approx(1_794.34, abs=0.005)
    assert (by_lot.n_units, by_lot.n_treated) == (445, 185)
    names = ("age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75")
    chosen = trial.filter(pa.array(treated == 1))
    mixed = [
        np.concatenate(pair)
        for pair in zip(columns(chosen, "re78", *names), columns(survey, "re78", *names), strict=True)
    ]
    who = np.arange(len(mixed[0])) < chosen.num_rows
    naive = mean_difference(mixed[0], who)
    assert naive.estimate == pytest.approx(-8_497.52, abs=0.005)
    # Adjustment brings back most of it, not all: $699 by one slope for all, $690 with slopes of each group's own.
    adjusted = regression_adjusted(mixed[0], who, dict(zip(names, mixed[1:], strict=True)))
    assert adjusted.estimate == pytest.approx(699.13, abs=0.01)
    assert not adjusted.low <= -8_497.52 <= adjusted.high


def test_castle_two_stage(castle):
    # Weighted by population, treated from the first whole year: the example of the program did2s, .0751 (.0354).
    whole_years = castle.starting(np.where(castle.treated, castle.starts + 1, castle.starts))
    made = two_stage(whole_years, Asked("l_homicide", weights="popwt"))
    assert made.estimate == pytest.approx(0.0751, abs=DIGITS)
    assert made.se == pytest.approx(0.0354, abs=DIGITS)


def test_smoking_synthetic_control(smoking):
    # Arkhangelsky et al. 2021, table 1: synthetic control on the outcome alone, -19.6. That is where the authors'
    # steps stop (their mean squared misfit is 2.772); the optimum (2.744) gives -19.51.
    assert synthetic_control(smoking, Asked("cigsale"), solver="frank_wolfe").estimate == pytest.approx(
        -19.62, abs=0.005
    )
    made = synthetic_control(smoking, Asked("cigsale"))
    assert made.estimate == pytest.approx(-19.51, abs=0.005)
    # Abadie et al. 2010: no other of the 38 states fits as much worse after the start; 1 of 39.
    assert made.p_value == pytest.approx(1 / 39, abs=0.06)

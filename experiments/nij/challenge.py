"""The NIJ Recidivism Forecasting Challenge (2021): its risk sets, its rules on fields, and its scores, exactly.

25,835 people released to parole in Georgia, 2013-15. Round 1 forecasts a rearrest in year 1 from what was known at
release; rounds 2 and 3 forecast years 2 and 3 among those not rearrested before, and add what happened under
supervision. Supervision fields are measured up to the rearrest, so in round 1 they would tell the outcome: asking for
one there is refused. Rows of the challenge's own test sample carry no outcome in a training set made here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from riskmodel.dates import years
from riskmodel.errors import DataRefused
from riskmodel.features.training_set import TrainingSet
from riskmodel.models.metrics import brier

FILE: Final = "nij_full.parquet"
OUTCOMES: Final = {round_: f"Recidivism_Arrest_Year{round_}" for round_ in (1, 2, 3)}
NOMINAL: Final = ("Residence_PUMA", "Supervision_Level_First", "Prison_Offense")
"""Fields whose values have no order."""
RELEASE: Final = (
    "Gender", "Race", "Age_at_Release", "Residence_PUMA", "Gang_Affiliated", "Supervision_Risk_Score_First",
    "Supervision_Level_First", "Education_Level", "Dependents", "Prison_Offense", "Prison_Years",
    "Prior_Arrest_Episodes_Felony", "Prior_Arrest_Episodes_Misd", "Prior_Arrest_Episodes_Violent",
    "Prior_Arrest_Episodes_Property", "Prior_Arrest_Episodes_Drug", "Prior_Arrest_Episodes_PPViolationCharges",
    "Prior_Arrest_Episodes_DVCharges", "Prior_Arrest_Episodes_GunCharges", "Prior_Conviction_Episodes_Felony",
    "Prior_Conviction_Episodes_Misd", "Prior_Conviction_Episodes_Viol", "Prior_Conviction_Episodes_Prop",
    "Prior_Conviction_Episodes_Drug", "Prior_Conviction_Episodes_PPViolationCharges",
    "Prior_Conviction_Episodes_DomesticViolenceCharges", "Prior_Conviction_Episodes_GunCharges",
    "Prior_Revocations_Parole", "Prior_Revocations_Probation", "Condition_MH_SA", "Condition_Cog_Ed", "Condition_Other",
)  # fmt: skip
"""Fields known at release: the only ones of round 1."""
SUPERVISION: Final = (
    "Violations_ElectronicMonitoring", "Violations_Instruction", "Violations_FailToReport",
    "Violations_MoveWithoutPermission", "Delinquency_Reports", "Program_Attendances", "Program_UnexcusedAbsences",
    "Residence_Changes", "Avg_Days_per_DrugTest", "DrugTests_THC_Positive", "DrugTests_Cocaine_Positive",
    "DrugTests_Meth_Positive", "DrugTests_Other_Positive", "Percent_Days_Employed", "Jobs_Per_Year",
    "Employment_Exempt",
)  # fmt: skip
"""Fields measured under supervision, up to the rearrest where there was one: rounds 2 and 3 only."""
_RANKS: Final = {
    "M": 0, "F": 1, "BLACK": 1, "WHITE": 0,
    "Less than HS diploma": 0, "High School Diploma": 1, "At least some college": 2,
    "Less than 1 year": 0, "1-2 years": 1, "Greater than 2 to 3 years": 2, "More than 3 years": 3,
}  # fmt: skip


def load(folder: Path) -> pa.Table:
    """Everybody, from the folder that holds the file."""
    return pq.read_table(folder / FILE)


def risk_set(table: pa.Table, round_: int) -> pa.Table:
    """Those not rearrested before the year of the round."""
    for earlier in range(1, round_):
        table = table.filter(pc.invert(table[OUTCOMES[earlier]]))
    return table


def fields(round_: int, wanted: Sequence[str] | None = None) -> tuple[str, ...]:
    """The fields a round may use; refuses others.

    Raises
    ------
    DataRefused : a supervision field in round 1, or an outcome in any
    """
    allowed = RELEASE if round_ == 1 else RELEASE + SUPERVISION
    asked = allowed if wanted is None else tuple(wanted)
    known_too_late = [name for name in asked if name not in allowed]
    if known_too_late:
        raise DataRefused(
            "known-too-late",
            found=f"{', '.join(known_too_late)} in round {round_}",
            expected="fields that were known when the forecast was due",
            repair="Leave them out: they are measured up to the rearrest and would tell the outcome.",
        )
    return asked


def training_set(
    table: pa.Table, round_: int, wanted: Sequence[str] | None = None, *, one_hot: bool = False
) -> TrainingSet:
    """The risk set of a round as a training set; people of the test sample are in it without an outcome.

    The data hold no dates. Every row has the same as-of day, so only folds by person can judge it. `one_hot` gives
    every field of words or bands one mark a value, missing included, as the published logistic regression had it.
    """
    rows = risk_set(table, round_)
    teaches = pc.equal(rows["Training_Sample"], 1)
    outcome = pc.if_else(teaches, rows[OUTCOMES[round_]].cast(pa.int8()), pa.scalar(None, pa.int8()))
    columns: dict[str, object] = {
        "entity_id": rows["ID"].cast(pa.int64()),
        "as_of": pa.array(np.full(rows.num_rows, np.datetime64("2015-01-01", "us"))),
        "outcome": outcome,
        "group:sex": pc.if_else(pc.equal(rows["Gender"], "M"), "male", "female"),
        "group:ethnicity": pc.utf8_lower(rows["Race"]),
    }
    for name in fields(round_, wanted):
        columns |= encoded(name, rows[name], one_hot=one_hot)
    return TrainingSet.of(pa.table(columns), horizon=years(1))


def encoded(name: str, column: pa.ChunkedArray, *, one_hot: bool = False) -> dict[str, npt.NDArray[np.float32]]:
    """A field as numbers: ordered words by rank, bands by their lower end, unordered words as one mark a value."""
    if name in NOMINAL or (one_hot and not pa.types.is_floating(column.type)):
        texts = [_text(value) for value in column.to_pylist()]
        if one_hot:
            texts = ["missing" if text is None else text for text in texts]
        known = sorted({text for text in texts if text is not None})
        return {f"{name}={value}": np.array([text == value for text in texts], np.float32) for value in known}
    return {name: np.array([_number(value) for value in column.to_pylist()], np.float32)}


def outcome_and_sex(table: pa.Table, round_: int, sample: int = 0) -> tuple[npt.NDArray[np.float64], pa.Table]:
    """Outcomes and rows of the test sample (0) or the training sample (1) of a round: for scoring only."""
    rows = risk_set(table, round_)
    rows = rows.filter(pc.equal(rows["Training_Sample"], sample))
    return np.asarray(rows[OUTCOMES[round_]].cast(pa.float64()).to_numpy(), np.float64), rows


def scores(outcome: npt.NDArray[np.float64], probability: npt.NDArray[np.float64], rows: pa.Table) -> dict[str, float]:
    """The challenge's scores: Brier for men, women and their mean, and the fairness score of each.

    Parameters
    ----------
    outcome, probability : (n,) float64
    rows : Arrow with Gender and Race, in the same order

    Returns
    -------
    men, women, average, all; fair_men, fair_women : (1 - Brier) * (1 - |FPR Black - FPR white|) at p >= .5
    """
    sex, race = (np.asarray(rows[name].to_pylist()) for name in ("Gender", "Race"))
    made = {"all": brier(outcome, probability)}
    for word, code in (("men", "M"), ("women", "F")):
        y, p, black = outcome[sex == code], probability[sex == code], race[sex == code] == "BLACK"
        made[word] = brier(y, p)
        made[f"fair_{word}"] = fairness_score(made[word], false_positive_rate(y[black], p[black]),
                                              false_positive_rate(y[~black], p[~black]))  # fmt: skip
    return made | {"average": (made["men"] + made["women"]) / 2}


def false_positive_rate(outcome: npt.NDArray[np.float64], probability: npt.NDArray[np.float64]) -> float:
    """Share at p >= .5 among those not rearrested. The threshold is the challenge's, for scoring, not for use."""
    return float(np.mean(probability[outcome == 0] >= 0.5))


def fairness_score(brier_score: float, rate_black: float, rate_white: float) -> float:
    """The challenge's index of accuracy and fairness."""
    return (1 - brier_score) * (1 - abs(rate_black - rate_white))


def _text(value: object) -> str | None:
    return None if value is None or value != value else str(value)


def _number(value: object) -> float:
    text = _text(value)
    if text is None:
        return np.nan
    if text in _RANKS:
        return float(_RANKS[text])
    if text in ("True", "False"):
        return float(text == "True")
    first = re.match(r"-?\d+(\.\d+)?", text)
    return float(first[0]) if first else np.nan

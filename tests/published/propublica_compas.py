"""ProPublica's COMPAS figures computed again, and what changes without the people who could not be followed up.

Reads the two analysis files that ProPublica published (Larson, Mattu, Kirchner and Angwin 2016) from a folder. The
998 people screened after 2014-04-01 are in `two_years` only because they reoffended: two years had not passed for the
others (Barenstein 2019). Figures that nobody published have no published value.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pandas as pd

from riskmodel.fairness.audit import Audit, audit_scores
from riskmodel.fairness.figures import Rules

MEDIUM_OR_HIGH: Final = 5
"""ProPublica counts a decile of 5 or more as "higher risk"."""
LAST_FULL_FOLLOW_UP: Final = "2014-04-01"

PUBLISHED: Final = {
    ("African-American", "fpr"): 0.4485,
    ("African-American", "fnr"): 0.2799,
    ("African-American", "ppv"): 0.6297,
    ("Caucasian", "fpr"): 0.2345,
    ("Caucasian", "fnr"): 0.4772,
    ("Caucasian", "ppv"): 0.5913,
}
AUC: Final = {"two_years": 0.7022, "two_years_violent": 0.7124}


def published_comparison(folder: str | Path, *, replicates: int = 200, seed: int = 0) -> dict[str, dict[str, Any]]:
    """Every published figure beside the same figure computed here.

    Parameters
    ----------
    folder : the folder with ``two_years.parquet`` and ``two_years_violent.parquet``
    replicates, seed : of the bootstrap behind the intervals

    Returns
    -------
    dict, figure -> {published, computed, low, high, n}; `published` is None for the file without the 998
    """
    everyone = pd.read_parquet(Path(folder) / "two_years.parquet")
    violent = pd.read_parquet(Path(folder) / "two_years_violent.parquet")
    followed = everyone[everyone["compas_screening_date"] <= LAST_FULL_FOLLOW_UP]
    made: dict[str, dict[str, Any]] = {}
    for part, frame in (("all", everyone), ("full follow-up", followed)):
        audit = compas_audit(frame, replicates=replicates, seed=seed)
        for (race, metric), published in PUBLISHED.items():
            figure = audit.figure("race", race, metric)
            made[f"{race}, {metric}, {part}"] = _compared(figure, published if part == "all" else None)
        made[f"base rate, {part}"] = _compared(audit.figure("everyone", "everyone", "base_rate"), None)
    for name, frame, score in (
        ("two_years", everyone, "decile_score"),
        ("two_years_violent", violent, "v_decile_score"),
    ):
        audit = compas_audit(frame, score=score, replicates=replicates, seed=seed)
        made[f"AUC, {name}"] = _compared(audit.figure("everyone", "everyone", "auroc"), AUC[name])
    return made


def compas_audit(frame: pd.DataFrame, *, score: str = "decile_score", replicates: int = 1000, seed: int = 0) -> Audit:
    """The audit of the COMPAS decile as ProPublica looked at it: decile 5 or more against two years of records."""
    groups = frame[["race", "sex"]].assign(everyone="everyone")
    return audit_scores(
        frame[score],
        frame["two_year_recid"] if score == "decile_score" else frame["two_year_recid.1"],
        groups,
        people=frame["id"],
        decisions=(frame[score] >= MEDIUM_OR_HIGH).astype(int),
        probabilities=False,
        rules=Rules(reference={"race": "Caucasian"}, replicates=replicates),
        seed=seed,
    )


def _compared(figure: dict[str, Any], published: float | None) -> dict[str, Any]:
    return {
        "published": published,
        "computed": figure["value"],
        "low": figure["low"],
        "high": figure["high"],
        "n": figure["n"],
    }

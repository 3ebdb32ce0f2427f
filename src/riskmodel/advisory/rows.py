"""Advice on rows of features that were computed elsewhere: the same scores, behind the same gates.

A model that is served (MLflow, a Spark function) sees features and no histories. Who asks, for what, under which
approval and how old the records are is checked as for any list; whoever computed the features says until when records
were delivered. What cannot be told from features alone, the events behind a reason and which agencies are silent, is
left out and never made up.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riskmodel.advisory import conditions, gate
from riskmodel.advisory.basis import Basis
from riskmodel.advisory.export import REVIEW_COLUMNS, list_table
from riskmodel.advisory.footing import Footing
from riskmodel.advisory.missing import Gaps, questions_of
from riskmodel.advisory.score import noted
from riskmodel.advisory.scores import Scores
from riskmodel.advisory.standing import must_be_valid
from riskmodel.errors import DataRefused
from riskmodel.explain.steady import SteadyReasons
from riskmodel.governance.approvals import Approval
from riskmodel.governance.grants import Grants
from riskmodel.governance.ledger import Ledger
from riskmodel.governance.purposes import Purpose
from riskmodel.governance.refusals import refusals_noted
from riskmodel.histories.store import Histories
from riskmodel.models.fitted import Matrix
from riskmodel.models.risk_model import RiskModel
from riskmodel.tables import EVENTS

COLUMNS: Final[tuple[str, ...]] = (
    *("probability", "low", "high", "similar_cases", "of_whom_with_outcome", "made_again_low", "made_again_high"),
    *("raises", "lowers", "not_known", "withheld", "valid_until", *REVIEW_COLUMNS),
)
"""What a list says of each person, by its columns, with the room for the review."""


def score_rows(
    model: RiskModel,
    X: Matrix,
    entities: npt.NDArray[np.int64],
    as_of: dt.date,
    approval: Approval | None,
    *,
    card: str,
    purpose: Purpose,
    ledger: Ledger,
    delivered_until: dt.date | None,
    outcome: str,
    role: str = "not stated",
    footing: Footing | None = None,
) -> Scores:
    """Advice on everybody in the rows.

    Parameters
    ----------
    model : RiskModel, fitted on declared features
    X : (n_rows, n_features) float32, NaN where missing
    entities : (n_rows,) int64, whose row each is
    as_of : date on which the features were known
    approval : Approval, in force today for exactly this model, card and purpose, signed off into the ledger
    card : str, fingerprint of the card the board decided on
    purpose : Purpose, in force
    ledger : Ledger
    delivered_until : date up to which every agency that the features draw on has delivered
    outcome : str, what the probability is of, in words
    role : str, who asks; needs a grant where grants lie beside the ledger
    footing : Footing, as in `score`

    Raises
    ------
    NotPermitted : no grant or approval in force, an expired purpose, too few earlier reviews, too many people, or
        features so old that the scores would no longer be valid
    DataRefused : records end too early or nobody says when, or the people have drifted
    """
    with refusals_noted(ledger, asked="score", asked_by=role, model=model.fingerprint):
        purpose.must_be_in_force()
        if (grants := Grants.of_store(ledger.path.parent)) is not None:
            grants.must_allow(role, purpose.name, "scores")
        granted = gate.must_be_approved(approval, model, card, purpose, ledger)
        gate.must_be_covered(model, purpose)
        conditions.must_be_reviewed(ledger, granted)
        late = _late(delivered_until, as_of, granted)
        valid_until = gate.valid_until(as_of, granted, purpose, [])
        must_be_valid(valid_until)
        gate.must_fit_the_list(len(X), granted)
        if footing is not None:
            footing.must_be_of(model)
        withheld = {} if footing is None else footing.withheld(X, model.feature_names, model.features)
    basis = Basis(
        as_of=as_of,
        valid_until=valid_until,
        model=model.fingerprint,
        card=card,
        histories="",
        purpose=purpose,
        approval=granted,
        outcome=outcome,
        footing=None if footing is None else footing.fingerprint,
    )
    steady = SteadyReasons(model, X, None if footing is None else footing.refits)
    nobody_heard = np.zeros((len(X), 0), bool)
    gaps = Gaps(X, questions_of(model.features), (), nobody_heard, late)
    made = Scores.of(basis, (), ledger, entities, steady, gaps, Histories.of(events=EVENTS.empty_table()), withheld)
    noted(made, role)
    return made


def advice_columns(scores: Scores) -> pa.Table:
    """The columns of the list that a served model gives back, for each row in its order."""
    return list_table(scores).select(list(COLUMNS))


def _late(until: dt.date | None, as_of: dt.date, approval: Approval) -> tuple[tuple[str, int], ...]:
    """By how many days the records end early, if the approval allows that; else a refusal."""
    allowed = approval.limits.oldest_data_days or 0
    gap = None if until is None else (as_of - until).days
    if gap is None or gap > allowed:
        raise DataRefused(
            "data-too-old",
            found="no word on until when they were delivered" if gap is None else f"records that end {gap} days early",
            expected=f"records up to {as_of}" + (f" or at most {allowed} days earlier" if allowed else ""),
            repair="Say until when every agency delivered, or deliver newer records and compute the features again.",
        )
    return (("the agencies", gap),) if gap > 0 else ()

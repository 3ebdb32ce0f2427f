"""Scores on one date, for one purpose, under the board's approval - or a refusal that says what to do.

The request is checked before any row is read, every refusal is written into the ledger, and so is every list: who
asked, for what, with which model and card, how many people - never whom. Nothing here chooses anybody: everyone
eligible on the date is scored, and no cut-off exists.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riskmodel.advisory import conditions, gate, words
from riskmodel.advisory.basis import Basis
from riskmodel.advisory.footing import Footing
from riskmodel.advisory.missing import missing_of
from riskmodel.advisory.scores import Scores
from riskmodel.advisory.standing import MADE
from riskmodel.cohorts.cohort import Cohort, Eligible, eligible
from riskmodel.cohorts.outcome import Outcome
from riskmodel.dates import days, moments, parse_date
from riskmodel.explain.steady import SteadyReasons
from riskmodel.features.build import feature_matrix
from riskmodel.governance.approvals import Approval
from riskmodel.governance.grants import Caller
from riskmodel.governance.ledger import Ledger
from riskmodel.governance.purposes import Purpose
from riskmodel.governance.refusals import refusals_noted
from riskmodel.histories.store import Histories
from riskmodel.models.risk_model import RiskModel

LEAST_FOR_A_MEAN = 20
"""Of fewer people the mean probability is not written down: it would tell of single ones."""


def score(
    model: RiskModel,
    histories: Histories,
    as_of: dt.date | str,
    approval: Approval | None = None,
    *,
    cohort: Cohort,
    card: str | None = None,
    purpose: Purpose | None = None,
    outcome: Outcome | None = None,
    caller: Caller | None = None,
    ledger: Ledger | None = None,
    footing: Footing | None = None,
    never: Sequence[str] = (),
    relatives: bool = False,
    card_at: str = "",
    made_up: bool = False,
) -> Scores:
    """Advice on everybody of the cohort on one date.

    Parameters
    ----------
    model : RiskModel, fitted on declared features
    histories : Histories, covered until the as-of date by every agency the model reads
    as_of : date or ISO text
    approval : Approval, in force today for exactly this model, card and purpose, signed off into the ledger
    cohort : Cohort, whose rules of eligibility are applied to the one date
    card : str, fingerprint of the card the board decided on
    purpose : Purpose, by default that of the store
    outcome : Outcome, to say what the probability is of
    caller : Caller, the role that asks and the partnership's grants, by default that of the store; it needs a grant of
        the level "scores" in force, by the grants beside the ledger where there are some. Where there are none, and no
        caller, nobody is asked for one
    ledger : Ledger, by default that of the store
    footing : Footing, kept beside the model, by default the one that the store of the histories holds for it; with it
        only reasons that hold still are shown, the score of a person outside what the model learned from is withheld,
        and a list of people who have drifted from it is refused. Where there is none the advice says that nobody
        checked
    never : columns that are never shown as a reason, such as proxies of what is protected
    relatives : bool, whether the reader may be told reasons that rest on records of other people
    card_at : str, where the card lies, for the reader to follow
    made_up : bool, whether nobody in the histories exists, as in a synthetic society: the list says so at its top, and
        can be looked at after its day

    Returns
    -------
    Scores

    Raises
    ------
    NotPermitted : no approval in force, no grant, another purpose, a field or agency it does not name, or more people
        than the board allows on a list
    DataRefused : records end too early before the date, nobody is eligible, the people have drifted, or the footing
        is that of another model
    DeclarationError : there is no ledger to write to, or the date means nothing
    """
    day = parse_date(as_of, "score.as_of")
    book = gate.ledger_of(histories, ledger)
    given = caller or (histories.store.caller if histories.store else None)
    role = given.role if given else "not stated"
    with refusals_noted(book, asked="score", asked_by=role, model=model.fingerprint):
        wanted = gate.purpose_of(histories, purpose)
        gate.must_be_granted(given, wanted, book)
        granted = gate.must_be_approved(approval, model, card, wanted, book)
        gate.must_know_its_features(model)
        gate.must_be_covered(model, wanted)
        conditions.must_be_reviewed(book, granted)
        late = gate.must_be_fresh(histories, model, day, granted)
        found = conditions.within_areas(histories, _eligible_on(histories, cohort, day), day, granted)
        gate.must_fit_the_list(found.rows.num_rows, granted)
        footing = footing or Footing.kept_in(histories.store, model)
        if footing is not None:
            footing.must_be_of(model)
        matrix = _matrix(feature_matrix(histories, found.rows, model.features))
        withheld = {} if footing is None else footing.withheld(matrix, model.feature_names, model.features)
    basis = Basis(
        as_of=day,
        valid_until=gate.valid_until(day, granted, wanted, gate.next_asking(cohort, day)),
        model=model.fingerprint,
        card=str(card),
        histories=histories.fingerprint,
        purpose=wanted,
        approval=granted,
        outcome=words.outcome_words(outcome),
        footing=None if footing is None else footing.fingerprint,
        never=tuple(never),
        relatives=relatives,
        card_at=card_at,
        made_up=made_up,
    )
    refits = None if footing is None else footing.refits
    steady = SteadyReasons(model, matrix, refits, never=basis.never, others=relatives)
    gaps = missing_of(histories, found.rows, model.features, matrix, late)
    flow = tuple((step.name, step.people) for step in found.flow)
    entities = found.rows["entity_id"].to_numpy()
    made = Scores.of(basis, flow, book, entities, steady, gaps, histories, withheld)
    noted(made, role)
    return made


def noted(made: Scores, role: str) -> None:
    """Write into the ledger that a list was made: who asked, for what, with what, for how many; never for whom."""
    basis = made.basis
    given = made._probability[~np.isnan(made._probability)]
    made.ledger.append(
        MADE,
        asked_by=role,
        purpose=basis.purpose.name,
        model=basis.model,
        card=basis.card,
        approval=basis.approval.fingerprint,
        histories=basis.histories,
        as_of=basis.as_of.isoformat(),
        people=made.people,
        withheld=made.withheld,
        footing=basis.footing,
        **({"made_up": True} if basis.made_up else {}),
        mean_probability=round(float(given.mean()), 3) if len(given) >= LEAST_FOR_A_MEAN else None,
        list=made.fingerprint,
    )


def _eligible_on(histories: Histories, cohort: Cohort, day: dt.date) -> Eligible:
    """The cohort's people on the one date.

    A calendar cohort is asked on that date alone. One that asks at each event is asked from its own first date, so
    that "the first row of each person" keeps its meaning, and only the rows of the date are taken.
    """
    after = day + dt.timedelta(days=1)
    if cohort.every is not None:
        return eligible(histories, replace(cohort, between=(day, after), every=days(1)))
    found = eligible(histories, replace(cohort, between=(min(cohort.between[0], day), after)))
    on_day = found.rows.filter(pa.array(found.rows["as_of"].to_numpy() == moments([day])[0]))
    return replace(found, rows=on_day)


def _matrix(table: pa.Table) -> npt.NDArray[np.float32]:
    """The (n, p) matrix of a table of float32 columns."""
    return np.column_stack([column.to_numpy() for column in table.columns]).astype(np.float32, copy=False)

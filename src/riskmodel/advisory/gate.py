"""What has to be in order before anybody is scored.

Every refusal says what to do; who asks writes it into the ledger. Nothing here reads a person's row.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from riskmodel.advisory.missing import agencies_read, agency_words, late_feeds
from riskmodel.cohorts.cohort import Cohort
from riskmodel.dates import moments
from riskmodel.errors import DataRefused, DeclarationError, NotPermitted
from riskmodel.feeds.standard import STRUCTURAL
from riskmodel.governance.approvals import Approval, approval_missing
from riskmodel.governance.grants import Caller, asking
from riskmodel.governance.ledger import Ledger
from riskmodel.governance.purposes import Purpose
from riskmodel.histories.store import Histories
from riskmodel.models.risk_model import RiskModel


def ledger_of(histories: Histories, given: Ledger | None) -> Ledger:
    """The ledger that the request is written to; without one nobody is scored."""
    if given is not None:
        return given
    if histories.store is None:
        raise DeclarationError.of(
            "ledger-missing",
            where="score",
            found="histories in memory and no ledger",
            expected="a ledger that keeps who asked",
            repair="Pass ledger=Ledger(path), or read the histories from a store.",
        )
    return histories.store.ledger


def purpose_of(histories: Histories, given: Purpose | None) -> Purpose:
    """The purpose of the request: that of the store, and no other."""
    own = None if histories.store is None else histories.store.purpose
    if given is None and own is None:
        raise NotPermitted(
            "purpose-missing",
            found="no purpose",
            expected="the purpose the people are scored for",
            repair="Pass purpose=Purpose.load(path).",
        )
    if given is not None and own is not None and given.scope() != own.scope():
        raise NotPermitted(
            "purpose-other",
            found=f"the purpose {given.name!r}, while the store was opened for {own.name!r}",
            expected="one purpose",
            repair="Open the store with the purpose the people are scored for.",
        )
    purpose = given or own
    assert purpose is not None  # one of the two is there, checked above
    purpose.must_be_in_force()
    purpose.must_cover(histories.agencies)
    return purpose


def must_be_granted(caller: Caller | None, purpose: Purpose, ledger: Ledger) -> None:
    """Refuse a role without a grant to see scores, by the grants beside the ledger where there are some."""
    granted = asking(ledger.path.parent, caller)
    if granted is not None:
        granted.must_be_allowed(purpose.name, "scores")


def must_be_approved(
    approval: Approval | None, model: RiskModel, card: str | None, purpose: Purpose, ledger: Ledger
) -> Approval:
    """The approval, if it covers exactly this model, card and purpose today and is on record in the ledger."""
    if approval is None:
        raise approval_missing()
    if card is None:
        raise NotPermitted(
            "card-missing",
            found="no card",
            expected="the fingerprint of the card the board decided on",
            repair="Pass card= with the fingerprint of the model's card.",
        )
    ledger.must_not_be_ahead()
    approval.must_allow(model.fingerprint, card, purpose, dt.date.today())
    approval.must_be_recorded(ledger)
    return approval


def must_be_covered(model: RiskModel, purpose: Purpose) -> None:
    """Refuse a model that reads fields the purpose does not name, beyond those every record is kept with."""
    kept = frozenset[str]().union(*STRUCTURAL.values())
    purpose.must_cover_fields({field for feature in model.features for field in feature.needs} - kept)


def must_know_its_features(model: RiskModel) -> None:
    """Refuse a model that came without the meaning of its columns: its inputs cannot be made for anybody."""
    if tuple(feature.name for feature in model.features) != tuple(model.feature_names):
        raise DataRefused(
            "model-without-features",
            found=f"a model of {len(model.feature_names)} columns and {len(model.features)} declared features",
            expected="a model fitted on a training set with declared features",
            repair="Fit it on build_training_set(...), whose features can be computed for new people.",
        )


def must_be_fresh(
    histories: Histories, model: RiskModel, as_of: dt.date, approval: Approval
) -> tuple[tuple[str, int], ...]:
    """Refuse when an agency's data ends too early before the as-of date; the gaps that are allowed, by agency.

    An agency covered until 1 March covers an as-of date of 1 March. Without a limit in the approval no gap is allowed.
    """
    agencies = agencies_read(histories, model.features)
    if unheard := [agency for agency in agencies if agency not in histories.covered_until]:
        raise DataRefused(
            "coverage-unknown",
            found=f"no word on until when {', '.join(unheard)} delivered",
            expected="the coverage of every agency the model reads",
            repair="Deliver those feeds again with their period.",
        )
    late = late_feeds(histories, agencies, as_of)
    allowed = approval.limits.oldest_data_days or 0
    if stale := [(agency, days) for agency, days in late if days > allowed]:
        listed = ", ".join(f"{agency_words(agency)} by {days} days" for agency, days in stale)
        raise DataRefused(
            "data-too-old",
            found=f"records that end before {as_of}: {listed}",
            expected=f"records up to {as_of}" + (f" or at most {allowed} days earlier" if allowed else ""),
            repair="Deliver newer records, or choose an earlier as-of date.",
        )
    return late


def must_fit_the_list(people: int, approval: Approval) -> None:
    """Refuse more people than the approval allows on one list."""
    most = approval.limits.people_per_list
    if most is not None and people > most:
        raise NotPermitted(
            "list-too-long",
            found=f"{people:,} eligible people",
            expected=f"at most {most:,} on one list, as the board decided",
            repair="Narrow the cohort, or ask the board for a longer list.",
        )


def valid_until(as_of: dt.date, approval: Approval, purpose: Purpose, spans: Sequence[dt.date]) -> dt.date:
    """The first day on which the scores no longer hold: the earliest of all that ends."""
    ends = [purpose.expires, *spans]
    if approval.valid_until is not None:
        ends.append(approval.valid_until)
    if approval.limits.score_valid_days is not None:
        ends.append(as_of + dt.timedelta(days=approval.limits.score_valid_days))
    return min(ends)


def next_asking(cohort: Cohort, as_of: dt.date) -> list[dt.date]:
    """When the cohort's own schedule asks again, if it has one."""
    if cohort.every is None:
        return []
    moment = cohort.every.after(moments([as_of]))[0]
    return [dt.date.fromisoformat(str(moment)[:10])]

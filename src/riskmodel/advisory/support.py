"""What became of a conclusion: support that was offered, taken up, refused or not available, and what changed after it.

A follow-up belongs to a review that came to a conclusion and is written down when it happens, by whoever was there.
Texts stay in the follow-ups' own file, the ledger gets codes. Nothing here measures whether the support helped: people
who took it up differ from those who did not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from riskmodel.advisory.follow_up import AFTER, FollowUp, Step, SupportForm
from riskmodel.advisory.noted import LEAST_WORDS, Noted
from riskmodel.advisory.review import Review
from riskmodel.errors import DeclarationError, EvidenceError, Fault
from riskmodel.governance.ledger import Ledger
from riskmodel.tables import fingerprint_document


@dataclass(frozen=True, slots=True)
class FollowUps:
    """The follow-ups of a partnership: a file of their own, and their trace in the ledger.

    Parameters
    ----------
    path : Path, the file with the texts; personal data, readable by its owner only
    form : SupportForm
    ledger : Ledger
    """

    path: Path
    form: SupportForm
    ledger: Ledger

    @property
    def _noted(self) -> Noted:
        return Noted(self.path, "support", self.ledger)

    def add(self, review: Review, step: Step, *, code: str, on: dt.date, role: str, words: str) -> FollowUp:
        """Write down what happened.

        Parameters
        ----------
        review : Review, with a conclusion that the ledger has
        step : "offered" or "not_available" first; "taken_up" or "refused" after an offer; then "changed"
        code : a kind of support of the form; for "changed" one of its changes
        on : date, from the day of the conclusion until today
        role : str, the writer's role, not a name
        words : str, in their own words

        Raises
        ------
        EvidenceError : the review has no conclusion or is not in the ledger, or the step comes out of order
        DeclarationError : an unknown step or code, no role, too few words, or a date that cannot be
        """
        about = fingerprint_document(review.document())
        self._must_be_concluded(review, about)
        self._must_be_complete(review, step, code, on, role, words)
        self._must_follow(about, step, on)
        at = dt.datetime.now(dt.UTC).isoformat(timespec="microseconds")
        made = FollowUp(about, review.list_fingerprint, review.pseudonym, step, code, on, role, words, at)
        self._noted.add(
            made.document(), step=step, list=made.list_fingerprint, review=about, role=role, code=code,
            words=len(words.split()),
        )  # fmt: skip
        return made

    def all(self) -> tuple[FollowUp, ...]:
        """Every follow-up in the order written.

        Raises
        ------
        EvidenceError : a record is not as the ledger has it
        """
        return tuple(FollowUp.from_document(record) for record in self._noted.all())

    def _must_be_concluded(self, review: Review, about: str) -> None:
        known = {entry.facts.get("record") for entry in self.ledger.entries() if entry.action == "review"}
        if review.after is None or about not in known:
            raise _out_of_order(
                "a review without a conclusion" if review.after is None else "a review that the ledger does not have",
                "Conclude the review first.",
            )

    def _must_be_complete(self, review: Review, step: str, code: str, on: dt.date, role: str, words: str) -> None:
        faults = []
        codes = self.form.changes if step == "changed" else self.form.kinds
        if step not in get_args(Step):
            faults.append(
                Fault("support.step", "an unknown step", f"one of {', '.join(get_args(Step))}", "Choose one.")
            )
        if code not in codes:
            faults.append(Fault("support.code", "a code the form lacks", f"one of {', '.join(codes)}", "Choose one."))
        begun = dt.date.fromisoformat(str(review.concluded_at)[:10])
        if not begun <= on <= dt.date.today():
            faults.append(Fault("support.on", f"{on}", f"a day from {begun} until today", "Write when it happened."))
        if not role.strip():
            faults.append(Fault("support.role", "nothing", "the writer's role", "Write the role, not a name."))
        if len(words.split()) < LEAST_WORDS:
            wanted = f"at least {LEAST_WORDS} words"
            faults.append(Fault("support.words", f"{len(words.split())} words", wanted, "Say it in your own words."))
        if faults:
            raise DeclarationError("support-incomplete", faults=faults)

    def _must_follow(self, about: str, step: str, on: dt.date) -> None:
        """The step comes after one that it needs."""
        earlier = [FollowUp.from_document(record) for record in self._noted.unchecked() if record["review"] == about]
        needed = AFTER[step]
        if needed and not any(each.step in needed and each.on <= on for each in earlier):
            words = " or ".join(needed).replace("_", " ")
            raise _out_of_order(
                f"{step.replace('_', ' ')} without {words} before it", f"Write down first when it was {words}."
            )


def latest(follow_ups: Sequence[FollowUp]) -> dict[str, dict[str, FollowUp]]:
    """For each person the newest follow-up of each step: {pseudonym: {step: FollowUp}}."""
    found: dict[str, dict[str, FollowUp]] = {}
    for each in sorted(follow_ups, key=lambda one: (one.on, one.at)):
        found.setdefault(each.pseudonym, {})[each.step] = each
    return found


def _out_of_order(found: str, repair: str) -> EvidenceError:
    return EvidenceError(
        "support-out-of-order",
        found=found,
        expected="conclusion, offer, answer, what changed",
        repair=repair,
    )

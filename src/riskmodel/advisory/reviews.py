"""The reviews of a partnership: written down in order, the score opened only for a review that holds a judgement.

The judgement comes first, unless the study says otherwise. The texts are kept in the reviews' own file; the ledger gets
codes, counts and a hash of each record, so that a changed text is found. Nothing here carries anything out: what
becomes of a conclusion is other people's work.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from riskmodel.advisory.noted import LEAST_WORDS, Noted
from riskmodel.advisory.one_score import Score
from riskmodel.advisory.review import Judgement, Review, ReviewForm
from riskmodel.advisory.scores import Scores
from riskmodel.advisory.standing import must_hold
from riskmodel.errors import DeclarationError, EvidenceError, Fault, NotPermitted
from riskmodel.governance.ledger import Ledger
from riskmodel.governance.refusals import refusals_noted


@dataclass(frozen=True, slots=True)
class Reviews:
    """The reviews of a partnership: a file of their own, and their trace in the ledger.

    Parameters
    ----------
    path : Path, the file with the texts; personal data, readable by its owner only
    form : ReviewForm
    ledger : Ledger
    """

    path: Path
    form: ReviewForm
    ledger: Ledger

    @property
    def _noted(self) -> Noted:
        return Noted(self.path, "review", self.ledger)

    def begin(self, scores: Scores, pseudonym: str, *, role: str, choice: str, reason: str, words: str) -> Review:
        """Write down the judgement formed without the score.

        Raises
        ------
        NotPermitted : the list no longer holds (see `standing.must_hold`)
        NotFound : the person is not on the list
        DeclarationError : a choice or reason that the form lacks, no role, or too few words
        """
        with self._open(scores, "review"):
            scores.person(pseudonym)
        judgement = self._judgement(role, choice, reason, words)
        review = Review(scores.fingerprint, pseudonym, role, judgement, _now())
        self._keep(review, "begun", judgement)
        return review

    def open(self, scores: Scores, pseudonym: str, *, role: str) -> tuple[Review, Score]:
        """Begin a review with the score, in a study that does not ask for a judgement first; the ledger says so.

        Raises
        ------
        NotPermitted : the study asks for a judgement first, or the list no longer holds
        NotFound : the person is not on the list
        DeclarationError : no role
        """
        with self._open(scores, "open"):
            if self.form.judgement_first:
                raise NotPermitted(
                    "judgement-first",
                    found="a score asked for before a judgement",
                    expected="the reviewer's own judgement, written down first",
                    repair="Use begin(...), then look(...); a study can set judgement_first = false under [review].",
                )
            scores.person(pseudonym)
        if faults := _role_faults(role):
            raise DeclarationError("review-incomplete", faults=faults)
        review = Review(scores.fingerprint, pseudonym, role, None, _now())
        self._keep(review, "opened", None)
        return self.look(review, scores)

    def look(self, review: Review, scores: Scores) -> tuple[Review, Score]:
        """Open the score for a review that holds a judgement, and note that it was looked at.

        Raises
        ------
        EvidenceError : the review was never written down, or is about another list
        NotPermitted : the list no longer holds (see `standing.must_hold`)
        """
        with self._open(scores, "look"):
            self._must_be_kept(review)
            if review.list_fingerprint != scores.fingerprint:
                raise _out_of_order("a review of another list", "Open the list the review was begun on.")
        seen = replace(review, looked_at=review.looked_at or _now())
        self._keep(seen, "looked", None)
        return seen, scores.person(review.pseudonym)

    def conclude(self, review: Review, *, choice: str, reason: str, words: str) -> Review:
        """Write down the conclusion, in favour of the score or against it.

        Raises
        ------
        EvidenceError : the score was not looked at yet, or there is a conclusion already
        DeclarationError : a choice or reason that the form lacks, or too few words
        """
        self._must_be_kept(review)
        if review.looked_at is None or review.after is not None:
            raise _out_of_order(
                "a review whose score was not opened" if review.looked_at is None else "a review with a conclusion",
                "Judge, look, then conclude, once each; a change of mind is a new review.",
            )
        judgement = self._judgement(review.role, choice, reason, words)
        ended = replace(review, after=judgement, concluded_at=_now())
        self._keep(ended, "concluded", judgement)
        return ended

    def all(self) -> tuple[Review, ...]:
        """Every review at its last stage, in the order begun.

        Raises
        ------
        EvidenceError : a record is not as the ledger has it
        """
        last: dict[tuple[str, str, str, str], Review] = {}
        for record in self._noted.all():
            review = Review.from_document(record)
            last[(review.list_fingerprint, review.pseudonym, review.role, review.begun_at)] = review
        return tuple(last.values())

    @contextmanager
    def _open(self, scores: Scores, asked: str) -> Iterator[None]:
        """Go on with a list that holds; a refusal is written down."""
        with refusals_noted(self.ledger, asked=asked, purpose=scores.basis.purpose.name, list=scores.fingerprint):
            must_hold(self.ledger, scores.basis, scores.fingerprint)
            yield

    def _judgement(self, role: str, choice: str, reason: str, words: str) -> Judgement:
        faults = []
        for name, value, codes in (("choice", choice, self.form.choices), ("reason", reason, self.form.reasons)):
            if value not in codes:
                faults.append(
                    Fault(f"review.{name}", "a code the form lacks", f"one of {', '.join(codes)}", "Choose one.")
                )
        faults += _role_faults(role)
        if len(words.split()) < LEAST_WORDS:
            wanted = f"at least {LEAST_WORDS} words"
            faults.append(Fault("review.words", f"{len(words.split())} words", wanted, "Say why, in your own words."))
        if faults:
            raise DeclarationError("review-incomplete", faults=faults)
        return Judgement(choice, reason, words)

    def _keep(self, review: Review, stage: str, judgement: Judgement | None) -> None:
        self._noted.add(
            review.document(),
            stage=stage,
            list=review.list_fingerprint,
            role=review.role,
            choice=judgement.choice if judgement else None,
            reason=judgement.reason if judgement else None,
            words=len(judgement.words.split()) if judgement else 0,
            changed=review.changed,
        )

    def _must_be_kept(self, review: Review) -> None:
        if review.document() not in self._noted.unchecked():
            raise _out_of_order("a review that was never written down", "Begin the review with a judgement first.")


def _role_faults(role: str) -> list[Fault]:
    wanted = "the reviewer's role"
    return [] if role.strip() else [Fault("review.role", "nothing", wanted, "Write the role, not a name.")]


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="microseconds")


def _out_of_order(found: str, repair: str) -> EvidenceError:
    return EvidenceError("review-out-of-order", found=found, expected="judgement, look, conclusion", repair=repair)

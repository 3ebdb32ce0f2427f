"""Advice on one person: a probability with its interval, its reasons and its gaps - and nothing one could act on.

A `Score` cannot be asked for its truth, compared, sorted or turned into a number; whoever tries is told why. It prints
no probability and no person unless it is asked for one.
"""

from __future__ import annotations

import datetime as dt
import numbers
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from riskmodel.advisory import words
from riskmodel.advisory.basis import Basis
from riskmodel.advisory.behind import Behind
from riskmodel.advisory.missing import Missing
from riskmodel.advisory.standing import no_longer
from riskmodel.errors import NotADecision, NotPermitted
from riskmodel.explain.reasons import Reason
from riskmodel.explain.steady import Steady
from riskmodel.models.similar import NaturalFrequency


def _refusal(attempt: str) -> NotADecision:
    return NotADecision(
        "score-not-a-decision",
        found=f"a score that was {attempt}",
        expected="a person who reads the score with its reasons and gaps",
        repair="Read score.explain(), form a judgement, and write it down as a review; no number stands for it.",
    )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Score:
    """The advice on one person.

    Attributes
    ----------
    pseudonym : str
    probability : float, calibrated; None when it is withheld
    low, high : float, the interval of past cases with a similar probability; None when it is withheld
    frequency : NaturalFrequency, what became of them; None when it is withheld
    steady : Steady, what raises and what lowers the probability, as far as it holds still
    missing : Missing, what was not known
    basis : Basis
    behind : Behind, where the events behind the reasons are found
    withheld : str, why there is no probability; empty when there is one
    made_again : (lowest, highest) probability by models made from other samples of the people; None where it was not
        looked at, or is withheld
    """

    pseudonym: str
    probability: float | None
    low: float | None
    high: float | None
    frequency: NaturalFrequency | None
    steady: Steady
    missing: Missing
    basis: Basis
    behind: Behind
    withheld: str = ""
    made_again: tuple[float, float] | None = None

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The reasons that are shown."""
        return self.steady.reasons

    @property
    def valid_until(self) -> dt.date:
        """The first day on which it may no longer be looked at."""
        return self.basis.valid_until

    def explain(self) -> str:
        """The advice in words: how likely, why and from which records, what is not known, and what it is not.

        Advice that no longer holds can be looked back on and says so at its top. Looking at the records behind a
        person's reasons is written into the ledger, without the person.
        """
        self.behind.noted()
        return words.explanation(self, self.no_longer())

    def no_longer(self) -> NotPermitted | None:
        """Why the advice no longer holds; None while it does."""
        return no_longer(self.behind.ledger, self.basis, self.behind.list_fingerprint)

    def __repr__(self) -> str:
        return f"Score(as of {self.basis.as_of}, valid until {self.valid_until}; {words.NOT_A_DECISION_SHORT})"

    def __bool__(self) -> NoReturn:
        raise _refusal("asked whether it is true")

    def __eq__(self, other: object) -> bool:
        if isinstance(other, numbers.Number | np.generic | np.ndarray | Score):
            raise _refusal("compared")
        return NotImplemented

    __hash__ = object.__hash__

    def __lt__(self, other: object) -> NoReturn:
        raise _refusal("compared")

    def __le__(self, other: object) -> NoReturn:
        raise _refusal("compared")

    def __gt__(self, other: object) -> NoReturn:
        raise _refusal("compared")

    def __ge__(self, other: object) -> NoReturn:
        raise _refusal("compared")

    def __float__(self) -> NoReturn:
        raise _refusal("turned into a number")

    def __int__(self) -> NoReturn:
        raise _refusal("turned into a number")

    def __index__(self) -> NoReturn:
        raise _refusal("turned into a number")

    def __round__(self, digits: int | None = None) -> NoReturn:
        raise _refusal("turned into a number")

    def __reduce__(self) -> NoReturn:
        raise _refusal("copied or pickled")

    def __array__(self, *_: object, **__: object) -> NoReturn:
        raise _refusal("turned into an array")

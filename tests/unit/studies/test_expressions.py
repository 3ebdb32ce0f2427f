"""Expressions call known words and nothing else."""

from __future__ import annotations

import pytest

from riskmodel.dates import Duration, days, years
from riskmodel.errors import DeclarationError
from riskmodel.studies.expressions import evaluate

WORDS = {"years": years, "days": days, "pair": lambda first, second=None: (first, second)}


def test_calls_literals_and_lists() -> None:
    assert evaluate("years(2)", WORDS, "x") == years(2)
    assert evaluate("pair(days(3), second=['a', -1])", WORDS, "x") == (days(3), ("a", -1))
    assert evaluate("pair({'a': 1})", WORDS, "x") == ({"a": 1}, None)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "years.__class__(1)",
        "pair(open)",
        "years(1) + years(2)",
        "(lambda: 1)()",
        "[1]",
        "years(",
        "pair(*[1])",
        "weeks(1)",
        "years(1, 2, 3)",
        "pair(third=1)",
        "pair(f'{1}')",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(DeclarationError):
        evaluate(text, WORDS, "features")


def test_a_word_that_refuses_keeps_its_own_sentence() -> None:
    with pytest.raises(DeclarationError, match="duration-invalid"):
        evaluate("days(-1)", {"days": lambda number: Duration(days=number)}, "x")

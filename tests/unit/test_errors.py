"""Refusals word themselves and are what their builtin is."""

from __future__ import annotations

import pytest

from riskmodel import errors


@pytest.mark.parametrize(
    ("kind", "builtin", "exit_code"),
    [
        (errors.DataRefused, ValueError, 3),
        (errors.NotPermitted, PermissionError, 4),
        (errors.NotADecision, TypeError, 4),
        (errors.NotInstalled, ImportError, 5),
        (errors.EvidenceError, ValueError, 6),
        (errors.NotFound, LookupError, 2),
    ],
)
def test_a_refusal_says_found_expected_repair_and_code(
    kind: type[errors.RiskmodelError], builtin: type[Exception], exit_code: int
) -> None:
    error = kind("a-code", found="one", expected="two", repair="Add one.")
    assert str(error) == "Found one; expected two. Add one. [a-code]"
    assert isinstance(error, builtin)
    assert error.exit_code == exit_code


def test_a_declaration_lists_every_fault() -> None:
    faults = [errors.Fault(f"line {n}", "x", "y", "Mend.") for n in (1, 2)]
    error = errors.DeclarationError("bad", faults=faults)
    assert str(error) == ("2 faults [bad]\n  line 1: found x; expected y. Mend.\n  line 2: found x; expected y. Mend.")
    assert str(errors.DeclarationError("bad", faults=faults[:1])) == "line 1: found x; expected y. Mend. [bad]"


def test_no_error_class_is_without_an_exit_code_of_its_own_tree() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert {kind.exit_code for kind in kinds if issubclass(kind, errors.RiskmodelError)} == {1, 2, 3, 4, 5, 6}

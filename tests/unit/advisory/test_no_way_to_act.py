"""There is no way from a score to an action: not one public name of the advice suggests it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType

import pytest

import riskmodel.advisory

FORBIDDEN = {
    *("threshold", "cutoff", "cut", "label", "labels", "flag", "flags", "flagged", "alert", "alerts", "trigger"),
    *("act", "action", "actions", "decide", "decides", "decided", "classify", "class", "select", "selected", "rank"),
    *("top", "highest", "above", "positive", "refer", "notify", "send", "write_back", "push", "apply", "enforce"),
}


def modules() -> list[ModuleType]:
    names = [module.name for module in pkgutil.walk_packages(riskmodel.advisory.__path__, "riskmodel.advisory.")]
    return [riskmodel.advisory, *map(importlib.import_module, names)]


def public_names() -> Iterator[tuple[str, str]]:
    """Every public function, class, method, attribute and parameter that is made in the package."""
    for module in modules():
        for name, value in vars(module).items():
            if name.startswith("_") or getattr(value, "__module__", module.__name__) != module.__name__:
                continue
            yield module.__name__, name
            if inspect.isfunction(value):
                yield from ((f"{module.__name__}.{name}", each) for each in inspect.signature(value).parameters)
            if inspect.isclass(value):
                for member, inner in vars(value).items():
                    if not member.startswith("_"):
                        yield f"{module.__name__}.{name}", member
                        if inspect.isfunction(inner):
                            own = inspect.signature(inner).parameters
                            yield from ((f"{module.__name__}.{name}.{member}", each) for each in own)


def test_the_walk_sees_the_advice() -> None:
    seen = {name for _, name in public_names()}
    assert {"Score", "Scores", "score", "explain", "export", "pseudonym", "Reviews", "begin", "cohort"} <= seen


@pytest.mark.parametrize("module", [module.__name__ for module in modules()])
def test_no_public_name_leads_from_a_score_to_an_action(module: str) -> None:
    found = [
        f"{where}.{name}"
        for where, name in public_names()
        if where.startswith(module) and {name.lower(), *re.split(r"_|(?<=[a-z])(?=[A-Z])", name.lower())} & FORBIDDEN
    ]
    assert found == []


def test_a_list_always_has_room_for_the_review() -> None:
    from riskmodel.advisory.export import REVIEW_COLUMNS, list_table, write_list

    for verb in (list_table, write_list):  # no parameter could leave the columns or the caveats out
        assert set(inspect.signature(verb).parameters) <= {"scores", "folder", "order"}
    assert len(REVIEW_COLUMNS) == 3

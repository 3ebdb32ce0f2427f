"""The specification catches the mistakes that matter: each mutant of the kernel or of the rule must fail a case."""

import datetime as dt
import inspect

import numpy as np
import pytest

from riskmodel.features import kernel, reference

WINDOW_END = "while b < n and opens[w, date[row + b]] <= h:"
MUTANTS = {
    "an event at the as-of moment is let in": ("as_of[row + begun] <= h", "as_of[row + begun] < h"),
    "known at the as-of moment is let in": ("as_of[row + seen] <= known[e]", "as_of[row + seen] < known[e]"),
    "known_at is dropped": ("while seen < n and as_of[row + seen] <= known[e]:", "while False:"),
    "superseded a moment early": ("as_of[row + gone - 1] > until[e]", "as_of[row + gone - 1] >= until[e]"),
    "known_until is dropped": ("while gone > seen and as_of[row + gone - 1] > until[e]:", "while False:"),
    "the near end of a window is closed": ("closes[w, date[row + a]] <= h", "closes[w, date[row + a]] < h"),
    "the far end of a window is open": ("opens[w, date[row + b]] <= h", "opens[w, date[row + b]] < h"),
    "windows have no far end": (WINDOW_END, "b = n\n                    while False:"),
    "a spell that ends on the day is closed": ("as_of[row + r] <= ended[e]", "as_of[row + r] < ended[e]"),
    "overlapping spells count twice": ("opens[w, date[row + r]], whole[i + n + r])", "opens[w, date[row + r]])"),
    "a spell runs on beyond the window": ("min(ended[e], closes[w, date[row + r]])", "ended[e]"),
    "an unknown value counts as 0": ("if v == v:", "if v == v or v != v:"),
    "the same moment is afterwards": ("whole[r] < h else whole[r + n]", "whole[r] <= h else whole[r + n]"),
    "a gap of just the length is too long": ("h - before <= steps[o, 4]", "h - before < steps[o, 4]"),
    "the level itself is below the level": ("v < levels[o, 1]", "v <= levels[o, 1]"),
    "the old level holds on the new one's day": ("h < steps[o, 6]", "h <= steps[o, 6]"),
    "the new level holds a day late": ("steps[o, 5] <= h", "steps[o, 5] < h"),
    "staying is moving": ("whole[i + n + r] != c and", "True and"),
    "time before birth is at risk": ("max(opens[w, date[row + r]], births[row + r])", "opens[w, date[row + r]]"),
    "the first is the last": ("if whole[r] == none:", "if True:"),
}  # fmt: skip


def mutated(old, new):
    """The kernel's own source with one mistake, run as plain Python."""
    source = inspect.getsource(kernel.sweep)
    assert old in source, "the kernel no longer has this line: write the mutant anew"
    space = dict(vars(kernel))
    exec(compile(source.replace(old, new), "mutant", "exec"), space)
    return space["sweep"]


@pytest.fixture
def sweeping_with(monkeypatch):
    def use(function):
        monkeypatch.setattr(kernel, "compiled_sweep", lambda: function)

    return use


def test_the_kernel_as_plain_python_agrees(sweeping_with, all_agree, evaluators):
    sweeping_with(kernel.sweep)
    assert all_agree(evaluators["kernel"])


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_of_the_kernel_is_caught(mutant, sweeping_with, all_agree, evaluators):
    sweeping_with(mutated(*MUTANTS[mutant]))
    with np.errstate(all="ignore"):
        assert not all_agree(evaluators["kernel"])


def later(moment):
    return moment + dt.timedelta(microseconds=1)


RULES = {
    "known at the as-of moment": lambda h, k, u, t: h < t and k < later(t) and (u is None or t <= u),
    "known_at is dropped": lambda h, _k, u, t: h < t and (u is None or t <= u),
    "known_until is dropped": lambda h, k, _u, t: h < t and k < t,
    "superseded a moment early": lambda h, k, u, t: h < t and k < t and (u is None or t < u),
}


@pytest.mark.parametrize("mutant", RULES)
def test_a_mutant_of_the_rule_is_caught(mutant, monkeypatch, evaluators, same_answers, request):
    monkeypatch.setattr(reference, "is_visible", RULES[mutant])
    cases = next(plugin.cases for plugin in request.config.pluginmanager.get_plugins() if hasattr(plugin, "by_kernel"))
    caught = False
    for case in cases():
        try:
            caught |= not same_answers(evaluators["reference"](case), case.expected)
        except AssertionError:  # the events behind the answer differ
            caught = True
    assert caught

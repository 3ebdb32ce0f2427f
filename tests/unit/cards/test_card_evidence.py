"""A figure without evidence is not printed; one that cannot be estimated is words, never a nought."""

from __future__ import annotations

import pytest

from riskmodel.cards.evidence import Claim, Evidence, count_words, interval_words, number_words, per_hundred
from riskmodel.errors import EvidenceError


def evidence() -> Evidence:
    made = Evidence()
    made.artefact("evaluation", "ab" * 32, "evaluation")
    return made


def test_a_claim_needs_an_artefact_that_was_given() -> None:
    with pytest.raises(EvidenceError) as refused:
        evidence().claim(Claim("auroc", 0.7, "audit"))
    assert refused.value.code == "claim-without-evidence"
    assert "'audit'" in refused.value.found


def test_an_artefact_needs_a_fingerprint() -> None:
    with pytest.raises(EvidenceError) as refused:
        Evidence().artefact("model", "", "model")
    assert refused.value.code == "artefact-unmarked"


def test_two_figures_under_one_key_contradict_each_other() -> None:
    made = evidence()
    made.claim(Claim("auroc", 0.7, "evaluation"))
    made.claim(Claim("auroc", 0.7, "evaluation"))  # the same again is no contradiction
    with pytest.raises(EvidenceError) as refused:
        made.claim(Claim("auroc", 0.8, "evaluation"))
    assert refused.value.code == "claim-contradicted"


def test_the_document_is_sorted_and_reads_back() -> None:
    made = evidence()
    made.claim(Claim("b", 0.7, "evaluation", 0.6, 0.8, 100, "ok", "share", {"table": "metrics"}))
    made.claim(Claim("a", None, "evaluation", state="suppressed"))
    document = made.document()
    assert list(document["claims"]) == ["a", "b"]
    assert Claim.from_document("b", document["claims"]["b"]) == made.get("b")


@pytest.mark.parametrize(
    ("value", "low", "high", "state", "unit", "words"),
    [
        (0.7132, 0.69, 0.74, "ok", "number", "0.713 (0.690 to 0.740)"),
        (0.25, 0.1, 0.5, "imprecise", "share", "25.0% (10.0% to 50.0%), imprecise"),
        (None, None, None, "not_estimable", "share", "not estimable"),
        (0.3, 0.1, 0.5, "suppressed", "share", "suppressed"),  # a value that must not be shown is not
        (None, None, None, "ok", "number", "not known"),
        (float("nan"), None, None, "ok", "number", "not known"),
        (0.5, None, None, "ok", "number", "0.500"),
        (-0.25, -0.5, 0.0, "ok", "number", "\u22120.250 (\u22120.500 to 0.000)"),
    ],
)
def test_how_a_figure_reads(
    value: float | None, low: float | None, high: float | None, state: str, unit: str, words: str
) -> None:
    assert interval_words(value, low, high, state, unit) == words


def test_a_rounded_nought_has_no_sign() -> None:
    assert number_words(-0.0004) == "0.000"
    assert number_words(-1234.5, 1) == "\u22121,234.5"


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.137, "about 14"), (0.0049, "fewer than 1"), (0.9951, "more than 99"), (0.0, "none"), (1.0, "all"),
     (None, "an unknown number"), (float("nan"), "an unknown number")],
)  # fmt: skip
def test_per_hundred_does_not_pretend_to_precision(share: float | None, words: str) -> None:
    assert per_hundred(share) == words


def test_an_unknown_count_is_not_a_nought() -> None:
    assert count_words(None) == "not known"
    assert count_words(0) == "0"

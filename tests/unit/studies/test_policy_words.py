"""Each answer of an evaluation in its own words: what happened, what is not known, what moved, who was harmed."""

from __future__ import annotations

from typing import Any

import pytest

from riskmodel.studies.policy_words import finding_words

PRIMARY = {
    "name": "violence", "primary": True, "estimate": -2.0, "low": -3.0, "high": -1.0, "relative": [-0.2, -0.3, -0.1],
    "power": "An effect smaller than 1 would be missed.", "reason": "only 1 treated unit",
}  # fmt: skip


def document(answer: str, **changed: Any) -> dict[str, Any]:
    conclusion = {"answer": answer, "moved": [], "harmed": [], "doubts": []} | changed.pop("conclusion", {})
    primary = PRIMARY | changed
    edge = {"name": "children", "outcome": {"name": "exclusions"}, "estimate": 0.2, "low": 0.1, "high": 0.3}
    return {
        "outcomes": [primary], "plan": {"unit": "area"}, "period": "quarter", "conclusion": conclusion,
        "spillovers": [edge],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (
            document("fell"),
            (
                "Violence fell under the scheme: 2 (1 to 3) fewer in each area and quarter, 20% (10% to 30%) of what there "
                "would have been."
            ),
        ),
        (
            document("rose", estimate=2.0, low=1.0, high=3.0, relative=[None, None, None]),
            "Violence rose under the scheme: 2 (1 to 3) more in each area and quarter.",
        ),
        (
            document("no change shown"),
            (
                "No change of violence under the scheme is shown; that is not the same as none. An effect smaller than 1 "
                "would be missed."
            ),
        ),
        (
            document("not estimable"),
            "What the scheme did to violence cannot be estimated: only 1 treated unit.",
        ),
        (
            document("fell", conclusion={"moved": [["calls", "referrals"]], "harmed": ["children"], "doubts": ["x"]}),
            (
                "Violence fell under the scheme: 2 (1 to 3) fewer in each area and quarter, 20% (10% to 30%) of what there "
                "would have been. Work moved: calls fell while referrals rose. But children came to harm: exclusions rose "
                "by 0.2 (0.1 to 0.3) a quarter for each of them. A check speaks against this answer; see the checks."
            ),
        ),
    ],
)
def test_the_finding(made: dict[str, Any], said: str) -> None:
    assert finding_words(made, "the scheme") == said


def test_a_change_of_recording_never_reads_as_a_fall_of_harm() -> None:
    said = finding_words(document("recording changed"), "the scheme")
    assert "what changed is the recording" in said
    assert "fell" not in said

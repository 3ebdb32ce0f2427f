"""Each answer of an evaluation in its own words: what happened, what is not known, what moved, who was harmed."""

from __future__ import annotations

from typing import Any

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


FELL = "Violence fell under the scheme: 2 (1 to 3) fewer in each area and quarter, 20% (10% to 30%) of what "
FELL += "there would have been."
MORE = {"estimate": 2.0, "low": 1.0, "high": 3.0, "relative": [None, None, None]}
BESIDE = {"moved": [["calls", "referrals"]], "harmed": ["children"], "doubts": ["x"]}
NOTHING = "No change of violence under the scheme is shown; that is not the same as none. "


def said_of(answer: str, **changed: Any) -> str:
    return finding_words(document(answer, **changed), "the scheme")


def test_each_answer_in_its_own_words() -> None:
    assert said_of("fell") == FELL
    assert said_of("rose", **MORE) == "Violence rose under the scheme: 2 (1 to 3) more in each area and quarter."
    assert said_of("no change shown") == f"{NOTHING}An effect smaller than 1 would be missed."
    assert said_of("no change shown", power=None).endswith("Which change it could have seen was not worked out.")
    unknown = "What the scheme did to violence cannot be estimated: only 1 treated unit."
    assert said_of("not estimable") == unknown


def test_what_moved_who_was_harmed_and_what_speaks_against_it_stand_beside_the_answer() -> None:
    said = said_of("fell", conclusion=BESIDE).removeprefix(FELL)
    assert said == (
        " Work moved: calls fell while referrals rose. But children came to harm: exclusions rose by 0.2 (0.1 to 0.3) "
        "a quarter for each of them. A check speaks against this answer; see the checks."
    )


def test_a_change_of_recording_never_reads_as_a_fall_of_harm() -> None:
    said = said_of("recording changed")
    assert "what changed is the recording" in said
    assert "fell" not in said

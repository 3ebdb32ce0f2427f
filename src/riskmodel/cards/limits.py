"""The standing limits of any such model, in plain words, with this run's own figures in them.

A limit is left out only where it cannot apply (no children in question, no group threshold, one learner that gives
no reasons). A figure that the run could not make is not replaced by a softer sentence: the limit then says that the
figure is missing.
"""

from __future__ import annotations

from dataclasses import dataclass

from riskmodel.cards.evidence import Claim, per_hundred


@dataclass(frozen=True, slots=True)
class RunFigures:
    """What the limits need to know about the run.

    Attributes
    ----------
    people : str, what the people in question are called
    precision : Claim or None, of those on the list at the working capacity, the share with the outcome
    not_estimable : int, group measures that could not be estimated
    group_measures : int, group measures in all
    youngest : int or None, the youngest age in the cohort, years; None is not known
    children_said : str, what the card says about children, or ""
    fairness_choice : str, which measure was put first and by whom, or ""
    group_thresholds : bool, whether group membership changes a threshold
    synthetic : bool, whether the people are made up
    trained_elsewhere : bool, whether the model was made from other places' records
    reasons : bool, whether the card shows reasons
    reason_stability : float or None, share of the main reasons of high scores that stay when the model is made again
    """

    people: str
    precision: Claim | None
    not_estimable: int
    group_measures: int
    youngest: int | None
    children_said: str = ""
    fairness_choice: str = ""
    group_thresholds: bool = False
    synthetic: bool = False
    trained_elsewhere: bool = False
    reasons: bool = True
    reason_stability: float | None = None


RECORDED = (
    "It predicts that an event will be recorded. It does not predict violence, guilt or character. Records follow"
    " contact: people whom services see more often have more records."
)
INTERVALS = (
    "The intervals show how much figures would move with other people of the same kind. They do not cover wrong"
    " labels, records joined to the wrong person, or change over time."
)
SHAP = "SHAP values show what the model leaned on. They cannot prove that there is no bias."
GOOD_HELP = "Help that works looks like a false alarm: where support prevented the event, the model seems wrong."
NOT_ANONYMOUS = "A model that passes tests against re-identification is not thereby anonymous."
HUMAN = (
    "A person in the loop is a safeguard only if it is measured how often people look, and how often they disagree."
    " This card can show that only after use."
)
THRESHOLDS = (
    "A threshold that differs by group uses the protected characteristic at the moment of decision. Take legal advice"
    " first."
)
NOT_LAWFUL = (
    "This software does not make any use lawful. The purpose, the lawful basis and the partners' duties have to."
)
SYNTHETIC = (
    "The people behind these figures are made up. Nothing on this card says how well such a model would work for real"
    " people."
)


def standing_limits(run: RunFigures) -> tuple[str, ...]:
    """The limits that apply, as sentences."""
    said = (
        RECORDED,
        _not_estimable(run),
        _conflict(run),
        INTERVALS,
        _most_will_not(run),
        _reasons(run),
        SHAP if run.reasons else "",
        GOOD_HELP,
        _elsewhere(run),
        NOT_ANONYMOUS,
        HUMAN,
        THRESHOLDS if run.group_thresholds else "",
        NOT_LAWFUL,
        _children(run),
        SYNTHETIC if run.synthetic else "",
    )
    return tuple(sentence for sentence in said if sentence)


def _elsewhere(run: RunFigures) -> str:
    said = "Performance here says little about another place, another time or other services."
    return f"{said} This model was made from records of another place." if run.trained_elsewhere else said


def _not_estimable(run: RunFigures) -> str:
    said = "Not estimable is not the same as fair, and a suppressed figure is not the absence of risk."
    if run.group_measures:
        said += (
            f" Here {run.not_estimable:,} of {run.group_measures:,} group measures could not be estimated or had to be"
            " suppressed."
        )
    return said


def _conflict(run: RunFigures) -> str:
    said = "When groups differ in how often the event is recorded, no model can be fair by every measure at once."
    if run.fairness_choice:
        return f"{said} {run.fairness_choice}"
    return f"{said} Nobody has yet written down which measure comes first here, so none is claimed to be met."


def _most_will_not(run: RunFigures) -> str:
    claim = run.precision
    if claim is None or not claim.usable or claim.value is None:
        return f"Most {run.people} on such a list do not go on to the event. The figure per 100 is not estimable here."
    without = 1 - claim.value
    if without < 0.5:
        return (
            f"Of 100 {run.people} on the list, {per_hundred(without)} did not go on to the event. Being on the list"
            " settles nothing about anyone."
        )
    return f"Most {run.people} on the list do not go on to the event: of 100 on it, {per_hundred(without)} did not."


def _reasons(run: RunFigures) -> str:
    if not run.reasons:
        return ""
    said = "Reasons describe the model, not causes. They can change when the model is made again"
    if run.reason_stability is None:
        return f"{said}; how often has not been measured for this edition."
    return f"{said}: of 100 main reasons of high scores, {per_hundred(run.reason_stability)} stayed the same."


def _children(run: RunFigures) -> str:
    if run.youngest is not None and run.youngest >= 18:
        return ""
    if run.children_said:
        return f"Children are among the people in question. {run.children_said}"
    return (
        "Children are or may be among the people in question. They need a card of their own, or are to be left out,"
        " before any use."
    )

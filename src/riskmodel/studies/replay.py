"""A study made ready to be taught again from the records of some agencies."""

from __future__ import annotations

from riskmodel.histories.store import Histories
from riskmodel.models.coalitions import Replay
from riskmodel.studies import stages
from riskmodel.studies.stages import Steps
from riskmodel.studies.study import Study


def replay_of(study: Study, histories: Histories, steps: Steps = lambda *_: None) -> Replay:
    """The study's replay, with as many places on its lists as the audit judges, or else the most that is judged."""
    training = stages.training_set(study, histories, steps)
    capacity = study.declaration.audit.capacity or max(study.declaration.model.capacity)
    return Replay.of(histories, training, study.learner, study.folds, capacity=capacity)

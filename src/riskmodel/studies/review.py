"""The retrospective review of one person of a study: by the rules of its needs.toml, and by its model of that time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from riskmodel.histories.store import Histories
from riskmodel.models.coalitions import first_place
from riskmodel.population.pages.html import write_page
from riskmodel.population.pages.who_knew import who_knew_page
from riskmodel.population.pages.words import plain
from riskmodel.population.who_knew import Asked, who_knew
from riskmodel.studies.needs import histories_of
from riskmodel.studies.needs_declaration import load_plan
from riskmodel.studies.replay import replay_of
from riskmodel.studies.stages import WorldMaker
from riskmodel.studies.study import Study
from riskmodel.tables import entity_id_of


def review_of_study(
    study: Study,
    store: Path,
    person: str,
    reason: str,
    to: Path,
    *,
    society: WorldMaker | None = None,
    data: Path | None = None,
    model: bool = True,
    pdf: bool = False,
) -> Sequence[Path]:
    """Write the retrospective review of one pseudonymous person.

    Parameters
    ----------
    person : the pseudonym
    reason : which review it is for; it goes to the ledger, the person does not
    model : whether the study's model is asked too: taught again, without this person, on what was complete then
    """
    plan, entity = load_plan(study.folder), entity_id_of(person)
    with histories_of(study, store, society, data) as (_, histories):
        made = who_knew(
            histories, entity, plan.as_of, reason=reason, thresholds=plan.thresholds, joint=plan.joint,
            also=by_model(study, histories, entity) if model else (),
        )  # fmt: skip
    return write_page(who_knew_page(made, plan.organisation), to, "who-knew", pdf=pdf)


def by_model(study: Study, histories: Histories, entity: int) -> tuple[Asked, ...]:
    """When the study's lists would first have held the person: from all records, and from each agency's alone."""
    replay = replay_of(study, histories)
    together = first_place(replay, replay.agencies, entity)
    if not together.lists:
        return (Asked("The model, all together", None, "the model was never asked about this person"),)
    made = [Asked("The model, all together", together.day, together.words)]
    for agency in replay.agencies:
        alone = first_place(replay, (agency,), entity)
        if alone.known:
            made.append(Asked(f"The model, {plain(agency).lower()} alone", alone.day, alone.words))
    return tuple(made)

"""Missed use and retrospective reviews of a study: the replays that its needs.toml declares, from its own histories."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from riskmodel.errors import DeclarationError
from riskmodel.governance.disclosure import RULES
from riskmodel.population.harm import period_of
from riskmodel.population.missed_use import missed_use
from riskmodel.population.pages.html import write_page
from riskmodel.population.pages.missed_use import missed_use_page
from riskmodel.population.pages.who_knew import who_knew_page
from riskmodel.population.publication import Publication
from riskmodel.population.reading import reading
from riskmodel.population.who_knew import who_knew
from riskmodel.studies.needs import histories_of
from riskmodel.studies.needs_declaration import load_plan
from riskmodel.studies.stages import WorldMaker
from riskmodel.studies.study import Study
from riskmodel.tables import entity_id_of


def missed_use_of_study(
    study: Study,
    store: Path,
    to: Path,
    *,
    society: WorldMaker | None = None,
    data: Path | None = None,
    earlier: Path | None = None,
) -> Sequence[Path]:
    """Replay the joint rule of the study's needs.toml for one agency, each coalition and all together.

    Raises
    ------
    DeclarationError : no joint rule is declared
    """
    plan = load_plan(study.folder)
    if plan.joint is None:
        raise DeclarationError.of(
            "joint-missing",
            where="needs.toml joint",
            found="no joint rule",
            expected="the rule that is replayed",
            repair="Write [joint] with count and within.",
        )
    last = None if earlier is None else Publication.load(earlier)
    with histories_of(study, store, society, data) as (opened, histories):
        publication = Publication("missed-use", plan.edition, plan.as_of, RULES[plan.rules], opened.ledger, last)
        with reading(histories, dt.datetime.combine(plan.as_of, dt.time())) as counting:
            period = period_of(counting, plan.harms, 1, plan.settle_days)
            made = missed_use(
                publication,
                counting,
                plan.harms,
                period,
                histories.agencies,
                count=plan.joint.count,
                within=plan.joint.within,
                ledger=opened.ledger,
            )
    pages = write_page(missed_use_page(made, publication, plan.organisation), to, "missed-use")
    return [*pages, publication.save(to)]


def review_of_study(
    study: Study,
    store: Path,
    person: str,
    reason: str,
    to: Path,
    *,
    society: WorldMaker | None = None,
    data: Path | None = None,
) -> Sequence[Path]:
    """Write the retrospective review of one pseudonymous person, by the rules of the study's needs.toml."""
    plan = load_plan(study.folder)
    with histories_of(study, store, society, data) as (_, histories):
        made = who_knew(
            histories, entity_id_of(person), plan.as_of, reason=reason, thresholds=plan.thresholds, joint=plan.joint
        )
    return write_page(who_knew_page(made, plan.organisation), to, "who-knew")

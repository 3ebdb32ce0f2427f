"""Missed use of a study: its joint rule and its model replayed for one agency, coalitions, and all together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from riskmodel.governance.disclosure import RULES
from riskmodel.histories.store import Histories
from riskmodel.models.coalitions import replayed
from riskmodel.models.fewest_fields import FewestFields, Field, fewest_fields
from riskmodel.models.judging import capacity_label
from riskmodel.population.foresight import leave_foresight, median_days
from riskmodel.population.harm import period_of
from riskmodel.population.missed_use import missed_use, misuse_in
from riskmodel.population.needs import NeedsPlan
from riskmodel.population.pages.html import write_page
from riskmodel.population.pages.missed_use import SmallSet, Told, missed_use_page
from riskmodel.population.pages.words import plain
from riskmodel.population.publication import Publication
from riskmodel.population.reading import reading
from riskmodel.studies.needs import histories_of
from riskmodel.studies.needs_declaration import load_plan
from riskmodel.studies.progress import Progress, shown
from riskmodel.studies.replay import replay_of
from riskmodel.studies.stages import WorldMaker
from riskmodel.studies.study import Study

_SHARES = {"histories": 20.0, "rule": 10.0, "training set": 10.0, "model": 60.0, "fewest records": 40.0}


def missed_use_of_study(
    study: Study,
    store: Path,
    to: Path,
    *,
    society: WorldMaker | None = None,
    data: Path | None = None,
    earlier: Path | None = None,
    model: bool = True,
    pdf: bool = False,
) -> Sequence[Path]:
    """Replay the study's joint rule and its model, and write the page, the tables and the disclosure record.

    Parameters
    ----------
    earlier : the folder of the last edition
    model : whether the model is replayed; it is taught again for every coalition and fold
    """
    plan = load_plan(study.folder)
    last = None if earlier is None else Publication.load(earlier)
    with shown(_SHARES) as progress:
        progress.stage("histories")
        with histories_of(study, store, society, data) as (opened, histories):
            progress.done(f"{histories!r}")
            made = Publication("missed-use", plan.edition, plan.as_of, RULES[plan.rules], opened.ledger, last)
            told = [*_by_rule(made, histories, plan, progress)]
            small = None
            if model:
                by_model, small = _by_model(made, histories, study, progress)
                told.insert(0, by_model)
            misuse = misuse_in(opened.ledger)
    page = missed_use_page(told, small, misuse, made, plan.organisation, synthetic=plan.synthetic)
    return [*write_page(page, to, "missed-use", pdf=pdf), made.save(to)]


def _by_rule(made: Publication, histories: Histories, plan: NeedsPlan, progress: Progress) -> list[Told]:
    if plan.joint is None:
        return []
    progress.stage("rule")
    with reading(histories, dt.datetime.combine(plan.as_of, dt.time())) as counting:
        period = period_of(counting, plan.harms, 1, plan.settle_days)
        found = missed_use(
            made,
            counting,
            plan.harms,
            period,
            histories.agencies,
            count=plan.joint.count,
            within=plan.joint.within,
        )
    progress.done(f"{len(found.views)} coalitions")
    how = (
        f"Everybody with a record; harm of every kind, {period.words}. Seen coming: {plan.joint.count} records within "
        f"{plan.joint.within} were known within the year before."
    )
    return [Told("rule", f"By a rule: {plan.joint.count} records within {plan.joint.within}", how, found)]


def _by_model(made: Publication, histories: Histories, study: Study, progress: Progress) -> tuple[Told, SmallSet]:
    progress.stage("training set")
    replay = replay_of(study, histories, progress.step)
    progress.done(f"{replay.training!r}")
    places = capacity_label(replay.capacity)
    progress.stage("model")
    views, when = replayed(replay, told=progress.step)
    progress.done(f"{len(views)} coalitions")
    title = f"a list with places for {places} made by the model"
    found = leave_foresight(made, views, name="model", title=title, when=when)
    progress.stage("fewest records")
    fewest = fewest_fields(replay, told=progress.step)
    progress.done(f"{len(fewest.kept)} kinds of record")
    how = (
        f"People of the study's cohort and its outcome, {when}. In every fold the model was taught again on what the "
        f"coalition could see. Seen coming: a place on the list for {places} of the cohort within "
        f"the year before. Every list has as many places, so that nobody sees more by pointing to more."
    )
    return Told("model", "By the model, taught again for each coalition", how, found), _small_set(made, fewest)


def _small_set(made: Publication, fewest: FewestFields) -> SmallSet:
    names = ("both", "small_only", "all_only", "neither")
    counts = dict(zip(names, fewest.confirmed, strict=True))
    row = {"period": "last", "harmed": sum(counts.values()), **counts}
    left = made.leave(
        "fewest_records",
        "People harmed in the last period, by whether the fewest records or all records saw it coming",
        pa.Table.from_pylist([row]),
        keys=("period",),
        counts=("harmed", *names),
        within_counts={"harmed": list(names)},
        whole_rows=True,
    ).to_pylist()[0]
    shown_counts = {name: left[name] for name in names}
    seen = [_sum(shown_counts, "both", other) for other in ("small_only", "all_only")]
    leads = [median_days(days, count) for days, count in zip((fewest.days_small, fewest.days_all), seen, strict=True)]
    kept, left_out = (tuple(_field(one) for one in fields) for fields in (fewest.kept, fewest.left_out))
    return SmallSet(kept, left_out, shown_counts, *leads)


def _sum(counts: dict[str, int | None], *names: str) -> int | None:
    held = [counts[name] for name in names]
    return None if None in held else int(np.sum([count for count in held if count is not None]))


def _field(field: Field) -> tuple[str, str, str]:
    agencies = ", ".join(plain(name) for name in field.agencies) or "All (shared)"
    return plain(field.title), agencies, ", ".join(field.columns).replace("_", " ")

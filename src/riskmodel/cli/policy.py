"""What `riskmodel run` and `riskmodel check` do with a study that evaluates a policy."""

from __future__ import annotations

from pathlib import Path

import typer


def run_policy(study: Path, data: Path | None, store: Path | None, cards: Path | None) -> list[str]:
    """Run an evaluation; returns its answer, its grade and every deviation from its plan, to be printed."""
    from riskmodel.studies.policy_declaration import PolicyWorldTable
    from riskmodel.studies.policy_study import PolicyStudy, run_policy_study
    from riskmodel.studies.run import Places
    from riskmodel.world.policy import PolicyWorld
    from riskmodel.world.policy_records import write_records

    def society(world: PolicyWorldTable, folder: Path) -> None:
        made = PolicyWorld.generate(world.kind, world.seed, areas=world.areas, children=world.children)
        write_records(made, folder)

    loaded = PolicyStudy.load(study)
    return list(run_policy_study(loaded, Places.of(loaded, data, store, cards, None), society).summary())


def check_policy(study: Path) -> None:
    """Say what an evaluation declares, without opening any record."""
    from riskmodel.studies.policy_study import PolicyStudy

    declared = PolicyStudy.load(study).declaration
    agencies = len({outcome.agency for outcome in declared.outcomes})
    typer.echo(
        f"{declared.study.title}: {len(declared.outcomes)} outcomes of {agencies} agencies, primary "
        f"{declared.policy.primary!r}, estimator {declared.policy.estimator}."
    )

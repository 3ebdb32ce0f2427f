"""The verb that writes a synthetic society's deliveries."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def world(
    folder: Annotated[Path, typer.Argument(help="Where the agencies' files go.", show_default=False)],
    people: Annotated[int, typer.Option(help="How many people ever live in it.")] = 20_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 7,
    start: Annotated[str, typer.Option(help="First day, the first of a month.")] = "2012-01-01",
    end: Annotated[str, typer.Option(help="First day after the span.")] = "2023-01-01",
    setting: Annotated[
        str, typer.Option(help="district (made up) or leeds (calibrated to public totals).")
    ] = "district",
    scenes: Annotated[bool, typer.Option("--scenes", help="With the planted scenes.")] = False,
    every_contact: Annotated[bool, typer.Option("--every-contact", help="With everyday contacts.")] = False,
    form: Annotated[
        str | None, typer.Option("--format", help="parquet, csv or jsonl [default: as contracts say].")
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes; the bytes do not depend on it.")] = 1,
) -> None:
    """Write the deliveries of a synthetic society: nobody in it lives."""
    from riskmodel.world.society import World

    made = World.generate(people, seed, start, end, scenes=scenes, every_contact=every_contact, setting=setting)
    listed = made.deliveries(folder, format=form, workers=workers)
    agencies = len({one.agency for one in listed})
    typer.echo(f"{len(listed)} feeds of {agencies} agencies in {len({one.path for one in listed})} files: {folder}")

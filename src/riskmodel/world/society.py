"""A synthetic society whose truth is known, and the deliveries its agencies would send.

Nobody in it lives or lived: names are put together at random, postcodes are in no directory, and no row comes from
real data. What is true is kept apart from what is delivered: deliveries go through the published contracts like
anybody else's, and `World.truth` is read by tests and benches only, never by a stage of a study.

A world is a seed and a size. It is made in blocks of 5,000 people that know nothing of each other, so it can be
larger than memory and comes out the same bytes however it is made.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from riskmodel.errors import DeclarationError, Fault
from riskmodel.feeds.delivery import Delivery, write_manifest
from riskmodel.feeds.feed import FORMATS
from riskmodel.world.agencies import AGENCIES
from riskmodel.world.blocks import Block, Plan, block_of
from riskmodel.world.parcels import files_of
from riskmodel.world.scenes import SPAN_YEARS
from riskmodel.world.settings import SETTINGS
from riskmodel.world.truth import Truth
from riskmodel.world.writing import FeedFile, all_pieces, delivered

_FEWEST = 200


@dataclass(frozen=True, slots=True)
class World:
    """A society of families, homes and nine agencies over some years.

    The truth. The rate of every kind of event is set by one table (`riskmodel.world.hazards`): latent strain and
    support, deprivation, and what happened before in a person's life and home. With the default size and span about two
    in a hundred people aged 10 to 25 are treated for an injury by violence in a year. The true rate at an as-of date
    ranks that outcome with an area under the curve of about .80; all agencies' records together reach about .70 to .75,
    and the best single agency three to six hundredths less, because each sees another part of the same lives.

    What a naive analyst would find. That stop and search predicts injury (it follows police, area and skin colour, and
    through them deprivation); that plans and therapy do harm (they go to those at most risk, and lower it); that some
    communities suffer less violence (they report less); that linked people without a history are safe (some were
    not linked because their names were misspelt).

    Parameters
    ----------
    plan : Plan, see `World.generate`
    """

    plan: Plan

    @classmethod
    def generate(
        cls, people: int, seed: int, start: str = "2012-01-01", end: str = "2023-01-01", *, scenes: bool = False,
        every_contact: bool = False, setting: str = "district",
    ) -> World:  # fmt: skip
        """Describe a world; its blocks are made when they are asked for.

        Parameters
        ----------
        people : int, at least 200; everybody who lives in it at any time, born before or during the span
        seed : int, at least 0; the same seed and size give the same bytes
        start, end : first days of months, a whole number of quarters apart; `end` is the first day after the span
        scenes : bool, deliver the people of `riskmodel.world.scenes` too; needs a span of eleven years
        every_contact : bool, deliver everyday contacts too (`riskmodel.world.routine`): about 40 events a person in ten
            years instead of about 4, in four files more
        setting : "district", made up and eventful, or "leeds", calibrated to public totals (`riskmodel.world.settings`)

        Raises
        ------
        DeclarationError : code "world-invalid", with every fault

        Examples
        --------
        >>> World.generate(people=2_000, seed=7)
        World(2000 people, seed 7, 2012-01-01 to 2023-01-01)
        """
        faults = _faults(people, seed, start, end, scenes)
        if setting not in SETTINGS:
            faults.append(Fault("world setting", repr(setting), " or ".join(SETTINGS), "Name one."))
        if faults:
            raise DeclarationError("world-invalid", faults=faults)
        return cls(Plan(people, seed, str(start), str(end), scenes, every_contact, setting))

    @property
    def truth(self) -> Truth:
        """What is true of this world, for tests and benches."""
        return Truth(self.plan)

    def blocks(self) -> int:
        """How many blocks the world has."""
        return len(self.plan.sizes())

    def block(self, number: int) -> Block:
        """One block, made from nothing but the plan and its number."""
        return block_of(self.plan, number)

    def deliveries(
        self, folder: str | Path = "deliveries", *, agencies: Sequence[str] = AGENCIES, format: str | None = None,
        workers: int = 1,
    ) -> list[Delivery]:  # fmt: skip
        """Write the agencies' files, and ``deliveries.toml`` that lists them; a few blocks in memory at a time.

        Parameters
        ----------
        folder : where the files go, by default ``deliveries`` in the working folder; made when it is not there
        agencies : whose files to write, by default everybody's; what the others write does not depend on it
        format : "csv", "jsonl" or "parquet" for all files, by default what each contract says
        workers : int, processes that make blocks; the bytes are the same whatever their number. With more than one, a
            script needs the usual ``if __name__ == "__main__":``

        Returns
        -------
        list of Delivery, in order of feed name

        Raises
        ------
        DeclarationError : code "world-invalid": an agency, a format or a number of workers that cannot be
        """
        faults = _delivery_faults(agencies, format, workers)
        if faults:
            raise DeclarationError("world-invalid", faults=faults)
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        feeds = files_of(self.plan, agencies, format)
        planted = self.truth.script().tables() if self.plan.scenes else {}
        with ExitStack() as stack:
            files = [stack.enter_context(FeedFile(feed, folder)) for feed in feeds]
            for made in all_pieces(self.plan, feeds, folder, workers):
                for file, (piece, rows) in zip(files, made, strict=True):
                    file.add(piece, rows)
            for file in files:
                if file.feed.name in planted:
                    file.append(file.feed.render(planted[file.feed.name]))
        listed = delivered(files, self.plan.start, self.plan.end)
        write_manifest(folder, listed)
        return listed

    def __repr__(self) -> str:
        return f"World({self.plan.people} people, seed {self.plan.seed}, {self.plan.start} to {self.plan.end})"


def _delivery_faults(agencies: Sequence[str], format: str | None, workers: int) -> list[Fault]:
    faults = [
        Fault("world agencies", repr(name), f"some of {', '.join(AGENCIES)}", "Correct the name.")
        for name in agencies
        if name not in AGENCIES
    ]
    if format is not None and format not in FORMATS:
        faults.append(Fault("world format", repr(format), " or ".join(FORMATS), "Name one, or leave it out."))
    if not isinstance(workers, int) or workers < 1:
        faults.append(Fault("world workers", repr(workers), "a whole number of at least 1", "Correct it."))
    return faults


def _faults(people: object, seed: object, start: object, end: object, scenes: bool) -> list[Fault]:
    faults = []
    for name, value, least in (("people", people, _FEWEST), ("seed", seed, 0)):
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            faults.append(Fault(f"world {name}", repr(value), f"a whole number of at least {least}", "Correct it."))
    days = []
    for name, value in (("start", start), ("end", end)):
        try:
            days.append(dt.date.fromisoformat(str(value)))
        except ValueError:
            faults.append(Fault(f"world {name}", repr(value), "a date such as 2012-01-01", "Correct it."))
    if len(days) == 2:
        months = (days[1].year - days[0].year) * 12 + days[1].month - days[0].month
        if days[0].day != 1 or days[1].day != 1 or months < 12 or months % 3:
            found = f"{days[0]} to {days[1]}"
            repair = "Write the first days of two months, such as 2012-01-01 and 2023-01-01."
            faults.append(
                Fault("world span", found, "whole quarters between first days of months, a year or more", repair)
            )
        elif scenes and months < 12 * SPAN_YEARS:
            found = f"{days[0]} to {days[1]}"
            faults.append(Fault("world span", found, f"at least {SPAN_YEARS} years for scenes", "Lengthen it."))
        elif not 1960 <= days[0].year <= 2100 or not days[1].year <= 2100:
            faults.append(Fault("world span", f"{days[0]} to {days[1]}", "years from 1960 to 2100", "Correct it."))
    return faults

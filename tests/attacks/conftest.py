"""A school whose pupils and exclusions several attacks begin with."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import riskmodel as rm

_CONTRACT = """
agency = "school"
title = "School"
controller = "School"
legal_regime = "UK GDPR"
date_format = "%Y-%m-%d"
[feeds.people]
holds = "people"
file = "pupils"
key = ["pupil"]
[feeds.people.columns]
pupil = { type = "text", means = "person_key", required = true }
name = { type = "text", means = "given_name" }
born = { type = "date", means = "birth_date" }
recorded = { type = "date", means = "recorded_at", required = true }
[feeds.events]
holds = "events"
file = "exclusions"
key = ["ref"]
[feeds.events.columns]
ref = { type = "text", means = "event_key", required = true }
pupil = { type = "text", means = "person_key", required = true }
from = { type = "date", means = "happened_at", required = true }
recorded = { type = "date", means = "recorded_at", required = true }
[feeds.events.constants]
kind = "exclusion"
"""


@dataclass(frozen=True)
class School:
    """Two hundred pupils, named Zoltrix, of whom every fourth is excluded more often."""

    purpose = rm.Purpose(
        "support", "To help.", "A law.", ("school",), ("birth_date", "given_name"), dt.date(9999, 1, 1)
    )
    covers = (dt.datetime(2020, 2, 1), dt.date(2015, 1, 1), dt.date(2020, 2, 1))
    """When its files were received, and from and until when they cover."""

    def contracts(self, folder: Path) -> list[rm.Contract]:
        """What it delivers."""
        (folder / "school.toml").write_text(_CONTRACT)
        return [rm.Contract.load(folder / "school.toml")]

    def deliveries(self, folder: Path) -> list[rm.Delivery]:
        """Its two files."""
        draw = np.random.default_rng(5)
        pupils = [f"q{n},Zoltrix{n},{dt.date(2003, 1, 1) + dt.timedelta(days=n * 9)},2015-01-01" for n in range(200)]
        events = []
        for number in range(1200):
            pupil = int(draw.integers(0, 50)) * 4 if number % 2 else int(draw.integers(0, 200))
            day = dt.date(2016, 1, 1) + dt.timedelta(days=int(draw.integers(0, 1400)))
            events.append(f"e{number},q{pupil},{day},{day + dt.timedelta(days=3)}")
        (folder / "pupils.csv").write_text("\n".join(["pupil,name,born,recorded", *pupils]) + "\n")
        (folder / "exclusions.csv").write_text("\n".join(["ref,pupil,from,recorded", *events]) + "\n")
        names = {"school.people": "pupils.csv", "school.events": "exclusions.csv"}
        return [rm.Delivery(feed, folder / name, *self.covers) for feed, name in names.items()]


@pytest.fixture(scope="session")
def school() -> Any:
    """The school; a fixture since test modules cannot import one another."""
    return School()

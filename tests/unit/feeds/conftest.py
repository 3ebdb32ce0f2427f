"""A small agency, a clinic, whose contract and files are written out in full so that every answer can be read off."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from riskmodel.feeds.contract import Contract
from riskmodel.feeds.delivery import Delivery
from riskmodel.governance.access import Store, connect
from riskmodel.governance.purposes import Purpose

CLINIC = """\
agency = "clinic"
title = "Walk-in clinic"
controller = "The clinic"
legal_regime = "UK GDPR"
purposes = ["early-support"]
date_format = "%d/%m/%Y"
moment_format = ["%d/%m/%Y %H:%M", "%d/%m/%Y"]

[feeds.people]
holds = "people"
file = "patients"
key = ["id"]

[feeds.people.columns]
id = { type = "text", means = "person_key", required = true, longest = 20 }
name = { type = "text", means = "family_name", longest = 50 }
born = { type = "date", means = "birth_date", unknown_when = ["01/01/1900"] }
sex = { type = "code", means = "sex", codes = "sex", caveat = "As written at the desk." }
changed = { type = "moment", means = "recorded_at" }

[feeds.visits]
holds = "events"
file = "visits"
key = ["no"]

[feeds.visits.columns]
no = { type = "text", means = "event_key", required = true }
id = { type = "text", means = "person_key", longest = 20 }
why = { type = "code", means = "kind", codes = "why", required = true }
at = { type = "moment", means = "happened_at", required = true }
left = { type = "moment", means = "ended_at" }
points = { type = "number", means = "value", at_least = 0, at_most = 10 }
seen_on = { type = "moment", means = "recorded_at" }
gone = { type = "code", means = "retracted", codes = "gone", may_be_absent = true }

[feeds.ties]
holds = "relations"
file = "ties"
may_be_empty = true

[feeds.ties.columns]
id = { type = "text", means = "person_key", required = true }
tie = { type = "code", means = "kind", codes = "tie", required = true }
to = { type = "text", means = "other_person_key", required = true }
since = { type = "date", means = "starts_at" }
until = { type = "date", means = "ends_at" }

[codes.sex]
1 = "male"
2 = "female"
9 = "unknown"

[codes.why]
INJ = { kind = "injury_by_violence", role = "subject" }
MH = { kind = "mental_health_contact", role = "subject", valid_from = 2015-01-01 }
X = [
  { kind = "overdose", valid_until = 2018-01-01 },
  { kind = "self_harm", valid_from = 2018-01-01 },
]

[codes.gone]
Y = "true"
N = "false"

[codes.tie]
P = "parent"
C = "child_of"
"""

PEOPLE = """\
id,name,born,sex,changed
a,Ash,03/04/2001,1,01/02/2019 09:00
b,Birch,05/06/2003,2,01/02/2019 09:00
c,Cedar,01/01/1900,9,
"""
VISITS = """\
no,id,why,at,left,points,seen_on
v1,a,INJ,10/03/2020 22:15,11/03/2020 01:00,3,12/03/2020
v2,b,MH,01/04/2020 10:00,,,
v3,,X,02/04/2020 10:00,,1.5,03/04/2020
"""
ALL_FIELDS = ("family_name", "birth_date", "sex", "value")
Clinic = Callable[..., list[Delivery]]


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    path = tmp_path / "clinic.toml"
    path.write_text(CLINIC, encoding="utf-8")
    return Contract.load(path)


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    """Write files of the clinic and return their deliveries: ``clinic(people=..., visits=..., suffix=".csv")``."""

    def write(
        people: str | bytes | None = PEOPLE,
        visits: str | bytes | None = VISITS,
        ties: str | bytes | None = None,
        *,
        stem: str = "",
        suffix: str = ".csv",
        received_at: dt.datetime = dt.datetime(2021, 1, 10, 12),
        covers: tuple[dt.date, dt.date] = (dt.date(2019, 1, 1), dt.date(2021, 1, 10)),
    ) -> list[Delivery]:
        made = []
        for feed, content in (("people", people), ("visits", visits), ("ties", ties)):
            if content is not None:
                path = tmp_path / f"{feed}{stem}{suffix}"
                path.write_bytes(content.encode() if isinstance(content, str) else content)
                made.append(Delivery(f"clinic.{feed}", path, received_at, *covers))
        return made

    return write


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return opened(tmp_path / "store")


def opened(folder: Path, fields: tuple[str, ...] = ALL_FIELDS, controllers: tuple[str, ...] = ("clinic",)) -> Store:
    purpose = Purpose("test", "To test.", "consent", controllers, fields, dt.date(2999, 1, 1))
    return connect(f"duckdb:///{folder}", purpose)


@pytest.fixture
def open_store(tmp_path: Path) -> Callable[..., Store]:
    count = iter(range(100))
    return lambda **given: opened(tmp_path / f"store{next(count)}", **given)

"""Planted scenes: a few made-up people whose records, put together, show what no single agency can see.

They are no part of the society: nobody else's life depends on them, and a world without scenes has the same bytes.

The truth, and what a naive analyst would find:

- *Susan*: ten years of low-level abuse, three moves across two police forces, and a fire set at the home she had left.
  Each force has a short, quiet file, no year holds more than two incidents, and the fire names nobody, at the police as
  at the fire service: only her linked history, with the addresses in it, shows one woman followed for ten years.
- *The child known to four services but never at once*: children's services, school, youth justice and hospital each
  meet him in another year. Whoever counts the agencies of the last year always finds one.
- *The imprisoned parent*: a girl whose own history is empty but for the referral that put her father on file; his time
  in prison is known to the courts only.
- *The wrong clock*: a landlord whose computer ran a year behind writes down arrears as recorded before they happened.
  Who trusts the recording date sees the future; the span between the two dates gives the feed away.
- *Demand that moved*: six people have a crisis every quarter for ten years, 24 a year. Until a policy of the seventh
  year police go to each of them; from then on to one in four, and the hospital sees the others. Police alone find that
  their demand fell by three quarters, the hospital that its demand rose out of nothing; both files together, that the
  people in crisis are as many as before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

BLOCK: Final = "9999"
"""Stands in the keys where others have the number of their block."""
SPAN_YEARS: Final = 11
_LAG: Final = dt.timedelta(days=2, hours=3)
_CLOCK_BEHIND: Final = dt.timedelta(days=365)
_HOMES: Final = {
    "old mill": ("3 Lantern Row", "ZT98 1AB", "X01999900"),
    "terrace": ("17 Saltern Terrace", "ZT98 2DE", "X01999900"),
    "flat": ("Flat 2, 40 Weir Street", "ZT99 3FG", "X01999901"),
    "new start": ("8 Halyard Close", "ZT99 4HJ", "X01999901"),
    "hostel": ("1 Tannery Yard", "ZT99 6KP", "X01999901"),
    "estate": ("21 Fallow Drive", "ZT98 5LN", "X01999900"),
}
_TEXT, _MOMENT = pa.string(), pa.timestamp("us")
PEOPLE_SCHEMA: Final = pa.schema(
    [(name, _TEXT) for name in ("person_key", "given_name", "family_name")]
    + [("birth_date", pa.date32())]
    + [(name, _TEXT) for name in ("sex", "ethnicity", "address", "postcode", "area")]
    + [("address_from", pa.date32()), ("recorded_at", _MOMENT)]
)
EVENT_SCHEMA: Final = pa.schema(
    [("event_key", _TEXT), ("person_key", _TEXT)]
    + [(name, _MOMENT) for name in ("happened_at", "ended_at", "recorded_at")]
    + [("kind", _TEXT), ("role", _TEXT), ("value", pa.float64()), ("address", _TEXT), ("postcode", _TEXT)]
    + [("retracted", pa.bool_())]
)
RELATION_SCHEMA: Final = pa.schema(
    [(name, _TEXT) for name in ("person_key", "other_person_key", "kind")]
    + [(name, _MOMENT) for name in ("starts_at", "ends_at", "recorded_at")]
)


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody in a scene: who they are and which number they have in the world's truth."""

    scene: str
    role: str
    number: int
    given: str
    family: str
    born: dt.date
    sex: str

    def __repr__(self) -> str:
        return f"Actor({self.scene}, {self.role})"


@dataclass(slots=True)
class Script:
    """The records of all scenes while they are written: standard rows by feed."""

    start: dt.date
    first_number: int
    rows: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    cast: list[tuple[Actor, str, str]] = field(default_factory=list)  # actor, agency, key
    written: int = 0

    def day(self, year: int, month: int, day: int, hour: int = 14) -> dt.datetime:
        """A moment in the n-th year of the world, counted from 0."""
        return dt.datetime(self.start.year + year, month, day, hour)

    def actor(self, scene: str, role: str, given: str, family: str, born: dt.date, sex: str) -> Actor:
        """Somebody new."""
        number = self.first_number + len({one.number for one, _, _ in self.cast})
        return Actor(scene, role, number, given, family, born, sex)

    def entry(self, who: Actor, agency: str, file: str, home: str, since: dt.datetime) -> str:
        """A version of an entry: `agency` learns that `who` lives at `home`; `file` tells two entries apart."""
        prefix = "".join(word[0] for word in agency.split("_")).upper()
        key = f"{prefix}{BLOCK}{who.number - self.first_number:03d}{file}"
        address, postcode, area = _HOMES[home]
        if (who, agency, key) not in self.cast:
            self.cast.append((who, agency, key))
        self.rows.setdefault(f"{agency}.people", []).append(
            {
                "person_key": key, "given_name": who.given, "family_name": who.family, "birth_date": who.born,
                "sex": who.sex, "ethnicity": "white", "address": address, "postcode": postcode, "area": area,
                "address_from": since.date(), "recorded_at": since + _LAG,
            }
        )  # fmt: skip
        return key

    def event(
        self, agency: str, key: str | None, kind: str, role: str, at: dt.datetime, *, home: str | None = None,
        ended: dt.datetime | None = None, value: float | None = None, recorded: dt.datetime | None = None,
    ) -> None:  # fmt: skip
        """An event as an agency recorded it, two days later unless said otherwise."""
        self.written += 1
        address, postcode, _ = _HOMES[home] if home else (None, None, None)
        self.rows.setdefault(f"{agency}.events", []).append(
            {
                "event_key": f"S{BLOCK}{self.written:05d}", "person_key": key, "happened_at": at, "ended_at": ended,
                "recorded_at": recorded or at + _LAG, "kind": kind, "role": role, "value": value, "address": address,
                "postcode": postcode, "retracted": False,
            }
        )  # fmt: skip

    def tables(self) -> dict[str, pa.Table]:
        """Feed name -> standard rows in order of recording."""
        schemas = {"people": PEOPLE_SCHEMA, "events": EVENT_SCHEMA, "relations": RELATION_SCHEMA}
        made = {}
        for feed, rows in sorted(self.rows.items()):
            table = pa.Table.from_pylist(rows, schema=schemas[feed.partition(".")[2]])
            made[feed] = table.sort_by([("recorded_at", "ascending"), (table.column_names[0], "ascending")])
        return made


def played(start: dt.date, first_number: int) -> Script:
    """All scenes, played from the first day of a world of at least eleven years.

    `first_number` is the number that the first actor has in the world's truth.
    """
    script = Script(start, first_number)
    for scene in (_susan, _four_services, _imprisoned_parent, _wrong_clock, _moved_demand):
        scene(script)
    return script


def _susan(script: Script) -> None:
    """Twenty incidents in ten years, three moves, two forces, and an arson at the first home after she left it."""
    born = dt.date(script.start.year - 29, 6, 17)
    susan = script.actor("susan", "susan", "Susan", "Fairhurst-Quill", born, "female")
    moves = (("old mill", 0, "0"), ("flat", 3, "1"), ("terrace", 6, "0"), ("new start", 8, "1"))
    keys: dict[str, str] = {}
    for home, year, force in moves:
        came = script.day(year, 2, 1)
        script.entry(susan, "health", "", home, came)
        keys[force] = script.entry(susan, "police", force, home, came)
    for year, month in _twice_a_year(10):
        home, _, force = next(move for move in reversed(moves) if year >= move[1])
        script.event("police", keys[force], "domestic_abuse", "victim", script.day(year, month, 11), home=home)
    script.event("police", None, "arson", "victim", script.day(4, 9, 3, 2), home="old mill")
    script.event("fire", None, "deliberate_fire", "subject", script.day(4, 9, 3, 2), home="old mill")


def _twice_a_year(years: int) -> Iterator[tuple[int, int]]:
    for year in range(years):
        yield year, 4
        yield year, 10


def _four_services(script: Script) -> None:
    """Referral in year 1, exclusion in year 3, caution in year 6, self-harm in year 9."""
    born = dt.date(script.start.year - 8, 3, 2)
    child = script.actor("four_services", "child", "Caspian", "Holroyd-Fenn", born, "male")
    for agency, kind, year, value in (
        ("childrens_services", "referral", 1, None),
        ("education", "exclusion", 3, 4.0),
        ("youth_justice", "caution", 6, None),
        ("health", "self_harm", 9, None),
    ):
        at = script.day(year, 5, 9)
        key = script.entry(child, agency, "", "estate", at)
        script.event(agency, key, kind, "subject", at, value=value)


def _imprisoned_parent(script: Script) -> None:
    """Prison for the father, eighteen months from year 6; children's services know whose father he is from year 2."""
    father = script.actor(
        "imprisoned_parent", "father", "Gideon", "Marlowe-Tarn", dt.date(script.start.year - 31, 1, 20), "male"
    )
    known = script.day(2, 3, 5)
    on_file = script.entry(father, "childrens_services", "", "terrace", known)
    inmate = script.entry(father, "justice", "", "terrace", script.day(6, 3, 12))
    came_out = script.day(7, 9, 12)
    for recorded, ended in ((script.day(6, 3, 14), None), (came_out + _LAG, came_out)):
        script.event("justice", inmate, "custody", "subject", script.day(6, 3, 12), ended=ended, recorded=recorded)
    first, second = script.rows["justice.events"][-2:]
    second["event_key"] = first["event_key"]  # one spell: its end is a later version
    born = dt.date(script.start.year - 3, 11, 8)
    girl = script.actor("imprisoned_parent", "child", "Ottilie", "Marlowe-Tarn", born, "female")
    child = script.entry(girl, "childrens_services", "", "terrace", known)
    script.entry(girl, "education", "", "terrace", known)
    script.event("childrens_services", child, "referral", "subject", known)
    script.rows.setdefault("childrens_services.relations", []).append(
        {
            "person_key": on_file, "other_person_key": child, "kind": "parent",
            "starts_at": dt.datetime.combine(born, dt.time()), "ends_at": None, "recorded_at": known + _LAG,
        }
    )  # fmt: skip


def _wrong_clock(script: Script) -> None:
    """Twelve arrears, one a month in year 8, each "recorded" a year before it happened."""
    born = dt.date(script.start.year - 40, 7, 30)
    tenant = script.actor("wrong_clock", "tenant", "Bertram", "Ollerenshaw-Pike", born, "male")
    key = script.entry(tenant, "housing", "", "estate", script.day(1, 1, 15))
    for month in range(1, 13):
        at = script.day(8, month, 20)
        script.event(
            "housing", key, "rent_arrears", "subject", at, value=100.0 + month, recorded=at + _LAG - _CLOCK_BEHIND
        )


_IN_CRISIS: Final = (
    ("Leocadia", "Thistlewood-Bray", "female"), ("Barnaby", "Quennell-Ashe", "male"),
    ("Philippa", "Drummond-Vale", "female"), ("Evander", "Stannard-Hythe", "male"),
    ("Rosalind", "Umpleby-Crane", "female"), ("Thaddeus", "Wolstenholme-Pym", "male"),
)  # fmt: skip
MOVED_FROM_YEAR: Final = 6


def _moved_demand(script: Script) -> None:
    """Six people, a crisis each quarter; from year 6 on police go only to those of the first quarter."""
    for place, (given, family, sex) in enumerate(_IN_CRISIS):
        born = dt.date(script.start.year - 24 - 5 * place, 2 + place, 5 + 3 * place)
        person = script.actor("moved_demand", "person", given, family, born, sex)
        came = script.day(0, 1, 9)
        keys = {agency: script.entry(person, agency, "", "hostel", came) for agency in ("health", "police")}
        for year in range(10):
            for quarter in range(4):
                at = script.day(year, 2 + 3 * quarter, 3 + place, 20)
                if year < MOVED_FROM_YEAR or quarter == 0:
                    back = at + dt.timedelta(hours=9)
                    script.event("police", keys["police"], "missing", "subject", at, ended=back)
                else:
                    script.event("health", keys["health"], "mental_health_contact", "subject", at)

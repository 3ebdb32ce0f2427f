"""A small charity for people who live with abuse, and its one sheet: a line for each visit, with who came and why.

The truth: after an incident of domestic abuse the victim comes to the charity within a month with a probability that
is *higher* the less the community trusts the police (`COMES`), at most once a month. So it sees abuse that police never
hear of, mostly of other people than police see. The sheet has one date a line, addresses are left out of every third
line, births of every fourth.

A naive analyst who compares reports to police between communities finds least abuse where trust is least; in the sheet
it is the other way about, and neither is the rate of abuse.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from riskmodel import seeds
from riskmodel.feeds.contract import agency_contracts
from riskmodel.world.agencies import TRUST
from riskmodel.world.facts import DAY, Facts, Log, kind_number
from riskmodel.world.lives import Lives
from riskmodel.world.people import Population

if TYPE_CHECKING:
    from riskmodel.world.blocks import Block, Plan

COMES: Final = tuple(round(0.1 * (1.7 - trust), 3) for trust in TRUST)
"""Probability that a victim comes to the charity after an incident, by community (order of COMMUNITIES)."""
_WRONG_WORDS: Final = 0.004
_MINUTE: Final = DAY // 1440
NO_REASON: Final = "??"
DAY_OF_VISIT: Final = "Visited on"
SHEET: Final = ("charity.events", "charity.people")
"""The feeds that the one file holds; it is written for the first."""


def visits(random: np.random.Generator, people: Population, lives: Lives) -> Facts:
    """Visits to the charity, at most one a person and month."""
    facts = lives.facts
    victim = np.flatnonzero(facts.kind == kind_number("domestic_abuse", "victim"))
    comes = random.random(len(victim)) < np.array(COMES)[people.community[facts.person[victim]]]
    person, home = facts.person[victim[comes]], facts.dwelling[victim[comes]]
    day = facts.at[victim[comes]] // DAY + random.integers(1, 30, len(person))
    month = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    first = np.unique(person * 10_000 + month, return_index=True)[1]
    first = first[(day[first] < people.died[person[first]])]
    log = Log()
    at = day[first] * DAY + random.integers(9 * 60, 17 * 60, len(first)) * _MINUTE
    log.add(kind_number("abuse_support"), person[first], at, home[first])
    return log.facts(int(lives.quarters[-1]))


def one_line_a_visit(versions: pa.Table, events: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The client of each visit, as the register had them then, and the visits: two tables whose rows belong together.

    Parameters
    ----------
    versions : people feed in standard fields, one row a version
    events : event feed in standard fields, one row a visit
    """
    names = versions.column("person_key").to_numpy(zero_copy_only=False).astype(str)
    owner = events.column("person_key").to_numpy(zero_copy_only=False).astype(str)
    known, entered = (
        table.column("recorded_at").cast(pa.int64()).to_numpy() // _MINUTE for table in (versions, events)
    )
    which = np.unique(np.concatenate([names, owner]), return_inverse=True)[1]
    order = np.lexsort((known, which[: len(names)]))
    scale = 1 << 32  # minutes of 8,000 years
    place = np.searchsorted(which[order] * scale + known[order], which[len(names) :] * scale + entered, side="right")
    clients = versions.take(pa.array(order[np.maximum(place - 1, 0)]))
    visited = events.column("happened_at")
    at = clients.schema.get_field_index("recorded_at")
    return clients.set_column(at, "recorded_at", visited), events


def sheet(plan: Plan, block: Block, format: str = "csv") -> tuple[pa.Table, dict[tuple[str, str], int]]:
    """One block's part of the sheet in the charity's own columns, and the lines no intake may take, by feed and code.

    A few lines are entered twice, the second time with a reason nobody can read: the events feed must refuse the
    reason, and the people feed a line that says again what stands there already.
    """
    contract = agency_contracts()["charity"]
    feeds = [replace(contract.feed(name), format=format) for name in ("people", "events")]
    people, events = (feed.render(block.tables[feed.name]) for feed in feeds)
    cells = dict(zip(people.column_names, people.columns, strict=True))
    cells |= dict(zip(events.column_names, events.columns, strict=True))
    headings = ("No", DAY_OF_VISIT, *(name for name in people.column_names if name != DAY_OF_VISIT), "Why they came")
    lines = pa.table({name: cells[name] for name in headings})
    random = seeds.stream(plan.seed, "world", block.number, "dirt", "charity")
    count = int(random.binomial(lines.num_rows, _WRONG_WORDS)) + (block.number == 0 and lines.num_rows > 0)
    if not count:
        return lines, {}
    again = lines.take(pa.array(random.permutation(lines.num_rows)[:count]))
    numbers = pa.array([f"X{block.number:04d}{place:05d}" for place in range(again.num_rows)], pa.string())
    wrong = pa.array([NO_REASON] * again.num_rows, pa.string())
    again = again.set_column(0, "No", numbers).set_column(len(headings) - 1, headings[-1], wrong)
    rows = again.num_rows
    planted = {("charity.events", "unknown-code"): rows, ("charity.people", "duplicate-row"): rows}
    return pa.concat_tables([lines, again]), planted

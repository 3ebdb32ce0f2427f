"""A small charity for people who live with abuse, and its one sheet: a line for each visit, with who came and why.

The truth: after an incident of domestic abuse the victim comes to the charity within a month with a probability that
is *higher* the less the community trusts the police (`COMES`), at most once a month. So it sees abuse that police never
hear of, mostly of other people than police see. The sheet has one date a line, addresses are left out of every third
line, births of every fourth.

A naive analyst who compares reports to police between communities finds least abuse where trust is least; in the sheet
it is the other way about, and neither is the rate of abuse.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from riskmodel.world.agencies import TRUST
from riskmodel.world.facts import DAY, Facts, Log, kind_number
from riskmodel.world.lives import Lives
from riskmodel.world.people import Population

COMES: Final = tuple(round(0.1 * (1.7 - trust), 3) for trust in TRUST)
"""Probability that a victim comes to the charity after an incident, by community (order of COMMUNITIES)."""
_MINUTE: Final = DAY // 1440


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

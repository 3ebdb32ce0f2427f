"""A retrospective review: who knew what of one person, when, and the earliest day a rule would have asked for a talk.

It is for the people who review a case under a purpose that covers it, and it looks back: what each agency could see on
any day, what all together could see, by the one time rule. It names no one, scores no one, and is never made for a
list of people. That it was made, and why, is written to the ledger; the person is not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import pyarrow.compute as pc

from riskmodel.dates import Duration, moments
from riskmodel.errors import DeclarationError
from riskmodel.histories.event import Event
from riskmodel.histories.store import Histories
from riskmodel.histories.timeline import timeline
from riskmodel.population.thresholds import JointRule, Threshold
from riskmodel.tables import entity_label

_MOMENT = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Sight:
    """What could be seen from one moment on, until the next one: records by agency, and all together."""

    since: dt.datetime
    seen: Mapping[str, int]

    @property
    def together(self) -> int:
        """Records of all agencies."""
        return sum(self.seen.values())


@dataclass(frozen=True, slots=True, repr=False)
class Retrospect:
    """One person's case looked back on.

    Attributes
    ----------
    label : str, the pseudonym
    events : tuple of Event, all that could be seen on the last day, oldest first
    agencies : tuple of str, that hold any of them
    sights : tuple of Sight, one for each moment at which somebody came to know something
    own : mapping of agency to the first moment above its own threshold, or None
    joint : first moment above the joint rule, or None
    also : mapping of another rule's or model's name to the day on which it would have asked, given by the reviewer
    """

    label: str
    events: tuple[Event, ...]
    agencies: tuple[str, ...]
    sights: tuple[Sight, ...]
    own: Mapping[str, dt.datetime | None]
    joint: dt.datetime | None
    also: Mapping[str, dt.date]

    def on(self, day: dt.date | str) -> Sight | None:
        """What could be seen at the beginning of a day, or None if nothing."""
        at = dt.datetime.combine(dt.date.fromisoformat(str(day)[:10]), dt.time())
        held = [sight for sight in self.sights if sight.since <= at]
        return held[-1] if held else None

    @property
    def lead(self) -> dt.timedelta | None:
        """How much earlier the joint rule would have asked than the first agency's own; None if either never did."""
        first = min((at for at in self.own.values() if at is not None), default=None)
        return None if first is None or self.joint is None else first - self.joint

    @property
    def sentence(self) -> str:
        """The finding."""
        crossed = {agency: at for agency, at in self.own.items() if at is not None}
        alone = (
            "No agency's own threshold was ever crossed."
            if not crossed
            else (
                "Own thresholds were crossed by "
                + ", ".join(
                    f"{agency.replace('_', ' ')} on {at:%-d %B %Y}"
                    for agency, at in sorted(crossed.items(), key=lambda i: i[1])
                )
                + "."
            )
        )
        if self.joint is None:
            return f"{alone} Together, the records never crossed the joint rule."
        return f"{alone} Together, the records crossed the joint rule on {self.joint:%-d %B %Y}."

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{event.happened_at:%Y-%m-%d}</td><td>{event.known_at:%Y-%m-%d}</td>"
            f"<td>{escape(event.agency.replace('_', ' '))}</td><td>{escape(event.kind.replace('_', ' '))}</td></tr>"
            for event in self.events
        )
        return (
            f"<p>{escape(self.sentence)}</p><table><caption>Who knew what of {self.label}</caption><thead><tr>"
            f"<th>Happened</th><th>Known</th><th>Agency</th><th>What</th></tr></thead><tbody>{rows}</tbody></table>"
        )

    def __repr__(self) -> str:
        return f"Retrospect({len(self.events)} records of {len(self.agencies)} agencies)"


def who_knew(
    histories: Histories,
    entity_id: int,
    until: dt.datetime | dt.date | str,
    *,
    reason: str,
    thresholds: Sequence[Threshold] = (),
    joint: JointRule | None = None,
    also: Mapping[str, dt.date] | None = None,
) -> Retrospect:
    """Look back on one person's case.

    Parameters
    ----------
    until : the day up to which is looked; what became known then or later is not in
    reason : why it is looked at, written to the store's ledger without the person
    thresholds, joint : the agencies' own dated rules, and one for their records put together
    also : days on which another rule or a model would have asked for a conversation

    Raises
    ------
    DeclarationError : no reason is given
    """
    if not reason.strip():
        raise DeclarationError.of(
            "reason-missing",
            where="reason",
            found="nothing",
            expected="why this case is looked at",
            repair="Say which review this is for; it is written to the ledger.",
        )
    if histories.store is not None:
        purpose = histories.store.purpose
        purpose.must_be_in_force()
        histories.store.ledger.append("case-reviewed", purpose=purpose.name, reason=reason)
    events = timeline(histories, entity_id, until)
    agencies = tuple(sorted({event.agency for event in events}))
    versions = [
        Event.of(row)
        for row in histories.events.filter(pc.equal(histories.events.column("entity_id"), entity_id)).to_pylist()
        if row["known_at"] < _at(until)
    ]
    turns = sorted({max(event.known_at, event.happened_at) for event in versions})
    sights: list[Sight] = []
    crossed: dict[str, dt.datetime | None] = dict.fromkeys(agencies)
    first_joint: dt.datetime | None = None
    for turn in turns:
        at = turn + _MOMENT
        seen = [event for event in versions if event.visible_at(at)]
        sights.append(Sight(at, {agency: sum(event.agency == agency for event in seen) for agency in agencies}))
        for rule in thresholds:
            if crossed.get(rule.agency) is None and rule.agency in agencies and _above(seen, rule, at):
                crossed[rule.agency] = at
        if joint is not None and first_joint is None and _together(seen, joint, at):
            first_joint = at
    return Retrospect(
        entity_label(entity_id), tuple(events), agencies, tuple(sights), crossed, first_joint, dict(also or {})
    )


def _at(until: dt.datetime | dt.date | str) -> dt.datetime:
    if isinstance(until, str):
        return dt.datetime.fromisoformat(until)
    return until if isinstance(until, dt.datetime) else dt.datetime.combine(until, dt.time())


def _above(seen: Sequence[Event], rule: Threshold, at: dt.datetime) -> bool:
    if not rule.in_force(at.date()):
        return False
    counted = [
        event
        for event in seen
        if event.agency == rule.agency
        and event.happened_at >= _since(rule.within, at)
        and (not rule.kinds or event.kind in rule.kinds)
        and (rule.least_value is None or (event.value is not None and event.value >= rule.least_value))
    ]
    return len(counted) >= rule.count


def _together(seen: Sequence[Event], joint: JointRule, at: dt.datetime) -> bool:
    recent = [event for event in seen if event.happened_at >= _since(joint.within, at)]
    return len(recent) >= joint.count and len({event.agency for event in recent}) >= joint.agencies


def _since(within: Duration, at: dt.datetime) -> dt.datetime:
    made: dt.datetime = within.before(moments([at]))[0].astype(object)
    return made

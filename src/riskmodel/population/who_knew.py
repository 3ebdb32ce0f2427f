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
from riskmodel.histories.timeline import picture
from riskmodel.population.pages.words import plain
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


@dataclass(frozen=True, slots=True)
class Asked:
    """When another rule or a model would first have asked for a conversation: its name, the day or None, and how often
    it was asked, in words."""

    name: str
    day: dt.date | None
    words: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Retrospect:
    """One person's case looked back on.

    Attributes
    ----------
    label : str, the pseudonym
    events : tuple of Event, all that could be seen on the last day, oldest first
    agencies : tuple of str, that hold any of them
    sights : tuple of Sight, one for each moment at which somebody came to know something
    own : mapping of each agency with a threshold to the first moment above it, or None
    joint : first moment above the joint rule, or None
    also : what other rules or a model would have asked, and when
    """

    label: str
    events: tuple[Event, ...]
    agencies: tuple[str, ...]
    sights: tuple[Sight, ...]
    own: Mapping[str, dt.datetime | None]
    joint: dt.datetime | None
    also: tuple[Asked, ...]

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
    def first(self) -> Asked | None:
        """The earliest day on which a rule or the model would have asked for a conversation; None if none ever did."""
        asked = [one for one in self.asked() if one.day is not None]
        return min(asked, key=lambda one: (one.day or dt.date.max, one.name), default=None)

    def asked(self) -> tuple[Asked, ...]:
        """Every rule and model, with its first day or None: agencies' own, the joint one, and the others."""
        own = [
            Asked(f"{plain(agency)}, own threshold", None if at is None else at.date())
            for agency, at in self.own.items()
        ]
        joint = Asked("All together, joint rule", None if self.joint is None else self.joint.date())
        return (*own, joint, *self.also)

    @property
    def sentence(self) -> str:
        """The finding."""
        crossed = sorted((at, agency) for agency, at in self.own.items() if at is not None)
        said = ", ".join(f"{plain(agency).lower()} on {at:%-d %B %Y}" for at, agency in crossed)
        alone = f"Own thresholds were crossed by {said}." if crossed else "No agency's own threshold was ever crossed."
        joint = (
            "Together, the records never crossed the joint rule."
            if self.joint is None
            else f"Together, the records crossed the joint rule on {self.joint:%-d %B %Y}."
        )
        first = self.first
        if not self.also or first is None or first.day is None:
            return f"{alone} {joint}"
        return f"{alone} {joint} The earliest to ask would have been: {first.name}, on {first.day:%-d %B %Y}."

    def _repr_html_(self) -> str:
        asked = [(one.name, "never" if one.day is None else f"{one.day:%Y-%m-%d}", one.words) for one in self.asked()]
        sights = [
            (f"{sight.since:%Y-%m-%d}", *(str(sight.seen[agency]) for agency in self.agencies), str(sight.together))
            for sight in self.sights
        ]
        records = [
            (f"{event.happened_at:%Y-%m-%d}", f"{event.known_at:%Y-%m-%d}", plain(event.agency), plain(event.kind))
            for event in self.events
        ]
        return (
            f"<p>{escape(self.sentence)}</p>"
            + _table("The first day on which each would have asked", ("Who", "Day", "Over"), asked)
            + _table("What could be seen from each day on", ("From", *map(plain, self.agencies), "Together"), sights)
            + _table(f"Who knew what of {self.label}", ("Happened", "Known", "Agency", "What"), records)
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
    also: Sequence[Asked] = (),
) -> Retrospect:
    """Look back on one person's case.

    Parameters
    ----------
    until : the day up to which is looked; what became known then or later is not in
    reason : why it is looked at, written to the store's ledger without the person
    thresholds, joint : the agencies' own dated rules, and one for their records put together
    also : what another rule or a model would have asked, and when, such as `models.coalitions.first_place` finds

    Raises
    ------
    DeclarationError : no reason is given
    """
    _must_have_a_reason(histories, reason)
    events = picture(histories, entity_id, until)
    agencies = tuple(sorted({event.agency for event in events}))
    versions = [
        Event.of(row)
        for row in histories.events.filter(pc.equal(histories.events.column("entity_id"), entity_id)).to_pylist()
        if row["known_at"] < _at(until)
    ]
    ruled = tuple(sorted({rule.agency for rule in thresholds} & set(agencies)))
    sights: list[Sight] = []
    crossed: dict[str, dt.datetime | None] = dict.fromkeys(ruled)
    first_joint: dt.datetime | None = None
    for turn in sorted({max(event.known_at, event.happened_at) for event in versions}):
        at = turn + _MOMENT
        seen = [event for event in versions if event.visible_at(at)]
        sights.append(Sight(at, {agency: sum(event.agency == agency for event in seen) for agency in agencies}))
        for rule in thresholds:
            if rule.agency in ruled and crossed[rule.agency] is None and _above(seen, rule, at):
                crossed[rule.agency] = at
        if joint is not None and first_joint is None and _together(seen, joint, at):
            first_joint = at
    return Retrospect(
        entity_label(entity_id), tuple(events), agencies, tuple(sights), crossed, first_joint, tuple(also)
    )


def _must_have_a_reason(histories: Histories, reason: str) -> None:
    """Refuse a look without a reason; write the reason, and never the person, to the ledger."""
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


def _table(caption: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

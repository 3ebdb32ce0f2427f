"""Could linkage be the reason? An audit over linked worlds: each gap with the doubt about who is who, and without it.

Records that were joined wrongly or left apart change who has the outcome and what is known of them, and neither error
falls alike on all groups. Two things are carried into the audit. The whole audit is made again in every drawn world,
and each figure and gap gets the variance between worlds on top of that within them (Rubin 1987). And where it is known
how often a group's links are missed, the ratio of two groups' figures is told as it would be if outcomes were lost with
the links that were. A gap that does not outlast both could be linkage's doing. What no world and no rate knows of,
records that were never compared, is in neither: a gap that stands is not proved.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from scipy import stats

from riskmodel.errors import DeclarationError
from riskmodel.fairness.audit import Audit
from riskmodel.fairness.estimability import IMPRECISE, NOT_ESTIMABLE, OK
from riskmodel.fairness.findings import WORDS
from riskmodel.fairness.intervals import Bounds, quotient
from riskmodel.fairness.measures import MEASURE
from riskmodel.fairness.rules import Row
from riskmodel.fairness.view import told_html
from riskmodel.linkage.people import People
from riskmodel.linkage.pooling import LEAST_DRAWS, Measured, Pooled, pooled
from riskmodel.linkage.rates import LinkRates

if TYPE_CHECKING:
    import pandas as pd

LOST: Final = ("base_rate", "ppv", "observed_expected")
"""Figures that are divided by the share of outcomes that linkage brings to the right person."""

_OF_FIGURE: Final = ("attribute", "group", "metric")
_OF_GAP: Final = ("attribute", "metric", "group", "reference")
STANDS, COULD_BE, NOT_SHOWN = "stands", "could be linkage", "not shown"


@dataclass(frozen=True)
class LinkedAudit:
    """An audit over linked worlds.

    Attributes
    ----------
    audit : Audit of the best linkage
    figures : DataFrame, one row a group and figure: attribute, group, metric, best, value, low, high, extra_share (how
        much of the variance is doubt about links), state
    gaps : DataFrame, one row a group, figure and reference: attribute, metric, group, reference, best (with best_low,
        best_high), gap, low, high (over worlds, for all groups of the attribute at once), extra_share, ratio_linked
        (with ratio_linked_low, ratio_linked_high: the ratio of the figures if outcomes were lost with missed links),
        says ("stands", "could be linkage", "not shown" or "not_estimable")
    links : tuple of LinkRates, as given
    draws : int
    """

    audit: Audit = field(repr=False)
    figures: pd.DataFrame = field(repr=False)
    gaps: pd.DataFrame = field(repr=False)
    links: tuple[LinkRates, ...] = field(repr=False)
    draws: int

    @property
    def findings(self) -> tuple[str, ...]:
        """What stands, what could be linkage's doing, and whose links are missed more often, in words."""
        return (*self._summed_up(), *self._could_be(), *(said for rates in self.links for said in _missed(rates)))

    def _repr_html_(self) -> str:
        """The findings and the gaps, for a notebook."""
        return told_html("Could linkage be the reason", self.findings, {"Gaps": self.gaps, "Figures": self.figures})

    def document(self) -> dict[str, Any]:
        """The audit over worlds as JSON."""
        return {
            "findings": list(self.findings),
            "draws": self.draws,
            "figures": _plain(self.figures),
            "gaps": _plain(self.gaps),
            "links": [rates.document() for rates in self.links],
            "audit": self.audit.fingerprint,
        }

    def _summed_up(self) -> list[str]:
        says = self.gaps["says"].tolist()
        shown = says.count(STANDS) + says.count(COULD_BE)
        if not shown:
            return [f"The best linkage shows no gap, so none could be linkage's doing ({self.draws} linked worlds)."]
        stand, most = says.count(STANDS), float(self.gaps["extra_share"].max())
        told = (
            f"Of {shown} gap{'' if shown == 1 else 's'} that the best linkage shows, {stand} stand{'s' * (stand == 1)} "
            f"over {self.draws} linked worlds and {shown - stand} could be linkage's doing."
        )
        return [f"{told} Of the doubt about a gap, at most {100 * most:.0f} parts in 100 are doubt about who is who."]

    def _could_be(self) -> list[str]:
        told = []
        for row in self.gaps[self.gaps["says"] == COULD_BE].to_dict("records"):
            said = (
                f"By {row['attribute']}: the gap in {WORDS[row['metric']]} between {row['group']} and "
                f"{row['reference']} is {_points(row['best'])} in 100 by the best linkage and {_points(row['gap'])} "
                f"({_points(row['low'])} to {_points(row['high'])}) over linked worlds"
            )
            if row["low"] <= 0 <= row["high"]:
                told.append(f"{said}: doubt about who is who could be the reason.")
                continue
            told.append(
                f"{said}. If outcomes are lost with missed links, its ratio is {row['ratio_linked']:.2f} "
                f"({row['ratio_linked_low']:.2f} to {row['ratio_linked_high']:.2f}): missed links could be the reason."
            )
        return told


def audit_over_draws(
    people: People, audited: Callable[[People], Audit], *, links: Sequence[LinkRates] = ()
) -> LinkedAudit:
    """Make an audit by the best linkage and in every drawn world.

    Parameters
    ----------
    people : People, linked with draws
    audited : from the people of one world to an audit: it assembles their histories, builds features, fits and audits;
        name reference groups in its rules, so that they are the same in every world
    links : how often links are missed by group (`rates_from_truth`, `rates_from_labels`, `rates_from_worlds`)

    Raises
    ------
    DeclarationError : fewer than two draws
    """
    worlds = (audited(people.drawn(number)) for number in range(people.draws))
    return pooled_audits(audited(people), list(worlds), links=links)


def pooled_audits(best: Audit, worlds: Sequence[Audit], *, links: Sequence[LinkRates] = ()) -> LinkedAudit:
    """Put the audits of linked worlds together.

    Parameters
    ----------
    best : Audit of the best linkage, whose figures and gaps are told
    worlds : the same audit in each drawn world

    Raises
    ------
    DeclarationError : fewer than two worlds
    """
    import pandas as pd

    if len(worlds) < LEAST_DRAWS:
        raise DeclarationError.of(
            "draws-missing",
            where="audit_over_draws",
            found=f"{len(worlds)} linked worlds",
            expected=f"at least {LEAST_DRAWS}: one world has no variance between worlds",
            repair="Link with draws=20.",
        )
    level = float(best.settings["rules"]["confidence"])
    by_world = [_indexed(one.table.to_pylist(), _OF_FIGURE) for one in worlds]
    figures = [
        _figure(row, [one.get(_key(row, _OF_FIGURE)) for one in by_world], level) for row in best.table.to_pylist()
    ]
    by_world = [_indexed(one.disparities.to_pylist(), _OF_GAP) for one in worlds]
    shown = {(one.attribute, one.metric) for one in best.finding_list if one.says == "differs"}
    rates = {one.by: one for one in links}
    gaps = [
        _gap(row, [one.get(_key(row, _OF_GAP)) for one in by_world], level,
             shown=(row["attribute"], row["metric"]) in shown, rates=rates.get(row["attribute"]))
        for row in best.disparities.to_pylist()
        if MEASURE[row["metric"]].headline
    ]  # fmt: skip
    return LinkedAudit(best, pd.DataFrame(figures), pd.DataFrame(gaps), tuple(links), len(worlds))


def _figure(row: Row, worlds: Sequence[Row | None], level: float) -> Row:
    found = _pooled([_bounds(one, "value", "low", "high") for one in worlds], level)
    head = {name: row[name] for name in ("attribute", "group", "metric")} | {"best": row["value"]}
    if found is None:
        return head | {**dict.fromkeys(("value", "low", "high", "extra_share")), "state": NOT_ESTIMABLE}
    over, (value, low, high) = found
    measure = MEASURE[row["metric"]]
    most = math.inf if measure.kind == "ratio" else float(measure.per)
    made = {"value": value, "low": max(low, 0.0), "high": min(high, most), "extra_share": over.extra_share}
    sure = all(one is not None and one["state"] == OK for one in (row, *worlds))
    return head | made | {"state": OK if sure else IMPRECISE}


def _gap(row: Row, worlds: Sequence[Row | None], level: float, *, shown: bool, rates: LinkRates | None) -> Row:
    head = {name: row[name] for name in ("attribute", "metric", "group", "reference")}
    best = {"best": row["difference"], "best_low": row["together_low"], "best_high": row["together_high"]}
    found = _pooled([_bounds(one, "difference", "together_low", "together_high") for one in worlds], level)
    if row["difference"] is None or found is None:
        nothing = ("gap", "low", "high", "extra_share", "ratio_linked", "ratio_linked_low", "ratio_linked_high")
        return head | best | {**dict.fromkeys(nothing), "says": NOT_ESTIMABLE}
    over, (gap, low, high) = found
    linked = _ratio_if_linked(row, worlds, level, rates)
    made = {"gap": gap, "low": low, "high": high, "extra_share": over.extra_share}
    made |= dict(zip(("ratio_linked", "ratio_linked_low", "ratio_linked_high"), linked or (None,) * 3, strict=True))
    says = NOT_SHOWN
    if shown and not _holds_zero(best["best_low"], best["best_high"]):
        lost = linked is not None and linked[1] <= 1 <= linked[2]
        says = COULD_BE if lost or _holds_zero(low, high) else STANDS
    return head | best | made | {"says": says}


def _pooled(values: Sequence[Bounds | None], level: float) -> tuple[Pooled, Bounds] | None:
    """One value over worlds; each side of its interval is widened in proportion, so that it keeps its asymmetry."""
    known = [one for one in values if one is not None and all(math.isfinite(end) for end in one)]
    if len(known) < len(values):
        return None
    critical = float(stats.norm.ppf((1 + level) / 2))
    over = pooled([Measured(value, ((high - low) / 2 / critical) ** 2) for value, low, high in known], level=level)
    if over.value is None or over.high is None or over.within is None:
        return None
    half, own = over.high - over.value, critical * math.sqrt(over.within)
    if own == 0:
        return over, (over.value, over.value - half, over.value + half)
    down, up = (math.fsum(abs(one[0] - one[end]) for one in known) / len(known) * half / own for end in (1, 2))
    return over, (over.value, over.value - down, over.value + up)


def _ratio_if_linked(row: Row, worlds: Sequence[Row | None], level: float, rates: LinkRates | None) -> Bounds | None:
    """The ratio of two groups' figures over worlds, divided by the ratio of their linked shares."""
    if rates is None or row["metric"] not in LOST:
        return None
    ratios = [_bounds(one, "ratio", "ratio_low", "ratio_high") for one in worlds]
    found = _pooled([None if one is None or min(one) <= 0 else _each(math.log, one) for one in ratios], level)
    own, other = (_linked_share(rates, row[name]) for name in ("group", "reference"))
    if found is None or own is None or other is None:
        return None
    linked = quotient(own, other)
    return None if linked is None else quotient(_each(math.exp, found[1]), linked)


def _linked_share(rates: LinkRates, group: str) -> Bounds | None:
    """Of the pairs of records of one person, the share that is linked."""
    for one in rates.groups:
        if one.group == group and one.missed.value is not None:
            low, high = one.missed.low, one.missed.high
            assert low is not None  # with a value there is an interval
            assert high is not None
            return 1 - one.missed.value, 1 - high, 1 - low
    return None


def _missed(rates: LinkRates) -> list[str]:
    """Whose links are missed how often, by one attribute."""
    known = [one for one in rates.groups if one.missed.value is not None]
    if not known:
        return [f"By {rates.by}: too few people to say how often links are missed."]
    told = "; ".join(
        f"{one.group} {100 * (one.missed.value or 0.0):.1f} ({100 * (one.missed.low or 0.0):.1f} to "
        f"{100 * (one.missed.high or 0.0):.1f})"
        for one in known
    )
    source = {"truth": "as the truth tells", "labels": "as clerks judged", "worlds": "as the linkage itself doubts"}
    return [f"By {rates.by}: of 100 pairs of records of one person, missed {source[rates.source]}: {told}."]


def _bounds(row: Row | None, *names: str) -> Bounds | None:
    if row is None or any(row[name] is None for name in names):
        return None
    value, low, high = (float(row[name]) for name in names)
    return value, low, high


def _each(function: Callable[[float], float], bounds: Bounds) -> Bounds:
    value, low, high = (function(one) for one in bounds)
    return value, low, high


def _holds_zero(low: float | None, high: float | None) -> bool:
    return (low is None or low <= 0) and (high is None or high >= 0)


def _key(row: Mapping[str, Any], names: Sequence[str]) -> tuple[str, ...]:
    return tuple(row[name] for name in names)


def _indexed(rows: Sequence[Row], names: Sequence[str]) -> dict[tuple[str, ...], Row]:
    return {_key(row, names): row for row in rows}


def _points(value: float) -> str:
    return f"{100 * value:+.1f}"


def _plain(frame: pd.DataFrame) -> list[Row]:
    def plain(value: Any) -> Any:
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return [{str(name): plain(value) for name, value in row.items()} for row in frame.to_dict("records")]

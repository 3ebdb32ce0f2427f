"""Runaway feedback between two places, and its correction: the urns of Ensign et al. (2018).

Attention goes to a place in proportion to what is on record there; what is discovered where the attention was is put
on record; so the record grows where it already was, and says less and less about what happens. With equal events and
only discovered ones the share of attention wanders to a random place (a Polya urn); with unequal events it runs to the
place with more until all attention is there. The correction counts a discovered event only with a chance that
shrinks with the attention that found it (Ensign et al., section 4): then the share goes to that of what happens.
Events reported by the public, which do not depend on attention, hold the runaway back but leave the share wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from riskmodel.errors import DeclarationError, Fault
from riskmodel.models.metrics import Numbers
from riskmodel.seeds import stream

_ROUNDS: Final = 5000
"""Rounds after which a share that reproduces itself has settled, however little is reported."""


@dataclass(frozen=True, slots=True)
class Patrols:
    """What happens in two or more places and how it comes on record.

    Parameters
    ----------
    rates : chance of an event in each place on a day, if somebody looks or a victim reports it
    start : events on record in each place on the first day
    reported : share of events that are reported by the public, whoever is looking
    corrected : bool, count a discovered event only with the chance `least attention / attention of the place`
    """

    rates: tuple[float, ...]
    start: tuple[float, ...]
    reported: float = 0.0
    corrected: bool = False

    def __post_init__(self) -> None:
        faults = []
        if len(self.rates) < 2 or not all(0 < rate <= 1 for rate in self.rates):
            faults.append(
                Fault("patrols.rates", str(self.rates), "two or more chances above 0", "Give each place one.")
            )
        if len(self.start) != len(self.rates) or not all(one > 0 for one in self.start):
            faults.append(Fault("patrols.start", str(self.start), "a number above 0 for each place", "Correct them."))
        if not 0 <= self.reported <= 1:
            faults.append(Fault("patrols.reported", str(self.reported), "a share from 0 to 1", "Correct it."))
        if faults:
            raise DeclarationError("patrols-invalid", faults=faults)

    @property
    def truth(self) -> Numbers:
        """Each place's share of what happens."""
        rates = np.array(self.rates)
        return np.asarray(rates / rates.sum())

    @property
    def limit(self) -> Numbers | None:
        """Each place's share of attention in the long run; None where chance decides, as in a Polya urn.

        The record grows as attention lies, so the share that reproduces itself is where it ends (stochastic
        approximation; Renlund 2010). Of two places it is the root between 0 and 1 of the quadratic that Ensign et al.
        state for their generalised urn.

        Examples
        --------
        Four tenths reported: the place with 3 in 5 of what happens gets 2 in 3 of the attention. All discovered: all.

        >>> Patrols((0.2, 0.3), (1, 1), reported=0.4).limit.round(2).tolist()
        [0.33, 0.67]
        >>> Patrols((0.2, 0.3), (1, 1)).limit.tolist()
        [0.0, 1.0]
        """
        if self.corrected:
            return self.truth
        rates = np.array(self.rates)
        if not self.reported:
            first = np.isclose(rates, rates.max())
            return first.astype(np.float64) if first.sum() == 1 else None
        share = self.truth
        for _ in range(_ROUNDS):
            grown = rates * (self.reported + (1 - self.reported) * share)
            share = grown / grown.sum()
        return np.asarray(share)


def attention_over_time(patrols: Patrols, *, days: int = 1000, runs: int = 200, seed: int = 0) -> Numbers:
    """Each place's share of the record, and so of attention, day by day.

    Parameters
    ----------
    days : one patrol goes out a day
    runs : independent histories

    Returns
    -------
    (runs, days + 1, places) float64; rows sum to 1

    Examples
    --------
    Equal places, an even start: the mean stays, single histories wander and do not come back.

    >>> made = attention_over_time(Patrols((0.2, 0.2), (1, 1)), days=500, runs=200)
    >>> round(float(made[:, -1, 0].mean()), 1), bool(made[:, -1, 0].std() > 0.2)
    (0.5, True)
    """
    generator = stream(seed, "fairness", "patrols")
    rates, k = np.array(patrols.rates), len(patrols.rates)
    record = np.tile(np.array(patrols.start, np.float64), (runs, 1))
    made = np.empty((runs, days + 1, k))
    made[:, 0] = record / record.sum(axis=1, keepdims=True)
    everybody = np.arange(runs)
    for day in range(1, days + 1):
        share = made[:, day - 1]
        place = _drawn(share, generator.random(runs))
        happens = generator.random((runs, k)) < rates
        told = happens & (generator.random((runs, k)) < patrols.reported)
        found = happens[everybody, place] & ~told[everybody, place]
        if patrols.corrected:
            # The more attention a place has, the more often its events are found: undone by letting fewer count.
            chance = share.min(axis=1) / share[everybody, place]
            found &= generator.random(runs) < chance
        record += told
        record[everybody, place] += found
        made[:, day] = record / record.sum(axis=1, keepdims=True)
    return made


def _drawn(share: Numbers, chance: Numbers) -> npt.NDArray[np.int64]:
    """A place for each run, in proportion to the shares."""
    return np.asarray((chance[:, None] > np.cumsum(share, axis=1)[:, :-1]).sum(axis=1), np.int64)

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

import numpy as np
import numpy.typing as npt

from riskmodel.errors import DeclarationError, Fault
from riskmodel.models.metrics import Numbers
from riskmodel.seeds import stream


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

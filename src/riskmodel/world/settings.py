"""Where a society lies: who lives there, how deprived it is, and how often what police count happens.

The truth: a setting is a handful of shares and multipliers on top of `riskmodel.world.hazards`. `DISTRICT`, the
default, is made up: a young and deprived place where everything that matters here is common enough to learn from.
`LEEDS` is calibrated so that what its agencies *record* comes near public totals of that city; nobody lives in it.
A naive analyst who reads the default's rates as those of a real city finds five times too many searches.

Sources of `LEEDS` (Open Government Licence 3.0):

- deprivation: Index of Multiple Deprivation 2019 and mid-2020 population of the 482 small areas (LSOA) of Leeds, as
  shares of people in each tenth of England's areas;
- ages: mid-2020 population of those areas, fitted by the mix of household types (non-negative least squares);
- recorded offences and anti-social behaviour a year for 1,000 people: police.uk street-level records of Leeds,
  August 2022 to July 2025, over census 2021 population: robbery 1.94, possession of weapons 1.23, ASB 11.26;
- stop and search a year for 1,000 people by ethnicity: police.uk records of Leeds, August 2022 to July 2025, over
  census 2021 population: 5.6 white, 15.8 black, 15.5 Asian, 13.9 mixed, 13.7 other.

No public total was at hand for exclusions, A&E attendances, social care or violence by age: those rates are the
default's, by order of magnitude only. Street-level "violence and sexual offences" (54 for 1,000) is wider than the
violence and domestic abuse simulated here, and is not aimed at.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from riskmodel.world.names import COMMUNITIES


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a society lies.

    Attributes
    ----------
    deciles : (10,) shares of small areas, most deprived tenth of England first
    households : (7,) shares of household types at the start, in the order of `riskmodel.world.people.TYPES`
    communities : (9,) shares, in the order of COMMUNITIES
    searched : (5,) how much oftener people are searched, by ethnicity, at equal age, sex, area and history
    scale : (kind, role) -> multiplier on the rate of the process; 1 where not named
    """

    deciles: tuple[float, ...]
    households: tuple[float, ...]
    communities: tuple[float, ...]
    searched: tuple[float, ...]
    scale: dict[tuple[str, str], float] = field(default_factory=dict)

    def rates_scaled(self, processes: list[tuple[str, str]]) -> npt.NDArray[np.float64]:
        """The multiplier of each process as a column: (n_processes, 1) float."""
        return np.array([[self.scale.get(process, 1.0)] for process in processes])

    def __repr__(self) -> str:
        return f"Setting({len(self.scale)} rates of its own)"


DISTRICT: Final = Setting(
    deciles=(0.18, 0.16, 0.13, 0.11, 0.10, 0.09, 0.08, 0.06, 0.05, 0.04),
    households=(0.07, 0.11, 0.07, 0.08, 0.11, 0.36, 0.20),
    communities=(0.66, 0.06, 0.11, 0.04, 0.035, 0.03, 0.015, 0.02, 0.03),
    searched=(1.0, 3.0, 1.5, 1.9, 1.3),
)
"""The default: made up, young, deprived, with many events."""
LEEDS: Final = Setting(
    deciles=(0.243, 0.097, 0.089, 0.042, 0.108, 0.088, 0.112, 0.079, 0.078, 0.064),
    households=(0.23, 0.12, 0.01, 0.13, 0.26, 0.11, 0.14),
    communities=(0.803, 0.065, 0.055, 0.015, 0.022, 0.010, 0.007, 0.013, 0.010),
    searched=(1.0, 3.1, 3.0, 1.45, 2.6),
    scale={
        ("stop_search", "subject"): 0.225,
        ("robbery", "victim"): 1.24,
        ("weapon_possession", "suspect"): 0.45,
        ("anti_social_behaviour", "suspect"): 1.65,
    },
)
"""Calibrated to public totals of Leeds; see the head of this module for what, whence, and what not."""
SETTINGS: Final = {"district": DISTRICT, "leeds": LEEDS}

assert all(len(one.communities) == len(COMMUNITIES) for one in SETTINGS.values())

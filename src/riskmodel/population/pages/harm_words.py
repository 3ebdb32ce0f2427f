"""What the pages about harm need to know beside the publication."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from riskmodel.population.harm import Harm
from riskmodel.population.periods import Period


@dataclass(frozen=True, slots=True)
class HarmWords:
    """How the page is called and what it needs to know beside the publication."""

    title: str
    summary: str
    organisation: str
    harms: tuple[Harm, ...]
    period: Period
    area_names: Mapping[str, str]
    positions: Mapping[str, tuple[int, int]]

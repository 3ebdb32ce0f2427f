"""Names for a society that never was: common names by community, rarer ones put together from syllables.

The lists (``words.toml``) were written for this package; which name goes with which is drawn at random, so no row is
about anybody. The truth: within a community common names follow a Zipf-Mandelbrot law (the k-th given name is drawn
with weight 1/(k + 10), the k-th family name with 1/(k + 20)), which names lead changes with the year of birth, and a
fifth of all people bear composed family names that few share. A naive analyst who trusts equal names finds that
agreement on a frequent name ("Mohammed Khan") says much less than agreement on a rare one, and that communities whose
names concentrate on few family names are falsely linked more often.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Final

import numpy as np
import numpy.typing as npt

from riskmodel import seeds

_WORDS: Final = tomllib.loads(resources.files("riskmodel.world").joinpath("words.toml").read_text(encoding="utf-8"))

COMMUNITIES: Final = (
    "british",
    "eastern_european",
    "south_asian_muslim",
    "south_asian_hindu_sikh",
    "west_african",
    "caribbean",
    "somali",
    "east_asian",
    "arab",
)
ETHNICITY_OF: Final[tuple[str, ...]] = tuple(_WORDS[community]["ethnicity"] for community in COMMUNITIES)
"""What a person of each community says of themselves (children of two communities may say "mixed")."""
NICKNAMES: Final[dict[str, str]] = _WORDS["nicknames"]
"""Short forms that an agency may have written down instead of the given name."""
STREETS: Final[tuple[str, ...]] = tuple(_WORDS["streets"].split())
STREET_KINDS: Final[tuple[str, ...]] = tuple(_WORDS["street_kinds"])

_RARE_SHARE = 0.2
_COMPOSED = 300
_GIVEN_SHIFT, _FAMILY_SHIFT = 10.0, 20.0


@dataclass(frozen=True, slots=True)
class Names:
    """The vocabulary of a world: every name once, and for each community which ones are drawn how often.

    Attributes
    ----------
    words : (n_words,) str
    given : per sex (0 female, 1 male) and community: (indices into words, cumulative weights)
    family : per community: (indices into words, cumulative weights)
    """

    words: npt.NDArray[np.object_]
    given: tuple[tuple[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]], ...], ...]
    family: tuple[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]], ...]

    def draw_given(
        self,
        random: np.random.Generator,
        sex: npt.NDArray[np.int64],
        community: npt.NDArray[np.int64],
        year: npt.NDArray[np.int64],
    ) -> npt.NDArray[np.int64]:
        """A given name for each person, by sex, community and year of birth: (n,) indices into words."""
        drawn, chance = np.zeros(len(sex), np.int64), random.random(len(sex))
        for gender in (0, 1):
            for group, (index, weight) in enumerate(self.given[gender]):
                chosen = (sex == gender) & (community == group)
                rank = np.searchsorted(weight, chance[chosen], side="right")
                fashion = (2015 - year[chosen]) * len(index) // 90  # the list runs from new names to old ones and back
                drawn[chosen] = index[(rank + fashion) % len(index)]
        return drawn

    def draw_family(self, random: np.random.Generator, community: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """A family name for each household: (n,) indices into words."""
        drawn, chance = np.zeros(len(community), np.int64), random.random(len(community))
        for group, (index, weight) in enumerate(self.family):
            chosen = community == group
            drawn[chosen] = index[np.searchsorted(weight, chance[chosen], side="right")]
        return drawn


@lru_cache(maxsize=4)
def names_of(seed: int) -> Names:
    """The vocabulary of the world with that seed: lists as written, plus 300 composed family names a community."""
    words: dict[str, int] = {}

    def index(listed: list[str]) -> npt.NDArray[np.int64]:
        return np.array([words.setdefault(word, len(words)) for word in listed], np.int64)

    given = tuple(
        tuple(
            (index(_listed(community, which)), _zipf(len(_listed(community, which)), 0, _GIVEN_SHIFT))
            for community in COMMUNITIES
        )
        for which in ("girls", "boys")
    )
    family = []
    for community in COMMUNITIES:
        common = _listed(community, "families")
        composed = _composed(seed, community, set(common))
        family.append((index(common + composed), _zipf(len(common), len(composed), _FAMILY_SHIFT)))
    vocabulary = np.empty(len(words), object)
    vocabulary[:] = list(words)
    return Names(vocabulary, given, tuple(family))


def _listed(community: str, which: str) -> list[str]:
    return str(_WORDS[community][which]).split()


def _composed(seed: int, community: str, taken: set[str]) -> list[str]:
    onsets, middles, endings = (_listed(community, part) for part in ("onsets", "middles", "endings"))
    every = [a + b + c for a in onsets for b in middles for c in endings if a + b + c not in taken]
    order = seeds.stream(seed, "world", "names", community).permutation(len(every))[:_COMPOSED]
    return [every[place] for place in order]


def _zipf(common: int, rare: int, shift: float) -> npt.NDArray[np.float64]:
    weight = 1.0 / (np.arange(common) + shift)
    weight *= (1.0 - _RARE_SHARE if rare else 1.0) / weight.sum()
    total = np.cumsum(np.concatenate([weight, np.full(rare, _RARE_SHARE / rare) if rare else np.empty(0)]))
    total[-1] = 1.0
    return total

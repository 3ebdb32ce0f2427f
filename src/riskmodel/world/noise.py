"""How records go wrong: misspelt and shortened names, shifted dates, old addresses, empty cells, rows that cannot be.

The truth: every register entry gets its errors once, and the entry keeps them. Names outside the majority's spelling
are misspelt about twice as often (`SPELLING`), and first-of-January births stand in for unknown ones. A naive analyst
who links on exact agreement loses more links of some communities than of others, and takes the lost links for people
without a history. Each error made is marked in the world's truth, and every row that the intake must refuse is
counted there by the code under which it should be found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from riskmodel.world.names import NICKNAMES
from riskmodel.world.people import ETHNICITIES, Whole

Text = np.ndarray  # (n,) of str or None

SPELLING: Final = (1.0, 2.2, 1.9, 1.7, 1.9, 1.2, 2.3, 1.8, 2.2)
"""How many times as often names of a community are misspelt (order of COMMUNITIES)."""
_NEIGHBOURS: Final = {
    "a": "es",
    "b": "vn",
    "c": "kv",
    "d": "sf",
    "e": "ar",
    "f": "gd",
    "g": "hf",
    "h": "gj",
    "i": "ey",
    "j": "hk",
    "k": "cj",
    "l": "kr",
    "m": "n",
    "n": "m",
    "o": "ua",
    "p": "bo",
    "q": "w",
    "r": "te",
    "s": "zc",
    "t": "dr",
    "u": "oi",
    "v": "wb",
    "w": "ve",
    "x": "zk",
    "y": "ie",
    "z": "sx",
}
_SOUNDS: Final = (
    ("ph", "f"),
    ("ie", "ei"),
    ("ee", "i"),
    ("ou", "u"),
    ("ck", "k"),
    ("oo", "u"),
    ("mm", "m"),
    ("ss", "s"),
)
_SHORT_KINDS: Final = (
    ("Street", "St"),
    ("Road", "Rd"),
    ("Avenue", "Ave"),
    ("Lane", "Ln"),
    ("Close", "Cl"),
    ("Drive", "Dr"),
    ("Crescent", "Cres"),
)


@dataclass(frozen=True, slots=True)
class Carelessness:
    """How an agency keeps its register: probabilities for one entry.

    Attributes
    ----------
    name : a name is misspelt (times SPELLING); short : a short form instead; no_name : given name missing
    birth : date of birth wrong; no_birth : missing; no_sex, no_ethnicity, no_address : missing
    mistaken : ethnicity is another than the person says (officer-perceived)
    stale : a move or a new name is not noticed
    twice : the person is entered a second time under a new number
    capitals : names and addresses in capital letters
    """

    name: float
    short: float
    no_name: float
    birth: float
    no_birth: float
    no_sex: float
    no_ethnicity: float
    mistaken: float
    no_address: float
    stale: float
    twice: float
    capitals: bool = False


CARELESSNESS: Final = {
    "childrens_services": Carelessness(0.030, 0.04, 0.004, 0.015, 0.02, 0.005, 0.14, 0.01, 0.03, 0.25, 0.012),
    "education": Carelessness(0.018, 0.03, 0.001, 0.006, 0.0, 0.002, 0.05, 0.0, 0.01, 0.18, 0.008),
    "health": Carelessness(0.022, 0.02, 0.002, 0.008, 0.004, 0.005, 0.17, 0.0, 0.02, 0.3, 0.010),
    "housing": Carelessness(0.045, 0.06, 0.012, 0.03, 0.10, 0.02, 0.30, 0.01, 0.0, 0.1, 0.010),
    "justice": Carelessness(0.030, 0.02, 0.001, 0.012, 0.01, 0.002, 0.10, 0.03, 0.10, 0.35, 0.020, capitals=True),
    "police": Carelessness(0.045, 0.09, 0.008, 0.03, 0.05, 0.01, 0.06, 0.10, 0.10, 0.3, 0.030, capitals=True),
    "youth_justice": Carelessness(0.025, 0.05, 0.001, 0.01, 0.0, 0.002, 0.06, 0.01, 0.02, 0.2, 0.005),
    "fire": Carelessness(0.060, 0.08, 0.030, 0.05, 0.35, 0.05, 0.40, 0.10, 0.0, 0.4, 0.015, capitals=True),
    "charity": Carelessness(0.070, 0.15, 0.005, 0.04, 0.25, 0.02, 0.50, 0.0, 0.33, 0.2, 0.030),
}


def misspelt(random: np.random.Generator, names: Text, chance: np.ndarray) -> np.ndarray:
    """Misspell each name with its probability, in place; returns which: (n,) bool."""
    wrong = np.flatnonzero(random.random(len(names)) < chance)
    draws = random.random((len(wrong), 3))
    for entry, draw in zip(wrong.tolist(), draws, strict=True):
        names[entry] = _slip(names[entry], *draw)
    marked = np.zeros(len(names), np.bool_)
    marked[wrong] = True
    return marked


def _slip(name: str, kind: float, where: float, which: float) -> str:
    """One slip of ear or hand. The first letter mostly survives."""
    if kind < 0.25:
        for sound, heard in _SOUNDS:
            if sound in name:
                return name.replace(sound, heard, 1)
    place = 1 + int(where * (len(name) - 1)) if len(name) > 1 else 0
    letter = name[place] if place < len(name) else ""
    if kind < 0.45 and place + 1 < len(name):
        return name[:place] + name[place + 1] + letter + name[place + 2 :]
    if kind < 0.65 and len(name) > 3:
        return name[:place] + name[place + 1 :]
    if kind < 0.75:
        return name[:place] + letter + name[place:] if letter else name + "e"
    near = _NEIGHBOURS.get(letter.lower(), "e")
    other = near[int(which * len(near))]
    return name[:place] + (other.upper() if letter.isupper() else other) + name[place + 1 :]


def shortened(random: np.random.Generator, names: Text, chance: float) -> np.ndarray:
    """Put the short form where there is one, in place; returns which: (n,) bool."""
    drawn = random.random(len(names)) < chance
    marked = np.zeros(len(names), np.bool_)
    for entry in np.flatnonzero(drawn).tolist():
        short = NICKNAMES.get(names[entry])
        if short is not None:
            names[entry], marked[entry] = short, True
    return marked


def misdated(random: np.random.Generator, born: Whole, chance: float, first_of_january: np.ndarray) -> Whole:
    """Dates of birth with day and month swapped, a year or a few days off, or set to the first of January."""
    day = born.astype("datetime64[D]")
    month = day.astype("datetime64[M]")
    year = day.astype("datetime64[Y]")
    in_month = (day - month).astype(np.int64)  # from 0
    in_year = (month - year.astype("datetime64[M]")).astype(np.int64)
    swapped = (year.astype("datetime64[M]") + in_month.clip(max=11)).astype("datetime64[D]") + in_year
    draw = random.random(len(born))
    kind = random.random(len(born))
    off = random.integers(1, 4, len(born)) * np.where(random.random(len(born)) < 0.5, -1, 1)
    wrong = np.where((kind < 0.45) & (in_month < 12), swapped.astype(np.int64), born + off)
    another = ((year + np.sign(off)).astype("datetime64[M]") + in_year).astype("datetime64[D]") + in_month.clip(max=27)
    wrong = np.where(kind > 0.75, another.astype(np.int64), wrong)
    new = np.where(draw < chance, wrong, born)
    return np.where(random.random(len(born)) < first_of_january, year.astype("datetime64[D]").astype(np.int64), new)


def perceived(random: np.random.Generator, ethnicity: Whole, chance: float) -> Whole:
    """Ethnicity as somebody else saw it: people of mixed heritage are mostly seen as something else."""
    mixed = ETHNICITIES.index("mixed")
    mistaken = random.random(len(ethnicity)) < np.where(ethnicity == mixed, 6.0, 1.0) * chance
    guess = random.choice(len(ETHNICITIES), size=len(ethnicity), p=[0.42, 0.28, 0.15, 0.03, 0.12])
    return np.where(mistaken, guess, ethnicity)


def address_forms(addresses: Text) -> Text:
    """The same addresses with the kind of street cut short and the flat put behind: (n,) str."""
    changed = addresses.copy()
    for entry, address in enumerate(addresses.tolist()):
        for long, short in _SHORT_KINDS:
            if address.endswith(long):
                address = address[: -len(long)] + short
        if address.startswith("Flat "):
            flat, _, rest = address.partition(", ")
            address = f"{rest}, {flat}"
        changed[entry] = address
    return changed

"""Named random streams from one seed: the same seed and name give the same numbers, whatever else is drawn.

No other module may make a generator, and none touches NumPy's global one.
"""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """A generator for one use, named by a path of words or numbers.

    Examples
    --------
    >>> bool(stream(7, "fit", 1).random() == stream(7, "fit", 1).random())
    True
    >>> bool(stream(7, "fit", 1).random() == stream(7, "fit", 2).random())
    False
    """
    return np.random.default_rng([seed, derived(0, *names)])


def derived(seed: int, *names: str | int) -> int:
    """A whole number below 2**31 for libraries that take an integer seed."""
    text = "/".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1

"""One column that holds a whole name, as a small agency's sheet has it: cut into given and family name.

With a comma the family name stands before it. Without, words in capitals beside others that are not are the family
name; else the last word is, with the small words that belong to it (van der Berg, bin Said). A single word is a given
name. Where the cut is wrong, linkage compares names either way round.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa

FULL_NAME: Final = "full_name"
"""What such a column means in a contract; it fills the two standard fields of `PARTS`."""
PARTS: Final = ("given_name", "family_name")
_BELONGING: Final = frozenset(
    ("al", "ap", "bin", "bint", "da", "das", "de", "del", "della", "der", "den", "di", "do", "dos", "du", "el", "ibn",
     "la", "le", "o", "st", "ter", "ten", "van", "ver", "von", "y")
)  # fmt: skip


def cut(name: str) -> tuple[str | None, str | None]:
    """Given and family name of a whole one.

    Examples
    --------
    >>> cut("Okafor, Ada Grace"), cut("Ada Grace Okafor"), cut("OKAFOR Ada")
    (('Ada Grace', 'Okafor'), ('Ada Grace', 'Okafor'), ('Ada', 'OKAFOR'))
    >>> cut("Jan van der Berg"), cut("Zoë"), cut(" ,")
    (('Jan', 'van der Berg'), ('Zoë', None), (None, None))
    """
    family, comma, given = name.partition(",")
    if comma:
        return given.strip() or None, family.strip() or None
    words = name.split()
    loud = [word.isupper() and len(word) > 1 for word in words]
    if any(loud) and not all(loud):
        pairs = list(zip(words, loud, strict=True))
        return " ".join(word for word, is_ in pairs if not is_), " ".join(word for word, is_ in pairs if is_)
    start = max(len(words) - 1, 0)
    while start > 1 and words[start - 1].lower().strip(".'") in _BELONGING:
        start -= 1
    if start == 0:
        return (words[0] if words else None), None
    return " ".join(words[:start]), " ".join(words[start:])


def cut_each(names: pa.Array) -> dict[str, pa.Array]:
    """Standard field -> its part of each name; null where nothing was given."""
    coded = names.dictionary_encode()
    parts = [cut(name) for name in coded.dictionary.to_pylist()]
    return {
        field: pa.array([part[at] for part in parts], pa.string()).take(coded.indices) for at, field in enumerate(PARTS)
    }


def whole(given: pa.Array, family: pa.Array) -> pa.Array:
    """Whole names as a sheet has them, family name first; the inverse of cutting."""
    pairs = zip(given.to_pylist(), family.to_pylist(), strict=True)
    return pa.array([_joined(*pair) for pair in pairs], pa.string())


def _joined(given: str | None, family: str | None) -> str | None:
    return given if family is None else f"{family}, {given or ''}".strip()

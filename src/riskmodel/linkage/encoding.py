"""Codes in the place of names, birth dates and addresses, made at the agency with a key that never leaves the agencies.

Two kinds of code, after Schnell, Bachteler and Reiher (2009):

- **Tokens**: HMAC-SHA-256 of a value, cut to 64 bits. Equal values have equal tokens; nothing else can be seen. A name
  alone would be betrayed by how often its token occurs, so no token is of a name alone: each is *salted* with part of
  the birth date (day and month, year and month, or year and day) or with the postcode. Two records of one person nearly
  always share one of these. A birth date also has a token of its year, which shows nothing new (dates that share year
  and month, or year and day, fall into years by themselves), and 15 tokens of itself with one digit, or two
  neighbouring digits, left open: two dates share one exactly if one slip parts them.
- **Bloom filters** of the letter pairs of a name, so that misspelt names stay alike (their Dice similarity). They are
  salted in the same way, and with the door, and with how both names sound: the same name of people with other birthdays
  sets other bits, and same bits are what frequency and pattern attacks on filters live on (Christen et al. 2018). Names
  that sound alike have a token in common anyway; the filter only says how many letters they share. Each letter pair
  sets bits at random places from its own HMAC (Niedermeyer et al. 2014: the usual two hash functions give filters
  away), and each filter is folded onto half its length by exclusive or (Schnell and Borgs 2016), so that single bits no
  longer say which pair set them.

What can still be seen without the key: which records share a birth date, a door or a whole name, how many share it, and
the sex and area that are sent in clear. That is why codes are handled like names: under a purpose, and never kept
beyond linkage. Whoever has the key and the codes can try names; the key stays with the agencies.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.feeds.encoded import SCHEME
from riskmodel.linkage import addresses, names

SHORTEST_KEY: Final = 32
BITS: Final = 512
HASHES: Final = 8
WORDS: Final = BITS // 2 // 64

LAYOUT: Final = {
    "birth": 1, "sorted_birth": 1, "year": 1, "md": 1, "ym": 1, "yd": 1, "default_date": 1, "slips": 15,
    "name": 1, "sounds": 1, "sound_year": 1, "roots": 4, "families": 12,
    **{f"{part}_{salt}": WORDS for part in ("given", "family") for salt in ("md", "ym", "yd", "pc", "door", "sound")},
    "lot": 1, "place": 1, "door": 1, "postcode": 1, "street": 1, "lane": WORDS, "homes": 6,
}  # fmt: skip
"""What a code holds, in order, and in how many words of 64 bits; a word of zero is "not known"."""
LENGTH: Final = sum(LAYOUT.values())
PLACES: Final = dict(zip(LAYOUT, accumulate([0, *LAYOUT.values()][:-1]), strict=True))

Codes = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """A key made for one purpose and one salt from the agencies' common secret; shows nothing of itself."""

    secret: bytes
    purpose: str

    @classmethod
    def read(cls, path: Path, *, purpose: str, salt: str) -> Key:
        """Read the secret and derive the key.

        Parameters
        ----------
        path : the key file: at least 32 random bytes, shared by all agencies of the partnership, readable by its owner
        purpose : str, the purpose for which the codes are made; codes for another purpose cannot be linked with them
        salt : str, agreed for this purpose and never used for another

        Raises
        ------
        DeclarationError : codes "key-missing", "key-open", "key-short", "salt-missing"
        """
        _check_key_file(path)
        secret = path.read_bytes().strip()
        if len(secret) < SHORTEST_KEY or len(set(secret)) < SHORTEST_KEY // 4:
            expected = f"at least {SHORTEST_KEY} random bytes"
            raise _refused("key-short", "a key that is short or repeats itself", expected,
                           "Make one, for instance with: openssl rand -hex 32")  # fmt: skip
        if not salt.strip():
            raise _refused("salt-missing", "no salt", "a text agreed for this purpose", "Write --salt, such as 2026-a.")
        derived = hmac.digest(secret, "\x1f".join((SCHEME, purpose, salt)).encode(), "sha256")
        return cls(derived, purpose)

    @property
    def check(self) -> str:
        """A value that only this key, purpose and salt give; the key cannot be had from it."""
        return hmac.digest(self.secret, b"check", "sha256")[:8].hex()

    def text(self, kind: str, value: str) -> str:
        """The token of a value as 16 hexadecimal digits."""
        return f"{self.token(kind, value):016x}"

    def token(self, kind: str, *parts: str) -> int:
        """The token of a value, never 0."""
        digest = hmac.digest(self.secret, "\x1f".join((kind, *parts)).encode(), "sha256")
        return int.from_bytes(digest[:8], "big") or 1

    def filter(self, salt: str, word: str) -> list[int]:
        """The folded Bloom filter of a word's letter pairs, as `WORDS` words of 64 bits."""
        letters = f"_{word}_"
        bits = 0
        for at in range(len(letters) - 1):
            digest = hmac.digest(self.secret, f"pair\x1f{salt}\x1f{letters[at : at + 2]}".encode(), "sha256")
            for place in range(HASHES):
                bits |= 1 << (int.from_bytes(digest[2 * place : 2 * place + 2], "big") % BITS)
        half = BITS // 2
        folded = (bits >> half) ^ (bits & ((1 << half) - 1))
        return [(folded >> (64 * at)) & 0xFFFF_FFFF_FFFF_FFFF for at in range(WORDS)]

    def __repr__(self) -> str:
        return f"Key(check {self.check})"


def encoded(people: pa.Table, key: Key) -> pa.Array:
    """The code of each row of PERSON_RECORDS, base64 text; see `Coder`."""
    return Coder(key).codes(people)


def decoded(texts: pa.Array | pa.ChunkedArray) -> Codes:
    """(n, LENGTH) words of codes; a row without a code is all zero.

    Raises
    ------
    DataRefused : code "code-invalid"
    """
    found = np.zeros((len(texts), LENGTH), np.uint64)
    for at, text in enumerate(texts.to_pylist()):
        if text is not None:
            try:
                found[at] = np.frombuffer(base64.b64decode(text, validate=True), "<u8")
            except ValueError:
                raise DataRefused(
                    "code-invalid",
                    found="a code of another length or kind",
                    expected=f"codes of scheme {SCHEME}",
                    repair="Encode the register again with this version.",
                ) from None
    return found


class Coder:
    """Makes the codes of rows with one key; what many rows share, also of other parts of a file, is worked out once."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self._token: Callable[..., int] = lru_cache(maxsize=500_000)(key.token)
        self._filter: Callable[[str, str], list[int]] = lru_cache(maxsize=200_000)(key.filter)

    def codes(self, people: pa.Table) -> pa.Array:
        """The code of each row of PERSON_RECORDS, base64 text.

        The names are made comparable before they are encoded, with the same rules as in clear text.
        """
        columns = (
            names.each(people.column("given_name"), names.given),
            names.each(people.column("given_name"), names.root),
            names.each(people.column("family_name"), names.family),
            names.each(people.column("family_name"), names.parts),
            pc.strftime(people.column("birth_date"), format="%Y%m%d"),
            people.column("address"),
            people.column("postcode"),
        )
        words = np.zeros((people.num_rows, LENGTH), np.uint64)
        for at, row in enumerate(zip(*(column.to_pylist() for column in columns), strict=True)):
            for place, found in self._row(*row).items():
                start = PLACES[place]
                words[at, start : start + len(found)] = found
        cells = words.astype("<u8")
        return pa.array([base64.b64encode(row.tobytes()).decode() for row in cells], pa.string())

    def _row(
        self, given: str | None, root: str | None, family: str | None, parts: str | None, birth: str | None,
        address: str | None, postcode: str | None,
    ) -> Mapping[str, list[int]]:  # fmt: skip
        """The words of one row by their places in the layout."""
        made: dict[str, list[int]] = {}
        salts: dict[str, str] = {}
        if birth is not None:
            salts = {name: f"{name}{part}" for name, part in _parts_of(birth).items()}
            made |= self._birth(birth, salts)
        where = addresses.parsed(address, postcode)
        code = (where[2] if where else "") or "".join(names.plain(postcode or "").split())
        if code:
            salts["pc"] = f"pc{code}"
        if given or family:
            made |= self._filters(given, family, salts | _wide_salts(where, given, family))
        made |= self._names(given, root, family, parts, birth, salts)
        if code:
            made["postcode"] = [self._token("postcode", code)]
        if where is not None:
            made |= self._place(*where)
        homes = self._homes(where, code, given, root, family, birth)
        if homes:
            made["homes"] = homes
        return made

    def _birth(self, birth: str, salts: Mapping[str, str]) -> dict[str, list[int]]:
        one, two = sorted((birth[4:6], birth[6:])) if birth[6:] <= "12" else (birth[4:6], birth[6:])
        opened = [f"{birth[:at]}?{birth[at + 1 :]}" for at in range(8)]
        opened += [birth[:at] + "".join(sorted(birth[at : at + 2])) + "~" + birth[at + 2 :] for at in range(7)]
        return {
            "birth": [self._token("birth", birth)],
            "sorted_birth": [self._token("sorted", birth[:4], one, two)],
            "year": [self._token("year", birth[:4])],
            "default_date": [int(birth[4:] == "0101")],
            "slips": [self._token("slip", text) for text in opened],
            **{name: [self._token("salt", salt)] for name, salt in salts.items()},
        }

    def _filters(self, given: str | None, family: str | None, salts: Mapping[str, str]) -> dict[str, list[int]]:
        words = {"given": given, "family": family}
        return {
            f"{part}_{name}": self._filter(salt, word)
            for name, salt in salts.items()
            for part, word in words.items()
            if word
        }

    def _names(
        self, given: str | None, root: str | None, family: str | None, parts: str | None, birth: str | None,
        salts: Mapping[str, str],
    ) -> dict[str, list[int]]:  # fmt: skip
        made: dict[str, list[int]] = {}
        salted = list(salts.values())
        if root:
            made["roots"] = [self._token("root", root, salt) for salt in salted]
        if parts:
            made["families"] = [self._token("family", part, salt) for part in parts.split()[:3] for salt in salted]
        if given and family:
            made["name"] = [self._token("name", *sorted((given, family)))]
            sounds = _sounds(given, family)
            made["sounds"] = [self._token("sounds", *sounds)] if sounds else []
        if family and birth:
            made["sound_year"] = [self._token("sound_year", names.sound(family) or "", birth[:4], (given or "")[:1])]
        return made

    def _place(self, numbers: str, street: str, code: str) -> dict[str, list[int]]:
        made = {
            "place": [self._token("place", numbers, street, code)],
            "door": [self._token("door", numbers, street)],
        }
        if street:
            made["street"] = [self._token("street", street)]
        if numbers and code:
            made["lot"] = [self._token("lot", numbers, code)]
            if street:
                made["lane"] = self._filter(f"{numbers} {code}", street)
        return made

    def _homes(
        self, where: tuple[str, str, str] | None, code: str, given: str | None, root: str | None,
        family: str | None, birth: str | None,
    ) -> list[int]:  # fmt: skip
        """Keys under which records of one home are compared: the door or the postcode with part of name or birth."""
        door = [("door", "|".join(where[:2]), (root or "")[:3], (family or "")[:3])] if where else []
        wide = [("code", code, names.sound(given or "") or "", names.sound(family or "") or "")] if code else []
        found = []
        for kind, place, first, last in door + wide:
            for what, part in (("given", first), ("family", last), ("year", (birth or "")[:4])):
                if part:
                    found.append(self._token("home", kind, what, place, part))
        return found


def _sounds(given: str | None, family: str | None) -> list[str]:
    """How both names sound, in one order; empty where one is not known."""
    sounds = sorted(filter(None, (names.sound(given or ""), names.sound(family or ""))))
    return sounds if len(sounds) == 2 else []


def _wide_salts(where: tuple[str, str, str] | None, given: str | None, family: str | None) -> dict[str, str]:
    """The salts of filters alone: the door, and how both names sound."""
    sounds = _sounds(given, family)
    door = {"door": f"door{where[0]}|{where[1]}"} if where else {}
    return door | ({"sound": f"sound{'|'.join(sounds)}"} if sounds else {})


def _parts_of(birth: str) -> dict[str, str]:
    """The three pairs of year, month and day; day and month in one order, so that swapped ones agree."""
    return {"md": "".join(sorted((birth[4:6], birth[6:]))), "ym": birth[:6], "yd": birth[:4] + birth[6:]}


def _check_key_file(path: Path) -> None:
    if not path.is_file():
        raise _refused(
            "key-missing", f"no key file {path.name}", "a file with the partnership's key", "Check the path."
        )
    if path.stat().st_mode & 0o077:
        raise _refused("key-open", f"a key file {path.name} that others may read", "one that only its owner can read",
                       f"Run chmod 600 {path.name}; if others did read it, agree on a new key.")  # fmt: skip


def _refused(code: str, found: str, expected: str, repair: str) -> DeclarationError:
    return DeclarationError.of(code, where="--salt" if "salt" in code else "--key-file", found=found, expected=expected,
                               repair=repair)  # fmt: skip

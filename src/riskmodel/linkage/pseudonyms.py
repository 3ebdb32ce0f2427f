"""The salt behind the pseudonyms of a store: one text, in one file, that never leaves it.

A pseudonym is a hash of the salt and an agency's own number. Who knows both can find it again, so a partnership that
works with real people writes a secret of its own (32 random characters or more) into the file ``salt`` of the store's
folder before the first run. Without one the salt follows from the purpose's name, so that the same study gives the
same pseudonyms anywhere: right for synthetic and public data, and no protection against someone who holds the
agencies' own numbers.
"""

from __future__ import annotations

import hashlib
from typing import Final

from riskmodel.errors import DeclarationError
from riskmodel.governance.access import Store

SALT_FILE: Final = "salt"
SHORTEST: Final = 16


def salt_of(store: Store) -> str:
    """The salt of a store, made and kept when there is none yet."""
    path = store.folder / SALT_FILE
    if not path.exists():
        made = hashlib.sha256(f"riskmodel pseudonyms of {store.purpose.name}".encode()).hexdigest()
        path.write_text(made + "\n", encoding="utf-8")
        path.chmod(0o600)
    try:
        salt = path.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        salt = ""
    if len(salt) < SHORTEST:
        raise DeclarationError.of(
            "salt-short",
            where=SALT_FILE,
            found=f"a salt of {len(salt)} characters" if salt else "a salt that is empty or no text",
            expected=f"at least {SHORTEST}",
            repair="Write 32 or more random characters into the file, or remove it to have one made.",
        )
    return salt


def salt_mark(store: Store) -> str:
    """A mark by which a changed salt is noticed; the salt cannot be read from it."""
    return hashlib.sha256(f"mark {salt_of(store)}".encode()).hexdigest()

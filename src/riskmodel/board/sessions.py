"""Who is signed in, kept on the server: a browser holds a random token and nothing else.

A session ends after a while without use, after a working day, at signing out, and when its account is removed. Its
token changes at signing in and every few minutes. Failed sign-ins are counted by account and by address.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

COOKIE = "reading-room"
IDLE, LONGEST, TURNED_AFTER, OVERLAP = 20 * 60.0, 8 * 3600.0, 10 * 60.0, 30.0
"""Seconds: without use, altogether, until the token changes, and for how long the old token still answers."""
TRIES_BY_NAME, TRIES_BY_ADDRESS, TRIES_WITHIN = 8, 30, 15 * 60.0
_MOST = 10_000


@dataclass(slots=True)
class Session:
    """One sign-in.

    Attributes
    ----------
    name : str, the account
    csrf : str, what every form of this session has to bring back
    begun, seen, turned : float, seconds, of the sign-in, the last page and the last change of token
    """

    name: str
    csrf: str
    begun: float
    seen: float
    turned: float


class Sessions:
    """All sessions of a running reading room. Tokens are kept as hashes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: dict[str, Session] = {}
        self._old: dict[str, tuple[float, str]] = {}
        self._lock = threading.Lock()

    def begin(self, name: str) -> str:
        """Begin a session for an account; returns its token."""
        now, token = self._clock(), secrets.token_urlsafe(32)
        with self._lock:
            self._sweep(now)
            self._held[_hash(token)] = Session(name, secrets.token_urlsafe(32), now, now, now)
        return token

    def find(self, token: str) -> tuple[Session | None, str | None]:
        """The session of a token, and a new token when it is time to change it."""
        now, key = self._clock(), _hash(token)
        with self._lock:
            until, newer = self._old.get(key, (0.0, ""))
            session = self._held.get(newer if until > now else key)
            if session is None or now - session.seen > IDLE or now - session.begun > LONGEST:
                self._held.pop(key, None)
                return None, None
            session.seen = now
            if key not in self._held or now - session.turned < TURNED_AFTER:
                return session, None
            fresh = secrets.token_urlsafe(32)
            self._held[_hash(fresh)] = self._held.pop(key)
            self._old[key] = (now + OVERLAP, _hash(fresh))
            session.turned = now
            return session, fresh

    def end(self, token: str) -> None:
        """End the session of a token, also when it was changed a moment ago."""
        key = _hash(token)
        with self._lock:
            for held in (key, self._old.pop(key, (0.0, ""))[1]):
                self._held.pop(held, None)

    def _sweep(self, now: float) -> None:
        for key, session in list(self._held.items()):
            if now - session.seen > IDLE or now - session.begun > LONGEST:
                del self._held[key]
        self._old = {key: held for key, held in self._old.items() if held[0] > now}
        while len(self._held) >= _MOST:
            del self._held[min(self._held, key=lambda key: self._held[key].seen)]


@dataclass(slots=True)
class Attempts:
    """Failed sign-ins of the last quarter of an hour, by account and by address."""

    clock: Callable[[], float] = time.monotonic
    _held: dict[str, deque[float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def too_many(self, name: str, address: str) -> bool:
        """Whether no further try is looked at for now."""
        with self._lock:
            return self._count(f"name {name}") >= TRIES_BY_NAME or self._count(f"address {address}") >= TRIES_BY_ADDRESS

    def failed(self, name: str, address: str) -> None:
        """Note a failed try."""
        with self._lock:
            if len(self._held) >= _MOST:
                self._held = {key: tries for key, tries in self._held.items() if self._count(key)}
            for key in (f"name {name}", f"address {address}"):
                self._held.setdefault(key, deque(maxlen=TRIES_BY_ADDRESS)).append(self.clock())

    def _count(self, key: str) -> int:
        tries, since = self._held.get(key), self.clock() - TRIES_WITHIN
        while tries and tries[0] < since:
            tries.popleft()
        return len(tries) if tries else 0


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

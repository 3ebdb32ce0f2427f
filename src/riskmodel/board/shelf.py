"""A store on the shelf of the reading room: its models as MLflow has them, their cards, and where each stands."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from riskmodel.board.reading import Followed
from riskmodel.board.records import Records
from riskmodel.cards.model_card import ModelCard
from riskmodel.engines.folders import read_result
from riskmodel.errors import EvidenceError, NotFound
from riskmodel.governance.ledger import Ledger
from riskmodel.governance.standings import Standing
from riskmodel.tracking import database
from riskmodel.tracking.cards import REVIEW_BY, TITLE
from riskmodel.tracking.registry import Registry, Version

_READ_AGAIN = 60.0
"""Seconds after which the list of versions is read again even when none was added: one may have been removed."""
_CARDS = 200


@dataclass(frozen=True, slots=True)
class Item:
    """One version of a model on a shelf."""

    shelf: str
    version: Version
    standing: Standing

    @property
    def title(self) -> str:
        """The card's title."""
        return self.version.tags.get(TITLE) or self.version.name

    @property
    def is_evaluation(self) -> bool:
        """Whether it is the card of an evaluation, and no model's."""
        return self.version.is_evaluation

    @property
    def review_by(self) -> dt.date | None:
        """The day by which it is to be looked at again, when the card names one."""
        text = self.version.tags.get(REVIEW_BY, "")
        try:
            return dt.date.fromisoformat(text[:10])
        except ValueError:
            return None


@dataclass(slots=True)
class Shelf:
    """One store and the part of a registry that its runs are recorded in.

    Parameters
    ----------
    name : str, as it stands in addresses of pages
    store : Path
    registry : Registry
    models : the registered models that belong to the store; None is all of the registry
    """

    name: str
    store: Path
    registry: Registry
    models: frozenset[str] | None
    followed: Followed = field(init=False)
    records: Records = field(init=False)
    _versions: tuple[tuple[str, int, int], float, list[Version]] | None = None
    _cards: OrderedDict[str, dict[str, Any]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _reading: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.followed = Followed(Ledger(self.store / "ledger.jsonl"))
        self.records = Records(self.store, self.followed)

    @classmethod
    def of(cls, store: Path, name: str) -> Shelf:
        """The shelf of a store, or of the store in a study's folder.

        Raises
        ------
        NotFound : it has neither a recorded run nor a registry
        """
        folder = store / "run" if (store / "study.toml").exists() else store
        recorded, own = read_result(folder, "recorded"), f"sqlite:///{(folder / database.DATABASE).resolve()}"
        if recorded is not None:
            held = json.loads(recorded.path("recorded.json").read_text(encoding="utf-8"))
            models = None if held["tracking"] == own else frozenset({held["model"].split("/")[1]})
            return cls(name, folder, Registry(held["tracking"]), models)
        if (folder / database.DATABASE).exists():
            return cls(name, folder, Registry(own), None)
        raise NotFound(
            "store-without-models",
            found=f"no recorded run in {folder.name}",
            expected="the folder of a study that was run, or of its results",
            repair="Run the study first: riskmodel run STUDY.",
        )

    def items(self) -> list[Item]:
        """Every version with a card, newest first."""
        stands = self.followed.now()
        return [Item(self.name, version, stands.standing(version.card)) for version in self._listed()]

    def item(self, name: str, number: int) -> Item:
        """One version.

        Raises
        ------
        NotFound : there is none
        """
        for item in self.items():
            if (item.version.name, item.version.number) == (name, number):
                return item
        raise no_such_version()

    def card(self, version: Version) -> dict[str, Any]:
        """The card's document, checked against its fingerprint."""
        with self._lock:
            if version.card in self._cards:
                self._cards.move_to_end(version.card)
                return self._cards[version.card]
        document = self.registry.card(version)
        if ModelCard.from_document(document).fingerprint != version.card:
            raise EvidenceError(
                "card-altered",
                found="a card that was changed since it was recorded",
                expected="the card as it was recorded",
                repair="Do not decide on it; have the run recorded again.",
            )
        with self._lock:
            self._cards[version.card] = document
            while len(self._cards) > _CARDS:
                self._cards.popitem(last=False)
        return document

    def last_decided(self, item: Item) -> Item | None:
        """The version of the same model whose card the board approved last, other than this one."""
        approved = [
            (entry.number, str(entry.facts.get("card")))
            for entry in self.followed.now().entries
            if entry.action == "approval" and entry.facts.get("decision") == "approved"
        ]
        order = {card: number for number, card in approved}
        others = [
            other
            for other in self.items()
            if other.version.name == item.version.name
            and other.version.number != item.version.number
            and other.version.card in order
        ]
        return max(others, key=lambda other: order[other.version.card], default=None)

    def _listed(self) -> list[Version]:
        newest = self.registry.newest_change()
        with self._lock:
            known = self._versions
        if known is None or known[0] != newest:
            return self._read_versions(newest)
        if time.monotonic() - known[1] >= _READ_AGAIN and self._reading.acquire(blocking=False):
            threading.Thread(target=self._read_again, args=(newest,), daemon=True).start()
        return known[2]

    def _read_again(self, newest: tuple[str, int, int]) -> None:
        """Read beside the readers, none of whom waits: only a version that was removed could be missing."""
        try:
            self._read_versions(newest)
        finally:
            self._reading.release()

    def _read_versions(self, newest: tuple[str, int, int]) -> list[Version]:
        held = [
            version
            for version in self.registry.versions()
            if version.card and (self.models is None or version.name in self.models)
        ]
        with self._lock:
            self._versions = (newest, time.monotonic(), held)
        return held


def no_such_version() -> NotFound:
    """The refusal of a version that is not there, or stands on the shelf of another board: the same words for both."""
    return NotFound(
        "version-missing", found="no such version", expected="a version on the shelf", repair="Choose one there."
    )

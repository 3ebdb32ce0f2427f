"""The registry as the board's record moves it: versions with their card, and aliases that follow the ledger.

`follow` sets the aliases ``candidate``, ``approved``, ``in_use`` and ``retired`` of a registered model to what the
ledger says, and nothing else does: there is no way to name an alias and a version. An alias that was moved by hand is
found by `strays`, and put back by the next `follow`. Works on a database file and on a tracking server alike, and
touches none of MLflow's global state, so that several threads may ask at once.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from riskmodel.errors import EvidenceError, NotFound
from riskmodel.governance.ledger import Ledger
from riskmodel.governance.standings import Standing, standings
from riskmodel.tracking import cards, groups
from riskmodel.tracking.database import answering, must_answer
from riskmodel.tracking.library import MlflowClient, MlflowException
from riskmodel.tracking.writing import KIND

CANDIDATE, APPROVED, IN_USE, RETIRED = "candidate", "approved", "in_use", "retired"
ALIASES = (CANDIDATE, APPROVED, IN_USE, RETIRED)
STATE, APPROVAL = "riskmodel.state", "riskmodel.approval"
"""The tags that `follow` writes on a version: how far its card has come, and the decision that says so."""
_PAGE, _MODELS = 10_000, 1_000


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a registered model.

    Attributes
    ----------
    name, number : of the registered model, and of the version
    run_id : str, the run it came from
    tags : mapping, with the card's fingerprint under `riskmodel.tracking.cards.CARD`
    made_at : int, milliseconds since 1970
    """

    name: str
    number: int
    run_id: str
    tags: Mapping[str, str] = field(repr=False)
    made_at: int = 0

    @property
    def card(self) -> str:
        """The fingerprint of its card; empty for a version that was not recorded by riskmodel."""
        return self.tags.get(cards.CARD, "")

    @property
    def is_evaluation(self) -> bool:
        """Whether it holds the card of an evaluation and no model."""
        return self.tags.get(KIND) == cards.EVALUATION


@dataclass(frozen=True, slots=True)
class Registry:
    """The registry at one tracking address.

    Parameters
    ----------
    address : str, such as ``sqlite:///run/mlflow.db`` or ``http://127.0.0.1:5000``
    """

    address: str
    _client: MlflowClient = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        must_answer(self.address)
        with answering():
            client = MlflowClient(tracking_uri=self.address, registry_uri=self.address)
        object.__setattr__(self, "_client", client)

    def versions(self, name: str | None = None) -> list[Version]:
        """Every version, of one registered model or of all, newest first."""
        query, token, found = None if name is None else f"name = '{_quoted(name)}'", None, []
        with answering():
            while True:
                page = self._client.search_model_versions(query, max_results=_PAGE, page_token=token)
                found += [_version(each) for each in page]
                token = page.token
                if not token:
                    return sorted(found, key=lambda version: (-version.made_at, version.name, -version.number))

    def newest_change(self) -> tuple[str, int, int]:
        """Name, number and time of the version that changed last: the same answer means that there is no new one."""
        with answering():
            newest = self._client.search_model_versions(max_results=1)
        return ("", 0, 0) if not newest else (newest[0].name, int(newest[0].version), newest[0].last_updated_timestamp)

    def aliases(self, name: str) -> dict[str, int]:
        """The aliases of a registered model and the versions they name."""
        with answering():
            held = self._client.get_registered_model(name).aliases
        return {str(alias): int(number) for alias, number in held.items()}

    def card(self, version: Version) -> dict[str, Any]:
        """The card's document, as it was recorded with the run.

        Raises
        ------
        EvidenceError : it is not the card that the version names
        """
        document: dict[str, Any] = json.loads(self._text(version, "card/card.json"))
        if document.get("fingerprint") != version.card:
            raise EvidenceError(
                "card-other",
                found=f"another card with {version.name}, version {version.number}",
                expected="the card the version was recorded with",
                repair="Record the run again; do not decide on this card.",
            )
        return document

    def groups(self, version: Version) -> dict[str, Any] | None:
        """The disclosed audit by group and list length; None for a run that was recorded without."""
        try:
            document: dict[str, Any] = json.loads(self._text(version, f"tables/{groups.FILE}"))
        except NotFound:
            return None
        return document

    def follow(
        self, name: str, ledger: Ledger, today: dt.date, stands: Mapping[str, Standing] | None = None
    ) -> dict[str, int]:
        """Bring aliases and tags of a registered model into line with the ledger; returns the aliases.

        Parameters
        ----------
        name : str, the registered model
        ledger : Ledger, of the store its versions come from
        today : date, on which an approval holds or not
        stands : what the ledger says now, for a caller who has read it
        """
        stands = standings(ledger.entries()) if stands is None else stands
        return self._bring(name, self.versions(name), self.aliases(name), stands, today)

    def follow_all(self, stands: Mapping[str, Standing], today: dt.date) -> None:
        """The same for every registered model that has a card on which something was done, asked for all at once."""
        by_name: dict[str, list[Version]] = {}
        for version in self.versions():
            by_name.setdefault(version.name, []).append(version)
        held = self._all_aliases()
        for name, versions in sorted(by_name.items()):
            if any(version.card in stands for version in versions):
                self._bring(name, versions, held.get(name, {}), stands, today)

    def _bring(
        self,
        name: str,
        versions: Sequence[Version],
        held: Mapping[str, int],
        stands: Mapping[str, Standing],
        today: dt.date,
    ) -> dict[str, int]:
        """Set what differs, and nothing else."""
        wanted = aliases_for(versions, stands, today)
        if not all(version.is_evaluation for version in versions):
            wanted.setdefault(CANDIDATE, held.get(CANDIDATE, max((each.number for each in versions), default=1)))
        with answering():
            for version in versions:
                stand = stands.get(version.card, Standing())
                for tag, value in ((STATE, stand.state), (APPROVAL, stand.approval)):
                    if value and version.tags.get(tag) != value:
                        self._client.set_model_version_tag(name, str(version.number), tag, value)
            for alias in ALIASES:
                if alias in wanted and held.get(alias) != wanted[alias]:
                    self._client.set_registered_model_alias(name, alias, str(wanted[alias]))
                elif alias in held and alias not in wanted:
                    self._client.delete_registered_model_alias(name, alias)
        return wanted

    def _all_aliases(self) -> dict[str, dict[str, int]]:
        """The aliases of every registered model."""
        token, found = None, {}
        with answering():
            while True:
                page = self._client.search_registered_models(max_results=_MODELS, page_token=token)
                for each in page:
                    found[str(each.name)] = {str(alias): int(number) for alias, number in each.aliases.items()}
                token = page.token
                if not token:
                    return found

    def named(
        self, name: str, ledger: Ledger, today: dt.date, stands: Mapping[str, Standing] | None = None
    ) -> tuple[dict[str, int], dict[str, int]]:
        """The aliases of a registered model, and those of them that name a version otherwise than the ledger says."""
        stands = standings(ledger.entries()) if stands is None else stands
        wanted, held = aliases_for(self.versions(name), stands, today), self.aliases(name)
        stray = {alias: held[alias] for alias in ALIASES[1:] if alias in held and held[alias] != wanted.get(alias)}
        return held, stray

    def strays(self, name: str, ledger: Ledger, today: dt.date) -> dict[str, int]:
        """The aliases approved, in_use and retired that name a version otherwise than the ledger says."""
        return self.named(name, ledger, today)[1]

    def _text(self, version: Version, path: str) -> str:
        with TemporaryDirectory() as aside:
            try:
                found = Path(self._client.download_artifacts(version.run_id, path, aside))
                return found.read_text(encoding="utf-8")
            except (MlflowException, OSError) as error:
                raise NotFound(
                    "artefact-missing",
                    found=f"no {path} with {version.name}, version {version.number}",
                    expected="what the run recorded",
                    repair="Record the run again, or look whether the artefacts' folder was moved.",
                ) from error


def aliases_for(versions: Sequence[Version], stands: Mapping[str, Standing], today: dt.date) -> dict[str, int]:
    """Which version each alias names by the ledger: of several, the one whose state began last.

    Parameters
    ----------
    versions : of one registered model; an evaluation has no alias
    stands : where each card stands
    today : date; an approval that has ended gives no alias
    """
    of_alias: dict[str, list[tuple[str, int]]] = {}
    for version in versions:
        stand = stands.get(version.card)
        if stand is not None and not version.is_evaluation:
            for alias in _aliases_of(stand, today):
                of_alias.setdefault(alias, []).append((stand.since, version.number))
    return {alias: max(found)[1] for alias, found in of_alias.items()}


def _aliases_of(stand: Standing, today: dt.date) -> tuple[str, ...]:
    if stand.state == "reviewed":
        return (CANDIDATE,)
    if stand.state == "retired":
        return (RETIRED,)
    if not stand.in_force(today):
        return ()
    return (APPROVED, IN_USE) if stand.state == "in_use" else (APPROVED,)


def _version(given: Any) -> Version:
    return Version(given.name, int(given.version), given.run_id or "", dict(given.tags), given.creation_timestamp)


def _quoted(name: str) -> str:
    return name.replace("'", "''")

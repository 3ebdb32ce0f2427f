"""The advice on everybody on one list, in the order of their pseudonyms. It has no cut-off, and prints nobody.

Reasons are worked out when somebody is opened or the list is written, not when a million people are scored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riskmodel.advisory import words
from riskmodel.advisory.basis import Basis
from riskmodel.advisory.behind import Behind
from riskmodel.advisory.export import given_out, list_table, write_list
from riskmodel.advisory.missing import Missing
from riskmodel.advisory.one_score import Score
from riskmodel.advisory.order import spans
from riskmodel.errors import NotFound
from riskmodel.explain.contributions import contributions
from riskmodel.explain.plots import Plot, waterfall
from riskmodel.explain.reasons import reasons
from riskmodel.explain.steady import Steady, SteadyReasons, counted
from riskmodel.features.declared import sources_of
from riskmodel.features.feature import Feature
from riskmodel.governance.ledger import Ledger
from riskmodel.histories.store import Histories
from riskmodel.models.metrics import Numbers, expit, logit
from riskmodel.models.similar import NaturalFrequency
from riskmodel.tables import entity_label, fingerprint_document, fingerprint_table

MOST_STEPS = 8
"""Families in a waterfall; the others stand together."""


@dataclass(frozen=True, eq=False, repr=False)
class Scores:
    """The advice on everybody on one list, sorted by pseudonym.

    Attributes
    ----------
    basis : Basis
    flow : tuple of (step, people), how the list came about
    """

    basis: Basis
    flow: tuple[tuple[str, int], ...]
    ledger: Ledger
    _entities: npt.NDArray[np.int64] = field(repr=False)
    _probability: Numbers = field(repr=False)
    _low: Numbers = field(repr=False)
    _high: Numbers = field(repr=False)
    _frequency: Callable[[float], NaturalFrequency] = field(repr=False)
    _reasons: SteadyReasons = field(repr=False)
    _missing: Sequence[Missing] = field(repr=False)
    _histories: Histories = field(repr=False)
    _features: Mapping[str, Feature] = field(repr=False)
    _withheld: Mapping[int, str] = field(repr=False, default_factory=dict)

    @classmethod
    def of(
        cls,
        basis: Basis,
        flow: tuple[tuple[str, int], ...],
        ledger: Ledger,
        entities: npt.NDArray[np.int64],
        steady: SteadyReasons,
        gaps: Sequence[Missing],
        histories: Histories,
        withheld: Mapping[int, str],
    ) -> Scores:
        """The advice of the model of `steady` on its rows; those `withheld` have no figures."""
        model = steady.model
        probability = model.predict(steady.X)
        low, high = model.interval(probability)
        for figures in (probability, low, high):
            figures[list(withheld)] = np.nan
        return cls(
            basis=basis,
            flow=flow,
            ledger=ledger,
            _entities=entities,
            _probability=probability,
            _low=low,
            _high=high,
            _frequency=model.natural_frequency,
            _reasons=steady,
            _missing=gaps,
            _histories=histories,
            _features={feature.name: feature for feature in model.features},
            _withheld=withheld,
        )

    @property
    def people(self) -> int:
        """How many people are on the list."""
        return len(self._entities)

    @cached_property
    def pseudonyms(self) -> tuple[str, ...]:
        """Everybody on the list, in its order."""
        return tuple(entity_label(int(entity)) for entity in self._entities)

    @property
    def pseudonym_set(self) -> Set[str]:
        """Everybody on the list, for asking whether somebody is."""
        return self._places.keys()

    @cached_property
    def _places(self) -> dict[str, int]:
        return {pseudonym: place for place, pseudonym in enumerate(self.pseudonyms)}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the people, their figures and the basis; model and records in the basis settle the reasons."""
        return fingerprint_document({"basis": self.basis.document(), "table": fingerprint_table(self._figures())})

    def person(self, pseudonym: str) -> Score:
        """The advice on one person.

        Raises
        ------
        NotFound : nobody of that pseudonym is on the list
        """
        if pseudonym not in self._places:
            raise NotFound(
                "person-not-on-list",
                found="a pseudonym that is not on this list",
                expected=f"one of the {self.people:,} people on it",
                repair="Check the pseudonym, and whether the person was eligible on the as-of date.",
            )
        return next(self._at([self._places[pseudonym]]))

    @property
    def withheld(self) -> int:
        """For how many people the score is withheld."""
        return len(self._withheld)

    def must_hold(self, asked: str) -> None:
        """Refuse, and write down, what is asked of a list that no longer holds (see `standing.must_hold`)."""
        with given_out(self, asked):
            pass

    def reasons_counted(self) -> dict[str, float | None]:
        """How many of the reasons on this list hold still, for a card: counts and shares, never whom."""
        return counted([self._reasons_of(place, told) for place, told in enumerate(self._reasons)])

    def _at(self, places: Sequence[int]) -> Iterator[Score]:
        """The advice at some places of the list; reasons are worked out a block of people at a time."""
        rows = np.asarray(places, np.intp)
        again = spans(self.made_again(rows), len(rows))
        silences = self._silences(rows)
        for place, told, span, silence in zip(places, self._reasons.of(places), again, silences, strict=True):
            kept_back = place in self._withheld
            probability = None if kept_back else float(self._probability[place])
            yield Score(
                self.pseudonyms[place],
                probability,
                None if kept_back else float(self._low[place]),
                None if kept_back else float(self._high[place]),
                None if probability is None else self._frequency(probability),
                self._reasons_of(place, told),
                replace(self._missing[place], effect="" if kept_back else silence),
                self.basis,
                self._behind(int(self._entities[place])),
                self._withheld.get(place, ""),
                None if kept_back else span,
            )

    def _silences(self, places: npt.NDArray[np.intp]) -> list[str]:
        """What the model makes of agencies that have no record of each person: the probability with and without it."""
        model, X = self._reasons.model, np.ascontiguousarray(self._reasons.X[places])
        silent = [set(self._missing[int(place)].silent) for place in places]
        if not any(silent):
            return [""] * len(places)
        behind = [set(sources_of(self._histories, feature)) for feature in model.features]
        own = np.array([[bool(each) and each <= gone for each in behind] for gone in silent])
        added = np.where(own, contributions(model, X)[:, :-1], 0.0).sum(axis=1)
        without = model.calibration.probability(expit(logit(model.fitted.predict(X)) - added))
        return [
            words.of_silence(float(self._probability[place]), float(chance), float(size)) if gone else ""
            for place, chance, size, gone in zip(places, without, added, silent, strict=True)
        ]

    def made_again(self, places: npt.NDArray[np.intp]) -> Numbers | None:
        """What each refit of the footing says of the people at some places: (n_models, n) calibrated; None without."""
        refits = self._reasons.refits
        if refits is None:
            return None
        X, calibration = np.ascontiguousarray(self._reasons.X[places]), self._reasons.model.calibration
        return np.stack([calibration.probability(one.predict(X)) for one in refits.members])

    def _reasons_of(self, place: int, told: Steady) -> Steady:
        """Of a score that is withheld nothing is told."""
        return Steady((), refits=told.refits) if place in self._withheld else told

    def brief(self, pseudonym: str, path: str | Path) -> Path:
        """Write the advice on one person as ``.pdf`` or ``.html``, with its caveats and room for the judgement.

        Raises
        ------
        NotPermitted : the list no longer holds (see `standing.must_hold`)
        NotFound : nobody of that pseudonym is on the list
        NotInstalled : a PDF is asked for and what makes it is not there
        """
        from riskmodel.advisory.brief import write_brief  # what draws pages is heavy, and few ask for one

        return write_brief(self, pseudonym, Path(path))

    def waterfall(self, pseudonym: str) -> Plot:
        """How one person's score came about, family by family; what is never shown as a reason stands together.

        The plot is about a person and cannot be saved; that it was looked at is written into the ledger.

        Raises
        ------
        NotPermitted : the list no longer holds (see `standing.must_hold`)
        NotFound : nobody of that pseudonym is on the list, or the score is withheld
        """
        with given_out(self, "waterfall"):
            score = self.person(pseudonym)
        if score.withheld:
            raise NotFound(
                "score-withheld", found="a score that is withheld", expected="a score", repair=score.withheld
            )
        score.behind.noted()
        steady, place = self._reasons, self._places[pseudonym]
        row = np.ascontiguousarray(steady.X[[place]])
        told = reasons(steady.model, row, never=steady.never, others=steady.others)
        parts = sorted(zip(told.families, told.sums[0].tolist(), strict=True), key=lambda part: -abs(part[1]))
        rest = sum(size for _, size in parts[MOST_STEPS:])
        parts = [*parts[:MOST_STEPS], ("all other families", rest), ("never shown as reasons", float(told.hidden[0]))]
        made = contributions(steady.model, row)[0]
        return waterfall(float(made[-1]), parts, float(made.sum()))

    def to_table(self) -> pa.Table:
        """The list as Arrow: one row a person in the order of pseudonyms, with empty columns for the review.

        Columns: pseudonym, as_of, probability (empty where it is withheld), low, high, similar_cases,
        of_whom_with_outcome, made_again_low and made_again_high (between which models made again lie), raises,
        lowers, not_known, withheld, valid_until, and the three review columns. The schema's metadata holds the
        caveats. That the list was looked at is written into the ledger.

        Raises
        ------
        NotPermitted : the list no longer holds (see `standing.must_hold`)
        """
        with given_out(self, "list"):
            made = list_table(self)
        self.ledger.append("looked-at", what="list", list=self.fingerprint, people=self.people)
        return made

    def export(self, folder: str | Path, *, order: str = "pseudonym") -> Path:
        """Write the list as CSV and Parquet, caveats inside, with empty review columns; the ledger notes it.

        Parameters
        ----------
        folder : made when it is not there
        order : "pseudonym", or "capacity": only as many people as the approval's working capacity, highest
            probability first; with a footing those whose place is not settled stand last, and it is said

        Raises
        ------
        NotPermitted : the list no longer holds (see `standing.must_hold`), or the approval names no working capacity
        """
        return write_list(self, Path(folder), order)

    def _behind(self, entity: int) -> Behind:
        return Behind(self._histories, self._features, entity, self.basis.as_of, self.ledger, self.fingerprint)

    def _figures(self) -> pa.Table:
        return pa.table(
            {
                "entity_id": self._entities,
                "probability": self._probability,
                "low": self._low,
                "high": self._high,
            }
        )

    def __repr__(self) -> str:
        return f"Scores({self.people:,} people, as of {self.basis.as_of}, valid until {self.basis.valid_until})"

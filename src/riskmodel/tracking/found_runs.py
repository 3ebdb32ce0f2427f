"""A run that was made without riskmodel, audited and carded afterwards: any scikit-learn or LightGBM run in MLflow.

The model is opened only where that can run nothing (`riskmodel.tracking.found_models`); otherwise its scores are a
column of the rows. What comes of it is a draft card with its open questions, kept in MLflow as a nested run of the run
it is about, which itself is left as it was. No row of a person is written anywhere.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from riskmodel.cards.evidence import Evidence
from riskmodel.cards.found import draft_found
from riskmodel.cards.found_given import FoundGiven, FoundText, Scored
from riskmodel.cards.model_card import ModelCard
from riskmodel.errors import DataRefused, NotFound
from riskmodel.fairness.audit import Audit, audit_scores
from riskmodel.fairness.groups import By
from riskmodel.fairness.scored import numbers
from riskmodel.governance.ledger import Ledger
from riskmodel.governance.purposes import Purpose
from riskmodel.tables import fingerprint_table
from riskmodel.tracking import database, found_models, found_record


@dataclass(frozen=True, slots=True)
class CardedRun:
    """A run with its card.

    Attributes
    ----------
    card : ModelCard
    audit : Audit, at the middle one of the list lengths
    unanswered : tuple of the names of what a person must still answer
    folder : Path, where the card's files are
    model_uri : str, ``models:/NAME/VERSION``, the registered version that has the card
    run_id : str, the nested run that keeps card and tables
    """

    card: ModelCard = field(repr=False)
    audit: Audit = field(repr=False)
    unanswered: tuple[str, ...]
    folder: Path
    model_uri: str
    run_id: str


def card_of_run(
    run_id: str,
    data: pd.DataFrame | pa.Table | str | Path,
    *,
    outcome: str,
    groups: Sequence[By],
    purpose: Purpose,
    store: str | Path,
    person: str | None = None,
    scores: str | None = None,
    features: Sequence[str] = (),
    capacity: Sequence[float] = (0.05, 0.1, 0.2),
    probabilities: bool = True,
    text: Mapping[str, Any] | None = None,
    model: str | None = None,
    name: str | None = None,
    tracking_uri: str | None = None,
    date: dt.date | None = None,
    edition: str = "1",
    seed: int = 0,
) -> CardedRun:
    """Audit a run that was made without riskmodel, and draft its card.

    Parameters
    ----------
    run_id : str, of the run in MLflow
    data : the rows to judge it on, or a Parquet or CSV file of them: what the model takes, the outcome, the groups
    outcome : str, the column that holds 0, 1 or nothing
    groups : columns, and tuples of columns to cross, by which it is audited
    purpose : Purpose, in force, under which the rows may be read
    store : folder that gets ``ledger.jsonl`` and the card; the default MLflow database lies in it
    person : str or None, the column that says whose row it is; None is a person a row
    scores : str or None, a column of scores; None has the model opened, if that is safe
    features : the columns the model takes, where it does not name them
    capacity : list lengths: shares below 1, or places
    probabilities : bool, False for scores such as deciles
    text : what people wrote, by the names of `riskmodel.cards.found_given.ASKED`
    model : str or None, which of several models of the run
    name : str or None, the registered model that gets a version with this card; None is the one the run has, else the
        experiment's name
    tracking_uri : str or None; None is ``MLFLOW_TRACKING_URI``, else SQLite in `store`
    date, edition, seed : of the card and of the bootstrap

    Raises
    ------
    NotPermitted : the purpose has ended, or opening the model could run something and no scores were given
    NotFound : no such run, model, file or column
    DataRefused : rows that cannot be judged
    """
    purpose.must_be_in_force()
    store = Path(store)
    store.mkdir(parents=True, exist_ok=True)
    words = FoundText.of(text or {}, opened=scores is None)
    frame = _frame(data)
    _must_have(frame, [outcome, *_columns(groups), *(each for each in (person, scores) if each)])
    with database.opened(store, tracking_uri) as client, TemporaryDirectory() as aside:
        found = found_record.run_of(client, run_id)
        models = found_record.models_of(client, found)
        chosen = found_record.chosen_of(models, model, needed=scores is None)
        folder = None if chosen is None else found_record.downloaded(chosen, Path(aside))
        opened = found_models.opened(folder) if scores is None and folder is not None else None
        run = found_record.described(found, models, folder, opened, frame)
        score = opened.scores(frame, features) if opened else numbers(frame[scores])
        scored, by = _scored(frame, score, outcome, person, _columns(groups), probabilities=probabilities)
        ledger = Ledger(store / "ledger.jsonl")
        ledger.append("read", result="rows of a run made elsewhere", run=run_id, rows=len(score),
                      fingerprint=scored.fingerprint, purpose=purpose.name)  # fmt: skip
        audits = _audits(scored, by, groups, capacity, seed)
        own = list(audits)[len(audits) // 2]
        given = FoundGiven(run, scored, audits[own], purpose, words, outcome, tuple(capacity), Evidence(), seed)
        card = draft_found(given, date=date, edition=edition)
        place = store / "cards" / run_id
        card.save(place)
        made = found_record.kept(client, run, card, place, audits, own, name=name, source=chosen)
        ledger.append("card", card=card.fingerprint, run=run_id, unanswered=len(words.unanswered),
                      purpose=purpose.name)  # fmt: skip
    return CardedRun(card, audits[own], words.unanswered, place, *made)


def _frame(data: pd.DataFrame | pa.Table | str | Path) -> pd.DataFrame:
    """The rows as a frame."""
    if isinstance(data, pd.DataFrame):
        return data.reset_index(drop=True)
    if isinstance(data, pa.Table):
        return pd.DataFrame(data.to_pandas())
    path = Path(data)
    if path.suffix not in (".parquet", ".csv") or not path.exists():
        raise NotFound(
            "data-missing",
            found=f"no file {path.name} that can be read",
            expected="a Parquet or CSV file of the rows to judge",
            repair="Give the path of such a file.",
        )
    try:
        return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except Exception as error:  # whatever a parser says may hold a cell
        raise DataRefused(
            "data-unreadable",
            found=f"a file {path.name} that cannot be read ({type(error).__name__})",
            expected="a Parquet or CSV file",
            repair="Write it again, then give it.",
        ) from None


def _columns(groups: Sequence[By]) -> list[str]:
    """Every column that groups are made from."""
    return list(dict.fromkeys(one for by in groups for one in ((by,) if isinstance(by, str) else by)))


def _must_have(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    absent = [name for name in columns if name not in frame.columns]
    if absent:
        raise NotFound(
            "columns-missing",
            found=f"rows without {', '.join(absent)}",
            expected="outcome, groups, and what else was named as columns of the rows",
            repair="Correct the names, or add the columns.",
        )


def _scored(
    frame: pd.DataFrame, score: Any, outcome: str, person: str | None, groups: Sequence[str], *, probabilities: bool
) -> tuple[Scored, dict[str, list[str | None]]]:
    """The rows that were scored, and their groups as texts."""
    truth = numbers(frame[outcome].astype("object").where(frame[outcome].notna(), None).tolist())
    whose = np.arange(len(frame)) if person is None else pd.factorize(frame[person], use_na_sentinel=False)[0]
    if person is not None and frame[person].isna().any():
        raise DataRefused(
            "person-missing", found=f"{int(frame[person].isna().sum()):,} rows of nobody",
            expected=f"whose row it is, in the column {person}", repair="Fill it in, or leave those rows out.",
        )  # fmt: skip
    texts = {name: [None if pd.isna(value) else str(value) for value in frame[name]] for name in groups}
    table = pa.table({"score": score, "outcome": truth, "person": np.asarray(whose, np.int64), **{
        f"group:{name}": pa.array(values, pa.string()) for name, values in texts.items()}})  # fmt: skip
    made = Scored(score, truth, np.asarray(whose, np.int64), probabilities, fingerprint_table(table))
    return made, texts


def _audits(
    scored: Scored, groups: Mapping[str, Any], by: Sequence[By], capacity: Sequence[float], seed: int
) -> dict[float | None, Audit]:
    """One audit a list length, shortest first."""
    about = {"rows_fingerprint": scored.fingerprint, "predictions": "of a run made elsewhere"}
    lengths: list[float | None] = [*sorted({float(each) for each in capacity})] or [None]
    return {
        length: audit_scores(
            scored.score, scored.outcome, groups, people=scored.person, by=by, capacity=length,
            probabilities=scored.probabilities, seed=seed, about=about,
        )
        for length in lengths
    }  # fmt: skip

"""The heads of a ledger that MLflow keeps: each recorded run notes how far the ledger of its store had come.

Whoever may write to the store can replace ledger and anchor together; what was noted elsewhere then no longer fits.
"""

from __future__ import annotations

from pathlib import Path

from riskmodel.governance.ledger import Head
from riskmodel.tracking import database

_NUMBER, _HASH = "ledger.number", "ledger.hash"


def noted_heads(folder: str | Path, tracking_uri: str | None = None, study: str | None = None) -> tuple[Head, ...]:
    """Every head that a recorded run noted, in the order of the ledger; the longest last.

    Parameters
    ----------
    folder : of the store
    tracking_uri : str or None; None is ``MLFLOW_TRACKING_URI``, else SQLite in `folder`
    study : str or None, the study of the store, where a server keeps the runs of several

    Raises
    ------
    NotFound : nothing answers at the address
    """
    folder = Path(folder)
    heads = set()
    with database.opened(folder, tracking_uri) as client:
        for experiment in client.search_experiments():
            if study not in (None, experiment.name):
                continue
            for run in client.search_runs([experiment.experiment_id], f"params.`{_HASH}` != ''", max_results=1000):
                noted = run.data.params
                heads.add(Head(int(noted[_NUMBER]), noted[_HASH]))
    return tuple(sorted(heads, key=lambda head: head.number))

"""How anything is written into MLflow: names it takes, figures with their intervals, data by digest, in few calls.

One name for one figure wherever it stands: ``auroc`` of the model in the study's run, of each candidate in each fold.
A figure of a list has the list's length first (``at_5_percent/precision``), bounds stand apart
(``interval/auroc.low``), so that MLflow draws each kind in a section of its own.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from riskmodel.cards.provenance import commit
from riskmodel.tracking.library import (
    CodeDatasetSource,
    Dataset,
    DatasetInput,
    InputTag,
    MetaDataset,
    Metric,
    MlflowClient,
    Param,
)

PARENT, RUN_NAME, NOTE = "mlflow.parentRunId", "mlflow.runName", "mlflow.note.content"
KIND = "riskmodel.kind"
PART_OF = "riskmodel.part_of"
"""The tag of everything nested in a record: the key of the record, by which a half-made one is taken away whole."""
_METRICS, _PARAMS = 900, 90  # MLflow takes at most 1,000 metrics and 100 parameters in one call
_LONGEST = 6000
_DIGEST = 32  # MLflow takes 36 signs


def source() -> dict[str, str]:
    """What made a run: the package and, where its code is that of a commit, which one. Nobody is named."""
    made = {"mlflow.source.name": "riskmodel", "mlflow.source.type": "LOCAL"}
    held = commit()
    return made | {"mlflow.source.git.commit": held} if re.fullmatch(r"[0-9a-f]{40}", held) else made


def log(
    client: MlflowClient, run_id: str, params: Mapping[str, object] | None = None, metrics: Sequence[Metric] = ()
) -> None:
    """Parameters and metrics in as few calls as MLflow takes; one whose value is unknown is left out."""
    given = [Param(name, value[:_LONGEST]) for name, value in flat(params or {})]
    while given or metrics:
        client.log_batch(run_id, metrics=metrics[:_METRICS], params=given[:_PARAMS])
        given, metrics = given[_PARAMS:], metrics[_METRICS:]


def nested(client: MlflowClient, where: str, parent: str, key: str, name: str, tags: Mapping[str, str]) -> str:
    """A run nested in another; returns its id."""
    held = {PARENT: parent, RUN_NAME: name, PART_OF: key, **tags}
    return str(client.create_run(where, tags=held).info.run_id)


def finish(client: MlflowClient, run_id: str, status: str = "FINISHED") -> None:
    """The end of a run."""
    client.set_terminated(run_id, status)


def metrics_of(rows: Iterable[Mapping[str, Any]], model_id: str | None = None) -> list[Metric]:
    """Every figure that there is, with its interval.

    Parameters
    ----------
    rows : each with ``metric``, ``value``, ``low`` and ``high``
    model_id : str or None, the logged model whose page shows them too
    """
    now, made = int(time.time() * 1000), []
    for row in rows:
        name = figure_name(row["metric"])
        ends = ((name, row["value"]), (f"interval/{name}.low", row["low"]), (f"interval/{name}.high", row["high"]))
        made += [
            Metric(called, float(value), now, 0, model_id=model_id)
            for called, value in ends
            if value is not None and value == value
        ]
    return made


def alone(figures: Mapping[str, float | None]) -> list[Metric]:
    """Figures that have no interval: counts, seconds, what a search tried."""
    return metrics_of({"metric": name, "value": value, "low": None, "high": None} for name, value in figures.items())


def figure_name(metric: str) -> str:
    """What a figure is called in MLflow.

    Examples
    --------
    >>> figure_name("auroc"), figure_name("precision@5%")
    ('auroc', 'at_5_percent/precision')
    """
    name, _, length = metric.partition("@")
    return plain(f"at_{length}/{name}" if length else name)


def plain(text: str) -> str:
    """A name that MLflow takes."""
    text = text.replace("@", "_at_").replace("%", "_percent")
    return "".join(sign if sign.isalnum() or sign in "_-. /" else "_" for sign in text)


def flat(given: Mapping[str, object], before: str = "") -> Iterator[tuple[str, str]]:
    """Nested settings as names with dots and texts; what is not set is left out.

    Examples
    --------
    >>> list(flat({"cohort": {"every": "3m", "having": None}, "fold": 1}))
    [('cohort.every', '3m'), ('fold', '1')]
    """
    for name, value in given.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{before}{name}.")
        elif value is not None:
            yield plain(f"{before}{name}"), str(value)


def data(name: str, fingerprint: str, used_for: str, made_by: str, rows: Mapping[str, object]) -> DatasetInput:
    """A data set by its digest: no row of it, and no path to one.

    Parameters
    ----------
    name : str, as it stands in MLflow
    fingerprint : str, SHA-256; its first 32 signs are the digest
    used_for : str, the context
    made_by : str, the verb that made it
    rows : counts and names that may be told
    """
    source = CodeDatasetSource({"made_by": made_by, "fingerprint": fingerprint})
    given = MetaDataset(source, name=name, digest=fingerprint[:_DIGEST]).to_dict()
    entity = Dataset(
        given["name"],
        given["digest"],
        given["source_type"],
        given["source"],
        given.get("schema"),
        json.dumps(dict(rows)),
    )
    return DatasetInput(entity, [InputTag("mlflow.data.context", used_for)])

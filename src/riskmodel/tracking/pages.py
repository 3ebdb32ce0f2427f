"""Where a run is looked at: the address of its page in MLflow, on MLflow's view of trained models.

MLflow opens its pages for work with language models unless a browser has chosen otherwise before: it reads the address
and the browser's own memory, and not the kind that an experiment says it is of. So the address says it.
"""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

TRAINING = "workflowType=machine_learning"
_LOCAL = "http://127.0.0.1:5000/"


def page_of(experiment: str, run: str) -> str:
    """The part of the address that follows the server's, for one run.

    >>> page_of("1", "cfaef124")
    '#/experiments/1/runs/cfaef124?workflowType=machine_learning'
    """
    return f"#/experiments/{experiment}/runs/{run}?{TRAINING}"


def where_to_look(tracking_uri: str, page: str) -> str:
    """How to look at a page of MLflow, in words that may be printed: a password in the address is left out.

    >>> where_to_look("https://me:word@mlflow.example.org/", "#/models")
    'In MLflow: https://mlflow.example.org/#/models'
    >>> where_to_look("postgresql://me:word@db/runs", "#/models")
    'In MLflow: /#/models on a server over the database that was named'
    """
    parts = urlsplit(tracking_uri)
    if parts.scheme in ("http", "https"):
        host = parts.netloc.rpartition("@")[2]
        return f"In MLflow: {urlunsplit((parts.scheme, host, parts.path.rstrip('/'), '', ''))}/{page}"
    if parts.scheme == "sqlite":
        return f"In MLflow: mlflow ui --backend-store-uri {tracking_uri}, then {_LOCAL}{page}"
    return f"In MLflow: /{page} on a server over the database that was named"

"""Where runs are recorded: by default an SQLite file in the study's own folder, with the artefacts beside it.

MLflow keeps its address in global state and writes to ``./mlruns`` when nothing is said; both are prevented here.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from riskmodel.errors import DeclarationError, NotFound
from riskmodel.tracking import empty_database
from riskmodel.tracking.library import MlflowClient, MlflowException, SQLAlchemyError, mlflow

DATABASE, ARTEFACTS = "mlflow.db", "mlartifacts"
_LOUD = ("mlflow", "alembic")
_WARNS = ("mlflow", "sqlalchemy", "alembic")  # of what they use of each other
_DATABASES = ("sqlite:", "postgresql", "mysql", "mssql")
_VARIABLE = "MLFLOW_TRACKING_URI"
_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2"}  # MLflow asks a server that is not there for four minutes


def address(folder: Path, tracking_uri: str | None) -> str:
    """The tracking address: as given, else ``MLFLOW_TRACKING_URI``, else SQLite in `folder`.

    Raises
    ------
    DeclarationError : it holds a password, which would be kept beside the results
    """
    given = tracking_uri or os.environ.get(_VARIABLE) or f"sqlite:///{(folder / DATABASE).resolve()}"
    if ":" in urlsplit(given).netloc.rpartition("@")[0]:
        raise DeclarationError.of(
            "tracking-password",
            where="the tracking address",
            found="an address with a password in it",
            expected="one that may be kept beside the results",
            repair="Leave the password out and give it in the environment: MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD for a server, PGPASSWORD for PostgreSQL.",
        )
    return given


@contextmanager
def opened(folder: Path, tracking_uri: str | None) -> Iterator[MlflowClient]:
    """A client for the address; MLflow's global address, its environment and its loggers are put back afterwards.

    Raises
    ------
    NotFound : nothing answers at the address, or what answers refuses
    """
    uri = address(folder, tracking_uri)
    before = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None
    named = os.environ.get(_VARIABLE)
    patience = {name: value for name, value in _PATIENCE.items() if name not in os.environ}
    os.environ.update(patience)
    levels = {name: logging.getLogger(name).level for name in _LOUD}
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), answering():
            for name in _WARNS:
                warnings.filterwarnings("ignore", module=rf"{name}(\.|$)")
            with empty_database.laid(_file(uri)):
                must_answer(uri)
                mlflow.set_tracking_uri(uri)
                client = MlflowClient(tracking_uri=uri, registry_uri=uri)
            yield client
    finally:
        for name in patience:
            os.environ.pop(name, None)
        # MLflow writes the address into the environment, where the next study would find the folder of this one.
        mlflow.set_tracking_uri(None if before == named else before)
        os.environ.pop(_VARIABLE, None)
        if named is not None:
            os.environ[_VARIABLE] = named
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


@contextmanager
def answering() -> Iterator[None]:
    """MLflow's errors as ours; their text may hold the address, and the address a password.

    Raises
    ------
    NotFound : the store did not answer as asked
    """
    try:
        yield
    except (MlflowException, SQLAlchemyError) as error:
        raise _refused(str(getattr(error, "error_code", type(error).__name__))) from error


def must_answer(uri: str) -> None:
    """Ask a database once: MLflow would ask one that is not there for a minute and a half."""
    if not uri.startswith(_DATABASES):
        return
    import sqlalchemy

    try:
        engine = sqlalchemy.create_engine(uri, poolclass=sqlalchemy.pool.NullPool)
        engine.connect().close()
    except (SQLAlchemyError, ImportError) as error:
        raise _refused(type(error).__name__) from None


def _file(uri: str) -> Path | None:
    """The file of an SQLite database, where that is what the address names."""
    return Path(path) if uri.startswith("sqlite:///") and (path := uri.removeprefix("sqlite:///")) else None


def _refused(reason: str) -> NotFound:
    return NotFound(
        "tracking-refused",
        found=f"an MLflow store that does not answer as asked ({reason})",
        expected="a database or server that keeps runs and registry, and the model in it",
        repair="Check the tracking address, the model's name, and that the server runs; a study may leave the address "
        "out and record beside its results. Finished stages are kept.",
    )


def experiment(client: MlflowClient, study: str, folder: Path, tracking_uri: str | None) -> str:
    """The id of the study's experiment, made when it is not there.

    A local database keeps its artefacts in `folder`; a server decides for itself.
    """
    found = client.get_experiment_by_name(study)
    if found is not None:
        return str(found.experiment_id)
    local = address(folder, tracking_uri).startswith("sqlite:")
    place = (folder / ARTEFACTS).resolve().as_uri() if local else None
    return str(client.create_experiment(study, artifact_location=place))

"""An SQLite file with MLflow's tables and nothing in them: made once for a version of MLflow, then copied.

MLflow makes its tables by going through every change it ever made to them, which takes seconds for each new study. A
copy is only made where there is no file yet; a cache folder that cannot be written only costs those seconds.
"""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

from riskmodel.engines.folders import user_cache

_FORM = "1"


@contextmanager
def laid(place: Path | None) -> Iterator[None]:
    """Lay empty tables at `place` unless a file is there; if there were none to lay, keep those made meanwhile."""
    if place is None or place.exists() or not place.parent.is_dir():
        yield
        return
    kept = user_cache() / f"mlflow-{version('mlflow')}-{_FORM}.db"
    if kept.exists():
        _copied(kept, place)
        yield
        return
    yield
    with suppress(OSError, sqlite3.Error):
        _kept(place, kept)


def _copied(source: Path, to: Path) -> None:
    with _aside(to) as aside, suppress(FileExistsError):  # another process may have made the file meanwhile
        aside.write_bytes(source.read_bytes())
        os.link(aside, to)


def _kept(source: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    with _aside(to) as aside:
        with closing(sqlite3.connect(source)) as made, closing(sqlite3.connect(aside)) as copy:
            made.backup(copy)
            (experiments,) = copy.execute("SELECT count(*) FROM experiments").fetchone()
            if experiments > 1:  # another process uses it already
                return
            copy.execute("DELETE FROM experiments")  # the first one names the folder of its own artefacts
            copy.commit()
        os.replace(aside, to)


@contextmanager
def _aside(place: Path) -> Iterator[Path]:
    made = place.with_name(f".tables-{uuid.uuid4().hex}")
    try:
        yield made
    finally:
        made.unlink(missing_ok=True)

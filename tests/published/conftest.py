"""Where the published records are: RISKMODEL_DATA, or shared/data beside the repository."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def published_folder(name: str, file: str) -> Path | None:
    """The folder `name` that holds `file`, or None."""
    given = os.environ.get("RISKMODEL_DATA")
    roots = [Path(given)] if given else [ROOT.parent / "shared" / "data"]
    places = [place for root in roots for place in (root / name, root)]
    return next((place for place in places if (place / file).is_file()), None)


@pytest.fixture(scope="session")
def published_data() -> Callable[[str, str], Path]:
    """Call with a folder and a file in it; skips, saying why, when they are not there."""

    def find(name: str, file: str) -> Path:
        folder = published_folder(name, file)
        if folder is None:
            pytest.skip(f"no {name}/{file}: set RISKMODEL_DATA to the data folder, or run `riskmodel data fetch`")
        return folder

    return find


@pytest.fixture(scope="session")
def compas_folder(published_data: Callable[[str, str], Path]) -> Path:
    """ProPublica's COMPAS files."""
    return published_data("compas_events", "two_years.parquet")

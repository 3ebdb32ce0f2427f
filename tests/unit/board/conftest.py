"""The small partnership of tests/browser/case.py, made once, and a fresh store with a room around it for each test."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from riskmodel.board.acts import Desk
from riskmodel.board.room import Room


def _loaded() -> ModuleType:
    if "board_case" not in sys.modules:
        place = Path(__file__).parents[2] / "browser" / "case.py"
        spec = spec_from_file_location("board_case", place)
        assert spec is not None
        assert spec.loader is not None
        sys.modules["board_case"] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules["board_case"])
    return sys.modules["board_case"]


@pytest.fixture(scope="session")
def making() -> ModuleType:
    """The module that makes the case."""
    return _loaded()


@pytest.fixture(scope="session")
def case(making: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The case."""
    return making.made(tmp_path_factory.mktemp("case") / "card")


@pytest.fixture(scope="session")
def once(making: ModuleType, case: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the case recorded; never written to."""
    store: Path = making.recorded(case, tmp_path_factory.mktemp("once") / "early")
    return store


@pytest.fixture
def store(once: Path, tmp_path: Path) -> Path:
    """A store of one's own; its artefacts stay where they were recorded."""
    shutil.copytree(once, tmp_path / "early", ignore=shutil.ignore_patterns("mlartifacts"))
    return tmp_path / "early"


@pytest.fixture
def room(making: ModuleType, store: Path) -> Room:
    """A room with the store on the shelf of the board "ethics"."""
    made: Room = making.furnished(store.parent / "room", [store])
    return made


@pytest.fixture
def desk(room: Room) -> Callable[..., Desk]:
    """Somebody, by account, with the card before them as it now stands."""

    def sit(name: str) -> Desk:
        account = room.accounts.get(name)
        assert account is not None
        shelf, item = room.find(account, "early", "early-support", 1)
        return Desk(account, room.board(account), shelf, item)

    return sit

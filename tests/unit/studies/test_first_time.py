"""What is made once for a machine is made by a second process, and only while it is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskmodel.features import kernel
from riskmodel.studies.first_time import made_beside


@pytest.mark.nightly  # it compiles everything once more
def test_it_is_made_beside_what_the_caller_does_and_then_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "loops"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("os.cpu_count", lambda: 2)  # with one core there is nothing beside
    assert not kernel.is_kept()
    with made_beside() as wait:
        assert not kernel.is_kept()
        wait()
    assert kernel.is_kept()
    assert len(list((tmp_path / "loops").glob("*.code"))) == 2
    assert list((tmp_path / "cache" / "riskmodel").glob("mlflow-*.db"))
    with made_beside() as wait:
        assert wait() is None


def test_it_ends_with_what_it_was_made_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "loops"))
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    with pytest.raises(KeyboardInterrupt), made_beside():
        raise KeyboardInterrupt
    assert not kernel.is_kept()

"""Machine code that is kept gives what numba and plain Python give, and is never trusted blindly."""

import subprocess
import sys

import numpy as np
import pytest

from riskmodel.features import machine
from riskmodel.features.machine import NUMBER, REALS, WHOLE, Given, compiled


def shares(rows, weight, out, divisor):
    for r in range(rows.shape[0]):
        y = 0.0
        for c in range(rows.shape[1]):
            if rows[r, c] == rows[r, c]:
                y += rows[r, c] * weight[r]
        out[r] = np.float32(y / divisor)


def allocates(out):
    made = np.empty(out.shape[0], np.int64)
    for r in range(out.shape[0]):
        made[r] = r
        out[r] = made[r]


GIVENS = (REALS, Given(strided=True), Given("float32"), NUMBER)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    return tmp_path


def answer(function):
    rows = np.array([[1.0, np.nan, 4.0], [0.1, 0.2, 0.3]])
    out = np.empty(2, np.float32)
    function(rows, np.broadcast_to(np.int64(3), 2), out, 7)
    return out.tolist()


def test_made_kept_and_read_back_it_gives_what_plain_python_gives(folder):
    made = answer(compiled(shares, GIVENS))
    (kept,) = folder.glob("*shares*.code")
    written = kept.stat().st_mtime_ns
    # 3 * (1 + 4) / 7 and 3 * 0.1 + 3 * 0.2 + 3 * 0.3 over 7
    assert made == answer(compiled(shares, GIVENS)) == answer(shares) == pytest.approx([15 / 7, 1.8 / 7])
    assert kept.stat().st_mtime_ns == written


def test_a_damaged_file_is_made_again(folder):
    compiled(shares, GIVENS)
    (kept,) = folder.glob("*shares*.code")
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-100] + b"x" * 100)
    assert answer(compiled(shares, GIVENS)) == answer(shares)
    assert machine._read(kept) is not None


def test_a_loop_that_needs_numba_at_run_time_is_not_kept(folder):
    out = np.empty(3, np.int64)
    compiled(allocates, (WHOLE,))(out)
    assert out.tolist() == [0, 1, 2]
    assert not list(folder.glob("*.code"))


def test_arrays_of_another_kind_are_refused_not_misread():
    function = compiled(shares, GIVENS)
    good = [np.zeros((2, 3)), np.zeros(2, np.int64), np.zeros(2, np.float32), 7]
    for place, wrong in ((0, np.zeros((2, 3), np.float32)), (0, np.zeros((3, 2)).T), (2, np.zeros((2, 1), np.float32))):
        with pytest.raises(TypeError, match="got float"):
            function(*good[:place], wrong, *good[place + 1 :])


def test_without_a_folder_it_is_compiled_all_the_same(monkeypatch):
    monkeypatch.setattr(machine, "_file", lambda *_: None)
    assert answer(compiled(shares, GIVENS)) == answer(shares)


@pytest.mark.nightly
def test_once_made_features_need_neither_numba_nor_scipy():
    program = """
import sys
from riskmodel.features.kernel import compiled_sweep
from riskmodel.features.order import compiled_order
compiled_sweep(), compiled_order()
print(sorted({"numba", "scipy", "sklearn"} & set(sys.modules)))
"""
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

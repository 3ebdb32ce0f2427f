"""Heavy libraries load when first used: the package and its help answer at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "duckdb", "fairlearn", "lightgbm", "matplotlib", "mlflow", "numba", "pandas", "pyarrow", "pyspark", "scipy",
    "shap", "sklearn", "splink",
)  # fmt: skip


def loaded_after(code: str) -> set[str]:
    script = f"{code}\nimport sys\nprint(','.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.rsplit("\n", 2)[-2].split(","))


@pytest.mark.parametrize("library", HEAVY)
def test_importing_the_package_loads_no_heavy_library(library: str, after_import: set[str]) -> None:
    assert library not in after_import


@pytest.fixture(scope="module")
def after_import() -> set[str]:
    return loaded_after("import riskmodel, riskmodel.cli")


def test_asking_for_help_loads_no_heavy_library() -> None:
    code = """
import contextlib, io, sys
sys.argv = ["riskmodel", "--help"]
from riskmodel.cli import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main()"""
    assert not loaded_after(code) & set(HEAVY)


def test_every_public_name_can_be_had() -> None:
    code = """
import riskmodel as rm
for name in rm.__all__:
    assert getattr(rm, name) is not None, name"""
    loaded_after(code)


def test_a_name_that_is_not_public_says_what_is() -> None:
    import riskmodel

    with pytest.raises(AttributeError, match=r"riskmodel has no name 'no_such'; it has .*ForwardFolds"):
        _ = riskmodel.no_such

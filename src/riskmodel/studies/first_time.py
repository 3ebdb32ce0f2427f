"""What is made once for a machine, made by a second process while the first run is still at its records.

Compiled loops and MLflow's empty tables take more than ten seconds together. A run finds them kept; where the process
failed, or nothing can be kept, it makes them itself, as every run would without this module.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from riskmodel.features import kernel, order


@contextmanager
def made_beside() -> Iterator[Callable[[], object]]:
    """Have it made beside what the caller does, where it is not kept yet; call what is given to wait for it."""
    if kernel.is_kept() or (os.cpu_count() or 1) == 1:
        yield lambda: None
        return
    nothing = subprocess.DEVNULL
    process = subprocess.Popen([sys.executable, "-m", __name__], stdin=nothing, stdout=nothing, stderr=nothing)
    try:
        yield process.wait
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    """Make all of it, what is needed first at first."""
    kernel.compiled_sweep()
    order.compiled_order()
    from riskmodel.fairness import calibration, measures
    from riskmodel.tracking import database

    measures.compiled_sweep()
    calibration.compiled_pass()
    with TemporaryDirectory() as folder, database.opened(Path(folder), f"sqlite:///{folder}/{database.DATABASE}"):
        pass  # opening it keeps its empty tables


if __name__ == "__main__":
    main()

"""What a study took: seconds on the clock and of CPU, and the most memory, stage by stage, and on what machine.

Kept beside the results, so that a stage found kept still says what it took when it was made. It is no part of any
fingerprint. Unknown stays unknown: where the system does not tell a stage's own peak, there is none.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FILE = "resources.json"
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
MEBIBYTE = 1024.0


@contextmanager
def measured() -> Iterator[dict[str, float]]:
    """What the block takes, in the dict it gives: ``seconds``, ``cpu_seconds`` and, where it is told, ``peak_mib``.

    CPU is that of this process and of the processes that it waited for.
    """
    found: dict[str, float] = {}
    told = _forget_peak()
    began, cpu = time.perf_counter(), _cpu()
    try:
        yield found
    finally:
        found |= {"seconds": time.perf_counter() - began, "cpu_seconds": _cpu() - cpu}
        peak = _peak() if told else None
        found |= {} if peak is None else {"peak_mib": peak}


def keep(folder: Path, stage: str, took: Mapping[str, float]) -> None:
    """Write down what a stage took; the stages that were written before stay."""
    held = kept(folder)
    held[stage] = {name: round(value, 3) for name, value in took.items()}
    aside = folder / f".{FILE}.tmp"
    aside.write_text(json.dumps(held, indent=1) + "\n", encoding="utf-8")
    os.replace(aside, folder / FILE)


def kept(folder: Path) -> dict[str, dict[str, float]]:
    """What each stage took when it was made; empty where nothing was written down."""
    try:
        held: dict[str, dict[str, float]] = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return held


def machine() -> dict[str, Any]:
    """The machine, without its name: cores that may be used, memory in GiB, system and Python."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / MEBIBYTE**3
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(memory, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _forget_peak() -> bool:
    """Have the kernel begin anew with the peak; False where it cannot be asked."""
    try:
        _CLEAR.write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


def _peak() -> float | None:
    """The peak of this process since, in MiB."""
    for line in _STATUS.read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return float(line.split()[1]) / MEBIBYTE
    return None

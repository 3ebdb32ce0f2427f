"""What a stage took: the processor's time, the memory of that stage alone, and the record of the stages before."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from riskmodel.studies import resources

MIB = 1024 * 1024


def test_cpu_time_is_that_of_the_block_and_not_of_waiting() -> None:
    with resources.measured() as took:
        total = 0
        while total < 3_000_000:
            total += 1
    assert 0 < took["cpu_seconds"] <= 1.5 * took["seconds"] + 0.1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak of a part of a process")
def test_the_peak_is_that_of_the_stage_and_not_of_an_earlier_one() -> None:
    with resources.measured() as large:
        held = bytearray(300 * MIB)
        held[::4096] = b"x" * len(held[::4096])
        del held
    with resources.measured() as small:
        held = bytearray(10 * MIB)
        held[::4096] = b"x" * len(held[::4096])
    assert large["peak_mib"] - small["peak_mib"] > 200


def test_stages_are_added_and_a_stage_made_again_takes_the_place_of_its_earlier_self(tmp_path: Path) -> None:
    assert resources.kept(tmp_path) == {}
    resources.keep(tmp_path, "fit", {"seconds": 2.0})
    resources.keep(tmp_path, "audit", {"seconds": 1.23456})
    resources.keep(tmp_path, "fit", {"seconds": 3.0})
    assert resources.kept(tmp_path) == {"fit": {"seconds": 3.0}, "audit": {"seconds": 1.235}}


def test_the_machine_is_described_without_its_name() -> None:
    told = resources.machine()
    assert set(told) == {"cores", "memory_gib", "system", "python"}
    assert told["cores"] >= 1

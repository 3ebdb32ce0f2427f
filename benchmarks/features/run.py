"""All contenders in turn on one machine, and the ratios: ``python run.py PEOPLE --scratch FOLDER --peers PYTHON``.

CPU seconds are those of the whole process with its children, from the start of the interpreter to its end. Rounds
alternate the contenders, so that a slow spell of the machine meets all of them; ratios are medians over the rounds.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent


def measured(*command):
    """Wall seconds, CPU seconds, peak MiB and the printed text of one process."""
    began = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True, cwd=HERE)
    text = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command} ended with status {status}")
    return time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, text


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("people", type=int)
    parser.add_argument("--scratch", type=Path, required=True)
    parser.add_argument("--peers", help="a Python with polars and timeseriesflattener")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--only",
        nargs="*",
        default=["riskmodel", "known", "distinct", "ties", "floor", "polars", "timeseriesflattener"],
    )
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()
    folder = asked.scratch / f"people-{asked.people}"
    if not folder.exists():
        subprocess.run([sys.executable, HERE / "workload.py", str(asked.people), folder], check=True)
    parts = folder / "riskmodel"
    figures = {name: [] for name in asked.only}
    for _ in range(asked.rounds):
        for name in asked.only:
            if name in ("riskmodel", "known", "distinct", "ties"):
                out = parts if name == "riskmodel" else folder / f"riskmodel-{name}"
                shutil.rmtree(out, ignore_errors=True)
                extra = [] if name == "riskmodel" else [name]
                figures[name].append(measured(sys.executable, "with_riskmodel.py", folder, out, *extra)[:3])
            elif name == "floor":
                wall, _, memory, text = measured(sys.executable, "floor.py", folder, parts)
                figures[name].append((wall, float(re.search(r"FLOOR ([\d.]+)", text)[1]), memory))
            else:
                figures[name].append(measured(asked.peers, f"with_{name}.py", folder, folder / f"{name}.parquet")[:3])
            wall, cpu, memory = figures[name][-1]
            print(f"{name:<20} {wall:8.2f} s wall {cpu:8.2f} s CPU {memory:8.0f} MiB", flush=True)
    print(f"\nMedian of {asked.rounds} rounds, {asked.people:,} people")
    for name, rounds in figures.items():
        wall, cpu, memory = (statistics.median(one[part] for one in rounds) for part in range(3))
        line = f"{name:<20} {wall:8.2f} s wall {cpu:8.2f} s CPU {memory:8.0f} MiB"
        if "riskmodel" in figures and name != "riskmodel":
            ratio = statistics.median(one[1] / base[1] for one, base in zip(rounds, figures["riskmodel"], strict=True))
            line += f"   {ratio:6.2f} x riskmodel's CPU"
        print(line)
    (folder / "figures.json").write_text(json.dumps(figures, indent=1))
    if asked.check:
        peers = [folder / f"{name}.parquet" for name in ("polars", "timeseriesflattener") if name in figures]
        subprocess.run([sys.executable, HERE / "check.py", folder, parts, *peers], check=True)


if __name__ == "__main__":
    main()

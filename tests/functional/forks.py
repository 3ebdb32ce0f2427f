"""A process that has the package imported and forks for each command: the imports are paid once, not by every test.

A command is still a process of its own, with its own directory, environment, streams and exit code. What is asked comes
as a line of JSON on standard input; the number of the process and its exit code go back as lines on standard output.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import sys
from typing import Any

LOADED = (
    "riskmodel.cli.policy", "riskmodel.studies.needs", "riskmodel.studies.run",
    "riskmodel.studies.skeleton", "riskmodel.studies.table_study", "riskmodel.tracking.runs", "riskmodel.world.society",
    "lightgbm", "matplotlib.backends.backend_svg", "numba", "pandas", "splink",
)  # fmt: skip
"""What commands load when they need it; none of it starts a thread that a fork would lose."""


def become(asked: dict[str, Any], gained: dict[str, str]) -> None:
    """Run one command in this process, which was forked for it, and end with its exit code."""
    streams = (os.devnull, os.O_RDONLY), *((asked[name], os.O_WRONLY) for name in ("stdout", "stderr"))
    for number, (path, how) in enumerate(streams):
        opened = os.open(path, how)
        os.dup2(opened, number)
        os.close(opened)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a test run in the background may ignore interrupts
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(gained | asked["env"])
    sys.argv = ["riskmodel", *asked["words"]]
    from riskmodel.cli import main

    code = 0
    try:
        main()
    except SystemExit as ending:
        code = int(ending.code or 0)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # taking the imported libraries down in good order would take longer than the command


def serve() -> None:
    """Load what commands load, then fork for each line."""
    before = dict(os.environ)
    for name in LOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # pages that nobody writes to stay shared
    gained = {name: value for name, value in os.environ.items() if before.get(name) != value}
    while line := sys.stdin.readline():
        asked = json.loads(line)
        child = os.fork()
        if not child:
            become(asked, gained)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    os._exit(0)  # what is frozen is not taken down


if __name__ == "__main__":
    serve()

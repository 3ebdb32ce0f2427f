"""Real servers for the tests that need one: PostgreSQL, a browser and a Spark, started here and stopped at the end."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("untimed", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")  # how fast a machine is says nothing about what is tested
if "PYTEST_XDIST_WORKER" in os.environ:  # each test process has a core, and what it starts shares it
    for _library in ("OMP", "OPENBLAS", "MKL"):
        os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

collect_ignore_glob = [
    "published/acro/*",
    "published/aequitas/*",
    "published/sacroml/*",
]  # scripts that run in environments of their own
CHROMIUM = "/usr/bin/chromium"
FAR_APART = 1_000_000
"""How far the numbers of societies that stand side by side lie apart."""
BROWSER_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def free_port() -> int:
    with socket.socket() as asking:
        asking.bind(("127.0.0.1", 0))
        return int(asking.getsockname()[1])


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an empty PostgreSQL database on loopback, started for this test process."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("no PostgreSQL server on this machine (Debian's package postgresql)")
    programs, folder, port = found[-1].parent, tmp_path_factory.mktemp("postgresql"), free_port()
    owner = []
    if os.geteuid() == 0:  # the server refuses to run as root
        owner = ["runuser", "-u", "postgres", "--"]
        for parent in (folder, *folder.parents):
            if parent.stat().st_uid == 0 and parent != Path("/"):
                parent.chmod(parent.stat().st_mode | 0o011)
        shutil.chown(folder, "postgres")
    data = folder / "data"
    quiet: dict[str, Any] = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/"}
    subprocess.run([*owner, programs / "initdb", "-D", data, "-U", "riskmodel", "-A", "trust", "--no-sync"], **quiet)
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
    server = [*owner, programs / "pg_ctl", "-D", data]
    subprocess.run([*server, "-w", "-o", options, "-l", folder / "log", "start"], **quiet)
    yield f"postgresql://riskmodel@127.0.0.1:{port}/postgres"
    subprocess.run([*server, "-m", "immediate", "stop"], **quiet | {"check": False})  # it may have gone with its tests


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright; one for this test process."""
    if not Path(CHROMIUM).exists():
        pytest.skip("no Chromium on this machine (Debian's package chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=BROWSER_OPTIONS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def local_spark() -> Iterator[str]:
    """The address of a Spark in this test process, where a task that fails is tried once more."""
    if shutil.which("java") is None:
        pytest.skip("no Java on this machine (Debian's package openjdk-17-jre-headless)")
    from riskmodel.engines import spark

    address = "local[2,2]"
    started = spark.session(address)
    yield address
    started.sparkContext.stop()


@pytest.fixture(autouse=True)
def _sockets_of_spark_let_go(request: pytest.FixtureRequest) -> Iterator[None]:
    """What pyspark leaves open is freed in the test that opened it, and does not warn in another."""
    if "local_spark" not in request.fixturenames:
        yield
        return
    from riskmodel.engines import spark

    with spark.sockets_let_go():
        yield


@pytest.fixture(scope="session")
def side_by_side() -> Callable[[Sequence[Any]], Any]:
    """Many small societies as one, in which nobody of one knows anybody of another: a job of Spark costs a second."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from riskmodel.histories.store import Histories

    def merged(societies: Sequence[Any]) -> Any:
        tables = {}
        for name in ("events", "persons", "residences", "relations"):
            parts = []
            for number, society in enumerate(societies):
                part = getattr(society, name)
                for column in {"entity_id", "other_id", "place_id"} & set(part.column_names):
                    place = part.schema.get_field_index(column)
                    part = part.set_column(place, part.field(column), pc.add(part[column], number * FAR_APART))
                parts.append(part)
            tables[name] = pa.concat_tables(parts)
        return Histories.of(**tables)

    return merged


MADE_ONCE = ("local_spark", "postgresql", "ran")
"""Fixtures of several files that cost so much that one test process has them."""
SHARING = ("advisory", "board", "browser", "cards", "models", "tracking")
"""Folders whose files share a model, a card or a browser."""


@pytest.hookimpl(wrapper=True, tryfirst=True)  # before xdist reads the groups, and after the order was shuffled
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Tests that share something costly run in one test process, so that it is made once; the longest begin first."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
    slow = {_group(item) for item in items if item.get_closest_marker("slow")}
    yield
    items.sort(key=lambda item: _group(item) not in slow)


def _group(item: pytest.Item) -> str:
    used = [name for name in MADE_ONCE if name in getattr(item, "fixturenames", ())]
    folder = item.path.parent.name
    return used[0] if used else folder if folder in SHARING else item.path.stem

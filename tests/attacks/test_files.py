"""Files that somebody put in the place of others: in the store, among deliveries and tables, beside a model.

A pickle, a type of Arrow that carries code, a database of DuckDB, rows changed by hand: each is refused in one
sentence, nothing in it runs, and what was refused of the store is in the ledger. Models of others are in
``tests/unit/tracking/test_found_models.py``.
"""

from __future__ import annotations

import datetime as dt
import json
import pickle
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import riskmodel as rm
from riskmodel.engines import duckdb as engine
from riskmodel.engines.folders import MANIFEST
from riskmodel.errors import DeclarationError, RiskmodelError
from riskmodel.features.language import age, count
from riskmodel.governance.access import Store
from riskmodel.governance.ledger import verify
from riskmodel.governance.model_files import leaks
from riskmodel.models.risk_model import RiskModel
from riskmodel.studies.declaration import PublishedTable
from riskmodel.studies.published import comparisons
from riskmodel.tables import combined_fingerprint, fingerprint_table


class Harm:
    """Runs when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, (f"open({str(self.mark)!r}, 'w').close()",)


@dataclass(frozen=True)
class Made:
    """A small partnership's store, with everything from deliveries to a model."""

    folder: Path
    school: Any
    sent: list[rm.Delivery]

    def open(self, folder: Path) -> Store:
        return rm.connect(f"duckdb:///{folder}", purpose=self.school.purpose)

    def received(self, store: Store, pupils: Path | None = None) -> Any:
        """Receive the files, or another in the place of the pupils'."""
        people = [rm.Delivery("school.people", pupils, *self.school.covers)] if pupils else self.sent[:1]
        return rm.receive(store, [*people, self.sent[1]], contracts=self.school.contracts(self.folder))

    def training(self, store: Store) -> Any:
        histories = rm.assemble(store, rm.link(store, self.received(store), method="shared_key"))
        cohort = rm.Cohort(between=("2017-01-01", "2019-01-01"), every=rm.months(6), aged=(8, 25))
        outcome = rm.Outcome("exclusion", within=rm.months(6))
        return rm.build_training_set(histories, cohort, outcome, [age(), count("exclusion")], groups=())


@pytest.fixture(scope="module")
def made(school: Any, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("files")
    partnership = Made(folder, school, school.deliveries(folder))
    store = partnership.open(folder / "run")
    training = partnership.training(store)
    model = rm.fit(training, rm.Logistic(), rm.ForwardFolds(2), comparators=(), replicates=100, capacity=(0.1,))
    with store.writing("model", {"of": "these"}) as draft:
        model.without_rows().save(draft.folder)
    with store.writing("footing", {"of": "these"}) as draft:
        rm.Footing.of(model, training, refits_made=10).save(draft.folder)
    return partnership


@pytest.fixture
def store(made: Made, tmp_path: Path) -> Path:
    """A copy to attack."""
    return Path(shutil.copytree(made.folder / "run", tmp_path / "run"))


@pytest.fixture
def payload(tmp_path: Path) -> bytes:
    """A pickle that was seen to run where pickles are loaded, and has not run since."""
    mark = tmp_path / "ran"
    text = pickle.dumps(Harm(mark))
    pickle.loads(text)  # noqa: S301 - the attack works where pickles are loaded
    assert mark.exists()
    mark.unlink()
    return text


def refused(store: Store) -> list[object]:
    return [entry.facts.get("code") for entry in store.ledger.entries() if entry.action == "refused"]


def test_attack_a_pickle_in_place_of_any_file_of_the_store(
    made: Made, store: Path, payload: bytes, tmp_path: Path
) -> None:
    files = [path for path in sorted(store.rglob("*")) if path.is_file() and path.parent != store]
    assert len({path.relative_to(store).parts[0] for path in files}) == 6  # received, linked ... model, footing
    for path in files:
        kept, name = path.read_bytes(), path.relative_to(store).parts[0]
        opened = made.open(store)
        path.write_bytes(payload)
        with pytest.raises(RiskmodelError, match=r"^Found .*; expected .*\. .*\[[a-z-]+\]$") as refusal:
            opened.result(name)
        assert refused(opened)[-1] == refusal.value.code, path.name
        path.write_bytes(kept)
        assert opened.result(name).name == name  # put back, it is read again
    assert not (tmp_path / "ran").exists()
    assert verify(store / "ledger.jsonl").holds


@pytest.mark.parametrize("name", ["received", "linked", "histories", "training"])
def test_attack_a_stage_goes_on_with_what_was_changed(made: Made, store: Path, name: str) -> None:
    """A stage that was finished is not read as finished where somebody changed its rows: the run stops and says so."""
    path = next((store / name).glob("*.parquet"))
    table = pq.read_table(path)
    pq.write_table(pa.concat_tables([table, table.slice(0, 1)]), path)
    with pytest.raises(RiskmodelError, match="result-altered"):
        made.training(made.open(store))


def test_attack_a_record_about_somebody_put_into_the_histories(made: Made, store: Path) -> None:
    """Ten exclusions more for one person, with a manifest that was made to fit, then with an entry of its own."""
    folder = store / "histories"
    events = pq.read_table(folder / "events.parquet")
    planted = events.slice(0, 10).set_column(
        events.schema.get_field_index("event_id"), "event_id", pa.array(range(10**6, 10**6 + 10), pa.int64())
    )
    pq.write_table(pa.concat_tables([events, planted.cast(events.schema)]), folder / "events.parquet")
    held = json.loads((folder / MANIFEST).read_text())
    held["parts"]["events.parquet"] = fingerprint_table(pq.read_table(folder / "events.parquet"))
    held["fingerprint"] = combined_fingerprint(held["parts"])
    (folder / MANIFEST).write_text(json.dumps(held))
    opened = made.open(store)
    with pytest.raises(RiskmodelError, match="result-altered"):
        opened.result("histories")
    assert refused(opened) == ["result-altered"]
    # whoever also writes such an entry by hand breaks the chain, or shows as a second writing in it
    line = (store / "ledger.jsonl").read_text().splitlines()[3]
    with (store / "ledger.jsonl").open("a") as ledger:
        ledger.write(line.replace(json.loads(line)["facts"].get("fingerprint", "x"), held["fingerprint"]) + "\n")
    assert not verify(store / "ledger.jsonl").holds


def test_attack_a_type_of_arrow_that_carries_code(made: Made, payload: bytes, tmp_path: Path) -> None:
    """Arrow once unpickled what a Parquet file named as the type of a column; nothing here does."""
    plain = pa.table({"pupil": ["q1"], "name": ["A"], "born": [dt.date(2004, 1, 1)], "recorded": [dt.date(2015, 1, 1)]})
    about = {b"ARROW:extension:name": b"arrow.py_extension_type", b"ARROW:extension:metadata": payload}
    marked = pa.schema([field.with_metadata(about) for field in plain.schema])
    pq.write_table(plain.cast(marked), tmp_path / "pupils.parquet")
    assert pq.read_schema(tmp_path / "pupils.parquet").field("name").metadata is not None
    intake = made.received(
        made.open(tmp_path / "run"), tmp_path / "pupils.parquet"
    )  # the name is that of nobody's type: the texts are read
    assert intake.report["feeds"]["school.people"]["accepted"] == 1
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl", "db", "pkl"])
@pytest.mark.parametrize("kind", ["pickle", "duckdb"])
def test_attack_a_delivery_that_is_something_else(
    made: Made, payload: bytes, ending: str, kind: str, tmp_path: Path
) -> None:
    path = tmp_path / f"pupils.{ending}"
    if kind == "pickle":
        path.write_bytes(payload)
    else:
        with duckdb.connect(str(tmp_path / "made.duckdb")) as database:
            database.execute("CREATE TABLE pupils (pupil TEXT); CREATE MACRO pupil() AS (SELECT 1)")
        shutil.move(tmp_path / "made.duckdb", path)
    store = made.open(tmp_path / "run")
    came = None
    with suppress(RiskmodelError):
        came = made.received(store, path).report["feeds"]["school.people"]["accepted"]
    assert came is None or (ending == "jsonl" and came == 0)  # or each line is set aside, and nobody comes of them
    assert not (tmp_path / "ran").exists()


def figure(value: float, sql: str) -> PublishedTable:
    return PublishedTable(figure="a figure", source="a paper", value=value, digits=0, sql=sql)


def test_attack_sql_of_a_study_that_leaves_its_tables(tmp_path: Path) -> None:
    pq.write_table(pa.table({"n": [1, 2]}), tmp_path / "rows.parquet")
    (tmp_path / "secret.csv").write_text("n\n41\n")
    elsewhere = tmp_path / "made.duckdb"
    duckdb.connect(str(elsewhere)).execute("CREATE TABLE t AS SELECT 41 AS n").close()
    for sql in (
        f"ATTACH '{elsewhere}' AS other; SELECT n FROM other.t",
        f"SELECT n FROM read_csv('{tmp_path / 'secret.csv'}')",
        f"SELECT n FROM '{tmp_path / 'rows.parquet'}' LIMIT 1",
        f"COPY (SELECT 1) TO '{tmp_path / 'out.csv'}'",
        "INSTALL httpfs",
        f"LOAD '{tmp_path / 'made.duckdb_extension'}'",
        "SET enable_external_access = true; SELECT 1",
        "SELECT n FROM read_parquet('http://127.0.0.1:9/x.parquet')",
        "SELECT n FROM sqlite_scan('x.db', 't')",
    ):
        with pytest.raises(DeclarationError, match="one number"):
            comparisons([figure(41.0, sql)], tmp_path)
    assert not (tmp_path / "out.csv").exists()
    assert comparisons([figure(3.0, "SELECT sum(n) FROM rows")], tmp_path)[0].agrees


def test_the_engine_takes_no_code_from_elsewhere() -> None:
    connection = engine.cursor()
    sql = "SELECT name, value FROM duckdb_settings() WHERE name LIKE 'auto%known%' OR name LIKE 'allow_%extensions'"
    settings = dict(connection.execute(sql).fetchall())
    assert len(settings) >= 4
    assert set(settings.values()) == {"false"}


def test_attack_a_pickle_beside_a_models_files(made: Made, payload: bytes, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made.folder / "run" / "model", tmp_path / "model"))
    for name in ("model.pkl", "model.joblib", "learner.skops"):
        (folder / name).write_bytes(payload)
    assert RiskModel.load(folder).predict(np.zeros((2, 2), np.float32)).shape == (2,)
    assert {leak.file for leak in leaks(folder) if leak.code == "pickle"} >= {"model.pkl", "model.joblib"}
    assert not (tmp_path / "ran").exists()

"""One run of a small society, looked through as somebody would who wants to find a person in it.

Names, addresses and the agencies' own numbers stop at linkage: nothing that a run writes beyond it may hold one.
"""

from __future__ import annotations

import csv
import hashlib
import json
import pickletools
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskmodel.features.training_set import TrainingSet
from riskmodel.models.risk_model import RiskModel
from riskmodel.tables import combined_fingerprint
from riskmodel.tracking.runs import load_for_scoring

ROOT = Path(__file__).parents[2]
NAMES_MAY_STAND_IN = ("delivered", "received")
KEYS_MAY_STAND_IN = (*NAMES_MAY_STAND_IN, "linked")  # the table of links says whose number is whose


Ran = Any  # the class is in conftest, which tests do not import


def texts(ran: Ran, *, but: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Everything written outside the folders `but`, and everything said, as text."""
    yield "what the run said", ran.said
    for root in (ran.store, ran.cards):
        for path in sorted(path for path in root.rglob("*") if path.is_file()):
            if path.relative_to(root).parts[0] not in but:
                yield str(path.relative_to(root.parent)), _text(path)


def _text(path: Path) -> str:
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        cells = (str(cell) for column in table.columns if not _numeric(column.type) for cell in column.to_pylist())
        return "\n".join((*table.column_names, *cells))
    return path.read_bytes().decode("utf-8", errors="ignore")


def _numeric(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_temporal(kind))


@pytest.fixture(scope="module")
def people(ran: Ran) -> pa.Table:
    return pq.read_table(ran.store / "received" / "people.parquet")


def words_of(table: pa.Table, *columns: str) -> set[str]:
    return {str(value) for column in columns for value in table[column].unique().to_pylist() if value}


def test_no_name_and_no_address_beyond_linkage(ran: Ran, people: pa.Table) -> None:
    names = {word.casefold() for word in words_of(people, "given_name", "family_name") if len(word) > 3}
    places = {word.casefold() for word in words_of(people, "address", "postcode")}
    assert len(names) > 200
    assert len(places) > 500
    # What the study and the card themselves say, in words that are somebody's name too (May, Grant, Young).
    spoken = set(re.findall(r"\w+", "".join(text for _, text in _words_of_the_package(ran)).casefold()))
    for where, text in texts(ran, but=NAMES_MAY_STAND_IN):
        text = text.casefold()
        found = (set(re.findall(r"\w+", text)) - spoken) & names
        assert not found, f"{len(found)} names in {where}"
        assert not any(place in text for place in places), f"an address in {where}"


def _words_of_the_package(ran: Ran) -> Iterator[tuple[str, str]]:
    for path in (ran.study / "study.toml", *sorted((ROOT / "src" / "riskmodel").rglob("*"))):
        if path.is_file() and "world" not in path.parts and path.suffix in (".py", ".toml", ".j2", ".json", ".css"):
            yield path.name, path.read_text(encoding="utf-8")


def test_no_number_of_an_agency_beyond_linkage(ran: Ran, people: pa.Table) -> None:
    keys = {word for word in words_of(people, "person_key") if not word.isdigit() or len(word) > 6}
    assert len(keys) > 2_000
    for where, text in texts(ran, but=KEYS_MAY_STAND_IN):
        found = set(re.findall(r"[\w/.-]+", text)) & keys
        assert not found, f"{len(found)} numbers in {where}"


def test_no_row_of_a_person_in_the_tracking_store(ran: Ran) -> None:
    pseudonyms = words_of(pq.read_table(ran.store / "linked" / "persons.parquet"), "entity_id")
    for path in sorted((ran.store / "mlartifacts").rglob("*.parquet")):
        table = pq.read_table(path)
        assert "entity_id" not in table.column_names or table.num_rows == 0, path.name
    database = (ran.store / "mlflow.db").read_bytes().decode("latin-1")
    assert not set(re.findall(r"\d{12,}", database)) & pseudonyms


COUNTS = re.compile(r"(^|_)(n|rows|people|positives|counts?|events|records|similar|judged|labelled|links|pairs)($|_)")
NO_COUNT = {
    ("n", "folds"): "how many folds were asked for",
    ("rows", "blocks"): "a table's cells, looked at by their columns",
    ("counts", "bands"): "a feature's name, with edges of bands of twenty people or more",
}


def small_counts(held: object, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Where a document says 1 to 7 under a name that counts people, rows or events."""
    if isinstance(held, dict):
        for name, value in held.items():
            yield from small_counts(value, (*path, str(name)))
    elif isinstance(held, list):
        for value in held:
            yield from small_counts(value, path)
    elif not isinstance(held, bool) and isinstance(held, int | float) and held in range(1, 8):
        within = {(path[-1], above) for above in path[:-1]}
        if COUNTS.search(path[-1]) and not within & set(NO_COUNT) and "bands" not in path:
            yield ".".join(path)


def tables_of(card: dict) -> Iterator[tuple[str, str, object]]:
    """Every cell of a column of counts on a card: the table, the column, the cell."""
    for section in card["sections"]:
        for block in section["blocks"]:
            for row in block["rows"] if "columns" in block else ():
                for column, cell in zip(block["columns"], row, strict=True):
                    if column.get("kind") == "count" and not column["heading"].startswith("Days"):
                        yield block["caption"], column["heading"], cell


def test_attack_looking_for_a_small_count_in_all_that_leaves(ran: Ran) -> None:
    """The card's folder and everything on the tracking server, document by document, table by table."""
    found, looked = [], 0
    for root in (ran.cards, ran.store / "mlartifacts"):
        for path in sorted(root.rglob("*")):
            if path.suffix == ".json":
                looked += 1
                found += [f"{path.name}: {place}" for place in small_counts(json.loads(path.read_text()))]
            elif path.suffix == ".csv":
                looked += 1
                with path.open(newline="") as file:
                    for row in csv.DictReader(file):
                        small = [name for name, cell in row.items() if COUNTS.search(name) and cell in set("1234567")]
                        found += [f"{path.name}: {name}" for name in small]
            elif path.suffix == ".parquet":
                assert pq.read_metadata(path).num_rows == 0, path.name
    assert looked > 20
    assert found == []
    card = json.loads((ran.cards / "card.json").read_text())
    small = {(table, column) for table, column, cell in tables_of(card) if cell in range(1, 8)}
    # rows set aside because a file broke its contract: of files, not of people, and exact so that they can be settled
    assert small <= {("Rows of each feed", "Quarantined")}
    assert len(list(tables_of(card))) > 100


def test_no_count_on_the_tracking_server_is_exact(ran: Ran) -> None:
    """Counts are to the nearest five: two runs that differ by one person cannot be told apart by them."""
    (path,) = (path for path in ran.store.rglob("evaluation.json") if path.parent != ran.store / "model")
    held = json.loads(path.read_text())
    counts = [value for name, value in held["counts"].items() if value is not None]
    counts += [
        value for fold in held["folds"] for name, value in fold.items() if isinstance(value, int) and name != "fold"
    ]
    assert len(counts) > 10
    assert all(count % 5 == 0 for count in counts)
    exact = json.loads((ran.store / "model" / "evaluation.json").read_text())
    assert any(count % 5 for count in exact["counts"].values())  # the room's own copy is


def test_no_pickle_anywhere(ran: Ran) -> None:
    for path in sorted(path for path in ran.store.rglob("*") if path.is_file()):
        assert path.suffix not in (".pkl", ".pickle", ".joblib", ".npy"), path
        head = path.read_bytes()[:2]
        assert not (head[:1] == b"\x80" and head[1:] in (b"\x02", b"\x03", b"\x04", b"\x05")), path
    assert pickletools.code2op["\x80"].name == "PROTO"  # the byte that every pickle since protocol 2 begins with


def test_manifests_name_every_file_as_it_is(ran: Ran) -> None:
    manifests = sorted(ran.store.glob("*/manifest.json"))
    assert len(manifests) == 13
    for path in manifests:
        manifest = json.loads(path.read_text())
        files = {file.relative_to(path.parent).as_posix() for file in path.parent.rglob("*") if file.is_file()}
        assert set(manifest["parts"]) == files - {"manifest.json"}, path.parent.name
        assert manifest["fingerprint"] == combined_fingerprint(manifest["parts"])
        for name, stated in manifest["parts"].items():
            if not name.endswith((".parquet", ".json")):
                assert hashlib.sha256((path.parent / name).read_bytes()).hexdigest() == stated, name


def test_the_recorded_model_predicts_exactly_as_the_kept_one(ran: Ran) -> None:
    kept = RiskModel.load(ran.store / "model")
    served = load_for_scoring("models:/quickstart@candidate", f"sqlite:///{ran.store / 'mlflow.db'}")
    training = TrainingSet.of(pq.read_table(ran.store / "training" / "training.parquet"))
    assert tuple(training.feature_names) == tuple(kept.feature_names)
    X = training.matrix()[:500]
    table = pa.table({name: X[:, at].astype("float64") for at, name in enumerate(kept.feature_names)})
    estimates = served.unwrap_python_model().estimate(table.to_pandas())
    assert estimates["probability"].to_numpy().tobytes() == kept.predict(X).tobytes()


@pytest.mark.parametrize("stage", ["link", "explain"])
def test_interrupted_it_says_so(ran: Ran, tmp_path: Path, stage: str, command: Any, stopped: Any) -> None:
    store = tmp_path / "run"
    shutil.copytree(ran.store, store, ignore=shutil.ignore_patterns("ml*", "linked", "explanation"))
    interrupted = command("run", ran.study, "--store", store, stopped=stopped(stage, signal.SIGINT))
    assert interrupted.returncode == 130
    last = "riskmodel: interrupted; finished stages are kept. Run the same command again to go on.\n"
    assert interrupted.stderr.endswith(last)

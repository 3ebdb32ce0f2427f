"""Specifications of the feature language: a small table, an expression, an answer.

Each ``*.toml`` file here holds tables (as text), and cases: an expression in the words of the language, and the answer
on given days, worked by hand. Every case runs on the plain-Python reference and on the compiled kernel. The files are
written to be read by people: they are the manual of the language.
"""

import datetime as dt
import math
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from riskmodel import dates
from riskmodel.features import language
from riskmodel.features.build import feature_matrix
from riskmodel.features.feature import Feature
from riskmodel.features.reference import answer
from riskmodel.histories.overlaid import with_area_values
from riskmodel.histories.store import Histories
from riskmodel.tables import AREA_VALUES, EVENTS, PERSONS, RELATIONS, RESIDENCES

SCHEMAS = {"events": EVENTS, "persons": PERSONS, "relations": RELATIONS, "residences": RESIDENCES,
           "area_values": AREA_VALUES}  # fmt: skip
LENGTHS = {name: getattr(dates, name) for name in ("days", "weeks", "months", "years")}
WORDS = {**vars(language), **LENGTHS, "date": dt.date}


@dataclass(frozen=True)
class Case:
    """One expression over one table, with the answers on some days: (entity, as_of, value, event_ids or None)."""

    name: str
    feature: Feature
    histories: Histories
    answers: tuple[tuple[int, dt.datetime, float, tuple[int, ...] | None], ...]

    @property
    def rows(self) -> pa.Table:
        entity, as_of = [one[0] for one in self.answers], [one[1] for one in self.answers]
        return pa.table({"entity_id": pa.array(entity, pa.int64()), "as_of": pa.array(as_of, pa.timestamp("us"))})

    @property
    def expected(self) -> list[float]:
        return [float(np.float32(one[2])) for one in self.answers]


def by_reference(case: Case) -> list[float]:
    found = [answer(case.histories, case.feature, entity, as_of) for entity, as_of, _, _ in case.answers]
    for one, (_, _, _, event_ids) in zip(found, case.answers, strict=True):
        if event_ids is not None:
            assert tuple(seen.event_id for seen in one.events) == event_ids
    return [float(np.float32(one.value)) for one in found]


def by_kernel(case: Case) -> list[float]:
    return feature_matrix(case.histories, case.rows, [case.feature])[0].to_pylist()


def same(left: list[float], right: list[float]) -> bool:
    return all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(left, right, strict=True))


@lru_cache
def cases() -> tuple[Case, ...]:
    return tuple(case for path in sorted(Path(__file__).parent.glob("*.toml")) for case in read(path))


def read(path: Path) -> list[Case]:
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    made = []
    for section, part in document.items():
        tables = {name: table_of(text, SCHEMAS[name]) for name, text in part.items() if name in SCHEMAS}
        tables.setdefault("events", EVENTS.empty_table())
        areas = tables.pop("area_values", None)
        histories = Histories.of(**tables)
        histories = histories if areas is None else with_area_values(histories, areas)
        for case in part["case"]:
            feature = eval(case["expression"], WORDS)  # noqa: S307 # our own files, read in tests only
            answers = tuple(_answer(day, *rest) for day, *rest in case["answers"])
            made.append(Case(f"{path.stem}: {section}: {case['expression']}", feature, histories, answers))
    return made


def table_of(text: str, schema: pa.Schema) -> pa.Table:
    """A table written as text: a heading and rows, cells parted by ``|``; an empty cell is unknown."""
    heading, *lines = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    rows = []
    for number, line in enumerate(lines, 1):
        row = dict(zip(heading, line, strict=True))
        row = {name: _cell(cell, schema.field(name).type) for name, cell in row.items()}
        first = row.get("happened_at") or row.get("starts_at") or dt.datetime(2000, 1, 1)
        rows.append({"event_id": number, "entity_id": 1, "agency": "police", "source": "ons", "known_at": first} | row)
    return pa.Table.from_pylist(rows, schema=schema)


def _cell(cell, kind):
    if cell in ("", "-"):
        return None
    if pa.types.is_timestamp(kind):
        return dt.datetime.fromisoformat(cell)
    if pa.types.is_date(kind):
        return dt.date.fromisoformat(cell)
    if pa.types.is_integer(kind):
        return int(cell)
    return float(cell) if pa.types.is_floating(kind) else cell


def _answer(day, value, events=None, entity=1):
    return entity, dt.datetime.fromisoformat(str(day)), float(value), None if events is None else tuple(events)


def pytest_generate_tests(metafunc):
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", cases(), ids=lambda case: case.name)


@pytest.fixture(params=[by_reference, by_kernel], ids=["reference", "kernel"])
def evaluate(request):
    return request.param


@pytest.fixture
def all_agree():
    """Whether an evaluator gives the worked answer in every case."""
    return lambda evaluator: all(same(evaluator(case), case.expected) for case in cases())


@pytest.fixture
def evaluators():
    return {"reference": by_reference, "kernel": by_kernel}


@pytest.fixture
def same_answers():
    return same

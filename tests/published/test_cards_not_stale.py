"""The committed cards are those that their studies make today: same sections, same words, same claims.

Numbers may differ in the last digits from one kind of processor to another, so they are held to a tolerance; words,
headings, tables, names of claims and features are held exactly. When this fails, run the study and commit its card.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from riskmodel.studies.declaration import is_of_a_table, read_text
from riskmodel.studies.run import Places, run_study
from riskmodel.studies.study import Study
from riskmodel.studies.table_study import TableStudy, run_table_study
from riskmodel.world.society import World

ROOT = Path(__file__).parents[2]
NUMBER = re.compile(r"-?\d[\d,]*\.?\d*(?:e-?\d+)?")


def society(people: int, seed: int, folder: Path) -> None:
    World.generate(people=people, seed=seed).deliveries(folder)


def made_today(name: str, data: Path | None, folder: Path) -> dict[str, Any]:
    """The card that the study makes now."""
    study: Any
    if is_of_a_table(read_text(ROOT / "experiments" / name)):
        study = TableStudy.load(ROOT / "experiments" / name)
        run_table_study(study, Places.of(study, data, folder / "run", folder / "card", None))
    else:
        study = Study.load(ROOT / "experiments" / name)
        run_study(study, Places.of(study, data, folder / "run", folder / "card", None), society)
    return card_of(folder / "card")


def card_of(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    return document


def words(part: Any) -> Any:
    """The same without numbers: what must be equal to the letter."""
    if isinstance(part, dict):
        return {key: words(value) for key, value in sorted(part.items()) if key != "fingerprint"}
    if isinstance(part, list):
        return [words(value) for value in part]
    if isinstance(part, str):
        return "hash" if re.fullmatch(r"[0-9a-f]{12,64}", part) else NUMBER.sub("#", part)
    return "#" if isinstance(part, int | float) and not isinstance(part, bool) else part


def headings(card: dict[str, Any]) -> list[Any]:
    """Sections, blocks, captions and columns."""
    return [
        (section["name"], section["title"], block["block"], block.get("caption"), words(block.get("columns")))
        for section in card["sections"]
        for block in section["blocks"]
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "needs"),
    [
        pytest.param("quickstart", None, marks=pytest.mark.nightly),
        pytest.param("compas", ("compas_events", "two_years.parquet"), marks=pytest.mark.data),
        pytest.param("nij", ("nij_recidivism", "nij_full.parquet"), marks=[pytest.mark.data, pytest.mark.nightly]),
    ],
)
def test_the_committed_card_is_the_one_made_today(name, needs, published_data, tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    data = None if needs is None else published_data(*needs)
    committed, today = card_of(ROOT / "model_cards" / name), made_today(name, data, tmp_path)
    again = f"the card of {name} is stale: run `riskmodel run experiments/{name}` and commit model_cards/{name}"
    assert headings(today) == headings(committed), again
    for part in ("study", "purpose", "cohort", "outcome", "text", "summary", "title", "edition", "date"):
        assert words(today[part]) == words(committed[part]), f"{part}: {again}"
    assert today["model"]["features"] == committed["model"]["features"], again
    ours, theirs = dict(today["evidence"]["claims"]), dict(committed["evidence"]["claims"])
    assert ours.keys() == theirs.keys(), again
    for claim, value in ours.items():
        number = value["value"]
        expected = theirs[claim]["value"]
        if isinstance(number, int | float) and expected is not None:
            assert number == pytest.approx(expected, rel=0.05, abs=0.01), f"{claim}: {again}"
        else:
            assert number == expected, f"{claim}: {again}"

"""What stands beside a card: pages under its fingerprint, a summary for the public, front matter that hubs can read."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from riskmodel.cards.beside import files_beside, write_beside
from riskmodel.cards.front_matter import front_matter
from riskmodel.cards.model_card import ModelCard
from riskmodel.cards.public import public_summary

PAGES = ("brief", "public", "records")


@pytest.fixture(scope="module")
def beside(card: ModelCard) -> dict[str, str]:
    return dict(files_beside(card))


def test_every_page_names_the_card_it_belongs_to(card: ModelCard, tmp_path: Path) -> None:
    write_beside(card, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "README.md", "brief.html", "brief.md", "public.html", "public.md", "records.html", "records.json", "records.md",
    ]  # fmt: skip
    for path in tmp_path.iterdir():
        text = path.read_text(encoding="utf-8")
        assert card.fingerprint in text, path.name
        assert "<script" not in text, path.name


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fetches_nothing(name: str, beside: dict[str, str]) -> None:
    assert not re.search(r"(src|href)=\"(https?:)?//", beside[f"{name}.html"])


def test_the_front_matter_is_yaml_that_says_what_the_card_says(card: ModelCard, beside: dict[str, str]) -> None:
    _, head, body = beside["README.md"].split("---\n", 2)
    assert yaml.safe_load(head) == json.loads(json.dumps(front_matter(card)))
    (model,) = yaml.safe_load(head)["model-index"]
    (result,) = model["results"]
    assert {"task", "dataset", "metrics"} == set(result)
    claims = card.document["evidence"]["claims"]
    (auroc,) = [metric for metric in result["metrics"] if metric["type"] == "roc_auc"]
    assert auroc["value"] == claims["performance.model.all.auroc"]["value"]
    assert auroc["args"]["low"] == claims["performance.model.all.auroc"]["low"]
    assert body.startswith("\n# Early support for young people\n")


def test_a_figure_that_cannot_be_shown_is_not_in_the_front_matter(card: ModelCard) -> None:
    document = json.loads(json.dumps(card.document))
    document["evidence"]["claims"]["performance.model.all.auroc"] |= {
        "value": None, "low": None, "high": None, "state": "not_estimable",
    }  # fmt: skip
    (model,) = front_matter(ModelCard.from_document(document))["model-index"]
    assert "roc_auc" not in {metric["type"] for metric in model["results"][0]["metrics"]}


def test_the_public_summary_says_who_decides_and_how_to_object(card: ModelCard, beside: dict[str, str]) -> None:
    text = card.document["text"]
    for said in (
        "decides nothing",
        text["challenge_route"],
        text["contact"],
        "The people behind these figures are made up",
    ):
        assert said in beside["public.md"]


def test_every_figure_of_the_public_summary_stands_on_the_card(card: ModelCard) -> None:
    on_the_card = set(re.findall(r"\d+", card.files()["card.md"]))
    said: Any = json.dumps(public_summary(card)["sections"])
    assert set(re.findall(r"\d+", re.sub(r'"data": \{.*?\}\]\}', "", said))) <= on_the_card

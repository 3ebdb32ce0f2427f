"""The section on groups: first the finding in 100, then figures in 100, last the method; nothing of a few people."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from riskmodel.cards.evidence import interval_words
from riskmodel.cards.model_card import ModelCard

Case = Any  # the class is in conftest, which tests do not import


@pytest.fixture(scope="module")
def blocks(card: ModelCard) -> list[dict[str, Any]]:
    return next(section["blocks"] for section in card.document["sections"] if section["name"] == "groups")


def test_the_finding_comes_first_in_100_the_method_last(blocks: list[dict[str, Any]], case: Case) -> None:
    attributes = [name for name in case.audit.settings["by"] if ", " not in name]
    heads = blocks[: len(attributes)]
    assert [one["block"] for one in heads] == ["callout"] * len(attributes)
    for attribute, one in zip(attributes, heads, strict=True):
        assert one["text"].startswith(f"By {attribute}: ")
    assert blocks[-2]["text"] == "Method"
    tables = [one for one in blocks if one["block"] == "table" and one["caption"].startswith("Of 100, by ")]
    assert len(tables) == len(case.audit.settings["by"])
    kinds = {column["kind"] for column in tables[0]["columns"][3:]}
    assert kinds == {"hundred_interval"}


def test_a_sentence_holds_the_audits_own_figures(blocks: list[dict[str, Any]], case: Case) -> None:
    by_sex = [one for one in blocks if one["block"] == "bullets"]
    lines = [line for one in by_sex for line in one["items"]]
    found = next(line for line in lines if line.startswith("Found, of 100 with the outcome: ") and "Female" in line)
    for group in ("female", "male"):
        row = case.audit.figure("sex", group, "tpr")
        said = interval_words(row["value"], row["low"], row["high"], row["state"], "hundred")
        assert f"{group.capitalize()} {said}" in found
    gap = next(
        row for row in case.audit.disparities.to_pylist() if row["attribute"] == "sex" and row["metric"] == "tpr"
    )
    furthest = 100 * max(abs(gap["together_low"]), abs(gap["together_high"]))
    (up_to,) = re.findall(r"up to ([\d.]+) is not ruled out", found) or [None]
    assert up_to is None or float(up_to) == pytest.approx(furthest, abs=0.51)


def test_of_a_few_people_it_is_not_told_that_none_has_the_outcome(blocks: list[dict[str, Any]]) -> None:
    hidden = 0
    for table in (one for one in blocks if one["block"] == "table" and one["caption"].startswith("Of 100, by ")):
        for row in table["rows"]:
            if row[1] == "suppressed":
                hidden += 1
                assert row[2] == "suppressed"
    assert hidden


def test_figures_that_may_not_be_shown_are_in_no_sentence(blocks: list[dict[str, Any]], card: ModelCard) -> None:
    claims = card.document["evidence"]["claims"]
    hidden = {
        (parts[1], parts[2]) for key, claim in claims.items()
        if (parts := key.split("."))[0] == "audit" and claim["state"] == "suppressed" and parts[3] == "tpr"
    }  # fmt: skip
    lines = " ".join(line for one in blocks if one["block"] == "bullets" for line in one["items"])
    found = re.findall(r"Found, of 100 with the outcome: (.*?)\.", lines)
    for attribute, group in hidden:
        if ", " in attribute:
            assert not any(f"{group} " in told for told in found), (attribute, group)


def test_the_section_on_linkage_is_there_for_studies_that_drew_worlds(case: Case) -> None:
    gap = {"attribute": "sex", "metric": "tpr", "group": "female", "reference": "male"}
    gap |= {"best": -0.1, "best_low": -0.15, "best_high": -0.05, "gap": -0.06, "low": -0.13, "high": 0.01}
    found = {"draws": 5, "gaps": [gap | {"extra_share": 0.4, "says": "could be linkage"}], "links": []}
    assert "linked_worlds" not in {one["name"] for one in case.draft().document["sections"]}
    card = case.draft(linked_worlds=found)
    section = next(one for one in card.document["sections"] if one["name"] == "linked_worlds")
    assert section["blocks"][0]["text"] == (
        "One gap between groups is shown. Held against 5 other ways of joining the records that are as likely, 1 could"
        " be there only because of how they were joined."
    )
    (table,) = (one for one in section["blocks"] if one["block"] == "table")
    assert table["rows"][0][-1] == "Could be linkage"
    assert np.isclose(table["rows"][0][4]["high"], 0.01)
    claim = card.document["evidence"]["claims"]["linked.sex.tpr.female.over"]
    assert (claim["artefact"], claim["low"]) == ("linked_worlds", -0.13)

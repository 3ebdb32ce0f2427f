"""A study file is read whole or refused whole: every fault at once, by line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from riskmodel.errors import DeclarationError, NotFound
from riskmodel.studies.declaration import parse
from riskmodel.studies.study import Study

ROOT = Path(__file__).parents[3]
QUICKSTART = (ROOT / "experiments" / "quickstart" / "study.toml").read_text(encoding="utf-8")


def changed(*swaps: tuple[str, str]) -> str:
    text = QUICKSTART
    for old, new in swaps:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def line_with(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


@pytest.mark.parametrize("name", ["quickstart", "compas"])
def test_the_committed_studies_are_read(name: str) -> None:
    study = Study.load(ROOT / "experiments" / name)
    assert study.name == name
    assert len(study.features) == len(study.declaration.features.known)


def test_unknown_keys_wrong_types_and_impossible_dates_come_together_with_their_lines() -> None:
    text = changed(
        ('every = "3m"', 'evry = "3m"'),
        ("aged = [10, 25]", 'aged = ["ten", 25]'),
        ("between = [2018-01-01, 2022-07-01]", "between = [2018-02-30, 2022-07-01]"),
        ("folds = 4", "folds = 1"),
    )
    with pytest.raises(DeclarationError) as refusal:
        parse(text)
    message = str(refusal.value)
    for part, word in (
        ("evry =", "the unknown key cohort.evry"),
        ("aged =", "cohort.aged.0 = 'ten'"),
        ("between =", "2018-02-30"),
        ("folds = 1", "model.folds = 1"),
    ):
        assert re.search(rf"study.toml line {line_with(text, part)}: found .*{re.escape(word)}", message), message
    assert "expected one of aged, at_each, between, every" in message


def test_a_missing_key_names_its_table() -> None:
    with pytest.raises(DeclarationError, match=r"no outcome\.kind; expected a value\. Write kind under \[outcome\]"):
        parse(changed(('kind = "injury_by_violence"\n', "")))


def test_text_that_is_no_toml_is_one_fault() -> None:
    with pytest.raises(DeclarationError, match="expected a TOML file"):
        parse("[study\nname = 1")


def test_faults_of_meaning_come_together_with_their_lines(tmp_path: Path) -> None:
    text = changed(
        ('within = "1y"', 'within = "one year"'),
        ('  "age()",', '  "aeg()",'),
        ('ever("caution")', 'ever("caution", wihtin=years(1))'),
        ('learner = "LightGBM(seed=7)"', 'learner = "XGBoost()"'),
        ('owner = "Lead for early support of the partnership"', 'owner = "TBC"'),
    )
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    with pytest.raises(DeclarationError) as refusal:
        Study.load(tmp_path)
    message = str(refusal.value)
    assert len(refusal.value.faults) == 5, message
    for part in ("[outcome]", "aeg()", "wihtin", "XGBoost", "[card]"):
        assert f"study.toml line {line_with(text, part)}" in message, (part, message)


def test_a_feature_defined_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(changed(('  "age()",', '  "age()",\n  "age()",')), encoding="utf-8")
    with pytest.raises(DeclarationError, match="two definitions named age"):
        Study.load(tmp_path)


def test_a_folder_without_a_study_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="study-missing"):
        Study.load(tmp_path)


def test_every_word_of_the_feature_language_can_be_used_in_a_study() -> None:
    from inspect import isfunction

    from riskmodel.features import language
    from riskmodel.studies.study import FEATURE_WORDS

    words = {name for name, word in vars(language).items() if isfunction(word) and word.__module__ == language.__name__}
    assert {name for name in words if not name.startswith("_")} <= set(FEATURE_WORDS)

"""The referee's questions on the card, without evidence, and the report with it."""

from __future__ import annotations

from riskmodel.cards.referee import PAGE, write_referee
from riskmodel.cards.sections.questions import questions
from riskmodel.models.checking import Check

CHECKS = (
    Check("one", "Is every person once?", "pass", "3 of 900 rows repeat another."),
    Check("people-apart", "Are the people <apart>?", "review", "People in both: 7, 12."),
)


def test_the_card_has_answers_and_no_counts():
    section = questions(CHECKS)
    text = str(section.document())
    assert "Is every person once?" in text
    assert "Look" in text
    assert "900" not in text
    assert "Are the people <apart>? Some of the people judged taught the model" in text
    assert "1 passed, 1 wants a look, 0 failed" in text


def test_the_report_has_all_of_it_and_says_that_it_stays(tmp_path, case):
    page = write_referee(case.draft(checks=CHECKS), case.model, CHECKS, tmp_path).read_text(encoding="utf-8")
    assert (tmp_path / PAGE).exists()
    for text in ("3 of 900 rows repeat another.", "Are the people &lt;apart&gt;?", "not suppressed", "AUROC"):
        assert text in page
    for fold in case.model.evaluation.folds:
        assert str(fold["test_from"]) in page
    assert "<script" not in page

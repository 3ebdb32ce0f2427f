"""The briefs of the committed cards read at an age of about 12 to 14, by Flesch and Kincaid's grade of running text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CARDS = Path(__file__).parents[3] / "model_cards"
TEXTS = sorted([*CARDS.glob("*/brief.md"), *CARDS.glob("*/public.md")])
AGE_BEYOND_GRADE = 5
"""A grade of school is reached at that age and this many years."""


def syllables(word: str) -> int:
    """Groups of vowels, without a silent e at the end."""
    letters = re.sub(r"[^a-z]", "", word.lower())
    groups = len(re.findall(r"[aeiouy]+", letters))
    silent = groups > 1 and re.search(r"[^aeiouyl]e$|[^aeiouytd]ed$", letters) is not None
    return max(1, groups - silent)


def grade(text: str) -> float:
    """Flesch-Kincaid: .39 words a sentence + 11.8 syllables a word - 15.59 (Kincaid and others 1975)."""
    sentences = [part for part in re.split(r"(?<=[.!?])\s+", text) if re.search(r"[A-Za-z]", part)]
    words = re.findall(r"[A-Za-z']+|\d[\d.,]*", text)
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def running_text(markdown: str) -> str:
    """Sentences and items of lists, without headings, tables and fingerprints; each line ends a sentence."""
    kept = []
    for line in markdown.splitlines():
        text = re.sub(r"^(>|-|\d+\.)\s*", "", line.strip()).replace("**", "").replace("&amp;", "and")
        if text and text[0] not in "#|" and "fingerprint" not in text.lower():
            kept.append(text if text[-1] in ".!?" else f"{text}.")
    return " ".join(kept)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The cat sat on the mat.", 0.39 * 6 + 11.8 * 6 / 6 - 15.59),
        ("Automated decisions require accountability.", 0.39 * 4 + 11.8 * 15 / 4 - 15.59),
    ],
)
def test_the_grade_is_the_formulas(text: str, expected: float) -> None:
    assert grade(text) == pytest.approx(expected)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_brief_reads_at_twelve_to_fourteen(path: Path) -> None:
    age = grade(running_text(path.read_text(encoding="utf-8"))) + AGE_BEYOND_GRADE
    assert age <= 14, f"{path.parent.name} reads at an age of {age:.1f}"

"""What a model's files give away of the people it learned from, and taking it out.

A LightGBM text states for every feature the exact least and greatest value in the training data, or every category:
the oldest person's age, the largest arrears. Predictions do not need them. `scrubbed` takes them out, with the same
predictions and contributions, bit for bit; `leaks` looks through a folder before it leaves the room. It cannot show
that a model reveals nothing: what can be learned by asking the model is a matter for attacks, not for a scan.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from riskmodel.errors import DataRefused, EvidenceError

_INFOS: Final = re.compile(r"^feature_infos=(.*)$", re.MULTILINE)
_COUNTS: Final = re.compile(r"^(?:leaf_count|internal_count)=(.*)$", re.MULTILINE)
_CATEGORIES: Final = re.compile(r"^pandas_categorical:(.*)$", re.MULTILINE)
_PSEUDONYM: Final = re.compile(r"\b[A-Z]-[0-9a-f]{16}\b")
_PICKLE_NAMES: Final = {".pkl", ".pickle", ".joblib", ".dill"}
_PICKLE_START: Final = re.compile(rb"\x80[\x02-\x05](?:[\x80-\xff]|[A-Za-z(}\]])")
_NAMES_A_PERSON: Final = {"entity_id", "other_id", "pseudonym", "person_key", "given_name", "family_name", "birth_date"}


@dataclass(frozen=True, slots=True)
class Leak:
    """One thing that a file gives away: the file, a stable code, and what it is (never the value itself)."""

    file: str
    code: str
    found: str

    def __str__(self) -> str:
        return f"{self.file}: {self.found} [{self.code}]"


def scrubbed(text: str) -> str:
    """A LightGBM model text without the ranges and categories of its training data.

    Parameters
    ----------
    text : str, as ``Booster.model_to_string()`` writes it

    Returns
    -------
    str : predicts and explains exactly as before; scrubbing twice changes nothing

    Raises
    ------
    DataRefused : the text is no LightGBM model

    Examples
    --------
    >>> "[16:81]" in scrubbed("tree\\nmax_feature_idx=0\\nfeature_infos=[16:81]\\n")
    False
    """
    found = _INFOS.search(text)
    if not text.startswith("tree") or found is None:
        raise DataRefused(
            "not-a-lightgbm-text",
            found="a text that is no LightGBM model",
            expected="the text of Booster.model_to_string()",
            repair="Give the native model text.",
        )
    features = len(found.group(1).split())
    text = _INFOS.sub(f"feature_infos={' '.join(['none'] * features)}", text)
    return _CATEGORIES.sub("pandas_categorical:null", text)


def leaks(folder: str | Path, *, smallest_count: int = 8) -> tuple[Leak, ...]:
    """Everything in a folder of model files that gives something away, by file.

    Parameters
    ----------
    folder : searched with everything below it
    smallest_count : int, a tree leaf of fewer rows is reported
    """
    folder = Path(folder)
    found: list[Leak] = []
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        name = path.relative_to(folder).as_posix()
        found += (Leak(name, code, what) for code, what in _leaks_of(path, smallest_count))
    return tuple(found)


def must_give_nothing_away(folder: str | Path, *, smallest_count: int = 8) -> None:
    """Refuse a folder in which `leaks` finds anything.

    Raises
    ------
    EvidenceError : with every finding
    """
    if found := leaks(folder, smallest_count=smallest_count):
        raise EvidenceError(
            "model-gives-people-away",
            found="; ".join(map(str, found)),
            expected="model files that hold nothing of single people",
            repair="Scrub the model text, leave out tables of people, and pool small leaves, then save again.",
        )


def _leaks_of(path: Path, smallest: int) -> Iterator[tuple[str, str]]:
    content = path.read_bytes()
    if path.suffix in _PICKLE_NAMES or _PICKLE_START.match(content):
        yield "pickle", "a pickle, which runs code when it is loaded"
    elif content.startswith(b"PAR1"):
        yield from _leaks_of_table(path)
    else:
        yield from _leaks_of_text(content.decode("utf-8", errors="replace"), smallest)


def _leaks_of_table(path: Path) -> Iterator[tuple[str, str]]:
    held = pq.read_metadata(path)
    named = sorted(_NAMES_A_PERSON & set(held.schema.names))
    if named and held.num_rows:
        yield "people-in-table", f"{held.num_rows:,} rows with {', '.join(named)}"


def _leaks_of_text(text: str, smallest: int) -> Iterator[tuple[str, str]]:
    for infos in _INFOS.findall(text):
        if stated := sum(info != "none" for info in infos.split()):
            yield "feature-range", f"the exact range or categories of {stated} features"
    for categories in _CATEGORIES.findall(text):
        if categories.strip() not in {"null", "[]"}:
            yield "category-labels", "the labels of categories in the training data"
    counts = [int(count) for line in _COUNTS.findall(text) for count in line.split()]
    if small := sum(0 < count < smallest for count in counts):
        yield "small-leaf", f"{small} tree nodes of fewer than {smallest} rows"
    if pseudonyms := len(_PSEUDONYM.findall(text)):
        yield "pseudonyms-in-text", f"{pseudonyms} pseudonyms"

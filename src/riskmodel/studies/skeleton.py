"""A new study from files: a drafted contract for each agency, and a study file with every question still open.

It guesses what files can tell and asks the rest. It copies no records, writes over nothing, and what it writes does not
run before a person has answered.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from riskmodel.cards.text import REQUIRED
from riskmodel.errors import DeclarationError
from riskmodel.feeds.draft_text import draft_text
from riskmodel.feeds.drafting import DraftFeed, drafted_feeds
from riskmodel.feeds.full_names import FULL_NAME, PARTS
from riskmodel.feeds.samples import sampled
from riskmodel.feeds.standard import FIELDS, STRUCTURAL
from riskmodel.studies.declaration import FILE

KINDS = 20
"""How many kinds of event get a feature in the draft."""


@dataclass(frozen=True, slots=True)
class Skeleton:
    """What was drafted.

    Attributes
    ----------
    folder : the study's folder
    written : the files, study file last
    recognised, passed_over : int, columns of all files
    """

    folder: Path
    written: tuple[Path, ...]
    recognised: int
    passed_over: int


def new_study(folder: str | Path, files: Mapping[str, Sequence[Path]], *, today: dt.date) -> Skeleton:
    """Draft a study of the files that each agency sent.

    Parameters
    ----------
    folder : the new study's; may be there, may not hold a study
    files : agency, in small letters, digits and underscores -> its files (.csv, .txt, .tsv, .jsonl, .parquet)
    today : the study's date

    Raises
    ------
    DeclarationError : there is a study already, or a name that no agency may have
    NotFound, DataRefused : a file that is not there, or that cannot be read
    """
    folder = Path(folder)
    _refuse(folder, files)
    drafts = {agency: drafted_feeds([sampled(path) for path in paths]) for agency, paths in sorted(files.items())}
    (folder / "contracts").mkdir(parents=True, exist_ok=True)
    texts = {folder / "contracts" / f"{agency}.toml": draft_text(agency, feeds) for agency, feeds in drafts.items()}
    texts[folder / ".gitignore"] = "data/\nrun/\n"
    texts[folder / FILE] = _study_text(folder, drafts, today)
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    feeds = [feed for agency in drafts.values() for feed in agency]
    return Skeleton(folder, tuple(texts), sum(len(f.columns) for f in feeds), sum(len(f.ignored) for f in feeds))


def _refuse(folder: Path, files: Mapping[str, Sequence[Path]]) -> None:
    there = [path.name for path in (folder / FILE, folder / "contracts") if path.exists()]
    if there:
        raise DeclarationError.of(
            "study-exists",
            where=folder.name,
            found=f"{' and '.join(there)}, already there",
            expected="a folder without a study",
            repair="Choose another folder; nothing was written over.",
        )
    for agency in files:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", agency):
            raise DeclarationError.of(
                "agency-name",
                where="the files",
                found=f"an agency called {agency!r}",
                expected="small letters, digits and underscores",
                repair="Write it such as youth_justice=orders.csv.",
            )


def _study_text(folder: Path, drafts: Mapping[str, tuple[DraftFeed, ...]], today: dt.date) -> str:
    feeds = [feed for agency in drafts.values() for feed in agency]
    met = {column.means for feed in feeds for column in feed.columns}
    met |= set(PARTS) if FULL_NAME in met else set()
    kinds = tuple(dict.fromkeys(kind for feed in feeds if feed.holds == "events" for kind in feed.kinds()))
    structural = set().union(*STRUCTURAL.values()) - {"role"}
    fields = dict.fromkeys(field for holds in FIELDS.values() for field in holds if field in met - structural)
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")
    start = min((feed.earliest() or today for feed in feeds), default=today).replace(month=1, day=1)
    answers: dict[str, Any] = {
        "folder": folder.name,
        "name": name if name[:1].isalpha() else f"study-{name}",
        "title": folder.resolve().name.replace("-", " ").replace("_", " ").capitalize(),
        "today": today,
        "next_year": _years_on(today, 1),
        "covers": start,
        "first": _years_on(start, 1),
        "last": max(_years_on(today, -1) - dt.timedelta(days=90), _years_on(start, 1) + dt.timedelta(days=1)),
        "agencies": list(drafts),
        "fields": list(fields),
        "groups": [group for group in ("sex", "ethnicity") if group in met],
        "kinds": kinds,
        "linkage": "probabilistic" if met & {"family_name", "birth_date"} else "shared_key",
        "features": _features(met, kinds, len(drafts)),
        "texts": {text: asked for text, asked in REQUIRED.items() if text not in ("title", "review_by")},
    }
    return _template().render(answers)


def _features(met: set[str], kinds: Sequence[str], agencies: int) -> list[str]:
    made = ["age()"] if "birth_date" in met else []
    made += [f'count("{kind}", within=years(2))' for kind in kinds[:KINDS]]
    made += ['count_distinct("kind", within=years(1))']
    return made + (['count_distinct("agency", within=years(1))'] if agencies > 1 else [])


def _years_on(day: dt.date, years: int) -> dt.date:
    return day.replace(year=day.year + years, day=min(day.day, 28))


def _template() -> jinja2.Template:
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )
    found.filters["quoted"] = lambda words: ", ".join(f'"{word}"' for word in words)
    found.filters["suggestion"] = lambda kinds: f"; recognised so far: {', '.join(kinds[:8])}" if kinds else ""
    return found.get_template("study.toml.j2")

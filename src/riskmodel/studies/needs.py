"""A study's needs assessment: from its histories to the pages, the data and the community pack of one edition.

The stages up to the histories are those of any run of the study, and are kept. An edition is a folder of its own; the
next one is held against it, so that the two together give nothing away.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from riskmodel.engines.folders import alone
from riskmodel.errors import DataRefused
from riskmodel.governance.access import Store, connect
from riskmodel.histories.store import Histories
from riskmodel.population.community import write_pack
from riskmodel.population.needs import Assessment, NeedsPlan, assess
from riskmodel.population.open_searches import ALREADY_OPEN, open_tables
from riskmodel.population.pages.blocks import Page
from riskmodel.population.pages.harm import harm_page
from riskmodel.population.pages.html import write_page
from riskmodel.population.pages.needs import harm_words, needs_page
from riskmodel.population.pages.needs_answers import checklist
from riskmodel.population.pages.searches import SearchWords, search_page
from riskmodel.population.pages.unseen import unseen_page
from riskmodel.population.publication import RECORD, Publication
from riskmodel.population.unseen_lists import leave_unseen, lists_in
from riskmodel.studies import stages
from riskmodel.studies.needs_declaration import load_plan
from riskmodel.studies.stages import WorldMaker
from riskmodel.studies.study import Study


@dataclass(frozen=True, slots=True)
class Made:
    """What an edition consists of: its folder, the files that people open, and the headings still missing."""

    folder: Path
    files: tuple[Path, ...]
    missing: int


def needs_of_study(
    study: Study,
    store: Path,
    to: Path,
    *,
    society: WorldMaker | None = None,
    data: Path | None = None,
    earlier: Path | None = None,
    pdf: bool = False,
) -> Made:
    """Make the needs assessment of a study.

    Parameters
    ----------
    store : where the study's results are kept; stages that are there are not made again
    to : the folder of this edition, new or empty
    earlier : the folder of the last edition
    pdf : also as PDF

    Raises
    ------
    DataRefused : the folder holds another edition
    """
    plan = load_plan(study.folder)
    last = None if earlier is None else Publication.load(earlier)
    _must_be_free(to, plan.edition)
    with histories_of(study, store, society, data) as (opened, histories):
        made = assess(histories, plan, earlier=last, ledger=opened.ledger)
    return write_edition(made, plan, to, pdf=pdf)


@contextmanager
def histories_of(
    study: Study, store: Path, society: WorldMaker | None, data: Path | None
) -> Iterator[tuple[Store, Histories]]:
    """The study's store and histories; nobody else writes to the store meanwhile."""
    opened = connect(f"duckdb:///{store}", study.purpose)
    with alone(store):
        if study.declaration.feeds.world is not None:
            stages.deliver(opened, study, society)
        intake = stages.receive(opened, study, data)
        yield opened, stages.assemble(opened, stages.link(opened, study, intake))


def write_edition(made: Assessment, plan: NeedsPlan, to: Path, *, pdf: bool = False) -> Made:
    """Write pages, data files, disclosure record and community pack of an assessment."""
    pages = edition_pages(made, plan)
    files: list[Path] = []
    for name, page in pages.items():
        files += write_page(page, to, name, pdf=pdf)
    files.append(made.publication.save(to))
    files += write_pack(made, plan, to / "community")
    return Made(to, tuple(files), sum(not one.answered for one in checklist(made, plan)))


def edition_pages(made: Assessment, plan: NeedsPlan) -> dict[str, Page]:
    """The pages of an edition by file name."""
    summary = "How much recorded harm there is, how grave, when, where, and to whom."
    pages = {
        "needs": needs_page(made, plan),
        "violence": harm_page(made.publication, harm_words(made, plan, "Serious violence", summary)),
    }
    if made.searches is not None and plan.searches is not None:
        words = SearchWords(
            "Stop and search",
            "Who is searched, how often beside the people who live there, and what came of it.",
            plan.organisation,
            plan.searches.reference,
            "The partnership's own records",
        )
        pages["searches"] = search_page(made.publication, made.searches, words)
    if made.unseen is not None:
        people = "The people in these records are made up." if plan.synthetic else "The partnership's own records."
        pages["unseen"] = unseen_page(made.unseen, made.publication, plan.organisation, people)
    return pages


def searches_of_open_tables(tables: Path, to: Path, *, pdf: bool = False) -> Sequence[Path]:
    """The dashboard of stop and search from the open tables of Leeds."""
    publication, period = open_tables(tables)
    words = SearchWords(
        "Stop and search in Leeds",
        "Who is searched, where, how often beside the people who live there, and what the records leave open.",
        "Open data",
        "White",
        "Police stop and search records by small area with census 2021 residents, Open Government Licence v3",
    )
    made = write_page(search_page(publication, period, words), to, "searches", pdf=pdf)
    return [*made, publication.save(to)]


def unseen_of_open_table(
    path: Path, title: str, source: str, as_of: dt.date, to: Path, *, joined: Sequence[str] = (), pdf: bool = False
) -> Sequence[Path]:
    """The page of the unseen from an open table of lists.

    Parameters
    ----------
    as_of : the day before which what is in the table was known
    joined : pairs of lists to be taken as one, such as "PF+NCA"
    """
    made = Publication("unseen", f"{as_of.year}", as_of, ALREADY_OPEN)
    found = leave_unseen(made, lists_in(path, joined), title)
    return [*write_page(unseen_page(found, made, "Open data", source), to, "unseen", pdf=pdf), made.save(to)]


def _must_be_free(to: Path, edition: str) -> None:
    if (to / RECORD).exists() and Publication.load(to).edition != edition:
        raise DataRefused(
            "edition-there",
            found=f"another edition in {to}",
            expected="a folder of its own for each edition",
            repair="Give a new folder with --to; name the old one with --earlier.",
        )

"""A national format: five annual SSDA903 returns of the same children become one history."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from riskmodel.feeds.contract import format_contract
from riskmodel.feeds.delivery import Delivery
from riskmodel.feeds.intake import receive

DATA = Path(os.environ.get("RISKMODEL_DATA", Path(__file__).parents[4] / "shared" / "data")) / "childrens_services_uk"
HEADER = "CHILD,SEX,DOB,ETHNIC\n1,2,01/01/2010,WBRI\n"
EPISODES = "CHILD,DECOM,RNE,LS,DEC,REC,HOME_POST\n"
ONE = EPISODES + "1,01/02/2018,S,C2,,,LS1 4AP\n"
TWO = EPISODES + "1,01/02/2018,S,C2,01/05/2018,X1,LS1 4AP\n1,01/05/2018,P,C2,,,LS1 4AP\n"


def returned(folder, year, **files):
    """The files of the return for the year from 1 April `year`, received on 30 June after it."""
    made = []
    for feed, text in files.items():
        path = folder / f"{feed}_{year}.csv"
        path.write_text(text, encoding="utf-8")
        covers = (dt.date(year, 4, 1), dt.date(year + 1, 4, 1))
        made.append(Delivery(f"looked_after_children.{feed}", path, dt.datetime(year + 1, 6, 30), *covers))
    return made


def test_an_episode_closed_in_a_later_return_is_a_later_version(tmp_path, open_store):
    files = returned(tmp_path, 2017, people=HEADER, episodes=ONE) + returned(tmp_path, 2018, episodes=TWO)
    store = open_store(fields=("sex", "birth_date"), controllers=("looked_after_children",))
    intake = receive(store, files, contracts=[format_contract("ssda903")])
    assert intake.events.select(["event_key", "ended_at", "known_at"]).to_pylist() == [
        {"event_key": "1|01/02/2018", "ended_at": None, "known_at": dt.datetime(2018, 6, 30)},
        {"event_key": "1|01/02/2018", "ended_at": dt.datetime(2018, 5, 1), "known_at": dt.datetime(2019, 6, 30)},
        {"event_key": "1|01/05/2018", "ended_at": None, "known_at": dt.datetime(2019, 6, 30)},
    ]
    assert intake.covered_until == {"looked_after_children": dt.date(2019, 4, 1)}
    assert intake.quarantine.num_rows == 0


@pytest.mark.data
def test_five_returns_become_one_history(tmp_path, open_store):
    if not DATA.is_dir():
        pytest.skip("the SSDA903 returns are not here: set RISKMODEL_DATA")
    contract = format_contract("ssda903")
    files = []
    for feed in contract.feeds:
        table = pq.read_table(DATA / f"demand903_{feed.file}.parquet")
        for year in range(2017, 2022):
            path = tmp_path / f"{feed.file}_{year}.csv"
            pacsv.write_csv(table.filter(pc.equal(table.column("return_year"), str(year))), path)
            covers = (dt.date(year, 4, 1), dt.date(year + 1, 4, 1))
            files.append(Delivery(feed.name, path, dt.datetime(year + 1, 6, 30), *covers))
    store = open_store(fields=("sex", "birth_date"), controllers=("looked_after_children",))
    intake = receive(store, files, contracts=[contract])
    feeds = intake.report["feeds"]
    assert feeds["looked_after_children.people"]["delivered"] == 2_123
    assert intake.people.num_rows == pc.count_distinct(intake.people.column("person_key")).as_py() == 820
    episodes = feeds["looked_after_children.episodes"]
    assert (episodes["delivered"], episodes["accepted"]) == (3_737, 3_737)
    events = intake.events.filter(pc.equal(intake.events.column("kind"), "care_episode"))
    rows = pq.read_table(DATA / "demand903_episodes.parquet", columns=["CHILD", "DECOM", "DEC"]).to_pylist()
    episodes_told = {(row["CHILD"], row["DECOM"]) for row in rows}
    assert pc.count_distinct(events.column("event_key")).as_py() == len(episodes_told) == 2_827
    closed_later = len({(row["CHILD"], row["DECOM"], row["DEC"]) for row in rows}) - len(episodes_told)
    assert events.num_rows == len(episodes_told) + closed_later
    # reviews dated after the day on which their return was received cannot have been known
    assert set(feeds["looked_after_children.reviews"]["quarantined"]) == {"date-in-future", "duplicate-row"}

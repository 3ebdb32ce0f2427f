"""Facts from disk and in memory: the same counts, by passes over sorted lists, as a plain count gives."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskmodel.dates import days, months
from riskmodel.engines.folders import Result
from riskmodel.errors import DataRefused, DeclarationError
from riskmodel.histories.store import Histories
from riskmodel.policies.calendar import NEVER, Calendar
from riskmodel.policies.design import PlannedOutcome
from riskmodel.policies.panels import Counting, count_panel
from riskmodel.seeds import stream
from riskmodel.tables import EVENTS


def test_facts_on_disk_are_counted_like_facts_in_memory(tmp_path):
    """Counts of people from Parquet and from memory, beside a plain count; versions and roles count once."""
    chance = stream(5, "facts")
    n = 400
    happened = np.datetime64("2020-01-01", "us") + chance.integers(0, 366 * 86_400, n).astype("timedelta64[s]")
    known = happened + chance.integers(1, 60, n).astype("timedelta64[D]")
    rows = [
        {
            "entity_id": None if i % 50 == 0 else int(chance.integers(0, 6)),
            "happened_at": happened[i].item(),
            "known_at": known[i].item(),
            "known_until": (known[i] + np.timedelta64(20, "D")).item() if i % 7 == 0 else None,
            "agency": "police" if i % 3 else "health",
            "kind": "violence",
            "role": "victim" if i % 2 else "suspect",
            "event_id": i,
        }
        for i in range(n)
    ]
    rows += [row | {"role": "witness"} for row in rows[1:40]]  # the same fact in two roles
    events = pa.Table.from_pylist([{name: row.get(name) for name in EVENTS.names} for row in rows], EVENTS)
    covered = {"police": dt.date(2021, 6, 1), "health": dt.date(2021, 6, 1)}
    held = Histories.of(events=events, covered_until=covered)
    for name in ("events", "persons", "residences", "relations"):
        pq.write_table(held.result.table(name), tmp_path / f"{name}.parquet")
    (tmp_path / "coverage.json").write_text(json.dumps(held.coverage), encoding="utf-8")
    stored = Histories(None, Result("histories", tmp_path, "", "x", {}, {}))
    calendar = Calendar(dt.date(2020, 1, 1), dt.date(2021, 1, 1), months(3))
    outcomes = [PlannedOutcome("v", "police", "violence"), PlannedOutcome("w", "police", "violence", role="witness")]
    counting, people = Counting("person", calendar, days(30)), list(range(6))
    made = [count_panel(each, counting, outcomes, people, np.full(6, NEVER)) for each in (held, stored)]
    edges = calendar.edges()
    expected = np.zeros((6, 4))
    for row in rows[:n]:
        if row["agency"] != "police" or row["entity_id"] is None:
            continue
        period = int(np.searchsorted(edges, np.datetime64(row["happened_at"], "us"), side="right")) - 1
        judged = edges[period + 1] + np.timedelta64(30, "D") if period < 4 else None
        until = row["known_until"]
        if (
            judged is not None
            and np.datetime64(row["known_at"], "us") < judged
            and (until is None or judged <= np.datetime64(until, "us"))
        ):
            expected[row["entity_id"], period] += 1
    assert expected.sum() > 150
    for panel in made:
        assert (panel.measure("v") == expected).all()
        assert (panel.measure("w") == made[0].measure("w")).all()
        assert panel.uncounted["v"] > 0


def test_pairs_of_people_are_counted_where_both_stand_in_a_fact():
    def of(event: int, person: int, role: str, month: int, known: int | None = None) -> dict[str, object]:
        at = dt.datetime(2020, month, 2)
        told = dt.datetime(2020, known or month, 3)
        return {"event_id": event, "entity_id": person, "role": role, "happened_at": at, "known_at": told,
                "agency": "police", "kind": "domestic_abuse"}  # fmt: skip

    rows = [
        of(1, 7, "victim", 1), of(1, 3, "suspect", 1), of(1, 9, "witness", 1),
        of(2, 3, "victim", 5), of(2, 7, "suspect", 5), of(2, 7, "witness", 5),  # one fact, whatever the roles
        of(3, 3, "victim", 2), of(3, 7, "suspect", 2, known=7),  # that it was 7 was known too late
        of(4, 3, "victim", 6),
    ]  # fmt: skip
    events = pa.Table.from_pylist([{name: row.get(name) for name in EVENTS.names} for row in rows], EVENTS)
    histories = Histories.of(events=events, covered_until={"police": dt.date(2020, 12, 1)})
    counting = Counting("dyad", Calendar(dt.date(2020, 1, 1), dt.date(2020, 7, 1), months(3)), days(30))
    outcome = PlannedOutcome("abuse", "police", "domestic_abuse")
    made = count_panel(histories, counting, [outcome], ["3-7", "3-9"], np.full(2, NEVER))
    assert made.measure("abuse").tolist() == [[1, 1], [1, 0]]
    with pytest.raises(DataRefused, match="1 of 2 units"):
        count_panel(histories, counting, [outcome], ["3-99"], np.full(1, NEVER))
    with pytest.raises(DeclarationError, match="the smaller first"):
        count_panel(histories, counting, [outcome], ["7-3"], np.full(1, NEVER))

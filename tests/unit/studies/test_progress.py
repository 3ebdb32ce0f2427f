"""Progress: plain lines off a terminal, with counts and the time left."""

from __future__ import annotations

import io

from riskmodel.studies.progress import Clock, shown


def test_plain_lines_name_stage_counts_and_end() -> None:
    stream = io.StringIO()
    with shown({"link": 1.0, "fit": 3.0}, stream) as progress:
        progress.stage("link")
        for done in range(1, 101):
            progress.step("records", done * 1000, 100_000)
        progress.done("made 5 people")
        progress.stage("fit")
        progress.done("kept 1 model")
    lines = stream.getvalue().splitlines()
    assert lines[0] == "[1/2] link: started"
    steps = [line for line in lines if "records:" in line]
    assert len(steps) == 11  # the first, and one each tenth
    assert steps[5].startswith("[1/2] link: records: 50,000 of 100,000, about ")
    assert lines[-1].startswith("[2/2] fit: kept 1 model (")


def test_a_kept_stage_says_nothing_of_the_pace() -> None:
    clock = Clock({"a": 1.0, "b": 1.0})
    clock.enter("a")
    clock.leave(kept=True)
    assert clock.fraction == 0.5
    assert clock.seconds_left is None
    clock.enter("b")
    clock.within = 0.5
    assert clock.fraction == 0.75
    assert clock.seconds_left is not None

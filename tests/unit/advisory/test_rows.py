"""Advice on rows of features is that of a list of the same people, but for what features alone cannot tell."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from riskmodel.advisory.rows import COLUMNS, advice_columns, score_rows
from riskmodel.errors import DataRefused, NotPermitted


def asked(partnership: Any, scored: Any, **change: Any) -> Any:
    how = {
        "card": partnership.card, "purpose": partnership.purpose, "ledger": partnership.ledger,
        "delivered_until": partnership.as_of, "outcome": scored.basis.outcome, "role": "analyst",
    }  # fmt: skip
    given = (partnership.model, scored._reasons.X, scored._entities, partnership.as_of, scored.basis.approval)
    return score_rows(*given, **{**how, **change})


def test_the_same_figures_and_reasons_as_the_list(partnership: Any, scored: Any) -> None:
    whole = scored.to_table()
    made = asked(partnership, scored)
    table = advice_columns(made)
    for name in set(COLUMNS) - {"not_known", "valid_until"}:
        assert table[name].to_pylist() == whole[name].to_pylist(), name
    assert set(table["valid_until"].to_pylist()) == {scored.basis.approval.valid_until}  # no cohort asks again
    action, facts = partnership.last_entry()
    assert (action, facts["people"], facts["asked_by"]) == ("score", 160, "analyst")
    assert np.array_equal(made._probability, scored._probability)


def test_attack_old_rows_and_an_ended_purpose(partnership: Any, scored: Any) -> None:
    for until in (None, partnership.as_of - dt.timedelta(days=31)):
        with pytest.raises(DataRefused, match="data-too-old"):
            asked(partnership, scored, delivered_until=until)
        assert partnership.last_entry()[1]["code"] == "data-too-old"
    late = asked(partnership, scored, delivered_until=partnership.as_of - dt.timedelta(days=30))
    assert "end 30 days before" in advice_columns(late)["not_known"][0].as_py()
    short = partnership.approved("short.toml", limits={"score_valid_days": 90})
    with pytest.raises(NotPermitted, match="score-no-longer-valid"):  # features of 2021 are advice on nobody today
        score_rows(
            partnership.model, scored._reasons.X, scored._entities, partnership.as_of, short, card=partnership.card,
            purpose=partnership.purpose, ledger=partnership.ledger, delivered_until=partnership.as_of, outcome="x",
        )  # fmt: skip
    assert partnership.last_entry()[1]["code"] == "score-no-longer-valid"
    ended = type(partnership.purpose).from_mapping({**partnership.purpose.document(), "expires": "2020-01-01"})
    with pytest.raises(NotPermitted, match="purpose-expired"):
        asked(partnership, scored, purpose=ended)
    assert partnership.last_entry()[1]["code"] == "purpose-expired"

"""Lines of keys, and dates that no calendar has."""

from __future__ import annotations

from riskmodel.studies.lines import impossible_dates, line_of

TEXT = """# a study
[cohort]
every = "3m"   # [not.a.table]
between = [2020-02-30, 2021-01-01]
[features]
list = [
  "age()",
  'count("x")',
]
[features.carry]
now = "2020-02-30"
"""


def test_a_key_a_table_and_an_item_have_their_lines() -> None:
    assert line_of(TEXT, ("cohort", "every")) == 3
    assert line_of(TEXT, ("features", "list", 1), 'count("x")') == 8
    assert line_of(TEXT, ("features", "carry", "now")) == 11
    assert line_of(TEXT, ("cohort", "absent")) == 2


def test_an_impossible_date_is_found_outside_texts_only() -> None:
    possible, found = impossible_dates(TEXT)
    assert found == [(4, "2020-02-30")]
    assert "between = [2000-01-01, 2021-01-01]" in possible
    assert 'now = "2020-02-30"' in possible

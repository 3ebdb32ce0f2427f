"""A column that an agency sends for some purposes only is not read for another, and the report says so."""

from __future__ import annotations

import pytest

from riskmodel.errors import NotPermitted
from riskmodel.feeds.contract import Contract
from riskmodel.feeds.intake import receive

BORN = 'born = { type = "date", means = "birth_date", '


@pytest.fixture
def declared(contract, tmp_path):
    """The clinic's contract with something changed."""
    text = (tmp_path / "clinic.toml").read_text()
    assert Contract.load(tmp_path / "clinic.toml") == contract

    def made(before: str, after: str) -> Contract:
        assert before in text
        path = tmp_path / "changed.toml"
        path.write_text(text.replace(before, after))
        return Contract.load(path)

    return made


def test_the_purpose_of_the_store_decides(declared, open_store, clinic):
    """The store is opened for the purpose "test", which asks for the birth date."""
    allowed = receive(open_store(), clinic(), contracts=[declared(BORN, f'{BORN}purposes = ["test", "other"], ')])
    assert allowed.people.column("birth_date").null_count == 1
    closed = receive(open_store(), clinic(), contracts=[declared(BORN, f'{BORN}purposes = ["other"], ')])
    assert closed.people.column("birth_date").null_count == 3
    feed = closed.report["feeds"]["clinic.people"]
    assert feed["columns_for_other_purposes"] == ["born"]
    assert feed["undeclared_columns"] == []
    assert "birth_date" not in feed["kept_fields"]
    line = "not read in clinic.people, because the agency sends them for other purposes: born"
    assert line in closed.report_lines()
    assert line not in allowed.report_lines()


def test_not_even_a_faulty_cell_of_such_a_column_is_looked_at(declared, open_store, clinic):
    people = "id,name,born,sex,changed\na,Ash,never,1,01/02/2019 09:00\n"
    visits = "no,id,why,at,left,points,seen_on\nv1,a,INJ,10/03/2020 22:15,,,\n"
    closed = declared(BORN, f'{BORN}purposes = ["other"], ')
    assert receive(open_store(), clinic(people, visits), contracts=[closed]).quarantine.num_rows == 0


def test_a_feed_whose_key_is_for_another_purpose_is_refused(declared, open_store, clinic):
    key = 'id = { type = "text", means = "person_key", required = true, '
    with pytest.raises(NotPermitted, match="column-not-permitted"):
        receive(open_store(), clinic(), contracts=[declared(key, f'{key}purposes = ["other"], ')])

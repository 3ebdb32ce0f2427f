"""Laying out a public data set: a small copy of its published files, made by hand, with names that must not survive."""

from __future__ import annotations

import datetime as dt
import sqlite3
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from riskmodel.errors import DataRefused, NotFound
from riskmodel.feeds import public

COLUMNS = (
    "id,name,first,last,compas_screening_date,sex,dob,age_cat,race,juv_fel_count,decile_score,juv_misd_count,"
    "juv_other_count,priors_count,c_case_number,c_offense_date,c_arrest_date,c_charge_degree,c_charge_desc,is_recid,"
    "r_case_number,r_charge_degree,r_offense_date,r_charge_desc,is_violent_recid,vr_case_number,vr_charge_degree,"
    "vr_offense_date,vr_charge_desc,v_decile_score,v_score_text,v_screening_date,score_text,screening_date"
)
ROW = (
    "1,zelda zymurgy,zelda,zymurgy,2013-08-14,Female,1980-04-18,25 - 45,Other,0,3,0,0,2,CASE-1,2013-08-13,,F,Theft,1,"
    "CASE-2,(M1),2014-01-05,Battery,0,,,,,2,Low,2013-08-14,Low,2013-08-14"
)
ANALYSIS = "id,compas_screening_date,sex,race,age,decile_score,v_decile_score,priors_count,two_year_recid"


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    folder = tmp_path / "raw"
    folder.mkdir()
    (folder / public.SCORES).write_text(f"{COLUMNS}\n{ROW}\n")
    for file in (public.TWO_YEARS, public.VIOLENT):
        (folder / file).write_text(f"{ANALYSIS}\n1,2013-08-14,Female,Other,33,3,2,2,1\n")
    database = sqlite3.connect(folder / public.DATABASE)
    database.executescript("""
        CREATE TABLE jailhistory (id, first, last, dob, in_custody, out_custody, person_id);
        INSERT INTO jailhistory VALUES
          (1, 'zelda', 'zymurgy', '1980-04-18', '2013-08-13 06:03:42', '2013-08-14 05:41:20', 1);
        CREATE TABLE prisonhistory (id, first, last, dob, in_custody, out_custody, person_id);
        CREATE TABLE casearrest (id, name, arrest_date, charge_degree, person_id);
        INSERT INTO casearrest VALUES (1, 'zelda zymurgy', '2013-08-13 00:00:00', '(F3)', 1);
        INSERT INTO casearrest VALUES (2, 'zelda zymurgy', '2014-01-06 00:00:00', '(M1)', 1);
        INSERT INTO casearrest VALUES (3, 'zelda zymurgy', '2014-03-01 00:00:00', '(F2)', 1);
    """)
    database.commit()
    database.close()
    return folder


def test_the_tables_hold_what_the_files_say(raw: Path, tmp_path: Path) -> None:
    folder = public.lay_out_compas(raw, tmp_path / "out")
    rows = {path.stem: pq.read_table(path).to_pylist() for path in folder.glob("*.parquet")}
    assert rows["persons"][0]["birth_year"] == 1980
    assert [(row["kind"], row["offense_date"]) for row in rows["charges"]] == [
        ("current", dt.date(2013, 8, 13)),
        ("recidivism", dt.date(2014, 1, 5)),
    ]
    assert [(row["scale"], row["decile"]) for row in rows["assessments"]] == [("recidivism", 3.0), ("violence", 2.0)]
    # the arrest before the screening is left out; of the later ones the first and the last are kept
    assert [(row["kind"], row["arrest_date"], row["charge_degree"]) for row in rows["arrests"]] == [
        ("first_after_screening", dt.date(2014, 1, 6), "M"),
        ("last_observed", dt.date(2014, 3, 1), "F"),
    ]
    assert rows["jail_stays"][0]["out_custody"] == dt.datetime(2013, 8, 14, 5, 41, 20)
    assert rows["prison_stays"] == []
    assert rows["two_years"][0]["two_year_recid"] == 1


def test_no_name_case_number_or_day_of_birth_survives(raw: Path, tmp_path: Path) -> None:
    folder = public.lay_out_compas(raw, tmp_path / "out")
    for path in folder.glob("*.parquet"):
        text = str(pq.read_table(path).to_pylist())
        assert not [part for part in ("zelda", "zymurgy", "CASE-", "1980, 4") if part in text], path.name


def test_an_unknown_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="data-unknown"):
        public.fetch("no-such", tmp_path)


def test_a_file_that_is_not_the_published_one_is_refused(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public, "SOURCE", raw.as_uri() + "/")  # a copy on disk, with other content
    with pytest.raises((DataRefused, NotFound)):
        public.fetch("compas", tmp_path)

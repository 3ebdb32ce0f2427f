"""A study begun from files: what is guessed, what is asked, and what must never come into a draft."""

import datetime as dt
import re
from collections import Counter
from pathlib import Path

import pytest

import riskmodel as rm
from riskmodel.errors import DataRefused, DeclarationError, NotFound
from riskmodel.feeds.contract import Contract, contracts_in
from riskmodel.studies.skeleton import new_study
from riskmodel.studies.stages import folder_deliveries
from riskmodel.studies.study import Study

TODAY = dt.date.today()
PUPILS = "PupilId;Surname;DateOfBirth;Gender;Shoe size;LastUpdated\n" + "".join(
    f"{n};Zoltrix{n};{n % 28 + 1:02d}/04/2009;{'FM'[n % 2]};{30 + n % 9};05/01/2022\n" for n in range(40)
)
EXCLUSIONS = "RefNo,PupilId,Type,StartDate,EndDate,Days,Entered\n" + "".join(
    f"R{n},{n % 40},{'Fixed term' if n % 3 else 'PX'},2022-0{n % 9 + 1}-11,2022-0{n % 9 + 1}-12,{n % 4},2022-10-01\n"
    for n in range(60)
)
VISITS = "Client,First name,Last name,Born,F or M,Visited on,Reason\n" + "".join(
    f"C{n % 30},Quorvo,Bellwark{n % 30},1990-05-{n % 15 + 1:02d},{'fm'[n % 2]},2022-11-{n % 28 + 1:02d} 10:30,"
    f"{'advice on debt' if n < 50 else 'he is called Zoltrix'}\n"
    for n in range(52)
)


@pytest.fixture
def files(tmp_path):
    place = tmp_path / "study" / "data"
    place.mkdir(parents=True)
    texts = {"pupils.csv": PUPILS, "exclusions.csv": EXCLUSIONS, "visits.csv": VISITS}
    for name, text in texts.items():
        (place / name).write_text(text, encoding="utf-8")
    return {"school": [place / "pupils.csv", place / "exclusions.csv"], "charity": [place / "visits.csv"]}


def answered(folder: Path) -> None:
    """Every open question with an answer, as a person would give it."""
    for path in [*(folder / "contracts").glob("*.toml"), folder / "study.toml"]:
        text = path.read_text(encoding="utf-8")
        text = text.replace('legal_regime = ""', 'legal_regime = "UK GDPR"').replace('"PX" = ""', '"PX" = "expelled"')
        text = text.replace("purposes = []", 'purposes = ["study"]').replace('kind = ""', 'kind = "expelled"')
        path.write_text(re.sub(r'= ""', '= "An answer."', text), encoding="utf-8")


def test_columns_are_recognised_by_heading_and_by_what_stands_in_them(files, tmp_path):
    new_study(tmp_path / "study", files, today=TODAY)
    answered(tmp_path / "study")
    school = Contract.load(tmp_path / "study" / "contracts" / "school.toml")
    people, events = school.feed("people"), school.feed("events")
    assert {column.name: (column.means, column.type) for column in people.columns} == {
        "PupilId": ("person_key", "text"),
        "Surname": ("family_name", "text"),
        "DateOfBirth": ("birth_date", "date"),
        "Gender": ("sex", "code"),
        "LastUpdated": ("recorded_at", "date"),
    }
    assert (people.delimiter, people.ignored, people.column("DateOfBirth").written) == (
        ";",
        ("Shoe size",),
        ("%d/%m/%Y",),
    )
    assert {column.means for column in events.columns} == {
        "event_key", "person_key", "kind", "happened_at", "ended_at", "value", "recorded_at",
    }  # fmt: skip
    assert events.kinds() == (("fixed_term", None), ("expelled", None))
    assert events.key == ("RefNo",)


def test_one_sheet_with_people_and_visits_becomes_two_feeds(files, tmp_path):
    new_study(tmp_path / "study", files, today=TODAY)
    answered(tmp_path / "study")
    charity = Contract.load(tmp_path / "study" / "contracts" / "charity.toml")
    assert [feed.name for feed in charity.feeds] == ["charity.people", "charity.events"]
    assert charity.feed("people").meaning("sex").name == "F or M"
    assert (
        charity.feed("people").meaning("recorded_at").name == "Visited on"
    )  # what is said of a person holds from then
    assert charity.feed("events").meaning("happened_at").written == ("%Y-%m-%d %H:%M",)
    assert charity.feed("events").meaning("person_key").name == "Client"


def test_no_name_and_no_rare_cell_comes_into_a_draft(files, tmp_path):
    made = new_study(tmp_path / "study", files, today=TODAY)
    text = "".join(path.read_text(encoding="utf-8") for path in made.written)
    assert "advice on debt" in text  # stands in 50 rows: a code
    assert not re.search("zoltrix|quorvo|bellwark", text, re.IGNORECASE)  # two rows of free text, and the names


def test_an_unanswered_draft_is_refused_with_every_line(files, tmp_path):
    new_study(tmp_path / "study", files, today=TODAY)
    with pytest.raises(DeclarationError) as refused:
        Study.load(tmp_path / "study")
    where = [fault.where for fault in refused.value.faults]
    assert {each.split()[0].rstrip(",") for each in where} == {"study.toml", "school.toml", "charity.toml"}
    assert any("codes.events_kind.PX" in each for each in where)
    assert any("outcome.kind" in each for each in where)


def test_an_answered_draft_receives_every_row_of_the_files(files, tmp_path):
    new_study(tmp_path / "study", files, today=TODAY)
    answered(tmp_path / "study")
    study = Study.load(tmp_path / "study")
    assert [str(feature) for feature in study.declaration.features.known][:2] == [
        "age()",
        'count("advice_on_debt", within=years(2))',
    ]
    contracts = contracts_in(tmp_path / "study" / "contracts")
    store = rm.connect(f"duckdb:///{tmp_path}/store", purpose=study.purpose)
    intake = rm.receive(store, folder_deliveries(study, contracts, None), contracts=contracts)
    # a client who comes again and is described as before is no new version of that client
    assert dict(Counter(intake.people["agency"].to_pylist())) == {"school": 40, "charity": 30}
    assert dict(Counter(intake.events["agency"].to_pylist())) == {"school": 60, "charity": 50}
    assert intake.quarantine["code"].to_pylist() == ["unknown-code"] * 2  # the two rows of free text


def test_nothing_is_written_over(files, tmp_path):
    new_study(tmp_path / "study", files, today=TODAY)
    before = (tmp_path / "study" / "study.toml").read_bytes()
    with pytest.raises(DeclarationError, match=r"study\.toml and contracts, already there"):
        new_study(tmp_path / "study", files, today=TODAY)
    assert (tmp_path / "study" / "study.toml").read_bytes() == before


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_exports_as_systems_write_them_are_read(tmp_path, encoding):
    """A title above the headings; UTF-16 with its mark or without; a whole name in one column; postcodes, no codes."""
    place = tmp_path / "study" / "data"
    place.mkdir(parents=True)
    title = "Export of 1 December\t\t\t\n\t\t\t\n"
    pupils = title + "".join(line.replace(";", "\t") + "\t\n" for line in PUPILS.splitlines())
    (place / "pupils.txt").write_bytes(pupils.encode(encoding))
    tenants = "Tenant Ref|Name|D.O.B.|Post code|Tenancy start\n" + "".join(
        f"{n}|Zoltrix, Ada{n}|{n % 28 + 1:02d}-Apr-1980|QX1 2AB|03-Feb-2019\n" for n in range(40)
    )
    (place / "tenants.csv").write_text(tenants, encoding="utf-8")
    made = new_study(
        tmp_path / "study", {"school": [place / "pupils.txt"], "housing": [place / "tenants.csv"]}, today=TODAY
    )
    assert "QX1" not in "".join(path.read_text(encoding="utf-8") for path in made.written)
    answered(tmp_path / "study")
    study, contracts = Study.load(tmp_path / "study"), contracts_in(tmp_path / "study" / "contracts")
    school, housing = (
        next(one for one in contracts if one.agency == agency).feed("people") for agency in ("school", "housing")
    )
    assert (school.delimiter, school.encoding, school.heading_line, school.ignored) == (
        "\t", encoding, 3, ("Shoe size",),
    )  # fmt: skip
    assert [column.means for column in housing.columns] == ["person_key", "full_name", "birth_date", "postcode"]
    store = rm.connect(f"duckdb:///{tmp_path}/store", purpose=study.purpose)
    intake = rm.receive(store, folder_deliveries(study, contracts, None), contracts=contracts)
    assert intake.quarantine.num_rows == 0
    assert dict(Counter(intake.people["agency"].to_pylist())) == {"school": 40, "housing": 40}
    assert {"Ada0", "Ada39"} <= set(intake.people["given_name"].to_pylist())  # cut from the whole name


@pytest.mark.parametrize(
    ("name", "content", "error", "words"),
    [
        ("away.csv", None, NotFound, "no file away.csv"),
        ("sheet.xlsx", "x", DataRefused, "whose ending is .xlsx"),
        ("empty.csv", "a,b\n", DataRefused, "without a heading and a row"),
    ],
)
def test_files_that_cannot_be_drafted_from(tmp_path, name, content, error, words):
    if content is not None:
        (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(error, match=words):
        new_study(tmp_path / "study", {"police": [tmp_path / name]}, today=TODAY)
    assert not (tmp_path / "study").exists()


def test_an_agency_has_a_plain_name(tmp_path):
    with pytest.raises(DeclarationError, match="an agency called 'Youth Justice'"):
        new_study(tmp_path / "study", {"Youth Justice": []}, today=TODAY)

"""What advice says beside the probability: what is never shown, what may change, what silence does; and the brief."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from riskmodel.advisory.brief import brief_page
from riskmodel.advisory.contest import corrections
from riskmodel.errors import DataRefused, DeclarationError, NotFound, NotPermitted
from riskmodel.explain.changeable import PAST
from riskmodel.explain.contributions import contributions
from riskmodel.explain.reasons import reasons_of
from riskmodel.features.language import count, days_since
from riskmodel.models.metrics import expit, logit

DAY = dt.date(2019, 6, 1)
NEVER = "domestic_abuse_count_2y"


def test_what_a_study_never_shows_is_no_reason_and_that_it_weighs_is_said(partnership: Any) -> None:
    first = partnership.scores(partnership.approved("first.toml"), as_of=DAY)
    made = partnership.scores(partnership.approved("second.toml"), as_of=DAY, never=[NEVER])
    told = {reason.feature for each in made.pseudonyms for reason in made.person(each).reasons}
    assert NEVER in {reason.feature for each in first.pseudonyms for reason in first.person(each).reasons}
    assert NEVER not in told
    assert made.fingerprint != first.fingerprint
    score = max(map(made.person, made.pseudonyms), key=lambda each: each.steady.hidden)
    assert "What is never shown as a reason (age and the like, records of other people) raises" in score.explain()
    # by hand: what age and the column add together
    place = [made.pseudonyms.index(score.pseudonym)]
    own = contributions(partnership.model, made._reasons.X[place])[0]
    names = list(partnership.model.feature_names)
    assert score.steady.hidden == pytest.approx(own[names.index("age")] + own[names.index(NEVER)])


def test_what_rests_on_other_peoples_records_is_shown_to_those_who_may_see_them_only() -> None:
    features = [count("violence"), days_since("domestic_abuse", through="co_resident")]
    made, X = np.array([[0.2, 0.9, -3.0]]), np.array([[1.0, 28.0]], np.float32)
    names = [feature.name for feature in features]
    hidden = reasons_of(made, X, names, features)
    assert [reason.feature for reason in hidden[0]] == ["violence_count"]
    assert hidden.hidden.tolist() == pytest.approx([0.9])
    shown = reasons_of(made, X, names, features, others=True)
    assert [reason.feature for reason in shown[0]] == [names[1], "violence_count"]
    assert shown.hidden.tolist() == [0.0]


def test_reasons_say_whether_support_may_change_them(scored: Any) -> None:
    score = next(each for each in map(scored.person, scored.pseudonyms) if each.reasons)
    assert {reason.changeable for reason in score.reasons} == {PAST}
    assert f"[{PAST}]" in score.explain()


def test_silence_of_an_agency_is_told_with_its_effect(scored: Any, partnership: Any) -> None:
    """Police alone record domestic abuse: of somebody without a police record, its columns are what silence adds."""
    score = next(each for each in map(scored.person, scored.pseudonyms) if each.missing.silent == ("police",))
    model, place = partnership.model, scored.pseudonyms.index(score.pseudonym)
    row = scored._reasons.X[[place]]
    own = [at for at, name in enumerate(model.feature_names) if name.startswith("domestic_abuse")]
    added = contributions(model, row)[0, own].sum()
    without = model.calibration.probability(expit(logit(model.fitted.predict(row)) - added))[0]
    assert added < -0.05
    assert f"which lowers the probability: {100 * without:.2g} % without it" in score.explain()
    assert "which lowers the probability" in scored.to_table()["not_known"][place].as_py()


def test_the_waterfall_of_a_person_adds_up_and_is_noted(scored: Any, partnership: Any) -> None:
    plot = scored.waterfall(scored.pseudonyms[0])
    margin = partnership.model.fitted.log_odds(scored._reasons.X[:1])[0]
    assert plot.table["to"].to_pylist()[-1] == pytest.approx(margin)
    assert partnership.last_entry() == ("explained", {"list": scored.fingerprint})
    assert scored.pseudonyms[0] not in repr(plot) + plot.svg()
    with pytest.raises(NotPermitted, match="plot-of-a-person"):
        plot.save(partnership.folder / "plot.html")
    with pytest.raises(NotFound, match="score-withheld"):
        replace(scored, _withheld={0: "The score is withheld."}).waterfall(scored.pseudonyms[0])


def test_a_brief_carries_its_caveats_and_room_for_the_judgement(scored: Any, partnership: Any) -> None:
    page = scored.brief(scored.pseudonyms[0], partnership.folder / "brief.html").read_text()
    for words in ("This is advice, not a decision", "Valid until", "Decision</th>", "What raises it"):
        assert words in page
    assert partnership.last_entry()[0] == "export"
    assert partnership.last_entry()[1]["order"] == "brief"
    assert scored.pseudonyms[0] not in partnership.ledger.path.read_text()
    made = scored.brief(scored.pseudonyms[0], partnership.folder / "brief.pdf").read_bytes()
    assert made.startswith(b"%PDF-")
    assert len(made) > 5000


def test_in_a_brief_the_records_stand_under_their_reason_and_no_figure_is_parted_from_its_sign(scored: Any) -> None:
    score = next(each for each in map(scored.person, scored.pseudonyms) if each.reasons)
    reason, page = score.reasons[0], brief_page(score)
    behind = "".join(f"<li>{line}</li>" for line in score.behind.lines(reason.feature))
    assert f"<li>{reason.sentence} [{reason.changeable}]<ul>{behind}</ul>" in page
    assert "&nbsp;%" in page
    assert " %" not in page[page.index("<body>") :]


def test_a_brief_or_a_list_that_cannot_be_written_is_refused_in_a_sentence(scored: Any, partnership: Any) -> None:
    (partnership.folder / "taken").write_text("a file")
    who = scored.pseudonyms[0]
    with pytest.raises(DeclarationError, match="brief-ending"):
        scored.brief(who, partnership.folder / "brief.docx")
    with pytest.raises(DataRefused, match="disk-refused"):
        scored.brief(who, partnership.folder / "taken" / "brief.html")
    with pytest.raises(DataRefused, match="disk-refused"):
        scored.export(partnership.folder / "taken")
    assert scored.brief(who, partnership.folder / "new" / "brief.html").exists()


def test_attack_text_of_the_board_that_would_run_in_the_page(partnership: Any) -> None:
    approval = partnership.approved(conditions="<script>alert(1)</script> and =cmd|calc")
    made = partnership.scores(approval)
    page = made.brief(made.pseudonyms[0], partnership.folder / "brief.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_attack_a_brief_of_scores_that_no_longer_hold_or_were_withdrawn(past: Any, partnership: Any) -> None:
    with pytest.raises(NotPermitted, match="score-no-longer-valid"):
        past.brief(past.pseudonyms[0], partnership.folder / "late.html")
    assert partnership.last_entry()[1] == {
        "code": "score-no-longer-valid", "asked": "brief", "purpose": "early-support", "list": past.fingerprint,
    }  # fmt: skip
    scored = partnership.scores(partnership.approved())
    other = replace(scored, basis=replace(scored.basis, histories="h" * 64))
    corrections(scored, other, reason="record-of-another-person")
    with pytest.raises(NotPermitted, match="list-withdrawn"):
        scored.brief(scored.pseudonyms[0], partnership.folder / "withdrawn.html")
    assert partnership.last_entry()[1]["code"] == "list-withdrawn"
    assert not list(partnership.folder.glob("*.html"))

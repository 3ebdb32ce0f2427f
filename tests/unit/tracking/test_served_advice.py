"""What MLflow and a Spark function give is the advice of a list, to the bit, behind the same gates."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from riskmodel import tracking
from riskmodel.advisory.export import REVIEW_COLUMNS
from riskmodel.advisory.footing import Footing
from riskmodel.advisory.rows import COLUMNS, advice_columns, score_rows
from riskmodel.engines import spark
from riskmodel.errors import DataRefused, NotPermitted
from riskmodel.governance.approvals import Approval
from riskmodel.governance.decisions import decide, decision_in
from riskmodel.governance.ledger import Ledger
from riskmodel.governance.purposes import Purpose
from riskmodel.tracking import database
from riskmodel.tracking.library import mlflow

TODAY = dt.date.today()
DAY = dt.date(2026, 1, 1)
CARD = "c" * 64
PURPOSE = Purpose(
    "early-support", "To offer help early.", "Crime and Disorder Act 1998, section 115", ("health",), ("birth_date",),
    dt.date(2199, 1, 1),
)  # fmt: skip


class Served:
    """A model with its footing in MLflow, and an approval of it in the ledger beside it."""

    def __init__(self, store, finished) -> None:
        self.model, self.store = finished.model, store
        self.footing = Footing.of(finished.model, finished.training, refits_made=10)
        self.footing.save(store / "footing")
        tracking.record(store, **finished.given(), footing=store / "footing")
        self.address = f"sqlite:///{store / database.DATABASE}"
        self.ledger = Ledger(store / "ledger.jsonl")
        X = finished.training.matrix()[:60]
        self.rows = pd.DataFrame(X, columns=list(self.model.feature_names)).astype(float)

    def approved(self, until: dt.date) -> Approval:
        given = Approval(self.model.fingerprint, CARD, "early-support", "approved", ("chair",),
                         TODAY - dt.timedelta(9), TODAY - dt.timedelta(9), until, "none")  # fmt: skip
        return decide(given, self.store, self.ledger)

    def under(self, **change: str) -> dict[str, str]:
        path = decision_in(self.store, self.ledger, self.model.fingerprint, "early-support")
        days = {"as_of": str(DAY), "delivered_until": str(DAY), "asked_by": "analyst"}
        return {"approval": str(path), "ledger": str(self.ledger.path), **days, **change}

    def as_a_list(self, approval: Approval) -> pa.Table:
        X = self.rows.to_numpy(np.float32)
        made = score_rows(
            self.model, X, np.arange(len(X)), DAY, approval, card=CARD, purpose=PURPOSE, ledger=self.ledger,
            delivered_until=DAY, outcome="the outcome that the card defines", footing=self.footing,
        )  # fmt: skip
        return advice_columns(made)


@pytest.fixture
def served(store, finished) -> Served:
    return Served(store, finished)


def must_be_the_list(made: pd.DataFrame, expected: pa.Table) -> None:
    assert list(made.columns) == list(COLUMNS)
    for name in COLUMNS:
        if made[name].dtype == np.float64:
            figures = expected[name].to_numpy().astype(np.float64)
            assert np.array_equal(made[name].to_numpy(), figures, equal_nan=True), name
        else:
            assert made[name].tolist() == ["" if each is None else str(each) for each in expected[name].to_pylist()], (
                name
            )


def test_pyfunc_gives_the_advice_of_a_list(served: Served) -> None:
    approval = served.approved(TODAY + dt.timedelta(days=9))
    expected = served.as_a_list(approval)
    loaded = tracking.load_for_scoring("models:/small@candidate", served.address)
    made = loaded.predict(served.rows, params=served.under())
    must_be_the_list(made, expected)
    assert set(made["raises"]) != {""}
    assert (made[list(REVIEW_COLUMNS)] == "").all(axis=None)
    entry = list(served.ledger.entries())[-1]
    assert (entry.action, entry.facts["people"], entry.facts["asked_by"]) == ("score", 60, "analyst")
    assert entry.facts["footing"] == served.footing.fingerprint


def test_attack_each_gate_of_a_list_holds_for_a_served_model_and_leaves_a_trace(served: Served) -> None:
    loaded = tracking.load_for_scoring("models:/small@candidate", served.address)

    def refused(code: str, error: type[Exception], rows: pd.DataFrame = served.rows, **change: str) -> None:
        with pytest.raises(error, match=code):
            loaded.predict(rows, params=served.under(**change))
        entry = list(served.ledger.entries())[-1]
        assert (entry.action, entry.facts["code"]) == ("refused", code)

    served.approved(TODAY)  # ended this morning
    refused("approval-expired", NotPermitted)
    served.approved(TODAY + dt.timedelta(days=9))
    refused("data-too-old", DataRefused, delivered_until="2025-11-01")
    refused("data-too-old", DataRefused, delivered_until="")
    refused("list-drifted", DataRefused, rows=served.rows + 3)
    forged = Path(served.under()["approval"])
    text = forged.read_text().replace('conditions = "none"', 'conditions = "whatever"')
    (served.store / "forged.toml").write_text(text)
    refused("approval-altered", NotPermitted, approval=str(served.store / "forged.toml"))


@pytest.mark.nightly
def test_a_spark_function_gives_the_same_and_its_executors_ask(
    served: Served, local_spark: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # Spark keeps its warehouse where it runs

    approval = served.approved(TODAY + dt.timedelta(days=9))
    expected = served.as_a_list(approval)
    session = spark.session(local_spark)
    served.rows.assign(place=np.arange(len(served.rows))).to_parquet(served.store / "rows.parquet")
    table = session.read.parquet(str(served.store / "rows.parquet")).repartition(2)
    names = list(served.model.feature_names)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", served.address)
    advise = mlflow.pyfunc.spark_udf(session, "models:/small@candidate", env_manager="local", params=served.under())
    made = table.select("place", advise(*names).alias("advice")).orderBy("place").collect()
    must_be_the_list(pd.DataFrame([row["advice"].asDict() for row in made])[list(COLUMNS)], expected)
    before = len(list(served.ledger.entries()))
    served.approved(TODAY)
    ended = mlflow.pyfunc.spark_udf(session, "models:/small@candidate", env_manager="local", params=served.under())
    with pytest.raises(Exception, match="approval-expired"):
        table.select(ended(*names)).collect()
    codes = {entry.facts.get("code") for entry in list(served.ledger.entries())[before:]}
    assert "approval-expired" in codes

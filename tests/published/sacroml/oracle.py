"""Writes `predictions.csv` and `found.csv`: what sacroml 2.0.1, which needs pandas below 3, finds of two models.

python -m venv oracle && oracle/bin/pip install "sacroml==2.0.1" "pandas<3"
    oracle/bin/python oracle.py
"""

import logging
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sacroml import metrics
from sacroml.attacks.worst_case_attack import WorstCaseAttack
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

HERE = Path(__file__).resolve().parent
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

draw = np.random.default_rng(7)
X = draw.normal(size=(600, 6))
y = (draw.random(600) < 1 / (1 + np.exp(1 - X[:, 0]))).astype(int)
member = np.arange(600) < 300
models = {
    "by heart": RandomForestClassifier(60, bootstrap=False, max_features=2, random_state=1),
    "plain": LogisticRegression(),
}
made, found = [], []
for name, model in models.items():
    p = model.fit(X[member], y[member]).predict_proba(X)[:, 1].round(6)
    made.append(pd.DataFrame({"model": name, "member": member.astype(int), "outcome": y, "p": p}))
    right = np.where(y == 1, p, 1 - p).round(6)
    score = metrics.get_metrics(np.column_stack([1 - right, right]), member.astype(int), permute_rows=False)
    attack = WorstCaseAttack(
        output_dir=tempfile.mkdtemp(), write_report=False, n_reps=10, include_model_correct_feature=True
    )
    both, correct = np.column_stack([1 - p, p]), ((p > 0.5) == y).astype(int)
    attack.attack_from_preds(both[member], both[~member], train_correct=correct[member], test_correct=correct[~member])
    worst = float(np.mean([one["AUC"] for one in attack.attack_metrics]))
    found.append({"model": name, "auc": score["AUC"], "worst_case_auc": round(worst, 6)})
pd.concat(made).to_csv(HERE / "predictions.csv", index=False)
pd.DataFrame(found).to_csv(HERE / "found.csv", index=False)

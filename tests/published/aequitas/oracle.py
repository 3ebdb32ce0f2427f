"""Writes `table.csv` and `figures.csv`: what aequitas 1.1.0, which needs pandas below 3, says of a small table.

python -m venv oracle && oracle/bin/pip install "aequitas==1.1.0" "pandas<3"
    oracle/bin/python oracle.py
"""

import random
from pathlib import Path

import pandas as pd
from aequitas.group import Group

HERE = Path(__file__).resolve().parent
FIGURES = ("tpr", "tnr", "for", "fdr", "fpr", "fnr", "npv", "precision", "ppr", "pprev", "prev")

draw = random.Random(20)
rows = []
for number in range(600):
    group = draw.choices(["a", "b", "c"], [6, 3, 1])[0]
    chance = draw.betavariate(2, 5)
    yes = int(draw.random() < chance + 0.1 * (group == "b"))
    rows.append((number, group, int(chance >= 0.35), yes))
rows += [(600 + number, "d", 0, 0) for number in range(4)]
table = pd.DataFrame(rows, columns=["person", "group", "score", "label_value"])
table.to_csv(HERE / "table.csv", index=False)
made, _ = Group().get_crosstabs(table.drop(columns="person"), attr_cols=["group"])
made[["attribute_value", *FIGURES]].to_csv(HERE / "figures.csv", index=False, float_format="%.17g")

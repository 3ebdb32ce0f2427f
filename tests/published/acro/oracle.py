"""Writes `contributions.csv` and `decisions.csv`: what acro 1.0.2, which needs pandas below 3, decides of each cell.

python -m venv oracle && oracle/bin/pip install "acro==1.0.2" "pandas<3"
    oracle/bin/python oracle.py
"""

import contextlib
import io
import logging
import os
import random
import tempfile
import warnings
from pathlib import Path

import acro
import pandas as pd

HERE = Path(__file__).resolve().parent
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

draw = random.Random(7)
rows = []
for person in range(420):
    place = draw.choices(["north", "east", "south", "west", "mill"], [8, 6, 4, 2, 1])[0]
    band = draw.choices(["young", "middle", "old"], [5, 3, 1])[0]
    amount = round(draw.lognormvariate(3, 1))
    rows.append((person, place, band, amount * (60 if draw.random() < 0.04 else 1)))
table = pd.DataFrame(rows, columns=["person", "place", "band", "amount"])
table.to_csv(HERE / "contributions.csv", index=False)

os.chdir(tempfile.mkdtemp())
with contextlib.redirect_stdout(io.StringIO()):
    session = acro.ACRO(suppress=True)
    session.crosstab(table["place"], table["band"])
    session.crosstab(table["place"], table["band"], values=table["amount"], aggfunc="sum")
counts, sums = (session.results.get_index(number).outcome for number in (0, 1))
decisions = [
    (place, band, "MinimumThreshold" in counts.loc[place, band], "NKCheck" in sums.loc[place, band],
     "PPercent" in sums.loc[place, band])
    for place in sums.index for band in sums.columns
]  # fmt: skip
pd.DataFrame(decisions, columns=["place", "band", "small", "nk", "p_percent"]).to_csv(
    HERE / "decisions.csv", index=False
)

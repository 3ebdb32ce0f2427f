"""Whether what was delivered reaches as far as the rows ask: before the as-of dates, and until outcomes are judged.

Where only some rows ask for more than there is, their outcome is unknown and the manifest says so. Where the data
cannot answer at all, a training set would be an empty promise, and is refused in one sentence.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from riskmodel.cohorts.outcome import Outcome, follow_up_ends
from riskmodel.dates import duration_words
from riskmodel.errors import DataRefused
from riskmodel.histories.store import Histories


def check_as_of(histories: Histories, rows: pa.Table) -> None:
    """Refuse as-of dates on which nobody's records reach: everything would look quiet.

    Raises
    ------
    DataRefused : an as-of date lies after the day until when the last agency has delivered
    """
    if not histories.covered_until:
        return
    last = max(histories.covered_until.values())
    late = int((np.asarray(rows["as_of"].to_numpy(), "datetime64[us]") > np.datetime64(last, "us")).sum())
    if late:
        raise DataRefused(
            "as-of-after-deliveries",
            found=f"{late:,} rows with an as-of date after {last}, until when the last agency has delivered",
            expected=f"as-of dates up to {last}",
            repair="End the cohort earlier, or receive the later deliveries first.",
        )


def check_horizon(histories: Histories, outcome: Outcome, outcomes: pa.Array) -> None:
    """Refuse a horizon that ends beyond the data for every row: there would be no outcome to learn from.

    Raises
    ------
    DataRefused : no row's outcome is known
    """
    if len(outcomes) and outcomes.null_count == len(outcomes):
        horizon, last = duration_words(outcome.horizon), follow_up_ends(histories, outcome)
        raise DataRefused(
            "horizon-beyond-data",
            found=f"a horizon of {horizon} that ends after {last}, until when the outcome is delivered, "
            f"for all {len(outcomes):,} rows",
            expected="at least one row that was followed to the end",
            repair="Choose earlier as-of dates or a shorter horizon, or wait for the next delivery.",
        )

"""What attacks on a model's memory found: can somebody who has it tell who taught it, or a value they did not know?

Only the result: how the attacks are made stands in `membership_attack` and `value_attack`. It is no proof of safety: a
stronger attack may exist.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import pyarrow as pa

from riskmodel.errors import EvidenceError, NotFound
from riskmodel.models.fitted import write_json
from riskmodel.models.group_cells import ALL
from riskmodel.tables import fingerprint_document

FILE: Final = "membership.json"
OWN, BESIDE = "how well it does", "beside similar models"
"""The two attacks."""
MADE_WITHOUT, NEVER_SEEN = "models made without them", "people it never saw"
"""Whom members are told from: the same people as models see them that they did not teach; or others altogether."""
AUC, TPR = "auc", "tpr@0.01"
"""How often the attacker names the right one of two people, one a member; members found at one false alarm in 100."""
CLEAR_AUC, CLEAR_TPR, CLEAR_VALUE = 0.6, 0.05, 0.05
Told: TypeAlias = Literal["clearly", "slightly", "not shown"]
FIGURES: Final = pa.schema(
    [
        *(pa.field(name, pa.string(), nullable=False) for name in ("attack", "beside", "attribute", "group", "metric")),
        *(pa.field(name, pa.float64()) for name in ("value", "low", "high")),
        pa.field("n", pa.int64(), nullable=False),
        pa.field("state", pa.string(), nullable=False),
    ]
)
VALUES: Final = pa.schema(
    [
        pa.field("feature", pa.string(), nullable=False),
        *(pa.field(name, pa.float64()) for name in ("with_model", "without", "gain", "low", "high")),
        pa.field("n", pa.int64(), nullable=False),
        pa.field("state", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True)
class Membership:
    """What the attacks found.

    Attributes
    ----------
    table : Arrow, rows {attack, beside, attribute, group, metric, value, low, high, n, state}: beside is
        `MADE_WITHOUT` or `NEVER_SEEN`; attribute and group are "all" for everybody; `AUC` is .5 and `TPR` .01 for an
        attacker who guesses; n is people; state is "ok" or "not_estimable"
    values : Arrow, rows {feature, with_model, without, gain, low, high, n, state}, largest gain first: of people of
        whom everything is known but this one value, the share whose value is guessed right with the model, and with a
        model made without them; intervals of the gain hold together for all features
    settings : how it was made
    """

    table: pa.Table = field(repr=False)
    values: pa.Table = field(repr=False)
    settings: Mapping[str, Any]

    def figure(
        self, attack: str, metric: str = AUC, attribute: str = ALL, group: str = ALL, beside: str = MADE_WITHOUT
    ) -> dict[str, Any]:
        """One row of the table.

        Raises
        ------
        NotFound : no such attack, metric or group
        """
        wanted = {"attack": attack, "beside": beside, "attribute": attribute, "group": group, "metric": metric}
        for row in self.table.to_pylist():
            if all(row[name] == value for name, value in wanted.items()):
                return dict(row)
        raise NotFound(
            "figure-missing",
            found=f"no {metric!r} of the attack {attack!r} for {attribute!r}, {group!r}, {beside!r}",
            expected="a row of the table",
            repair="Ask for a figure that the attacks made.",
        )

    @property
    def sides(self) -> tuple[str, ...]:
        """Whom members were told from."""
        return tuple(dict.fromkeys(self.table["beside"].to_pylist()))

    @property
    def told(self) -> Told:
        """Whether members can be told: judged by the lower ends of the intervals over everybody."""
        whole = [row for row in self.table.to_pylist() if row["attribute"] == ALL]
        auc, tpr = (max([row["low"] or 0.0 for row in whole if row["metric"] == metric]) for metric in (AUC, TPR))
        if auc > CLEAR_AUC or tpr > CLEAR_TPR:
            return "clearly"
        return "slightly" if auc > 0.5 else "not shown"

    @property
    def value_told(self) -> Told:
        """Whether a value that the attacker did not know can be told: judged by the lower ends of the gains."""
        low = max([row["low"] for row in self.values.to_pylist() if row["state"] == "ok"], default=0.0)
        return "clearly" if low > CLEAR_VALUE else "slightly" if low > 0 else "not shown"

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {"table": self.table.to_pylist(), "values": self.values.to_pylist(), "settings": dict(self.settings)}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the document."""
        return fingerprint_document(self.document())

    def save(self, folder: str | Path) -> None:
        """Write ``membership.json`` into a folder."""
        write_json(Path(folder) / FILE, {**self.document(), "fingerprint": self.fingerprint})

    @classmethod
    def load(cls, folder: str | Path) -> Membership:
        """Read what `save` wrote.

        Raises
        ------
        EvidenceError : it cannot be read, or was altered since
        """
        try:
            held = json.loads((Path(folder) / FILE).read_text(encoding="utf-8"))
            table, values = (
                pa.Table.from_pylist(held[name], schema=schema)
                for name, schema in (("table", FIGURES), ("values", VALUES))
            )
            made = cls(table, values, held["settings"])
            whole = made.fingerprint == held["fingerprint"]
        except (OSError, KeyError, TypeError, ValueError, pa.ArrowException):
            whole = False
        if not whole:
            raise EvidenceError(
                "membership-damaged",
                found=f"no {FILE} as it was written",
                expected="the file as it was written",
                repair="Run the attacks again.",
            )
        return made

    def __repr__(self) -> str:
        return f"Membership(members told: {self.told}, {self.settings['people']:,} people)"

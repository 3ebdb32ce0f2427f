"""The board's decisions as files in the store: written by its own application, sealed, and found again by the gate.

The file of a decision is named by its fingerprint and is never written over. Which one counts is said by the ledger
alone: the newest entry on a model and purpose. A file whose decision the ledger does not have is not found here.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from riskmodel.errors import DeclarationError, EvidenceError
from riskmodel.governance.approvals import Approval, write_down
from riskmodel.governance.ledger import Ledger

FOLDER = Path("board") / "approvals"
"""Where decisions lie, in the folder of a store."""


def decide(approval: Approval, store: Path, ledger: Ledger) -> Approval:
    """Seal a decision, keep it in the store and write it into the ledger, from where on it is in force.

    Parameters
    ----------
    approval : Approval, decided and not yet sealed
    store : the folder of the store
    ledger : Ledger, of that store

    Returns
    -------
    Approval : with its seal

    Raises
    ------
    DeclarationError : nothing was decided yet
    """
    if approval.decision == "pending":
        raise DeclarationError.of(
            "approval-pending",
            where="approval.decision",
            found="the decision 'pending'",
            expected="a decision",
            repair="Record it when the board has decided.",
        )
    sealed = replace(approval, seal=approval.fingerprint)
    path = _path(store, sealed.fingerprint)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.signing")
    aside.write_text(approval_toml(sealed), encoding="utf-8")
    if Approval.load(aside) != sealed:
        aside.unlink()
        raise EvidenceError(
            "approval-not-kept",
            found="a decision that reads differently from its file",
            expected="the same decision",
            repair="Write the conditions in plain text and decide again.",
        )
    os.replace(aside, path)  # a file without its entry counts for nothing; an entry without its file would
    write_down(sealed, ledger)
    return sealed


def decision_in(store: Path, ledger: Ledger, model: str, purpose: str) -> Path | None:
    """The file of the newest decision on a model and purpose that the board's application recorded, or None.

    None as well when the newest decision was signed off as a file elsewhere.
    """
    newest = None
    for entry in ledger.entries():
        if entry.action == "approval" and (entry.facts.get("model"), entry.facts.get("purpose")) == (model, purpose):
            newest = str(entry.facts.get("approval"))
    path = None if newest is None else _path(store, newest)
    return path if path is not None and path.exists() else None


def approval_toml(approval: Approval) -> str:
    """The approval as the TOML that `Approval.load` reads.

    Examples
    --------
    >>> print(approval_toml(Approval("a" * 64, "b" * 64, "early-support")).splitlines()[2])
    purpose = "early-support"
    """
    document = approval.document()
    dates = ("decided_on", "valid_from", "valid_until")
    lines = [f"{name} = {_toml(value)}" for name, value in document.items() if name not in (*dates, "limits")]
    lines += [f"{name} = {document[name]}" for name in dates if document[name] is not None]
    limits = [f"{name} = {_toml(value)}" for name, value in document["limits"].items()]
    return "\n".join([*lines, f'seal = "{approval.seal}"', "", "[limits]", *limits]) + "\n"


def _toml(value: Any) -> str:
    """Texts, whole numbers and lists of texts; JSON writes these as TOML reads them, but for one sign."""
    return json.dumps(value).replace("\x7f", "\\u007f")


def _path(store: Path, fingerprint: str) -> Path:
    return store / FOLDER / f"{fingerprint}.toml"

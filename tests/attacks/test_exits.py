"""Every module that writes a file is known here: what it writes stays in the run's folder, or has passed disclosure.

A new module that writes has to say which, in one line; one that says it leaves must lean on disclosure in its code.
"""

from __future__ import annotations

import re
from pathlib import Path

import riskmodel

SOURCE = Path(riskmodel.__file__).parent
WRITES = re.compile(
    r"write_csv\(|csv\.writer\(|pq\.write_table\(|\.write_text\(|\.write_bytes\(|savefig\(|write_json\(|"
    r"\.to_csv\(|\.to_parquet\(|log_(?:artifacts?|text|dict|figure|batch)\("
)
LEANS = re.compile(r"disclos|gives_away|count_or_none|Publication|write_csv|tables import figures")

STAYS = {
    "cli/card.py": "copies of a finished card",
    "engines/folders.py": "results in the store",
    "models/refits.py": "the footing, in the store",
    "explain/summary.py": "the explanation, in the store",
    "fairness/plots.py": "bytes of a drawing for a notebook; the audit itself stays in the store",
    "fairness/result.py": "the audit, in the store",
    "features/on_spark.py": "rows in the store",
    "features/part_writer.py": "rows in the store",
    "features/writing.py": "rows in the store",
    "feeds/delivery.py": "deliveries of a synthetic society",
    "feeds/encoded.py": "settings of an encoding, without its key",
    "feeds/oulad.py": "public data",
    "feeds/public.py": "public data",
    "governance/approvals.py": "a form",
    "governance/decisions.py": "a decision of the board",
    "linkage/pseudonymise.py": "one agency's own codes, for the partnership",
    "linkage/pseudonyms.py": "a secret, in the store",
    "models/evaluation.py": "the evaluation, in the store; elsewhere its fingerprints only",
    "models/fitted.py": "what was learned, which no single person's value is in",
    "models/membership.py": "the attack, in the store; on the card through claims",
    "models/on_spark.py": "the model without rows, for executors",
    "models/risk_model.py": "the model, which no single person's value is in",
    "studies/linked_worlds.py": "the audit over linked worlds, in the store; on the card through claims",
    "studies/policy_study.py": "a plan",
    "studies/resources.py": "what stages took, in the store",
    "studies/run.py": "fingerprints",
    "studies/skeleton.py": "a new study's texts",
    "studies/stages.py": "where a run was recorded",
    "studies/table_study.py": "scores and the choice, in the store",
    "tracking/empty_database.py": "tables without a row, once for a machine",
    "tracking/found_record.py": "a card and figures that others published",
}
PERSONAL = {
    "advisory/brief.py": "one person's advice, under an approval",
    "advisory/export.py": "a list, under an approval",
    "advisory/familiar.py": "bands of features, in the store",
}
LEAVES = {
    "cards/beside.py": "cards/disclosed.py",
    "cards/index.py": "cards/disclosed.py",
    "cards/model_card.py": "cards/given.py",
    "cards/pdf.py": "cards/given.py",
    "cards/referee.py": "cards/given.py",
    "explain/drawings.py": "explain/plots.py",
    "explain/plots.py": "explain/plots.py",
    "population/community.py": "population/community.py",
    "population/pages/html.py": "population/publication.py",
    "population/publication.py": "population/publication.py",
    "tracking/alternatives.py": "tracking/alternatives.py",
    "tracking/evaluations.py": "studies/policy_evaluation.py",
    "tracking/pictures.py": "cards/given.py",
    "tracking/registering.py": "tracking/tables.py",
    "tracking/writing.py": "tracking/tables.py",
    "tracking/runs.py": "tracking/tables.py",
}
"""What leaves, and the module in which its figures pass disclosure."""


def test_no_module_writes_a_file_that_nobody_thought_of() -> None:
    writing = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if WRITES.search(path.read_text(encoding="utf-8")) and path.relative_to(SOURCE).parts[0] != "world"
    }
    known = {*STAYS, *PERSONAL, *LEAVES}
    assert writing - known == set(), "say here whether what it writes stays, or where it passes disclosure"
    assert known - writing == set(), "these no longer write"


def test_what_leaves_leans_on_disclosure() -> None:
    without = [name for name in {*LEAVES.values()} if not LEANS.search((SOURCE / name).read_text(encoding="utf-8"))]
    assert not without

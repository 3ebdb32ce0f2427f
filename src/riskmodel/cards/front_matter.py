"""``README.md`` beside a card: front matter in the form that model hubs read, and a short text under it.

The front matter holds the figures of the card that hubs know how to show, with the data set they were judged on. Each
is a figure of the card; one that cannot be shown there is left out here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from riskmodel.cards.html import escaped_markdown
from riskmodel.cards.model_card import MARKDOWN_FILE, PAGE_FILE, ModelCard
from riskmodel.cards.words import measure_words

FILE = "README.md"
_HUB_NAMES: Mapping[str, str] = {
    "auroc": "roc_auc",
    "auprc": "average_precision",
    "brier": "brier_score",
    "expected_observed": "expected_over_observed",
    "calibration_slope": "calibration_slope",
    "precision": "precision",
    "recall": "recall",
}
"""The measures that hubs know or show, by the card's names."""
_PREFIX = "performance.model.all."


def front_matter(card: ModelCard) -> dict[str, Any]:
    """The front matter: language, library, tags, and the model index with its metrics."""
    document = card.document
    text, name = document["text"], str(document["study"].get("name") or document["title"])
    dataset = {
        "name": f"{document['purpose']['name']}, as judged",
        "type": f"{document['purpose']['name']}",
        "revision": document["model"]["training_fingerprint"],
    }
    return {
        "language": "en",
        "library_name": "riskmodel",
        "license": "other",
        "license_name": "card only; model and records are not published",
        "pipeline_tag": "tabular-classification",
        "tags": ["tabular", "risk-model", "advisory", document["model"]["learner"]["kind"]]
        + (["synthetic-data"] if text.get("synthetic") else []),
        "model-index": [
            {
                "name": name,
                "results": [
                    {
                        "task": {"type": "tabular-classification", "name": "Probability of a recorded event"},
                        "dataset": dataset,
                        "metrics": list(_metrics(document)),
                    }
                ],
            }
        ],
    }


def readme(card: ModelCard) -> str:
    """Front matter and a short text, for hubs and for places that show a folder's README."""
    document, escaped = card.document, escaped_markdown
    finding = next(section for section in document["sections"] if section["name"] == "finding")
    first = next(block["text"] for block in finding["blocks"] if block["block"] == "paragraph")
    links = (
        (PAGE_FILE, "model card"),
        (MARKDOWN_FILE, "the same as Markdown"),
        ("brief.html", "board brief"),
        ("public.html", "public summary"),
        ("records.html", "records under the standards"),
    )
    lines = [
        "---",
        *_yaml(front_matter(card)),
        "---",
        "",
        f"# {escaped(document['title'])}",
        "",
        escaped(document["summary"]),
        "",
        "Advisory only. Not a decision about anyone.",
        "",
        escaped(first),
        "",
        f"It must not be used for what the card excludes: {escaped(document['text']['not_for'])}",
        "",
        *(f"- [{words}]({file})" for file, words in links),
        "",
        f"Card fingerprint `{card.fingerprint}`",
    ]
    return "\n".join(lines) + "\n"


def _metrics(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The model's figures on all judged rows that have a value, with interval and n."""
    for key, claim in document["evidence"]["claims"].items():
        metric, _, capacity = key.removeprefix(_PREFIX).partition("@")
        if not key.startswith(_PREFIX) or metric not in _HUB_NAMES or claim["value"] is None:
            continue
        shown = {"type": _HUB_NAMES[metric], "name": measure_words(key.removeprefix(_PREFIX)), "value": claim["value"]}
        about = {name: claim[name] for name in ("low", "high", "n", "state")}
        yield shown | {"args": about | ({"capacity": capacity} if capacity else {})}


def _yaml(value: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """A mapping as YAML in block style; texts and numbers as JSON has them, which is YAML as well."""
    for name, part in value.items():
        if isinstance(part, Mapping):
            yield f"{indent}{name}:"
            yield from _yaml(part, f"{indent}  ")
        elif isinstance(part, list):
            yield f"{indent}{name}:"
            for item in part:
                yield from _item(item, indent)
        else:
            yield f"{indent}{name}: {json.dumps(part, ensure_ascii=False)}"


def _item(item: Any, indent: str) -> Iterator[str]:
    if not isinstance(item, Mapping):
        yield f"{indent}- {json.dumps(item, ensure_ascii=False)}"
        return
    lines = list(_yaml(item, f"{indent}  "))
    yield f"{indent}- {lines[0].lstrip()}"
    yield from lines[1:]

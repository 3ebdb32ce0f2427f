"""The standard fields: the common words onto which every agency's columns are mapped.

Nothing here knows an agency, a file or a code. A field is *structural* when a record means nothing without it (keys,
times, kinds): those are always kept. Every other field is kept only when the purpose of the store names it.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

HOLDS: Final = ("people", "events", "relations")

FIELDS: Final = MappingProxyType(
    {
        "people": MappingProxyType(
            {
                "person_key": "text",
                "given_name": "text",
                "family_name": "text",
                "birth_date": "date",
                "sex": "text",
                "ethnicity": "text",
                "address": "text",
                "postcode": "text",
                "area": "text",
                "address_from": "date",
                "encoded": "text",
                "recorded_at": "moment",
            }
        ),
        "events": MappingProxyType(
            {
                "event_key": "text",
                "person_key": "text",
                "happened_at": "moment",
                "ended_at": "moment",
                "recorded_at": "moment",
                "kind": "text",
                "role": "text",
                "value": "number",
                "address": "text",
                "postcode": "text",
                "retracted": "flag",
            }
        ),
        "relations": MappingProxyType(
            {
                "person_key": "text",
                "other_person_key": "text",
                "kind": "text",
                "starts_at": "moment",
                "ends_at": "moment",
                "recorded_at": "moment",
            }
        ),
    }
)
"""holds -> standard field -> type of its values."""

STRUCTURAL: Final = MappingProxyType(
    {
        "people": frozenset({"person_key", "recorded_at"}),
        "events": frozenset(
            {"event_key", "person_key", "happened_at", "ended_at", "recorded_at", "kind", "role", "retracted"}
        ),
        "relations": frozenset(FIELDS["relations"]),
    }
)
"""holds -> the fields kept whatever the purpose names."""

NEEDED: Final = MappingProxyType(
    {
        "people": ("person_key",),
        "events": ("happened_at", "kind"),
        "relations": ("person_key", "other_person_key", "kind"),
    }
)
"""holds -> the fields that a feed must give, from a column or a constant."""

SPAN: Final = MappingProxyType(
    {"people": (None, None), "events": ("happened_at", "ended_at"), "relations": ("starts_at", "ends_at")}
)
"""holds -> the fields in which a record starts and ends; a code's dates of validity are judged at the start."""

VOCABULARY: Final = MappingProxyType(
    {
        "sex": frozenset({"female", "male"}),
        "ethnicity": frozenset({"white", "black", "asian", "mixed", "hispanic", "native_american", "other"}),
        "retracted": frozenset({"true", "false"}),
    }
)
"""Fields with a fixed set of standard words. "unknown" is allowed in each and becomes null."""

UNKNOWN: Final = "unknown"

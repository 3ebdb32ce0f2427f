"""Whether a list of features makes sense for these histories: every fault gathered, with the repair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from riskmodel.errors import DeclarationError, Fault
from riskmodel.features.exposures import known_ties
from riskmodel.features.feature import Feature, did_you_mean
from riskmodel.features.pieces import pieces_of
from riskmodel.features.places import AreaRate, AreaValue
from riskmodel.histories.store import Histories


def checked(histories: Histories, features: Sequence[Feature]) -> None:
    """Refuse features that cannot be built from these histories.

    Raises
    ------
    DeclarationError : no feature at all, two with one name, or a kind, role, agency or tie that nobody recorded
    """
    faults = [] if features else [Fault("features", "no feature", "at least one", "Add a feature, such as age().")]
    for name, times in sorted(Counter(feature.name for feature in features).items()):
        if times > 1:
            faults.append(
                Fault("features", f"{name!r} {times} times", "one definition a name", "Remove or change the others.")
            )
    chosen = [events for feature in features for events in feature.selections]
    known = _known_words(histories, roles=any(one.roles for one in chosen), ties=any(one.through for one in chosen))
    for feature in features:
        for events in feature.selections:
            for part, words in known.items():
                strange = [word for word in getattr(events, part) if word not in words]
                expected = f"one of the {part} of the histories"
                faults += [
                    Fault(f"{feature.name}.{part}", repr(word), expected, did_you_mean(word, words)) for word in strange
                ]
        faults += _area_faults(histories, feature)
    if faults:
        raise DeclarationError("features-invalid", faults=faults)


def _area_faults(histories: Histories, feature: Feature) -> list[Fault]:
    """What is asked of areas needs to know where people live, and an area's value has to be there."""
    if not isinstance(feature, AreaRate | AreaValue):
        return []
    if histories.residences["area"].null_count == histories.residences.num_rows:
        expected, repair = "residences with an area", "Receive a register that says the area, or leave it out."
        return [Fault(feature.name, "nobody whose area is known", expected, repair)]
    if isinstance(feature, AreaRate):
        return []
    known = sorted(histories.area_values["measure"].unique().to_pylist())
    if feature.measure in known:
        return []
    repair = did_you_mean(feature.measure, known) if known else "Add the measures with with_area_values."
    return [Fault(f"{feature.name}.measure", repr(feature.measure), "a measure of the area values", repair)]


def _known_words(histories: Histories, *, roles: bool, ties: bool) -> dict[str, list[str]]:
    found: set[str] = set()
    for piece in pieces_of(histories, ["role"]) if roles else []:
        found |= set(pc.unique(piece()["role"].cast(pa.string())).drop_null().to_pylist())
    return {
        "kinds": sorted(histories.kinds),
        "roles": sorted(found),
        "agencies": list(histories.agencies),
        "through": known_ties(histories) if ties else [],
    }


def sources_of(histories: Histories, feature: Feature) -> list[str]:
    """The agencies whose records a feature rests on in these histories."""
    found: set[str] = set()
    if isinstance(feature, AreaValue):
        values = histories.area_values
        found |= set(values.filter(pc.equal(values["measure"], feature.measure))["source"].to_pylist())
    for events in feature.selections:
        kinds = events.kinds or tuple(histories.kinds)
        recording = {agency for kind in kinds for agency in histories.kinds.get(kind, ())}
        found |= recording & set(events.agencies) if events.agencies else recording
    return sorted(found)

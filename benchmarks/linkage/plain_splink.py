"""A plain Splink model in the manner of its tutorials, as the yardstick: Splink trains, scores and clusters by itself.

Written for the comparison with the public API of Splink 5; the settings are those a newcomer would copy from the
examples for these data (name, birth date, e-mail or address, number), not tuned by us in either direction.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on


def plain_clusters(people: pa.Table, threshold: float = 0.9) -> dict[str, Any]:
    """person_key -> cluster, with all defaults of Splink where there are any."""
    has = {name: people.column(name).null_count < people.num_rows for name in people.column_names}
    table = people.select(["given_name", "family_name", "address", "postcode", "area", "contact", "identifier"])
    table = table.append_column("unique_id", people.column("person_key"))
    table = table.append_column("birth", pc.strftime(people.column("birth_date"), format="%Y-%m-%d"))
    comparisons = [
        cl.NameComparison("given_name"),
        cl.NameComparison("family_name"),
        cl.DamerauLevenshteinAtThresholds("birth", [1, 2]),
    ]
    rules = [block_on("birth"), block_on("given_name", "family_name")]
    if has["identifier"]:
        comparisons.append(cl.DamerauLevenshteinAtThresholds("identifier", [1, 2]))
        rules.append(block_on("identifier"))
    if has["contact"]:
        comparisons.append(cl.EmailComparison("contact"))
        rules.append(block_on("contact"))
    if has["address"]:
        comparisons += [
            cl.LevenshteinAtThresholds("address", [2, 5]),
            cl.DamerauLevenshteinAtThresholds("postcode", [1]),
        ]
        rules += [block_on("postcode", "given_name"), block_on("address")]
    if has["area"]:
        comparisons.append(cl.ExactMatch("area").configure(term_frequency_adjustments=True))
    settings = SettingsCreator(
        link_type="dedupe_only", comparisons=comparisons, blocking_rules_to_generate_predictions=rules
    )
    linker = Linker(DuckDBAPI().register(table), settings, log_level=None)
    training = linker.training
    certain = [block_on("given_name", "family_name", "birth")]
    training.estimate_probability_two_random_records_match(certain, recall=0.7)
    training.estimate_u_using_random_sampling(max_pairs=2e6, seed=1)
    training.estimate_parameters_using_expectation_maximisation(block_on("given_name", "family_name"))
    training.estimate_parameters_using_expectation_maximisation(block_on("birth"))
    scores = linker.inference.predict(threshold_match_probability=threshold, warning_mode="never")
    found = linker.clustering.cluster_pairwise_predictions_at_threshold(scores, threshold).as_record_list()
    return {row["unique_id"]: row["cluster_id"] for row in found}

"""The verb of an agency that sends no names: encode a file before it leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def pseudonymise(
    feed: Annotated[str, typer.Argument(help="The feed, such as police.people.")],
    key_file: Annotated[Path, typer.Option(help="The key that the agencies share; readable by its owner only.")],
    file: Annotated[Path, typer.Option(help="The file as it would be sent in clear.")],
    purpose: Annotated[str, typer.Option(help="The purpose it is encoded for, as the partnership named it.")],
    salt: Annotated[str, typer.Option(help="A text agreed for this purpose, and for no other.")],
    contract: Annotated[
        Path | None, typer.Option(help="The agency's contract [default: the package's own for that agency].")
    ] = None,
    to: Annotated[Path, typer.Option(help="The folder for the encoded file.")] = Path("encoded"),
    check: Annotated[
        str | None, typer.Option(help="The key check that the partnership gave out; another key is refused.")
    ] = None,
) -> None:
    """Encode names, birth dates and addresses with a key, so that records can be linked and no name is handed over."""
    from riskmodel.errors import NotFound
    from riskmodel.feeds.contract import Contract, agency_contracts
    from riskmodel.linkage.pseudonymise import pseudonymise as encode

    agency = feed.partition(".")[0]
    if contract is None and agency not in agency_contracts():
        raise NotFound(
            "contract-missing",
            found=f"no contract of {agency} in the package",
            expected=", ".join(agency_contracts()),
            repair="Name the agency's contract with --contract.",
        )
    declared = agency_contracts()[agency] if contract is None else Contract.load(contract)
    path, encoding = encode(
        declared, feed, file, key_file=key_file, purpose=purpose, salt=salt, to=to, expected_check=check
    )
    typer.echo(f"{path}: {encoding.encoded:,} of {encoding.delivered:,} rows encoded. Key check {encoding.key_check}.")
    for code, count in encoding.quarantined.items():
        typer.echo(f"not encoded: {count:,} rows {code}. They stay here; correct them and encode again.")
    typer.echo(f"Send {path.name} and {path.name}.encoding.json, and nothing else. Never send the key.")

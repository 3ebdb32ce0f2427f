"""The arguments that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

StudyFolder = Annotated[Path, typer.Argument(help="The folder with study.toml.", show_default=False)]

"""The notebook "auditing someone else's model" runs from top to bottom and says what was planted in its town."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "experiments" / "auditing"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the kernel that runs the notebook, not ours
def test_the_notebook_runs_and_finds_what_was_planted() -> None:
    notebook = nbformat.read(FOLDER / "auditing.ipynb", as_version=4)
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": FOLDER}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    said = "".join(output["text"] for output in outputs if output.get("name") == "stdout")
    for words in (
        "black (ethnicity) is the furthest away by the false positive rate",  # more records, more lists
        "the gap in base rate between black and white is",  # the police record more of it, the hospital does not
        "traveller: too few people",
        "Most is carried by ward",
        "come with the place and not with the person",
        "[alternatives-incomplete]",
    ):
        assert words in said
    shown = "".join(output["data"].get("text/html", "") for output in outputs if "data" in output)
    assert shown.count("<img alt=") == 6
    assert "Shown to differ beyond chance" in shown


def test_the_notebook_is_kept_with_what_it_showed() -> None:
    notebook = nbformat.read(FOLDER / "auditing.ipynb", as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    assert not [output for cell in cells for output in cell.outputs if output.output_type == "error"]

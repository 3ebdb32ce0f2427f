"""What is left of a learner when it has learned: it predicts, and it is written as text that a person can read.

Learned state is a JSON document and, for some, a native text file. Nothing is ever pickled, so that loading a model
can run no code; numbers are written so that they read back to the same bits.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from riskmodel.errors import DataRefused
from riskmodel.models.metrics import Numbers

Matrix: TypeAlias = "npt.NDArray[np.float32]"
"""(n_rows, n_features) float32, NaN where missing."""

DOCUMENT = "learner.json"


class Fitted(ABC):
    """A learner that has learned.

    Attributes
    ----------
    kind : str, the kind of learner
    names : the features it reads, in order
    """

    kind: ClassVar[str]
    names: tuple[str, ...]

    def __init_subclass__(cls, **settings: Any) -> None:
        super().__init_subclass__(**settings)
        if "kind" in vars(cls):
            _KINDS[cls.kind] = cls

    @abstractmethod
    def predict(self, X: Matrix) -> Numbers:
        """Probability of each row: (n_rows, n_features) float32 in the order of `names`, (n_rows,) float64 out."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """What was learned, as JSON."""

    def files(self) -> Mapping[str, str]:
        """Native text files beside the document, by file name."""
        return {}

    @classmethod
    @abstractmethod
    def restored(cls, names: tuple[str, ...], state: Mapping[str, Any], files: Mapping[str, str]) -> Self:
        """What was saved: the features, the learned state, and the native files by name."""

    def document(self) -> dict[str, Any]:
        """Kind, features, learned state and the names of native files, as JSON."""
        return {"kind": self.kind, "names": list(self.names), "state": self.state(), "files": sorted(self.files())}

    def save(self, folder: Path) -> None:
        """Write the document and the native files into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / DOCUMENT, self.document())
        for file, text in self.files().items():
            (folder / file).write_text(text, encoding="utf-8", newline="\n")

    def must_fit(self, X: Matrix) -> None:
        """Refuse a matrix with another number of columns."""
        if X.ndim != 2 or X.shape[1] != len(self.names):
            raise DataRefused(
                "features-differ",
                found=f"a matrix of shape {X.shape}",
                expected=f"rows by {len(self.names)} features, in the order in which the model learned",
                repair="Build the matrix with the features of the model.",
            )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.names)} features)"


_KINDS: dict[str, type[Fitted]] = {}


def restored(document: Mapping[str, Any], files: Mapping[str, str]) -> Fitted:
    """A learner that has learned, from its document and its native files.

    Raises
    ------
    KeyError : a kind that is not known, or a part that is missing
    """
    made = _KINDS[document["kind"]]
    return made.restored(tuple(document["names"]), document["state"], {name: files[name] for name in document["files"]})


def write_json(path: Path, document: object) -> None:
    """Write JSON in one form only, so that the same content is the same bytes; NaN is refused."""
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def floats(values: Sequence[float] | npt.NDArray[Any]) -> list[float]:
    """Plain floats for JSON: 17 digits read back to the same bits."""
    return [float(value) for value in values]


def rounded(values: npt.NDArray[Any], digits: int = 10) -> Numbers:
    """Values to so many significant digits: sums over threads may differ beyond them, the file may not."""
    return np.array([float(f"{value:.{digits}g}") for value in np.ravel(values)]).reshape(np.shape(values))

"""Which encoding a text file is in: what the bytes themselves say, then what the contract says. Nothing is guessed.

UTF-8 is told from all others by its own rules, and UTF-16 and UTF-32 by the mark at their start. Beyond these a file is
in the encoding that its contract names; where it names none, Windows-1252 is tried after UTF-8.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from riskmodel.errors import DataRefused

UTF_8: Final = "utf-8"
WINDOWS: Final = "windows-1252"
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK: Final = 1 << 22


def is_encoding(name: str) -> bool:
    """Whether text can be written in an encoding of that name.

    Examples
    --------
    >>> [is_encoding(name) for name in ("utf-8", "iso-8859-15", "utf-16-le", "base64", "klingon")]
    [True, True, True, False, False]
    """
    try:
        "".encode(name)
    except LookupError:
        return False
    return True


def encoding_of(path: Path, declared: str = UTF_8) -> str:
    """The encoding of a file, each byte of which it can stand for.

    Parameters
    ----------
    declared : str, the encoding that the contract names

    Raises
    ------
    DataRefused : code "encoding-unknown"
    """
    tried = _to_try(path, declared)
    for encoding in tried:
        if _decodes(path, encoding, text_only=encoding == UTF_8 and declared not in (UTF_8, WINDOWS)):
            return encoding
    names = " or ".join(tried)
    raise DataRefused(
        "encoding-unknown",
        found=f"{path.name}, which is not in {names}",
        expected="UTF-8, or the encoding that the contract names",
        repair="Ask the agency how it saves the file and write it as `encoding` in the contract, or ask for UTF-8.",
    )


def for_reading(encoding: str) -> str:
    """The same encoding, which passes over a mark at the start of the file."""
    return "utf-8-sig" if encoding == UTF_8 else encoding


def _to_try(path: Path, declared: str) -> Sequence[str]:
    with path.open("rb") as file:
        start = file.read(4)
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return (encoding,)
    return (UTF_8, WINDOWS) if declared in (UTF_8, WINDOWS) else (UTF_8, declared)


def _decodes(path: Path, encoding: str, *, text_only: bool) -> bool:
    """Whether the whole file is in the encoding; `text_only`: and holds no zero byte, as two-byte encodings do."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        try:
            while chunk := file.read(_CHUNK):
                if text_only and b"\0" in chunk:
                    return False
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeError:
            return False
    return True

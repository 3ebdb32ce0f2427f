"""Arrow columns as NumPy arrays and back, without a copy and without pandas, which pyarrow's own way imports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riskmodel.tables import MOMENT

_KINDS: Final = {"float": "float32", "double": "float64", "timestamp[us]": "datetime64[us]"}


def numbers(column: pa.Array | pa.ChunkedArray) -> npt.NDArray[Any]:
    """The numbers or times (datetime64[us]) of a column in which nothing is missing: (n,), not to be written to.

    Examples
    --------
    >>> numbers(pa.chunked_array([[1, 2], [3]])).tolist()
    [1, 2, 3]
    """
    if column.null_count:
        raise ValueError(f"{column.null_count} values are missing")
    kind = np.dtype(_KINDS.get(str(column.type), str(column.type)))
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    parts = [np.frombuffer(one.buffers()[1], kind, len(one), one.offset * kind.itemsize) for one in chunks if len(one)]
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.empty(0, kind)


def numbers_or(column: pa.Array | pa.ChunkedArray, missing: float) -> npt.NDArray[Any]:
    """`numbers`, with a number in the place of what is missing.

    Examples
    --------
    >>> numbers_or(pa.chunked_array([[1, None], [3]]), -1).tolist()
    [1, -1, 3]
    """
    if not column.null_count:
        return numbers(column)
    fill = arrow(np.array([missing], _KINDS.get(str(column.type), str(column.type))))[0]
    return numbers(column.fill_null(fill))


def arrow(array: npt.NDArray[Any]) -> pa.Array:
    """A contiguous array of numbers or of datetime64[us] as Arrow; the memory is shared.

    Examples
    --------
    >>> arrow(np.array([1.5, 2.5], np.float32)).type
    DataType(float)
    """
    kind = MOMENT if array.dtype.kind == "M" else pa.from_numpy_dtype(array.dtype)
    whole = np.ascontiguousarray(array)
    return pa.Array.from_buffers(kind, len(whole), [None, pa.py_buffer(whole.view(np.uint8))])


def texts(words: Sequence[str]) -> pa.Array:
    """Words as an Arrow column of text.

    Examples
    --------
    >>> texts(["arson", "", "Zoë"]).to_pylist()
    ['arson', '', 'Zoë']
    """
    encoded = [word.encode() for word in words]
    ends = np.cumsum([0, *(len(word) for word in encoded)], dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), len(encoded), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))])

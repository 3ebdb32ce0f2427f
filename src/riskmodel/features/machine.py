"""Compiled loops kept as machine code: read back by LLVM alone, because numba takes longer to import than they to run.

numba compiles a loop once for a machine and a version of its source. The object code is kept in a file beside the
package, or in the user's cache folder, and from then on loaded through llvmlite, numba's own binding to LLVM. A loop
that needs anything of numba's at run time (memory, exceptions) is never kept. Whatever does not go as expected, numba
itself compiles and runs the loop, to the same result.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from logging import getLogger
from pathlib import Path
from typing import Any, Final

from riskmodel.engines.folders import user_cache

_log = getLogger(__name__)

_NAME: Final = "riskmodel_loop"
_FORM: Final = "1"
_DIGEST: Final = 32


@dataclass(frozen=True, slots=True)
class Given:
    """What a loop is given: a whole number, or an array of a kind.

    Parameters
    ----------
    kind : name of a NumPy type
    dimensions : 0 is a single number
    strided : whether the array may have any steps, such as one value standing for all
    """

    kind: str = "int64"
    dimensions: int = 1
    strided: bool = False

    @property
    def types(self) -> list[Any]:
        """The C types that numba's calling convention passes it as: an array's owner, size, address, shape, steps."""
        if not self.dimensions:
            return [ctypes.c_int64]
        numbers = [ctypes.c_int64] * 2
        return [ctypes.c_void_p] * 2 + numbers + [ctypes.c_void_p] + numbers * self.dimensions

    def passed(self, value: Any) -> tuple[Any, ...]:
        """The value as it is passed.

        Raises
        ------
        TypeError : it is not what was declared; machine code would read whatever lies there
        """
        if not self.dimensions:
            return (int(value),)
        wrong = value.dtype != self.kind or value.ndim != self.dimensions
        if wrong or not (self.strided or value.flags.c_contiguous):
            raise TypeError(f"got {value.dtype} of shape {value.shape}, not {self}")
        return (None, None, value.size, value.itemsize, value.ctypes.data, *value.shape, *value.strides)


def compiled(loop: Callable[..., None], givens: Sequence[Given]) -> Callable[..., None]:
    """The loop as a function that lets other threads run: from machine code where there is some, else compiled now."""
    try:
        import llvmlite.binding as llvm  # type: ignore[import-untyped] # it has no types of its own

        where = _file(loop, givens, llvm)
        code = _read(where)
        if code is None:
            _log.info("Compiling %s once for this machine; from now on it is read from a file.", loop.__name__)
            code = _object_code(loop, givens, llvm)
            _keep(code, where)
        return _callable(code, givens, llvm)
    except Exception as error:  # whatever it is: numba compiles the loop, and says what is wrong with it
        _log.info("%s is compiled by numba in this process: %s", loop.__name__, error)
        return compiled_loop(loop, _signature(givens))


def has_code(loop: Callable[..., None], givens: Sequence[Given]) -> bool:
    """Whether the machine code of the loop is kept already."""
    import llvmlite.binding as llvm

    where = _file(loop, givens, llvm)
    return where is not None and where.exists()


def compiled_loop(loop: Callable[..., None], signature: Any) -> Callable[..., None]:
    """A loop compiled by numba for one signature, kept in numba's own cache where there is a folder for it."""
    import numba

    try:
        made = numba.njit(signature, cache=True, nogil=True, error_model="numpy")(loop)
    except RuntimeError:  # no folder at all that numba could keep its cache in
        made = numba.njit(signature, nogil=True, error_model="numpy")(loop)
    if made.stats.cache_misses:
        _log.info("Compiled %s once for this machine; from now on it is read from a cache.", loop.__name__)
    function: Callable[..., None] = made
    return function


def _signature(givens: Sequence[Given]) -> Any:
    import numba

    def kind(given: Given) -> Any:
        one = getattr(numba.types, given.kind)
        return numba.types.Array(one, given.dimensions, "A" if given.strided else "C") if given.dimensions else one

    def readable(given: Given) -> Any:
        made = kind(given)
        return made.copy(readonly=True) if given.strided else made

    return numba.types.void(*(readable(given) for given in givens))


def _object_code(loop: Callable[..., None], givens: Sequence[Given], llvm: Any) -> bytes:
    import numba

    bare = {"_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    made = numba.njit(_signature(givens), nogil=True, error_model="numpy", **bare)(loop)
    (signature,) = made.signatures
    module = llvm.parse_assembly(made.inspect_llvm(signature))
    function = module.get_function(made.overloads[signature].fndesc.llvm_func_name)
    wanted = [one.name for one in module.functions if one.is_declaration and not one.name.startswith("llvm.")]
    if wanted or len(list(function.arguments)) != 2 + sum(len(given.types) for given in givens):
        raise LookupError(f"the loop rests on {', '.join(wanted) or 'another calling convention'}")
    function.name = _NAME
    return bytes(_target(llvm).emit_object(module))


def _callable(code: bytes, givens: Sequence[Given], llvm: Any) -> Callable[..., None]:
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target(llvm))
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    types = [one for given in givens for one in given.types]
    address = engine.get_function_address(_NAME)
    if not address:
        raise LookupError("the file holds no such loop")
    entry = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, *types)(address)

    def call(*values: Any, _engine: Any = engine) -> None:  # the engine owns the code: it lives as long as the function
        nothing, error = ctypes.c_void_p(), ctypes.c_void_p()
        passed = [part for given, value in zip(givens, values, strict=True) for part in given.passed(value)]
        status = entry(ctypes.addressof(nothing), ctypes.addressof(error), *passed)
        if status:
            raise RuntimeError(f"a compiled loop ended with status {status}")

    return call


def _target(llvm: Any) -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    cpu, features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    return target.create_target_machine(cpu=cpu, features=features, opt=3, jit=True)


def _file(loop: Callable[..., None], givens: Sequence[Given], llvm: Any) -> Path | None:
    """Where the code of this loop, for this machine, is or would be kept; None where nothing can be kept."""
    source = Path(loop.__code__.co_filename)
    cpu = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    parts = (_FORM, loop.__name__, llvm.llvm_version_info, cpu, llvm.get_process_triple(), tuple(givens))
    key = hashlib.sha256(source.read_bytes() + repr(parts).encode()).hexdigest()
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    for folder in [Path(chosen)] if chosen else [source.parent / "__pycache__", user_cache()]:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder / f"{source.stem}-{loop.__name__}-{key[:24]}.code"
    return None


def _read(where: Path | None) -> bytes | None:
    """The code, None where there is none or the file is damaged."""
    if where is None or not where.exists():
        return None
    held = where.read_bytes()
    return held[_DIGEST:] if hashlib.sha256(held[_DIGEST:]).digest() == held[:_DIGEST] else None


def _keep(code: bytes, where: Path | None) -> None:
    if where is None:
        return
    number, aside = tempfile.mkstemp(dir=where.parent, prefix=".code-")
    with os.fdopen(number, "wb") as file:
        file.write(hashlib.sha256(code).digest() + code)
    Path(aside).replace(where)


WHOLE: Final = Given()
WHOLES: Final = Given(dimensions=2)
REAL: Final = Given("float64")
REALS: Final = Given("float64", 2)
NUMBER: Final = Given(dimensions=0)

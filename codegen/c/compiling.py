"""Compile an extension with the C compiler of the machine, once for each source: the result is kept."""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import os
import shlex
import shutil
import subprocess
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FLAGS = ("-std=c99", "-D_POSIX_C_SOURCE=200809L", "-O3", "-march=native", "-fopenmp-simd", "-fno-math-errno",
         "-fno-trapping-math", "-fPIC", "-shared")
SPELLINGS = (("scipy_", "64_", "int64_t"), ("", "64_", "int64_t"), ("scipy_", "", "int"), ("", "", "int"))
"""How libraries spell ``cblas_dgemm``, and the type of the sizes that it takes then."""


class NoCompilerError(Exception):
    """There is no C compiler, or it lacks what an extension needs; the message says which."""


@dataclass(frozen=True)
class Blas:
    """How NumPy's library spells its functions: what stands around ``cblas_dgemm``, and its type of sizes."""

    prefix: str
    suffix: str
    integer: str


def blas() -> Blas:
    """Return how the library that NumPy has loaded spells its functions; plain names where there is none."""
    core = importlib.import_module("numpy._core._multiarray_umath")
    library = ctypes.CDLL(str(core.__file__))  # finds the functions of what it is linked with
    for prefix, suffix, integer in SPELLINGS:
        if hasattr(library, f"{prefix}cblas_dgemm{suffix}"):
            return Blas(prefix, suffix, integer)
    return Blas("", "", "int")


def compiler() -> list[str]:
    """Return the command of the C compiler: ``$CC``, or the first of cc, gcc and clang.

    Raises:
        NoCompilerError: There is none.
    """
    given = shlex.split(os.environ.get("CC", ""))
    if given and shutil.which(given[0]):
        return given
    for name in ("cc", "gcc", "clang"):
        if shutil.which(name):
            return [name]
    raise NoCompilerError("no C compiler was found (cc, gcc or clang, or $CC)")


def cache_folder() -> Path:
    """Return where compiled extensions are kept."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "gradwright"


def compiled(source: str, extension: str, sizes: str = "int64_t") -> Path:
    """Return the compiled extension of a source; it is compiled where that has not been done before.

    Args:
        source: The text of the C file.
        extension: The name of the module.
        sizes: The type of the sizes that the library of products takes.

    Raises:
        NoCompilerError: There is no compiler, no header of Python, the compiler fails, or the cache cannot be written.
    """
    command = compiler()
    include = Path(sysconfig.get_path("include"))
    if not (include / "Python.h").is_file():
        raise NoCompilerError(f"the headers of Python are missing ({include / 'Python.h'})")
    arguments = [*command, *FLAGS, f"-DBLAS_INT={sizes}", f"-I{include}", f"-I{np.get_include()}"]
    key = hashlib.sha256("\0".join(
        [source, *arguments, _version(command), np.__version__, _processor()]).encode()).hexdigest()[:16]
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    path = cache_folder() / key / f"{extension}{suffix}"
    if not path.is_file():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _compile(arguments, source, path)
        except OSError as error:
            raise NoCompilerError(f"{path.parent} cannot be written: {error.strerror}") from error
    return path


def _compile(arguments: list[str], source: str, path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        text, made = Path(folder) / "network.c", Path(folder) / "network.so"
        text.write_text(source, encoding="utf-8")
        found = subprocess.run([*arguments, str(text), "-o", str(made), "-lm"], capture_output=True, text=True,
                               check=False)
        if found.returncode:
            lines = found.stderr.splitlines() or ["no reason was given"]
            raise NoCompilerError(f"{arguments[0]} failed: {next((s for s in lines if 'error' in s), lines[0])}")
        os.replace(made, path)  # whole or not at all, also where two processes compile at once


def _version(command: list[str]) -> str:
    found = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False)
    return found.stdout.partition("\n")[0]


def _processor() -> str:
    """Return what tells processors apart: code for one may not run on another, and caches travel."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        import platform
        return platform.processor()
    return next((line for line in lines if line.startswith(("flags", "Features"))), "")

"""What the figures were measured with."""

from __future__ import annotations

import ctypes
import importlib.metadata
import os
import platform
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path


def machine() -> dict[str, str]:
    """Return the processor, the system, Python, and the C compiler found."""
    compiler = next((c for c in ("cc", "gcc", "clang") if shutil.which(c)), None)
    told = "none"
    if compiler:
        told = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False).stdout
    return {
        "processor": _processor(), "CPUs": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}, {' '.join(platform.libc_ver())}".rstrip(", "),
        "Python": platform.python_version(), "C compiler": told.partition("\n")[0],
    }


def blas() -> str:
    """Return NumPy's BLAS, and the kind of core whose kernels it chose, where it can be asked."""
    import numpy as np

    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{built.get('name', '?')} {built.get('version', '')} {_core()}".strip()


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of the distributions that are installed."""
    found = {}
    for name in packages:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _core() -> str:
    """Return the answer of the OpenBLAS that NumPy has loaded: (its kernels are those of …)."""
    try:
        lines = Path("/proc/self/maps").read_text(encoding="utf-8").split()
        path = next(word for word in lines if "numpy" in word and "openblas" in word)
        ask = ctypes.CDLL(path).scipy_openblas_get_corename64_
    except (OSError, StopIteration, AttributeError):
        return ""
    ask.restype = ctypes.c_char_p
    return f"({ask().decode()} kernels)"

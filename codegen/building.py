"""A network as a module that runs fast: compiled where that is possible, else the next best target."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from codegen.c.compiling import NoCompilerError, blas, compiled
from codegen.c.extension import extension_source
from codegen.c.module import c_module
from codegen.kernels.functions import functions
from codegen.loading import load
from symbolic.architecture import digest
from symbolic.derivation import Derivation
from symbolic.doors import derive
from symbolic.network import Network


@dataclass(frozen=True)
class Built:
    """A module that was built.

    Attributes:
        text: Of the Python module.
        name: Of the Python module.
        extension: The name of the compiled module that it imports.
        compiled: Its file.
    """

    text: str
    name: str
    extension: str
    compiled: Path


def build_c(network: Network, derivation: Derivation | None = None) -> Built:
    """Compile a network as an extension of CPython.

    Args:
        network: With integer widths.
        derivation: Of the network's program; derived and verified here when not given.

    Raises:
        InputError: A width is symbolic.
        VerificationError: A gradient disagrees with numbers.
        NoCompilerError: It cannot be compiled here.
    """
    derivation = derive(network) if derivation is None else derivation
    found, spelling = functions(derivation), blas()
    extension = f"_{network.name}_{digest(network)}"
    path = compiled(extension_source(network, found, extension), extension, spelling.integer)
    text = c_module(network, derivation, found, extension, spelling.prefix, spelling.suffix)
    return Built(text, f"{network.name}_c", extension, path)


def import_extension(built: Built) -> None:
    """Make the compiled module known to ``import``, wherever its file is."""
    if built.extension in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(built.extension, built.compiled)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[built.extension] = module


FALLBACKS = {"c": ("numba", "numpy-workspace"), "numba": ("numpy-workspace",)}
"""What is tried in turn where a target cannot be had."""


def load_fast(network: Network, target: str, derivation: Derivation | None = None) -> tuple[ModuleType, str, str]:
    """Return a module of the target, or of the next best one that this machine can run.

    Returns:
        The module, the target that it is of, and one line that says why it is another one; empty where it is not.

    Raises:
        InputError: A width is symbolic, or there is no such target.
        VerificationError: A gradient disagrees with numbers.
    """
    reasons = []
    derivation = derive(network) if derivation is None else derivation
    for candidate in (target, *FALLBACKS.get(target, ())):
        try:
            module = load(network, target=candidate, derivation=derivation)
        except (NoCompilerError, ImportError) as error:
            reasons.append(f"{candidate} cannot be had: {error}")
            continue
        return module, candidate, f"{'; '.join(reasons)}; {candidate} is used instead" if reasons else ""
    raise AssertionError("NumPy is always there")

"""Matrix calculus on SymPy terms: networks, programs, derivations and their formats.

Knows nothing of code. The names below are imported on first use, since SymPy takes
its time.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Derivation": "symbolic.derivation", "Derivative": "symbolic.derivatives",
    "Equation": "symbolic.program", "FORMATS": "symbolic.formats",
    "Gradient": "symbolic.derivation", "InputError": "symbolic.errors", "Layer": "symbolic.network",
    "Network": "symbolic.network", "Program": "symbolic.program", "VerificationError": "symbolic.errors",
    "build_program": "symbolic.build", "derive": "symbolic.doors", "derive_expression": "symbolic.doors",
    "derive_general": "symbolic.general",
    "differential": "symbolic.derivatives", "differentiate": "symbolic.differentiation",
    "differentiate_expression": "symbolic.derivatives", "differentiate_text": "symbolic.derivatives",
    "gradient": "symbolic.derivatives",
    "hessian": "symbolic.derivatives", "jacobian": "symbolic.derivatives", "matrix": "symbolic.derivatives",
    "scalar": "symbolic.derivatives", "vector": "symbolic.derivatives",
    "distributions": "symbolic.program", "read_architecture": "symbolic.architecture",
    "verify_derivation": "symbolic.verify", "width_symbol": "symbolic.network",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'symbolic' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)

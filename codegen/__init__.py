"""Code from programs: passes, printers, one target an output language, evaluation.

Imports ``symbolic``, never the reverse. The names below are imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "generate": "codegen.module", "train": "codegen.training", "generate_expression": "codegen.expressions",
    "load_expression": "codegen.loading", "load": "codegen.loading", "lambdify": "codegen.callables",
    "read_npz": "codegen.npz", "write_npz": "codegen.npz", "check_gradients": "codegen.gradcheck",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'codegen' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)

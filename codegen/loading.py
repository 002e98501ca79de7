"""A generated module as a Python module, without a file."""

from __future__ import annotations

from types import ModuleType

from codegen.expressions import generate_expression
from codegen.module import generate
from symbolic.answers import Answers
from symbolic.derivation import Derivation
from symbolic.errors import InputError
from symbolic.network import Network

LOADABLE = ("numpy", "numpy-workspace", "numba", "c")
"""The targets that Python can call."""


def load(network: Network, source: str | None = None, target: str = "numpy",
         derivation: Derivation | None = None) -> ModuleType:
    """Return the network's generated module, ready to call.

    Args:
        network: With integer widths.
        source: Its text, where it has been generated already; of the targets in Python only.
        target: One of `LOADABLE`; "c" is compiled here, or taken from the cache.
        derivation: Of the network's program; derived and verified where it is needed and not given.

    Raises:
        InputError: A width is symbolic, or there is no such target.
        VerificationError: A gradient disagrees with numbers.
        NoCompilerError: The target is "c", and it cannot be compiled here.
    """
    if target not in LOADABLE:
        raise InputError(f"expected one of the targets {', '.join(LOADABLE)}, got {target!r}")
    if target == "c":  # imported here, since it imports this module
        from codegen.building import build_c, import_extension

        built = build_c(network, derivation)
        import_extension(built)
        return execute(built.name, built.text)
    return execute(network.name, _text(network, target, derivation) if source is None else source)


def _text(network: Network, target: str, derivation: Derivation | None) -> str:
    if target == "numpy":
        return generate(network, derivation)
    from codegen.targets import TARGETS

    return TARGETS[target].generate(network, derivation)


def load_expression(answers: Answers) -> ModuleType:
    """Return the generated module of an expression, ready to call: ``value``, ``derivative`` and ``check``."""
    return execute("expression", generate_expression(answers))


def execute(name: str, text: str) -> ModuleType:
    """Return the module of a generated text."""
    module = ModuleType(name)
    module.__file__ = f"<generated {name}>"
    exec(compile(text, module.__file__, "exec"), module.__dict__)  # noqa: S102  # our own text, never a user's
    return module

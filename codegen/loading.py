"""A generated module as a Python module, without a file."""

from __future__ import annotations

from types import ModuleType

from codegen.expressions import generate_expression
from codegen.module import generate
from symbolic.answers import Answers
from symbolic.network import Network


def load(network: Network, source: str | None = None) -> ModuleType:
    """Return the network's generated module, ready to call.

    Args:
        network: With integer widths.
        source: Its text, where it has been generated already.

    Raises:
        InputError: A width is symbolic.
        VerificationError: A gradient disagrees with numbers.
    """
    return _executed(network.name, generate(network) if source is None else source)


def load_expression(answers: Answers) -> ModuleType:
    """Return the generated module of an expression, ready to call: ``value``, ``derivative`` and ``check``."""
    return _executed("expression", generate_expression(answers))


def _executed(name: str, text: str) -> ModuleType:
    module = ModuleType(name)
    module.__file__ = f"<generated {name}>"
    exec(compile(text, module.__file__, "exec"), module.__dict__)  # noqa: S102  # our own text, never a user's
    return module

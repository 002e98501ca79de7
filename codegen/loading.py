"""A generated module as a Python module, without a file."""

from __future__ import annotations

from types import ModuleType

from codegen.module import generate
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
    module = ModuleType(network.name)
    module.__file__ = f"<generated {network.name}>"
    text = generate(network) if source is None else source
    exec(compile(text, module.__file__, "exec"), module.__dict__)  # noqa: S102  # our own text, never a user's
    return module

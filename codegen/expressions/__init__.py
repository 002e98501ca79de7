"""Modules from derivatives of expressions: passes, a printer, checks of arguments, and a check of the result."""

from codegen.expressions.generating import generate_expression

__all__ = ["generate_expression"]

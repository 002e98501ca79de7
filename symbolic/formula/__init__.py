"""Scalar formulas as a user types them, read against a whitelist and never evaluated."""

from symbolic.formula.reading import parse_formula

__all__ = ["parse_formula"]

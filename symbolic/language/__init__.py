"""The matrix language: text to a program of terms, and terms back to text."""

from __future__ import annotations

from symbolic.language.reading import Reading, read, read_property, read_shape

__all__ = ["Reading", "read", "read_property", "read_shape"]

"""The text forms of a network: a TOML file and a compact string, one reader for both."""

from symbolic.architecture.compact import parse_compact, to_compact
from symbolic.architecture.reading import digest, read_architecture
from symbolic.architecture.toml import parse_toml, to_toml

__all__ = ["digest", "parse_compact", "parse_toml", "read_architecture", "to_compact", "to_toml"]

"""One reader for the forms in which a user gives a network."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from symbolic.architecture.compact import parse_compact
from symbolic.architecture.toml import parse_toml, to_toml
from symbolic.errors import InputError
from symbolic.messages import shown, within
from symbolic.network import Network

LARGEST_FILE = 1_000_000



def read_architecture(source: str | os.PathLike[str]) -> Network:
    """Return the network that a TOML file or a compact string describes.

    A path object is a file. So is a string that ends in ``.toml``, that names something which
    exists, or that has a slash before any colon. Every other string is the compact form.

    Raises:
        InputError: It is neither, or describes no network.
    """
    if isinstance(source, os.PathLike):
        return _read_file(os.fsdecode(source))
    if not isinstance(source, str):
        raise InputError(f"an architecture is a TOML file or a string, came {shown(source)}")
    head = source.partition(":")[0]
    if source.endswith(".toml") or "/" in head or os.sep in head or os.path.exists(source):
        return _read_file(source)
    return parse_compact(source)


def digest(network: Network) -> str:
    """Return twelve hexadecimal digits that change with the network: SHA-256 of its canonical TOML."""
    return hashlib.sha256(to_toml(network).encode()).hexdigest()[:12]


def _read_file(path: str) -> Network:
    with within(f"architecture {shown(path, 200)}"):
        return parse_toml(_text(path), name=Path(path).stem)


def _text(path: str) -> str:
    if os.path.exists(path) and not os.path.isfile(path):
        raise InputError("a directory or device, no file; name a TOML file")
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except (FileNotFoundError, ValueError):  # ValueError: a null character, which no file name has
        raise InputError("no such file; give a TOML file, or a string such as 3-4-1:tanh,sigmoid") from None
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror}); name a TOML file") from None
    if len(content) > LARGEST_FILE:
        raise InputError(f"larger than {LARGEST_FILE} bytes; expected the TOML file of an architecture")
    try:
        return content.decode("utf-8-sig")  # with the mark that some editors put in front
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8 at byte {error.start + 1}; save it as UTF-8") from None

"""Writing files so that none is ever half-written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from symbolic.errors import InputError

LARGEST = 1_000_000


def write_text(path: Path, text: str) -> None:
    """Write a text file by way of a temporary one beside it, making its folder where it is missing.

    Raises:
        InputError: The file cannot be written.
    """
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file in the same way.

    Raises:
        InputError: The file cannot be written.
    """
    write_together({path: content})


def write_together(contents: Mapping[Path, bytes]) -> None:
    """Write files of which none is of use without the others: all of them, or none where a disk is full.

    Raises:
        InputError: One cannot be written.
    """
    made: dict[Path, str] = {}
    path = Path()
    try:
        for path, content in contents.items():
            _check_place(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, made[path] = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.chmod(made[path], 0o666 & ~_umask())
        for path in contents:
            os.replace(made[path], path)
            del made[path]
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        for temporary in made.values():
            os.unlink(temporary)


def _check_place(path: Path) -> None:
    if not path.name or path.is_dir():
        raise InputError(f"cannot write {str(path)!r}: expected a file, not a directory")
    above = next((p for p in path.parents if p.exists()), None)
    if above is not None and not above.is_dir():
        raise InputError(f"cannot write {path}: {above} is no directory")


def read_text(path: Path) -> str:
    """Return the text of a file of at most a million bytes.

    Raises:
        InputError: It cannot be read.
    """
    try:
        content = path.read_bytes()[:LARGEST + 1]
        if len(content) > LARGEST:
            raise InputError(f"{path} has more than {LARGEST} bytes")
        return content.decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 at byte {error.start + 1}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

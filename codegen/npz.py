"""npz files: read with suspicion, written whole or not at all."""

from __future__ import annotations

import math
import os
import secrets
import struct
import zipfile
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy

from symbolic.errors import InputError

SIZE_LIMIT = 2 * 10**9
"""Bytes that the arrays of one file may take together, uncompressed."""

_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
# Not the clock: the same arrays give the same bytes. 1980 is the first year that zip knows.
_TIMESTAMP = (1980, 1, 1, 0, 0, 0)


def read_npz(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Read every array of an npz file, in the file's order, never unpickling.

    Args:
        path: A file as ``numpy.savez`` or ``numpy.savez_compressed`` writes it.

    Returns:
        Name → array of finite integers or floats, of any shape, in the file's dtype.

    Raises:
        InputError: No such file, no npz file, damaged, empty, too large, or an
            array that holds anything but finite real numbers; whatever the bytes are.
    """
    where = _printable(path)
    try:
        with _open(Path(path)) as file:
            _check_start(file)
            with zipfile.ZipFile(file) as archive:
                _check_count(file, archive)
                return {name: _read_member(archive, name, info) for name, info in _members(archive).items()}
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    # zipfile and NumPy promise no closed set of exceptions for damaged bytes (BadZipFile,
    # zlib.error, struct.error, NotImplementedError, EOFError, OSError, … are all met).
    except Exception as error:
        reason = _printable(" ".join(f"{type(error).__name__}: {error}".split()))
        raise InputError(f"{where}: truncated or damaged, expected an npz file as numpy.savez writes it; "
                         f"save it again ({reason})") from error


def write_npz(path: str | os.PathLike[str], arrays: dict[str, np.ndarray]) -> None:
    """Write arrays to an npz file that ``read_npz`` accepts, wholly or not at all.

    The same arrays in the same order give the same bytes.

    Raises:
        InputError: Nothing to write, an array that is not of finite real numbers,
            a name that zip cannot hold, or a place that cannot be written to.
    """
    where = _printable(path)
    # Beside the target, since a rename is atomic only within one file system; opened
    # by hand, since tempfile would leave the file readable to its owner alone.
    temporary = Path(path).parent / f".{secrets.token_hex(8)}.tmp"
    try:
        content = _pack(arrays)
        with open(temporary, "xb") as file:
            file.write(content)
        os.replace(temporary, path)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    except (OSError, ValueError, struct.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{where}: cannot be written: {reason}") from error
    finally:
        # After the rename there is nothing left to remove.
        if os.path.lexists(temporary):
            temporary.unlink()


def check_numbers(name: str, array: np.ndarray) -> None:
    """Refuse an array that is not of finite real numbers.

    Raises:
        InputError: Objects, text, dates, complex numbers, booleans, NaN or infinities.
    """
    _check_dtype(name, array.dtype)
    if array.dtype.kind != "f":
        return
    with np.errstate(over="ignore"):
        # A long double beyond float64 would turn infinite when it is cast.
        values = array.astype(np.float64) if array.dtype.itemsize > 8 else array
    nan, infinite = int(np.isnan(values).sum()), int(np.isinf(values).sum())
    if nan or infinite:
        raise InputError(f"array {name!r} holds {nan} NaN and {infinite} infinite of {array.size} values; "
                         "expected finite numbers")


def as_floating(name: str, array: np.ndarray) -> tuple[np.ndarray, str]:
    """Cast to float32 (from float32 and float16) or to float64 (from all else).

    Returns:
        A new array of the same shape in native byte order, and what changed in
        words, such as "int64 to float64", or "".

    Raises:
        InputError: As ``check_numbers`` does.
    """
    check_numbers(name, array)
    small = array.dtype.kind == "f" and array.dtype.itemsize <= 4
    target = np.dtype(np.float32 if small else np.float64)
    change = "" if array.dtype.name == target.name else f"{array.dtype.name} to {target.name}"
    return array.astype(target, order="C"), change


def _printable(path: str | os.PathLike[str]) -> str:
    text = str(path)
    return text if text.isprintable() else repr(text)


def _open(path: Path) -> BinaryIO:
    try:
        if not path.exists():
            raise InputError("no such file, expected an npz file")
        if path.is_dir():
            raise InputError("a directory, expected an npz file")
        # Opening a pipe would wait for a writer, and zip must seek.
        if not path.is_file():
            raise InputError("no regular file, expected an npz file")
        return open(path, "rb")
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}") from error


def _check_start(file: BinaryIO) -> None:
    start = file.read(6)
    if start == npy.MAGIC_PREFIX:
        raise InputError("a single .npy array, expected an npz file: use numpy.savez(path, NAME=array)")
    if not start.startswith(b"PK"):
        raise InputError("no npz file (no zip archive), expected one as numpy.savez writes it"
                         if start else "an empty file, expected an npz file")
    file.seek(0)


def _check_count(file: BinaryIO, archive: zipfile.ZipFile) -> None:
    """Compare the entries found with the number in the zip's end record, which zipfile overlooks.

    One flipped bit in the length of an entry hides all entries after it.
    """
    size = 22 + len(archive.comment)
    file.seek(-size, os.SEEK_END)
    signature, count = struct.unpack("<4s6xH", file.read(12))
    # Above 65534 entries the count stands elsewhere.
    if signature != b"PK\x05\x06" or count not in (len(archive.infolist()), 0xFFFF):
        raise InputError("truncated or damaged: its end does not fit its list of arrays; save it again")


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Check what the zip's directory says, before anything is decompressed."""
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        name = info.filename.removesuffix(".npy")
        if name == info.filename:
            raise InputError(f"holds {name!r}, which is no .npy array: save the arrays with numpy.savez")
        if name in members:
            raise InputError(f"holds the array {name!r} twice")
        # zipfile bounds what it decompresses at a time for these two methods only.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(f"array {name!r} is compressed in a way that numpy.savez_compressed never uses")
        members[name] = info
    total = sum(info.file_size for info in members.values())
    if total > SIZE_LIMIT:
        raise InputError(f"its arrays take {total} bytes uncompressed, expected at most {SIZE_LIMIT}")
    if not members:
        raise InputError("holds no arrays, expected at least one")
    return members


def _read_member(archive: zipfile.ZipFile, name: str, info: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(info) as member:
        version = npy.read_magic(member)
        if version not in _HEADERS:
            raise InputError(f"array {name!r} is in npy format {version}, expected (1, 0) or (2, 0)")
        shape, _, dtype = _HEADERS[version](member)
        _check_dtype(name, dtype)
        size = info.file_size - member.tell()
    # NumPy allocates what the header claims, hence the claim is checked first.
    if math.prod(shape) * dtype.itemsize != size:
        raise InputError(f"array {name!r} is damaged: {size} bytes, expected {dtype.name} of shape {shape}; "
                         "save it again")
    with archive.open(info) as member:
        array = npy.read_array(member, allow_pickle=False)
    check_numbers(name, array)
    return array


def _check_dtype(name: str, dtype: np.dtype) -> None:
    if dtype.hasobject:
        raise InputError(f"array {name!r} holds pickled Python objects, which are never loaded; "
                         "expected numbers: save each array under a name of its own")
    if dtype.kind not in "iuf":
        raise InputError(f"array {name!r} has dtype {dtype}, expected real numbers: "
                         "save it with .astype(float), labels with .astype(int)")


def _pack(arrays: dict[str, np.ndarray]) -> bytes:
    if not arrays:
        raise InputError("no arrays to write, expected at least one")
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            check_numbers(name, array)
            if "\0" in name:
                raise InputError(f"array name {name!r} holds a null character, which zip cannot store")
            info = zipfile.ZipInfo(f"{name}.npy", _TIMESTAMP)
            # Otherwise the system that runs this would show in the bytes.
            info.create_system, info.external_attr = 3, 0o644 << 16
            member = BytesIO()
            npy.write_array(member, np.asarray(array, order="C"), allow_pickle=False)
            archive.writestr(info, member.getvalue())
    return content.getvalue()

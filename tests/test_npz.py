"""npz files: every refusal, any bytes at all, and nothing half-written."""

from __future__ import annotations

import io
import os
import runpy
import struct
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from codegen import npz
from codegen.npz import as_floating, read_npz, write_npz
from symbolic.errors import InputError

Factory = pytest.TempPathFactory
QUIZ = Path(__file__).parent.parent / "examples" / "quiz"
ARRAYS = {"W1": np.arange(6.0).reshape(2, 3), "b1": np.array([[1], [2]]), "half": np.ones((1, 2), np.float16)}


def saved(**arrays: object) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def npy_claiming(header: str, content: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + content


def zipped_twice() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr("W1.npy", npy(np.ones(2)))
        archive.writestr("W1.npy", npy(np.zeros(2)))
    return buffer.getvalue()


def bomb() -> bytes:
    """Forge a directory that claims 3 GB, over a member that holds less than one kB."""
    data = bytearray(saved(W1=np.zeros(3)))
    struct.pack_into("<I", data, data.rindex(b"PK\x01\x02") + 24, 3 * 10**9)
    return bytes(data)


def encrypted() -> bytes:
    data = bytearray(saved(W1=np.zeros(3)))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    return bytes(data)


def refusal(path: object, content: bytes | None = None) -> str:
    if content is not None:
        Path(str(path)).write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_npz(path)  # type: ignore[arg-type]
    message = str(caught.value)
    assert message.isprintable(), "one line, whatever the file holds"
    return message.removeprefix(f"{path}: ")


BAD_FILES = {
    "empty file": (b"", "an empty file"),
    "text": (b"W1 = [1, 2]", "no npz file"),
    "plain npy": (npy(np.ones(3)), "a single .npy array"),
    "pickle": (b"\x80\x04K\x01.", "no npz file"),
    "truncated": (saved(**ARRAYS)[:-30], "truncated or damaged"),
    "only the start": (b"PK\x03\x04", "truncated or damaged"),
    "no arrays": (zipped({}), "holds no arrays"),
    "another file": (zipped({"model/data.pkl": b"x"}), "holds 'model/data.pkl', which is no .npy array"),
    "folder": (zipped({"W1/": b""}), "holds 'W1/', which is no .npy array"),
    "not npy inside": (zipped({"W1.npy": b"hello, world"}), "truncated or damaged"),
    "cut inside": (zipped({"W1.npy": npy(np.ones(9))[:-8]}), "array 'W1' is damaged"),
    "too long inside": (zipped({"W1.npy": npy(np.ones(9)) + b"x"}), "array 'W1' is damaged"),
    "trailing bytes": (saved(**ARRAYS) + b"more", "its end does not fit"),
    "twice": (zipped_twice(), "holds the array 'W1' twice"),
    "bomb": (bomb(), "take 3000000000 bytes uncompressed, expected at most 2000000000"),
    "lzma": (zipped({"W1.npy": npy(np.ones(9))}, zipfile.ZIP_LZMA), "array 'W1' is compressed in a way"),
    "bzip2": (zipped({"W1.npy": npy(np.ones(9))}, zipfile.ZIP_BZIP2), "array 'W1' is compressed in a way"),
    "encrypted": (encrypted(), "truncated or damaged"),
    "object": (saved(a=np.ones(2), W1=np.array([1, None])), "array 'W1' holds pickled Python objects"),
    "nested object": (saved(W1=np.zeros(2, [("x", object)])), "array 'W1' holds pickled Python objects"),
    # Counted in 64 bits, 2³² × 2³² elements are none.
    "huge claim": (zipped({"W1.npy": npy_claiming(
        "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}")}),
        "array 'W1' is damaged"),
    "negative claim": (zipped({"W1.npy": npy_claiming(
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -1)}", bytes(8))}), "truncated or damaged"),
    "code as header": (zipped({"W1.npy": npy_claiming("__import__('os').abort()")}), "truncated or damaged"),
    "deep header": (zipped({"W1.npy": npy_claiming("(" * 9000)}), "truncated or damaged"),
    "npy format 3": (zipped({"W1.npy": b"\x93NUMPY\x03\x00" + npy(np.ones(9))[8:]}), "npy format (3, 0)"),
    "strings": (saved(W1=np.array(["a"])), "array 'W1' has dtype <U1, expected real numbers"),
    "bytes": (saved(W1=np.array([b"a"])), "array 'W1' has dtype |S1"),
    "dates": (saved(W1=np.array(["2020-01-01"], "M8[D]")), "array 'W1' has dtype datetime64[D]"),
    "durations": (saved(W1=np.array([1], "m8[s]")), "array 'W1' has dtype timedelta64[s]"),
    "complex": (saved(W1=np.array([1j])), "array 'W1' has dtype complex128"),
    "booleans": (saved(W1=np.array([True])), "labels with .astype(int)"),
    "records": (saved(W1=np.zeros(2, [("x", float)])), "array 'W1' has dtype [('x', '<f8')]"),
    "NaN": (saved(a=np.ones(2), W1=np.array([np.nan, 1, np.nan])),
            "array 'W1' holds 2 NaN and 0 infinite of 3 values"),
    "infinite": (saved(W1=np.array([[np.inf, -np.inf, 1.0]], np.float16)), "'W1' holds 0 NaN and 2 infinite"),
    "control characters": (zipped({"\x1b[31m\nred": b""}), r"holds '\x1b[31m\nred', which is no"),
}


@pytest.mark.parametrize(("content", "expected"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_bad_file_is_refused_in_one_line(tmp_path: Path, content: bytes, expected: str) -> None:
    assert expected in refusal(tmp_path / "bad.npz", content)


def test_bad_place_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.npz").startswith("no such file")
    assert refusal(tmp_path).startswith("a directory")
    assert refusal(tmp_path / ("n" * 300)).startswith("cannot be read: File name too long")
    assert "no such file" in refusal("line\nbreak\0")
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe").startswith("no regular file")


def test_forbidden_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    write_npz(tmp_path / "p.npz", ARRAYS)
    # Not by chmod: root, as which containers run, may read everything.
    monkeypatch.setattr(npz, "open", forbid, raising=False)
    assert refusal(tmp_path / "p.npz") == "cannot be read: Permission denied"


@pytest.mark.skipif(np.finfo(np.longdouble).max == np.finfo(np.float64).max, reason="no wider float here")
def test_long_double_beyond_float64_is_refused(tmp_path: Path) -> None:
    assert "1 infinite" in refusal(tmp_path / "w.npz", saved(W1=np.array([np.longdouble("1e4000"), 1])))


def test_bomb_limit_counts_all_arrays_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = saved(a=np.zeros(100), b=np.zeros(100))
    monkeypatch.setattr(npz, "SIZE_LIMIT", 1500)
    assert "uncompressed" in refusal(tmp_path / "two.npz", content)
    write_npz(tmp_path / "one.npz", {"a": np.zeros(100)})
    assert read_npz(tmp_path / "one.npz")["a"].size == 100


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_reads_what_numpy_writes(tmp_path: Path, save: object) -> None:
    arrays = {**ARRAYS, "F": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "big": np.array([1.5], ">f8"),
              "scalar": np.float64(3), "none": np.zeros((0, 3)), "dense/kernel:0": np.array([[7]], np.uint8)}
    save(tmp_path / "a.npz", **arrays)  # type: ignore[operator]
    found = read_npz(tmp_path / "a.npz")
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == np.asarray(array).dtype


def intact(content: bytes, path: Path) -> None:
    """Read bytes that were tampered with: refused, or the arrays as they were."""
    path.write_bytes(content)
    try:
        found = read_npz(path)
    except InputError:
        refusal(path)
        return
    assert list(found) == list(ARRAYS), "no array may vanish"
    for name, array in found.items():
        np.testing.assert_array_equal(array, ARRAYS[name])


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_truncated_anywhere(tmp_path: Path, save: object) -> None:
    save(tmp_path / "a.npz", **ARRAYS)  # type: ignore[operator]
    content = (tmp_path / "a.npz").read_bytes()
    for end in range(len(content)):
        refusal(tmp_path / "a.npz", content[:end])


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_every_byte_flipped(tmp_path: Path, save: object) -> None:
    save(tmp_path / "a.npz", **ARRAYS)  # type: ignore[operator]
    content = (tmp_path / "a.npz").read_bytes()
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 1 << position % 8
        intact(bytes(damaged), tmp_path / "a.npz")


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.integers(0, 4000), st.integers(0, 255), max_size=6), st.binary(max_size=9))
def test_any_damage(tmp_path_factory: Factory, edits: dict[int, int], tail: bytes) -> None:
    content = bytearray(saved(**ARRAYS) + tail)
    for position, value in edits.items():
        content[position % len(content)] = value
    intact(bytes(content), tmp_path_factory.getbasetemp() / "damaged.npz")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=120))
def test_any_npy_header(tmp_path_factory: Factory, junk: bytes) -> None:
    """The checksum holds here, so that the damage reaches NumPy's reader."""
    path = tmp_path_factory.getbasetemp() / "junk.npz"
    refusal(path, zipped({"W1.npy": b"\x93NUMPY\x01\x00" + junk}))


names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
numbers: st.SearchStrategy[np.ndarray] = hnp.arrays(
    st.sampled_from([np.dtype(code) for code in ("f8", "f4", "f2", "i8", "u1", ">f8", ">i4")]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4), elements=st.integers(0, 100))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(names, numbers, min_size=1, max_size=4))
def test_written_is_read_back(tmp_path_factory: Factory, arrays: dict[str, np.ndarray]) -> None:
    path = tmp_path_factory.getbasetemp() / "round.npz"
    write_npz(path, arrays)
    found = read_npz(path)
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape


def test_same_arrays_same_bytes(tmp_path: Path) -> None:
    write_npz(tmp_path / "a.npz", ARRAYS)
    write_npz(tmp_path / "b.npz", {**ARRAYS, "W1": np.asfortranarray(ARRAYS["W1"])})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert np.load(tmp_path / "a.npz", allow_pickle=False)["W1"].shape == (2, 3)


BAD_ARRAYS = {
    "nothing": ({}, "no arrays to write"),
    "objects": ({"a": np.ones(2), "W1": np.array([None])}, "array 'W1' holds pickled"),
    "NaN": ({"a": np.ones(2), "W1": np.array([np.nan])}, "array 'W1' holds 1 NaN"),
    "null": ({"a\0b": np.ones(2)}, "null character"),
    "surrogate": ({"\udc80": np.ones(2)}, "cannot be written"),
    "long name": ({"n" * 70_000: np.ones(2)}, "cannot be written"),
}


@pytest.mark.parametrize(("arrays", "expected"), BAD_ARRAYS.values(), ids=BAD_ARRAYS.keys())
def test_failed_write_leaves_the_old_file(tmp_path: Path, arrays: dict, expected: str) -> None:
    path = tmp_path / "w.npz"
    path.write_bytes(b"old")
    with pytest.raises(InputError, match=expected):
        write_npz(path, arrays)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_failed_rename_or_place_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder").mkdir()
    for place in (tmp_path / "folder", tmp_path / "none" / "w.npz", f"{tmp_path}/a\0b", ""):
        with pytest.raises(InputError, match="cannot be written"):
            write_npz(place, ARRAYS)

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(KeyboardInterrupt):
        write_npz(tmp_path / "w.npz", ARRAYS)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_written_file_has_ordinary_permissions(tmp_path: Path) -> None:
    (tmp_path / "ordinary").write_bytes(b"")
    write_npz(tmp_path / "w.npz", ARRAYS)
    assert (tmp_path / "w.npz").stat().st_mode == (tmp_path / "ordinary").stat().st_mode


CASTS = {
    "float64": ("float64", ""), "float32": ("float32", ""), ">f4": ("float32", ""), ">f8": ("float64", ""),
    "float16": ("float32", "float16 to float32"), "int8": ("float64", "int8 to float64"),
    "uint64": ("float64", "uint64 to float64"),
}


@pytest.mark.parametrize("given_dtype", CASTS)
def test_casts(given_dtype: str) -> None:
    array = np.array([[1, 2, 3]], given_dtype)
    cast, change = as_floating("W1", array)
    assert (cast.dtype.name, change) == CASTS[given_dtype]
    assert cast.dtype.isnative
    assert not np.shares_memory(cast, array)
    np.testing.assert_array_equal(cast, array)


def test_long_double_becomes_float64() -> None:
    assert as_floating("W1", np.ones(2, np.longdouble))[0].dtype == np.float64


def test_quiz_files_are_what_the_quiz_says(tmp_path: Path) -> None:
    script = runpy.run_path(str(QUIZ / "make_data.py"))
    script["write"](tmp_path)
    for name in ("parameters.npz", "data.npz"):
        assert (tmp_path / name).read_bytes() == (QUIZ / name).read_bytes()
    parameters, data = read_npz(QUIZ / "parameters.npz"), read_npz(QUIZ / "data.npz")
    assert list(parameters) == ["W1", "b1", "W2", "b2", "W3", "b3"]
    assert list(data) == ["X", "y"]
    assert {a.dtype for a in (*parameters.values(), *data.values())} == {np.dtype(np.float64)}
    assert sum(array.size for array in parameters.values()) == 36
    np.testing.assert_allclose(parameters["W1"][0], [0.5488135, 0.71518937, 0.60276338], atol=5e-9)
    np.testing.assert_array_equal(data["X"], [[1], [0], [1]])
    np.testing.assert_array_equal(data["y"], [[0], [0], [1]])
    # Q2 of the quiz: a1 and its sum.
    a1 = parameters["W1"] @ data["X"] + parameters["b1"]
    np.testing.assert_allclose(a1[:, 0], [1.5350184, 1.98250233, 1.93014489], atol=5e-9)
    assert float(a1.sum()) == pytest.approx(5.44766562448759, abs=1e-14)

"""`gradwright build`, the targets of `generate`, and what `--explain` counts."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys

import pytest

from codegen.explaining import explain
from codegen.workspace.module import generate_workspace
from gradwright import files
from gradwright.commands import build
from symbolic import derive, read_architecture
from symbolic.errors import InputError

COMPACT = "3-3-3-3:sigmoid,sigmoid,softmax?name=quiz"
USE = """
import numpy as np, {module} as m
p = m.initialize(0)
print(m.loss_and_gradients(p, np.ones((3, 2)), np.eye(3)[:, [0, 2]])[0])
"""
needs_compiler = pytest.mark.skipif(not any(map(shutil.which, ("cc", "gcc", "clang"))), reason="no C compiler")


def command(*arguments, cwd, **environment):
    return subprocess.run([sys.executable, "-m", "gradwright", *arguments], cwd=cwd, capture_output=True, text=True,
                          env={**os.environ, "XDG_CACHE_HOME": str(cwd / "cache"), **environment}, check=False)


def loss_of(module, folder):
    return float(subprocess.check_output([sys.executable, "-c", USE.format(module=module)], cwd=folder, text=True))


@needs_compiler
def test_built_module_is_imported_without_the_project(tmp_path):
    found = command("build", COMPACT, "-o", "out", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert found.stdout.startswith("wrote out/quiz_c.py and _quiz_")
    assert command("generate", COMPACT, "-o", "out", cwd=tmp_path).returncode == 0
    assert loss_of("quiz_c", tmp_path / "out") == pytest.approx(loss_of("quiz", tmp_path / "out"), rel=1e-14)


def test_without_a_compiler_the_next_best_target_is_written(tmp_path):
    found = command("build", COMPACT, "-o", "out", cwd=tmp_path, PATH=str(tmp_path), CC="")
    assert found.returncode == 0, found.stderr
    reason, wrote = found.stdout.splitlines()
    assert reason.startswith("c cannot be had: no C compiler was found")
    assert wrote in ("wrote out/quiz_numba.py", "wrote out/quiz_workspace.py")
    module = wrote.removeprefix("wrote out/").removesuffix(".py")
    assert reason.endswith(f"{'numba' if 'numba' in module else 'numpy-workspace'} is used instead")
    assert loss_of(module, tmp_path / "out") > 0


@pytest.mark.skipif(importlib.util.find_spec("numba") is not None, reason="numba is there")
def test_without_numba_the_next_best_target_is_written(tmp_path):
    found = command("build", COMPACT, "--target", "numba", "-o", "out", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    reason, wrote = found.stdout.splitlines()
    assert re.fullmatch(r"numba cannot be had: No module named 'numba[.\w]*'; numpy-workspace is used instead", reason)
    assert wrote == "wrote out/quiz_workspace.py"


@pytest.mark.parametrize(("target", "name"), [("numpy", "quiz.py"), ("numpy-workspace", "quiz_workspace.py"),
                                              ("numba", "quiz_numba.py"), ("c", "quiz.c")])
def test_each_target_is_written_and_checked(tmp_path, target, name):
    for _ in range(2):
        found = command("generate", COMPACT, "--target", target, "-o", "out", cwd=tmp_path)
        assert (found.returncode, found.stdout) == (0, f"wrote out/{name}\n"), found.stderr
    text = (tmp_path / "out" / name).read_text()
    assert command("generate", COMPACT, "--target", target, "-o", "out", "--check", cwd=tmp_path).returncode == 0
    (tmp_path / "out" / name).write_text(text + "\n")
    assert command("generate", COMPACT, "--target", target, "-o", "out", "--check", cwd=tmp_path).returncode == 1


def test_bad_options_are_refused_in_one_line(tmp_path):
    for arguments, words in ((("--target", "fortran"), "expected numpy, numpy-workspace, numba, c"),
                             (("--dtype", "float"), "--dtype is of the target c")):
        found = command("generate", COMPACT, *arguments, cwd=tmp_path)
        assert found.returncode == 2
        assert words in found.stderr
        assert "Traceback" not in found.stderr
    for verb in (("generate", "--target", "c"), ("generate", "--explain"), ("build",)):
        found = command(verb[0], "n-2:softmax", *verb[1:], cwd=tmp_path)
        assert (found.returncode, "expected integer widths" in found.stderr) == (2, True)


@needs_compiler
@pytest.mark.parametrize("before", [False, True], ids=["at first", "over older files"])
def test_a_full_disk_leaves_both_files_or_none(tmp_path, before, monkeypatch):
    """Whichever of the two fails, what was there before is there after."""
    for failing in (1, 2):
        folder = tmp_path / f"{failing}"
        if before:
            folder.mkdir()
            build(COMPACT, "c", str(folder))
            for file in folder.iterdir():
                file.write_bytes(b"older")
        kept, calls, write = {f.name: f.read_bytes() for f in folder.glob("*")}, [], files.os.fdopen

        def fdopen(handle, mode, write=write, calls=calls, failing=failing):
            calls.append(handle)
            if len(calls) == failing:
                os.close(handle)
                raise OSError(28, "No space left on device")
            return write(handle, mode)

        with monkeypatch.context() as patch:
            patch.setattr(files.os, "fdopen", fdopen)
            with pytest.raises(InputError, match=r"cannot write .*: No space left on device"):
                build(COMPACT, "c", str(folder))
        assert {f.name: f.read_bytes() for f in folder.glob("*")} == kept
        assert not [f for f in folder.glob(".*") if f.is_file()]


@pytest.mark.parametrize(("arguments", "words"), [
    (("--explain", "--check"), "leave out --check and -o"), (("--explain", "-o", "out"), "leave out --check and -o"),
    (("--check", "-o", "-"), "-o is the folder")])
def test_options_that_exclude_one_another_are_refused(tmp_path, arguments, words):
    found = command("generate", COMPACT, *arguments, cwd=tmp_path)
    assert (found.returncode, found.stderr.count("\n"), words in found.stderr) == (2, 1, True), found.stderr
    assert not [f for f in tmp_path.iterdir() if f.name != "cache"]


@pytest.mark.parametrize(("compact", "words"), [
    (COMPACT, "For one sample forward, loss, loss_and_gradients and step are written out"),
    ("30-40-3:tanh,softmax", "the first was chosen throughout: forward alone takes"),
    ("2-2:exp(x)?loss=mean_squared_error", "functions that may overflow"),
    ("20-20-3:tanh,softmax", "For one sample forward and loss are written out")])
def test_numpy_workspace_says_which_variant_was_chosen_and_why(compact, words):
    head = generate_workspace(read_architecture(compact)).split('"""')[1]
    assert "Of two variants, whole arrays and single numbers," in " ".join(head.split())
    assert words in " ".join(head.split())


def test_explain_counts_what_the_passes_do():
    stages = {s.name: s for s in explain(derive(read_architecture("5-7-4:tanh,softmax")), samples=10)}
    assert next(iter(stages)) == "derivation"
    assert list(stages)[-1] == "liveness"
    # The five products, each 2 m k n: W1 X, W2 h1, ∇a2 h1ᵀ, W2ᵀ ∇a2, ∇a1 Xᵀ.
    products = 2 * 10 * (7 * 5 + 4 * 7 + 4 * 7 + 7 * 4 + 7 * 5)
    assert products < stages["liveness"].flops < products + 10 * 40 * (7 + 4)
    assert stages["fuse"].equations < stages["dead"].equations
    assert stages["liveness"].buffers < stages["fuse"].buffers <= stages["dead"].buffers
    assert stages["sum_and_broadcast"].flops < stages["stabilise"].flops
    twice = {s.name: s for s in explain(derive(read_architecture("5-7-4:tanh,softmax")), samples=20)}
    assert twice["liveness"].buffers == 2 * stages["liveness"].buffers


def test_explain_at_80_columns(tmp_path):
    found = command("generate", COMPACT, "--explain", "--samples", "1", cwd=tmp_path, COLUMNS="80")
    assert found.returncode == 0
    assert max(map(len, found.stdout.splitlines())) <= 80
    assert not list(tmp_path.glob("generated"))

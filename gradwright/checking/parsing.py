"""From a text to its syntax tree, with IPython's lines replaced, or the reason why there is none."""

from __future__ import annotations

import ast
import warnings

from gradwright.checking.magics import line_magics, without_wrapping

DEEPEST = 150
"""As deeply may a syntax tree be nested: what reads it recurs, some frames a level."""


class NotPythonError(Exception):
    """Why a text is no Python: the line and what Python says."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line, self.reason = line, reason


def clean(text: str) -> str:
    """Return a text with one kind of line ends, and no half of a character, which JSON can hold and no file."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def parsed(text: str) -> tuple[ast.Module, list[tuple[int, str]]]:
    """Return the tree, and what was replaced, by line: nothing in a text that is Python as it stands.

    Raises:
        NotPythonError: It is none even so, or nested too deeply.
    """
    try:
        return _tree(text), []
    except NotPythonError as error:
        mended, replaced = line_magics(text)
        tree = _indented(mended, error)
    return without_wrapping(tree), [(r.line, r.message) for r in replaced]


def _indented(text: str, first: NotPythonError) -> ast.Module:
    """Return the tree of a text whose first line may be indented: IPython takes such a cell."""
    try:
        return _tree(text)
    except NotPythonError:
        if "unexpected indent" not in first.reason and not text.lstrip("\n")[:1].isspace():
            raise
        try:
            tree = _tree("if 1:\n" + text)
        except NotPythonError:
            pass
        else:
            if len(tree.body) == 1 and isinstance(block := tree.body[0], ast.If) and not block.orelse:
                unwrapped = ast.Module(block.body, [])
                ast.increment_lineno(unwrapped, -1)
                return unwrapped
        raise


def _tree(text: str) -> ast.Module:
    if "\0" in text:
        raise NotPythonError(text[:text.index("\0")].count("\n") + 1, "it holds a null character")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the author's escapes and comparisons
            tree = ast.parse(text)
    except SyntaxError as error:
        raise NotPythonError(error.lineno or 1, error.msg) from error
    except (RecursionError, MemoryError) as error:
        raise NotPythonError(1, "it is nested too deeply to be read") from error
    except ValueError as error:
        raise NotPythonError(1, str(error)) from error
    _require_shallow(tree)
    return tree


def _require_shallow(tree: ast.Module) -> None:
    level: list[ast.AST] = [tree]
    for _ in range(DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return
    line = next((n.lineno for n in level if isinstance(n, ast.expr | ast.stmt)), 1)
    raise NotPythonError(line, f"it is nested more than {DEEPEST} deep")

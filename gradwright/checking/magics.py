"""The lines of a notebook that are IPython's and no Python, replaced so that every other line keeps its number."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

_BODY_IS_PYTHON = frozenset({"capture", "memit", "mprun", "prun", "time", "timeit"})
"""Cell magics that run the rest of the cell as it stands; any other makes it another language, or text."""

_TIMED = "if 1: "
"""As long as ``%time ``, so that the statement behind it keeps its columns; `without_wrapping` undoes it."""

_SHELL = re.compile(r"(pip|pip3|conda|mamba|cd|ls|mkdir|cp|mv|rm|cat)\s+\S")
"""Commands that IPython takes without a percent sign."""

_ASSIGNED = re.compile(r"(?P<before>[\w\s.,*\[\]'\"]+=\s*)(?P<magic>%(?!\s)|!)(?P<rest>.*)", re.DOTALL)

_TOKEN = re.compile(r"""
      \#[^\n]*
    | \"{3}(?:\\.|[^\\])*?\"{3} | '{3}(?:\\.|[^\\])*?'{3}
    | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'
    | (?P<open>[(\[{]) | (?P<close>[)\]}])
    | \\\n
    | (?P<newline>\n)
    | [^\#"'()\[\]{}\\\n]+ | .
""", re.DOTALL | re.VERBOSE)
"""What must be told apart to know where a logical line ends; a quote that is not closed counts as one character."""


@dataclass(frozen=True)
class Replaced:
    """A line that was replaced: its number, counted from 1, and what to say of it."""

    line: int
    message: str


def cell_magic(text: str) -> tuple[str | None, tuple[Replaced, ...]]:
    """Blank the cell magics at the head of a cell.

    Returns:
        The text with the same number of lines, or None where the magic makes the rest no Python; and what to say.
    """
    lines = text.split("\n")
    replaced: list[Replaced] = []
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        if not (match := re.match(r"%%\s*(\S*)", line)):
            break
        if match[1] not in _BODY_IS_PYTHON:
            return None, (*replaced, Replaced(number + 1, f"the cell was not read: %%{match[1]} makes it no Python"))
        replaced.append(Replaced(number + 1, f"{_shown(line)} was left out, and the rest of the cell read"))
        lines[number] = ""
    return "\n".join(lines), tuple(replaced)


def line_magics(text: str) -> tuple[str, tuple[Replaced, ...]]:
    """Replace magics, shell lines and questions for help by ``pass``, at the indentation where they stand.

    An assigned one, such as ``files = !ls``, becomes ``files = ...``, which is a value that nobody knows; of ``%time``
    only itself goes. Only what begins a logical line counts: ``%`` in a string, or within brackets, is left alone.
    """
    pieces: list[str] = []
    replaced: list[Replaced] = []
    number = 1
    for logical in _logical_lines(text):
        new, message = _without_magic(logical)
        if message:
            replaced.append(Replaced(number, message))
        pieces.append(new)
        number += logical.count("\n")
    return "".join(pieces), tuple(replaced)


def without_wrapping(tree: ast.Module) -> ast.Module:
    """Put in place of each ``if 1:`` that stands for ``%time`` the statement it holds."""
    class Unwrap(ast.NodeTransformer):
        def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
            self.generic_visit(node)
            timed = isinstance(node.test, ast.Constant) and node.test.value == 1 and not node.orelse
            return node.body if timed and node.body[0].lineno == node.lineno else node

    changed = Unwrap().visit(tree)
    assert isinstance(changed, ast.Module)
    return changed


def _logical_lines(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = _end_of_magic(text, start) or _end_of_statement(text, start)
        yield text[start:end]
        start = end


def _end_of_magic(text: str, start: int) -> int | None:
    """Return where the magic ends that begins at ``start``; its text need not have Python's quotes and brackets."""
    if not re.compile(r"[ \t]*([%!?]|" + _SHELL.pattern + ")").match(text, start):
        return None
    end = re.compile(r"(?:[^\\\n]|\\\n|\\)*\n?").match(text, start)
    return end.end() if end else None


def _end_of_statement(text: str, start: int) -> int:
    depth = 0
    for token in _TOKEN.finditer(text, start):
        depth = max(0, depth + bool(token["open"]) - bool(token["close"]))
        if token["newline"] and not depth:
            return token.end()
    return len(text)


def _without_magic(logical: str) -> tuple[str, str]:
    """Return what to put in a logical line's place, and what to say; an empty word where it is Python."""
    bare = logical.strip()
    indent = logical[:len(logical) - len(logical.lstrip(" \t"))]
    rest = "\n" * logical.count("\n")
    if bare.startswith("%time ") and (statement := bare[len("%time "):].lstrip()) and _parses(statement):
        return indent + _TIMED + logical[len(indent) + len(_TIMED):], "%time was left out, and its statement read"
    if bare.startswith(("%", "!", "?")) or (_asks(bare) and not _parses(bare)):
        return indent + "pass" + rest, f"{_shown(bare)} is IPython's, and was left out"
    if _SHELL.match(bare) and not _parses(bare):
        return indent + "pass" + rest, f"{_shown(bare)} is a command, and was left out"
    if "\n" not in bare and (assigned := _ASSIGNED.fullmatch(bare)):
        before, after = assigned["before"], assigned["rest"]
        if after.startswith("time ") and _parses(after[5:].lstrip()):
            return indent + before + " " * 6 + after[5:] + rest, "%time was left out, and its expression read"
        return indent + before + "..." + rest, f"{_shown(bare)} is IPython's: its value is not known"
    return logical, ""


def _asks(bare: str) -> bool:
    return bool(re.fullmatch(r"[%\w.*\[\]'\"]+\?{1,2}", bare.split("#")[0].strip()))


def _parses(code: str) -> bool:
    try:
        ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _shown(line: str) -> str:
    first = line.strip().split("\n")[0]
    return first if len(first) <= 40 else first[:39] + "…"

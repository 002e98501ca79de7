"""An answer as text of the language that can be pasted back in: its equations, and what has to be declared."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from sympy import Expr, MatrixSymbol, S, Symbol

from symbolic.answers import Answer
from symbolic.errors import InputError, VerificationError
from symbolic.evaluate import Size, run
from symbolic.evidence import CHOICES, sizes
from symbolic.language.reading import Reading, read
from symbolic.language.spelling import LanguagePrinter
from symbolic.language.tokens import LONGEST
from symbolic.program import Equation, Program, needed
from symbolic.samples import sample
from symbolic.terms import is_matrix, operand_indices, rebuilt, shape, symbols_of

LONG, WORTH, ROOM = 160, 12, 1000
"""From so many characters on an equation is written by names for what it repeats, if that has so many; and what
the declarations of a text may take."""


class TooLongError(InputError):
    """An answer that is longer than a text that the language reads."""


def pasted(program: Program, equations: Sequence[Equation], more: Sequence[Expr] = ()) -> str:
    """Return the last of the equations in the language, after those that it needs.

    Args:
        program: What defines the names.
        equations: To come after the program's.
        more: Symbols besides the program's inputs, as the direction of a map.

    Raises:
        InputError: A function has no name in the language.
        TooLongError: It is longer than what is read.
        VerificationError: The text read back has another value.
    """
    kept = needed((*program.equations, *equations), [equations[-1].symbol])
    printer = LanguagePrinter()
    if any(len(printer.show(e.term)) > LONG for e in kept):
        kept = shared(kept, {str(s.name) for s in (*program.inputs, *program.parameters, *more)})
    lines = [f"{e.name} = {printer.show(e.term)}" for e in kept[:-1]] + [printer.show(kept[-1].term)]
    used = frozenset().union(*(symbols_of(e.term) for e in kept))
    inputs = [s for s in (*program.inputs, *program.parameters, *more) if s in used]
    text = "; ".join(lines)
    if len(text) > LONGEST - ROOM:
        raise TooLongError(f"the derivative has {len(text)} characters")
    if not _reads_alike(text, inputs, kept[-1].term, used):
        text = "; ".join([*_declarations(inputs, used, program, printer), *lines])
        if not _reads_alike(text, inputs, kept[-1].term, used):
            text = "; ".join([*_declarations([*program.inputs, *program.parameters, *more], used, program,
                                                   printer), *lines])
    _verify(text, program, kept, more)
    return text


def shared(equations: Sequence[Equation], taken: set[str]) -> tuple[Equation, ...]:
    """Return the equations with a name for each longer part that stands in them more than once."""
    printer, counts = LanguagePrinter(), Counter[Expr]()

    def count(term: Expr) -> None:
        counts[term] += 1
        if counts[term] == 1 and not isinstance(term, MatrixSymbol | Symbol) and not _is_number(term):
            for i in operand_indices(term):
                count(term.args[i])

    for equation in equations:
        count(equation.term)
    taken |= {e.name for e in equations}
    free = (f"t{i}" for i in itertools.count(1) if f"t{i}" not in taken)
    names: dict[Expr, Expr] = {}
    result: list[Equation] = []

    def change(term: Expr) -> Expr:
        if term in names:
            return names[term]
        if not operand_indices(term) or isinstance(term, MatrixSymbol | Symbol) or _is_number(term):
            return term
        indices = operand_indices(term)
        changed = rebuilt(term, [change(a) if i in indices else a for i, a in enumerate(term.args)])
        if counts[term] > 1 and len(printer.show(term)) > WORTH and shape(changed) == shape(term):
            name = next(free)
            names[term] = MatrixSymbol(name, *term.shape) if is_matrix(term) else Symbol(name, real=True)
            result.append(Equation(names[term], changed))
            return names[term]
        return changed

    for equation in equations:
        result.append(Equation(equation.symbol, change(equation.term)))
    return tuple(result)


def _is_number(term: Expr) -> bool:
    return not is_matrix(term) and bool(term.is_number)


def _declarations(symbols: Sequence[Expr], used: frozenset[Expr], program: Program,
                  printer: LanguagePrinter) -> list[str]:
    found = []
    for symbol in symbols:
        if not is_matrix(symbol):
            found.append(f"{symbol.name}: scalar")
            continue
        rows, columns = (_size(d, printer) for d in shape(symbol))
        keys = [a.key for a in program.assumptions if a.symbol == symbol]
        found.append(" ".join([f"{symbol.name}: {rows} x {columns}", *keys]))
    declared = {a for s in symbols if is_matrix(s) for d in s.shape for a in d.free_symbols}
    numbers = sorted((s for s in used if s.is_integer and not is_matrix(s) and s not in declared), key=str)
    taken = {str(s.name) for s in (*program.inputs, *program.parameters, *program.position)}
    free = (f"T{i}" for i in itertools.count(1) if f"T{i}" not in taken)
    for number in numbers:  # a matrix says that the name is a dimension, an input that has it if there is one
        having = [s for s in (*program.inputs, *program.parameters) if is_matrix(s) and number in s.shape]
        rows, columns = having[0].shape if having else (number, S.One)
        name = having[0].name if having else next(free)
        line = f"{name}: {_size(rows, printer)} x {_size(columns, printer)}"
        found += [line] if line not in found else []
    return found


def _size(dimension: Expr, printer: LanguagePrinter) -> str:
    text = printer.show(dimension)
    return text if dimension.is_Symbol or dimension.is_Integer else f"({text})"


def _reads_alike(text: str, inputs: Sequence[Expr], term: Expr, used: frozenset[Expr]) -> bool:
    """Say whether the text is read with the same symbols, each a scalar, a column, a row or a matrix as before."""
    try:
        reading = read(text)
    except InputError:
        return False
    dimensions = {a for s in (*inputs, term) if is_matrix(s) for d in s.shape for a in d.free_symbols}
    if any(s in used for s in dimensions):
        return _kinds(inputs) == _kinds(reading.symbols.values()) and all(
            shape(reading.symbols[s.name]) == shape(s) for s in inputs)
    same = _kinds(inputs) == _kinds(reading.symbols.values())
    return same and _kind(reading.program.result) == _kind(term) and _fits(reading, inputs, term)


def _fits(reading: Reading, inputs: Sequence[Expr], term: Expr) -> bool:
    """Say whether the sizes that were read become the right ones by other names, the same one for several perhaps."""
    names: dict[Expr, Expr] = {}
    pairs = [(reading.program.result, term), *((reading.symbols[s.name], s) for s in inputs)]
    for found, wanted in pairs:
        for theirs, ours in zip(shape(found), shape(wanted), strict=True):
            if theirs.is_Symbol and names.setdefault(theirs, ours) != ours:
                return False
            if not theirs.is_Symbol and theirs != ours:
                return False
    return True


def _kinds(symbols: Iterable[Expr]) -> dict[str, str]:
    return {str(s.name): _kind(s) for s in symbols}


def _kind(term: Expr) -> str:
    if not is_matrix(term):
        return "scalar"
    rows, columns = term.shape
    return "column" if columns == S.One else "row" if rows == S.One else "matrix"


def _verify(text: str, program: Program, equations: Sequence[Equation], more: Sequence[Expr]) -> None:
    """Check that the text means the equations, at a random point."""
    try:
        reading = read(text)
    except InputError as error:
        raise TooLongError(f"the derivative is more than what is read of the language: {error}") from error
    for start, descending in CHOICES:
        size = sizes(program, start, descending)
        for draw in (4, 0, 8, 12):
            if _compared(text, reading, program, equations, more, size, draw):
                return
    raise VerificationError("the text of the answer could not be compared with it: no finite value was found")


def _compared(text: str, reading: Reading, program: Program, equations: Sequence[Equation], more: Sequence[Expr],
              size: Size, draw: int) -> bool:
    """Compare a text with the equations at a point; False where they have no finite value there."""
    rng = np.random.default_rng(draw)
    symbols = [*program.inputs, *program.parameters, *more]
    values = {s: sample(s, program, size, rng, draw) for s in symbols}
    dimensions = {a: float(size(a)) for t in (*symbols, *(e.term for e in equations)) for a in t.free_symbols
                  if a.is_integer and not is_matrix(a)}
    by_name = {str(s): v for s, v in dimensions.items()} | {str(s.name): v for s, v in values.items()}
    theirs = {s: by_name[str(s.name)] for s in reading.program.inputs if str(s.name) in by_name}
    found_sizes = _sizes(reading, theirs, {str(d): int(v) for d, v in dimensions.items()})
    with np.errstate(all="ignore"):
        try:
            ours = run(equations, values | dimensions, size)[equations[-1].symbol]
            value = run(reading.program.equations, theirs | {d: float(v) for d, v in found_sizes.items()},
                        lambda d: int(d.subs(found_sizes)))[reading.program.result]
        except np.linalg.LinAlgError:
            return False
    if np.shape(ours) != np.shape(value) or not np.allclose(ours, value, rtol=1e-8, atol=1e-10, equal_nan=True):
        raise VerificationError(f"the text {text!r} does not read back as the answer; it is withheld")
    return bool(np.all(np.isfinite(ours)))


def _sizes(reading: Reading, values: Mapping[Expr, Any], known: Mapping[str, int]) -> dict[Expr, int]:
    """Return the integer of each dimension that was read, from the arrays or by its name."""
    found: dict[Expr, int] = {}
    for symbol in reading.program.inputs:
        if symbol in values and is_matrix(symbol):
            for d, n in zip(symbol.shape, np.shape(values[symbol]), strict=True):
                if d.is_Symbol:
                    found[d] = n
    for equation in reading.program.equations:
        for d in equation.term.free_symbols | (equation.symbol.free_symbols if is_matrix(equation.symbol) else set()):
            if d.is_integer and d not in found and str(d) in known:
                found[d] = known[str(d)]
    return found


def texts(program: Program, answer: Answer) -> tuple[str, str]:
    """Return an answer in the language, and its map in terms of the direction (empty where there is none)."""
    text = pasted(program, answer.equations)
    return text, pasted(program, [*answer.equations[:-1], *answer.map], [answer.direction]) if answer.map else ""

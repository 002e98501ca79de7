"""From a program and what is asked of it to verified answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from sympy import Basic, Expr, Identity, MatrixSymbol, S, Symbol, ZeroMatrix

from symbolic.answers import Answer, Answers
from symbolic.conventions import remarks
from symbolic.derivation import Free, Gradient, Step
from symbolic.differentiation import differentiate, engine_context, jacobian
from symbolic.errors import InputError
from symbolic.evidence import verify_answer
from symbolic.forward import differentials
from symbolic.identities import Context
from symbolic.language.pasting import TooLongError, texts
from symbolic.operations.table import Rule
from symbolic.program import Assumption, Equation, Program, needed
from symbolic.shortening import shorten, simplified
from symbolic.structure import vec
from symbolic.terms import (
    MatrixDifferential,
    ScalarDifferential,
    add,
    differential,
    hadamard,
    is_matrix,
    negative,
    rebuilt,
    shape,
    transpose,
)

OPEN = ("positive", "invertible")
"""Properties that a small change leaves as they are. A gradient that was simplified by another one, as by Sᵀ = S, is
true at such S alone, and must not be differentiated by S again."""

MOST_PASSED = 12
"""A longer program has a named gradient for each of its values; a shorter one is passed through, to one formula."""


@dataclass(frozen=True)
class Question:
    """A program, the variables, and the order of the derivatives that are wanted.

    Attributes:
        source: As it was typed.
        program: All of its symbols are inputs.
        wrt: The variables.
        order: 1 or 2.
        convention: ``unconstrained``, or ``symmetric`` for gradients by the free entries of symmetric matrices.
    """

    source: str
    program: Program
    wrt: tuple[Expr, ...]
    order: int
    convention: str = "unconstrained"


def answer(question: Question) -> Answers:
    """Return the derivatives that were asked for, each verified.

    Raises:
        InputError: Second derivatives of what is no scalar.
        VerificationError: An answer disagrees with numbers.
    """
    program = question.program
    verified = (replace(a, verified=verify_answer(program, a)) for a in derived(question))
    return Answers(question.source, program, question.order, tuple(spelled(program, a) for a in verified))


def derived(question: Question) -> list[Answer]:
    """Return the answers with their steps, not verified yet."""
    program = question.program
    scalar = not is_matrix(program.result)
    if question.order == 2 and not scalar:
        raise InputError(f"expected a scalar for second derivatives, came {_shape(program.result)}; "
                         "ask for those of its entries or of a sum")
    if not scalar:
        found = [_matrix_answer(program, w) for w in question.wrt]
    else:
        found = _scalar_answers(replace(program, inputs=tuple(s for s in program.inputs if s not in question.wrt),
                                        parameters=question.wrt), question)
    if question.convention == "symmetric":
        found = _by_free_entries(program, found)
    return [replace(a, notes=remarks(program, a), assumptions=_assumed(a)) for a in found]


STRUCTURED = Rule(
    "free_entries", r"\langle G, \mathrm{d}S\rangle = \textstyle\sum_{i \le j} "
    r"((G + G^{\top} - I \odot G) \odot \mathrm{d}S)_{ij} \text{ for } S = S^{\top}",
    "⟨G, dS⟩ = Σ over i ≤ j of ((G + Gᵀ − I ⊙ G) ⊙ dS)ᵢⱼ for S = Sᵀ", "The Matrix Cookbook (2012), equation (138)")


def _by_free_entries(program: Program, answers: Sequence[Answer]) -> list[Answer]:
    """Return gradients by symmetric matrices as those by the free entries, other gradients as they are.

    Raises:
        InputError: They are no gradients, or no variable is declared symmetric.
    """
    symmetric = {a.symbol: a.key for a in program.assumptions if a.key in ("symmetric", "psd")}
    symmetric |= {a.symbol: a.key for a in program.assumptions if a.key == "diagonal"}
    if any(a.kind != "gradient" for a in answers) or not any(a.wrt[0] in symmetric for a in answers):
        raise InputError(f"the symmetric convention is for gradients by matrices declared symmetric, psd or diagonal; "
                         f"asked was the {answers[0].kind} by {', '.join(a.name for a in answers)}")
    return [_structured(program, a, symmetric[a.wrt[0]]) if a.wrt[0] in symmetric else a for a in answers]


def _structured(program: Program, found: Answer, key: str) -> Answer:
    """Return a gradient by the free entries of a symmetric or diagonal matrix."""
    (wrt,), record = found.wrt, found.derivations[-1]
    own = hadamard(Identity(wrt.shape[0]), record.term)
    term = own if key == "diagonal" else add(record.term, transpose(record.term), negative(own))
    line = (Free(term, differential(wrt)),)
    record = replace(record, term=term, steps=(*record.steps, Step(STRUCTURED, line, assumption=None)))
    record = simplified(record, engine_context(program))
    return replace(found, equations=(*found.equations[:-1], record.equation),
                   derivations=(*found.derivations[:-1], record), convention="symmetric")


def spelled(program: Program, found: Answer) -> Answer:
    """Return an answer with its text in the language, which has been read back and compared."""
    try:
        text, map_text = texts(program, found)
    except TooLongError as error:
        note = f"There is no text of the answer in the matrix language: {error}. The other formats have it."
        return replace(found, notes=(*found.notes, note))
    return replace(found, text=text, map_text=map_text)


def _shape(term: Expr) -> str:
    return " x ".join(map(str, shape(term)))


def _assumed(answer: Answer) -> tuple[Assumption, ...]:
    return tuple(dict.fromkeys(a for g in answer.derivations for a in g.assumptions))


def _scalar_answers(program: Program, question: Question) -> list[Answer]:
    long = len(program.equations) > MOST_PASSED
    if long and question.order == 1:
        return _by_named_gradients(program, question.wrt)
    context = engine_context(program)
    if question.order == 1:
        gradients = differentiate(program).by_name
        records = [shorten(gradients[str(w.name)], context) for w in question.wrt]
        return [Answer("gradient", (g.wrt,), (g.equation,), derivations=(g,)) for g in records]
    free = replace(program, assumptions=tuple(
        a for a in program.assumptions if a.key in OPEN or a.symbol not in question.wrt))
    gradients = differentiate(free).by_name
    records = [shorten(gradients[str(w.name)], engine_context(free)) for w in question.wrt]
    answers = [_hessian(free, g, g.wrt, context) for g in records]
    return answers + [_hessian(free, g, h.wrt, context) for g, h in combinations(records, 2)]


def _by_named_gradients(program: Program, wrt: Sequence[Expr]) -> list[Answer]:
    """Return the gradients with one for each named value between: linear in the length of the program."""
    derivation = differentiate(replace(program, through=frozenset()))
    answers = []
    for w in wrt:
        own = derivation.gradient(str(w.name))
        equations = needed((g.equation for g in derivation.gradients), [own.symbol])
        symbols = {e.symbol for e in equations}
        answers.append(Answer("gradient", (w,), equations,
                              derivations=tuple(g for g in derivation.gradients if g.symbol in symbols)))
    return answers


def _hessian(program: Program, gradient: Gradient, wrt: Expr, assumed: Context) -> Answer:
    """Return the block ∂∇/∂wrt of second derivatives, and the map H[V] where a matrix is differentiated by itself.

    Nothing is assumed of the variables until both derivatives are taken.
    """
    own, x, y = gradient.wrt == wrt, str(gradient.wrt.name), str(wrt.name)
    symbol = _named(f"hessian:{x}" if own else f"mixed:{x}:{y}", gradient.wrt, wrt)
    before = needed((*program.equations, gradient.equation), [gradient.symbol])
    extended = replace(program, equations=before)
    block = jacobian(extended, wrt, symbol) if is_matrix(gradient.symbol) else _row(extended, wrt, symbol)
    block = shorten(simplified(block, assumed), assumed)
    answer = Answer("hessian", (gradient.wrt,) if own else (gradient.wrt, wrt),
                    (gradient.equation, Equation(symbol, block.term)), derivations=(gradient, block))
    if own and _wide(wrt):
        records = tuple(shorten(simplified(r, assumed), assumed) for r in differentials(extended, wrt))
        return _with_map(answer, program, records, MatrixSymbol(_free("VUWZDH", program), *wrt.shape),
                         Symbol(f"map:{x}:V"), (gradient, *records, block))
    return answer


def _row(program: Program, wrt: Expr, symbol: Expr) -> Gradient:
    """Return the derivative of a scalar as a row, from its gradient."""
    inputs = tuple(s for s in (*program.inputs, *program.parameters) if s != wrt)
    record = differentiate(replace(program, inputs=inputs, parameters=(wrt,))).gradient(str(wrt.name))
    term = transpose(vec(record.term)) if is_matrix(wrt) else record.term
    return replace(record, symbol=symbol, term=term, of=program.result)


def _matrix_answer(program: Program, wrt: Expr) -> Answer:
    result = program.result
    f, x = str(result.name), str(wrt.name)
    flat = _wide(result) or _wide(wrt)
    kind = "derivative" if not is_matrix(wrt) else "vec_jacobian" if flat else "jacobian"
    by_scalar = not is_matrix(wrt)
    symbol = MatrixSymbol(f"{kind}:{f}:{x}", *(result.shape if by_scalar else _sizes(result, wrt)))
    context = engine_context(program)
    record = shorten(jacobian(program, wrt, symbol), context)
    equations = (Equation(symbol, record.term),)
    if by_scalar or not flat:
        return Answer("jacobian", (wrt,), equations, derivations=(record,))
    records = tuple(shorten(r, context) for r in differentials(program, wrt))
    answer = Answer("differential", (wrt,), equations, derivations=(record,))
    direction = MatrixSymbol(_free([f"d{x}"], program), *wrt.shape)
    return _with_map(answer, program, records, direction, MatrixSymbol(f"d{f}", *result.shape), (*records, record))


def _with_map(answer: Answer, program: Program, records: Sequence[Gradient], direction: MatrixSymbol, symbol: Expr,
              derivations: tuple[Gradient, ...]) -> Answer:
    """Return the answer with its map: the differentials by names, that of the variable called ``direction``."""
    names: dict[Basic, Expr] = {}
    wrt, equations = answer.wrt[0], []
    names[MatrixDifferential(wrt)] = direction
    for record in records:
        assert record.of is not None
        last = record is records[-1]
        name = _free([f"d{record.of.name}"], program)
        own = Symbol(name, real=True) if not is_matrix(record.of) else MatrixSymbol(name, *record.of.shape)
        if last:
            own = symbol if is_matrix(symbol) else MatrixSymbol(symbol.name, *record.of.shape)
        equations.append(Equation(own, renamed(record.term, names)))
        kind = MatrixDifferential if is_matrix(record.of) else ScalarDifferential
        names[Basic.__new__(kind, record.of)] = own
    if not records:
        sizes = shape(symbol) if is_matrix(symbol) else shape(wrt)
        equations.append(Equation(MatrixSymbol(symbol.name, *sizes), ZeroMatrix(*sizes)))
    return replace(answer, map=tuple(equations), direction=direction, derivations=derivations)


def renamed(term: Basic, names: Mapping[Basic, Expr]) -> Expr:
    """Return a term with differentials replaced by symbols."""
    found = names.get(term)
    if found is not None:
        return found
    if not term.args or isinstance(term, MatrixSymbol):
        return term
    arguments = [renamed(a, names) for a in term.args]
    if all(new is old for new, old in zip(arguments, term.args, strict=True)):
        return term
    return rebuilt(term, arguments)


def _wide(symbol: Expr) -> bool:
    """Say whether a symbol is a matrix with more than one row and more than one column."""
    return is_matrix(symbol) and S.One not in symbol.shape


def _sizes(result: Expr, wrt: Expr) -> tuple[Expr, Expr]:
    (m, n), (p, q) = shape(result), shape(wrt)
    return m * n, p * q


def _named(name: str, of: Expr, wrt: Expr) -> Expr:
    if not is_matrix(of) and not is_matrix(wrt):
        return Symbol(name, real=True)
    if is_matrix(of) and not is_matrix(wrt):
        return MatrixSymbol(name, *of.shape)
    return MatrixSymbol(name, *_sizes(of, wrt))


def _free(wishes: Iterable[str], program: Program) -> str:
    """Return the first name that the program does not use."""
    used = {str(s.name) for s in (*program.inputs, *program.parameters, *(e.symbol for e in program.equations))}
    used |= {str(d) for s in program.inputs for d in shape(s)}
    candidates = [*wishes, *(f"{next(iter(wishes))}{i}" for i in range(1, 99))]
    return next(c for c in candidates if c not in used)

"""Edits of the letters of an einsum."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradwright.checking.edit_context import Context
from gradwright.checking.edit_pieces import Piece
from gradwright.checking.edit_types import Edit


def einsum_edits(context: Context, kind: str) -> Iterator[Edit]:
    """Yield an einsum with other letters or operands in another order: the edits of one kind of mistake."""
    for node in context.values:
        if not isinstance(node, ast.Call) or context.expression.function(node) != "einsum" or len(node.args) < 2:
            continue
        letters, *operands = node.args
        if not isinstance(letters, ast.Constant) or not isinstance(letters.value, str):
            continue
        text = letters.value.replace(" ", "")
        inputs, arrow, output = text.partition("->")
        terms = inputs.split(",")
        if not arrow or len(terms) != len(operands):
            continue
        quote = context.expression.text(letters)[0]
        for other, told, found in _others(terms, output):
            if found == kind:
                new = Piece(f"{quote}{','.join(other[:-1])}->{other[-1]}{quote}")
                yield context.edit({letters: new}, kind, told.replace("%", new.text), letters)
        if kind == "operator" and len(operands) == 2:
            changes = {operands[0]: context.piece(operands[1]), operands[1]: context.piece(operands[0])}
            yield context.edit(changes, kind, "the operands of the einsum stand in the wrong order", node)


def _others(terms: list[str], output: str) -> Iterator[tuple[list[str], str, str]]:
    """Yield terms and output changed, with a sentence in which % is the new text, and a kind."""
    every = [*terms, output]
    for i, term in enumerate(every):
        if len(term) == 2:
            told = f"the letters `{term}` of the einsum are transposed: `%` belongs there"
            yield [*every[:i], term[::-1], *every[i + 1 :]], told, "transpose"
    if len(terms) == 2 and all(len(term) == 2 for term in terms):
        told = "the wrong operands of the einsum are transposed: `%` belongs there"
        yield [terms[0][::-1], terms[1][::-1], output], told, "transpose"
        for first in (terms[0], terms[0][::-1]):
            yield [first, terms[1], *[output[::-1]]], told, "transpose"
            yield [first, terms[1][::-1], output[::-1]], told, "transpose"
    letters = sorted(set("".join(every)))
    for i, term in enumerate(every):
        for j, letter in enumerate(term):
            for new in letters:
                if new != letter:
                    changed = term[:j] + new + term[j + 1 :]
                    if i < len(terms) or (len(set(changed)) == len(changed) and new in "".join(terms)):
                        told = f"the letter `{letter}` in `{term}` of the einsum is wrong: `%` belongs there"
                        yield [*every[:i], changed, *every[i + 1 :]], told, "operator"
    if len(terms) == 2 and all(len(term) == 2 for term in terms):
        told = "the einsum is another product: `%` belongs there"
        for product in ("ij,ij->ij", "ij,jk->ik", "ij,kj->ik", "ji,jk->ik", "ji,kj->ik"):
            first, arrow, out = product.partition("->")
            kind = "operator" if len(out) == len(output) else "missing_sum"
            yield [*first.split(","), out] if arrow else every, told, kind
    for j in range(len(output)):
        told = "the einsum does not sum over the right letters: `%` belongs there"
        yield [*terms, output[:j] + output[j + 1 :]], told, "missing_sum"
    for letter in letters:
        if letter not in output:
            told = "the einsum sums over too many letters: `%` belongs there"
            yield [*terms, output + letter], told, "missing_sum"
            yield [*terms, letter + output], told, "missing_sum"

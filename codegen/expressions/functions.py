"""The functions of an expression's module: the value, its derivatives, and their maps."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sympy import Expr

from codegen.expressions.arguments import PROPERTIES, words_of
from codegen.expressions.bodies import Scope, write_body
from codegen.expressions.layout import Computed, Layout
from codegen.expressions.lines import WIDTH
from codegen.expressions.properties import SYMMETRIC, Properties
from codegen.expressions.words import answer_words, shape_words
from symbolic.answers import Answers
from symbolic.program import Assumption


@dataclass(frozen=True)
class Function:
    """A function as text: its name, parameters, docstring and body."""

    name: str
    signature: str
    words: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Task:
    """A function that is to be written.

    Attributes:
        name: Its name.
        words: Its docstring.
        results: The symbols to compute by their keys.
        directions: What it takes besides the arguments, of a map.
    """

    name: str
    words: str
    results: Mapping[str, Expr]
    directions: tuple[Expr, ...] = ()


class Functions:
    """The functions of a module, with what was found while they were written."""

    def __init__(self, answers: Answers, layout: Layout) -> None:
        self.answers = answers
        self.layout = layout
        self.scope = Scope(layout.names, layout.arrays, layout.sizes, layout.dimensions, layout.taken)
        self.assumptions = tuple(dict.fromkeys(
            (*answers.program.assumptions, *(a for answer in answers.answers for a in answer.assumptions))))
        self.tasks = self._tasks()
        definitions = {e.symbol: e.term for e in layout.equations}
        self.properties = [Properties.of(self.assumptions, definitions) for _ in self.tasks]
        self.bodies = [write_body(layout.equations, task.results, properties, self.scope)
                       for task, properties in zip(self.tasks, self.properties, strict=True)]

    def _tasks(self) -> list[Task]:
        result = self.answers.program.result
        tasks = [Task("value", f"Return the value of the expression ({shape_words(result)}).", {"": result})]
        if self.closed:
            tasks.append(Task("derivative", answer_words([c.answer for c in self.closed]),
                              {c.answer.name: c.value for c in self.closed if c.value is not None}))
        for name, second in (("differential", False), ("hessian_product", True)):
            mapped = [c for c in self.layout.computed
                      if c.mapped is not None and (c.answer.kind == "hessian") == second]
            if mapped:
                directions = tuple(dict.fromkeys(c.answer.direction for c in mapped if c.answer.direction is not None))
                listed = ", ".join(f"{self.layout.directions[d]} ({shape_words(d)})" for d in directions)
                tasks.append(Task(name, answer_words([c.answer for c in mapped], listed),
                                  {c.answer.name: c.mapped for c in mapped if c.mapped is not None}, directions))
        return tasks

    @property
    def closed(self) -> list[Computed]:
        """The answers that are arrays, and not maps alone."""
        return [c for c in self.layout.computed if c.value is not None]

    @cached_property
    def used(self) -> tuple[Assumption, ...]:
        """The assumptions that are checked: those that the answers and the passes rest on."""
        noted = {a for answer in self.answers.answers for a in answer.assumptions}.union(
            *(p.used for p in self.properties))
        return tuple(a for a in self.assumptions
                     if a in noted and a.key in PROPERTIES and a.symbol in self.layout.arguments)

    @property
    def unchecked(self) -> bool:
        """Whether differences need the value at arguments that lack a property that is checked."""
        return any(a.symbol in answer.wrt for a in self.used for answer in self.answers.answers)

    @property
    def moves(self) -> dict[Expr, str]:
        """The symmetry that directions have to keep: second derivatives rest on it, and what the value's code uses."""
        relied = self.used if self.answers.order == 2 else self.properties[0].used
        structured = {w for a in self.answers.answers if a.convention == "symmetric" for w in a.wrt}
        relied = {*relied, *(a for a in self.answers.program.assumptions if a.symbol in structured)}
        found: dict[Expr, str] = {}
        for assumption in sorted((a for a in relied if a.key in SYMMETRIC), key=lambda a: a.key == "diagonal"):
            found[assumption.symbol] = "diagonal" if assumption.key == "diagonal" else "symmetric"
        return found

    @property
    def parameters(self) -> list[str]:
        """The names of the arguments within the module."""
        return [self.layout.names[s] for s in self.layout.arguments]

    def texts(self) -> list[Function]:
        """Return all functions; one that hands its checked arguments on is followed by the one that takes them."""
        found = []
        for task, body in zip(self.tasks, self.bodies, strict=True):
            keywords = [*(self.layout.directions[d] for d in task.directions), *self.layout.arguments.values()]
            lines = (*self._direction_lines(task), *body)
            if self.layout.renamed or (task.name == "value" and self.unchecked):
                names = [*(self.layout.names[d] for d in task.directions), *self.parameters]
                found += [
                    Function(task.name, signature(task.name, keywords), task.words, (self._handed_on(task),)),
                    Function(f"_{task.name}", signature(f"_{task.name}", names, ""),
                             f"Compute what `{task.name}` returns, from checked arguments.", lines)]
            else:
                found.append(Function(task.name, signature(task.name, keywords), task.words,
                                      (*self._unpacking(), *lines)))
        return found

    def _handed_on(self, task: Task) -> str:
        """Return the statement that checks the arguments and calls the function that computes."""
        given = call("_arguments", self.layout.arguments.values())
        one = given if len(self.layout.arguments) == 1 else f"*{given}"
        return "return " + call(f"_{task.name}", [*(self.layout.directions[d] for d in task.directions), one])

    def _unpacking(self) -> list[str]:
        """Return the statement that checks the arguments."""
        names = self.parameters
        line = f"{', '.join(names)} = {call('_arguments', names)}"
        if not names or len(line) + 4 <= WIDTH:
            return [line] if names else []
        inside = textwrap.wrap(", ".join(names) + ",", WIDTH, initial_indent="    ", subsequent_indent="    ")
        return ["(", *inside, ") = _arguments(", *inside, ")"]

    def _direction_lines(self, task: Task) -> list[str]:
        lines = []
        for direction in task.directions:
            name, keyword = self.layout.names[direction], self.layout.directions[direction]
            like = self.layout.names[self.layout.variable(direction)]
            lines.append(f'{name} = _like("{keyword}", {name}, {like}, "{words_of(direction.shape)}")')
        return lines


def call(function: str, arguments: Iterable[str]) -> str:
    """Return the text of a call."""
    return f"{function}({', '.join(arguments)})"


def signature(name: str, names: Sequence[str], first: str = "*") -> str:
    """Return the parameters of a function, by keyword only unless ``first`` is empty; over lines where long."""
    text = ", ".join([*([first] if first and names else []), *names])
    if len(f"def {name}({text}):") <= WIDTH:
        return text
    return "\n" + textwrap.fill(text, WIDTH, initial_indent="    ", subsequent_indent="    ") + "\n"

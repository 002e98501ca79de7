"""A derivation as what the templates show: equations, blocks of steps, the rules they name, all from its record."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from markupsafe import Markup

from gradwright.reporting.folding import Run, backward_runs, forward_runs
from gradwright.reporting.mathematics import Mathematics
from gradwright.reporting.rule_names import rule_name
from symbolic.derivation import Derivation, Gradient, Line, Step
from symbolic.formats.latex import shaped
from symbolic.formats.parts import assumptions, building_blocks, definition, functions, source
from symbolic.operations.entrywise import function_name
from symbolic.operations.table import Rule
from symbolic.printing import LatexPrinter, TextPrinter
from symbolic.program import Assumption, Equation


@dataclass(frozen=True)
class ShownEquation:
    """An equation with its shape and the place where it stands."""

    anchor: str
    name: str
    formula: Markup
    text: str
    shape: str


@dataclass(frozen=True)
class ShownRule:
    """A rule, an assumption or an equation that a step names: its statement and its source."""

    anchor: str
    name: str
    statement: Markup
    text: str
    source: str
    assumed: bool = False


@dataclass(frozen=True)
class ShownStep:
    """A line of a derivation, and the rule that led to it."""

    left: Markup | str
    line: Markup
    rule: ShownRule


@dataclass(frozen=True)
class Block:
    """A gradient and how it was found."""

    anchor: str
    name: str
    title: Markup
    shape: str
    assumptions: tuple[Markup, ...]
    steps: tuple[ShownStep, ...]
    result: Markup
    boxed: Markup


@dataclass(frozen=True)
class Layers:
    """Layers first to last: the equations or blocks of one, and the letter that stands for its number if folded.

    What belongs to no layer, and all of a program that is no network, has the number 0.
    """

    title: str
    first: int
    last: int
    index: str
    equations: tuple[ShownEquation, ...] = ()
    blocks: tuple[Block, ...] = ()

    @property
    def count(self) -> int:
        """How many layers."""
        return self.last - self.first + 1


@dataclass
class Telling:
    """What is told of a derivation on one page; it collects the rules as the steps name them."""

    derivation: Derivation
    shown: Sequence[Gradient]
    mathematics: Mathematics
    prefix: str = ""
    rules: dict[Rule | Equation | Assumption, ShownRule] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._latex, self._text = LatexPrinter(), TextPrinter()
        self._places: dict[Equation, ShownRule] = {}
        self._taken: set[str] = set()
        names = [str(p.name) for p in self.derivation.forward.parameters]
        self._layers = sum(name.startswith("W") for name in names) if all(
            re.fullmatch(r"[Wb]\d+", name) for name in names) else 0

    def forward(self) -> list[Layers]:
        """Return the forward equations, layer by layer."""
        equations = self.derivation.forward.equations
        runs = forward_runs(self.derivation) if self._layers else [Run(0, 0, equations)]
        return [replace(self._grouped(r), equations=tuple(self._equation(e, "eq") for e in r.records)) for r in runs]

    def backward(self) -> list[Layers]:
        """Return the gradients, layer by layer; the one by the last layer's values belongs to the loss."""
        runs = backward_runs(self.derivation, self.shown) if self._layers else [Run(0, 0, tuple(self.shown))]
        return [replace(self._grouped(r), blocks=tuple(map(self.block, r.records))) for r in runs]

    def _grouped(self, run: Run[Any]) -> Layers:
        if run.index:
            return Layers(f"Layers {run.index} = {run.first} … {run.last}, all alike", run.first, run.last, run.index)
        if 0 < run.first <= self._layers:
            return Layers(f"Layer {run.first}", run.first, run.last, "")
        return Layers("Loss" if self._layers else "", 0, 0, "")

    def definitions(self) -> list[Markup]:
        """Return the elementwise functions that a reader needs to know, and the constants."""
        latex, text = self._latex, self._text
        found = [(f"{function_name(f, latex=True)}(x) = {latex.show(definition(f))}",
                  f"{function_name(f, latex=False)}(x) = {text.show(definition(f))}")
                 for f in functions(self.derivation, self.shown)]
        found += [(f"{latex.show(s)} = {value:g}", f"{text.show(s)} = {value:g}")
                  for s, value in self.derivation.forward.constants.items()]
        return [self.mathematics.show(*pair) for pair in found]

    def assumptions(self) -> list[tuple[Markup, str]]:
        """Return what is assumed, and why it holds."""
        return [(self.mathematics.show(a.latex, a.text), a.reason) for a in assumptions(self.derivation, self.shown)]

    def others(self) -> list[ShownEquation]:
        """Return the gradients that the shown ones use but that are not shown."""
        return [self._equation(e, "with") for e in building_blocks(self.derivation, self.shown)]

    def block(self, gradient: Gradient) -> Block:
        """Return a gradient with its steps."""
        show = self.mathematics.show
        left = show(self._latex.left(gradient), self._text.left(gradient))
        steps = tuple(ShownStep(left if i == 0 else "", self._line(step.after), self._rule(step))
                      for i, step in enumerate(gradient.steps))
        equation = gradient.equation
        text = self._text.equation(equation)
        return Block(
            self._anchor(gradient.symbol.name), self._text.show(gradient.symbol),
            show(self._latex.show(gradient.symbol), self._text.show(gradient.symbol)),
            self._text.shape(gradient.symbol), tuple(show(a.latex, a.text) for a in gradient.assumptions), steps,
            show(shaped(gradient, self._latex), f"{text}   {self._shapes(equation)}"),
            show(self._latex.equation(equation), text))

    def _shapes(self, equation: Equation) -> str:
        return f"{self._text.shape(equation.symbol)} = {self._text.factored(equation.term)}"

    def _line(self, line: Line) -> Markup:
        return self.mathematics.show(self._latex.line(line), self._text.line(line))

    def _equation(self, equation: Equation, kind: str) -> ShownEquation:
        text = self._text.equation(equation)
        shown = ShownEquation(self._anchor(f"{kind}-{equation.name}"), self._text.show(equation.symbol),
                              self.mathematics.show(self._latex.equation(equation), text), text,
                              self._text.shape(equation.symbol))
        self._places[equation] = ShownRule(shown.anchor, "", shown.formula, text, "the program")
        return shown

    def _rule(self, step: Step) -> ShownRule:
        if step.equation is not None:
            return self._named(step)
        key = step.assumption or step.rule
        if key not in self.rules:
            kind = "assumption" if step.assumption else "rule"
            self.rules[key] = ShownRule(
                self._anchor(f"{kind}-{step.rule.key}"), rule_name(step.rule.key),
                self.mathematics.show(self._latex.statement(step), self._text.statement(step)),
                self._text.statement(step), source(step), step.assumption is not None)
        return self.rules[key]

    def _anchor(self, name: str) -> str:
        """Return an identifier that nothing on the page has yet."""
        anchor = self.prefix + slug(name)
        while anchor in self._taken:
            anchor += "-again"
        self._taken.add(anchor)
        return anchor

    def _named(self, step: Step) -> ShownRule:
        """Return the equation that a step put in, where it stands on the page, else among the rules."""
        assert step.equation is not None
        name = f"{rule_name(step.rule.key)} of {self._text.show(step.equation.symbol)}"
        known = self._places.get(step.equation)
        if known is not None:
            return ShownRule(known.anchor, name, known.statement, known.text, known.source)
        if step.equation not in self.rules:
            text = self._text.statement(step)
            self.rules[step.equation] = ShownRule(
                self._anchor(f"rule-of-{step.equation.name}"), name,
                self.mathematics.show(self._latex.statement(step), text), text, source(step))
        return self.rules[step.equation]


def slug(name: str) -> str:
    """Return a name as a part of an identifier of the page."""
    return re.sub(r"[^A-Za-z0-9-]+", "-", name).strip("-")

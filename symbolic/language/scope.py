"""The names of a text: what shape each has, what was declared of it, and what it stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sympy import Expr

from symbolic.errors import InputError
from symbolic.language.dimensions import SCALAR, Dimensions, Shape, Unknown
from symbolic.language.functions import LANGUAGE
from symbolic.language.parser import PROPERTIES
from symbolic.language.sizes import LARGEST_SIZE, ONE, evaluate_size, never
from symbolic.language.tree import Declaration, FlawError, Name, Node, Source, Statement, Text, postorder

SQUARE = ("symmetric", "psd", "diagonal", "invertible")
"""The properties that only square matrices have."""


class Scope:
    """The names of one text.

    Attributes:
        dims: What is known of the dimensions.
        shapes: The shape of each name so far.
        properties: What was declared of each name, in the text or beside it.
        used: The names that were used as inputs, in order.
        defined: The names that equations define, in order.
        counted: The dimensions that were used as scalars.
        bounds: Polynomials that are zero or more if all sizes are as they should be, each with its character.
    """

    def __init__(self, text: Text, shapes: Mapping[str, Shape], properties: Mapping[str, Sequence[str]]) -> None:
        self.source: Source = text.source
        self.words = text.words
        self.dims = Dimensions()
        self.shapes: dict[str, Shape] = dict(shapes)
        self.properties: dict[str, tuple[str, ...]] = {n: tuple(p) for n, p in properties.items()}
        self.used: dict[str, None] = {}
        self.defined: dict[str, None] = {}
        self.counted: set[str] = set()
        self.bounds: list[tuple[Expr, int]] = []
        self._dimensions = {str(s.name) for shape in shapes.values() for d in shape if isinstance(d, Expr)
                            for s in d.free_symbols}
        self._declared: set[str] = set()
        for declaration in text.declarations:
            self._declare(declaration)
        for name in properties:
            if name in self.shapes:
                self._square(name)

    # Declarations.

    def _declare(self, declaration: Declaration) -> None:
        shape: Shape | None = SCALAR if declaration.scalar else None
        for node in declaration.shape or ():
            self._dimensions |= {n.name for n in postorder(node) if isinstance(n, Name)}
        if declaration.shape:
            sizes = [self.size(d) for d in declaration.shape]
            shape = (sizes[0], sizes[1] if len(sizes) > 1 else ONE)
        for node in declaration.names:
            self._check_word(node.name, node.position)
            self._shape_declared(node, shape)
            earlier = self.properties.get(node.name, ())
            self.properties[node.name] = tuple(dict.fromkeys((*earlier, *declaration.properties)))
            self._declared.add(node.name)
            self._square(node.name, node.position)

    def _shape_declared(self, node: Name, shape: Shape | None) -> None:
        if node.name not in self.shapes:
            self.shapes[node.name] = shape or self._default(node.name)
        elif shape and not self._agree(self.shapes[node.name], shape):
            raise self.source.refusal(f"{node.name} is declared as {self.show(shape)} here, and as "
                                      f"{self.show(self.shapes[node.name])} elsewhere", node.position)

    def _agree(self, left: Shape, right: Shape) -> bool:
        return self.dims.unify(left[0], right[0]) and self.dims.unify(left[1], right[1])

    def _square(self, name: str, position: int | None = None) -> None:
        found = [p for p in self.properties.get(name, ()) if p in SQUARE]
        if found and not self.dims.meet(*self.shapes[name]):
            problem = f"{name} is {self.show(self.shapes[name])}, and only a square matrix is {found[0]}"
            raise InputError(problem) if position is None else self.source.refusal(problem, position)

    def _check_word(self, name: str, position: int) -> None:
        if name in LANGUAGE:
            raise self.source.refusal(f"{name} is a function, and no name", position, "; choose another name")
        if name in PROPERTIES or name == "scalar":
            raise self.source.refusal(f"{name} is a word of declarations, and no name", position,
                                      "; choose another name")

    def _default(self, name: str) -> Shape:
        """Return the shape of a name that is not declared: by its first letter, as matrixcalculus.org has it."""
        if "a" <= name[0] <= "g":
            return SCALAR
        rows = self.dims.unknown()
        return (rows, ONE) if name[0].islower() else (rows, self.dims.unknown())

    # Names in expressions.

    def use(self, node: Name) -> Shape:
        """Return the shape of a name in an expression; a declared dimension is a scalar."""
        name = node.name
        self._check_word(name, node.position)
        if name not in self.defined and name not in self.shapes and name in self._dimensions:
            self.counted.add(name)
            return SCALAR
        if name not in self.defined:
            self.used[name] = None
        if name not in self.shapes:
            self.shapes[name] = self._default(name)
            self._square(name)
        return self.shapes[name]

    def define(self, statement: Statement, shape: Shape) -> None:
        """Note that an equation defines a name."""
        name, position = str(statement.name), statement.position
        self._check_word(name, position)
        if name in self.defined:
            raise self.source.refusal(f"{name} is defined twice", position)
        if name in self.used or name in self.counted:
            raise self.source.refusal(f"{name} is used before it is defined", position,
                                      "; put its equation first, or choose another name")
        if self.properties.get(name):
            raise self.source.refusal(f"{name} is defined by an equation, and declared {self.properties[name][0]}",
                                      position, "; properties are declared of inputs only")
        if name in self.shapes and not self._agree(self.shapes[name], shape):
            raise self.source.refusal(f"{name} is {self.show(shape)}, and declared as {self.show(self.shapes[name])}",
                                      position)
        self.shapes[name] = shape
        self.defined[name] = None

    def size(self, node: Node) -> Expr:
        """Return a dimension, which has to be positive.

        Raises:
            FlawError: It is none.
        """
        found = self.bound(node)
        if never(found - 1):
            raise FlawError(f"a size is a whole number from 1, came {found}", position=node.position)
        if found.is_Integer and found > LARGEST_SIZE:
            raise FlawError(f"a size is at most {LARGEST_SIZE}, came {found}", position=node.position)
        self.bounds.append((found - 1, node.position))
        return found

    def bound(self, node: Node) -> Expr:
        """Return the value of an expression in dimensions.

        Raises:
            FlawError: It is none.
        """
        for part in postorder(node):
            if isinstance(part, Name) and part.name not in self._dimensions and (
                    part.name in self._declared or part.name in self.defined):
                raise FlawError(f"{part.name} is a quantity, and no dimension",
                                "; sizes and indices are numbers and dimensions", part.position)
        return evaluate_size(node)

    def finish(self) -> None:
        """Settle all dimensions.

        Raises:
            InputError: A shape or property was given for a name that is not there.
            FlawError: Sizes contradict each other.
        """
        for name in (*self.properties, *self.shapes):
            if name not in self.used and name not in self.defined and name not in self._declared:
                held = ", ".join((*self.used, *self.defined)) or "no name"
                raise InputError(f"a shape or property was given for {name}, which is not in the expression; "
                                 f"it holds {held}")
        self.dims.settle(self.words | self._dimensions | set(self.shapes))
        self.bounds += self.dims.positive

    def show(self, shape: Shape) -> str:
        """Return a shape in words; ? stands for what is not known."""
        shape = self.dims.shape(shape)
        if shape == SCALAR:
            return "a scalar"
        words = ("?" if isinstance(d, Unknown) else f"({d})" if d.is_Add else str(d) for d in shape)
        return "×".join(words).replace("**", "^")

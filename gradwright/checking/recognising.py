"""Which network a file computes: parameters, inputs and labels by how they are used, activations by their values."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gradwright.checking.interpreter import Interpreter
from gradwright.checking.naming import label
from gradwright.checking.nodes import Node
from gradwright.checking.objects import Event

PRODUCTS = ("matmul", "einsum", "inner", "tensordot", "vdot", "outer")
_VIEWS = ("T", "transpose", "reshape", "ravel", "squeeze", "expand_dims", "swapaxes", "moveaxis", "atleast_2d", "copy",
          "array", "asarray", "astype", "positive", "flatten", "float", "ascontiguousarray")
_BEFORE, _AFTER = r"(?:^|[._'\"])", r"(?:$|['\"\]\[])"
_INPUT = re.compile(_BEFORE + r"(?:x|xs|inputs?|data|features|x_?(?:train|batch|data|in|norm)|a0|h0|z0|images?|samples)"
                    + _AFTER, re.IGNORECASE)
_LABEL = re.compile(_BEFORE + r"(?:y|ys|t|targets?|labels?|truth|y_?(?:train|batch|true|onehot|one_hot|enc|oh)|"
                    r"one_?hot\w*|e_?y|d)" + _AFTER, re.IGNORECASE)
_WEIGHT = re.compile(_BEFORE + r"(?:w|ws|weights?|theta|kernel|u|v)(?:_?\d+)?"
                     r"(?:_?(?!al(?:id)?\b|est\b)[a-z]{1,3})?" + _AFTER, re.IGNORECASE)


def called_input(name: str) -> bool:
    """Say whether a name is one that people give to inputs."""
    return bool(_INPUT.search(name) or re.fullmatch(r"[xX]_?(?:te|tr|test|val|valid|dev|te?st)\w*", name))


def called_label(name: str) -> bool:
    """Say whether a name is one that people give to labels."""
    return name != "d" and bool(_LABEL.search(name) or re.fullmatch(r"[yYtT]_?(?:te|tr|test|val|valid|dev)\w*", name))


@dataclass(frozen=True)
class Leaf:
    """A parameter, the inputs or the labels, as the code has them.

    Attributes:
        ours: Our name: ``W1``, ``b1``, ``X`` or ``Y``.
        event: The assignment that gives the code's value.
        path: The code's name.
        transposed: Whether the code has the transpose of ours.
        shape: The shape in the code.
        classes: Whether labels are class numbers.
    """

    ours: str
    event: int
    path: str
    transposed: bool
    shape: tuple[int, ...]
    classes: bool = False


@dataclass(frozen=True)
class Wiring:
    """What was found of a network before its functions are looked at.

    Attributes:
        samples: ``columns`` or ``rows``.
        widths: Inputs, then the units of each layer.
        leaves: Parameters, in the order W1, b1, W2, …; then inputs and labels, several where samples come singly.
        words: What was taken for granted, in sentences.
    """

    samples: str
    widths: tuple[int, ...]
    leaves: tuple[Leaf, ...]
    words: tuple[str, ...] = ()

    @property
    def parameters(self) -> tuple[Leaf, ...]:
        """The parameters."""
        return tuple(leaf for leaf in self.leaves if leaf.ours not in ("X", "Y"))

    @property
    def count(self) -> int:
        """The number of samples: of the first inputs, or of all of them where samples come singly."""
        axis = 1 if self.samples == "columns" else 0
        counts = [1 if len(leaf.shape) < 2 else leaf.shape[axis ^ int(leaf.transposed)]
                  for leaf in self.leaves if leaf.ours == "X"]
        return counts[0] if counts and counts[0] > 1 else sum(counts)

    def biased(self, k: int) -> bool:
        """Say whether a layer has a bias."""
        return any(leaf.ours == f"b{k}" for leaf in self.leaves)


class NotRecognised(Exception):
    """No network was found; the message says what was looked for."""


class Graph:
    """The nodes of a run, and what depends on what."""

    def __init__(self, run: Interpreter) -> None:
        self.run, self.nodes = run, run.tape.nodes
        self._source: dict[int, bool] = {}
        self._ancestors: dict[int, frozenset[int]] = {}

    def event(self, node: Node) -> Event:
        """Return the assignment that first named a node."""
        return self.run.events[node.event]

    def is_source(self, node: Node) -> bool:
        """Say whether a value depends on no product of matrices: data, or a start value."""
        known = self._source.get(id(node))
        if known is None:
            known = node.op not in PRODUCTS and all(map(self.is_source, node.parents))
            self._source[id(node)] = known
        return known

    def ancestors(self, node: Node) -> frozenset[int]:
        """Return the identities of all nodes that a node depends on, itself included."""
        known = self._ancestors.get(id(node))
        if known is None:
            known = frozenset([id(node)]).union(*(self.ancestors(p) for p in node.parents))
            self._ancestors[id(node)] = known
        return known

    def named(self, node: Node) -> Node:
        """Return the deepest named node of which this one is a view or a copy."""
        best = node
        while node.parents and node.op in _VIEWS and len(node.parents) == 1:
            node = node.parents[0]
            if node.event >= 0 or best.event < 0:
                best = node
        return best

    @cached_property
    def products(self) -> list[Node]:
        """The products of matrices, and those that failed."""
        found = [n for n in (*self.nodes, *self.run.tape.failed) if n.op in PRODUCTS and len(n.parents) >= 2]
        return sorted(found, key=lambda n: n.order)

    @cached_property
    def rewritten(self) -> set[str]:
        """The names that are assigned from themselves: ``W -= …``, ``W = W - …``."""
        found = set()
        for event in self.run.events:
            tree = event.tree
            if isinstance(tree, ast.AugAssign) and isinstance(tree.op, (ast.Sub, ast.Add)):
                found |= {event.target, label(event.target)}
            elif isinstance(tree, ast.Assign) and isinstance(tree.value, ast.BinOp) and len(tree.targets) == 1:
                left = ast.unparse(tree.value.left)
                if left == ast.unparse(tree.targets[0]):
                    found.add(event.target)
                elif isinstance(tree.value.op, ast.Sub) and label(left) == label(event.target):
                    found.add(label(event.target))
        return found

    def is_rewritten(self, event: Event) -> bool:
        """Say whether a name is assigned from itself somewhere."""
        return event.target in self.rewritten or label(event.target) in self.rewritten

    def lost(self) -> list[Node]:
        """Return named start values that are rewritten, and in no product, perhaps since a mistake keeps them out."""
        used = {id(self.named(p)) for n in self.products for p in n.parents[:2]}
        return [e.node for e in self.run.events if e.node is not None and e.node.event == e.index
                and self.is_rewritten(e) and not self.made_of_parameters(e.node) and id(e.node) not in used
                and self.is_source(e.node)
                and np.asarray(e.node.value).dtype.kind == "f" and np.ndim(e.node.value)]

    def made_of_parameters(self, node: Node) -> bool:
        """Say whether a value is computed from one that is rewritten: no input, whatever else it may be."""
        known = self.ancestors(node) - {id(node)}
        return any(e.node is not None and id(e.node) in known and e.node.event == e.index and self.is_rewritten(e)
                   for e in self.run.events)

    def updated(self, node: Node) -> bool:
        """Say whether there is a difference or sum of a node and something that depends on it: a step of descent."""
        for other in self.nodes:
            if other.op in ("subtract", "add") and len(other.parents) == 2 and other.event >= 0:
                left, right = other.parents
                if self.named(left) is node and id(node) in self.ancestors(right) and not self.is_source(right):
                    return True
        return False


def find_wiring(run: Interpreter, hints: dict[str, str]) -> Wiring:
    """Return the parameters, inputs and labels of the code.

    Args:
        run: The file, followed.
        hints: Our name for the code's, where the user gave them.

    Raises:
        NotRecognised: There is no product of named weights and inputs.
    """
    graph = Graph(run)
    weights, inputs = _weights_and_inputs(graph, hints)
    if not weights or not inputs:
        raise NotRecognised("no product of named weights and inputs was found")
    weights += [n for n in graph.lost() if np.ndim(n.value) == 2
                and any(_stem(graph, n) == _stem(graph, w) for w in weights)]
    weights = _ordered(graph, weights)
    samples, transposed = _layout(graph, weights, inputs)
    widths = _widths(weights, samples, transposed)
    leaves: list[Leaf] = []
    biases = _biases(graph, weights, hints)
    _find_lost_biases(graph, weights, biases, widths)
    own = {id(n) for n in (*weights, *biases.values())}
    inputs = [(n, flipped) for n, flipped in inputs if not graph.ancestors(n) & own] or inputs
    for k, weight in enumerate(weights, start=1):
        leaves.append(_leaf(graph, f"W{k}", weight, transposed[k - 1]))
        if k in biases:
            leaves.append(_leaf(graph, f"b{k}", biases[k], len(biases[k].shape) == 2 and biases[k].shape !=
                                ((widths[k], 1) if samples == "columns" else (1, widths[k]))))
    for node, flipped in inputs:
        leaves.append(_leaf(graph, "X", node, flipped))
    count = _count(inputs[0][0].shape, samples, inputs[0][1])
    counts = {_count(n.shape, samples, flipped) for n, flipped in inputs}
    sizes = counts | {c * widths[-1] for c in counts}
    labels = _labels(graph, weights, [n for n, _ in inputs], biases, sizes, hints)
    for node in labels or _lost_labels(graph, leaves, widths[-1], count):
        leaves.append(_label_leaf(graph, node, widths[-1], count, samples))
    return Wiring(samples, tuple(widths), tuple(leaves))


def _leaf(graph: Graph, ours: str, node: Node, transposed: bool) -> Leaf:
    return Leaf(ours, node.event, graph.event(node).path, transposed, node.shape)


def _hinted(graph: Graph, node: Node, hints: dict[str, str]) -> str:
    """Return our name for a node where the user gave one."""
    event = graph.event(node)
    return hints.get(event.path, hints.get(event.target, ""))


def _weights_and_inputs(graph: Graph, hints: dict[str, str]) -> tuple[list[Node], list[tuple[Node, bool]]]:
    weights: dict[int, Node] = {}
    pairs: list[tuple[Node, Node, Node]] = []
    for product in graph.products:
        operands = [graph.named(p) for p in product.parents[:2]]
        sources = [graph.is_source(n) and n.event >= 0 and n.value.ndim >= 1 for n in operands]
        if all(sources):
            pairs.append((product, operands[0], operands[1]))
    inputs: dict[int, Node] = {}
    for _, left, right in pairs:
        chosen = _weight_of(graph, left, right, hints)
        other = right if chosen is left else left
        if id(other) in weights or id(chosen) in inputs:
            continue
        if graph.made_of_parameters(other):
            weights[id(chosen)] = chosen
            continue
        weights[id(chosen)], inputs[id(other)] = chosen, other
    for product in graph.products:
        for parent, other in (product.parents[:2], product.parents[1::-1]):
            node = graph.named(parent)
            if (id(node) not in weights and id(node) not in inputs and node.event >= 0 and graph.is_source(node)
                    and node.value.ndim == 2 and not graph.is_source(graph.named(other))
                    and (graph.updated(node) or _WEIGHT.search(graph.event(node).target)
                         or _hinted(graph, node, hints).startswith("W"))
                    and _hinted(graph, node, hints) not in ("X", "Y") and not _LABEL.search(graph.event(node).target)):
                weights[id(node)] = node
    names = {label(graph.event(w).path) for w in weights.values()}
    for product in graph.products:  # further inputs meet weights that were updated
        operands = [graph.named(p) for p in product.parents[:2]]
        for node, other in (operands, operands[::-1]):
            if (id(node) not in weights and id(node) not in inputs and node.event >= 0 and graph.is_source(node)
                    and np.ndim(node.value) and other.event >= 0 and not graph.is_source(other)
                    and graph.is_rewritten(graph.event(other)) and label(graph.event(other).path) in names):
                inputs[id(node)] = node
                pairs.append((product, operands[0], operands[1]))
    found = [(node, _flipped(graph, pairs, node)) for node in inputs.values()]
    return list(weights.values()), found


def _weight_of(graph: Graph, left: Node, right: Node, hints: dict[str, str]) -> Node:
    """Return which of two operands is the weight."""
    for judge in (lambda n: _hinted(graph, n, hints).startswith("W"), graph.updated,
                  lambda n: bool(_WEIGHT.search(graph.event(n).target)),
                  lambda n: not _INPUT.search(graph.event(n).target)):
        verdicts = judge(left), judge(right)
        if verdicts[0] != verdicts[1]:
            return left if verdicts[0] else right
    return left


def _flipped(graph: Graph, pairs: Sequence[tuple[Node, Node, Node]], node: Node) -> bool:
    """Say whether inputs stand transposed in the first product."""
    for product, left, right in pairs:
        for operand, named in zip(product.parents, (left, right), strict=False):
            if named is node and product.value is not None:
                return _turns(operand, node)
    return False


def _turns(operand: Node, base: Node) -> bool:
    """Say whether an operand is the transpose of the node it is a view of."""
    turned = False
    while operand is not base and operand.parents:
        turned ^= operand.op in ("T", "transpose", "swapaxes")
        operand = operand.parents[0]
    return turned


def _number(path: str) -> int | None:
    found = re.findall(r"\d+", path)
    return int(found[-1]) if found else None


def _ordered(graph: Graph, weights: list[Node]) -> list[Node]:
    """Return weights from the first layer to the last, by the first product each is in."""
    first: dict[int, int] = {}
    for product in graph.products:
        for parent in product.parents[:2]:
            first.setdefault(id(graph.named(parent)), product.order)
    used = sorted(weights, key=lambda n: first.get(id(n), 1 << 60))
    numbers = [_number(graph.event(n).path) for n in used]
    stems = {re.sub(r"\d+", "", graph.event(n).path) for n in used}
    if None not in numbers and len(set(numbers)) == len(numbers) and len(stems) == 1:
        return sorted(used, key=lambda n: _number(graph.event(n).path) or 0)
    return used


def _layout(graph: Graph, weights: list[Node], inputs: list[tuple[Node, bool]]) -> tuple[str, list[bool]]:
    """Return how samples lie, and which weights are stored transposed, by how most forward products are written."""
    votes: dict[tuple[str, bool], int] = {}
    positions = {id(w): k for k, w in enumerate(weights)}
    seen: set[int] = set()
    for product in graph.products:
        for side, parent in enumerate(product.parents[:2]):
            node = graph.named(parent)
            if id(node) in positions and id(node) not in seen and product.op == "matmul" and product.value is not None:
                seen.add(id(node))
                turned = _turns(parent, node)
                # W h and Wᵀ h have samples as columns; h W and h Wᵀ as rows.
                key = ("columns", turned) if side == 0 else ("rows", turned)
                votes[key] = votes.get(key, 0) + 1
    options = sorted(votes, key=lambda k: -votes[k])
    options += [key for key in (("columns", False), ("rows", False), ("rows", True), ("columns", True))
                if key not in votes]
    for samples, turned in options:
        if _chains(weights, samples, turned) and _takes(weights[0], inputs, samples, turned):
            return samples, [turned] * len(weights)
    for samples, turned in options:
        if _chains(weights, samples, turned):
            return samples, [turned] * len(weights)
    raise NotRecognised("the shapes of the weights " + ", ".join(
        f"{graph.event(w).path} {w.shape}" for w in weights) + " are not those of layers that follow each other")


def _ends(weight: Node, samples: str, turned: bool) -> tuple[int, int]:
    """Return the units before and after a layer."""
    rows, columns = weight.shape if len(weight.shape) == 2 else (*weight.shape, 1)
    return (columns, rows) if (samples == "columns") != turned else (rows, columns)


def _chains(weights: list[Node], samples: str, turned: bool) -> bool:
    ends = [_ends(w, samples, turned) for w in weights]
    return all(after == before for (_, after), (before, _) in itertools.pairwise(ends))


def _takes(weight: Node, inputs: list[tuple[Node, bool]], samples: str, turned: bool) -> bool:
    if not inputs:
        return False
    node, flipped = inputs[0]
    shape = node.shape[::-1] if flipped else node.shape
    axis = 0 if samples == "columns" or len(shape) == 1 else 1
    return shape[axis] == _ends(weight, samples, turned)[0]


def _widths(weights: list[Node], samples: str, transposed: list[bool]) -> list[int]:
    ends = [_ends(w, samples, t) for w, t in zip(weights, transposed, strict=False)]
    return [ends[0][0], *(after for _, after in ends)]


def _count(shape: tuple[int, ...], samples: str, flipped: bool) -> int:
    if len(shape) == 1:
        return 1
    shape = shape[::-1] if flipped else shape
    return shape[1] if samples == "columns" else shape[0]


def _biases(graph: Graph, weights: list[Node], hints: dict[str, str]) -> dict[int, Node]:
    """Return the bias of each layer that has one: what is added to its first product."""
    found: dict[int, Node] = {}
    candidates: list[tuple[Node, int]] = []
    positions = {id(w): k for k, w in enumerate(weights, start=1)}
    for node in graph.nodes:
        if node.op not in ("add", "subtract") or len(node.parents) != 2:
            continue
        for linear, other in (node.parents, node.parents[::-1]):
            bias = graph.named(other)
            product = _product_in(linear)
            if product is not None and _may_be_bias(graph, bias):
                layer = next((positions[id(graph.named(p))] for p in product.parents[:2]
                              if id(graph.named(p)) in positions), 0)
                candidates.append((bias, layer))
    names = [_number(graph.event(w).path) for w in weights]
    for bias, layer in candidates:
        if id(bias) in positions:
            continue
        number = _number(graph.event(bias).path)
        by_name = names.index(number) + 1 if number in names and names.count(number) == 1 else 0
        k = by_name or layer
        if k and k not in found and all(b is not bias for b in found.values()):
            found[k] = bias
    return found


def _may_be_bias(graph: Graph, node: Node) -> bool:
    """Say whether a value may be a bias: a start value, no number that stays as it is, no labels."""
    if node.event < 0 or not graph.is_source(node):
        return False
    event = graph.event(node)
    return graph.is_rewritten(event) or bool(
        np.ndim(node.value) and (event.target == "d" or not _LABEL.search(event.target)))


def _stem(graph: Graph, node: Node) -> str:
    return re.sub(r"\d+", "", graph.event(node).path)


def _find_lost_biases(graph: Graph, weights: list[Node], biases: dict[int, Node], widths: list[int]) -> None:
    """Add biases that are rewritten, and that a mistake keeps from the sum they belong to."""
    for node in graph.lost():
        if any(b is node for b in biases.values()) or any(w is node for w in weights):
            continue
        number = _number(graph.event(node).path)
        for k, weight in enumerate(weights, start=1):
            if (k not in biases and number is not None and number == _number(graph.event(weight).path)
                    and node.value.size == widths[k]):
                biases[k] = node


def _product_in(node: Node) -> Node | None:
    while node.op in _VIEWS and len(node.parents) == 1:
        node = node.parents[0]
    return node if node.op in PRODUCTS else None


def _labels(graph: Graph, weights: list[Node], inputs: list[Node], biases: dict[int, Node], sizes: set[int],
            hints: dict[str, str]) -> list[Node]:
    """Return the labels: what meets a computed value entry by entry, or picks entries of it, and is of a fit size."""
    taken = {id(n) for n in (*weights, *inputs, *biases.values())}
    found: dict[int, Node] = {}
    for node in graph.nodes:
        if (node.op in PRODUCTS and node.op != "vdot") or len(node.parents) < 2:
            continue
        for one, other in ((a, b) for a in node.parents for b in node.parents if a is not b):
            named = graph.named(one)
            if named.event < 0 and graph.is_source(one):
                named = next(iter(_named_sources(graph, one)), named)
            if (id(named) in taken or named.event < 0 or not graph.is_source(named) or graph.is_source(other)
                    or not np.ndim(named.value) or graph.updated(named)):
                continue
            if not graph.ancestors(other) & {id(w) for w in weights}:
                continue
            found.setdefault(id(named), named)
    nodes = [n for n in found.values() if np.size(n.value) in sizes] or list(found.values())
    nodes = [n for n in nodes if np.any(n.value)] or nodes  # zeros are what sums begin with
    hinted = [n for n in nodes if _hinted(graph, n, hints) == "Y"]
    if hinted:
        return hinted
    fitting = [n for n in nodes if _LABEL.search(graph.event(n).target)] or nodes
    roots = {id(root): root for n in fitting for root in [_label_root(graph, n, nodes)]}
    return list(roots.values())


def _lost_labels(graph: Graph, leaves: list[Leaf], units: int, count: int) -> list[Node]:
    """Return what has the name and the size of labels, where a mistake keeps it from meeting the output."""
    taken = {leaf.event for leaf in leaves}
    named = [e.node for e in graph.run.events if e.node is not None and e.node.event == e.index
             and e.index not in taken and _LABEL.search(e.target) and graph.is_source(e.node)]
    return [n for n in named if np.size(n.value) in (units * count, count) and np.ndim(n.value)][:1]


def _label_root(graph: Graph, node: Node, others: list[Node]) -> Node:
    """Return the class numbers that one-hot labels are made of, where both are used."""
    for other in others:
        if other is not node and id(other) in graph.ancestors(node):
            return other
    return node


def _named_sources(graph: Graph, node: Node) -> Iterator[Node]:
    for parent in node.parents:
        if parent.event >= 0:
            yield parent
        yield from _named_sources(graph, parent)


def _label_leaf(graph: Graph, node: Node, units: int, count: int, samples: str) -> Leaf:
    shape = node.shape
    classes = node.value.dtype.kind in "iu" and node.value.size == count and units > 1
    ours = (units, count) if samples == "columns" else (count, units)
    turned = not classes and len(shape) == 2 and shape != ours and shape == ours[::-1]
    return Leaf("Y", node.event, graph.event(node).path, turned, shape, classes)

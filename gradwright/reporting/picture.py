"""The network as a picture: operations in a row, forward edges with shapes, backward edges beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gradwright.reporting.blocks import Block, Layers, ShownEquation
from symbolic.build import formula_names
from symbolic.derivation import Derivation
from symbolic.names import text_name
from symbolic.network import Network
from symbolic.printing import TextPrinter


@dataclass(frozen=True)
class Node:
    """A box: an input, an operation or the loss; ``along`` and ``across`` are its middle."""

    x: float
    y: float
    width: float
    height: float
    title: str
    kind: str


@dataclass(frozen=True)
class Frame:
    """What surrounds the operations of a layer; ``many`` where it stands for several."""

    x: float
    y: float
    width: float
    height: float
    title: str
    many: bool


@dataclass(frozen=True)
class Edge:
    """An arrow with the name and the shape of what flows along it.

    Attributes:
        kind: ``forward`` or ``backward``.
        path: As in SVG.
        x, y, anchor: Where the label stands, and which side of it.
        one_line: Whether name and shape stand on one line.
        name, shape: The label.
        target: The anchor of its equation on the page.
        words: Its equation as text.
    """

    kind: str
    path: str
    x: float
    y: float
    anchor: str
    name: str
    shape: str
    target: str
    words: str
    one_line: bool = False


@dataclass(frozen=True)
class Picture:
    """All that is drawn, and the size of the drawing."""

    name: str
    width: float
    height: float
    frames: tuple[Frame, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @property
    def least(self) -> int:
        """The width in pixels below which its letters would be too small to read; the picture then scrolls."""
        return round(0.8 * self.width)


@dataclass(frozen=True)
class _Value:
    """What flows between two operations: its equation if it has one, and its gradient if it has one."""

    name: str
    shape: str
    equation: ShownEquation | None
    gradient: Block | None


@dataclass(frozen=True)
class _Stage:
    """An operation, and the value that it hands on."""

    title: str
    kind: str
    layer: int
    out: _Value | None
    parameters: tuple[_Value, ...] = ()


class _Plane:
    """Where things lie: from left to right, or from top to bottom for a narrow screen."""

    def __init__(self, upright: bool) -> None:
        self.upright = upright
        self.along, self.across, self.gap = (40.0, 104.0, 80.0) if upright else (94.0, 50.0, 66.0)
        self.middle = 180.0 if upright else 126.0
        self.breadth = 360.0 if upright else 250.0
        self.start = 8.0
        self.margin = 23.0 if upright else 10.0

    def point(self, along: float, across: float) -> tuple[float, float]:
        """Return x and y."""
        return (across, along) if self.upright else (along, across)

    def box(self, along: float, across: float, size: float, breadth: float) -> tuple[float, float, float, float]:
        """Return x, y, width and height of a box around a middle."""
        x, y = self.point(along, across)
        width, height = self.point(size, breadth)
        return x - width / 2, y - height / 2, width, height

    def path(self, *points: tuple[float, float]) -> str:
        """Return a line through points given along and across."""
        return "M" + " L".join(f"{x:g} {y:g}" for x, y in (self.point(*p) for p in points))


def pictures(network: Network, derivation: Derivation, forward: Sequence[Layers],
             backward: Sequence[Layers]) -> tuple[Picture, Picture]:
    """Return the picture for a wide screen and the one for a narrow one."""
    stages = _stages(network, derivation, forward, backward)
    titles = {layers.first: layers for layers in forward if layers.first}
    return _draw(stages, titles, _Plane(False), "wide"), _draw(stages, titles, _Plane(True), "narrow")


def _stages(network: Network, derivation: Derivation, forward: Sequence[Layers],
            backward: Sequence[Layers]) -> list[_Stage]:
    text, formulas, columns = TextPrinter(), formula_names(network), network.samples == "columns"
    shapes = {str(p.name): text.shape(p) for p in derivation.forward.parameters}
    X = derivation.forward.inputs[0]
    stages = [_Stage("X", "input", 0, _Value("X", text.shape(X), None, None))]
    for layers in forward:
        if not layers.first:
            continue
        a, h = layers.equations
        names = [n for n in (f"W{layers.first}", f"b{layers.first}") if n in shapes]
        parameters = tuple(_Value(_indexed(n[0], layers), shapes[n], None, _gradient(n[0], layers, backward))
                           for n in names)
        activation = network.layers[layers.first - 1].activation
        stages += [_Stage(("W h" if columns else "h W") + " + b" * (len(names) > 1), "affine", layers.first,
                          _Value(a.name, a.shape, a, _gradient("a", layers, backward)), parameters),
                   _Stage(formulas.get(activation, activation), "activation", layers.first,
                          _Value(h.name, h.shape, h, _gradient("h", layers, backward)))]
    loss = [e for layers in forward if not layers.first for e in layers.equations][-1]
    return [*stages, _Stage("loss", "loss", 0, _Value("𝓛", "1×1", loss, None))]


def _gradient(base: str, layers: Layers, backward: Sequence[Layers]) -> Block | None:
    """Return the block of the gradient by a value of these layers.

    Where it is folded, ∇a and ∇h stand under k − 1: the backward pass of layer k ends in those of the layer before.
    """
    k = layers.index
    named = [f"{base}_{k}", f"{base}_{{{k}-1}}"] if k else [f"{base}{layers.first}"]
    blocks = {b.name: b for other in backward for b in other.blocks}
    for name in named:
        if "∇" + text_name(name) in blocks:
            return blocks["∇" + text_name(name)]
    below = base in "ah"  # the number of the layer under which they are derived is one more
    for other in backward:
        if other.first <= layers.first + below <= other.last or other.first <= layers.last + below <= other.last:
            for block in other.blocks:
                if block.name[1:2] == base:
                    return block
    return None


def _indexed(base: str, layers: Layers) -> str:
    return text_name(f"{base}_{layers.index}" if layers.index else f"{base}{layers.first}")


def _draw(stages: Sequence[_Stage], titles: dict[int, Layers], plane: _Plane, name: str) -> Picture:
    nodes, edges, frames = [], [], []
    at, places = plane.start + plane.along / 2, []
    for stage in stages:
        places.append(at)
        x, y, width, height = plane.box(at, plane.middle, plane.along, plane.across)
        nodes.append(Node(x, y, width, height, stage.title, stage.kind))
        at += plane.along + plane.gap
    for first, layers in titles.items():
        own = [place for place, stage in zip(places, stages, strict=True) if stage.layer == first]
        margin = plane.along / 2 + plane.margin
        x, y, width, height = plane.box((own[0] + own[-1]) / 2, plane.middle, own[-1] - own[0] + 2 * margin,
                                        plane.across + 44)
        title = f"{layers.index} = {layers.first}…{layers.last}" if layers.index else f"layer {first}"
        frames.append(Frame(x, y, width, height, title, bool(layers.index)))
    for i, stage in enumerate(stages):
        if stage.out is not None:
            edges += _between(stages, places, i, plane)
        edges += _parameters(stage, places[i], plane)
    length = at - plane.gap - plane.along / 2 + 62
    width, height = plane.point(length, plane.breadth)
    return Picture(name, width, height, tuple(frames), tuple(nodes), tuple(edges))


def _between(stages: Sequence[_Stage], places: Sequence[float], i: int, plane: _Plane) -> list[Edge]:
    """Return the edges of the value of stage i: forward to the next, its gradient back from where it comes."""
    value, found = stages[i].out, []
    assert value is not None
    start = places[i] + plane.along / 2
    end = start + (plane.gap if i + 1 < len(stages) else 40)
    centre, middle = (start + end) / 2, plane.middle
    if value.equation is not None or i == 0:
        found.append(_edge("forward", plane.path((start, middle - 10), (end - 1.5, middle - 10)),
                           _beside(plane, centre, -1), value.name, value.shape,
                           value.equation.anchor if value.equation else "forward",
                           value.equation.text if value.equation else f"{value.name}, the input"))
    if value.gradient is not None:
        later = next(j for j in range(i + 1, len(stages)) if j + 1 == len(stages) or stages[j].out is None
                     or stages[j].out.gradient is not None)  # type: ignore[union-attr]
        path = plane.path((end, middle + 10), (start + 1.5, middle + 10))
        label = _beside(plane, centre, 1)
        if later > i + 1:  # it comes through values that have no gradient of their own
            below, source = middle + plane.across / 2 + 26, places[later]
            path = plane.path((source, middle + plane.across / 2), (source, below), (centre, below),
                              (centre, middle + 10), (start + 1.5, middle + 10))
            label = _beside(plane, (source + centre) / 2, 1, plane.across / 2 + (26 if plane.upright else 16))
        found.append(_edge("backward", path, label, "∇" + value.name, value.shape, value.gradient.anchor,
                           f"∇{value.name}, the gradient by {value.name}"))
    return found


def _parameters(stage: _Stage, place: float, plane: _Plane) -> list[Edge]:
    found = []
    side, count = plane.middle - plane.across / 2, len(stage.parameters)
    reach = 30 if plane.upright else 46
    for i, value in enumerate(stage.parameters):
        shift = (i - (count - 1) / 2) * (18 if plane.upright else 60)
        forward, back = side - reach, plane.middle + plane.across / 2 + reach
        found.append(_edge("forward", plane.path((place + shift, forward), (place + shift, side - 1.5)),
                           _over(plane, place + shift, forward, -1), value.name, value.shape, "layers",
                           f"{value.name}, a parameter", plane.upright))
        if value.gradient is not None:
            found.append(_edge("backward", plane.path((place + shift, back - reach + 1), (place + shift, back - 1.5)),
                               _over(plane, place + shift, back, 1), "∇" + value.name, value.shape,
                               value.gradient.anchor, f"∇{value.name}, the gradient by {value.name}",
                               plane.upright))
    return found


def _beside(plane: _Plane, along: float, side: int, away: float = 0) -> tuple[float, float, str]:
    """Return where the two lines of a label stand beside an edge between two operations."""
    if plane.upright:
        return plane.middle + side * (18 + away), along - 3, "end" if side < 0 else "start"
    return along, plane.middle + (-34 if side < 0 else 27 + away), "middle"


def _over(plane: _Plane, along: float, across: float, side: int) -> tuple[float, float, str]:
    """Return where a label stands at the outer end of an edge of a parameter."""
    if plane.upright:
        return across + side * 5, along + 5, "end" if side < 0 else "start"
    return along, across + (-20 if side < 0 else 14), "middle"


def _edge(kind: str, path: str, label: tuple[float, float, str], name: str, shape: str, target: str,
          words: str, one_line: bool = False) -> Edge:
    return Edge(kind, path, *label, name, shape, target, words, one_line)

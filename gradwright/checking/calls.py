"""Calls, interpreted: functions of NumPy and of Python by table, those of the code by their bodies."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gradwright.checking.argparsing import argument_parser
from gradwright.checking.nodes import DRAWN, Array, Node, Raises, Tape, Unknown, Unreadable, View, call
from gradwright.checking.numpy_table import CONSTANTS, DTYPES, FUNCTIONS, MATH, METHODS, VIEWS, refuse_large
from gradwright.checking.objects import Class, Frame, Function, Instance, Method, Module, Parent, Partial

_DEEPEST, _MOST_ITEMS = 60, 100_000
_NUMPY_RANDOM = ("rand", "randn", "random", "random_sample", "normal", "uniform", "randint", "standard_normal",
                 "choice", "permutation", "integers", "shuffle", "binomial", "multivariate_normal", "exponential",
                 "poisson", "beta", "gamma", "laplace", "standard_t", "multinomial", "chisquare", "lognormal")
_DICT_VIEWS: tuple[Any, ...] = (type({}.keys()), type({}.values()), type({}.items()))
_SAFE_METHODS: Mapping[Any, tuple[str, ...]] = {
    list: ("append", "extend", "insert", "pop", "copy", "reverse", "index", "count", "remove", "clear"),
    tuple: ("index", "count"),
    dict: ("get", "items", "keys", "values", "update", "pop", "copy", "setdefault"),
    str: ("format", "join", "lower", "upper", "startswith", "endswith", "replace", "split", "strip", "title"),
}


class Calls:
    """What calls need of an interpreter, and calls.

    Attributes:
        assigned: All names that the file assigns somewhere.
        sizes: What large numbers of the file are read as.
    """

    tape: Tape
    builtins: dict[str, Any]
    folder: Path | None
    assigned: frozenset[str]
    sizes: Mapping[int, int]
    _depth = _objects = 0

    def count(self, tree: ast.AST) -> None:
        """Count a step, and stop at too many."""
        raise NotImplementedError

    def evaluate(self, tree: ast.expr, frame: Frame) -> Any:
        """Return the value of an expression."""
        raise NotImplementedError

    def lenient(self, tree: ast.expr, frame: Frame) -> Any:
        """Return a value, or that it is unknown."""
        raise NotImplementedError

    def attribute(self, owner: Any, name: str) -> Any:
        """Return an attribute of an object."""
        raise NotImplementedError

    def bind(self, target: ast.expr, value: Any, frame: Frame) -> None:
        """Bind names to a value without an event."""
        raise NotImplementedError

    def run_body(self, function: Function, frame: Frame) -> Any:
        """Run the statements of a function."""
        raise NotImplementedError

    def made(self, container: Any) -> Any:
        """Remember a container that each round of a loop makes anew."""
        raise NotImplementedError

    def grow(self, owner: Any) -> None:
        """Remember a container that later rounds of a loop would make larger, which are not followed."""
        raise NotImplementedError

    def function(self, tree: ast.FunctionDef | ast.Lambda, frame: Frame) -> Function:
        """Return the function of a definition."""
        raise NotImplementedError

    # Values.

    def plain(self, value: Any) -> Any:
        """Return a value with plain numbers where there are arrays of one, as keys and indices need."""
        if isinstance(value, Array):
            return value.value if np.ndim(value.value) else np.asarray(value.value).item()
        if isinstance(value, tuple):
            return tuple(map(self.plain, value))
        return value

    def array(self, op: str, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Return the value of a function of arrays, an array where it is one."""
        refuse_functions(arguments)
        return self.wrap(self.tape.compute(op, function, arguments, options))

    def wrap(self, node: Node) -> Any:
        """Return an array for a node, a tuple of arrays for one with several values, else the plain value."""
        value = node.value
        if isinstance(value, tuple):
            return tuple(self.array("item", lambda whole, k=k: whole[k], Array(node)) for k in range(len(value)))
        if isinstance(value, (np.ndarray, np.generic)):
            return Array(node)
        return value

    def iterate(self, value: Any) -> Iterable[Any]:
        """Return the items of something, each row of an array as a view."""
        if isinstance(value, Array):
            if not np.ndim(value.value):
                raise Unreadable("iteration over a 0-d array")
            return [View(value, self.tape, "getitem", operator.itemgetter(k)) for k in range(len(value.value))]
        if isinstance(value, range) and len(value) > _MOST_ITEMS:
            raise Unreadable(f"a range of {len(value)} numbers is not followed")
        kinds: Any = (list, tuple, dict, str, range, zip, enumerate, reversed, map, *_DICT_VIEWS)
        if isinstance(value, kinds):
            return list(value)
        raise Unreadable("iteration over such an object is not read")

    # Calls.

    def _call(self, tree: ast.Call, frame: Frame) -> Any:
        if isinstance(tree.func, ast.Name) and tree.func.id == "super" and frame.find("super") is None:
            return _parent(frame)
        function = self.evaluate(tree.func, frame)
        arguments: list[Any] = []
        for argument in tree.args:
            if isinstance(argument, ast.Starred):
                arguments += self.iterate(self.evaluate(argument.value, frame))
            else:
                arguments.append(self.lenient(argument, frame))
        options: dict[str, Any] = {}
        for keyword in tree.keywords:
            if keyword.arg is None:
                more = self.evaluate(keyword.value, frame)
                if not isinstance(more, dict):
                    raise Unreadable("two stars before such an object are not read")
                options |= more
            else:
                options[keyword.arg] = self.lenient(keyword.value, frame)
        return self.invoke(function, arguments, options)

    def invoke(self, function: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
        """Return the value of a call."""
        for value in (*arguments, *options.values()):
            if isinstance(value, Unknown) and value.fresh and value.raises:
                raise Raises(value.reason)
        if isinstance(function, Function):
            return self.enter(function, arguments, options)
        if isinstance(function, Class):
            return self.construct(function, arguments, options)
        if isinstance(function, Method):
            return self._method(function, arguments, options)
        if isinstance(function, Instance) and isinstance(function.kind.find("__call__"), Function):
            return self.enter(function.kind.find("__call__"), [function, *arguments], options)
        if isinstance(function, Partial):
            try:
                value = function.call(*arguments, **options)
                return self.made(value) if isinstance(value, (list, dict)) else value
            except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError) as error:
                raise Unreadable(f"{function.name}: {error}") from error
        if isinstance(function, Module):
            return self.library(function.path, arguments, options)
        if function in DTYPES.values() or isinstance(function, type):
            return self.array("astype", lambda a: np.asarray(a, dtype=function), *arguments)
        raise Unreadable("a call of such an object is not read")

    def enter(self, function: Function, arguments: list[Any], options: dict[str, Any]) -> Any:
        """Return the value of a function of the code, its body run with these arguments."""
        if self._depth >= _DEEPEST:
            raise Unreadable(f"calls nested more than {_DEEPEST} deep")
        frame = Frame(parent=function.closure, label=function.name, function=function)
        self._bind_arguments(function, arguments, options, frame)
        self._depth += 1
        try:
            return self.run_body(function, frame)
        finally:
            self._depth -= 1

    def _bind_arguments(self, function: Function, arguments: list[Any], options: dict[str, Any], frame: Frame) -> None:
        signature = function.tree.args
        stops = Unreadable if function.manner == "wrapped" else Raises
        names = [a.arg for a in (*signature.posonlyargs, *signature.args)]
        given = dict(zip(names, arguments, strict=False))
        if len(arguments) > len(names):
            if signature.vararg is None:
                raise stops(f"{function.name} takes {len(names)} arguments, {len(arguments)} are given")
            given[signature.vararg.arg] = tuple(arguments[len(names):])
        elif signature.vararg is not None:
            given[signature.vararg.arg] = ()
        extra: dict[str, Any] = {}
        for name, value in options.items():
            (given if name in names or name in [a.arg for a in signature.kwonlyargs] else extra)[name] = value
        if signature.kwarg is not None:
            given[signature.kwarg.arg] = extra
        elif extra:
            raise stops(f"{function.name} has no argument {next(iter(extra))}")
        optional = names[len(names) - len(function.defaults):] if function.defaults else []
        given = dict(zip(optional, function.defaults, strict=False)) | function.keyword_defaults | given
        missing = [name for name in names if name not in given]
        if missing:
            raise stops(f"{function.name} lacks its argument {missing[0]}")
        frame.names |= given
        frame.parameters = frozenset(given)

    def construct(self, kind: Class, arguments: list[Any], options: dict[str, Any]) -> Instance:
        """Return a new object of a class of the code."""
        self._objects += 1
        instance = Instance(kind, serial=self._objects)
        initialise = kind.find("__init__")
        if isinstance(initialise, Function):
            self.enter(initialise, [instance, *arguments], options)
        elif kind.fields:
            instance.attributes = dict(zip(kind.fields, arguments, strict=False)) | options
        return instance

    def _method(self, method: Method, arguments: list[Any], options: dict[str, Any]) -> Any:
        if isinstance(method.function, Function):
            return self.enter(method.function, [method.of, *arguments], options)
        owner, name = method.of, method.function
        if isinstance(owner, Array):
            return self._array_method(owner, name, arguments, options)
        if isinstance(owner, (Instance, Parent)):
            if name == "__init__":
                return None
            raise Unreadable(f"the method {name} is not defined")
        if isinstance(owner, np.random.RandomState | np.random.Generator):
            return self._random(owner, name, arguments, options)
        safe: Any = _SAFE_METHODS
        if any(isinstance(owner, kind) and name in names for kind, names in safe.items()):
            return self._container_method(owner, name, arguments, options)
        raise Unreadable(f"the method {name} is not read")

    def _container_method(self, owner: Any, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
        if isinstance(owner, str):
            arguments = [self.plain(a) for a in arguments]
            if len(owner) > 10_000:
                raise Unreadable("a text of that length")
        try:
            value = getattr(owner, name)(*arguments, **options)
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise Unreadable(str(error)) from error
        self.grow(owner)
        return self.made(value) if isinstance(value, (list, dict)) else value

    def _array_method(self, owner: Array, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
        if name in ("transpose", "reshape"):
            shape = [self.plain(a) for a in arguments]
            shape = list(shape[0]) if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
            if name == "transpose":
                return View(owner, self.tape, "T", lambda a: np.transpose(a, shape or None))
            return View(owner, self.tape, "reshape", lambda a: np.reshape(a, tuple(shape), **options))
        if name in VIEWS or name in ("ravel", "squeeze"):
            function = VIEWS[name]
            return View(owner, self.tape, name, lambda a: function(a, *map(self.plain, arguments), **options))
        if name == "fill":
            owner.node = self.tape.compute("fill", lambda a, v: np.full_like(a, v), (owner, *arguments))
            return None
        if name not in METHODS:
            raise Unreadable(f"the method {name} of an array is not read")
        out = options.pop("out", None)
        op = {"dot": "matmul"}.get(name, name)
        value = self.array(op, METHODS[name], owner, *map(_type_of, arguments), **self._options(options))
        return self._into(out, value)

    def _into(self, out: Any, value: Any) -> Any:
        """Put a value into the array that ``out=`` names."""
        if isinstance(out, Array):
            out.node = self.tape.compute("into", lambda v, o: np.array(np.broadcast_to(v, np.shape(o))), (value, out))
            return out
        return value

    def _options(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return options with plain values; arrays among them are not read."""
        plain = {name: _type_of(self.plain(value)) for name, value in options.items()}
        for name, value in plain.items():
            if isinstance(value, (Module, Unknown, np.ndarray)):
                raise Unreadable(f"{name}= of such a value is not read")
        return plain

    # Libraries.

    def member(self, module: Module, name: str) -> Any:
        """Return a member of a module: a constant, a function or a module within."""
        path = f"{module.path}.{name}"
        root, _, rest = path.partition(".")
        if root == "numpy" and rest in CONSTANTS:
            return CONSTANTS[rest]
        if root == "math" and rest in ("pi", "e", "inf", "nan"):
            return getattr(math, rest)
        return Module(path)

    def library(self, path: str, arguments: list[Any], options: dict[str, Any]) -> Any:
        """Return the value of a library's function."""
        root, _, name = path.partition(".")
        if root == "numpy":
            return self._numpy(name, arguments, dict(options))
        if root == "math" and name in MATH:
            values = [self.plain(a) for a in arguments]
            if any(isinstance(a, Array) for a in arguments):
                return self.array(name, getattr(np, name, MATH[name]), *arguments)
            return self.python(MATH[name], *values)
        if name in ("tqdm", "auto.tqdm", "notebook.tqdm", "trange", "auto.trange", "tqdm_notebook") or path in (
                "tqdm", "trange"):  # a progress bar goes over what it is given
            return range(*map(self.plain, arguments)) if path.endswith("trange") else arguments[0]
        if path == "argparse.ArgumentParser":
            return argument_parser()
        if path == "random.shuffle":
            return self._random(self.random, "shuffle", arguments, {})
        if root == "copy" and name in ("copy", "deepcopy") and arguments:
            return self.copied(arguments[0])
        if path in ("scipy.special.expit", "expit"):
            return self.array("sigmoid", _expit, *arguments)
        if path in ("scipy.special.softmax",):
            return self.array("softmax", _softmax, *arguments, **self._options(options))
        raise Unreadable(f"{path} is not read")

    def python(self, function: Callable[..., Any], *values: Any) -> Any:
        """Return the value of a function of plain Python values."""
        raise NotImplementedError

    def copied(self, value: Any) -> Any:
        """Return a copy of a value and of what it contains."""
        if isinstance(value, Array):
            return self.array("copy", np.array, value)
        if isinstance(value, dict):
            return {key: self.copied(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(map(self.copied, value))
        return value

    def _numpy(self, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
        if name == "load":
            return self.load(arguments)
        if name.startswith("random."):
            return self._numpy_random(name.removeprefix("random."), arguments, options)
        if name in ("savez", "save", "savetxt", "set_printoptions", "seterr", "savez_compressed"):
            return None
        if name == "errstate":
            return None
        if name in ("size", "shape", "ndim") and len(arguments) == 1:
            return getattr(np, name)(np.asarray(self.array("array", np.asarray, arguments[0]).value))
        if name in VIEWS and arguments and isinstance(arguments[0], Array):
            if name in ("reshape", "transpose"):
                return self._array_method(arguments[0], name, arguments[1:], options)
            function, rest = VIEWS[name], [self.plain(a) for a in arguments[1:]]
            plain = self._options(options)
            return View(arguments[0], self.tape, name, lambda a: function(a, *rest, **plain))
        if name == "copyto":
            return self._into(arguments[0], arguments[1]) and None
        if name == "fill_diagonal":
            def filled(a: Any, v: Any) -> Any:
                a = np.array(a)
                np.fill_diagonal(a, v)
                return a
            arguments[0].node = self.tape.compute(name, filled, tuple(arguments))
            return None
        if name not in FUNCTIONS and name not in VIEWS:
            raise Unreadable(f"numpy.{name} is not read")
        function = FUNCTIONS.get(name) or VIEWS[name]
        out, where = options.pop("out", None), options.pop("where", None)
        if where is not None:
            raise Unreadable("where= is not read")
        listed = [list(self.iterate(a)) if isinstance(a, (zip, map, type({}.values()))) else a for a in arguments]
        listed = [list(a) if isinstance(a, range) else a for a in listed]
        listed = [_type_of(a) for a in listed]
        refuse_large(name, tuple(self.plain(a) for a in listed))
        op = {"dot": "matmul"}.get(name, name)
        if name in ("array", "asarray", "asfortranarray", "ascontiguousarray"):
            if name != "array" and isinstance(listed[0], Array):
                return listed[0]
            op = "array"
        return self._into(out, self.array(op, function, *listed, **self._options(options)))

    def load(self, arguments: list[Any]) -> Any:
        """Return what an npy or npz file holds."""
        raise NotImplementedError

    def _numpy_random(self, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
        if name == "seed":
            seed = self.plain(arguments[0]) if arguments else 0
            self.random = np.random.RandomState(seed if isinstance(seed, int) and 0 <= seed < 2**32 else 0)
            return None
        if name in ("default_rng", "RandomState"):
            seed = self.plain(arguments[0]) if arguments else 0
            seed = seed if isinstance(seed, int) and seed >= 0 else 0
            return np.random.default_rng(seed) if name == "default_rng" else np.random.RandomState(seed % 2**32)
        return self._random(self.random, name, arguments, options)

    random: np.random.RandomState

    def _random(self, generator: Any, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
        if name not in _NUMPY_RANDOM or not hasattr(generator, name):
            raise Unreadable(f"numpy.random.{name} is not read")
        if name == "shuffle":
            if not arguments or not isinstance(arguments[0], (Array, list)):
                raise Unreadable("shuffle of such an object is not read")
            if isinstance(arguments[0], list):
                order = generator.permutation(len(arguments[0]))
                arguments[0][:] = [arguments[0][k] for k in order]
                return None
            shuffled = call(generator.permutation, (arguments[0].value,), {})
            arguments[0].node = self.tape.leaf(shuffled, "random")
            return None
        plain = [self.plain(a) for a in arguments]
        size = options.get("size", plain if name in ("rand", "randn") else plain[-1:] if plain else ())
        sizes = [s for s in (size if isinstance(size, (tuple, list)) else [size]) if isinstance(s, (int, tuple))]
        refuse_large("zeros", (tuple(n for s in sizes for n in (s if isinstance(s, tuple) else (s,)))
                               if name not in ("choice", "permutation", "randint", "integers") else (),))
        value = call(getattr(generator, name), tuple(plain), self._options(options))
        if not isinstance(value, (np.ndarray, np.generic)):
            return value
        drawn = Array(self.tape.leaf(value, "random"))
        if name == "binomial":
            drawn.node.tags = frozenset([DRAWN])
        return drawn


def refuse_functions(operands: Iterable[Any]) -> None:
    """Refuse what is no operand.

    Raises:
        Raises: A function or a class of the code, or a method that is not called, stands for a value.
    """
    for value in operands:
        if isinstance(value, (Function, Class)):
            word = "a function" if isinstance(value, Function) else "a class"
            raise Raises(f"{word} stands where an array belongs")
        if isinstance(value, Method) and (isinstance(value.function, Function) or (
                isinstance(value.of, Array) and (value.function in METHODS or value.function in VIEWS))):
            name = value.function if isinstance(value.function, str) else value.function.name
            raise Raises(f"the method {name} is not called")


def _parent(frame: Frame) -> Parent:
    """Return what ``super()`` is in a method.

    Raises:
        Unreadable: It is called elsewhere.
    """
    home, first = frame.find("__class__"), frame.function.tree.args.args[:1] if frame.function is not None else []
    instance = frame.names.get(first[0].arg) if first else None
    if home is None or not isinstance(instance, Instance):
        raise Unreadable("super() is not read here")
    return Parent(instance, home.names["__class__"].bases)


def _type_of(value: Any) -> Any:
    """Return a type for a builtin such as float, which names one where it is an argument."""
    return DTYPES[value.name] if isinstance(value, Partial) and value.name in DTYPES else value


def _expit(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _softmax(x: Any, axis: Any = None) -> Any:
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)

"""Names as people write them: ``gradient_b3 grad_W2 dW2 dL_dW2 d_W2 delta3 dZ2 W2_grad dw[2] grads['W1']``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

Key = tuple[str, str]
"""The letters of a name, lowered, and its number."""

_PREFIXES = ("gradients_of_", "gradient_of_", "gradients", "gradient", "grads", "grad", "nabla", "derivative",
             "dloss_d", "dcost_d", "dl_d", "dj_d", "dc_d", "de_d", "dl", "dj", "dc", "de", "del", "g_", "d_", "d", "g")
_SUFFIXES = ("gradients", "gradient", "grads", "grad", "deriv", "_d", "update")
_ALIASES = {"weights": "w", "weight": "w", "ws": "w", "biases": "b", "bias": "b", "bs": "b"}
_LOSS = re.compile(r"(?:^|_)(?:loss|cost|j|l|objective|nll|mse|error|err|ce|bce|xent|criterion)(?:_?\d+)?(?:_|$)|"
                   r"loss|cost|cross_?entropy|likelihood", re.IGNORECASE)
_NO_LOSS = re.compile(r"(?:(?<!neg)(?<!neg_)(?<!negative_)log_?likelihood|"  # which is to be large
                      r"history|losses|costs|list|deriv|grad|prime|log_?probs|^d_?l|^d(?:loss|cost)|"
                      r"^l\d+_?(?!loss|cost))", re.IGNORECASE)
_ERROR_SIGNAL = re.compile(r"(?:^|_)(?:delta|d|err|error|δ)_?\[?(\d+)\]?$", re.IGNORECASE)


def label(path: str) -> str:
    """Return the part of a path that names the value: ``dW2`` of ``grads['dW2']``, ``w[1]`` of ``self.w[1]``."""
    found = re.search(r"\[(['\"])([^'\"]*)\1\]$", path)
    if found:
        return found[2]
    return re.sub(r"^.*\.(?=[^.]*$)", "", path)


def container(path: str) -> str:
    """Return the dict that a path leads into; empty where there is none."""
    found = re.fullmatch(r"(.*)\[(['\"])[^'\"]*\2\]", path)
    return label(found[1]) if found else ""


@lru_cache(maxsize=4096)
def key(name: str) -> Key:
    """Return letters and number of a name; other marks are left out."""
    numbers = list(re.finditer(r"\d+", name))
    number = numbers[-1] if numbers else None
    letters = name if number is None else name[:number.start()] + name[number.end():]
    letters = re.sub(r"[\[\]_\s()]+", "_", letters).strip("_").lower()
    return _ALIASES.get(letters, letters), number[0] if number else ""


def of_gradient(path: str) -> Iterator[Key]:
    """Yield what a name may be the gradient by: each reading of it."""
    letters, number = key(label(path))
    if re.search(r"grad|nabla|deriv|^d$|backw|backprop", container(path) + path.partition("()")[0] * ("()" in path),
                 re.IGNORECASE):
        yield letters, number
    for prefix in _PREFIXES:
        if letters.startswith(prefix) and len(letters) > len(prefix):
            rest = letters[len(prefix):].strip("_")
            if rest:
                yield _ALIASES.get(rest, rest), number
    for suffix in _SUFFIXES:
        if letters.endswith(suffix) and len(letters) > len(suffix):
            rest = letters[:-len(suffix)].strip("_")
            if rest:
                yield _ALIASES.get(rest, rest), number


def looks_like_gradient(path: str) -> bool:
    """Say whether a name is that of some gradient."""
    letters, _ = key(label(path))
    return bool(re.match(r"(?:grad|nabla|delta|d[a-z]?_|d(?:w|b|z|a|h|x|l|s)|err|g_)", letters)
                or re.search(r"(?:grad|gradient|delta)$", letters) or re.search(r"grad|nabla", container(path)))


def looks_like_loss(path: str) -> bool:
    """Say whether a name is that of a loss."""
    name = path.removesuffix("()") if path.endswith("()") else label(path)
    name = name.rpartition(".")[2]
    return bool(_LOSS.search(name)) and not _NO_LOSS.search(name)


def is_called_loss(path: str) -> bool:
    """Say whether a name is that of a loss and of nothing else, as ``error`` may be."""
    return looks_like_loss(path) and not re.search(r"(?:^|_)err(?:or)?(?:s|_?\d+)?(?:_|$)", label(path), re.IGNORECASE)


def error_signal(path: str) -> int | None:
    """Return the number of ``delta3`` and its like, which are gradients by a layer's a."""
    found = _ERROR_SIGNAL.search(label(path))
    return int(found[1]) if found else None

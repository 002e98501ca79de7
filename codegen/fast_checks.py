"""The text of what engines written in Python check of their arguments: arrays that fit, memory, the learning rate."""

from __future__ import annotations

FITTING = '''
def _fitting(array, name, shape, dtype, writable=False):
    """Return the array; refuse one that would be broadcast, converted or copied without a word."""
    if type(array) is np.ndarray and array.shape == shape and array.dtype == dtype:
        flags = array.flags
        if flags.c_contiguous and flags.aligned and (flags.writeable or not writable):
            return array
    kind = "writable " if writable else ""
    raise ValueError(f"{name}: expected a {kind}C-contiguous, aligned array of {dtype} {shape}, "
                     f"came {_came(array, writable)}")


def _came(array, writable):
    """Say what came in place of an array that was expected."""
    if not isinstance(array, np.ndarray):
        return f"a {type(array).__name__}"
    flags, words = array.flags, f"{array.dtype} {array.shape}"
    if not flags.c_contiguous:
        words += " in Fortran order" if flags.f_contiguous else " with strides"
    words += "" if flags.aligned else " that is not aligned"
    words += " that is read-only" if writable and not flags.writeable else ""
    return words if type(array) is np.ndarray else f"{words} of the type {type(array).__name__}"


def _known(given, what):
    """Refuse a dict with a name that is no parameter's; that of X may stand among gradients."""
    unknown = [name for name in given if name not in PARAMETERS and (name != "X" or what == "parameters")]
    if unknown:
        raise ValueError(f"{what}: expected the names of parameters alone, came {unknown[0]!r} too")
'''
"""Of one array, and of the names of a dict."""

MEMORY = '''
def _apart(what, written, **read):
    """Refuse to write where something is read, since some of that is read later; each is an array or a dict of them."""
    if _meets(written, *read.values()):
        arrays = {n: a for name, given in read.items()
                  for n, a in (given.items() if type(given) is dict else [(name, given)])}
        name = next(n for n, a in arrays.items() if _meets(written, a))
        raise ValueError(f"{name}: stands in the memory of {what}, which is written; give a copy")


def _meets(written, *read):
    """Say whether arrays, the first or a dict of them, share memory with those that are written.

    One that owns its memory shares it with its own views alone, which saves the comparisons of most.
    """
    arrays = [*read[0].values(), *read[1:]] if type(read[0]) is dict else read
    if type(written) is not dict and written.base is None:
        for array in arrays:
            if array.base is not None or array is written:
                break
        else:
            return False
    results = [*written.values()] if type(written) is dict else [written]
    if not {*map(id, results)}.isdisjoint(map(id, arrays)):
        return True
    if not (views := [a for a in arrays if a.base is not None]) and all([r.base is None for r in results]):
        return False
    for result in results:
        clear = None
        for array in views if result.base is None else arrays:
            base = array.base
            if base is None or base is not clear:
                if np.may_share_memory(array, result):
                    return True
                if type(base) is np.ndarray and not np.may_share_memory(base, result):
                    clear = base
    return False


def _distinct(parameters):
    """Refuse parameters that share memory with one another, where they are changed in place."""
    if type(parameters) is dict:
        arrays = [*parameters.values()]
        if len({*map(id, arrays)}) < len(arrays) or any([a.base is not None for a in arrays]):
            for i, (name, array) in enumerate(parameters.items()):
                for other, before in zip(parameters, arrays[:i]):
                    if _meets(array, before):
                        raise ValueError(f"{name}: stands in the memory of {other}, which is written; give a copy")


def _aside(directions, product):
    """Return arrays, or copies of them where they stand in the product: V may be what came back before."""
    return [d.copy() for d in directions] if _meets(product, *directions) else directions
'''
"""Of several arrays: that what is written stands in memory of its own."""

RATE = '''
def _rate(learning_rate):
    """Return a learning rate as a number."""
    try:
        if math.isfinite(learning_rate):
            return float(learning_rate)
    except TypeError:
        raise TypeError(f"learning_rate: expected a real number, got {learning_rate!r}") from None
    raise ValueError(f"learning_rate: expected a finite number, got {learning_rate!r}")
'''
"""Of a step."""

"""The example files, wherever this package was installed from."""

from pathlib import Path

from symbolic.errors import InputError

_PACKAGE = Path(__file__).resolve().parent


def example(path: str) -> Path:
    """Find an example file.

    A wheel carries the examples inside this package; in a clone, also one installed with `-e`, they lie
    beside it.

    Args:
        path: The file relative to the examples, such as "quiz/data.npz".

    Returns:
        The path of an existing file.

    Raises:
        InputError: No such file ships with this installation.
    """
    shipped = _PACKAGE / "examples"
    folder = shipped if shipped.is_dir() else _PACKAGE.parent / "examples"
    file = folder / path
    if not file.is_file():
        raise InputError(f"no example {path!r} in {folder}")
    return file

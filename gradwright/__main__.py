"""The entry of the command `gradwright` and of `python -m gradwright`."""

import contextlib
import os
import sys


def main() -> None:
    """Run the command and exit with its code: 0 fine, 1 a check failed, 2 wrong usage, 3 withheld."""
    from gradwright.cli import cli

    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):  # a stream that a caller put there may be no text file
            stream.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    try:
        try:
            cli(prog_name="gradwright")
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the reader has gone: nothing is left to say
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        print(f"Error: cannot write to standard output: {error.strerror}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()

"""The command line: options and exit codes. What the commands do is in `gradwright.commands`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from gradwright import __version__
from gradwright.exits import WITHHELD, WRONG_USAGE
from symbolic.errors import InputError, VerificationError


class _Refusal(click.ClickException):
    """One line on standard error, and the exit code of wrong input."""

    exit_code = WRONG_USAGE

    def __init__(self, error: Exception) -> None:
        super().__init__(" ".join(str(error).split()))


class _Withheld(_Refusal):
    """The exit code of an answer that could not be verified."""

    exit_code = WITHHELD


class _Group(click.Group):
    """A group whose commands refuse bad input in one line."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except InputError as error:
            raise _Refusal(error) from error
        except VerificationError as error:
            raise _Withheld(error) from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="gradwright")
def cli() -> None:
    """Derive backpropagation step by step, generate NumPy code from it, and prove it right.

    ARCH is a TOML file or a compact string such as 3-3-3-3:sigmoid,sigmoid,softmax.

    Exit codes: 0 fine, 1 a check failed, 2 wrong usage or input, 3 an answer that could not be
    verified and was withheld.
    """


def _architecture(command: Callable[..., None]) -> Callable[..., None]:
    return click.argument("architecture", metavar="ARCH")(command)


def _files(command: Callable[..., None]) -> Callable[..., None]:
    command = click.option("--data", metavar="D.npz", help="Arrays X and y; y one-hot or class labels.")(command)
    return click.option("--params", metavar="P.npz",
                        help="Weights: ours, PyTorch's, scikit-learn's or Keras's names.")(command)


def _format(*choices: str) -> Callable[..., Any]:
    return click.option("--format", "form", type=click.Choice(choices), default="text", show_default=True)


@cli.command()
@_architecture
@click.option("--wrt", multiple=True, metavar="NAME", help="Only the gradient by NAME, as W1, a2 or X. Repeatable.")
@click.option("--general", is_flag=True, help="The formulas for any layer k and any activation g.")
@_format("text", "latex", "markdown", "json")
@click.option("-o", "--output", metavar="FILE", default="-", help="Where to write; - is standard output.")
def derive(**options: Any) -> None:
    """Show the gradient by every quantity, each step with its rule."""
    from gradwright.commands import derive as run

    run(**options)


class _OfExpression(click.Command):
    """A command whose argument may begin with a minus sign, as -y'*log(x) does."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        flags = {o for p in self.params for o in p.opts}
        options, expressions, rest = [], [], iter(args)
        for argument in rest:
            if argument.startswith("-") and not argument.startswith("--") and argument not in {*flags, "-", "-h"}:
                expressions.append(argument)
            else:
                options.append(argument)
                options += [v for v in [next(rest, None)] if v is not None] if argument in flags else []
        return super().parse_args(context, [*options, *(["--", *expressions] if expressions else [])])


@cli.command(cls=_OfExpression, short_help="Show the derivatives of a matrix expression.")
@click.argument("expression", metavar="EXPR|FILE")
@click.option("--wrt", multiple=True, required=True, metavar="NAME", help="By the variable NAME. Repeatable.")
@click.option("--order", type=click.IntRange(1, 2), default=1, show_default=True,
              help="2: Hessians of a scalar, and the mixed blocks of several variables.")
@click.option("--shape", "shapes", multiple=True, metavar="X=m,n",
              help="The shape of a name: x=n,1 or c=scalar. Repeatable.")
@click.option("--property", "properties", multiple=True, metavar="S=symmetric",
              help="What to assume of a matrix: symmetric, psd, diagonal, invertible, positive, onehot_rows, "
                   "onehot_cols, distribution_rows or distribution_cols. Repeatable.")
@click.option("--convention", type=click.Choice(["unconstrained", "symmetric"]), default="unconstrained",
              show_default=True, help="symmetric: gradients by the free entries of a symmetric matrix.")
@_format("text", "latex", "markdown", "json", "python")
@click.option("-o", "--output", metavar="FILE", default="-", help="Where to write; - is standard output.")
def differentiate(**options: Any) -> None:
    """Show the derivatives of a matrix expression or program, each step with its rule.

    The language is that of matrixcalculus.org: x'*A*x, sum(log(1+exp(-y.*(X*w)))), tr(A*X'*B*X).
    Names that begin with a to g are scalars, h to z columns, capitals matrices. A scalar has a
    gradient, a vector a Jacobian, a matrix a differential.
    """
    from gradwright.commands import differentiate as run

    run(**options)


@cli.command()
@_architecture
@click.option("-o", "--output", metavar="DIR", default="generated", show_default=True,
              help="The folder of NAME.py; - prints it.")
@click.option("--target", default="numpy", show_default=True,
              help="numpy, numpy-workspace, numba or c (one C99 file).")
@click.option("--dtype", type=click.Choice(["double", "float"]), default="double", show_default=True,
              help="The numbers of a C file.")
@click.option("--explain", "explained", is_flag=True, help="Write nothing; show what each pass does to the program.")
@click.option("--samples", type=click.IntRange(min=1), default=64, show_default=True,
              help="The number of samples that --explain counts for.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if the file on disk differs.")
def generate(**options: Any) -> None:
    """Write the network as a NumPy module, or in another language."""
    from gradwright.commands import generate as run

    run(**options)


@cli.command(short_help="Compile the network; the fastest form.")
@_architecture
@click.option("--target", type=click.Choice(["c", "numba", "numpy-workspace"]), default="c", show_default=True,
              help="c needs a C compiler; without one numba is used, then NumPy.")
@click.option("-o", "--output", metavar="DIR", default="generated", show_default=True, help="The folder to write to.")
def build(**options: Any) -> None:
    """Compile the network as a module for Python, from C made for it; compiled once, then kept."""
    from gradwright.commands import build as run

    run(**options)


@cli.command(short_help="Run the generated module on npz files.")
@_architecture
@_files
@click.option("--learning-rate", type=float, default=1.0, show_default=True)
@_format("text", "json")
def evaluate(**options: Any) -> None:
    """Run the generated module: every value, the loss, the gradients, the loss after one update."""
    from gradwright.commands import evaluate as run

    run(**options)


@cli.command(short_help="Train a network on npz files by minibatches.")
@_architecture
@click.option("--params", metavar="P.npz",
              help="Where to begin: weights by any known names, or a file of this command, to go on from.")
@click.option("--seed", type=click.IntRange(min=0), metavar="S",
              help="Of the samples' order, and of random weights without --params; by default that of P.npz, or 0.")
@click.option("--data", metavar="D.npz", required=True, help="Arrays X and y; y one-hot or class labels.")
@click.option("--validation", metavar="D2.npz", help="The same, to measure each epoch on.")
@click.option("--epochs", type=int, required=True, metavar="E", help="How many; how many more where P.npz has some.")
@click.option("--batch-size", type=int, required=True, metavar="B", help="Samples of an update.")
@click.option("--learning-rate", type=float, required=True, metavar="η", help="0.1 is a start for sgd, 0.001 for adam.")
@click.option("--optimizer", default="sgd", show_default=True, metavar="NAME", help="sgd, momentum or adam.")
@click.option("--target", default="numpy", show_default=True, metavar="NAME", help="The language of the module.")
@click.option("--plot", metavar="CURVE", help="Draw the loss as CURVE.svg or, with matplotlib, CURVE.png.")
@_format("text", "json")
@click.option("-o", "--output", metavar="FILE", default="trained.npz", show_default=True,
              help="The parameters, and what is needed to go on; written after each epoch.")
def train(**options: Any) -> None:
    """Train a network on npz files by minibatches.

    The file it writes can be given to --params, of this command to go on as if it had not stopped,
    and of evaluate and verify.
    """
    from gradwright.training import train as run

    run(**options)


@cli.command(short_help="Check every gradient against numeric derivatives.")
@_architecture
@_files
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@_format("text", "json")
def verify(**options: Any) -> None:
    """Compare every gradient of the generated module with numeric derivatives."""
    from gradwright.commands import verify as run

    run(**options)


@cli.command(short_help="Show the layers with shapes and counts.")
@_architecture
def show(architecture: str) -> None:
    """Show the layers with their shapes and parameter counts."""
    from gradwright.commands import show as run

    run(architecture)


@cli.command(short_help="Write the derivation, its numbers and its code as a page.")
@_architecture
@_files
@click.option("-o", "--output", metavar="FILE", default="report.html", show_default=True,
              help="FILE.html, or FILE.pdf by pdflatex; - is standard output.")
def report(**options: Any) -> None:
    """Write a report that opens offline: picture, derivation, numbers, module."""
    from gradwright.reporting.command import report as run

    run(**options)


@cli.command(short_help="Check hand-written backpropagation; name the wrong line.")
@click.argument("file", metavar="FILE.ipynb|FILE.py")
@click.option("--arch", metavar="ARCH", help="The network that the code should compute; recognised by default.")
@click.option("--params", metavar="P.npz", help="Parameters, where the file that the code loads is not there.")
@click.option("--map", "mapping", multiple=True, metavar="THEIRS=OURS",
              help="What a name of the code is: w1=W1, data=X, target=Y. Repeatable.")
@click.option("--execute", "run", is_flag=True, help="Also run the code, in a process of its own, for its numbers.")
@_format("text", "json", "html")
@click.option("-o", "--output", metavar="FILE", default="-", help="Where to write; - is standard output.")
def check(**options: Any) -> None:
    """Compare each line of hand-written backpropagation with what is derived, and name the wrong one.

    The code is read, not executed. Exit code 1: a line is wrong.
    """
    from gradwright.checks import check_file

    check_file(**options)


@cli.command(short_help="Serve the page: expressions, networks, checks in a browser.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0: any that is free.")
@click.option("--open", "opens", is_flag=True, help="Open a browser.")
@click.option("--allow-host", "names", multiple=True, metavar="NAME", help="Another name of this server. Repeatable.")
def serve(**options: Any) -> None:
    """Serve the page and its API until Ctrl-C; nothing that is typed is stored or run."""
    from gradwright.serving.running import serve as run

    run(**options)


@cli.command(short_help="Do all of it in order, by default on the quiz.")
@click.argument("architecture", metavar="[ARCH]", required=False)
@_files
@click.option("-o", "--output", metavar="DIR", default="generated", show_default=True,
              help="The folder for the module and the derivation.")
def run(**options: Any) -> None:
    """Do all of it in order; on the quiz that ships with the package when no ARCH is given."""
    from gradwright.pipeline import run as run_all

    run_all(**options)

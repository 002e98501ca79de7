"""Write every committed file of this folder anew: `python generated/regenerate.py`."""

from __future__ import annotations

from pathlib import Path

from codegen.targets import TARGETS
from symbolic.architecture import read_architecture
from symbolic.doors import derive
from symbolic.formats import FORMATS

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parent / "examples"

ARCHITECTURES = (
    EXAMPLES / "quiz" / "quiz.toml",
    EXAMPLES / "digits.toml",
    EXAMPLES / "deep_tanh.toml",
)
DERIVATIONS = {"text": "quiz.txt", "latex": "quiz.tex", "markdown": "quiz.md"}


def contents() -> dict[str, str]:
    """Return the text of every generated file by its name."""
    files = {}
    for path in ARCHITECTURES:
        network = read_architecture(path)
        files[f"{network.name}.py"] = TARGETS["numpy"].generate(network, None)
    quiz = read_architecture(ARCHITECTURES[0])
    derivation = derive(quiz)
    files |= {quiz.name + target.suffix: target.generate(quiz, derivation) for target in TARGETS.values()}
    shown = [g for g in derivation.gradients if g.wrt.name != "X"]
    return files | {name: FORMATS[form](derivation, shown) for form, name in DERIVATIONS.items()}


def main() -> None:
    """Write the files."""
    for name, text in contents().items():
        (HERE / name).write_text(text, encoding="utf-8", newline="\n")
        print(f"wrote generated/{name}")


if __name__ == "__main__":
    main()

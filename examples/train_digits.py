"""Write scikit-learn's handwritten digits as data for examples/digits.toml.

    python examples/train_digits.py FOLDER

writes FOLDER/digits_train.npz and FOLDER/digits_test.npz, four fifths and one fifth of 1797 images. Each is enlarged
from 8 × 8 to the 28 × 28 of the network: every pixel becomes 3 × 3, with a margin of two.
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from codegen import write_npz

SEED = 0


def enlarged(images: np.ndarray) -> np.ndarray:
    """Return N images of 8 × 8 pixels from 0 to 16 as N × 784 numbers from 0 to 1."""
    large = np.kron(images / 16, np.ones((1, 3, 3)))
    return np.pad(large, ((0, 0), (2, 2), (2, 2))).reshape(len(images), -1)


def main(folder: Path) -> None:
    digits = load_digits()
    order = np.random.default_rng(SEED).permutation(len(digits.images))
    test, train = np.split(order, [len(order) // 5])
    folder.mkdir(parents=True, exist_ok=True)
    for name, chosen in (("train", train), ("test", test)):
        path = folder / f"digits_{name}.npz"
        write_npz(path, {"X": enlarged(digits.images[chosen]), "y": digits.target[chosen]})
        print(f"wrote {path}: {len(chosen)} images")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python examples/train_digits.py FOLDER")
    main(Path(sys.argv[1]))

"""Training a network by minibatches, from Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from codegen.loading import load
from codegen.training.accuracy import sample_axis
from codegen.training.checkpoint import Checkpoint
from codegen.training.inputs import as_samples, check_settings, first_optimizer, first_parameters
from codegen.training.loop import Loop, OnStep
from codegen.training.results import Epoch, Training
from symbolic.errors import InputError
from symbolic.network import Network

OnEpoch = Callable[[Epoch, Checkpoint], None]


def train(network: Network, X: Any, Y: Any, *, epochs: int, batch_size: int, learning_rate: float,
          optimizer: str = "sgd", start: Checkpoint | None = None, seed: int | None = None,
          validation: tuple[Any, Any] | None = None, module: Any = None,
          on_step: OnStep | None = None, on_epoch: OnEpoch | None = None) -> Training:
    """Train a network by minibatches, which are shuffled anew each epoch.

    The same arguments give the same parameters, bit for bit, and so does training in two parts, the second
    from the first one's checkpoint.

    Args:
        network: With integer widths.
        X: inputs × N with samples as columns, N × inputs as rows.
        Y: outputs × N or N × outputs, or integer classes of shape (N,).
        epochs: How many to add to those of ``start``.
        batch_size: At most N; the last batch of an epoch may be smaller.
        learning_rate: Above 0.
        optimizer: A name of ``codegen.training.OPTIMIZERS``.
        start: Where to begin; ``Checkpoint(parameters)`` begins with parameters alone. Its arrays stay as they
            are, and their dtype is kept. Without it the module initializes, in the dtype of X.
        seed: Of the order of samples, and of the initialization; by default that of ``start``, or 0.
        validation: X and Y on which each epoch is measured.
        module: What ``codegen.load`` gives, or another target's module; by default the former.
        on_step: Called with the samples and the loss per sample of each batch.
        on_epoch: Called after each epoch; the next one overwrites the arrays of its checkpoint.

    Raises:
        InputError: An argument cannot be used.
        DivergenceError: The loss, a parameter or the optimizer's state is not finite.
    """
    check_settings(epochs, batch_size, learning_rate, optimizer, seed)
    data = as_samples(network, X, Y)
    held_out = as_samples(network, *validation) if validation is not None else None
    samples = data.X.shape[sample_axis(network)]
    if batch_size > samples:
        raise InputError(f"expected a batch size of at most {samples}, as many as there are samples, got {batch_size}")
    module = load(network) if module is None else module
    seed = int(seed) if seed is not None else start.seed if start is not None else 0
    parameters = first_parameters(module, start, seed, data.X.dtype)
    rule = first_optimizer(optimizer, parameters, learning_rate, batch_size, start)
    before = start.epochs if start is not None else 0
    history = []
    with np.errstate(all="ignore"):  # what is not finite stops the training, in one line
        loop = Loop(network, module, parameters, rule, data, held_out, batch_size)
        for number in range(before + 1, before + epochs + 1):
            history.append(loop.epoch(seed, number, on_step))
            checkpoint = Checkpoint(parameters, rule.name, rule.steps, rule.state, number, seed, batch_size)
            if on_epoch is not None:
                on_epoch(history[-1], checkpoint)
    return Training(parameters, tuple(history), checkpoint)

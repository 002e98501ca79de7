"""Training by minibatches on any target's module, and the file from which it goes on."""

from codegen.training.checkpoint import Checkpoint, read_checkpoint, starts_anew
from codegen.training.door import train
from codegen.training.optimizers import OPTIMIZERS
from codegen.training.results import DivergenceError, Epoch, Training

__all__ = ["OPTIMIZERS", "Checkpoint", "DivergenceError", "Epoch", "Training", "read_checkpoint", "starts_anew",
           "train"]

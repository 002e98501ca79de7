"""The contenders. A new one is a class in a module of its own, and a line here."""

from benchmarks.speed.peers.autograd_numpy import Autograd
from benchmarks.speed.peers.base import Contender, Left, Peer
from benchmarks.speed.peers.casadi_c import Casadi, CasadiBound
from benchmarks.speed.peers.hand import Hand, HandOneSample
from benchmarks.speed.peers.jax_jit import Jax
from benchmarks.speed.peers.matmul import Matmul
from benchmarks.speed.peers.numba_loops import Njit
from benchmarks.speed.peers.ours import C, CFlat, Numba, Numpy, NumpyWorkspace
from benchmarks.speed.peers.tensorgrad_torch import Tensorgrad
from benchmarks.speed.peers.torch_eager import Torch

__all__ = ["PEERS", "Contender", "Left", "Peer"]

PEERS: dict[str, Peer] = {
    "hand": Hand(), "hand-one": HandOneSample(), "matmul": Matmul(),
    "numpy": Numpy(), "numpy-workspace": NumpyWorkspace(), "c": C(), "c-flat": CFlat(), "numba": Numba(),
    "jax": Jax(), "torch": Torch(), "njit": Njit(), "autograd": Autograd(), "casadi": Casadi(),
    "casadi-bound": CasadiBound(), "tensorgrad": Tensorgrad(),
}
"""By the name that the command knows."""

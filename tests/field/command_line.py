#!/usr/bin/env python3
"""Train a small MLP on a toy problem.

usage: python train.py --hidden 32 --lr 0.1 --epochs 200
"""
from __future__ import annotations

import argparse
import logging
from typing import Dict, List, Tuple

import numpy as np

Array = np.ndarray
logger = logging.getLogger(__name__)


def make_data(n: int, rng: np.random.Generator) -> Tuple[Array, Array]:
    x: Array = rng.uniform(-1, 1, size=(n, 2))
    y: Array = ((x[:, 0] * x[:, 1]) > 0).astype(np.float64).reshape(n, 1)
    return x, y


def init_params(sizes: List[int], rng: np.random.Generator) -> List[Dict[str, Array]]:
    return [
        {"w": rng.normal(0.0, np.sqrt(1.0 / fan_in), size=(fan_in, fan_out)), "b": np.zeros((1, fan_out))}
        for fan_in, fan_out in zip(sizes[:-1], sizes[1:])
    ]


def sigmoid(z: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-z))


def forward(params: List[Dict[str, Array]], x: Array) -> List[Array]:
    activations: List[Array] = [x]
    for i, layer in enumerate(params):
        z = activations[-1] @ layer["w"] + layer["b"]
        a = sigmoid(z) if i == len(params) - 1 else np.tanh(z)
        activations.append(a)
    return activations


def bce(p: Array, y: Array) -> float:
    return float(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))


def backward(params: List[Dict[str, Array]], activations: List[Array], y: Array) -> List[Dict[str, Array]]:
    n: int = y.shape[0]
    grads: List[Dict[str, Array]] = []
    delta: Array = (activations[-1] - y) / n
    for i in reversed(range(len(params))):
        grads.insert(0, {"w": activations[i].T @ delta, "b": delta.sum(axis=0, keepdims=True)})
        if i > 0:
            delta = (delta @ params[i]["w"].T) * (1.0 - activations[i] ** 2)
    return grads


def train(args: argparse.Namespace) -> None:
    rng = np.random.default_rng(args.seed)
    x, y = make_data(args.samples, rng)
    params = init_params([2, args.hidden, args.hidden, 1], rng)
    for epoch in range(args.epochs):
        activations = forward(params, x)
        loss = bce(activations[-1], y)
        grads = backward(params, activations, y)
        for layer, grad in zip(params, grads):
            layer["w"] -= args.lr * grad["w"]
            layer["b"] -= args.lr * grad["b"]
        if epoch % args.log_every == 0:
            logger.info("epoch %d: loss %.4f", epoch, loss)
    accuracy = np.mean((forward(params, x)[-1] > 0.5) == y)
    print(f"final loss {loss:.4f}, accuracy {accuracy:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hidden", type=int, default=16)
    parser.add_argument("--lr", type=float, default=0.5)
    parser.add_argument("--epochs", type=int, default=500)
    parser.add_argument("--samples", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--log-every", type=int, default=100)
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    train(args)


if __name__ == "__main__":
    main()

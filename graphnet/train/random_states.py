"""Random numbers on the CPU: of torch, of Python, and of numpy if it is loaded."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor


class RandomStates(NamedTuple):
    """What is drawn next."""

    torch: Tensor
    python: Any
    numpy: Any


def random_states() -> RandomStates:
    """The present states."""
    numpy = sys.modules.get("numpy")
    of_numpy = None if numpy is None else numpy.random.get_state()
    return RandomStates(torch.get_rng_state(), random.getstate(), of_numpy)


def set_random_states(states: RandomStates) -> None:
    """Go on from other states."""
    torch.set_rng_state(states.torch)
    random.setstate(states.python)
    if states.numpy is not None:
        sys.modules["numpy"].random.set_state(states.numpy)


@contextmanager
def same_random_numbers() -> Iterator[None]:
    """Inside, random numbers may be drawn on the CPU; afterwards it is as if none had been.

    >>> first = torch.get_rng_state()
    >>> with same_random_numbers():
    ...     numbers = torch.rand(3)
    >>> torch.get_rng_state().equal(first)
    True
    """
    states = random_states()
    try:
        yield
    finally:
        set_random_states(states)


def seed_everything(seed: int) -> None:
    """Seed torch, Python's `random`, and numpy if it is loaded."""
    torch.manual_seed(seed)
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed % 2**32)

"""A moving average of the weights while they are trained: `EMA`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from graphnet.errors import LoadError, StateError
from graphnet.train.callbacks import Callback
from graphnet.validation import require_range

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.layers import Module
    from graphnet.train.run import Run


class EMA(Callback):
    """The exponential moving average of all parameters: a ← decay · a + (1 - decay) · w.

    As a callback of `gn.fit` it is updated after each step; in a loop of your own call `update`.
    The first update takes the weights as they are. Buffers, such as running statistics, are not
    averaged: those of the last update are taken.

    Args:
        decay: the weight of what was before, from 0 to 1.

    Raises:
        RangeError: the decay lies outside [0, 1].

    >>> import graphnet as gn
    >>> model, ema = gn.Linear(2, 1), gn.EMA(decay=0.5)
    >>> ema.update(model)
    >>> model.bias.top = model.bias.top * 0 + 4.0
    >>> before = ema.averages["bias"].clone()
    >>> ema.update(model)
    >>> bool(ema.averages["bias"] == (before + 4) / 2)
    True
    >>> with ema.applied(model):
    ...     predictions = model  # evaluate here: it has the averages

    Attributes:
        averages: the average of each parameter, and each buffer, by the names of `state_dict`.
    """

    def __init__(self, decay: float = 0.999) -> None:
        self.decay = require_range("decay", decay, high=1)
        self.reset()

    def reset(self) -> None:
        """Forget the averages."""
        self.averages: dict[str, Tensor] = {}

    def update(self, model: Module) -> None:
        """Take the present weights into the averages."""
        for name, parameter in model.named_state():
            value = parameter.top
            if name not in self.averages:
                self.averages[name] = value.clone()
            elif parameter.is_buffer:
                self.averages[name].copy_(value)
            else:
                self.averages[name].mul_(self.decay).add_(value, alpha=1 - self.decay)

    def step(self, run: Run) -> None:
        """Take the weights after a step into the averages."""
        self.update(run.task.model)

    @contextmanager
    def applied(self, model: Module) -> Iterator[None]:
        """Inside the block the model has the averages; afterwards its own weights again.

        Raises:
            StateError: there are no averages yet.
        """
        if not self.averages:
            raise StateError("EMA has no averages yet: update(model) after a step, or use gn.fit.")
        before = model.state_dict()
        model.load_state_dict(self.averages)
        try:
            yield
        finally:
            model.load_state_dict(before)

    def state_dict(self) -> dict[str, Any]:
        """The averages."""
        return dict(self.averages)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state of `state_dict`.

        Raises:
            LoadError: it holds something else than tensors.
        """
        if any(not hasattr(value, "clone") for value in state.values()):
            raise LoadError(f"A state of EMA has a tensor for each weight; got {sorted(state)}.")
        self.averages = {name: value.clone() for name, value in state.items()}

"""Optimizers: how parameters follow their gradients.

The parameters are moved into one flat buffer, and their gradients into another, so that an update
is a handful of tensor operations however many layers there are. Formulas, names and defaults are
those of `torch.optim`.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, isfinite, sqrt
from typing import TYPE_CHECKING, Any

from graphnet.errors import GraphError, RangeError
from graphnet.graph import Parameter
from graphnet.graph.home import Home, settle

if TYPE_CHECKING:
    from torch import Tensor


class Stretch:
    """Parameters that lie side by side and have made the same number of steps, as flat tensors."""

    def __init__(self, parameters: list[Parameter], steps: int) -> None:
        first, last = parameters[0], parameters[-1]
        places = slice(first.offset, last.offset + last.top.numel())
        self.parameters = parameters
        self.steps = steps
        self.home = first.home
        self.value, self.grad = self.home.value[places], self.home.grad[places]
        self.state: dict[str, Tensor] = {}

    def remember(self, name: str, memories: dict[Parameter, dict[str, Tensor]]) -> None:
        """Bring together what is remembered of each parameter under one name; zeros at first."""
        flat = self.value.new_zeros(self.value.shape)
        start = 0
        for parameter in self.parameters:
            stop = start + parameter.top.numel()
            memory = memories.setdefault(parameter, {})
            if name in memory:
                flat[start:stop].copy_(memory[name])
            memory[name] = flat[start:stop]
            start = stop
        self.state[name] = flat


class Optimizer:
    """The base class of optimizers; a subclass names its `slots` and writes `update`.

    Attributes:
        lr: the learning rate; it may be set before any step.
    """

    slots: tuple[str, ...] = ()
    """What is remembered for each element of the parameters, such as its momentum."""

    def __init__(self, params: Iterable[Parameter], lr: float) -> None:
        self.parameters = _checked(params)
        self.lr = require_range("lr", lr)
        self._counts: dict[tuple[str, ...], dict[Parameter, int]] = {}
        self._memories: dict[Parameter, dict[str, Tensor]] = {}
        self._stretches: list[Stretch] = []
        self._arranged: tuple[str, ...] | None = None
        self._homes: dict[Home, int] = {}
        settle(self.parameters)

    def update(self, step: int, value: Tensor, grad: Tensor, **state: Tensor) -> None:
        """Change the flat `value` in place.

        Args:
            step: the number of this step, from 1.
            value: the values of some parameters side by side.
            grad: their gradients, not to be changed.
            state: what is remembered, by the names of `slots`, zeros at the first step.
        """
        raise GraphError(f"{type(self).__name__} has no update method: an optimizer writes one.")

    def step(self) -> None:
        """Update by its gradient each parameter that is not frozen."""
        moved = any(home.changes != seen for home, seen in self._homes.items())
        if moved or self._arranged != self.slots:
            self._arrange()
        for stretch in self._stretches:
            before = stretch.home.writes
            stretch.steps += 1
            self.update(stretch.steps, stretch.value, stretch.grad, **stretch.state)
            stretch.home.counted += stretch.home.writes - before
            for parameter in stretch.parameters:
                parameter.updates += 1

    def zero_grad(self) -> None:
        """Set all gradients to zero. `graph.backward` does not need it: it starts afresh."""
        for parameter in self.parameters:
            parameter.grad = None

    def _arrange(self) -> None:
        """Find the longest stretches of parameters that can be updated together."""
        self._count_steps()
        settle(self.parameters)
        runs: list[list[Parameter]] = []
        for parameter in self.parameters:
            if not parameter.requires_grad:
                continue
            if runs and self._joins(runs[-1][-1], parameter):
                runs[-1].append(parameter)
            else:
                runs.append([parameter])
        self._stretches = [Stretch(run, self._steps[run[0]]) for run in runs]
        for stretch in self._stretches:
            for name in self.slots:
                stretch.remember(name, self._memories)
        self._arranged = self.slots
        self._homes = {parameter.home: parameter.home.changes for parameter in self.parameters}

    @property
    def _steps(self) -> dict[Parameter, int]:
        """How many steps each parameter has made with the present slots."""
        return self._counts.setdefault(self.slots, dict.fromkeys(self.parameters, 0))

    def _count_steps(self) -> None:
        """Note how many steps each parameter has made, with the slots that it made them with."""
        for stretch in self._stretches:
            for parameter in stretch.parameters:
                self._counts[tuple(stretch.state)][parameter] = stretch.steps

    def _joins(self, left: Parameter, right: Parameter) -> bool:
        """True if the right parameter begins where the left one ends, and is as many steps old."""
        return (
            left.home is right.home
            and left.offset + left.top.numel() == right.offset
            and self._steps[left] == self._steps[right]
        )

    def __getstate__(self) -> dict[str, Any]:
        """What is copied and pickled: the stretches are found again, beside the copied homes."""
        self._count_steps()
        return {**vars(self), "_stretches": [], "_arranged": None, "_homes": {}}


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum.

    g = grad + weight_decay w;  v = momentum v + (1 - dampening) g, and v = g at the first step;
    w = w - lr v, or with Nesterov's momentum w - lr (g + momentum v).

    Args:
        params: the parameters to update.
        lr: the learning rate, 0 or more.
        momentum: how much of the last update is kept, 0 or more.
        dampening: how much less of the gradient enters the momentum.
        weight_decay: the factor of the L2 penalty, 0 or more.
        nesterov: True to look ahead along the momentum.

    Source: Sutskever et al., On the importance of initialization and momentum (2013), equations 1
    to 4, in the form of `torch.optim.SGD`.

    Raises:
        RangeError: a setting is out of its range.
        GraphError: there is nothing to update.

    >>> import graphnet as gn
    >>> from torch import empty
    >>> w = gn.Parameter(empty(1).fill_(3))
    >>> w.grad = empty(1).fill_(2)
    >>> gn.SGD([w], lr=0.5).step()
    >>> w.top
    tensor([2.])
    """

    def __init__(
        self,
        params: Iterable[Parameter],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        self.momentum = require_range("momentum", momentum)
        self.dampening = require_range("dampening", dampening, low=-inf)
        self.weight_decay = require_range("weight_decay", weight_decay)
        self.nesterov = nesterov
        if nesterov and (momentum <= 0 or dampening != 0):
            raise RangeError("nesterov needs a momentum above 0 and a dampening of 0.")
        super().__init__(params, lr)

    @property
    def slots(self) -> tuple[str, ...]:  # type: ignore[override]  # they follow a setting
        """The momentum, if there is any."""
        return ("momentum_buffer",) if self.momentum else ()

    def update(self, step: int, value: Tensor, grad: Tensor, **state: Tensor) -> None:
        """Change the values by one step."""
        if self.weight_decay:
            grad = grad.add(value, alpha=self.weight_decay)
        if self.momentum:
            buffer = state["momentum_buffer"]
            if step == 1:
                buffer.copy_(grad)
            else:
                buffer.mul_(self.momentum).add_(grad, alpha=1 - self.dampening)
            grad = grad.add(buffer, alpha=self.momentum) if self.nesterov else buffer
        value.add_(grad, alpha=-self.lr)


class Adam(Optimizer):
    """Steps of about the size lr for every parameter, whatever the size of its gradient.

    g = grad + weight_decay w;  m = β₁ m + (1 - β₁) g;  v = β₂ v + (1 - β₂) g²;
    w = w - lr (m / (1 - β₁ᵗ)) / (√(v / (1 - β₂ᵗ)) + eps) at step t.

    Args:
        params: the parameters to update.
        lr: the learning rate, 0 or more.
        betas: β₁ and β₂, how much of the means of g and g² is kept, from 0 to below 1.
        eps: what keeps the division finite, 0 or more.
        weight_decay: the factor of the L2 penalty, 0 or more.

    Source: Kingma and Ba, Adam (2015), algorithm 1, in the form of `torch.optim.Adam`.

    Raises:
        RangeError: a setting is out of its range.
        GraphError: there is nothing to update.
    """

    slots = ("exp_avg", "exp_avg_sq")

    def __init__(
        self,
        params: Iterable[Parameter],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise RangeError(f"betas are two numbers, such as (0.9, 0.999); {betas!r} came.")
        self.betas = (
            require_range("betas[0]", betas[0], below=1.0),
            require_range("betas[1]", betas[1], below=1.0),
        )
        self.eps = require_range("eps", eps)
        self.weight_decay = require_range("weight_decay", weight_decay)
        super().__init__(params, lr)

    def update(self, step: int, value: Tensor, grad: Tensor, **state: Tensor) -> None:
        """Change the values by one step."""
        beta1, beta2 = self.betas
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        if self.weight_decay:
            grad = grad.add(value, alpha=self.weight_decay)
        mean.lerp_(grad, 1 - beta1)
        square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        scale = (square.sqrt() / sqrt(1 - beta2**step)).add_(self.eps)
        value.addcdiv_(mean, scale, value=-self.lr / (1 - beta1**step))


def require_range(name: str, value: float, low: float = 0.0, below: float | None = None) -> float:
    """A setting, known to be a finite number in its range.

    Raises:
        RangeError: it is not.
    """
    if (
        not isinstance(value, int | float)
        or not isfinite(value)
        or value < low
        or (below is not None and value >= below)
    ):
        least = "" if low == -inf else f" of {low:g} or more"
        top = "" if below is None else f" and below {below:g}"
        raise RangeError(f"{name} is a finite number{least}{top}; {value!r} came.")
    return value


def _checked(params: Iterable[Parameter]) -> list[Parameter]:
    """The parameters as a list, each known to be one, and each there once."""
    if not isinstance(params, Iterable) or isinstance(params, Parameter):
        raise GraphError("An optimizer takes a list of parameters: model.parameters(), or [w, b].")
    parameters = list(params)
    for parameter in parameters:
        if not isinstance(parameter, Parameter):
            raise GraphError(
                f"An optimizer updates graphnet parameters; a {type(parameter).__name__} came. "
                "model.parameters() lists those of a module."
            )
    if not parameters:
        raise GraphError("An optimizer needs at least one parameter; the list is empty.")
    if len(set(parameters)) < len(parameters):
        raise GraphError("A parameter is given to the optimizer twice.")
    return parameters

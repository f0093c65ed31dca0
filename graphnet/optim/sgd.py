"""Stochastic gradient descent."""

from __future__ import annotations

from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any

from graphnet.errors import RangeError
from graphnet.optim.declared import TorchOptimizer, declared, setting
from graphnet.optim.settings import not_negative
from graphnet.validation import require_flag, require_range

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.optim.groups import Group


@declared
class SGD(TorchOptimizer):
    """Stochastic gradient descent, with optional momentum.

    g = grad + weight_decay w;  v = momentum v + (1 - dampening) g, and v = g at the first step;
    w = w - lr v, or with Nesterov's momentum w - lr (g + momentum v).

    Args:
        params: the parameters to update, or groups of them.
        lr: the learning rate, 0 or more.
        momentum: the fraction of the last update that is kept, 0 or more.
        dampening: the fraction of the gradient that does not enter the momentum.
        weight_decay: the factor of the L2 penalty, 0 or more.
        nesterov: True to look ahead along the momentum.
        maximize: True to ascend instead of descend.
        switches: torch's implementation switches, see `Optimizer`.

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

    slots = ("momentum_buffer",)
    step_in_state = False
    switches = ("foreach", "differentiable", "fused")
    momentum: float = setting(not_negative, default=0.0)
    dampening: float = setting(partial(require_range, low=-inf), default=0.0)
    weight_decay: float = setting(not_negative, default=0.0)
    nesterov: bool = setting(require_flag, default=False)

    def check_group(self, group: Group) -> None:
        """Check the settings of a group."""
        super().check_group(group)
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise RangeError("nesterov needs a momentum above 0 and a dampening of 0.")

    def slots_of(self, group: Group) -> tuple[str, ...]:
        """The momentum, if there is any."""
        return self.slots if group["momentum"] else ()

    def counts(self, group: Group) -> bool:
        """Only steps with momentum are counted, to recognize the first one."""
        return bool(group["momentum"])

    def numbers(self, group: Group, step: int, **scalars: Tensor) -> dict[str, Any]:
        """The learning rate, and the fraction of g that enters v: all of it at the first step."""
        intake = 1.0 if step == 1 else 1 - group["dampening"]
        return {"lr": float(group["lr"]), "intake": intake}

    def update(self, group: Group, step: int, value: Tensor, grad: Tensor, **state: Tensor) -> None:
        """Apply one step to the values."""
        grad = self.descent(group, value, grad)
        if momentum := group["momentum"]:
            buffer = state["momentum_buffer"].mul_(momentum).add_(grad, alpha=group["intake"])
            grad = grad.add(buffer, alpha=momentum) if group["nesterov"] else buffer
        value.add_(grad, alpha=-group["lr"])

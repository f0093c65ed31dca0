"""Steps scaled by the size of past gradients: Adagrad, Adadelta and RMSprop."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from graphnet.optim.declared import TorchOptimizer, declared, rate, setting
from graphnet.optim.settings import not_negative
from graphnet.validation import require_flag, require_range

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.optim.groups import Group


@declared
class RMSprop(TorchOptimizer):
    """Step along the gradient divided by the root of its mean square.

    g = grad + weight_decay w;  s = alpha s + (1 - alpha) g²;  r = √s + eps, or √(s - a²) + eps if
    centered, with a = alpha a + (1 - alpha) g;  w = w - lr g / r, or with momentum
    b = momentum b + g / r and w = w - lr b.

    Args:
        params: the parameters to update, or groups of them.
        lr: the learning rate, 0 or more.
        alpha: the decay rate of the mean square, 0 or more.
        eps: a constant that keeps the division finite, 0 or more.
        weight_decay: the factor of the L2 penalty, 0 or more.
        momentum: the fraction of the last update that is kept, 0 or more.
        centered: True to divide by the deviation from the mean gradient.
        maximize: True to ascend instead of descend.
        switches: torch's implementation switches, see `Optimizer`.

    Source: Hinton, Neural networks for machine learning (2012), lecture 6e; centered as in Graves,
    Generating sequences with recurrent neural networks (2013), equations 38 to 45; in the form of
    `torch.optim.RMSprop`.

    Raises:
        RangeError: a setting is out of its range.
        GraphError: there is nothing to update.
    """

    slots = ("square_avg", "momentum_buffer", "grad_avg")
    lr: float = rate(default=1e-2)
    alpha: float = setting(not_negative, default=0.99)
    eps: float = setting(not_negative, default=1e-8)
    weight_decay: float = setting(not_negative, default=0.0)
    momentum: float = setting(not_negative, default=0.0)
    centered: bool = setting(require_flag, default=False)

    def slots_of(self, group: Group) -> tuple[str, ...]:
        """The mean square, and the slots for momentum and centering."""
        used = {"square_avg": True, "momentum_buffer": bool(group["momentum"])}
        used["grad_avg"] = group["centered"]
        return tuple(name for name in self.slots if used[name])

    def update(self, group: Group, step: int, value: Tensor, grad: Tensor, **state: Tensor) -> None:
        """Apply one step to the values."""
        grad = self.descent(group, value, grad)
        square = state["square_avg"]
        square.mul_(group["alpha"]).addcmul_(grad, grad, value=1 - group["alpha"])
        if group["centered"]:
            mean = state["grad_avg"].lerp_(grad, 1 - group["alpha"])
            square = square.addcmul(mean, mean, value=-1)
        scale = square.sqrt().add_(group["eps"])
        if group["momentum"]:
            buffer = state["momentum_buffer"].mul_(group["momentum"]).addcdiv_(grad, scale)
            value.add_(buffer, alpha=-group["lr"])
        else:
            value.addcdiv_(grad, scale, value=-group["lr"])


@declared
class Adagrad(TorchOptimizer):
    """Step along the gradient divided by the root of the sum of its squares.

    g = grad + weight_decay w;  s = s + g²;
    w = w - lr / (1 + (t - 1) lr_decay) g / (√s + eps) at step t.

    Args:
        params: the parameters to update, or groups of them.
        lr: the learning rate, 0 or more.
        lr_decay: the decay rate of the learning rate, 0 or more.
        weight_decay: the factor of the L2 penalty, 0 or more.
        initial_accumulator_value: s before the first step, 0 or more.
        eps: a constant that keeps the division finite, 0 or more.
        maximize: True to ascend instead of descend.
        switches: torch's implementation switches, see `Optimizer`.

    Source: Duchi, Hazan and Singer, Adaptive subgradient methods (2011), figure 1; in the form of
    `torch.optim.Adagrad`.

    Raises:
        RangeError: a setting is out of its range.
        GraphError: there is nothing to update.
    """

    slots = ("sum",)
    switches = ("foreach", "differentiable", "fused")
    state_from_start = True  # the initial sum is part of the state
    lr: float = rate(default=1e-2)
    lr_decay: float = setting(not_negative, default=0.0)
    weight_decay: float = setting(not_negative, default=0.0)
    initial_accumulator_value: float = setting(not_negative, default=0.0)
    eps: float = setting(not_negative, default=1e-10)

    def first_value(self, group: Group, name: str) -> float:
        """The initial value of the sum."""
        return float(group["initial_accumulator_value"])

    def numbers(self, group: Group, step: int, **scalars: Tensor) -> dict[str, Any]:
        """The learning rate after the decay."""
        return {"rate": float(group["lr"]) / (1 + (step - 1) * group["lr_decay"])}

    def update(self, group: Group, step: int, value: Tensor, grad: Tensor, **state: Tensor) -> None:
        """Apply one step to the values."""
        grad = self.descent(group, value, grad)
        total = state["sum"].addcmul_(grad, grad, value=1)
        value.addcdiv_(grad, total.sqrt().add_(group["eps"]), value=-group["rate"])


@declared
class Adadelta(TorchOptimizer):
    """Step along the gradient in units of the last updates.

    g = grad + weight_decay w;  v = rho v + (1 - rho) g²;  d = g √(u + eps) / √(v + eps);
    u = rho u + (1 - rho) d²;  w = w - lr d.

    Args:
        params: the parameters to update, or groups of them.
        lr: the factor of the updates, 0 or more.
        rho: the decay rate of the means, from 0 to 1.
        eps: a constant that keeps the division finite, 0 or more.
        weight_decay: the factor of the L2 penalty, 0 or more.
        maximize: True to ascend instead of descend.
        switches: torch's implementation switches, see `Optimizer`.

    Source: Zeiler, Adadelta (2012), algorithm 1; in the form of `torch.optim.Adadelta`.

    Raises:
        RangeError: a setting is out of its range.
        GraphError: there is nothing to update.
    """

    slots = ("square_avg", "acc_delta")
    lr: float = rate(default=1.0)
    rho: float = setting(partial(require_range, high=1.0), default=0.9)
    eps: float = setting(not_negative, default=1e-6)
    weight_decay: float = setting(not_negative, default=0.0)

    def update(self, group: Group, step: int, value: Tensor, grad: Tensor, **state: Tensor) -> None:
        """Apply one step to the values."""
        rho, eps = group["rho"], group["eps"]
        grad = self.descent(group, value, grad)
        square = state["square_avg"].mul_(rho).addcmul_(grad, grad, value=1 - rho)
        delta = state["acc_delta"].add(eps).sqrt_().div_(square.add(eps).sqrt_()).mul_(grad)
        state["acc_delta"].mul_(rho).addcmul_(delta, delta, value=1 - rho)
        value.add_(delta, alpha=-group["lr"])

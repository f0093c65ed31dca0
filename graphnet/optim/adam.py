"""Adam and its variants: steps along a mean gradient, scaled by the size of recent gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from graphnet.optim.base import Optimizer
from graphnet.optim.descent import descent
from graphnet.optim.settings import Setting, not_negative, pair_of_betas
from graphnet.validation import require_flag

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.optim.groups import Params, Switches


class WithBetas(Optimizer):
    """The base class of Adam and its variants: settings, and the means of g and g²."""

    slots: tuple[str, ...] = ("exp_avg", "exp_avg_sq")
    switches: tuple[str, ...] = ("foreach", "differentiable", "capturable")
    betas = Setting(pair_of_betas)
    eps = Setting(not_negative)
    weight_decay = Setting(not_negative)
    maximize = Setting(require_flag)

    def numbers(self, group: dict[str, Any], step: int, **scalars: Tensor) -> dict[str, Any]:
        """The learning rate, lr / (1 - β₁ᵗ), and √(1 - β₂ᵗ)."""
        lr, (beta1, beta2) = float(group["lr"]), group["betas"]
        return {"lr": lr, "rate": lr / (1 - beta1**step), "root": (1 - beta2**step) ** 0.5}

    def means(
        self, group: dict[str, Any], value: Tensor, grad: Tensor, mean: Tensor, square: Tensor
    ) -> Tensor:
        """Update the means of g and g², and return g."""
        beta1, beta2 = group["betas"]
        grad = descent(group, value, grad)
        mean.lerp_(grad, 1 - beta1)
        square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        return grad

    def scale(self, group: dict[str, Any], square: Tensor) -> Tensor:
        """The size of recent gradients, √(v / (1 - β₂ᵗ)) + eps."""
        scale: Tensor = square.sqrt() / group["root"]
        return scale.add_(group["eps"])


class Adam(WithBetas):
    """Take steps of about the size lr for every parameter, whatever the size of its gradient.

    g = grad + weight_decay w;  m = β₁ m + (1 - β₁) g;  v = β₂ v + (1 - β₂) g²;
    w = w - lr (m / (1 - β₁ᵗ)) / (√(v / (1 - β₂ᵗ)) + eps) at step t; with amsgrad, the last formula
    uses the largest v so far.

    Args:
        params: the parameters to update, or groups of them.
        lr: the learning rate, 0 or more.
        betas: β₁ and β₂, the decay rates of the means of g and g², from 0 to below 1.
        eps: a constant that keeps the division finite, 0 or more.
        weight_decay: the factor of the L2 penalty, 0 or more.
        amsgrad: True to divide by the largest mean of g² so far.
        maximize: True to ascend instead of descend.
        decoupled_weight_decay: True for the weight decay of `AdamW`.
        switches: torch's implementation switches, see `Switches`.

    Source: Kingma and Ba, Adam (2015), algorithm 1; for amsgrad Reddi et al., On the convergence of
    Adam and beyond (2018), algorithm 2; in the form of `torch.optim.Adam`.

    Raises:
        RangeError: a setting is out of its range.
        GraphError: there is nothing to update.
    """

    slots = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
    switches = ("foreach", "differentiable", "capturable", "fused")
    amsgrad = Setting(require_flag)
    decoupled_weight_decay = Setting(require_flag)

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
        **switches: Unpack[Switches],
    ) -> None:
        super().__init__(
            params,
            lr,
            switches,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            amsgrad=amsgrad,
            maximize=maximize,
            decoupled_weight_decay=decoupled_weight_decay,
        )

    def slots_of(self, group: dict[str, Any]) -> tuple[str, ...]:
        """The two means, and with amsgrad the largest second one."""
        return self.slots if group["amsgrad"] else self.slots[:2]

    def update(
        self, group: dict[str, Any], step: int, value: Tensor, grad: Tensor, **state: Tensor
    ) -> None:
        """Apply one step to the values."""
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        self.means(group, value, grad, mean, square)
        if group["amsgrad"]:
            largest = state["max_exp_avg_sq"]
            square = largest.copy_(largest.maximum(square))
        value.addcdiv_(mean, self.scale(group, square), value=-group["rate"])


class AdamW(Adam):
    """Adam with weight decay decoupled from the gradient: first w = w (1 - lr weight_decay).

    Args:
        params: the parameters to update, or groups of them.
        lr: the learning rate, 0 or more.
        betas: the decay rates of the means of g and g², from 0 to below 1.
        eps: a constant that keeps the division finite, 0 or more.
        weight_decay: the decay rate of the values, 0 or more.
        amsgrad: True to divide by the largest mean of g² so far.
        maximize: True to ascend instead of descend.
        switches: torch's implementation switches, see `Switches`.

    Source: Loshchilov and Hutter, Decoupled weight decay regularization (2019), algorithm 2; in the
    form of `torch.optim.AdamW`.

    Raises:
        RangeError: a setting is out of its range.
        GraphError: there is nothing to update.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        **switches: Unpack[Switches],
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            maximize=maximize,
            decoupled_weight_decay=True,
            **switches,
        )

    def check_group(self, group: dict[str, Any]) -> None:
        """Check the settings of a group; the decay is decoupled, whatever a loaded state says."""
        group["decoupled_weight_decay"] = True
        super().check_group(group)


class Adamax(WithBetas):
    """Adam with the largest recent gradient instead of the mean of g².

    g = grad + weight_decay w;  m = β₁ m + (1 - β₁) g;  u = max(β₂ u, |g| + eps);
    w = w - lr / (1 - β₁ᵗ) m / u at step t.

    Args:
        params: the parameters to update, or groups of them.
        lr: the learning rate, 0 or more.
        betas: β₁ and β₂, the decay rates of m and u, from 0 to below 1.
        eps: a constant that keeps the division finite, 0 or more.
        weight_decay: the factor of the L2 penalty, 0 or more.
        maximize: True to ascend instead of descend.
        switches: torch's implementation switches, see `Switches`.

    Source: Kingma and Ba, Adam (2015), algorithm 2; in the form of `torch.optim.Adamax`.

    Raises:
        RangeError: a setting is out of its range.
        GraphError: there is nothing to update.
    """

    slots = ("exp_avg", "exp_inf")

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        **switches: Unpack[Switches],
    ) -> None:
        super().__init__(
            params, lr, switches, betas=betas, eps=eps, weight_decay=weight_decay, maximize=maximize
        )

    def update(
        self, group: dict[str, Any], step: int, value: Tensor, grad: Tensor, **state: Tensor
    ) -> None:
        """Apply one step to the values."""
        beta1, beta2 = group["betas"]
        mean, largest = state["exp_avg"], state["exp_inf"]
        grad = descent(group, value, grad)
        mean.lerp_(grad, 1 - beta1)
        largest.copy_(largest.mul(beta2).maximum(grad.abs().add_(group["eps"])))
        value.addcdiv_(mean, largest, value=-group["rate"])

"""Adam and its variants: steps along a mean gradient, scaled by the size of recent gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.optim.base import Optimizer
from graphnet.optim.declared import TorchOptimizer, declared, rate, setting
from graphnet.optim.settings import not_negative, pair_of_betas
from graphnet.validation import require_flag

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.optim.groups import Group


@declared
class WithBetas(TorchOptimizer):
    """The base class of Adam and its variants: settings, and the means of g and g²."""

    betas: tuple[float, float] = setting(pair_of_betas, default=(0.9, 0.999))
    eps: float = setting(not_negative, default=1e-8)
    weight_decay: float = setting(not_negative, default=0.0)

    def numbers(self, group: Group, step: int, **scalars: Tensor) -> dict[str, Any]:
        """The learning rate, lr / (1 - β₁ᵗ), and √(1 - β₂ᵗ)."""
        lr, (beta1, beta2) = float(group["lr"]), group["betas"]
        return {"lr": lr, "rate": lr / (1 - beta1**step), "root": (1 - beta2**step) ** 0.5}

    def means(
        self, group: Group, value: Tensor, grad: Tensor, mean: Tensor, square: Tensor
    ) -> Tensor:
        """Update the means of g and g², and return g."""
        beta1, beta2 = group["betas"]
        grad = self.descent(group, value, grad)
        mean.lerp_(grad, 1 - beta1)
        square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        return grad

    def scale(self, group: Group, square: Tensor) -> Tensor:
        """The size of recent gradients, √(v / (1 - β₂ᵗ)) + eps."""
        scale: Tensor = square.sqrt() / group["root"]
        return scale.add_(group["eps"])


@declared
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
        switches: torch's implementation switches, see `Optimizer`.

    Source: Kingma and Ba, Adam (2015), algorithm 1; for amsgrad Reddi et al., On the convergence of
    Adam and beyond (2018), algorithm 2; in the form of `torch.optim.Adam`.

    Raises:
        RangeError: a setting is out of its range.
        GraphError: there is nothing to update.
    """

    slots = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
    switches = Optimizer.switches
    amsgrad: bool = setting(require_flag, default=False)
    decoupled_weight_decay: bool = setting(require_flag, default=False, kw_only=True)

    def slots_of(self, group: Group) -> tuple[str, ...]:
        """The two means, and with amsgrad the largest second one."""
        return self.slots if group["amsgrad"] else self.slots[:2]

    def update(self, group: Group, step: int, value: Tensor, grad: Tensor, **state: Tensor) -> None:
        """Apply one step to the values."""
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        self.means(group, value, grad, mean, square)
        if group["amsgrad"]:
            largest = state["max_exp_avg_sq"]
            square = largest.copy_(largest.maximum(square))
        value.addcdiv_(mean, self.scale(group, square), value=-group["rate"])


@declared
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
        switches: torch's implementation switches, see `Optimizer`.

    Source: Loshchilov and Hutter, Decoupled weight decay regularization (2019), algorithm 2; in the
    form of `torch.optim.AdamW`.

    Raises:
        RangeError: a setting is out of its range.
        GraphError: there is nothing to update.
    """

    weight_decay: float = setting(not_negative, default=1e-2)
    decoupled_weight_decay: bool = setting(require_flag, init=False)

    def check_group(self, group: Group) -> None:
        """Check the settings of a group; the decay is decoupled, whatever a loaded state says."""
        group["decoupled_weight_decay"] = True
        super().check_group(group)


@declared
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
        switches: torch's implementation switches, see `Optimizer`.

    Source: Kingma and Ba, Adam (2015), algorithm 2; in the form of `torch.optim.Adamax`.

    Raises:
        RangeError: a setting is out of its range.
        GraphError: there is nothing to update.
    """

    slots = ("exp_avg", "exp_inf")
    lr: float = rate(default=2e-3)

    def update(self, group: Group, step: int, value: Tensor, grad: Tensor, **state: Tensor) -> None:
        """Apply one step to the values."""
        beta1, beta2 = group["betas"]
        mean, largest = state["exp_avg"], state["exp_inf"]
        grad = self.descent(group, value, grad)
        mean.lerp_(grad, 1 - beta1)
        largest.copy_(largest.mul(beta2).maximum(grad.abs().add_(group["eps"])))
        value.addcdiv_(mean, largest, value=-group["rate"])


@declared
class NAdam(WithBetas):
    """Adam with Nesterov's momentum.

    m and v as in Adam;  μₜ = β₁ (1 - 0.96^(t momentum_decay) / 2);  πₜ = μ₁ μ₂ ... μₜ;
    w = w - lr (μₜ₊₁ m / (1 - πₜ₊₁) + (1 - μₜ) g / (1 - πₜ)) / (√(v / (1 - β₂ᵗ)) + eps) at step t.

    Args:
        params: the parameters to update, or groups of them.
        lr: the learning rate, 0 or more.
        betas: β₁ and β₂, the decay rates of the means of g and g², from 0 to below 1.
        eps: a constant that keeps the division finite, 0 or more.
        weight_decay: the factor of the L2 penalty, 0 or more.
        momentum_decay: the rate at which μ grows to β₁, 0 or more.
        decoupled_weight_decay: True for the weight decay of `AdamW`.
        maximize: True to ascend instead of descend.
        switches: torch's implementation switches, see `Optimizer`.

    Source: Dozat, Incorporating Nesterov momentum into Adam (2016), algorithm 8; in the form of
    `torch.optim.NAdam`.

    Raises:
        RangeError: a setting is out of its range.
        GraphError: there is nothing to update.
    """

    slots = ("mu_product", "exp_avg", "exp_avg_sq")
    scalars = ("mu_product",)
    lr: float = rate(default=2e-3)
    momentum_decay: float = setting(not_negative, default=4e-3)
    decoupled_weight_decay: bool = setting(require_flag, default=False)

    def first_value(self, group: Group, name: str) -> float:
        """A product starts at 1."""
        return float(name == "mu_product")

    def numbers(self, group: Group, step: int, **scalars: Tensor) -> dict[str, Any]:
        """The numbers of Adam, and the rates of g and m."""
        known = super().numbers(group, step)
        beta1, decay = group["betas"][0], group["momentum_decay"]
        mu, mu_next = (beta1 * (1.0 - 0.5 * 0.96 ** (k * decay)) for k in (step, step + 1))
        product = float(scalars["mu_product"].mul_(mu))
        known["grad_rate"] = known["lr"] * (1.0 - mu) / (1.0 - product)
        known["mean_rate"] = known["lr"] * mu_next / (1.0 - product * mu_next)
        return known

    def update(self, group: Group, step: int, value: Tensor, grad: Tensor, **state: Tensor) -> None:
        """Apply one step to the values."""
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        grad = self.means(group, value, grad, mean, square)
        scale = self.scale(group, square)
        value.addcdiv_(grad, scale, value=-group["grad_rate"])
        value.addcdiv_(mean, scale, value=-group["mean_rate"])


@declared
class RAdam(WithBetas):
    """Adam that does not divide until the mean of g² covers enough steps.

    m and v as in Adam;  ρ∞ = 2 / (1 - β₂) - 1;  ρₜ = ρ∞ - 2 t β₂ᵗ / (1 - β₂ᵗ);
    w = w - lr m / (1 - β₁ᵗ) r √(1 - β₂ᵗ) / (√v + eps) where ρₜ > 5, with
    r = √((ρₜ - 4) (ρₜ - 2) ρ∞ / ((ρ∞ - 4) (ρ∞ - 2) ρₜ)), and w - lr m / (1 - β₁ᵗ) before that.

    Args:
        params: the parameters to update, or groups of them.
        lr: the learning rate, 0 or more.
        betas: β₁ and β₂, the decay rates of the means of g and g², from 0 to below 1.
        eps: a constant that keeps the division finite, 0 or more.
        weight_decay: the factor of the L2 penalty, 0 or more.
        decoupled_weight_decay: True for the weight decay of `AdamW`.
        maximize: True to ascend instead of descend.
        switches: torch's implementation switches, see `Optimizer`.

    Source: Liu et al., On the variance of the adaptive learning rate and beyond (2020),
    algorithm 2; in the form of `torch.optim.RAdam`.

    Raises:
        RangeError: a setting is out of its range.
        GraphError: there is nothing to update.
    """

    slots = ("exp_avg", "exp_avg_sq")
    decoupled_weight_decay: bool = setting(require_flag, default=False)

    def numbers(self, group: Group, step: int, **scalars: Tensor) -> dict[str, Any]:
        """The numbers of Adam with r in the rate, and True where ρₜ > 5."""
        known = super().numbers(group, step)
        beta2 = group["betas"][1]
        most = 2 / (1 - beta2) - 1
        length = most - 2 * step * beta2**step / (1 - beta2**step)
        if rectified := length > 5.0:
            square = (length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length)
            known["rate"] *= known["root"] * square**0.5
        return {**known, "rectified": rectified}

    def update(self, group: Group, step: int, value: Tensor, grad: Tensor, **state: Tensor) -> None:
        """Apply one step to the values."""
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        self.means(group, value, grad, mean, square)
        if group["rectified"]:
            value.addcdiv_(mean, square.sqrt().add_(group["eps"]), value=-group["rate"])
        else:
            value.add_(mean, alpha=-group["rate"])

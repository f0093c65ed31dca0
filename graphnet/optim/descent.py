"""The direction of a step: the gradient with its sign and the weight decay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


def descent(group: dict[str, Any], value: Tensor, grad: Tensor) -> Tensor:
    """The gradient to descend, after the weight decay that a group's settings require.

    The L2 penalty adds to the gradient; decoupled decay shrinks the values by 1 - lr weight_decay.
    """
    if group["maximize"]:
        grad = -grad
    if group["weight_decay"] and group.get("decoupled_weight_decay"):
        value.mul_(1 - group["lr"] * group["weight_decay"])
    elif group["weight_decay"]:
        grad = grad.add(value, alpha=group["weight_decay"])
    return grad

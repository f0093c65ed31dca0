"""One learning rate for an optimizer with several groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.validation import item_of, require_range

if TYPE_CHECKING:
    from graphnet.optim import Optimizer


def set_lr(optimizer: Optimizer, lr: float) -> None:
    """Set a learning rate and keep the ratio of the groups, as a schedule does.

    A group's own rate is its rate at the first call of this function, and is stored as its
    "initial_lr". Groups with the optimizer's default rate get `lr`, the others a rate in the same
    ratio to it as before. If every group has a rate of its own, the largest becomes `lr`. By
    contrast, `optimizer.lr = lr` gives all groups the same rate, which is then their own.

    Source: torch's schedulers, which scale "initial_lr"; their factor is lr / own here.

    Raises:
        RangeError: the rate is not a finite number of 0 or more; nothing was set.

    >>> import graphnet as gn
    >>> body, head = gn.Linear(2, 3), gn.Linear(3, 1)
    >>> groups = [{"params": body.parameters(), "lr": 0.001}, {"params": head.parameters()}]
    >>> sgd = gn.SGD(groups, lr=0.1)
    >>> set_lr(sgd, 0.05)
    >>> [group["lr"] for group in sgd.param_groups]
    [0.0005, 0.05]
    """
    rate = require_range("A learning rate", item_of(lr))
    for group in optimizer.param_groups:
        group.setdefault("initial_lr", group["lr"])
    for group, ratio in zip(optimizer.param_groups, ratios(optimizer), strict=True):
        group["lr"] = rate * ratio


def ratios(optimizer: Optimizer) -> list[float]:
    """The ratio of each group's rate to that of a schedule."""
    own = [float(group.get("initial_lr", group["lr"])) for group in optimizer.param_groups]
    given = float(optimizer.defaults["lr"])
    reference = given if given in own and given else max(own)
    return [each / reference if reference else 1.0 for each in own]

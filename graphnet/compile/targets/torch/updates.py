"""Faster forms of some updates: one pass over parameters and state, by a kernel of torch.

The rule of the optimizer stays what it is; these compute the same. Each returns the new values and
the new state stacked, and its line writes them over the old ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch

from graphnet.compile.plan.calls import Call
from graphnet.compile.plan.slots import new_slot
from graphnet.compile.targets.torch.kernels import Kernel
from graphnet.op import Op
from graphnet.ops.indexing import Index
from graphnet.optim.adam import Adam, AdamW
from graphnet.optim.sgd import SGD

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.compile.run.settings import Known
    from graphnet.compile.targets.torch.select import Selection
    from graphnet.graph import Node, Operation
    from graphnet.optim.base import Optimizer

_LARGE = 20_000  # from this many parameters, one pass over memory is faster than two quick kernels


class AdamStep(Op):
    """A step of `Adam` or `AdamW`: the new (w, m, v).  Shapes: 4 times (n), (), () -> (3, n)."""

    symbol = "adam"
    beta1: float
    beta2: float
    eps: float
    weight_decay: float
    maximize: bool
    decoupled: bool

    def forward(
        self, value: Tensor, mean: Tensor, square: Tensor, grad: Tensor, lr: Any, step: Any
    ) -> Tensor:
        """The formulas of `Adam` and `AdamW`."""
        grad = -grad if self.maximize else grad
        if self.decoupled:
            value = value * (1 - lr * self.weight_decay)
        else:
            grad = grad + self.weight_decay * value
        mean = self.beta1 * mean + (1 - self.beta1) * grad
        square = self.beta2 * square + (1 - self.beta2) * grad * grad
        size = (square / (1 - self.beta2**step)).sqrt() + self.eps
        return torch.stack((value - lr / (1 - self.beta1**step) * mean / size, mean, square))

    grad_value = grad_mean = grad_square = grad_grad = grad_lr = grad_step = None


class MomentumStep(Op):
    """A step of `SGD` with momentum: the new (w, v).  Shapes: 3 times (n), () -> (2, n)."""

    symbol = "sgd"
    momentum: float
    weight_decay: float
    nesterov: bool
    maximize: bool

    def forward(self, value: Tensor, buffer: Tensor, grad: Tensor, lr: Any) -> Tensor:
        """The formulas of `SGD`."""
        grad = (-grad if self.maximize else grad) + self.weight_decay * value
        buffer = self.momentum * buffer + grad
        way = grad + self.momentum * buffer if self.nesterov else buffer
        return torch.stack((value - lr * way, buffer))

    grad_value = grad_buffer = grad_grad = grad_lr = None


def fast_update(
    optimizer: Optimizer, known: Known, value: Node, grad: Node, state: dict[str, Node]
) -> tuple[Node, dict[str, Node]] | None:
    """New values and new state in one pass; None if there is no such form.

    In `known`, numbers given at each step are nodes.
    """
    tensor = value.top
    options: tuple[Any, ...]
    numbers: tuple[Any, ...]
    if tensor.device.type != "cpu" or tensor.numel() < _LARGE or tensor.element_size() < 4:
        return None
    if type(optimizer) in (Adam, AdamW) and not known["amsgrad"]:
        names = ("eps", "weight_decay", "maximize", "decoupled_weight_decay")
        options = (*known["betas"], *(known[name] for name in names))
        numbers = (known["lr"], known["step"])
        return _stepped(AdamStep, options, ("exp_avg", "exp_avg_sq"), value, grad, state, numbers)
    if type(optimizer) is SGD and known["momentum"] and not known["dampening"]:
        options = tuple(known[name] for name in MomentumStep.option_names)
        numbers = (known["lr"],)
        return _stepped(MomentumStep, options, ("momentum_buffer",), value, grad, state, numbers)
    return None


def _stepped(
    kind: Any,
    options: tuple[Any, ...],
    names: tuple[str, ...],
    value: Node,
    grad: Node,
    state: dict[str, Node],
    numbers: tuple[Any, ...],
) -> tuple[Node, dict[str, Node]] | None:
    if not all(isinstance(option, float | int) for option in options):
        return None  # an option that changes from step to step
    step = kind(*options)(value, *(state[name] for name in names), grad, *numbers)
    return step[0], {name: step[place + 1] for place, name in enumerate(names)}


_ADAM = Kernel(
    "_fused_adam_([{value}], [{grad}], [{mean}], [{square}], [], [{count}], lr={lr}, "
    "beta1={beta1}, beta2={beta2}, weight_decay={weight_decay}, eps={eps}, amsgrad=False, "
    "maximize={maximize})",
    function="_fused_adam_",
)
_ADAMW = Kernel(_ADAM.out.replace("_adam_", "_adamw_"), function="_fused_adamw_")
_MOMENTUM = Kernel(
    "_fused_sgd_([{value}], [{grad}], [{buffer}], weight_decay={weight_decay}, "
    "momentum={momentum}, lr={lr}, dampening=0.0, nesterov={nesterov}, maximize={maximize}, "
    "is_first_step=False)",
    function="_fused_sgd_",
)
_FILL = Kernel("{out}.fill_({x})")


def adam_step(selection: Selection, node: Operation) -> None:
    """The calls of an Adam step."""
    args = dict(zip(node.op.inputs, map(selection.argument, node.sources), strict=True))
    count = selection.named(f"{node.name}_count", new_slot((), torch.float32))
    selection.add(Call(_FILL, (count,), {"x": args.pop("step")}, node))
    kernel = _ADAMW if cast("AdamStep", node.op).decoupled else _ADAM
    out = tuple(selection.slots[cast("Node", each)] for each in node.sources[:3])
    selection.add(Call(kernel, out, {**args, "count": count}, node, node.op.options))
    _in_place(selection, node, 3)


def momentum_step(selection: Selection, node: Operation) -> None:
    """The call of a step with momentum."""
    args = dict(zip(node.op.inputs, map(selection.argument, node.sources), strict=True))
    out = tuple(selection.slots[cast("Node", each)] for each in node.sources[:2])
    selection.add(Call(_MOMENTUM, out, args, node, node.op.options))
    _in_place(selection, node, 2)


def _in_place(selection: Selection, node: Operation, count: int) -> None:
    """Note that each part of the result lies where the old one was."""
    cells = [cast("Node", each) for each in node.sources[:count]]
    for each in selection.program:
        read = cast("Any", each)
        if each.kind == "operation" and isinstance(read.op, Index) and read.sources[0] is node:
            selection.keep(read, selection.slots[cells[read.op.part[0]]])
            selection.done.add(each)
    selection.keep(node, selection.slots[cells[0]])

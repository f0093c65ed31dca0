"""Faster forms of some updates: one pass over parameters and state, by a kernel of torch.

Each is one class, listed in `STEPS`. Its rule is the `update` of the optimizer itself,
so no formula is written again. It returns the new values and the new state stacked, and its line
writes them over the old ones. Its inputs are the values, the state by its names, the gradient, and
the numbers that the kernel takes.

A class declares which optimizers it is for. A pattern could not find them: the kernels take the
learning rate and the step, of which an update knows only what `numbers` makes of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch

from graphnet.compile.plan.calls import Call
from graphnet.compile.plan.slots import new_slot
from graphnet.compile.targets.torch.kernel import Kernel
from graphnet.graph import Operation
from graphnet.op import Op
from graphnet.ops.indexing import Index
from graphnet.optim.adam import Adam, AdamW
from graphnet.optim.sgd import SGD

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.compile.plan.calls import Operand
    from graphnet.compile.run.settings import Known
    from graphnet.compile.targets.torch.select import Selection
    from graphnet.graph import Node
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
        self, value: Tensor, exp_avg: Tensor, exp_avg_sq: Tensor, grad: Tensor, lr: Any, step: Any
    ) -> Tensor:
        """The update of `Adam`, which `AdamW` shares."""
        settings = {"betas": (self.beta1, self.beta2), "decoupled_weight_decay": self.decoupled}
        group = {**self.options, **settings, "amsgrad": False, "lr": lr}
        return _stacked(Adam, group, step, value, grad, exp_avg=exp_avg, exp_avg_sq=exp_avg_sq)

    @staticmethod
    def options_for(optimizer: Optimizer, known: Known) -> tuple[Any, ...] | None:
        """The options for the settings of an optimizer; None if the kernel is not for it."""
        if type(optimizer) not in (Adam, AdamW) or known["amsgrad"]:
            return None
        names = ("eps", "weight_decay", "maximize", "decoupled_weight_decay")
        return (*known["betas"], *(known[name] for name in names))

    grad_value = grad_exp_avg = grad_exp_avg_sq = grad_grad = grad_lr = grad_step = None


class MomentumStep(Op):
    """A step of `SGD` with momentum: the new (w, v).  Shapes: 3 times (n), () -> (2, n)."""

    symbol = "sgd"
    momentum: float
    weight_decay: float
    nesterov: bool
    maximize: bool

    def forward(self, value: Tensor, momentum_buffer: Tensor, grad: Tensor, lr: Any) -> Tensor:
        """The update of `SGD`; without dampening it is the same at each step."""
        group = {**self.options, "dampening": 0.0, "lr": lr}
        return _stacked(SGD, group, 1, value, grad, momentum_buffer=momentum_buffer)

    @staticmethod
    def options_for(optimizer: Optimizer, known: Known) -> tuple[Any, ...] | None:
        """The options for the settings of an optimizer; None if the kernel is not for it."""
        if type(optimizer) is not SGD or not known["momentum"] or known["dampening"]:
            return None
        return tuple(known[name] for name in MomentumStep.option_names)

    grad_value = grad_momentum_buffer = grad_grad = grad_lr = None


STEPS: tuple[Any, ...] = (AdamStep, MomentumStep)


def _stacked(
    kind: type[Optimizer], group: Known, step: Any, value: Tensor, grad: Tensor, **state: Tensor
) -> Tensor:
    """What the update of an optimizer makes of tensors: the new values and the new state."""
    rule = kind.__new__(kind)  # an update needs its settings alone, and no parameters
    known = {**group, **rule.numbers(group, step)}
    new, remembered = rule.updated(known, step, value, grad, **state)
    return torch.stack((new, *remembered.values()))


def fast_update(
    optimizer: Optimizer, known: Known, value: Node, grad: Node, state: dict[str, Node]
) -> tuple[Node, dict[str, Node]] | None:
    """New values and new state in one pass; None if there is no such form.

    In `known`, numbers given at each step are nodes.
    """
    tensor = value.top
    if tensor.device.type != "cpu" or tensor.numel() < _LARGE or tensor.element_size() < 4:
        return None
    for kind in STEPS:
        options = kind.options_for(optimizer, known)
        if options is not None and all(isinstance(each, float | int) for each in options):
            given: dict[str, Any] = {**known, **state, "value": value, "grad": grad}
            step = kind(*options)(*(given[name] for name in kind.inputs))
            return step[0], {name: step[row] for row, name in enumerate(state, 1)}
    return None  # there is none, or an option changes from step to step


_ADAM = Kernel(
    "_fused_adam_([{value}], [{grad}], [{exp_avg}], [{exp_avg_sq}], [], [{count}], lr={lr}, "
    "beta1={beta1}, beta2={beta2}, weight_decay={weight_decay}, eps={eps}, amsgrad=False, "
    "maximize={maximize})"
)
_ADAMW = Kernel(_ADAM.out.replace("_adam_", "_adamw_"))
_MOMENTUM = Kernel(
    "_fused_sgd_([{value}], [{grad}], [{momentum_buffer}], weight_decay={weight_decay}, "
    "momentum={momentum}, lr={lr}, dampening=0.0, nesterov={nesterov}, maximize={maximize}, "
    "is_first_step=False)"
)
_FILL = Kernel("{out}.fill_({x})")


def adam_step(selection: Selection, node: Operation) -> None:
    """The calls of an Adam step."""
    args = selection.arguments(node)
    count = selection.named(f"{node.name}_count", new_slot((), torch.float32))
    selection.add(Call(_FILL, (count,), {"x": args.pop("step")}, node))
    kernel = _ADAMW if cast("AdamStep", node.op).decoupled else _ADAM
    _in_place(selection, node, kernel, {**args, "count": count})


def momentum_step(selection: Selection, node: Operation) -> None:
    """The call of a step with momentum."""
    _in_place(selection, node, _MOMENTUM, selection.arguments(node))


def _in_place(
    selection: Selection, node: Operation, kernel: Kernel, args: dict[str, Operand]
) -> None:
    """A call whose results lie where the old values were, the inputs before the gradient."""
    out = [selection.slots[each] for each in node.inputs[: node.op.inputs.index("grad")]]
    selection.add(Call(kernel, tuple(out), args, node, node.op.options))
    for each in selection.program:
        if isinstance(each, Operation) and isinstance(each.op, Index) and each.sources[0] is node:
            selection.keep(each, out[each.op.part[0]])
            selection.done.add(each)
    selection.keep(node, out[0])

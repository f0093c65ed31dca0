"""Lowerings: operations that need more than one call, or have several ways to choose from."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import torch

from graphnet.compile.plan.calls import Call, Constant
from graphnet.compile.plan.slots import new_slot
from graphnet.compile.targets.torch import convolution as images
from graphnet.compile.targets.torch import fused_ops as fused
from graphnet.compile.targets.torch import products, scattering, updates
from graphnet.compile.targets.torch.kernel import Kernel
from graphnet.compile.targets.torch.kernel_table import KERNELS
from graphnet.graph import Node, Operation
from graphnet.ops.joining import Cat
from graphnet.ops.norms import Norm
from graphnet.ops.processes import AllReduce, CountedAllReduce
from graphnet.ops.products import Linear, Matmul
from graphnet.ops.random import DropoutMask
from graphnet.ops.reductions import Mean, Sum

if TYPE_CHECKING:
    from graphnet.compile.targets.torch.select import Selection
    from graphnet.op import Op

Lowering = Callable[["Selection", Operation], None]

NORM = Kernel("vector_norm({x}, {power}, {dims}, {keepdim}, out={out})")
MEAN = Kernel("mean({x}, {dims}, {keepdim}, out={out})")
UNIFORM = Kernel("{out}.uniform_(generator={generator})")
KEEP = Kernel("lt({x}, {keep}, out={out}).div_({keep})")
ALL_REDUCE = Kernel("{all_reduce}({x}, {out})")
BERNOULLI = Kernel("{out}.bernoulli_({keep}, generator={generator}).div_({keep})")


def reduced(selection: Selection, node: Operation) -> None:
    """A mean or a norm over some dimensions, of a tensor that is known not to be empty."""
    x, kernel, options = node.inputs[0], MEAN, node.op.options
    if x.ndim == 0 or 0 in x.shape:
        selection.own_rule(node)
        return
    if isinstance(node.op, Norm):
        kernel, options = NORM, {**options, "power": float(node.op.p)}
    out, args = selection.place(node), {"x": selection.slots[x]}
    selection.add(Call(kernel, (out,), args, node, options))


def cat(selection: Selection, node: Operation) -> None:
    """Parts side by side: nothing to do for those that were computed in place."""
    op = cast("Cat", node.op)
    out = selection.place(node)
    start = 0
    for number, part in enumerate(node.inputs):
        size = cast("int", part.shape[op.dim])
        section = selection.derived(out, f"_{number}", out.narrow(op.dim, start, size))
        start += size
        selection.copy(node, section, selection.slots[part])


def dropout_mask(selection: Selection, node: Operation) -> None:
    """Zeros, and 1 / (1 - p) for what is kept, drawn as the operation's rule draws them."""
    op = cast("DropoutMask", node.op)
    training = cast("Any", node.sources[1]).top
    if not training or op.p == 1:
        mask = torch.full(cast("Any", node.shape), float(not training), dtype=node.dtype)
        selection.keep(node, selection.cells.slot(mask))
        return
    out, keep = selection.place(node), 1 - op.p
    generator = None if op.generator is None else Constant(op.generator, "generator")
    options = {"keep": keep, "generator": generator}
    if (selection.device is None or selection.device.type == "cpu") and _is_by_comparison():
        drawn = new_slot(out.shape, torch.float64)
        uniform = selection.named(f"{node.name}_uniform", drawn)
        selection.add(Call(UNIFORM, (uniform,), {}, node, options))
        selection.add(Call(KEEP, (out,), {"x": uniform}, node, options))
    else:
        selection.add(Call(BERNOULLI, (out,), {}, node, options))


def all_reduce(selection: Selection, node: Operation) -> None:
    """The sum over several processes, written to where it is needed; outside training, a view."""
    if not cast("Any", node.sources[-1]).top:
        selection.own_rule(node)
        return
    op = cast("AllReduce | CountedAllReduce", node.op)
    sum_of = op.group.all_reduce
    if isinstance(op, CountedAllReduce) and op.has_few(cast("Any", node.inputs[1]).shape):
        sum_of = op.refusing
    reduce = Constant(sum_of, "all_reduce")
    args = {"x": selection.slots[node.inputs[0]]}
    selection.add(Call(ALL_REDUCE, (selection.place(node),), args, node, {"all_reduce": reduce}))


@cache
def _is_by_comparison() -> bool:
    """True if torch's bernoulli_ compares uniform float64 numbers, whatever it fills.

    Doing the same in two calls is faster. This is undocumented, so it is tested here.
    """
    one, other = (torch.Generator().manual_seed(1) for _ in range(2))
    uniform = torch.empty(64, dtype=torch.float64).uniform_(generator=one)
    drawn = torch.empty_like(uniform).bernoulli_(0.3, generator=other)
    return uniform.lt(0.3).double().equal(drawn)


LOWERINGS: dict[type[Op], Lowering] = {
    **{each: each.lower for each in fused.FUSED if each.lower},
    **images.LOWERINGS,
    **scattering.LOWERINGS,
    Linear: products.linear,
    fused.LinearThen: products.linear,
    Matmul: products.matmul,
    Sum: products.total,
    updates.AdamStep: updates.adam_step,
    updates.MomentumStep: updates.momentum_step,
    Cat: cat,
    DropoutMask: dropout_mask,
    **dict.fromkeys((AllReduce, CountedAllReduce), all_reduce),
    **dict.fromkeys((Mean, Norm), reduced),
}


def may_be_a_view(node: Node) -> bool:
    """True if the value of an operation may lie in the memory of an input."""
    if not isinstance(node, Operation):
        return False
    if node.shape == () and all(each.shape == () for each in node.inputs):
        return True
    known = type(node.op) in KERNELS or type(node.op) in LOWERINGS
    return node.op.view or not known

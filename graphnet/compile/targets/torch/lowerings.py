"""Writers: operations that need more than one line, or have several to choose from."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import torch

from graphnet.compile.targets.torch import convolution as images
from graphnet.compile.targets.torch import fused_ops as fused
from graphnet.compile.targets.torch import products, updates
from graphnet.compile.targets.torch.kernels import KERNELS, VIEWS
from graphnet.graph import Node, Operation
from graphnet.graph.nodes import Literal
from graphnet.ops.joining import Cat
from graphnet.ops.norms import Norm
from graphnet.ops.products import Linear, Matmul
from graphnet.ops.random import DropoutMask
from graphnet.ops.reductions import Mean, Sum

if TYPE_CHECKING:
    from graphnet.compile.targets.torch.printer import Emission
    from graphnet.op import Op

Writer = Callable[["Emission", Operation], None]


def norm(emission: Emission, node: Operation) -> None:
    """A norm over some dimensions, of a tensor that is known not to be empty."""
    x, op = cast("Node", node.sources[0]), cast("Any", node.op)
    if x.ndim == 0 or 0 in x.shape:
        emission.own_rule(node)
        return
    _, name = emission.place(node)
    power = emission.argument(Literal(float(op.p)))
    call = f"vector_norm({emission.names[x]}, {power}, {op.dims}, {op.keepdim}, out={name})"
    emission.write(node, call)


def cat(emission: Emission, node: Operation) -> None:
    """Parts side by side: nothing to do for those that were computed in place."""
    op = cast("Cat", node.op)
    out, name = emission.place(node)
    start = 0
    for number, part in enumerate(node.inputs):
        size = cast("int", part.shape[op.dim])
        section = out.narrow(op.dim, start, size)
        start += size
        if not emission.lies_at(part, section):
            there = emission.words.constant(section, f"{name}_{number}")
            emission.write(node, f"{there}.copy_({emission.names[part]})")


def dropout_mask(emission: Emission, node: Operation) -> None:
    """Zeros, and 1 / (1 - p) for what is kept, drawn as the operation's rule draws them."""
    op = cast("DropoutMask", node.op)
    training = cast("Any", node.sources[1]).top
    if not training or op.p == 1:
        out = torch.full(cast("Any", node.shape), float(not training), dtype=node.dtype)
        emission.keep(node, out, emission.name(node))
        return
    _, name = emission.place(node)
    generator = "None"
    if op.generator is not None:
        generator = emission.words.constant(op.generator, "generator")
    keep = 1 - op.p
    if (emission.device is None or emission.device.type == "cpu") and _is_by_comparison():
        buffer, memory = emission.arena.take(cast("Any", node.shape), torch.float64, 1)
        uniform = emission.words.constant(memory, f"{node.name}_uniform")
        emission.write(node, f"{uniform}.uniform_(generator={generator})")
        emission.write(node, f"torch.lt({uniform}, {keep!r}, out={name}).div_({keep!r})")
        emission.arena.release(buffer)
    else:
        emission.write(node, f"{name}.bernoulli_({keep!r}, generator={generator}).div_({keep!r})")


@cache
def _is_by_comparison() -> bool:
    """True if torch's bernoulli_ compares uniform float64 numbers, whatever it fills.

    Doing the same in two lines is faster. This is undocumented, so it is tested here.
    """
    one, other = (torch.Generator().manual_seed(1) for _ in range(2))
    uniform = torch.empty(64, dtype=torch.float64).uniform_(generator=one)
    return (
        uniform.lt(0.3).double().equal(torch.empty_like(uniform).bernoulli_(0.3, generator=other))
    )


def average(emission: Emission, node: Operation) -> None:
    """The mean of a tensor that is known not to be empty."""
    x, op = cast("Node", node.sources[0]), cast("Any", node.op)
    if x.ndim == 0 or 0 in x.shape:
        emission.own_rule(node)
        return
    _, name = emission.place(node)
    given = emission.names[x]
    emission.write(node, f"torch.mean({given}, {op.dims}, {op.keepdim}, out={name})")


WRITERS: dict[type[Op], Writer] = {
    **{each: each.lower for each in fused.FUSED if each.lower},
    **images.WRITERS,
    Linear: products.linear,
    fused.LinearThen: products.linear,
    Matmul: products.matmul,
    Sum: products.total,
    updates.AdamStep: updates.adam_step,
    updates.MomentumStep: updates.momentum_step,
    Cat: cat,
    DropoutMask: dropout_mask,
    Mean: average,
    Norm: norm,
}


def may_be_a_view(node: Node) -> bool:
    """True if the value of an operation may lie in the memory of an input."""
    if not isinstance(node, Operation):
        return False
    if node.shape == () and all(each.shape == () for each in node.inputs):
        return True
    known = type(node.op) in KERNELS or type(node.op) in WRITERS
    return type(node.op) in VIEWS or not known

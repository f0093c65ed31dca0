"""Lowerings of matrix products: torch's kernel or oneDNN's, whichever is faster here."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, cast

import torch

from graphnet.compile.plan.calls import Call, Constant, Operand
from graphnet.compile.targets.torch.kernel import Kernel
from graphnet.compile.targets.torch.kernel_table import KERNELS
from graphnet.compile.targets.torch.tuning import Candidate
from graphnet.ops.products import Matmul

if TYPE_CHECKING:
    from graphnet.compile.plan.slots import Slot
    from graphnet.compile.targets.torch.select import Selection
    from graphnet.graph import Node, Operation

MM = Kernel("mm({x}, {y}, out={out})")
MV = Kernel("mv({x}, {y}, out={out})")
ADDMM = Kernel("addmm({bias}, {x}, {y}, out={out})")
ADD_TO = Kernel("{out}.add_({x})")
SUM = Kernel("sum({x}, {dims}, {keepdim}, out={out})")
SUM_ROWS = Kernel("sum({x}, 0, out={out})")
_LINEAR = 'onednn_linear({x}, {weight}, {bias}, {activation}, [], "")'
ONEDNN = Kernel(f"{{out}} = {_LINEAR}")
ONEDNN_INTO = Kernel(f"{{out}}.copy_({_LINEAR})")


def linear(selection: Selection, node: Operation) -> None:
    """x wᵀ + b: a product and a sum, or both in one, or oneDNN with the activation."""
    x, weight, bias = node.inputs
    activation = node.op.options.get("activation")
    given, out = selection.slots[x], selection.place(node)
    is_matrix = given.is_fixed and given.is_contiguous and out.is_contiguous
    if x.ndim < 2 or bias.shape != weight.shape[:1] or not (is_matrix or x.ndim == 2):
        selection.own_rule(node)
        return
    whole, rows = out, out
    if x.ndim > 2:
        given, rows = (_as_rows(selection, each) for each in (given, out))
    start, transposed = selection.slots[bias], selection.transposed(weight)
    then = [Call(Kernel(f"{{out}}.{activation}_()"), (rows,), {}, node)] if activation else []
    both = Call(ADDMM, (rows,), {"bias": start, "x": given, "y": transposed}, node)
    sum_after = Call(ADD_TO, (rows,), {"x": start}, node)
    candidates = [
        Candidate([product(node, rows, given, transposed), sum_after, *then], whole),
        Candidate([both, *then], whole),
    ]
    if has_onednn(node) and x.ndim == 2:
        made = selection.made(node)
        args = given, selection.slots[weight], start
        candidates.append(Candidate([onednn(node, made, *args, activation or "none")], made))
    selection.choose(node, candidates, (x, weight, bias))


def _as_rows(selection: Selection, slot: Slot) -> Slot:
    """A tensor of several dimensions as a matrix with the same last one."""
    columns = slot.shape[-1]
    rows = slot.view((prod(slot.shape[:-1]), columns))
    return selection.derived(slot, "_rows", rows)


def matmul(selection: Selection, node: Operation) -> None:
    """x y: torch's product, or oneDNN's."""
    x, y = node.inputs
    if x.ndim != 2 or y.ndim != 2:
        selection.kernel(node, KERNELS[Matmul])
        return
    given, other = selection.slots[x], selection.slots[y]
    out = selection.place(node)
    candidates = [Candidate([product(node, out, given, other)], out)]
    if has_onednn(node):
        made = out if node in selection.targets else selection.made(node)
        call = onednn(node, made, given, selection.transposed(y), None)
        candidates.append(Candidate([call], made))
    selection.choose(node, candidates, (x, y))


def total(selection: Selection, node: Operation) -> None:
    """Σ x; over the rows of a matrix also as a product with ones."""
    x, op = node.inputs[0], cast("Any", node.op)
    if x.ndim == 0:
        selection.keep(node, selection.slots[x])
    elif x.ndim == 2 and op.dims == (0,) and not op.keepdim and _has_product(node):
        sum_of_rows(selection, node, selection.slots[x], selection.transposed(x), x)
    else:
        args = {"x": selection.slots[x]}
        selection.add(Call(SUM, (selection.place(node),), args, node, op.options))


def _has_product(node: Operation) -> bool:
    """True if sums of rows may be written as products: not for integers or empty sums."""
    return node.dtype.is_floating_point and node.shape != (0,)


def sum_of_rows(
    selection: Selection, node: Operation, matrix: Operand, transposed: Operand, x: Node
) -> None:
    """The sum of the rows of a matrix, given as it is and transposed."""
    out = selection.place(node)
    count = prod(cast("tuple[int, ...]", x.shape)) // prod(cast("tuple[int, ...]", node.shape))
    ones = Constant(torch.ones(count, dtype=node.dtype, device=selection.device), "ones")
    candidates = [
        Candidate([Call(SUM_ROWS, (out,), {"x": matrix}, node)], out),
        Candidate([product(node, out, transposed, ones, MV)], out),
    ]
    selection.choose(node, candidates, (x,))


def product(node: Node, out: Slot, x: Operand, y: Operand, kernel: Kernel = MM) -> Call:
    """A call of torch's product."""
    return Call(kernel, (out,), {"x": x, "y": y}, node)


def onednn(
    node: Node, out: Slot, x: Operand, weight: Operand, bias: Operand, activation: str = "none"
) -> Call:
    """A call of oneDNN's product x wᵀ + b, as new memory or copied into the result's."""
    kernel = ONEDNN if out.buffer.made else ONEDNN_INTO
    args = {"x": x, "weight": weight, "bias": bias}
    return Call(kernel, (out,), args, node, {"activation": activation})


def has_onednn(node: Operation) -> bool:
    """True where oneDNN's matrix product can be used."""
    return (
        node.dtype is torch.float32
        and bool(torch.backends.mkldnn.is_available())
        and all(each.shape and 0 not in each.shape for each in (node, *node.inputs))
    )

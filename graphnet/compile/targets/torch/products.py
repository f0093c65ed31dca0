"""Writers for matrix products: torch's kernel or oneDNN's, whichever is faster here."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, cast

import torch

from graphnet.compile.targets.torch.kernels import KERNELS
from graphnet.ops.products import Matmul

if TYPE_CHECKING:
    from graphnet.compile.targets.torch.printer import Emission
    from graphnet.graph import Node, Operation


def linear(emission: Emission, node: Operation) -> None:
    """x wᵀ + b: a product and a sum, or both in one, or oneDNN with the activation."""
    x, weight, bias = cast("tuple[Node, Node, Node]", node.sources)
    activation = node.op.options.get("activation")
    if x.ndim != 2 or bias.shape != weight.shape[:1]:
        emission.own_rule(node)
        return
    turned = emission.turned(weight)
    _, name = emission.place(node)
    names = emission.names
    then = [f"{name}.{activation}_()"] if activation else []
    ways = [
        [f"torch.mm({names[x]}, {turned}, out={name})", f"{name}.add_({names[bias]})", *then],
        [f"torch.addmm({names[bias]}, {names[x]}, {turned}, out={name})", *then],
    ]
    if has_onednn(node):
        call = f"onednn_linear({names[x]}, {names[weight]}, {names[bias]}, {activation or 'none'!r}"
        ways.append([f'{name} = {call}, [], "")'])
    emission.choose(node, ways, (x, weight, bias))


def matmul(emission: Emission, node: Operation) -> None:
    """x y: torch's product, or oneDNN's."""
    x, y = cast("tuple[Node, Node]", node.sources)
    if x.ndim != 2 or y.ndim != 2:
        emission.kernel(node, KERNELS[Matmul])
        return
    _, name = emission.place(node)
    names = emission.names
    ways = [[f"torch.mm({names[x]}, {names[y]}, out={name})"]]
    if has_onednn(node):
        call = f'onednn_linear({names[x]}, {emission.turned(y)}, None, "none", [], "")'
        ways.append([f"{name}.copy_({call})" if node in emission.targets else f"{name} = {call}"])
    emission.choose(node, ways, (x, y))


def total(emission: Emission, node: Operation) -> None:
    """Σ x; over the rows of a matrix also as a product with ones."""
    x = cast("Node", node.sources[0])
    op = cast("Any", node.op)
    if x.ndim == 0:
        emission.same(node, x)
    elif x.ndim == 2 and op.dims == (0,) and not op.keepdim and _has_product(node):
        row_sum(emission, node, (emission.names[x], emission.turned(x)), x)
    else:
        _, name = emission.place(node)
        emission.write(node, f"torch.sum({emission.names[x]}, {op.dims}, {op.keepdim}, out={name})")


def _has_product(node: Operation) -> bool:
    """True if sums of rows may be written as products: not for integers or empty sums."""
    return node.dtype.is_floating_point and node.shape != (0,)


def row_sum(emission: Emission, node: Operation, matrix: tuple[str, str], x: Node) -> None:
    """The sum of the rows of a matrix, given its names as it is and transposed."""
    _, name = emission.place(node)
    count = prod(cast("tuple[int, ...]", x.shape)) // prod(cast("tuple[int, ...]", node.shape))
    ones = torch.ones(count, dtype=node.dtype, device=emission.device)
    ways = [
        [f"torch.sum({matrix[0]}, 0, out={name})"],
        [f"torch.mv({matrix[1]}, {emission.words.equal(ones, 'ones')}, out={name})"],
    ]
    emission.choose(node, ways, (x,))


def has_onednn(node: Operation) -> bool:
    """True where oneDNN's matrix product can be used."""
    return (
        node.dtype is torch.float32
        and bool(torch.backends.mkldnn.is_available())
        and all(each.shape and 0 not in each.shape for each in (node, *node.inputs))
    )

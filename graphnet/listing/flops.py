"""How many floating-point operations a node takes, forward and backward, counted from its shape.

A sum of k products is 2 k operations. A function of an element counts one for each element that it
reads or returns, whichever are more; what only moves numbers, such as a reshape, counts none.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from graphnet.graph import Operation
from graphnet.graph.edges import uses
from graphnet.graph.shape_inference import UNKNOWN_SIZES

if TYPE_CHECKING:
    from graphnet.graph import Node

Sizes = tuple[int, ...]

MATRIX = ("matmul", "matvec", "vecmat", "bmm", "linear", "linear_map")
IMAGES = ("conv2d", "conv2d_bias", "conv2d_grad_input", "conv2d_grad_weight", "conv_transpose2d")
_ON_INPUT = ("conv2d_grad_input", "conv2d_grad_weight", "conv_transpose2d")
# fmt: off
MOVES = frozenset(
    {
        "identity", "detach", "reshape", "reshape_as", "flatten", "unflatten", "transpose",
        "permute", "unsqueeze", "squeeze", "expand", "expand_as", "tril", "triu",
        "diagonal", "diag_embed", "index", "scatter", "take", "put", "narrow", "gather",
        "index_select", "embedding", "one_hot", "pick", "place", "cat", "section", "stack",
        "split", "pad", "windows", "unfold", "shift", "pick_pixels", "put_pixels", "size",
        "sized", "sized_as", "column", "choose", "where", "masked_fill", "zeros_like",
        "ones_like", "total", "class_weights", "later_keys", "all_hidden", "several",
        "count_up",
    }
)
# fmt: on


def sizes_of(node: Node) -> Sizes:
    """The sizes of a node: those of its value, with 1 for each size that is not known yet.

    >>> import graphnet as gn
    >>> sizes_of(gn.Graph().input((None, 6), name="x").reshape(-1, 3))
    (2, 3)
    """
    if node.computed:
        return tuple(node.top.shape)
    trials = node.spec.trials
    one = trials[UNKNOWN_SIZES.index(1)] if len(trials) == len(UNKNOWN_SIZES) else trials[0]
    return one or tuple(1 if size is None else size for size in node.shape)


def forward_flops(node: Node) -> int:
    """The floating-point operations of computing a node once."""
    if not isinstance(node, Operation) or node.op.name in MOVES:
        return 0
    name, sources = node.op.name, [sizes_of(source) for source in node.inputs]
    bias = prod(sizes_of(node)) if name in ("linear", "conv2d_bias") else 0
    if name in MATRIX or name in IMAGES:
        return _product(node) + bias
    return max(prod(sizes) for sizes in (sizes_of(node), *sources))


def backward_flops(node: Node) -> int:
    """The floating-point operations of sending a node's gradient back to its inputs.

    Each derivative of a product is a product of the same size; that of a bias is a sum.
    """
    if not isinstance(node, Operation) or node.op.name in MOVES:
        return 0
    ways = [use.source for use in uses(node) if use.source.requires_grad]
    if node.op.name not in MATRIX + IMAGES:
        return len(ways) * forward_flops(node)
    biased = node.op.name in ("linear", "conv2d_bias") and ways and ways[-1] is node.inputs[-1]
    bias = prod(sizes_of(node)) if biased else 0
    return (len(ways) - bool(biased)) * _product(node) + bias


def _product(node: Operation) -> int:
    """Two for each pair of numbers that a matrix product or a convolution multiplies."""
    first, second = (sizes_of(source) for source in node.inputs[:2])
    if node.op.name in MATRIX:
        return 2 * prod(sizes_of(node)) * first[-1]
    if node.op.name == "conv2d_grad_weight":
        return 2 * prod(first) * prod(sizes_of(node)[1:])
    counted = first if node.op.name in _ON_INPUT else sizes_of(node)
    return 2 * prod(counted) * prod(second[1:])

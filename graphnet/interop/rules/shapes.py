"""Rules for reshapes, parts of tensors, joining, indices, and parts that are written."""

from __future__ import annotations

import operator
from typing import Any

from graphnet import ops
from graphnet.errors import ShapeError
from graphnet.interop.rules.rule import RULES, SAME, promoted, rule, unsupported
from graphnet.interop.sizes import Extent, expanded, is_known, reshaped, size_of, sliced
from graphnet.ops.indexing import ALL, Index

SAME |= {"transpose", "permute", "unsqueeze", "tril", "triu", "gather", "unbind"}
SAME |= {"index_select", "flip", "roll", "sort", "topk", "argsort", "repeat_interleave"}
SAME |= {"diagonal", "pixel_shuffle", "pixel_unshuffle", "one_hot"}
SAME |= {"reshape_as", "expand_as", "channel_shuffle", "matrix_exp"}

END = 2**63 - 1
"""The end of a slice that has none."""

RULES["getitem"] = lambda _step, x, place: x[place]
RULES["diagonal_copy"] = lambda _step, x, *options: ops.diagonal(x, *options)


@rule("sym_size")
def size(_step: Any, x: Any, dim: int) -> Any:
    """A size, a number or an extent."""
    return size_of(x, dim)


@rule("sym_numel")
def numel(_step: Any, x: Any) -> Any:
    """The number of elements."""
    count: Any = 1
    for dim in range(x.ndim):
        count = count * size_of(x, dim)
    return count


def _of_integers(name: str) -> None:
    function = getattr(operator, name)

    def apply(_step: Any, *numbers: Any) -> Any:
        return function(*numbers)

    RULES[f"operator.{name}"] = apply


for _name in ("add", "sub", "mul", "floordiv", "mod"):
    _of_integers(_name)


@rule("reshape")
def reshape(step: Any, x: Any, sizes: Any) -> Any:
    """The elements in another shape."""
    return reshaped(x, sizes, step.shape)


@rule("flatten")
def flatten(_step: Any, x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Dimensions as one."""
    return ops.flatten(x, start_dim, end_dim)


@rule("unflatten")
def unflatten(step: Any, x: Any, dim: int, sizes: Any) -> Any:
    """One dimension as several."""
    if is_known(sizes):
        return ops.unflatten(x, dim, tuple(sizes))
    dim %= x.ndim
    around = [size_of(x, place) for place in range(x.ndim)]
    return reshaped(x, [*around[:dim], *sizes, *around[dim + 1 :]], step.shape)


@rule("expand")
def expand(_step: Any, x: Any, sizes: Any, *, implicit: bool = False) -> Any:
    """Sizes of 1 repeated."""
    return expanded(x, sizes)


@rule("repeat")
def repeat(step: Any, x: Any, repeats: Any) -> Any:
    """The whole tensor several times along each dimension."""
    front = len(repeats) - x.ndim
    sizes = [1] * front + [size_of(x, dim) for dim in range(x.ndim)]
    wide = [each for size in sizes for each in (1, size)]
    spread = [each for count, size in zip(repeats, sizes, strict=True) for each in (count, size)]
    y = expanded(reshaped(x, wide, _shape(wide)), spread)
    final = [count * size for count, size in zip(repeats, sizes, strict=True)]
    return reshaped(y, final, step.shape)


def _shape(sizes: Any) -> tuple[int | None, ...]:
    return tuple(None if isinstance(each, Extent) else each for each in sizes)


@rule("t", "numpy_T", "mT", "adjoint")
def t(step: Any, x: Any) -> Any:
    """Dimensions in reverse, or the last two swapped."""
    if x.ndim < 2:
        return x
    if step.name == "numpy_T":
        return ops.permute(x, tuple(reversed(range(x.ndim))))
    return ops.transpose(x, -2, -1)


@rule("squeeze")
def squeeze(step: Any, x: Any, dim: Any = None) -> Any:
    """Without dimensions of size 1: those that had it when the module was recorded."""
    dims = range(x.ndim) if dim is None else dim if isinstance(dim, tuple) else (dim,)
    ones = sorted({each % x.ndim for each in dims} if x.ndim else set(), reverse=True)
    for each in ones:
        if x.shape[each] == 1:
            x = ops.squeeze(x, each)
    return x


@rule("select")
def select(_step: Any, x: Any, dim: int, index: Any) -> Any:
    """One index of a dimension."""
    if isinstance(index, Extent):
        raise unsupported("index that depends on the batch size")
    return ops.select(x, dim, index)


@rule("slice")
def slice_(step: Any, x: Any, dim: int = 0, start: Any = None, end: Any = None, by: int = 1) -> Any:
    """A range of a dimension."""
    part = part_of(x, dim, start, end, by)
    if part == ALL:
        return x
    if is_known(part):
        return Index((ALL,) * (dim % x.ndim) + (part,))(x)
    return sliced(x, dim, part)


def part_of(x: Any, dim: int, start: Any, end: Any, by: int) -> tuple[Any, Any, Any]:
    """A range as an index has it, with None for what is the whole dimension."""
    size = x.shape[dim]
    if isinstance(end, int) and (end >= END or (size is not None and end >= size)):
        end = None
    start = None if isinstance(start, int) and start == 0 else start
    return start, end, None if by == 1 else by


@rule("narrow")
def narrow(_step: Any, x: Any, dim: int, start: int, length: int) -> Any:
    """A range of a dimension."""
    return ops.narrow(x, dim, start, length)


@rule("cat", "concat", "concatenate")
def cat(_step: Any, tensors: Any, dim: int = 0) -> Any:
    """Tensors one after the other; an empty one is left out, as in torch."""
    kept = [each for each in tensors if each.shape != (0,)]
    return kept[0] if len(kept) == 1 else ops.cat(promoted(*kept), dim)


@rule("stack")
def stack(_step: Any, tensors: Any, dim: int = 0) -> Any:
    """Tensors along a new dimension."""
    return ops.stack(promoted(*tensors), dim)


@rule("split", "split_with_sizes", "unsafe_split")
def split(_step: Any, x: Any, sizes: Any, dim: int = 0) -> Any:
    """Several parts."""
    return ops.split(x, sizes if isinstance(sizes, int) else list(sizes), dim)


@rule("chunk", "unsafe_chunk")
def chunk(_step: Any, x: Any, chunks: int, dim: int = 0) -> Any:
    """Several equal parts."""
    return ops.chunk(x, chunks, dim)


@rule("unfold")
def windows(_step: Any, x: Any, dimension: int, size: int, by: int) -> Any:
    """Windows that slide along a dimension."""
    return ops.sliding_windows(x, dimension, size, by)


@rule("im2col")
def im2col(_step: Any, x: Any, kernel: Any, dilation: Any, padding: Any, stride: Any) -> Any:
    """Blocks as columns."""
    return ops.unfold(x, kernel, dilation, padding, stride)


@rule("col2im")
def col2im(_s: Any, x: Any, size: Any, kernel: Any, dilation: Any, padding: Any, by: Any) -> Any:
    """Columns as blocks that are summed."""
    return ops.fold(x, size, kernel, dilation, padding, by)


@rule("pad", "constant_pad_nd")
def pad(step: Any, x: Any, amounts: Any, kind: Any = "constant", value: Any = None) -> Any:
    """A border."""
    if step.name == "constant_pad_nd":
        kind, value = "constant", kind if kind != "constant" else 0
    return ops.pad(x, tuple(amounts), kind, value)


@rule("reflection_pad1d", "reflection_pad2d", "reflection_pad3d")
@rule("replication_pad1d", "replication_pad2d", "replication_pad3d")
def pad_mode(step: Any, x: Any, amounts: Any) -> Any:
    """A border of the tensor's own elements."""
    kind = "reflect" if step.name.startswith("reflection") else "replicate"
    return ops.pad(x, tuple(amounts), kind)


@rule("index")
def index(_step: Any, x: Any, indices: Any) -> Any:
    """Elements by tensors of integers."""
    key = tuple(slice(None) if each is None else each for each in indices)
    return ops.getitem(x, key)


@rule("broadcast_tensors")
def broadcast(_step: Any, tensors: Any) -> Any:
    """Tensors in one shape."""
    ndim = max(x.ndim for x in tensors)
    sizes: list[Any] = [1] * ndim
    for x in tensors:
        for dim in range(x.ndim):
            if x.shape[dim] != 1:
                sizes[ndim - x.ndim + dim] = size_of(x, dim)
    return tuple(x if _shape(sizes) == x.shape else expanded(x, sizes) for x in tensors)


@rule("meshgrid")
def meshgrid(_step: Any, tensors: Any, indexing: str = "ij") -> Any:
    """Coordinates of a grid."""
    count, grids = len(tensors), []
    order = [1, 0, *range(2, count)] if indexing == "xy" else list(range(count))
    sizes = [tensors[place].shape[0] for place in order]
    if None in sizes:
        raise ShapeError("meshgrid needs known sizes")
    for place, x in enumerate(tensors):
        shape = [1] * count
        shape[order.index(place)] = x.shape[0]
        grids.append(ops.expand(ops.reshape(x, tuple(shape)), tuple(sizes)))
    return tuple(grids)


@rule("diag_embed")
def diag_embed(_step: Any, x: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """Vectors as the diagonals of matrices: rows of n + 1 numbers, read as rows of n."""
    if (dim1, dim2) not in ((-2, -1), (x.ndim - 1, x.ndim)):
        raise unsupported("diag_embed in other dimensions than the last two")
    size = x.shape[-1]
    if size is None:
        raise ShapeError("diag_embed needs a known size in the last dimension")
    wide = ops.flatten(ops.pad(ops.unsqueeze(x, -1), (0, size)), -2, -1)
    square = ops.unflatten(ops.narrow(wide, -1, 0, size * size), -1, (size, size))
    right, down = max(offset, 0), max(-offset, 0)
    return ops.pad(square, (right, down, down, right)) if offset else square


@rule("rot90")
def rot90(_step: Any, x: Any, k: int = 1, dims: Any = (0, 1)) -> Any:
    """Quarter turns from the first dimension to the second."""
    if k % 4 == 2:
        return ops.flip(x, *dims)
    flipped = {0: (), 1: (dims[1],), 3: (dims[0],)}[k % 4]
    return ops.transpose(ops.flip(x, *flipped), *dims) if flipped else x


@rule("linalg_cross")
def cross(_step: Any, x: Any, y: Any, *, dim: int = -1) -> Any:
    """The vector at a right angle to two vectors of three numbers."""
    x, y = promoted(x, y)
    first = ops.roll(x, -1, dim) * ops.roll(y, -2, dim)
    return first - ops.roll(x, -2, dim) * ops.roll(y, -1, dim)


@rule("trace")
def trace(_step: Any, x: Any) -> Any:
    """The sum of the diagonal of a matrix."""
    return ops.sum(ops.diagonal(x))


@rule("block_diag")
def block_diag(_step: Any, tensors: Any) -> Any:
    """Matrices along the diagonal of a matrix."""
    blocks = [ops.reshape(x, (1, -1)) if x.ndim < 2 else x for x in promoted(*tensors)]
    widths = [x.shape[1] for x in blocks]
    if None in widths:
        raise ShapeError("block_diag needs known numbers of columns")
    rows = [
        ops.pad(x, (sum(widths[:place]), sum(widths[place + 1 :])))
        for place, x in enumerate(blocks)
    ]
    return ops.cat(rows)

"""Tensors joined into one, and one taken apart: cat, stack, split, chunk, pad.

`Cat` and `Section` are each other's derivatives; `Pad` is its own, with the other sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from graphnet.errors import GraphError, ShapeError
from graphnet.op import Op, T
from graphnet.ops.broadcasting import zeros_like
from graphnet.ops.dims import described, normal_dim
from graphnet.ops.shapes import unsqueeze

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["cat", "chunk", "pad", "split", "stack"]


class Cat(Op):
    """Tensors one behind the other along one dimension.  Shapes: (n, m), (k, m) -> (n + k, m)."""

    symbol = "cat"
    hint = "All sizes but that of dim must be the same."
    dim: int

    def forward(self, *tensors: Tensor) -> Tensor:
        first = tensors[0]
        total = 0
        for each in tensors:
            here = each.shape[: self.dim] + each.shape[self.dim + 1 :]
            if (
                each.ndim != first.ndim
                or here != first.shape[: self.dim] + first.shape[self.dim + 1 :]
            ):
                raise ShapeError(
                    f"apart from dimension {self.dim}, {tuple(each.shape)} is not "
                    f"{tuple(first.shape)}"
                )
            total += each.shape[self.dim]
        result = first.new_empty((*first.shape[: self.dim], total, *first.shape[self.dim + 1 :]))
        start = 0
        for each in tensors:
            result.narrow(self.dim, start, each.shape[self.dim]).copy_(each)
            start += each.shape[self.dim]
        return result

    def grad_tensors(self, grad: Tensor, place: int, *tensors_like: Tensor) -> Tensor:
        return Section(self.dim, place)(grad, *tensors_like)


class Section(Op):
    """The section of x that belongs to one of several tensors joined along a dimension.

    Shapes: (n + k, m), (n, m), (k, m) -> (n, m) for place 0.
    """

    symbol = "section"
    dim: int
    place: int

    def forward(self, x: Tensor, *tensors_like: Tensor) -> Tensor:
        sizes = [each.shape[self.dim] for each in tensors_like]
        return x.narrow(self.dim, sum(sizes[: self.place]), sizes[self.place])

    def trial(self, x: Tensor, *tensors_like: Tensor) -> Tensor:
        return x.new_zeros(tensors_like[self.place].shape)

    def grad_x(self, grad: Tensor, *tensors_like: Tensor) -> Tensor:
        parts = [zeros_like(each) for each in tensors_like]
        parts[self.place] = grad
        return Cat(self.dim)(*parts)


def cat(tensors: Sequence[T], dim: int = 0) -> T:
    """Tensors one behind the other along a dimension; one of shape (0,) is skipped.

    Shapes: (n, m), (k, m), ... -> (n + k + ..., m) for dim=0.

    Raises:
        ShapeError: there is no tensor, or another size than that of `dim` differs.

    >>> from torch import empty
    >>> cat([empty(2, 3), empty(1, 3)]).shape
    torch.Size([3, 3])
    """
    joined: list[T] = _several("cat", tensors)
    joined = [each for each in joined if tuple(each.shape) != (0,)] or joined
    for each in joined:
        if not each.ndim:
            raise ShapeError(f"cat: {described(each)} has no dimension; ops.stack makes one.")
    return Cat(normal_dim(joined[0], dim))(*joined)


def stack(tensors: Sequence[T], dim: int = 0) -> T:
    """Tensors of one shape one behind the other along a new dimension.

    Shapes: (n), (n), ... -> (count, n) for dim=0.

    Raises:
        ShapeError: there is no tensor, or the shapes differ.

    >>> from torch import empty
    >>> stack([empty(2, 3), empty(2, 3)], dim=-1).shape
    torch.Size([2, 3, 2])
    """
    rows: list[T] = _several("stack", tensors)
    dim = normal_dim(rows[0], dim, extra=1)
    for each in rows:
        if each.ndim != rows[0].ndim:
            raise ShapeError(f"stack: {described(each)} has not the shape of {described(rows[0])}.")
    return Cat(dim)(*(unsqueeze(each, dim) for each in rows))


def _several(name: str, tensors: Any) -> list[Any]:
    """The tensors to join, of which there is one at least."""
    if not isinstance(tensors, list | tuple) or not tensors:
        came = "none" if isinstance(tensors, list | tuple) else f"a {type(tensors).__name__}"
        raise ShapeError(f"{name} takes a list or tuple of one tensor or more; {came} came.")
    return list(tensors)


class Split(Op):
    """One of the pieces of given sizes along a dimension.  Shapes: (n, m) -> (sizes[place], m)."""

    symbol = "split"
    hint = "The sizes must add up to that of the dimension."
    sizes: tuple[int, ...]
    dim: int
    place: int

    def forward(self, x: Tensor) -> Tensor:
        if sum(self.sizes) != x.shape[self.dim]:
            raise ShapeError(f"{self.sizes} do not add up to {x.shape[self.dim]}")
        return x.narrow(self.dim, sum(self.sizes[: self.place]), self.sizes[self.place])

    def grad_x(self, grad: Tensor) -> Tensor:
        before, after = sum(self.sizes[: self.place]), sum(self.sizes[self.place + 1 :])
        return pad(grad, (0, 0) * (grad.ndim - 1 - self.dim) + (before, after))

    def trial(self, x: Tensor) -> Tensor:
        # A size unknown until it is fed may be another than those tried.
        sizes = (*x.shape[: self.dim], self.sizes[self.place], *x.shape[self.dim + 1 :])
        return x.new_zeros(()).expand(sizes)


def split(x: T, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[T, ...]:
    """x taken apart along a dimension: pieces of one size (the last may be smaller), or of several.

    Raises:
        ShapeError: the sizes do not add up, one of them is negative, or pieces of one size are
            asked for of a size that is unknown until x is fed.

    >>> from torch import empty
    >>> [tuple(each.shape) for each in split(empty(5, 2), 3)]
    [(3, 2), (2, 2)]
    """
    if not x.ndim:
        raise ShapeError(f"split: {described(x)} has no dimension to split.")
    dim = normal_dim(x, dim)
    known = x.shape[dim]
    if isinstance(split_size_or_sections, int):
        total = _known_size("split", x, dim)
        step = split_size_or_sections
        if step < 0 or (step == 0 and total):
            raise ShapeError(f"split: a piece has the size 1 or more; {step} came.")
        sizes = tuple(min(step, total - at) for at in range(0, total, max(step, 1))) or (0,)
    else:
        sizes = tuple(split_size_or_sections)
        if any(size < 0 for size in sizes) or known not in (None, sum(sizes)):
            raise ShapeError(
                f"split: the sizes {sizes} do not add up to that of dimension {dim} of "
                f"{described(x)}."
            )
    return tuple(Split(sizes, dim, place)(x) for place in range(len(sizes)))


def chunk(x: T, chunks: int, dim: int = 0) -> tuple[T, ...]:
    """x taken apart along a dimension into so many pieces, or fewer, all but the last of one size.

    Raises:
        ShapeError: `chunks` is not 1 or more, or the size is unknown until x is fed.

    >>> from torch import empty
    >>> [len(each) for each in chunk(empty(5), 3)]
    [2, 2, 1]
    """
    if chunks < 1:
        raise ShapeError(f"chunk: there is one piece or more; {chunks} came.")
    if not x.ndim:
        raise ShapeError(f"chunk: {described(x)} has no dimension to take apart.")
    dim = normal_dim(x, dim)
    total = _known_size("chunk", x, dim)
    return split(x, -(-total // chunks), dim) if total else split(x, [0] * chunks, dim)


def _known_size(name: str, x: Any, dim: int) -> int:
    """A size that must be known, since the number of pieces depends on it."""
    if x.shape[dim] is None:
        raise ShapeError(
            f"{name}: the size of dimension {dim} of {described(x)} is unknown until it is fed, so "
            "the number of pieces is too. Name the sizes: ops.split(x, [2, 3], dim)."
        )
    return int(x.shape[dim])


class Pad(Op):
    """More elements of one value around x; a negative amount takes elements away.

    Shapes: (n, m) -> (n, m + 3) for the amounts (1, 2), which start with the last dimension.
    """

    symbol = "pad"
    hint = "No size may become negative."
    amounts: tuple[int, ...]
    value: float = 0.0

    def forward(self, x: Tensor) -> Tensor:
        kept, sizes = x, list(x.shape)
        for dim, before, after in self.sides(x.ndim):
            sizes[dim] += before + after
            if sizes[dim] < 0:
                raise ShapeError(f"size {x.shape[dim]} of dimension {dim} would be {sizes[dim]}")
            stop = max(x.shape[dim] + min(after, 0), 0)
            start = min(max(-before, 0), stop)
            kept = kept.narrow(dim, start, stop - start)
        result = inside = x.new_full(sizes, self.value)
        for dim, before, _ in self.sides(x.ndim):
            inside = inside.narrow(dim, min(max(before, 0), sizes[dim]), kept.shape[dim])
        inside.copy_(kept)
        return result

    def grad_x(self, grad: Tensor) -> Tensor:
        return Pad(tuple(-amount for amount in self.amounts))(grad)

    def sides(self, ndim: int) -> list[tuple[int, int, int]]:
        """The dimensions with the amounts before and behind."""
        pairs = zip(self.amounts[::2], self.amounts[1::2], strict=True)
        return [(ndim - 1 - place, *pair) for place, pair in enumerate(pairs)]


def pad(x: T, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> T:
    """More elements of one value, 0 where None, before and behind x along its last dimensions.

    `pad` names the amounts in pairs and starts with the last dimension: (left, right, top, bottom).
    A negative amount takes elements away.

    Raises:
        ShapeError: the amounts are not pairs, more than x has dimensions, or take away too much.
        GraphError: the mode is another than "constant".

    >>> from torch import empty
    >>> pad(empty(2).fill_(3), (1, 0), value=7)
    tensor([7., 3., 3.])
    """
    if mode != "constant":
        raise GraphError(f'pad: the mode is "constant"; {mode!r} came.')
    if len(pad) % 2 or len(pad) > 2 * x.ndim:
        raise ShapeError(
            f"pad: the amounts are pairs, one for each of the last dimensions of {described(x)}; "
            f"{tuple(pad)} came."
        )
    return Pad(tuple(pad), 0.0 if value is None else float(value))(x)

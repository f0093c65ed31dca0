"""Keys: what stands in the brackets of `x[...]`, taken apart and checked."""

from __future__ import annotations

from typing import Any

from torch import empty

from graphnet.errors import DtypeError, GraphError, ShapeError, brief
from graphnet.ops.dims import TENSOR, described
from graphnet.validation import require_integer


def parts_of(x: Any, key: Any) -> list[Any]:
    """The parts of a key, with lists as tensors, and masks as the indices where they are true."""
    found: list[Any] = []
    given = list(key) if isinstance(key, tuple) else [key]
    for part in given:
        each = _from_list(x, part) if isinstance(part, list) else part
        if _is_mask(each):
            _check_mask(x, each, given, found)
            found += each.nonzero().unbind(1)
        else:
            found.append(each)
    return found


def _from_list(x: Any, values: list[Any]) -> Any:
    """A list of integers, or of booleans, as a tensor where x is."""
    like = (x.new_empty(0) if isinstance(x, TENSOR) else empty(0)).long()
    try:
        # A new tensor would have the dtype of `like`, and cut 0.5 to 0: the numbers decide.
        kinds = {type(each) for each in _flat(values)}
        made: Any = like.new_tensor(values)
    except (TypeError, ValueError):
        kinds, made = {list}, None
    if not kinds <= {int} and kinds != {bool}:
        raise GraphError(_key_refused(x, f"the list {brief(values)}"))
    return made.bool() if kinds == {bool} else made


def _flat(values: list[Any]) -> list[Any]:
    """The numbers in nested lists."""
    return [
        number for each in values for number in (_flat(each) if isinstance(each, list) else [each])
    ]


def _check_mask(x: Any, mask: Any, given: list[Any], before: list[Any]) -> None:
    """Refuse a mask whose sizes are not those of the dimensions that it selects from.

    Raises:
        ShapeError: they differ, or are unknown until a tensor is fed.
    """
    taking = [each for each in given if each is not None and each is not Ellipsis]
    count = sum(each.ndim if _is_mask(each) else 1 for each in taking)
    dims = (max(x.ndim - count, 0) if each is Ellipsis else each is not None for each in before)
    dim = sum(dims)
    sizes = tuple(x.shape[dim : dim + mask.ndim])
    if sizes != tuple(mask.shape):
        raise ShapeError(
            f"A mask selects from dimensions of its own sizes: it has {tuple(mask.shape)}, and "
            f"from dimension {dim} on {described(x)} has {sizes}. Where a size is unknown until a "
            "tensor is fed, use ops.where or ops.masked_fill."
        )


def _is_mask(part: Any) -> bool:
    """True for a tensor of booleans, whose size settles how many elements it selects."""
    return isinstance(part, TENSOR) and str(part.dtype) == "torch.bool" and part.ndim > 0


def as_option(x: Any, part: Any) -> Any:
    """A part of a key without tensors, in a form that can be an op's option."""
    if part is None:
        return None
    if part is Ellipsis:
        return "..."
    if isinstance(part, slice):
        bounds = (part.start, part.stop, part.step)
        return tuple(None if bound is None else _number(x, bound) for bound in bounds)
    return _number(x, part)


def _number(x: Any, value: Any) -> int:
    """An integer in a key."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise GraphError(_key_refused(x, type(value).__name__))
    return require_integer("an index", value)


def checked_index(x: Any, index: Any) -> Any:
    """A tensor or node of integers, as an index of x."""
    if str(index.dtype) in ("torch.bool", "torch.uint8"):
        raise DtypeError(
            f"An index of {described(x)} holds booleans ({index.dtype}): how many elements it "
            "selects would depend on values. Use ops.where or ops.masked_fill, which keep the "
            "shape."
        )
    return index


def require_in_range(x: Any, index: Any, dim: int) -> None:
    """Refuse a tensor of indices, which will be a constant of a node, outside a known size.

    Raises:
        ShapeError: an index is out of range.
    """
    if isinstance(x, TENSOR) or not isinstance(index, TENSOR) or not index.numel():
        return
    known = x.shape[dim] if dim < x.ndim else None
    low, high = int(index.min()), int(index.max())
    if known is not None and not -known <= low <= high < known:
        raise ShapeError(
            f"index {high if high >= known else low} is out of range: dimension {dim} of "
            f"{described(x)} has the size {known}."
        )


def _key_refused(x: Any, kind: str) -> str:
    return (
        f"{described(x)} is indexed by integers, slices, None, `...`, tensors or nodes of "
        f"integers, and lists of integers; got {kind}."
    )

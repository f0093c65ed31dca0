"""Tensors among the arguments of an operation: constants, which become nodes of the list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.graph.parameter import Parameter
from graphnet.ops.dims import TENSOR

if TYPE_CHECKING:
    from torch import Tensor, dtype

    from graphnet.op import Op


class Constant(Parameter):
    """A buffer that holds the value of a tensor beside a node: `x * tensor`.

    It belongs to one graph, and is no part of a module, nor of its state.
    """

    __slots__ = ()

    def __init__(self, value: Tensor) -> None:
        super().__init__(value, name="constant", requires_grad=False)


class Constants:
    """The constants of a graph: one node for each tensor, with the value that it had then."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, int, dtype], tuple[Tensor, Constant]] = {}

    def among(self, op: Op, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments of an operation, with a constant in place of each tensor.

        A tensor that autograd follows is left: it is to be learned, and a constant is not.
        """
        if not any(isinstance(each, TENSOR) for each in arguments):
            return arguments
        floating = next((each.dtype for each in arguments if _is_floating_node(each)), None)
        return tuple(
            self._of(each, _fitting(op, each, floating))
            if isinstance(each, TENSOR) and not each.requires_grad
            else each
            for each in arguments
        )

    def _of(self, value: Tensor, dtype: dtype) -> Constant:
        """The constant of a tensor, which is held, so that its id stays its own."""
        key = id(value), 0 if value.is_inference() else value._version, dtype
        if key not in self._found:
            self._found[key] = value, Constant(value.to(dtype))
        return self._found[key][1]


def _is_floating_node(value: Any) -> bool:
    if isinstance(value, TENSOR) or not hasattr(value, "dtype"):
        return False
    return bool(value.dtype.is_floating_point)


def _fitting(op: Op, value: Tensor, floating: dtype | None) -> dtype:
    """The dtype to which torch promotes a tensor beside a node of a floating dtype.

    Integers are converted, and so is a single number; others in a different dtype are refused
    later, since dtypes are never mixed silently.
    """
    stays = str(value.dtype) == "torch.bool" or (value.dtype.is_floating_point and value.ndim)
    return value.dtype if floating is None or not op.broadcasts or stays else floating

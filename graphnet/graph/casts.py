"""The methods of a tensor that change its dtype, for whatever an op can be applied to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from torch import empty

from graphnet.errors import DtypeError, GraphError
from graphnet.op import Symbolic
from graphnet.ops.dtypes import cast_to

if TYPE_CHECKING:
    from torch import dtype

    from graphnet.graph.node import Node


class CastMethods(Symbolic):
    """Conversions under torch's names: `x.float()`, `x.long()`, `x.to(dtype)`.

    They stand apart, since a class with a method `float` has no other use for that name.
    """

    __slots__ = ()

    def float(self: Any) -> Node:
        """Convert to float32."""
        return cast("Node", cast_to(self, empty(0).float().dtype))

    def double(self: Any) -> Node:
        """Convert to float64."""
        return cast("Node", cast_to(self, empty(0).double().dtype))

    def half(self: Any) -> Node:
        """Convert to float16."""
        return cast("Node", cast_to(self, empty(0).half().dtype))

    def bfloat16(self: Any) -> Node:
        """Convert to bfloat16."""
        return cast("Node", cast_to(self, empty(0).bfloat16().dtype))

    def long(self: Any) -> Node:
        """Convert to int64, towards zero."""
        return cast("Node", cast_to(self, empty(0).long().dtype))

    def int(self: Any) -> Node:
        """Convert to int32, towards zero."""
        return cast("Node", cast_to(self, empty(0).int().dtype))

    def bool(self: Any) -> Node:
        """Convert to booleans: false for 0."""
        return cast("Node", cast_to(self, empty(0).bool().dtype))

    def to(self: Any, dtype: dtype | Node) -> Node:
        """Convert to a dtype, or to that of another node or tensor.

        Raises:
            GraphError: a device is given: a list is computed where its inputs are fed.
            DtypeError: it is not a dtype of torch.
        """
        wanted: Any = getattr(dtype, "dtype", dtype)
        if isinstance(dtype, str) or type(dtype).__name__ == "device":
            raise GraphError(
                f"A node has no device: got {dtype!s}. Move the tensors that you feed, and the "
                "parameters: model.to(device)."
            )
        if wanted is None:
            raise DtypeError("to() takes one of torch's dtypes; got None.")
        return cast("Node", cast_to(self, wanted))

    def type_as(self: Any, other: Node) -> Node:
        """Convert to the dtype of another node or tensor."""
        return cast("Node", cast_to(self, other.dtype))

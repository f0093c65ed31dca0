"""Number types that an operation does not take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.errors import DtypeError

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.op import Op


def refuse_whole_numbers(op: Op, x: Tensor) -> None:
    """Refuse whole numbers and truth values in an operation that torch has for floating ones only.

    Raises:
        DtypeError: x is not of a floating number type.
    """
    if not x.dtype.is_floating_point:
        raise DtypeError(
            f"{op.name} takes floating numbers; {x.dtype} came. Give the input a floating dtype, "
            "or convert the tensor with .float()."
        )

"""Tensors as texts that a page reads back, to the bit."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save

from graphnet.errors import FeedError
from graphnet.graph.entry import dtype_text

if TYPE_CHECKING:
    from torch import Tensor

_INT32 = torch.iinfo(torch.int32)


def encoded(tensor: Tensor, name: str) -> dict[str, Any]:
    """The kind of numbers, the size of a row, the shape, the dtype and the bytes of a tensor.

    Pictures of 256 grey values take one byte for each pixel.

    Raises:
        FeedError: an integer has no place in 32 bits.

    >>> encoded(torch.tensor([[0.0, 1.0]]), "x")["bytes"]
    'AP8='
    >>> encoded(torch.tensor([3]), "t")["kind"]
    'int32'
    """
    tensor = tensor.detach().cpu().contiguous()
    row = tensor[0].numel() if tensor.ndim else 1
    kind, numbers = _numbers(tensor, name)
    return {
        "kind": kind,
        "row": row,
        "shape": [*tensor.shape],
        "dtype": dtype_text(tensor.dtype),
        "bytes": b64encode(_bytes(numbers)).decode("ascii"),
    }


def _bytes(numbers: Tensor) -> bytes:
    """The bytes of a tensor: what a file of safetensors holds after its header."""
    file = save({"": numbers.contiguous()})
    return file[8 + int.from_bytes(file[:8], "little") :]


def _numbers(tensor: Tensor, name: str) -> tuple[str, Tensor]:
    """The kind of numbers, and the tensor in the dtype that they are written in."""
    if tensor.dtype == torch.bool:
        return "uint8", tensor.to(torch.uint8).reshape(-1)
    if not tensor.dtype.is_floating_point:
        if (
            tensor.numel()
            and not _INT32.min <= int(tensor.min()) <= int(tensor.max()) <= _INT32.max
        ):
            raise FeedError(
                f"A page holds integers of 32 bits; {name!r} of {dtype_text(tensor.dtype)} has "
                f"{int(tensor.min())} … {int(tensor.max())}."
            )
        return "int32", tensor.to(torch.int32).reshape(-1)
    if tensor.dtype == torch.float64:
        return "float64", tensor.reshape(-1)
    numbers = tensor.float().reshape(-1)
    levels = (numbers * 255).round()
    if bool(((levels >= 0) & (levels <= 255) & (levels / 255 == numbers)).all()):
        return "byte fraction", levels.to(torch.uint8)
    return "float32", numbers

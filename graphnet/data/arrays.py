"""Arrays, columns of frames and pictures as tensors, without importing their libraries."""

from __future__ import annotations

import mmap
import warnings
from typing import Any

import torch
from torch import Tensor

from graphnet.errors import DtypeError, counted

_NUMBERS = "biuf"
"""The kinds of numpy's dtypes that are numbers: boolean, signed, unsigned, floating-point."""


def as_tensor(value: Any, name: str = "data") -> Tensor | None:
    """A tensor of the same numbers; None if the value is neither a tensor nor like an array.

    An array of numpy, also a memory-mapped one, is not copied. A frame of pandas or polars becomes
    a matrix of torch's default dtype, and so does a column (a Series) of floating-point numbers; a
    column of integers or booleans becomes int64, as labels are. A picture of Pillow becomes float
    from 0 to 1 with the channels first.

    Args:
        value: anything.
        name: what it is called in messages.

    Raises:
        DtypeError: it holds texts, dates, objects, or numbers of a dtype that torch does not have.

    >>> import numpy
    >>> as_tensor(numpy.arange(3))
    tensor([0, 1, 2])
    """
    if isinstance(value, Tensor):
        return value
    if is_picture(value):
        return picture(value)
    if hasattr(value, "to_numpy") and hasattr(value, "shape"):
        return _of_frame(value, name)
    if hasattr(value, "__array_interface__") and getattr(value, "shape", None) is not None:
        return _of_array(value, name)
    return None


def _of_array(array: Any, name: str) -> Tensor:
    if not array.shape and not array.flags.writeable:
        array = array.copy()  # a number of numpy
    try:
        with warnings.catch_warnings():  # rows are read, never written
            warnings.filterwarnings("ignore", "The given NumPy array is not writable")
            return torch.from_numpy(array) if array.shape else torch.tensor(array.item())
    except (TypeError, ValueError) as error:
        raise DtypeError(
            f"{name} has an array of {array.dtype}, which torch cannot read: {error} Texts and "
            "categories need numbers; `numpy.ascontiguousarray` and `astype` change the rest."
        ) from None


def _of_frame(frame: Any, name: str) -> Tensor:
    """Columns of pandas or polars."""
    array = frame.to_numpy()
    if array.dtype.kind not in _NUMBERS:
        raise DtypeError(
            f"{name} has columns that hold no numbers, or have missing values: "
            f"{', '.join(_strange(frame))}. gn.data.columns turns texts into classes; fill missing "
            "values, or leave these rows out."
        )
    column = array.ndim == 1 and array.dtype.kind in "biu"
    tensor = torch.tensor(array, dtype=torch.int64 if column else torch.get_default_dtype())
    missing = int(tensor.isnan().sum())
    if missing:
        raise DtypeError(
            f"{name} has {counted(missing, 'missing value')} (NaN) in its columns. Fill them, or "
            "leave these rows out."
        )
    return tensor


def _strange(frame: Any) -> list[str]:
    """The columns that hold something other than numbers."""
    names = getattr(frame, "columns", None)
    if names is None:
        return [repr(getattr(frame, "name", None))]
    return [repr(each) for each in names if frame[each].to_numpy().dtype.kind not in _NUMBERS]


def is_picture(value: Any) -> bool:
    """True for an image of Pillow."""
    return hasattr(value, "convert") and hasattr(value, "getbands")


def picture(image: Any) -> Tensor:
    """An image of Pillow as float from 0 to 1: (channels, height, width)."""
    if image.mode not in ("L", "RGB", "RGBA", "LA"):
        image = image.convert("RGB")
    width, height = image.size
    raw = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    pixels = raw.view(height, width, len(image.getbands())).permute(2, 0, 1)
    return pixels.to(torch.get_default_dtype()).div_(255)


def is_mapped(value: Any) -> bool:
    """True for an array whose numbers stay in a file until they are read."""
    while hasattr(value, "__array_interface__"):
        value = getattr(value, "base", None)
    return isinstance(value, mmap.mmap)

"""The IDX format: a tensor in a file, used for MNIST and its relatives.

| bytes | meaning |
|---|---|
| 0, 1 | zeros |
| 2 | the type of the numbers: a key of `DTYPES` |
| 3 | the number of dimensions |
| 4 for each dimension | its size |
| all others | the numbers, row by row |

Sizes and numbers have their most significant byte first. The format is defined at
http://yann.lecun.com/exdb/mnist. A file from disk is not trusted: anything wrong with it ends in a
`LoadError`, before more than `LARGEST` bytes are held in memory.
"""

from __future__ import annotations

import gzip
import os
import struct
import sys
import zlib
from io import BufferedIOBase
from math import prod
from pathlib import Path

import torch
from torch import Tensor

from graphnet.errors import LoadError, shape_text
from graphnet.files import open_file

DTYPES = {
    0x08: torch.uint8,
    0x09: torch.int8,
    0x0B: torch.int16,
    0x0C: torch.int32,
    0x0D: torch.float32,
    0x0E: torch.float64,
}
LARGEST = 2**30
"""The bytes of the largest tensor that is read; the images of MNIST have 47 million."""

MOST_DIMENSIONS = 8
GZIP = b"\x1f\x8b"
"""How a gzip-compressed file begins."""


def read_idx(path: str | Path) -> Tensor:
    r"""The tensor in an IDX file, compressed by gzip or not.

    Raises:
        LoadError: the file cannot be read, is not an IDX file, is shorter or longer than its header
            says, or holds more than 1 GiB.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "two-rows-idx2-ubyte")
    ...     header = b"\0\0\x08\x02" + b"\0\0\0\x02" + b"\0\0\0\x03"
    ...     count = path.write_bytes(header + b"abcdef")
    ...     read_idx(path)
    tensor([[ 97,  98,  99],
            [100, 101, 102]], dtype=torch.uint8)
    """
    try:
        with os.fdopen(open_file(path, follow=True), "rb") as file:
            packed = file.peek(len(GZIP)).startswith(GZIP)
            return _decode(gzip.GzipFile(fileobj=file) if packed else file)
    except LoadError as error:
        raise LoadError(f"{path} {error}") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise LoadError(f"{path} is damaged: gzip cannot unpack it ({error}).") from None
    except (OSError, ValueError) as error:  # a ValueError for a name that no file can have
        raise LoadError(f"{path} cannot be read: {getattr(error, 'strerror', error)}.") from None


def _decode(stream: BufferedIOBase) -> Tensor:
    """The tensor in the bytes of a stream; messages continue after the name of the file."""
    dtype, shape = _header(stream)
    if prod(max(size, 1) for size in shape) * dtype.itemsize > LARGEST:
        raise LoadError(
            f"announces a tensor of the shape {shape_text(shape)}; "
            f"at most {LARGEST:,} bytes are read."
        )
    size = prod(shape) * dtype.itemsize
    data = _up_to(stream, size + 1)
    if len(data) != size:
        got = f"only {len(data):,}" if len(data) < size else "more"
        raise LoadError(f"is damaged: its header announces {size:,} bytes of numbers, got {got}.")
    return _numbers(data, dtype).reshape(shape)


def _header(stream: BufferedIOBase) -> tuple[torch.dtype, tuple[int, ...]]:
    """The type and the shape that the first bytes announce."""
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in DTYPES:
        raise LoadError(
            "is not an IDX file: such a file begins with two zeros, a type and the number of "
            f"dimensions; got {magic.hex(' ') or 'nothing'}."
        )
    dimensions = magic[3]
    if not 1 <= dimensions <= MOST_DIMENSIONS:
        raise LoadError(f"has {dimensions} dimensions; 1 to {MOST_DIMENSIONS} can be read.")
    sizes = stream.read(4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise LoadError(f"is damaged: it ends before the sizes of its {dimensions} dimensions.")
    return DTYPES[magic[2]], struct.unpack(f">{dimensions}I", sizes)


def _up_to(stream: BufferedIOBase, size: int, piece: int = 2**20) -> bytearray:
    """At most `size` bytes, in pieces: a large number in a small file takes no memory."""
    data = bytearray()
    while part := stream.read(min(piece, size - len(data))):
        data += part
    return data


def _numbers(data: bytearray, dtype: torch.dtype) -> Tensor:
    """Numbers, written with the most significant byte first, in this machine's byte order."""
    if not data:
        return torch.empty(0, dtype=dtype)
    numbers = torch.frombuffer(data, dtype=torch.uint8)
    if dtype.itemsize > 1 and sys.byteorder == "little":
        numbers = numbers.view(-1, dtype.itemsize).flip(1).flatten()
    return numbers.view(dtype)

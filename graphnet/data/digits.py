"""MNIST: 70,000 handwritten digits, from Y. LeCun, C. Cortes and C. Burges."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from graphnet.data.download import Source, data_folder, fetch
from graphnet.data.idx import read_idx

if TYPE_CHECKING:
    from torch import Tensor

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    "https://storage.googleapis.com/cvdf-datasets/mnist",
)
"""Where the files are available; the first mirror that has a file provides it."""

FILES = tuple(
    Source(*line.split())
    for line in """
    train-images-idx3-ubyte f68b3c2dcbeaaa9fbdd348bbdeb94873 6bbc9ace898e44ae57da46a324031adb
    train-labels-idx1-ubyte d53e105ee54ea40749a09fcbcd1e9432 a25bea736e30d166cdddb491f175f624
    t10k-images-idx3-ubyte  9fb629c4189551a2d022fa330f9573f3 2646ac647ad5339dbf082846283269ea
    t10k-labels-idx1-ubyte  ec29112dd5afa0611ce80d1b7f02629c 27ae3e4e09519cfbb04c629615203637
    """.strip().splitlines()
)


class MNIST(NamedTuple):
    """The digits to train on, and the digits to test on.

    Shapes: images (60000, 28, 28) and (10000, 28, 28) of uint8, 0 is paper and 255 is ink; labels
    (60000,) and (10000,) of int64, 0 to 9.
    """

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor


def mnist(root: str | Path | None = None, *, mirrors: str | Sequence[str] = MIRRORS) -> MNIST:
    """The digits of MNIST, downloaded at the first call (12 MB).

    The tensors are new at every call, and hold the contents of the files: `data` and `targets` of
    torchvision's `MNIST(root)`. For a network, use `images.float() / 255` or `data.normalized`, and
    `unsqueeze(1)` if it needs a channel.

    Args:
        root: the folder of data sets; the files are in its MNIST/raw, as for torchvision. None
            takes the folder in the environment variable GRAPHNET_DATA, else the user's cache
            folder. Existing files, compressed or not, are used without network.
        mirrors: the address to download the files from, or several to try in order.

    Raises:
        LoadError: a file neither exists nor can be downloaded; the message says what to put where.
            A file with a wrong checksum is never used, but downloaded again.

    >>> digits = mnist()  # doctest: +SKIP
    >>> digits.train_images.shape, digits.test_labels.shape  # doctest: +SKIP
    (torch.Size([60000, 28, 28]), torch.Size([10000]))
    """
    sources = [mirrors] if isinstance(mirrors, str) else mirrors
    paths = fetch(FILES, data_folder(root) / "MNIST" / "raw", sources)
    train_images, train_labels, test_images, test_labels = (read_idx(path) for path in paths)
    return MNIST(train_images, train_labels.long(), test_images, test_labels.long())

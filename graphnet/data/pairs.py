"""Pairs of digits: is the first one less than or equal to the second?"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from graphnet.data.digits import mnist
from graphnet.errors import DtypeError, RangeError, ShapeError
from graphnet.validation import require_counts


class DigitPairs(NamedTuple):
    """Pairs to train on, and pairs to test on.

    Shapes, for n pairs: input (n, 2, 14, 14) of float32, 0 to 255; target (n,) of int64, 1 if
    the first digit is less than or equal to the second, else 0; classes (n, 2) of int64, the two
    digits.
    """

    train_input: Tensor
    train_target: Tensor
    train_classes: Tensor
    test_input: Tensor
    test_target: Tensor
    test_classes: Tensor


def digit_pairs(
    n: int,
    *,
    distinct: bool = False,
    generator: Generator | None = None,
    root: str | Path | None = None,
) -> DigitPairs:
    """n pairs of MNIST digits to train on, and n others to test on.

    The first are drawn from the training images, the others from the test images, as in
    `image_pairs`. Pixels stay between 0 and 255: scale them by
    `data.normalized(pairs.train_input, pairs.test_input)`.

    Args:
        n: how many pairs of each kind, 1 to 5,000: MNIST has 10,000 test images.
        distinct: True to leave out pairs of two equal digits; then about 4,500 pairs are available.
        generator: the source of the random order; None takes torch's default one.
        root: the folder of data sets, as for `mnist`.

    Raises:
        RangeError: there are not that many pairs; the message says how many there are.
        LoadError: MNIST is neither there nor can be downloaded.

    >>> pairs = digit_pairs(1000)  # doctest: +SKIP
    >>> pairs.train_input.shape, pairs.train_target.shape  # doctest: +SKIP
    (torch.Size([1000, 2, 14, 14]), torch.Size([1000]))
    """
    require_counts(n=n)
    digits = mnist(root)
    _require_images(n, min(len(digits.train_labels), len(digits.test_labels)))
    return DigitPairs(
        *image_pairs(digits.train_images, digits.train_labels, n, distinct, generator),
        *image_pairs(digits.test_images, digits.test_labels, n, distinct, generator),
    )


def image_pairs(
    images: Tensor,
    labels: Tensor,
    n: int,
    distinct: bool = False,
    generator: Generator | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """n pairs of images at half their height and width, with no image in two pairs.

    A random permutation of all images is cut into pairs, and the first n are taken; if `distinct`
    is True, the first n with two different labels. A pixel is the mean of 2 x 2 pixels.

    Shapes: (count, height, width), (count,) of integers ->
        input: (n, 2, height / 2, width / 2) of float32.
        target: (n,) of int64, 1 if the first label is less than or equal to the second.
        classes: (n, 2) of int64, the labels.

    Raises:
        RangeError: there are not that many pairs; the message says how many there are.
        ShapeError: the images do not have that shape, height or width is odd, or the number of
            labels differs.
        DtypeError: the labels are not integers.

    >>> images = torch.arange(8.0).view(2, 2, 2)
    >>> input, target, classes = image_pairs(images, torch.tensor([7, 7]), 1)
    >>> input.shape, target, classes
    (torch.Size([1, 2, 1, 1]), tensor([1]), tensor([[7, 7]]))
    """
    require_counts(n=n)
    _require_fitting(images, labels)
    _require_images(n, len(labels))
    order = torch.randperm(len(labels), generator=generator)
    pairs = order[: len(order) // 2 * 2].view(-1, 2)
    if distinct:
        pairs = pairs[(labels[pairs[:, 0]] != labels[pairs[:, 1]]).cpu()]
        if len(pairs) < n:
            raise RangeError(
                f"n is at most {len(pairs):,} here, the number of drawn pairs with two different "
                f"labels; got {n:,}."
            )
    pairs = pairs[:n]
    classes = labels[pairs].long()
    return _halved(images[pairs]), (classes[:, 0] <= classes[:, 1]).long(), classes


def _halved(images: Tensor) -> Tensor:
    """Means of 2 x 2 pixels: (..., 2 height, 2 width) -> (..., height, width)."""
    height, width = images.shape[-2] // 2, images.shape[-1] // 2
    windows = images.float().reshape(*images.shape[:-2], height, 2, width, 2)
    return windows.mean((-3, -1))


def _require_fitting(images: Tensor, labels: Tensor) -> None:
    if images.ndim != 3 or images.shape[1] % 2 or images.shape[2] % 2:
        raise ShapeError(
            "images must have the shape (count, height, width), with even height and width; "
            f"got {tuple(images.shape)}."
        )
    if labels.shape != images.shape[:1]:
        raise ShapeError(
            f"{len(images):,} images need labels of the shape ({len(images)},); "
            f"got {tuple(labels.shape)}."
        )
    if labels.is_floating_point():
        raise DtypeError(f"labels must be integers, such as int64; got {labels.dtype}.")


def _require_images(n: int, count: int) -> None:
    if 2 * n > count:
        raise RangeError(
            f"n must be at most {count // 2:,}: no image is in two pairs, and there are {count:,} "
            f"images; got {n:,}."
        )

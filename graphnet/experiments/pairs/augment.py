"""More pairs from few: digits moved by a pixel, and digits paired anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from graphnet.errors import ShapeError, shape_text

if TYPE_CHECKING:
    from torch import Generator, Tensor


def shifted(images: Tensor, generator: Generator | None = None) -> Tensor:
    """Each image moved by -1, 0 or 1 pixel down and to the right, drawn independently for each.

    Pixels from outside get the smallest number of all images, which is paper, even if the images
    are normalized.

    Shapes: (n, channels, height, width) -> the same; each channel is an image.

    Raises:
        ShapeError: the images have another number of dimensions.

    >>> image = torch.tensor([[[[0.0, 0, 0], [0, 9, 0], [0, 0, 0]]]])
    >>> moved = shifted(image, torch.Generator().manual_seed(0))
    >>> moved.shape, moved.sum()
    (torch.Size([1, 1, 3, 3]), tensor(9.))
    """
    if images.ndim != 4:
        raise ShapeError(
            "Images have the shape (n, channels, height, width); "
            f"got {shape_text(tuple(images.shape))}."
        )
    n, channels, height, width = images.shape
    framed = images.new_full((n, channels, height + 2, width + 2), float(images.min()))
    framed[:, :, 1:-1, 1:-1] = images
    down, right = torch.randint(3, (2, n, channels, 1, 1), generator=generator)
    rows = down + torch.arange(height).view(-1, 1)
    columns = right + torch.arange(width)
    return framed[
        torch.arange(n).view(-1, 1, 1, 1), torch.arange(channels).view(-1, 1, 1), rows, columns
    ]


def re_paired(
    images: Tensor, classes: Tensor, generator: Generator | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """The same digits in new pairs, in random order.

    Shapes: images (n, 2, height, width) and classes (n, 2) of integers -> such images, their target
        (n,) of int64, 1 if the first class is less than or equal to the second, and such classes.

    Raises:
        ShapeError: the sizes differ from these.

    >>> images = torch.tensor([[3.0, 5.0], [7.0, 9.0]]).view(2, 2, 1, 1)
    >>> classes = torch.tensor([[3, 5], [7, 9]])
    >>> new, target, digits = re_paired(images, classes, torch.Generator().manual_seed(0))
    >>> bool((new.view(2, 2) == digits).all()), sorted(digits.flatten().tolist())
    (True, [3, 5, 7, 9])
    """
    if images.ndim != 4 or images.shape[1] != 2 or classes.shape != images.shape[:2]:
        raise ShapeError(
            "Pairs of images have the shape (n, 2, height, width), and their classes (n, 2); "
            f"got {shape_text(tuple(images.shape))} and {shape_text(tuple(classes.shape))}."
        )
    order = torch.randperm(classes.numel(), generator=generator)
    images = images.flatten(0, 1)[order].view_as(images)
    classes = classes.flatten()[order].view_as(classes)
    return images, (classes[:, 0] <= classes[:, 1]).long(), classes


def shifted_and_re_paired(
    inputs: Tensor, targets: Any, generator: Generator | None = None
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Both, for `gn.fit(augment=...)` of a model that learns both digits.

    Args:
        inputs: the images.
        targets: the answer, the first class, the second class; or the classes alone.
        generator: the source of the random numbers; None takes torch's default one.
    """
    digits = torch.stack(targets[-2:], 1)
    images, answer, classes = re_paired(inputs, digits, generator)
    return shifted(images, generator), (answer, *classes.unbind(1))[-len(targets) :]

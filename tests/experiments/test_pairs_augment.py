"""Augmentation: digits moved by a pixel, and paired anew."""

import pytest
import torch

from graphnet.errors import ShapeError
from graphnet.experiments.pairs.augment import re_paired, shifted, shifted_and_re_paired


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def moved(image, down, right, fill):
    """One image moved, written with loops."""
    height, width = image.shape
    out = torch.full_like(image, fill)
    for row in range(height):
        for column in range(width):
            if 0 <= row - down < height and 0 <= column - right < width:
                out[row, column] = image[row - down, column - right]
    return out


def test_each_image_is_moved_by_one_pixel_at_most():
    images = torch.rand(50, 2, 5, 4, generator=generator()) - 0.5
    fill = float(images.min())
    steps = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    found = []
    for before, after in zip(
        images.flatten(0, 1), shifted(images, generator()).flatten(0, 1), strict=True
    ):
        (step,) = [each for each in steps if moved(before, *each, fill).equal(after)]
        found.append(step)
    assert set(found) == set(steps)
    assert any(first != second for first, second in zip(found[::2], found[1::2], strict=True))


def test_the_batch_stays_as_it_was():
    images = torch.rand(4, 2, 3, 3, generator=generator())
    classes = torch.arange(8).view(4, 2)
    kept = images.clone(), classes.clone()
    shifted(images, generator())
    re_paired(images, classes, generator())
    assert images.equal(kept[0])
    assert classes.equal(kept[1])


def test_new_pairs_hold_the_same_digits_and_right_answers():
    classes = torch.randint(10, (100, 2), generator=generator())
    images = classes.view(100, 2, 1, 1).float() + torch.arange(200).view(100, 2, 1, 1) / 1000
    new, answer, digits = re_paired(images, classes, generator(1))
    assert new.flatten().sort().values.equal(images.flatten().sort().values)
    assert new.view(100, 2).floor().long().equal(digits)
    assert answer.equal((digits[:, 0] <= digits[:, 1]).long())
    assert answer.dtype == torch.int64
    assert not digits.equal(classes)


def test_both_together_are_what_fit_asks_for():
    classes = torch.tensor([[1, 2], [3, 4], [5, 6]])
    images = classes.view(3, 2, 1, 1) * torch.ones(3, 2, 4, 4)
    images[:, :, 0] = images[:, :, -1] = images[:, :, :, 0] = images[:, :, :, -1] = 0
    answer = torch.ones(3, dtype=torch.int64)
    new, (right, first, second) = shifted_and_re_paired(
        images, (answer, classes[:, 0], classes[:, 1]), generator()
    )
    assert new.amax((2, 3)).long().equal(torch.stack([first, second], 1))
    assert right.equal((first <= second).long())
    alone = shifted_and_re_paired(images, (classes[:, 0], classes[:, 1]), generator())
    assert alone[0].equal(new)
    assert [each.tolist() for each in alone[1]] == [first.tolist(), second.tolist()]


def test_the_same_seed_gives_the_same_batch():
    images = torch.rand(6, 2, 14, 14, generator=generator())
    assert shifted(images, generator(3)).equal(shifted(images, generator(3)))
    assert not shifted(images, generator(3)).equal(shifted(images, generator(4)))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: shifted(torch.zeros(2, 3, 3)), "channels, height, width"),
        (lambda: re_paired(torch.zeros(2, 3, 3, 3), torch.zeros(2, 3)), "(n, 2, height, width)"),
        (
            lambda: re_paired(torch.zeros(2, 2, 3, 3), torch.zeros(3, 2)),
            "got (2, 2, 3, 3) and (3, 2)",
        ),
    ],
)
def test_other_shapes_are_refused(call, words):
    with pytest.raises(ShapeError) as caught:
        call()
    assert words in str(caught.value)

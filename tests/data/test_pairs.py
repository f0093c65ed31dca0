"""Pairs of digits, compared with the lines of the assignment that they replace."""

from __future__ import annotations

import pytest
import torch
from data.mirror_server import PACKED, SOURCES, digits, fill

from graphnet import DtypeError, RangeError, ShapeError
from graphnet.data import digit_pairs, image_pairs
from graphnet.data import digits as module


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def prologue(images, labels, n):
    """How the assignment makes its pairs."""
    images = torch.nn.functional.avg_pool2d(images.unsqueeze(1).float(), kernel_size=2)
    order = torch.randperm(len(images))[: 2 * n].view(n, 2)
    pairs = torch.cat((images[order[:, 0]], images[order[:, 1]]), 1)
    classes = labels[order].long()
    return pairs, (classes[:, 0] <= classes[:, 1]).long(), classes


def numbered(count):
    """Images that show their number: all 4 x 4 pixels have its value; their labels go round."""
    images = torch.arange(count).view(-1, 1, 1).expand(count, 4, 4)
    return images.float(), torch.arange(count).remainder(10)


@pytest.fixture
def root(monkeypatch, tmp_path):
    """A folder of data sets with small files in the place of those of MNIST."""
    monkeypatch.setattr(module, "FILES", SOURCES)
    fill(tmp_path / "MNIST" / "raw", PACKED)
    return tmp_path


# pairs of images


@pytest.mark.parametrize("n", [1, 3, 10])
def test_pairs_are_those_of_the_assignment(n):
    images, labels, *_ = digits()
    torch.manual_seed(5)
    expected = prologue(images, labels, n)
    torch.manual_seed(5)
    for mine, theirs in zip(image_pairs(images, labels, n), expected, strict=True):
        assert mine.dtype is theirs.dtype
        assert mine.equal(theirs)


@pytest.mark.parametrize("distinct", [False, True])
def test_no_image_is_in_two_pairs(distinct):
    images, labels = numbered(1001)
    input, target, classes = image_pairs(images, labels, 400, distinct, seeded())
    assert input.shape == (400, 2, 2, 2)
    numbers = input[:, :, 0, 0].long()
    assert len(numbers.unique()) == 800
    assert input.equal(numbers.view(400, 2, 1, 1).expand(400, 2, 2, 2).float())
    assert classes.equal(labels[numbers])
    assert target.equal((classes[:, 0] <= classes[:, 1]).long())
    assert bool((classes[:, 0] == classes[:, 1]).any()) is not distinct


def test_distinct_pairs_are_the_others_of_the_same_order():
    images, labels = numbered(200)
    everything = image_pairs(images, labels, 100, generator=seeded(1))[2]
    different = everything[everything[:, 0] != everything[:, 1]]
    n = len(different)
    assert n < 100
    assert image_pairs(images, labels, n, True, seeded(1))[2].equal(different)
    assert image_pairs(images, labels, 9, True, seeded(1))[2].equal(different[:9])
    with pytest.raises(RangeError, match=f"at most {n} here.*got {n + 1}"):
        image_pairs(images, labels, n + 1, True, seeded(1))


def test_the_target_of_each_order():
    images, labels = torch.zeros(2, 2, 2), torch.tensor([3, 8])
    seen = set()
    for seed in range(20):
        _, target, classes = image_pairs(images, labels, 1, generator=seeded(seed))
        seen.add((*classes[0].tolist(), int(target)))
    assert seen == {(3, 8, 1), (8, 3, 0)}


def test_pixels_are_means_of_four():
    image = torch.tensor([[0, 255, 1, 0], [255, 255, 0, 0]], dtype=torch.uint8)
    input, target, _ = image_pairs(image.expand(2, 2, 4), torch.tensor([0, 0]), 1)
    assert input.equal(torch.tensor([191.25, 0.25]).expand(1, 2, 1, 2))
    assert target.tolist() == [1]


def test_images_and_labels_are_left_alone():
    images, labels = numbered(20)
    before = images.clone(), labels.clone()
    for tensor in image_pairs(images, labels, 10):
        tensor.fill_(-1)
    assert images.equal(before[0])
    assert labels.equal(before[1])


IMAGES = torch.zeros(6, 4, 4)
LABELS = torch.zeros(6, dtype=torch.int64)


@pytest.mark.parametrize(
    ("images", "labels", "n", "kind", "words"),
    [
        (IMAGES, LABELS, 0, RangeError, "got 0"),
        (IMAGES, LABELS, 4, RangeError, "at most 3:"),
        (IMAGES[:1], LABELS[:1], 1, RangeError, "at most 0:"),
        (IMAGES, LABELS[:5], 1, ShapeError, "got (5,)"),
        (IMAGES, LABELS.view(6, 1), 1, ShapeError, "got (6, 1)"),
        (IMAGES.unsqueeze(1), LABELS, 1, ShapeError, "got (6, 1, 4, 4)"),
        (IMAGES[:, 1:], LABELS, 1, ShapeError, "got (6, 3, 4)"),
        (IMAGES[:, :, 1:], LABELS, 1, ShapeError, "got (6, 4, 3)"),
        (IMAGES, LABELS.float(), 1, DtypeError, "got torch.float32"),
    ],
    ids=range(9),
)
def test_wrong_images(images, labels, n, kind, words):
    with pytest.raises(kind) as error:
        image_pairs(images, labels, n)
    assert words in str(error.value)


# pairs of digits


def test_training_pairs_come_first_and_test_pairs_from_test_images(root):
    torch.manual_seed(2)
    train_images, train_labels, test_images, test_labels = digits()
    expected = *prologue(train_images, train_labels, 4), *prologue(test_images, test_labels, 4)
    torch.manual_seed(2)
    pairs = digit_pairs(4, root=root)
    for mine, theirs in zip(pairs, expected, strict=True):
        assert mine.dtype is theirs.dtype
        assert mine.equal(theirs)
    assert pairs.train_input.shape == pairs.test_input.shape == (4, 2, 2, 3)
    assert pairs.test_classes is pairs[5]


@pytest.mark.parametrize("distinct", [False, True])
def test_pairs_follow_their_generator_alone(distinct, root):
    state = torch.get_rng_state()
    first, again, other = (
        digit_pairs(3, distinct=distinct, generator=seeded(seed), root=root) for seed in (1, 1, 2)
    )
    assert all(a.equal(b) for a, b in zip(first, again, strict=True))
    assert not first.train_input.equal(other.train_input)
    assert torch.get_rng_state().equal(state)


def test_the_variable_names_the_folder_of_pairs(root, monkeypatch):
    monkeypatch.setenv("GRAPHNET_DATA", str(root))
    assert len(digit_pairs(5).test_target) == 5


def test_the_largest_n_is_that_of_both_kinds(root):
    digit_pairs(5, root=root)
    state = torch.get_rng_state()
    for n in (6, 11):  # 20 images to train on, 10 to test on
        with pytest.raises(RangeError, match=f"at most 5:.*got {n}"):
            digit_pairs(n, root=root)
    assert torch.get_rng_state().equal(state)


def test_no_pairs_are_refused_before_anything_is_read(tmp_path):
    with pytest.raises(RangeError, match="got 0"):
        digit_pairs(0, root=tmp_path)

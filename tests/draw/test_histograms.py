import math

import pytest
import torch

from graphnet.draw.svg.histograms import described, histogram, zero_in

CASES = [
    (torch.tensor(0.25), "0.25", 0),
    (torch.tensor(float("nan")), "nan", 0),
    (torch.tensor(True), "1", 0),
    (torch.empty(0, 3), "no numbers", 0),
    (torch.tensor([3.0, -4.0]), "‖5‖ -4 … 3", 12),
    (torch.tensor([2, 2, 2, 2]), "‖4‖ 2 … 2", 12),
    (torch.zeros(3), "‖0‖ 0 … 0", 12),
    (torch.tensor([1.0, math.inf, -math.inf]), "‖1‖ 1 … 1, 2 not finite", 0),
    (torch.full((2,), math.nan), "2 numbers, none finite", 0),
    (torch.tensor([3e300, -4e300], dtype=torch.float64), "‖5e+300‖ -4e+300 … 3e+300", 12),
    (torch.tensor([1e38, 1e38]), "‖1.41e+38‖ 1e+38 … 1e+38", 12),
    (torch.tensor([3.0, 4.0], dtype=torch.bfloat16), "‖5‖ 3 … 4", 12),
]


@pytest.mark.parametrize(("tensor", "text", "bars"), CASES)
def test_what_is_said_of_a_tensor(tensor, text, bars):
    assert described(tensor) == text
    heights = histogram(tensor)
    assert len(heights) == bars
    assert all(0 <= height <= 1 for height in heights)
    assert not heights or max(heights) == 1


def test_a_histogram_counts_all_numbers_not_the_first_ones():
    tensor = torch.zeros(100, 25)
    tensor[50:] = 1.0
    assert histogram(tensor) == [1.0, *[0.0] * 10, 1.0]


def test_the_histogram_is_that_of_torch(seed=0):
    tensor = torch.randn(1000, generator=torch.Generator().manual_seed(seed))
    counts = [0] * 12
    low, high = tensor.min().item(), tensor.max().item()
    for value in tensor.tolist():
        counts[min(11, int(12 * (value - low) / (high - low)))] += 1
    assert histogram(tensor) == pytest.approx([count / max(counts) for count in counts], abs=0.02)


def test_a_constant_tensor_has_one_bar_in_the_middle():
    assert histogram(torch.full((5,), 7.0)) == [0.0] * 6 + [1.0] + [0.0] * 5


ZEROS = [
    ([-1.0, 3.0], 0.25),
    ([-3.0, 1.0, math.inf], 0.75),
    ([0.0, 2.0], 0.0),
    ([-2.0, 0.0], 1.0),
    ([0.5, 2.0], None),
    ([-2.0, -0.5], None),
    ([0.0, 0.0], 0.5),  # in the middle, as its only bar
    ([7.0, 7.0], None),
    ([-1.0], None),
    ([], None),
    ([-3e38, 3e38], 0.5),
    ([-1e308, 1e308, math.nan], 0.5),
    ([5e-324, -5e-324], 0.5),
]


@pytest.mark.parametrize(("numbers", "place"), ZEROS)
def test_where_zero_lies(numbers, place):
    tensor = torch.tensor(numbers, dtype=torch.float64)
    before = tensor.clone()
    assert zero_in(tensor) == (place if place is None else pytest.approx(place))
    assert torch.equal(tensor.nan_to_num(), before.nan_to_num())


def test_zero_lies_where_the_bars_of_negative_numbers_end(seed=0):
    tensor = torch.rand(4000, generator=torch.Generator().manual_seed(seed)) * 4 - 1
    negative = sum(histogram(tensor)[:3]) / sum(histogram(tensor))
    assert zero_in(tensor) == pytest.approx(negative, abs=0.02)


def test_reading_changes_nothing():
    tensor = torch.randn(4, 5).t()
    before, version = tensor.clone(), tensor._version
    histogram(tensor), described(tensor)
    assert torch.equal(tensor, before) and tensor._version == version

"""Choices by bits: equal to torch's own, in the order of memory of their first number."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from closeness import assert_close
from torch import Tensor
from torch.nn import functional

import graphnet as gn
from graphnet import ops
from graphnet.ops.branchless import LARGE, chosen, filled

DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
SPECIAL = [float("nan"), float("inf"), -float("inf"), 0.0, -0.0, 1e-7]
SIZES = (3, 5, 40, 20)
"""More elements than `LARGE`."""


def same_bits(x: Tensor, y: Tensor) -> bool:
    words = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
    word = words[x.dtype.itemsize]
    return x.dtype is y.dtype and torch.equal(x.contiguous().view(word), y.contiguous().view(word))


def numbers(seed: int, *sizes: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Random numbers, and every special one."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(sizes, generator=generator)
    places = torch.randperm(x.numel(), generator=generator)[: 10 * len(SPECIAL)]
    x.view(-1)[places] = torch.tensor(SPECIAL).repeat(10)[: len(places)]
    return x.to(dtype)


def condition(*sizes: int) -> Tensor:
    return torch.rand(sizes, generator=torch.Generator().manual_seed(7)) > 0.5


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("sizes", [SIZES, (6,), (LARGE,), (0, 9)], ids=str)
def test_choices_have_the_bits_of_torchs_own(dtype: torch.dtype, sizes: tuple[int, ...]) -> None:
    x, y = numbers(1, *sizes, dtype=dtype), numbers(2, *sizes, dtype=dtype)
    mask = condition(*sizes)
    assert same_bits(chosen(mask, x, y), x.where(mask, y))
    for number in (0, 0.0, -0.0, 2.5, float("nan")):
        assert same_bits(chosen(mask, x, number), x.where(mask, number)), number
        assert same_bits(filled(x, mask, number), x.masked_fill(mask, number)), number


@pytest.mark.parametrize("dtype", [torch.int16, torch.int64, torch.bool], ids=str)
def test_integers_and_booleans_are_chosen(dtype: torch.dtype) -> None:
    x, y = (numbers(seed, 50, 100).nan_to_num().to(dtype) for seed in (1, 2))
    mask = condition(50, 100)
    assert torch.equal(filled(x, mask, 0.0), x.masked_fill(mask, 0))
    assert torch.equal(chosen(mask, x, y), x.where(mask, y))


@pytest.mark.parametrize(
    ("condition_sizes", "x_sizes", "y_sizes"),
    [(SIZES, (20,), (40, 1)), ((3, 1, 40, 20), SIZES, (1, 1, 1, 1)), (SIZES, (), SIZES)],
    ids=str,
)
def test_choices_broadcast(condition_sizes: Any, x_sizes: Any, y_sizes: Any) -> None:
    mask, x, y = condition(*condition_sizes), numbers(1, *x_sizes), numbers(2, *y_sizes)
    assert same_bits(chosen(mask, x, y), x.where(mask, y))
    assert same_bits(filled(y, mask, 0.0), y.masked_fill(mask, 0.0))


def test_the_order_in_memory_is_kept() -> None:
    """A gradient of images keeps the batch innermost; `masked_fill` alone would lay it anew."""
    x, mask = numbers(1, *SIZES).permute(3, 0, 1, 2), condition(*SIZES).permute(3, 0, 1, 2)
    assert filled(x, mask, 0.0).stride() == chosen(mask, x, x).stride() == x.stride()
    assert same_bits(filled(x, mask, 0.0), x.masked_fill(mask, 0.0))
    expanded, mask = numbers(3, 1, 20).expand(300, 20), condition(300, 20)
    assert same_bits(filled(expanded, mask, 0.0), expanded.masked_fill(mask, 0.0))


def test_dtypes_that_differ_are_promoted_as_in_torch() -> None:
    x, mask = numbers(1, *SIZES), condition(*SIZES)
    assert same_bits(chosen(mask, x, x.double()), x.where(mask, x.double()))


def test_torch_still_records_what_is_chosen() -> None:
    """Bits have no gradient, so a tensor that torch's autograd follows takes torch's own way."""
    mask = condition(*SIZES)
    leaves = [numbers(seed, *SIZES).requires_grad_() for seed in (1, 2)]
    for x, y in (leaves, (leaves[0], leaves[1].detach()), (leaves[0].detach(), leaves[1])):
        found = chosen(mask, x, y)
        assert found.requires_grad
        for leaf in (each for each in (x, y) if each.requires_grad):
            (grad,) = torch.autograd.grad(found, leaf, torch.ones(SIZES), retain_graph=True)
            assert torch.equal(grad, mask.float() if leaf is x else (~mask).float())
    (grad,) = torch.autograd.grad(filled(leaves[0], mask, 0.0), leaves[0], torch.ones(SIZES))
    assert torch.equal(grad, (~mask).float())


KINKED = {
    "relu": lambda x, _: x.relu(),
    "leaky_relu": lambda x, _: functional.leaky_relu(x, 0.3),
    "elu": lambda x, _: functional.elu(x),
    "clamp": lambda x, _: x.clamp(-0.55, 1.05),
    "maximum": lambda x, y: x.maximum(y),
    "minimum": lambda x, y: x.minimum(y),
    "where": lambda x, y: torch.where(x > 0, x * y, y),
    "masked_fill": lambda x, y: x.masked_fill(y > 0, 0.0) * y,
}
OURS: dict[str, Any] = {
    "leaky_relu": lambda x, _: ops.leaky_relu(x, 0.3),
    "elu": lambda x, _: ops.elu(x),
    "where": lambda x, y: ops.where(x > 0, x * y, y),
}


@pytest.mark.parametrize("name", KINKED)
def test_gradients_of_large_tensors_are_those_of_torch(name: str) -> None:
    """Also where infinities meet zeros, and where both are equal; `clamp` differs at its ends."""
    x, y = (numbers(seed, 80, 90).round(decimals=1).nan_to_num(nan=2.0) for seed in (1, 2))
    graph = gn.Graph()
    nodes = [graph.input((80, 90), name=each) for each in "xy"]
    for node in nodes:
        node.requires_grad = True
    top = OURS.get(name, KINKED[name])(*nodes)
    x.requires_grad_(), y.requires_grad_()
    expected = KINKED[name](x, y)
    seed = numbers(3, 80, 90)
    theirs = torch.autograd.grad(expected, [x, y], seed, allow_unused=True)
    graph.forward(x=x.detach(), y=y.detach())
    graph.backward(top, seed)
    assert_close(top.top, expected, rtol=1e-6, atol=0)
    for node, grad in zip(nodes, theirs, strict=True):
        if grad is not None:
            assert_close(node.grad, grad, rtol=1e-6, atol=0, equal_nan=True)

"""A function of `graphnet.ops` beside torch's: values, gradients and second derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from closeness import assert_close
from torch import Tensor

import graphnet as gn

CLOSE = {"rtol": 1e-10, "atol": 1e-10}
# Sums of squared gradients, some of them near a thousand, lose more digits.
CLOSE_SECOND = {"rtol": 1e-9, "atol": 1e-9}


def as_list(outputs: Any) -> list[Any]:
    return list(outputs) if isinstance(outputs, tuple | list) else [outputs]


def compare(
    ours: Callable[..., Any],
    theirs: Callable[..., Any],
    tensors: Sequence[Tensor],
    unknown: bool | str = False,
    second: bool = True,
) -> None:
    """Both functions on the same tensors; with `unknown`, on sizes that are fed later.

    True leaves all sizes open, "rows" the first size of each tensor.
    """
    graph = gn.Graph()
    nodes = [
        graph.input(
            tuple(
                None if unknown is True or (unknown == "rows" and dim == 0) else size
                for dim, size in enumerate(each.shape)
            ),
            name=f"x{place}",
            dtype=each.dtype,
            requires_grad=each.dtype.is_floating_point,
        )
        for place, each in enumerate(tensors)
    ]
    outputs = as_list(ours(*nodes))
    feed = dict(zip(nodes, tensors, strict=True))
    copies = [each.detach().clone() for each in tensors]
    leaves = [each for each in copies if each.dtype.is_floating_point]
    inputs = [node for node in nodes if node.dtype.is_floating_point]
    for leaf in leaves:
        leaf.requires_grad_()
    with torch.enable_grad():
        expected = as_list(theirs(*copies))
    assert len(outputs) == len(expected)
    for output, wanted in zip(outputs, expected, strict=True):
        value = graph.forward(feed, outputs=output)
        assert value.dtype == wanted.dtype
        assert_close(value, wanted.detach(), equal_nan=True, **CLOSE)
        if not unknown:
            assert output.shape == tuple(wanted.shape)
    floating = [place for place, each in enumerate(expected) if each.requires_grad]
    if not floating:
        return
    with torch.enable_grad():
        loss = sum((expected[place] * (expected[place] + 1)).sum() for place in floating)
        first = torch.autograd.grad(loss, leaves, create_graph=True, materialize_grads=True)
    ending = None
    for place in floating:
        part = (outputs[place] * (outputs[place] + 1)).sum()
        ending = part if ending is None else ending + part
    found = graph.gradients(ending, inputs)
    values = graph.forward(feed, outputs=found)
    for value, wanted in zip(as_list(values), first, strict=True):
        assert_close(value, wanted.detach(), equal_nan=True, **CLOSE)
    if not second or not any(each.requires_grad for each in first):
        return
    with torch.enable_grad():
        total = sum((each * each).sum() for each in first)
        twice = torch.autograd.grad(total, leaves, materialize_grads=True)
    ending = None
    for each in found:
        part = (each * each).sum()
        ending = part if ending is None else ending + part
    values = graph.forward(feed, outputs=graph.gradients(ending, inputs))
    for value, wanted in zip(as_list(values), twice, strict=True):
        assert_close(value, wanted, equal_nan=True, **CLOSE_SECOND)


def random(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


F64 = torch.float64


def rand(shape: Sequence[int], low: float = -1, high: float = 1, seed: int = 0) -> Tensor:
    """Uniform numbers, the same at every call."""
    generator = torch.Generator().manual_seed(seed)
    return low + (high - low) * torch.rand(tuple(shape), generator=generator, dtype=F64)


def labels(shape: Sequence[int], classes: int) -> Tensor:
    """Labels of so many classes."""
    return torch.randint(classes, tuple(shape), generator=torch.Generator().manual_seed(7))


def probabilities(shape: Sequence[int], dim: int = -1) -> Tensor:
    """Positive numbers that sum to 1 along a dimension."""
    return rand(shape, -2, 2, seed=8).softmax(min(dim, len(shape) - 1))


def like(value: Tensor, other: Any) -> Any:
    """A tensor for a tensor, and for a node a buffer of its graph that holds the same."""
    if isinstance(other, Tensor):
        return value
    return other.graph.parameter(value, requires_grad=False)


def both(name: str, **options: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Our function of this name and torch's, with the same options."""
    ours, theirs = getattr(gn.ops, name), getattr(torch.nn.functional, name)
    return lambda *x: ours(*x, **options), lambda *x: theirs(*x, **options)


def inputs_like(graph, tensors, unknown=False):
    """An input for each tensor, named x0, x1, ...; with `unknown` of any sizes."""
    return [
        graph.input(
            (None,) * each.ndim if unknown else tuple(each.shape),
            name=f"x{place}",
            dtype=each.dtype,
            requires_grad=each.is_floating_point(),
        )
        for place, each in enumerate(tensors)
    ]

"""cat, stack, split, chunk, pad and both unfolds beside torch's."""

from __future__ import annotations

import pytest
import torch
from ops.against_torch import compare, random
from torch.nn import functional

import graphnet as gn
from graphnet import ops

X, Y, Z = random(3, 4), random(3, 4, seed=1), random(2, 4, seed=2)


@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize(
    ("ours", "theirs", "tensors"),
    [
        (lambda *x: ops.cat(x), lambda *x: torch.cat(x), [X, Z, Y]),
        (lambda *x: ops.cat(list(x), dim=-1), lambda *x: torch.cat(x, -1), [X, Y]),
        (lambda x: ops.cat((x, x)), lambda x: torch.cat((x, x)), [X]),
        (lambda *x: ops.stack(x), lambda *x: torch.stack(x), [X, Y]),
        (lambda *x: ops.stack(x, -1), lambda *x: torch.stack(x, -1), [X, Y, Y]),
        (lambda *x: ops.stack(x, 1), lambda *x: torch.stack(x, 1), [X]),
        (lambda *x: ops.stack(x), lambda *x: torch.stack(x), [X[0, 0], Y[0, 0]]),
        (lambda x: x.split([1, 0, 2]), lambda x: x.split([1, 0, 2]), [X]),
        (lambda x: x.split((3, 1), -1), lambda x: x.split((3, 1), -1), [X.mT.contiguous().mT]),
        (lambda x: ops.pad(x, (1, 2)), lambda x: functional.pad(x, (1, 2)), [X]),
        (
            lambda x: ops.pad(x, [1, -2, -1, 1], value=3),
            lambda x: functional.pad(x, [1, -2, -1, 1], value=3),
            [X],
        ),
        (lambda x: ops.pad(x, ()), lambda x: functional.pad(x, ()), [X]),
        (lambda x: x.unfold(-1, 2, 1), lambda x: x.unfold(-1, 2, 1), [X]),
        (lambda x: x.unfold(0, 2, 3), lambda x: x.unfold(0, 2, 3), [X.mT]),
    ],
)
def test_beside_torch(ours, theirs, tensors, unknown):
    compare(ours, theirs, tensors, unknown)


@pytest.mark.parametrize(
    ("ours", "theirs", "tensors"),
    [
        (lambda *x: ops.cat(x), lambda *x: torch.cat(x), [X, random(0), Y]),
        (lambda *x: ops.cat(x), lambda *x: torch.cat(x), [random(0), random(0)]),
        (lambda *x: ops.cat(x), lambda *x: torch.cat(x), [X, random(0, 4)]),
        (lambda *x: ops.stack(x), lambda *x: torch.stack(x), [random(0), random(0)]),
        (lambda x: x.split(2), lambda x: x.split(2), [X]),
        (lambda x: x.split(3, 1), lambda x: x.split(3, dim=1), [X]),
        (lambda x: x.split(9), lambda x: x.split(9), [X]),
        (lambda x: x.split(2), lambda x: x.split(2), [random(0, 3)]),
        (lambda x: x.split(0), lambda x: x.split(0), [random(0, 3)]),
        *[
            (lambda x, n=n: x.chunk(n, 1), lambda x, n=n: x.chunk(n, 1), [random(2, size)])
            for n, size in ((1, 5), (2, 5), (3, 5), (4, 5), (7, 5), (4, 6), (3, 0))
        ],
        (lambda x: ops.pad(x, (1, 1)), lambda x: functional.pad(x, (1, 1)), [random(0)]),
        *[
            (lambda x, d=dim: x.unbind(d), lambda x, d=dim: x.unbind(d), [random(*shape)])
            for shape, dim in (((10, 2), 0), ((2, 7), -1), ((1, 3), 0), ((3, 4, 2), 1))
        ],
        (lambda x: ops.pad(x, (-1, -3)), lambda x: functional.pad(x, (-1, -3)), [X]),
        (lambda x: x.unfold(0, 1, 1), lambda x: x.unfold(0, 1, 1), [X[0, 0]]),
        (lambda x: x.unfold(0, 0, 1), lambda x: x.unfold(0, 0, 1), [X]),
    ],
)
def test_beside_torch_at_known_sizes(ours, theirs, tensors):
    compare(ours, theirs, tensors)


@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {"kernel_size": 2},
        {"kernel_size": (2, 3), "stride": 2},
        {"kernel_size": 3, "padding": 1, "stride": (2, 1)},
        {"kernel_size": (3, 2), "dilation": (1, 2), "padding": (0, 2)},
        {"kernel_size": 2, "dilation": 3, "padding": 1, "stride": 2},
    ],
)
@pytest.mark.parametrize("shape", [(2, 3, 5, 6), (3, 5, 6), (0, 2, 5, 6)])
def test_unfold_of_an_image(shape, options, unknown):
    unknown = unknown and shape != (3, 5, 6)  # an image alone is squeezed: its size must be known
    compare(
        lambda x: ops.unfold(x, **options),
        lambda x: functional.unfold(x, **options),
        [random(*shape)],
        unknown,
    )


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x, y: ops.cat([]),
        lambda x, y: ops.cat(x),
        lambda x, y: ops.cat([x, y]),
        lambda x, y: ops.cat([x, x], dim=2),
        lambda x, y: ops.cat([x.sum(), x.sum()]),
        lambda x, y: ops.cat([x, y.reshape(-1)]),
        lambda x, y: ops.stack([]),
        lambda x, y: ops.stack([x, y]),
        lambda x, y: ops.stack([x, x], dim=3),
        lambda x, y: ops.stack([x, x.sum()]),
        lambda x, y: ops.stack([x, 2.0]),
        lambda x, y: ops.stack([x, None]),
        lambda x, y: ops.cat([x, 2.0]),
        lambda x, y: ops.cat([x, "a"]),
        lambda x, y: ops.cat([x, x], dim=True),
        lambda x, y: x.unbind(2),
        lambda x, y: x.sum().unbind(),
        lambda x, y: x.split(True),
        lambda x, y: x.split("a"),
        lambda x, y: x.split([1.5, 1.5]),
        lambda x, y: x.split([]),
        lambda x, y: x.chunk(1.5),
        lambda x, y: x.chunk(True),
        lambda x, y: ops.pad(x, 1),
        lambda x, y: ops.pad(x, (1.0, 1)),
        lambda x, y: ops.pad(x, (1, 1), value="a"),
        lambda x, y: ops.pad(x, (-5, 2)),
        lambda x, y: ops.pad(x, (5, -5)),
        lambda x, y: x.split([1, 1]),
        lambda x, y: x.split([4, -1]),
        lambda x, y: x.split(0),
        lambda x, y: x.split(-1),
        lambda x, y: x.split(1, 2),
        lambda x, y: x.sum().split(1),
        lambda x, y: x.chunk(0),
        lambda x, y: x.sum().chunk(1),
        lambda x, y: ops.pad(x, (1,)),
        lambda x, y: ops.pad(x, (0, 0, 0, 0, 1, 1)),
        lambda x, y: ops.pad(x, (-3, -3)),
        lambda x, y: ops.pad(x, (1, 1), mode="mirror"),
        lambda x, y: x.unfold(0, 4, 1),
        lambda x, y: x.unfold(0, -1, 1),
        lambda x, y: x.unfold(0, 1, 0),
        lambda x, y: x.unfold(2, 1, 1),
        lambda x, y: ops.unfold(x, 1),
        lambda x, y: ops.unfold(x.reshape(1, 3, 4), 4),
        lambda x, y: ops.unfold(x.reshape(1, 3, 4), 0),
        lambda x, y: ops.unfold(x.reshape(1, 3, 4), 1, stride=0),
        lambda x, y: ops.unfold(x.reshape(1, 3, 4), 1, padding=-1),
    ],
)
def test_wrong_calls_are_refused(wrong):
    graph = gn.Graph()
    x, y = graph.input((3, 4), name="x"), graph.input((2, 3), name="y")
    with pytest.raises(gn.GraphError):
        wrong(x, y)


def test_a_split_of_an_unknown_size_needs_the_sizes():
    x = gn.Graph().input((None, 4), name="x")
    for wrong in (lambda: x.split(2), lambda: x.chunk(2), x.unbind):
        with pytest.raises(gn.ShapeError, match="Give the sizes"):
            wrong()


def test_the_gradient_of_many_parts_costs_less_than_a_whole_for_each():
    graph = gn.Graph()
    x = graph.input((100, 1), name="x", requires_grad=True)
    parts = ops.unbind(x)
    assert len(parts) == 100
    assert sum(node.inputs == (x,) for node in graph[1:]) == 10
    graph.forward(x=random(100, 1).float(), outputs=(total := ops.stack(parts).sum()))
    graph.backward(total)
    assert torch.equal(x.grad, torch.ones(100, 1))

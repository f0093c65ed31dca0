"""The normalizations beside torch's: values, gradients, buffers, modes, and refusals."""

from __future__ import annotations

import inspect

import pytest
import torch
from closeness import assert_close
from ops.against_torch import compare, random
from torch import Tensor
from torch.nn import functional

import graphnet as gn
from graphnet import ops

CLOSE = {"rtol": 1e-10, "atol": 1e-10}


def rand(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed + sum(shape))
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def agree(ours, theirs, tensors: list[Tensor], unknown: bool = False) -> None:
    """The same value and gradients by the nodes, by tensors and by torch autograd."""
    graph = gn.Graph()
    nodes = []
    for place, tensor in enumerate(tensors):
        shape = tuple(None if unknown else size for size in tensor.shape) if not place else None
        node = (
            graph.input(shape, name="x", dtype=tensor.dtype, requires_grad=True)
            if shape is not None
            else graph.parameter(tensor)
        )
        nodes.append(node)
    y = ours(*nodes)
    seed = torch.linspace(0.5, 1.5, max(ours(*tensors).numel(), 1), dtype=torch.float64)
    copies = [tensor.clone().requires_grad_() for tensor in tensors]
    with torch.enable_grad():
        expected = theirs(*copies)
    seed = seed[: expected.numel()].reshape(expected.shape)
    grads = torch.autograd.grad(expected, copies, seed)
    before = tensors[0].clone()
    top = graph.forward({"x": tensors[0]}, outputs=y)
    assert_close(top, expected.detach(), **CLOSE)
    assert_close(ours(*tensors), expected.detach(), **CLOSE)
    assert torch.equal(before, tensors[0])
    graph.backward(y, seed)
    for node, grad in zip(nodes, grads, strict=True):
        assert_close(node.grad, grad, **CLOSE)


def layouts(*shape: int) -> list[Tensor]:
    """Contiguous, strided, large and constant values."""
    x = rand(*shape)
    return [x, x.mT.contiguous().mT, torch.stack([x, x], -1)[..., 0], x * 1e3, x + 1e3]


@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 5), (2, 3, 4, 2), (1, 3, 2), (2, 3, 2, 2, 2)])
def test_batch_norm_of_a_batch(shape, unknown):
    for x in layouts(*shape):
        weight, bias = rand(3), rand(3, seed=5)
        agree(
            lambda x, w, b: ops.batch_norm(x, None, None, w, b, True, 0.1, 1e-3),
            lambda x, w, b: functional.batch_norm(x, None, None, w, b, True, 0.1, 1e-3),
            [x, weight, bias],
            unknown,
        )


@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 4, 2), (1, 3), (0, 3)])
def test_batch_norm_by_buffers(shape):
    mean, var = rand(3, seed=1), rand(3, seed=2).abs()

    def ours(x, w, b):
        if isinstance(x, Tensor):
            return ops.batch_norm(x, mean, var, w, b)
        kept = [gn.Parameter(each, requires_grad=False) for each in (mean, var)]
        return ops.batch_norm(x, *kept, w, b)

    agree(
        ours,
        lambda x, w, b: functional.batch_norm(x, mean, var, w, b),
        [rand(*shape), rand(3), rand(3)],
    )


@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize("shape", [(4, 3, 5), (2, 3, 4, 2), (1, 3, 2)])
def test_instance_norm(shape, unknown):
    for x in layouts(*shape):
        agree(
            lambda x, w, b: ops.instance_norm(x, None, None, w, b),
            lambda x, w, b: functional.instance_norm(x, None, None, w, b),
            [x, rand(3), rand(3, seed=5)],
            unknown,
        )


@pytest.mark.parametrize("function", ["batch_norm", "instance_norm"])
@pytest.mark.parametrize("momentum", [0.1, 0.9, 0.0, 1.0])
@pytest.mark.parametrize("training", [False, True])
def test_buffers_of_tensors_become_those_of_torch(function, momentum, training):
    ours, theirs = (
        (rand(3, seed=1), rand(3, seed=2).abs()),
        (rand(3, seed=1), rand(3, seed=2).abs()),
    )
    for step in range(3):
        x = rand(2, 3, 4, seed=step) * 5
        top = getattr(ops, function)(x, *ours, None, None, training, momentum)
        expected = getattr(functional, function)(x, *theirs, None, None, training, momentum)
        assert_close(top, expected, **CLOSE)
    assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


def test_an_empty_batch_leaves_the_buffers_alone():
    mean, var = torch.zeros(3), torch.ones(3)
    assert ops.batch_norm(torch.empty(0, 3), mean, var, training=True).shape == (0, 3)
    assert torch.equal(mean, torch.zeros(3))
    assert torch.equal(var, torch.ones(3))


@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize("shape", [(4, 6), (2, 6, 5), (2, 6, 2, 3), (0, 6, 2)])
@pytest.mark.parametrize("groups", [1, 2, 6])
def test_group_norm(shape, groups, unknown):
    for x in layouts(*shape):
        agree(
            lambda x, w, b: ops.group_norm(x, groups, w, b),
            lambda x, w, b: functional.group_norm(x, groups, w, b),
            [x, rand(6), rand(6, seed=5)],
            unknown,
        )


@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize(
    ("shape", "ends"), [((4, 3), (3,)), ((2, 4, 3), (4, 3)), ((3,), (3,)), ((0, 3), (3,))]
)
def test_layer_norm_and_rms_norm(shape, ends, unknown):
    for x in [rand(*shape), rand(*shape) * 1e3, rand(*shape, 2)[..., 0]]:
        tensors = [x, rand(*ends), rand(*ends, seed=5)]
        agree(
            lambda x, w, b: ops.layer_norm(x, ends, w, b),
            lambda x, w, b: functional.layer_norm(x, ends, w, b),
            tensors,
            unknown,
        )
        for eps in (None, 1e-2):
            agree(
                lambda x, w, eps=eps: ops.rms_norm(x, ends, w, eps),
                lambda x, w, eps=eps: functional.rms_norm(x, ends, w, eps),
                tensors[:2],
                unknown,
            )


def test_a_graph_follows_its_mode_and_its_buffers_learn():
    graph = gn.Graph()
    mean = graph.parameter(torch.zeros(3, dtype=torch.float64), requires_grad=False)
    var = graph.parameter(torch.ones(3, dtype=torch.float64), requires_grad=False)
    x = graph.input((None, 3), name="x", dtype=torch.float64, requires_grad=True)
    loss = ops.batch_norm(x, mean, var, training=None).square().sum()
    theirs = torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
    for step, training in enumerate([True, False, True, True, False]):
        value = rand(4, 3, seed=step) + 2
        graph.train(training)
        graph.forward(x=value)
        graph.backward(loss)
        copy = value.clone().requires_grad_()
        with torch.enable_grad():
            expected = functional.batch_norm(copy, *theirs, training=training).square().sum()
        (grad,) = torch.autograd.grad(expected, copy)
        assert_close(loss.top, expected.detach(), **CLOSE)
        assert_close(x.grad, grad, **CLOSE)
        assert_close((mean.top, var.top), theirs, rtol=1e-12, atol=1e-12)
    assert graph.check(loss)
    assert_close((mean.top, var.top), theirs, rtol=1e-12, atol=1e-12)


def test_second_derivatives_in_training():
    graph = gn.Graph()
    x = graph.input((None, 3), name="x", dtype=torch.float64, requires_grad=True)
    mean = graph.parameter(torch.zeros(3, dtype=torch.float64), requires_grad=False)
    var = graph.parameter(torch.ones(3, dtype=torch.float64), requires_grad=False)
    y = (ops.batch_norm(x, mean, var, training=None) ** 3).sum()
    (first,) = graph.gradients(y, [x])
    (second,) = graph.gradients((first * first).sum(), [x])
    value = rand(5, 3)
    for training in (True, False):
        graph.train(training)
        ours = graph.forward(x=value, outputs=second)
        copy = value.clone().requires_grad_()
        kept = mean.top.clone(), var.top.clone()
        with torch.enable_grad():
            total = functional.batch_norm(copy, *kept, training=training).pow(3).sum()
            (grad,) = torch.autograd.grad(total, copy, create_graph=True)
        (expected,) = torch.autograd.grad(grad.square().sum(), copy)
        assert_close(ours, expected, **CLOSE)


def test_two_graphs_share_buffers_and_neither_is_out_of_date():
    layer = gn.BatchNorm1d(2)
    losses = []
    for _ in range(2):
        with gn.Graph():
            losses.append(layer(gn.Input((None, 2), name="x")).square().sum())
    for loss in losses:
        loss.graph.forward(x=torch.randn(4, 2))
    for loss in losses:
        loss.graph.backward(loss)
    assert layer.num_batches_tracked.top == 2


NORMS = {
    "batch_norm": lambda x, w, b, kit: kit.batch_norm(x, None, None, w, b, True),
    "instance_norm": lambda x, w, b, kit: kit.instance_norm(x, None, None, w, b),
    "group_norm": lambda x, w, b, kit: kit.group_norm(x, 1, w, b),
    "layer_norm": lambda x, w, b, kit: kit.layer_norm(x, (3,), w, b),
    "rms_norm": lambda x, w, b, kit: kit.rms_norm(x, (3,), w + b),
}


@pytest.mark.parametrize("name", NORMS)
@pytest.mark.parametrize("unknown", [False, True, "rows"])
def test_second_derivatives_and_weights_of_unknown_size(name, unknown):
    norm = NORMS[name]
    compare(
        lambda x, w, b: norm(x, w, b, ops),
        lambda x, w, b: norm(x, w, b, functional),
        [random(4, 3, 3), random(3, seed=1), random(3, seed=2)],
        unknown,
    )


@pytest.mark.parametrize("name", NORMS)
def test_names_of_arguments_and_defaults_are_those_of_torch(name):
    ours, theirs = (
        [
            (each.name, each.default)
            for each in inspect.signature(getattr(kit, name)).parameters.values()
            if each.kind is each.POSITIONAL_OR_KEYWORD
        ]
        for kit in (ops, functional)
    )
    assert ours == theirs

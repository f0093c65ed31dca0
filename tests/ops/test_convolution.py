"""The convolutions as functions, against torch with autograd in float64."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from closeness import assert_close
from torch.nn import functional

import graphnet as gn
from graphnet import ops

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")

CLOSE = {"rtol": 1e-10, "atol": 1e-10}
C2, T2, C1 = "conv2d", "conv_transpose2d", "conv1d"

CALLS = [
    (C2, (2, 4, 7, 6), (6, 4, 3, 2), {}),
    (C2, (2, 4, 7, 6), (6, 4, 3, 2), {"stride": 2}),
    (C2, (2, 4, 7, 6), (6, 4, 3, 2), {"stride": (3, 2), "padding": (2, 1)}),
    (C2, (2, 4, 7, 6), (6, 4, 3, 2), {"padding": "same"}),
    (C2, (2, 4, 7, 6), (6, 4, 2, 4), {"padding": "same", "dilation": (1, 2)}),
    (C2, (2, 4, 7, 6), (6, 4, 3, 2), {"padding": "valid", "stride": 2}),
    (C2, (2, 4, 7, 6), (6, 4, 3, 2), {"dilation": (2, 3), "padding": 1, "stride": 2}),
    (C2, (2, 4, 7, 6), (6, 2, 3, 2), {"groups": 2}),
    (C2, (2, 4, 7, 6), (8, 1, 3, 3), {"groups": 4, "padding": 1, "stride": (2, 1)}),
    (C2, (4, 7, 6), (6, 4, 3, 2), {"padding": 1}),
    (C2, (1, 4, 5, 5), (3, 4, 1, 1), {}),
    (C2, (1, 4, 5, 5), (3, 4, 5, 5), {}),
    (C2, (0, 4, 5, 5), (3, 4, 3, 3), {"padding": 1}),
    (C2, (2, 4, 5, 5), (3, 4, 1, 1), {"padding": 2, "stride": 3}),
    (C1, (2, 4, 9), (6, 4, 3), {}),
    (C1, (2, 4, 9), (6, 2, 3), {"stride": 2, "padding": 2, "dilation": 2, "groups": 2}),
    (C1, (2, 4, 9), (6, 4, 4), {"padding": "same"}),
    (C1, (4, 9), (6, 4, 3), {"stride": (2,), "padding": (1,)}),
    (C1, (0, 4, 9), (6, 4, 3), {}),
    (T2, (2, 4, 5, 3), (4, 6, 3, 2), {}),
    (T2, (2, 4, 5, 3), (4, 6, 3, 2), {"stride": 2, "padding": 1, "output_padding": 1}),
    (T2, (2, 4, 5, 3), (4, 3, 3, 2), {"stride": (3, 2), "groups": 2}),
    (T2, (2, 4, 5, 3), (4, 6, 3, 2), {"dilation": (2, 3), "padding": (1, 0)}),
    (T2, (2, 4, 5, 3), (4, 6, 2, 2), {"dilation": 3, "output_padding": (2, 1)}),
    (T2, (2, 4, 5, 3), (4, 6, 2, 2), {"dilation": 3, "padding": 2, "output_padding": (2, 1)}),
    (T2, (2, 4, 5, 3), (4, 6, 2, 2), {"stride": 3, "output_padding": (2, 1)}),
    (T2, (4, 5, 3), (4, 6, 3, 2), {"stride": 2}),
    (T2, (0, 4, 5, 3), (4, 6, 3, 2), {}),
]


def values(shapes, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]


def all_values(name, shape, weight, options, bias):
    outputs = weight[1] * options.get("groups", 1) if name == T2 else weight[0]
    return values([shape, weight, *[(outputs,)] * bias])


def theirs(function, tensors):
    """The value, the gradients, and the gradients of the sum of the squared gradients."""
    leaves = [tensor.clone().requires_grad_() for tensor in tensors]
    with torch.enable_grad():
        top = function(*leaves)
        first = torch.autograd.grad((top * top).sum(), leaves, create_graph=True)
        total = torch.stack([(each * each).sum() for each in first]).sum()
    second = torch.autograd.grad(total, leaves, allow_unused=True, materialize_grads=True)
    return [top.detach(), *[each.detach() for each in first], *second]


def mine(function, tensors, shapes):
    graph = gn.Graph()
    nodes = [
        graph.input(shape, name=f"x{place}", dtype=torch.float64, requires_grad=True)
        for place, shape in enumerate(shapes)
    ]
    top = function(*nodes)
    first = graph.gradients((top * top).sum(), nodes)
    total = (first[0] * first[0]).sum()
    for each in first[1:]:
        total = total + (each * each).sum()
    second = graph.gradients(total, nodes)
    feed = dict(zip(nodes, tensors, strict=True))
    return graph.forward(feed, outputs=[top, *first, *second])


def compare(ours, expected):
    for our, their in zip(ours, expected, strict=True):
        assert_close(our, their, **CLOSE)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("name", "shape", "weight", "options"), CALLS)
def test_value_and_two_derivatives(name, shape, weight, options, bias):
    tensors = all_values(name, shape, weight, options, bias)
    expected = theirs(lambda *t: getattr(functional, name)(*t, **options), tensors)
    ours = mine(lambda *n: getattr(ops, name)(*n, **options), tensors, [t.shape for t in tensors])
    compare(ours, expected)
    value = getattr(ops, name)(*tensors, **options)
    assert_close(value, expected[0], **CLOSE)


@pytest.mark.parametrize(("name", "shape", "weight", "options"), CALLS)
def test_sizes_unknown_when_built(name, shape, weight, options):
    """The batch and the size of the images are fed later, and change."""
    dims = len(weight) - 2
    batched = len(shape) == dims + 2
    unknown = (None,) * batched + (shape[-dims - 1],) + (None,) * dims
    tensors = all_values(name, shape, weight, options, True)
    expected = theirs(lambda *t: getattr(functional, name)(*t, **options), tensors)
    shapes = [unknown, *(t.shape for t in tensors[1:])]
    compare(mine(lambda *n: getattr(ops, name)(*n, **options), tensors, shapes), expected)


@pytest.mark.parametrize(("name", "shape", "weight", "options"), CALLS)
def test_strided_and_read_only_inputs(name, shape, weight, options):
    tensors = all_values(name, shape, weight, options, True)
    before = [tensor.clone() for tensor in tensors]
    strided = [torch.stack([t, t + 1], -1)[..., 0] for t in tensors]
    function = partial(getattr(ops, name), **options)
    shapes = [t.shape for t in tensors]
    compare(mine(function, strided, shapes), mine(function, tensors, shapes))
    assert all(torch.equal(now, then) for now, then in zip(tensors, before, strict=True))
    flipped = [tensors[0].mT.contiguous().mT, *tensors[1:]]
    compare(mine(function, flipped, shapes), mine(function, tensors, shapes))


@pytest.mark.parametrize("scale", [1e3, -1e3])
def test_large_values(scale):
    x, weight = values([(2, 3, 5, 5), (4, 3, 3, 3)])
    assert_close(
        ops.conv2d(x * scale, weight), functional.conv2d(x * scale, weight), rtol=1e-12, atol=1e-9
    )


def test_one_node():
    graph = gn.Graph()
    x = graph.input((None, 2, None, None), name="x")
    y = gn.Conv2d(2, 3, 3)(x)
    assert [type(node).__name__ for node in graph] == [
        "Input",
        "Parameter",
        "Parameter",
        "Operation",
    ]
    assert y.shape == (None, 3, None, None)


WRONG = [
    (C2, [(2, 3, 5, 5), (4, 2, 3, 3)], {}),
    (C2, [(2, 3, 5, 5), (4, 3, 6, 3)], {}),
    (C2, [(2, 3, 5, 5), (4, 3, 3, 3)], {"dilation": 3}),
    (C2, [(2, 3, 5, 5), (4, 3, 3, 3), (3,)], {}),
    (C2, [(2, 3, 5, 5), (4, 3, 3, 3), (1,)], {}),
    (C2, [(2, 4, 5, 5), (5, 2, 3, 3)], {"groups": 2}),
    (C2, [(2, 4, 5, 5), (6, 2, 3, 3)], {"groups": 0}),
    (C2, [(2, 3, 5, 5), (4, 3, 3, 3)], {"stride": 0}),
    (C2, [(2, 3, 5, 5), (4, 3, 3, 3)], {"stride": (1, 2, 3)}),
    (C2, [(2, 3, 5, 5), (4, 3, 3, 3)], {"stride": 1.5}),
    (C2, [(2, 3, 5, 5), (4, 3, 3, 3)], {"padding": -1}),
    (C2, [(2, 3, 5, 5), (4, 3, 3, 3)], {"padding": "full"}),
    (C2, [(2, 3, 5, 5), (4, 3, 3, 3)], {"padding": "same", "stride": 2}),
    (C2, [(2, 3, 5, 5), (4, 3, 3, 3)], {"dilation": 0}),
    (C2, [(3, 5), (4, 3, 3, 3)], {}),
    (C2, [(2, 3, 5, 5), (4, 3, 3)], {}),
    (C2, [(2, 3, 0, 5), (4, 3, 3, 3)], {}),
    (C1, [(2, 3, 5), (4, 2, 3)], {}),
    (C1, [(2, 3, 5), (4, 3, 6)], {}),
    (C1, [(2, 3, 5, 5), (4, 3, 3)], {}),
    (C1, [(2, 3, 5), (4, 3, 3)], {"stride": (1, 2)}),
    (T2, [(2, 3, 5, 5), (4, 3, 3, 3)], {}),
    (T2, [(2, 3, 5, 5), (3, 4, 3, 3), (5,)], {}),
    (T2, [(2, 3, 5, 5), (3, 4, 3, 3)], {"output_padding": 1}),
    (T2, [(2, 3, 2, 2), (3, 4, 3, 3)], {"padding": 3}),
    (T2, [(2, 3, 5, 5), (3, 4, 3, 3)], {"groups": 2}),
    (T2, [(2, 3, 0, 5), (3, 4, 3, 3)], {}),
]


@pytest.mark.parametrize(("name", "shapes", "options"), WRONG)
def test_what_torch_refuses_is_refused(name, shapes, options):
    tensors = values(shapes)
    with pytest.raises((RuntimeError, ValueError, TypeError)):
        getattr(functional, name)(*tensors, **options)
    with pytest.raises(gn.GraphError):
        getattr(ops, name)(*tensors, **options)
    graph = gn.Graph()
    nodes = [graph.input(s, name=f"x{i}", dtype=torch.float64) for i, s in enumerate(shapes)]
    with pytest.raises(gn.GraphError):
        getattr(ops, name)(*nodes, **options)


def test_an_image_that_turns_out_too_small_is_refused_when_fed():
    graph = gn.Graph()
    x = graph.input((None, 2, None, None), name="x")
    gn.Conv2d(2, 3, 3)(x)
    with pytest.raises(gn.ShapeError, match="does not fit"):
        graph.forward(x=torch.zeros(1, 2, 2, 5))


def test_the_message_names_both_numbers_of_channels():
    graph = gn.Graph()
    x = graph.input((None, 3, 8, 8), name="x")
    with pytest.raises(gn.ShapeError, match=r"the image has 3 channels.*takes 2"):
        gn.Conv2d(2, 3, 3)(x)


def test_the_check_of_a_small_network():
    torch.manual_seed(0)
    layers = [gn.Conv2d(1, 2, 3, padding=1), gn.MaxPool2d(2), gn.ConvTranspose2d(2, 2, 2, 2)]
    model = gn.Sequential(*layers, gn.AvgPool2d(2), gn.Flatten(), gn.Linear(8, 1))
    graph = gn.Graph()
    x = graph.input((None, 1, 4, 4), name="x", requires_grad=True)
    loss = model(x).sum()
    report = graph.check(loss, {"x": torch.randn(2, 1, 4, 4)})
    assert report, str(report)

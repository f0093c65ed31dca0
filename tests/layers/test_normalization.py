"""Normalizations and dropout as layers beside torch.nn."""

from __future__ import annotations

from inspect import signature

import pytest
import torch
from closeness import assert_close
from layers.steps import CLOSE, assert_same_step, pair

import graphnet as gn

LAYERS = [
    ("BatchNorm1d", (3,), {}, (5, 3)),
    ("BatchNorm1d", (3,), {"momentum": None}, (5, 3, 2)),
    ("BatchNorm1d", (3,), {"momentum": 0.7, "eps": 1e-2, "affine": False}, (5, 3)),
    ("BatchNorm1d", (3,), {"track_running_stats": False}, (5, 3)),
    ("BatchNorm2d", (3,), {}, (2, 3, 4, 2)),
    ("InstanceNorm2d", (3,), {}, (2, 3, 4, 2)),
    ("InstanceNorm2d", (3,), {"affine": True, "track_running_stats": True}, (2, 3, 4, 2)),
    ("InstanceNorm2d", (3,), {}, (3, 4, 2)),
    ("LayerNorm", (3,), {}, (2, 4, 3)),
    ("LayerNorm", ((4, 3),), {"bias": False}, (2, 4, 3)),
    ("LayerNorm", (3,), {"elementwise_affine": False, "eps": 0.1}, (2, 3)),
    ("RMSNorm", (3,), {}, (2, 4, 3)),
    ("RMSNorm", ([4, 3],), {"eps": 0.1, "elementwise_affine": False}, (2, 4, 3)),
    ("GroupNorm", (2, 4), {}, (3, 4, 2)),
    ("GroupNorm", (2, 4), {"affine": False}, (3, 4)),
    ("GroupNorm", (2, 4), {"bias": False}, (3, 4)),
    ("BatchNorm1d", (3,), {"bias": False}, (5, 3)),
    ("BatchNorm2d", (3,), {"bias": False, "momentum": None}, (2, 3, 4, 2)),
    ("InstanceNorm2d", (3,), {"affine": True, "bias": False}, (2, 3, 4, 2)),
    ("Dropout", (0.3,), {}, (4, 5)),
    ("Dropout", (0.0,), {}, (4, 5)),
    ("Dropout", (1.0,), {}, (4, 5)),
]


@pytest.mark.parametrize(("name", "args", "kwargs", "shape"), LAYERS)
def test_a_layer_is_that_of_torch_over_several_steps(name, args, kwargs, shape):
    if not kwargs.keys() <= signature(getattr(torch.nn, name)).parameters.keys():
        pytest.skip(f"this torch has no {name}(bias=False)")
    ours, theirs = pair(name, *args, **kwargs)
    for step, training in enumerate([True, True, False, True, False]):
        ours.train(training), theirs.train(training)
        x = torch.randn(shape, dtype=torch.float64) * (step + 1)
        torch.manual_seed(step)
        expected = theirs(x)  # the same random numbers again below
        theirs.load_state_dict(ours.state_dict())
        torch.manual_seed(step)
        assert_close(ours.forward(x), expected.detach(), **CLOSE)
        if name != "Dropout":
            assert_same_step(ours, pair_state(theirs, ours), [x])


def pair_state(theirs, ours):
    theirs.load_state_dict(ours.state_dict())
    return theirs


@pytest.mark.parametrize(("name", "args", "kwargs", "shape"), LAYERS[:8])
def test_a_graph_switches_as_the_module_does(name, args, kwargs, shape):
    ours, theirs = pair(name, *args, **kwargs)
    with gn.Graph() as graph:
        y = ours(gn.Input((None, *shape[1:]), name="x", dtype=torch.float64))
    for training in (True, False, True, False):
        graph.train(training), theirs.train(training)
        x = torch.randn(shape, dtype=torch.float64)
        assert_close(graph.forward({"x": x}, outputs=y), theirs(x).detach(), **CLOSE)
        assert_close(ours.state_dict(), dict(theirs.state_dict()), **CLOSE)


def test_dropout_draws_from_its_generator():
    x = torch.ones(1000)
    states = [torch.Generator().manual_seed(3) for _ in range(2)]
    tops = [gn.Dropout(0.25, generator=state).forward(x) for state in states]
    assert torch.equal(*tops)
    assert set(tops[0].tolist()) == {0.0, torch.tensor(4 / 3).item()}
    assert 0.7 < tops[0].bool().double().mean() < 0.8


def test_the_backward_pass_uses_the_mask_of_the_forward_pass():
    layer, x = gn.Dropout(0.5), torch.ones(50)
    top = layer.forward(x)
    assert torch.equal(layer.backward(torch.ones(50)), top)


REFUSED = [
    lambda: gn.BatchNorm1d(0),
    lambda: gn.BatchNorm1d(3).forward(torch.ones(1, 3)),
    lambda: gn.BatchNorm1d(3).forward(torch.ones(2, 4)),
    lambda: gn.BatchNorm1d(3, affine=False, track_running_stats=False).forward(torch.ones(2, 4)),
    lambda: gn.BatchNorm1d(3).forward(torch.ones(2, 3, 4, 4)),
    lambda: gn.BatchNorm2d(3).forward(torch.ones(2, 3)),
    lambda: gn.InstanceNorm2d(3).forward(torch.ones(2, 3, 1, 1)),
    lambda: gn.GroupNorm(2, 3),
    lambda: gn.GroupNorm(2, 4).forward(torch.ones(2, 6)),
    lambda: gn.LayerNorm(()),
    lambda: gn.LayerNorm(3).forward(torch.ones(2, 4)),
    lambda: gn.RMSNorm(3).forward(torch.ones(2, 4)),
    lambda: gn.Dropout(1.5),
    lambda: gn.Dropout(-0.1),
    lambda: gn.BatchNorm1d(3, eps=-1.0).forward(torch.ones(2, 3)),
    lambda: gn.BatchNorm1d(3).forward(torch.ones(2, 3).double()),
    lambda: gn.BatchNorm1d(3).forward(torch.ones(2, 3).long()),
    lambda: gn.LayerNorm(3.0),
    lambda: gn.LayerNorm(None),
    lambda: gn.LayerNorm((3.0,)),
    lambda: gn.RMSNorm(True),
    lambda: gn.RMSNorm(0),
    lambda: gn.RMSNorm(3, eps="a").forward(torch.ones(2, 3)),
    lambda: gn.Dropout("a"),
    lambda: gn.Dropout(0.5, True),
    lambda: gn.Dropout(0.5).forward(torch.ones(3).long()),
]


@pytest.mark.parametrize("call", REFUSED)
def test_wrong_calls_are_refused(call):
    with pytest.raises(gn.GraphError):
        call()

"""Weight norm and spectral norm: equal to torch's parametrizations."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from closeness import assert_close
from layers.torch_pairs import DOUBLE, randn, seeded
from torch.nn.utils import parametrizations

import graphnet as gn

CLOSE = {"rtol": 1e-12, "atol": 1e-12}
LAYERS = {
    "Linear": ((4, 3), (5, 4)),
    "Conv1d": ((2, 3, 3), (2, 2, 6)),
    "Conv2d": ((2, 3, 3), (2, 2, 6, 6)),
    "ConvTranspose2d": ((2, 3, 3), (2, 2, 4, 4)),
}
SETTINGS = [
    ("weight_norm", {}),
    ("weight_norm", {"dim": None}),
    ("weight_norm", {"dim": 1}),
    ("weight_norm", {"name": "bias"}),
    ("spectral_norm", {}),
    ("spectral_norm", {"n_power_iterations": 3, "eps": 1e-6}),
    ("spectral_norm", {"dim": 1}),
    ("spectral_norm", {"name": "bias", "dim": 0}),
]


def both(kind, function, options):
    """A layer of torch and ours, with equal weights, and the same random vectors."""
    arguments, shape = LAYERS[kind]
    torch.manual_seed(0)
    theirs = getattr(torch.nn, kind)(*arguments, dtype=DOUBLE)
    ours = getattr(gn, kind)(*arguments, dtype=DOUBLE)
    ours.load_state_dict(theirs.state_dict())
    for each, library in ((theirs, parametrizations), (ours, gn)):
        torch.manual_seed(1)
        assert getattr(library, function)(each, **options) is each
    return ours, theirs, shape


def assert_state(ours, theirs):
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for name, value in theirs.state_dict().items():
        assert ours.state_dict()[name].shape == value.shape
        assert_close(ours.state_dict()[name], value, **CLOSE)


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize(("function", "options"), SETTINGS, ids=str)
def test_values_gradients_and_state_are_those_of_torch(kind, function, options):
    ours, theirs, shape = both(kind, function, options)
    assert_state(ours, theirs)
    for place, mode in enumerate((True, False, True)):
        ours.train(mode)
        theirs.train(mode)
        x = randn(shape, seeded(place)).requires_grad_()
        with torch.enable_grad():
            expected = theirs(x)
            sources = [x, *theirs.parameters()]
            grads = torch.autograd.grad((expected * expected).sum(), sources)
        found = ours(x.detach())
        assert_close(found, expected.detach(), **CLOSE)
        ours.zero_grad()
        assert_close(ours.backward(2 * found), grads[0], **CLOSE)
        assert_close([each.grad for each in ours.parameters()], list(grads[1:]), **CLOSE)
        assert_state(ours, theirs)


@pytest.mark.parametrize("backend", ["torch", "c"])
@pytest.mark.parametrize("function", ["weight_norm", "spectral_norm"])
def test_steps_of_a_program_are_those_of_torch(function, backend):
    ours, theirs, shape = both("Linear", function, {})
    with gn.Graph() as graph:
        y = ours(gn.Input((None, 4), name="x", dtype=DOUBLE))
        loss = (y * y).mean()
    step = graph.compile(loss, gn.SGD(ours.parameters(), lr=0.1), backend=backend)
    optimizer = torch.optim.SGD(theirs.parameters(), lr=0.1)
    for seed in range(3):
        x = randn(shape, seeded(seed))
        step(x=x)
        optimizer.zero_grad()
        with torch.enable_grad():
            theirs(x).square().mean().backward()
        optimizer.step()
    assert_state(ours, theirs)


def test_states_move_between_graphnet_and_torch():
    ours, theirs, shape = both("Conv2d", "spectral_norm", {})
    theirs(randn(shape, seeded(3)))
    ours.load_state_dict(theirs.state_dict())
    assert_state(ours, theirs)
    theirs.load_state_dict(ours.state_dict())


def test_a_module_called_twice_computes_its_weight_in_each_call_once():
    layer = gn.weight_norm(gn.RNN(2, 3), "weight_hh_l0")
    with gn.Graph() as graph:
        x = gn.Input((5, None, 2), name="x")
        layer(layer(x[:, :, :2])[0][:, :, :2])
    names = [node.name for node in graph if node.kind == "operation"]
    assert [name for name in names if name.endswith(".norm") or ".norm_" in name] == [
        "parametrizations.weight_hh_l0.norm",
        "parametrizations.weight_hh_l0.norm_1",
    ]


def test_the_weight_is_a_tensor_outside_a_graph_and_a_node_inside():
    layer = gn.weight_norm(gn.Linear(2, 3, dtype=DOUBLE))
    assert_close(layer.weight, layer.parametrizations["weight"].original1.top, **CLOSE)
    with gn.Graph() as graph:
        assert isinstance(layer.weight, gn.Node)
    assert len(graph) > 1


def test_copies_and_texts():
    layer = gn.spectral_norm(gn.weight_norm(gn.Linear(2, 3)), "bias")
    for each in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert_state(each, layer)
    assert repr(gn.weight_norm(gn.Linear(2, 3))).splitlines()[:2] == [
        "Linear(",
        "  2, 3, bias=True",
    ]
    gn.remove_parametrizations(layer, "bias")
    gn.remove_parametrizations(layer)
    assert sorted(layer.state_dict()) == ["bias", "weight"]
    assert layer.forward(torch.ones(1, 2)).shape == (1, 3)


def test_refusals():
    layer = gn.Linear(2, 3)
    for function in (gn.weight_norm, gn.spectral_norm):
        with pytest.raises(gn.GraphError, match=r"no parameter 'w'.*it has weight, bias"):
            function(layer, "w")
    with pytest.raises(gn.GraphError, match="does not compute 'weight'"):
        gn.remove_parametrizations(layer)
    with pytest.raises(gn.GraphError, match="n_power_iterations"):
        gn.spectral_norm(layer, n_power_iterations=0)
    with pytest.raises(gn.ShapeError):
        gn.weight_norm(layer, dim=2)
    with pytest.raises(AttributeError, match="no attribute 'wieght'"):
        gn.weight_norm(layer).wieght  # noqa: B018 - reading is what is tested
    with pytest.raises(gn.GraphError, match="no parameter 'weight'"):
        gn.weight_norm(layer)

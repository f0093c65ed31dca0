"""The layers with state or masks beside torch.nn: normalizations, dropout, embedding, attention."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import graphnet as gn

CLOSE = {"rtol": 1e-10, "atol": 1e-10}


def pair(name, *args, **kwargs):
    """Our layer and torch's, in float64 with torch's state, after changes to every number."""
    torch.manual_seed(0)
    ours = getattr(gn, name)(*args, **kwargs)
    torch.manual_seed(0)
    theirs = getattr(nn, name)(*args, **kwargs)
    mine, state = ours.state_dict(), theirs.state_dict()
    assert list(mine) == list(state)
    for key, value in state.items():
        assert torch.equal(mine[key], value), key
    ours.double(), theirs.double()
    for value in theirs.state_dict().values():
        if value.dtype.is_floating_point:
            value.add_(torch.rand_like(value))
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def assert_same_step(ours, theirs, inputs, **settings):
    """The same outputs, gradients of inputs and of parameters, and state afterwards."""
    ours.zero_grad()
    theirs.zero_grad()
    copies = [x.clone().requires_grad_(x.dtype.is_floating_point) for x in inputs]
    tops = ours.forward(*inputs, **settings)
    with torch.enable_grad():
        expected = theirs(*copies, **settings)
    first, first_expected = (t[0] if isinstance(t, tuple) else t for t in (tops, expected))
    torch.testing.assert_close(first, first_expected.detach(), **CLOSE)
    seed = torch.linspace(0.5, 1.5, first.numel(), dtype=torch.float64).reshape(first.shape)
    if isinstance(tops, tuple):
        if tops[1] is None:
            assert expected[1] is None
            grads = ours.backward(seed)
        else:
            torch.testing.assert_close(tops[1], expected[1].detach(), **CLOSE)
            grads = ours.backward(seed, torch.zeros_like(tops[1]))
    else:
        grads = ours.backward(seed)
    first_expected.backward(seed)
    grads = grads if isinstance(grads, tuple) else (grads,)
    for grad, copy in zip(grads, copies, strict=False):
        if copy.requires_grad:
            torch.testing.assert_close(grad, copy.grad, **CLOSE)
    wanted = dict(theirs.named_parameters())
    for key, parameter in ours.named_parameters():
        torch.testing.assert_close(parameter.grad, wanted[key].grad, **CLOSE)
    torch.testing.assert_close(ours.state_dict(), dict(theirs.state_dict()), **CLOSE)


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
    ("Dropout", (0.3,), {}, (4, 5)),
    ("Dropout", (0.0,), {}, (4, 5)),
    ("Dropout", (1.0,), {}, (4, 5)),
]


@pytest.mark.parametrize(("name", "args", "kwargs", "shape"), LAYERS)
def test_a_layer_is_that_of_torch_over_several_steps(name, args, kwargs, shape):
    ours, theirs = pair(name, *args, **kwargs)
    for step, training in enumerate([True, True, False, True, False]):
        ours.train(training), theirs.train(training)
        x = torch.randn(shape, dtype=torch.float64) * (step + 1)
        torch.manual_seed(step)
        expected = theirs(x)  # the same random numbers again below
        theirs.load_state_dict(ours.state_dict())
        torch.manual_seed(step)
        torch.testing.assert_close(ours.forward(x), expected.detach(), **CLOSE)
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
        torch.testing.assert_close(graph.forward({"x": x}, outputs=y), theirs(x).detach(), **CLOSE)
        torch.testing.assert_close(ours.state_dict(), dict(theirs.state_dict()), **CLOSE)


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


@pytest.mark.parametrize("padding", [None, 0, -1])
def test_embedding_is_that_of_torch(padding):
    ours, theirs = pair("Embedding", 5, 3, padding)
    assert repr(ours) == repr(theirs)
    for labels in (torch.tensor([[0, 4], [4, 4]]), torch.tensor(4), torch.empty(0, 2).long()):
        assert_same_step(ours, theirs, [labels])


ATTENTIONS = [
    ({}, {}),
    ({"batch_first": True, "bias": False}, {"average_attn_weights": False}),
    ({"kdim": 6, "vdim": 3}, {}),
    ({"batch_first": True}, {"need_weights": False}),
    ({}, {"attn_mask": torch.ones(4, 5).triu(1).bool()}),
    ({}, {"attn_mask": torch.randn(6, 4, 5, dtype=torch.float64)}),
    ({}, {"key_padding_mask": torch.tensor([[0, 0, 0, 0, 1], [0] * 5, [1, 0, 0, 1, 1]]).bool()}),
    (
        {"batch_first": True},
        {
            "key_padding_mask": torch.tensor([[0, 0, 0, 0, 1], [0] * 5, [0, 0, 0, 1, 1]]).bool(),
            "attn_mask": torch.ones(4, 5).triu(1).bool(),
            "is_causal": True,
        },
    ),
]


@pytest.mark.parametrize(("options", "settings"), ATTENTIONS)
@pytest.mark.parametrize("batched", [True, False])
def test_attention_is_that_of_torch(options, settings, batched):
    if not batched and settings.get("attn_mask", torch.empty(0)).ndim == 3:
        return
    ours, theirs = pair("MultiheadAttention", 4, 2, **options)
    sizes = [(4, 4), (5, options.get("kdim", 4)), (5, options.get("vdim", 4))]
    if batched:
        first = options.get("batch_first")
        sizes = [(3, n, k) if first else (n, 3, k) for n, k in sizes]
    elif "key_padding_mask" in settings:
        settings = settings | {"key_padding_mask": settings["key_padding_mask"][0]}
    inputs = [torch.randn(size, dtype=torch.float64) for size in sizes]
    for training in (True, False):
        ours.train(training), theirs.train(training)
        assert_same_step(ours, theirs, inputs, **settings)


def test_attention_of_nodes_with_itself():
    ours, theirs = pair("MultiheadAttention", 4, 2, batch_first=True)
    with gn.Graph() as graph:
        x = gn.Input((None, None, 4), name="x", dtype=torch.float64)
        output, weights = ours(x, x, x)
        same, none = ours(x, x, x, need_weights=False)
    assert none is None
    for batch, length in ((2, 3), (1, 5)):
        value = torch.randn(batch, length, 4, dtype=torch.float64)
        tops = graph.forward({"x": value}, outputs=[output, weights, same])
        expected = theirs(value, value, value)
        for top, wanted in zip(tops, (*expected, expected[0]), strict=True):
            torch.testing.assert_close(top, wanted.detach(), **CLOSE)


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
    lambda: gn.Embedding(3, 2, padding_idx=3),
    lambda: gn.Embedding(3, 2).forward(torch.tensor([3])),
    lambda: gn.Embedding(3, 2).forward(torch.tensor([1.0])),
    lambda: gn.MultiheadAttention(5, 2),
    lambda: gn.MultiheadAttention(4, 2)(*[torch.ones(2, 1, 4)] * 3, is_causal=True),
    lambda: gn.MultiheadAttention(4, 2)(*[torch.ones(2, 1, 6)] * 3),
    lambda: gn.MultiheadAttention(4, 2)(torch.ones(2, 1, 4), torch.ones(2, 4), torch.ones(2, 4)),
]


@pytest.mark.parametrize("call", REFUSED)
def test_wrong_calls_are_refused(call):
    with pytest.raises(gn.GraphError):
        call()


def test_containers():
    class Stack(gn.Module):
        def __init__(self):
            self.steps = gn.ModuleList([gn.Linear(3, 3) for _ in range(2)])
            self.steps.append(gn.Residual(gn.Linear(3, 3)))

        def build(self, x):
            for step in self.steps:
                x = step(x)
            return x

    stack = Stack()
    assert list(stack.state_dict())[-1] == "steps.2.inner.bias"
    assert len(stack.steps) == 3
    assert stack.steps[-1] is stack.steps[1:][1]
    x = torch.randn(4, 3)
    first, second, last = stack.steps
    h = second.forward(first.forward(x))
    torch.testing.assert_close(stack.forward(x), h + last.inner.forward(h))
    with pytest.raises(gn.GraphError):
        gn.ModuleList([3])
    with pytest.raises(gn.GraphError):
        gn.Residual(gn.Linear(3, 1)).forward(x)

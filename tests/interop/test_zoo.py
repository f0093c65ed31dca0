"""Imported models beside torch: values, gradients, buffers, training, in both modes."""

from __future__ import annotations

import pytest
import torch
from closeness import assert_close
from interop.zoo import OWN_ORDER, QUICK, ZOO, Pair, pair, tensors
from torch.utils import _pytree as pytree

import graphnet as gn

# Both sides sum the same terms, in another order.
CLOSE = {"rtol": 1e-9, "atol": 1e-9}
CLOSE_GRADIENTS = {"rtol": 1e-8, "atol": 1e-8}
# Three steps of Adam divide by roots of small numbers.
CLOSE_STEPS = {"rtol": 1e-6, "atol": 1e-7}
CLOSE_SINGLE = {"rtol": 1e-4, "atol": 1e-5}

every_model = pytest.mark.parametrize(
    "name", [each if each in QUICK else pytest.param(each, marks=pytest.mark.slow) for each in ZOO]
)


def leaf(x: torch.Tensor) -> torch.Tensor:
    """A copy that autograd follows, if it has derivatives."""
    return x.clone().requires_grad_(x.is_floating_point())


def weights_of(outputs: list[torch.Tensor]) -> list[torch.Tensor]:
    """A gradient to start from, different at each element."""
    return [
        torch.linspace(0.5, 1.5, each.numel(), dtype=each.dtype).reshape(each.shape)
        for each in outputs
    ]


def compare(models: Pair, examples: tuple, training: bool) -> None:
    """Outputs, gradients by parameters and inputs, and buffers, for one batch."""
    models.torch.train(training)
    models.graph.train(training)
    leaves = pytree.tree_map(leaf, examples)
    torch.manual_seed(1)
    expected = tensors(models.torch(*leaves))
    torch.manual_seed(1)
    values = models.graph.forward(models.feed(examples), outputs=models.nodes)
    assert len(values) == len(expected)
    for ours, theirs in zip(values, expected, strict=True):
        assert ours.dtype == theirs.dtype
        assert_close(ours, theirs.detach(), **CLOSE)
    compare_gradients(models, leaves, expected)
    for name, theirs in models.torch.state_dict().items():
        assert_close(models.ours.state_dict()[name], theirs, **CLOSE)


def compare_gradients(models: Pair, leaves: tuple, expected: list[torch.Tensor]) -> None:
    places = [place for place, each in enumerate(expected) if each.requires_grad]
    if not places:
        return
    starts = weights_of([expected[place] for place in places])
    named = {name: each for name, each in models.torch.named_parameters() if each.requires_grad}
    inputs = [each for each in tensors(leaves) if each.requires_grad]
    theirs = torch.autograd.grad(
        [expected[place] for place in places],
        [*named.values(), *inputs],
        starts,
        allow_unused=True,
        materialize_grads=True,
    )
    models.graph.backward([models.nodes[place] for place in places], starts)
    parameters = dict(models.ours.named_parameters())
    nodes = [parameters[name] for name in named]
    nodes += [each for each in models.graph.inputs if each.requires_grad]
    for node, grad in zip(nodes, theirs, strict=True):
        ours = torch.zeros_like(grad) if node.grad is None else node.grad
        assert_close(ours, grad, **CLOSE_GRADIENTS)


@every_model
def test_values_gradients_and_buffers_are_those_of_torch(name):
    models = pair(name)
    assert list(models.ours.state_dict()) == list(models.torch.state_dict())
    assert [n for n, _ in models.ours.named_parameters()] == [
        n for n, _ in models.torch.named_parameters()
    ]
    models.graph.lint()
    for count in (3, 5):
        compare(models, models.examples(count), training=False)
    models = pair(name, dropout=False) if name in OWN_ORDER else models
    for count in (3, 4):
        compare(models, models.examples(count), training=True)


def loss_of(outputs: list) -> object:
    """One number from all outputs that have derivatives."""
    total = 0.0
    for each in outputs:
        if each.dtype.is_floating_point and each.requires_grad:
            total = total + (each * each).mean() if each.ndim else total + each * each
    return total


OPTIMIZERS = {
    "sgd": (gn.SGD, torch.optim.SGD, {"lr": 0.05, "momentum": 0.9}),
    "adam": (gn.Adam, torch.optim.Adam, {"lr": 0.003}),
}
NOT_TRAINED = {"masks"}


WAYS = [
    ("adam", "walked"),
    ("sgd", "compiled"),
    ("sgd", "walked"),
    ("adam", "compiled"),
    ("sgd", "native"),
]


def is_quick(name, way):
    """The quick models take turns: each is trained in one of the first two ways."""
    return name in QUICK and way == WAYS[QUICK.index(name) % 2]


@pytest.mark.parametrize(
    ("name", "optimizer", "form"),
    [
        pytest.param(name, *way, marks=() if is_quick(name, way) else pytest.mark.slow)
        for name in ZOO
        for way in WAYS
    ],
)
def test_three_steps_are_those_of_torch(name, optimizer, form):
    if name in NOT_TRAINED:
        return
    models = pair(name, dropout=name not in OWN_ORDER and form == "walked")
    models.torch.train()
    models.graph.train()
    ours, theirs, options = OPTIMIZERS[optimizer]
    with models.graph:
        loss = loss_of(models.nodes)
    mine = ours([p for p in models.ours.parameters() if p.requires_grad], **options)
    other = theirs([p for p in models.torch.parameters() if p.requires_grad], **options)
    backend = "c" if form == "native" else None
    step = None if form == "walked" else models.graph.compile(loss, mine, backend=backend)
    for seed in range(3):
        torch.manual_seed(seed)
        examples = models.examples(4)
        state = torch.get_rng_state()
        other.zero_grad()
        loss_of(tensors(models.torch(*examples))).backward()
        other.step()
        torch.set_rng_state(state)
        if step is not None:
            step(models.feed(examples))
        else:
            models.graph.forward(models.feed(examples), outputs=loss)
            models.graph.backward(loss)
            mine.step()
    for key, value in models.torch.state_dict().items():
        assert_close(models.ours.state_dict()[key], value, **CLOSE_STEPS)


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[] if n in QUICK[::3] else pytest.mark.slow) for n in ZOO],
)
def test_single_precision(name):
    models = pair(name, torch.float32)
    models.torch.eval()
    models.graph.eval()
    examples = models.examples(4, torch.float32)
    expected = tensors(models.torch(*examples))
    torch.manual_seed(0)
    if name == "dropout in both modes":
        return
    values = models.graph.forward(models.feed(examples), outputs=models.nodes)
    for ours, theirs in zip(values, expected, strict=True):
        assert ours.dtype == theirs.dtype
        assert_close(ours, theirs.detach(), **CLOSE_SINGLE)


@pytest.mark.slow
@pytest.mark.parametrize("name", ZOO)
def test_no_operation_of_an_imported_model_is_wrong(name):
    models = pair(name)
    models.graph.eval()
    nodes = [each for each in models.nodes if each.dtype.is_floating_point and each.requires_grad]
    if not nodes:
        return
    with models.graph:
        loss = loss_of(nodes)
    report = models.graph.check(loss, models.feed(models.examples(3)))
    assert report, str(report)

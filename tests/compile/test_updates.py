"""Updates that pass over large parameters once, compared with the rules of their optimizers."""

from __future__ import annotations

import pytest
import torch
from closeness import assert_close

import graphnet as gn

CASES = [
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("SGD", {"momentum": 0.5, "maximize": True}),
    ("Adam", {}),
    ("Adam", {"weight_decay": 0.01, "betas": (0.8, 0.95), "eps": 1e-3}),
    ("Adam", {"maximize": True}),
    ("AdamW", {}),
    ("AdamW", {"weight_decay": 0.3, "maximize": True}),
]
PLAIN = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9, "dampening": 0.1}),
    ("Adam", {"amsgrad": True}),
    ("AdamW", {"amsgrad": True}),
]


def training(kind, options, dtype=torch.float64):
    torch.manual_seed(0)
    layer = gn.Linear(150, 150).to(dtype)
    with gn.Graph() as graph:
        x = gn.Input((4, 150), name="x", dtype=dtype)
        loss = (layer(x) ** 2).mean()
    return layer, graph, loss, getattr(gn, kind)(layer.parameters(), lr=0.01, **options)


def train(kind, options, dtype, close):
    layer, graph, loss, optimizer = training(kind, options, dtype)
    twin, other, other_loss, other_optimizer = training(kind, options, dtype)
    step = graph.compile(loss, optimizer)
    generator = torch.Generator().manual_seed(1)
    for number in range(50):
        x = torch.randn(4, 150, generator=generator, dtype=dtype)
        optimizer.lr = other_optimizer.lr = 0.01 / (1 + number % 7)
        step(x=x)
        other.forward(x=x)
        other.backward(other_loss)
        other_optimizer.step()
    for mine, theirs in zip(layer.parameters(), twin.parameters(), strict=True):
        assert_close(mine.top, theirs.top, rtol=close, atol=close)
    mine, theirs = optimizer.state_dict()["state"], other_optimizer.state_dict()["state"]
    assert_close(mine, theirs, rtol=close, atol=close)
    return step


@pytest.mark.parametrize(("kind", "options"), CASES, ids=str)
def test_one_pass_equals_the_rule(kind, options):
    assert "_fused_" in train(kind, options, torch.float64, 1e-9).source


@pytest.mark.parametrize(("kind", "options"), PLAIN, ids=str)
def test_others_keep_their_rule(kind, options):
    assert "_fused_" not in train(kind, options, torch.float64, 1e-9).source


def test_in_float32():
    # 50 steps of rounding; Adam divides by roots that start near 0
    train("Adam", {}, torch.float32, 1e-4)


@pytest.mark.parametrize(("kind", "options"), CASES, ids=str)
def test_the_operation_says_what_the_kernel_does(kind, options):
    """The rule of the node itself, computed from the cells before the step."""
    _, graph, loss, optimizer = training(kind, options)
    step = graph.compile(loss, optimizer)
    x = torch.randn(4, 150, dtype=torch.float64)
    step(x=x)
    node = next(n for n in step.program if n.name.split(".")[-1] in ("adam_step", "momentum_step"))
    cells = [each.top.clone() for each in node.inputs if each.kind == "parameter"]
    step(x=x)
    grad = optimizer.parameters[0].arena.grad
    numbers = {"lr": 0.01, "step": 2.0}
    given = [numbers[each.name] for each in node.inputs if each.name in numbers]
    expected = node.op.forward(*cells[: len(node.inputs) - 1 - len(given)], grad, *given)
    for row, cell in zip(expected, (n for n in node.inputs if n.kind == "parameter"), strict=False):
        assert_close(cell.top, row, rtol=1e-9, atol=1e-12)

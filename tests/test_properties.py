"""Random small programs: values and gradients are those of the same program in torch autograd."""

from __future__ import annotations

import pytest
import torch
from closeness import assert_close
from hypothesis import given
from hypothesis import strategies as st
from profiles import examples

import graphnet as gn
from graphnet import ops

# Each step is a function that reads the same for a node and for a tensor of torch.
UNARY = {
    "neg": lambda x: -x,
    "tanh": lambda x: x.tanh(),
    "sigmoid": lambda x: x.sigmoid(),
    "relu": lambda x: x.relu(),
    "abs": lambda x: x.abs(),
    "exp": lambda x: (x * 0.1).tanh().exp(),
    "log": lambda x: (x * x + 1.0).log(),
    "sqrt": lambda x: (x * x + 0.5).sqrt(),
    "square": lambda x: x**2,
    "clamp": lambda x: x.clamp(-1.0, 1.5),
    "half": lambda x: 0.5 * x,
    "one minus": lambda x: 1 - x,
    "inverse": lambda x: 1 / (x * x + 1),
    "sum of rows": lambda x: x.sum(-1, True) if x.ndim else x.sum(),
    "mean of columns": lambda x: x.mean(0, True) if x.ndim else x.mean(),
    "sum": lambda x: x.sum(),
    "reshape": lambda x: x.reshape(-1),
    "transpose": lambda x: x.mT if x.ndim > 1 else x,
    "unsqueeze": lambda x: x.unsqueeze(0) if x.ndim < 3 else x,
    "squeeze": lambda x: x.squeeze(0) if x.ndim else x,
}
BINARY = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / (y * y + 1.0),
    "maximum": lambda x, y: x.maximum(y),
    "matmul": lambda x, y: x @ y,
    "gram": lambda x, y: (x.mT @ y) if x.ndim > 1 and y.ndim > 1 else x * y,
    "where": lambda x, y: x.where(x > y, y * 2.0),
}
SHAPES = [(3, 4), (4,), (1, 4), (3, 1), (), (4, 3), (2, 3, 4), (1,)]


@st.composite
def programs(draw):
    """Shapes of the leaves, and steps that each name an operation and the values it takes."""
    shapes = draw(st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3))
    steps = []
    for number in range(draw(st.integers(1, 9))):
        known = st.integers(0, len(shapes) + number - 1)
        if draw(st.booleans()):
            steps.append((draw(st.sampled_from(sorted(UNARY))), draw(known)))
        else:
            steps.append((draw(st.sampled_from(sorted(BINARY))), draw(known), draw(known)))
    return shapes, steps, draw(st.integers(0, 999))


def execute(program, leaves):
    """Run the steps, leaving out those whose shapes do not fit; all values, and the steps done."""
    _, steps, _ = program
    values = list(leaves)
    done = []
    for name, *places in steps:
        function = UNARY.get(name) or BINARY[name]
        try:
            values.append(function(*[values[place] for place in places]))
            done.append(name)
        except (RuntimeError, gn.GraphError):
            values.append(values[places[0]])  # stands in, so that the places stay the same
            done.append("left out")
    return values, done


def total(values, count):
    """One number that every value after the leaves has a part in."""
    parts = [(value * (0.3 + 0.1 * place)).sum() for place, value in enumerate(values)]
    result = parts[0]
    for part in parts[1:]:
        result = result + part
    return result


def close(ours, theirs):
    assert_close(ours, theirs, rtol=1e-10, atol=1e-9)


def random_leaves(program):
    shapes, _, seed = program
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]


@pytest.mark.parametrize("way", ["walk", "nodes"])
@examples(150)
@given(program=programs())
def test_random_programs_agree_with_autograd(way, program):
    tensors = random_leaves(program)
    copies = [tensor.clone().requires_grad_() for tensor in tensors]
    with torch.enable_grad():
        expected, done = execute(program, copies)
        target = total(expected, len(copies))
    grads = torch.autograd.grad(target, copies, allow_unused=True, materialize_grads=True)

    graph = gn.Graph()
    inputs = [
        graph.input(tuple(t.shape), name=f"x{n}", dtype=t.dtype, requires_grad=True)
        for n, t in enumerate(tensors)
    ]
    values, ours_done = execute(program, inputs)
    assert ours_done == done  # the same shapes fit
    loss = total(values, len(inputs))
    feed = dict(zip(inputs, tensors, strict=True))
    graph.lint()
    if way == "walk":
        close(graph.forward(feed), target.detach())
        graph.backward(loss)
        ours = [node.grad for node in inputs]
    else:
        ours = graph.forward(feed, outputs=graph.gradients(loss, inputs))
    for node, value in zip(values, expected, strict=True):
        assert node.shape == tuple(value.shape)
    for our, their in zip(ours, grads, strict=True):
        close(our, their)


@examples(150)
@given(st.integers(0, 999), st.integers(1, 3), st.integers(1, 5), st.booleans())
def test_shared_weights_get_the_sum_of_their_uses(seed, uses, rows, unknown):
    """One weight used several times, with a bias that is broadcast, for a batch of any size."""
    generator = torch.Generator().manual_seed(seed)
    x, w, b = (
        torch.randn(shape, generator=generator, dtype=torch.float64)
        for shape in ((rows, 3), (3, 3), (3,))
    )

    def network(h, weight, bias):
        for _ in range(uses):
            h = (h @ weight.mT + bias).tanh() * weight.sum()
        return (h * h).mean()

    copies = [each.clone().requires_grad_() for each in (w, b)]
    with torch.enable_grad():
        expected = network(x, *copies)
    grads = torch.autograd.grad(expected, copies)
    graph = gn.Graph()
    node = graph.input((None if unknown else rows, 3), name="x", dtype=x.dtype)
    weight, bias = graph.parameter(w.clone()), graph.parameter(b.clone())
    loss = network(node, weight, bias)
    close(graph.forward(x=x), expected.detach())
    for _ in range(2):  # a second backward gives the same
        graph.backward(loss)
        close(weight.grad, grads[0])
        close(bias.grad, grads[1])
    appended = graph.gradients(loss, [weight, bias])
    for our, their in zip(graph.forward({"x": x}, outputs=appended), grads, strict=True):
        close(our, their)


@examples(150)
@given(st.sampled_from(SHAPES), st.sampled_from(SHAPES))
def test_broadcasting_is_undone(left, right):
    """sum_as after broadcasting has the shape of each side, and counts the repeats."""
    x, y = torch.ones(left), torch.ones(right)
    try:
        both = x + y
    except RuntimeError:
        with pytest.raises(gn.ShapeError):
            ops.add(gn.Parameter(x), _in_graph(y))
        return
    for side in (x, y):
        back = ops.sum_as(torch.ones_like(both), side)
        assert back.shape == side.shape
        assert back.sum() == both.numel()


def _in_graph(value):
    return gn.Graph().input(tuple(value.shape), name="y")

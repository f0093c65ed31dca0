"""Layouts of contractions: whichever axis vectors run along, the sums are those of torch."""

from __future__ import annotations

import pytest
import torch

import graphnet as gn
from graphnet import ops
from graphnet.compile.lower import layouts

pytestmark = pytest.mark.usefixtures("level")


def rand(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(sum(shape)))


SHAPES = {
    "many single products": ((64, 1, 1), (64, 1, 1)),
    "many dot products": ((64, 1, 3), (64, 3, 1)),
    "many small matrices": ((40, 2, 2), (40, 2, 2)),
    "one matrix for all": ((40, 3, 2), (2, 3)),
    "one row": ((1, 40), (40, 1)),
    "one column": ((40, 1), (1, 40)),
    "a long sum": ((3, 900), (900, 2)),
    "many of many": ((2, 3, 17, 5), (2, 3, 5, 18)),
}


def test_products_along_every_axis():
    """In one program: as they are, transposed, and from values that do not depend on an axis."""
    graph, feed, outputs = gn.Graph(), {}, {}
    for name, (left, right) in SHAPES.items():
        x, y = (
            graph.input(shape, name=f"{name} {side}") for side, shape in (("x", left), ("y", right))
        )
        feed |= {f"{name} x": rand(*left), f"{name} y": rand(*right)}
        outputs[name] = x @ y
        outputs[f"{name}, transposed"] = y.mT @ x.mT
        outputs[f"{name}, computed"] = (x * 2.0) @ (y + 1.0)
        # What does not depend on an axis has the stride 0 there.
        outputs[f"{name}, expanded"] = x[..., :1].expand(*left) @ y
        outputs[f"{name}, of one number"] = x @ y.sum().expand(*right)
        outputs[f"{name}, of equal numbers"] = x.sum().expand(*left) @ y.mean().expand(*right)
    found = graph.compile(list(outputs.values()), backend="c")(feed)
    expected = graph.forward(feed, outputs=list(outputs.values()))
    for name, mine, theirs in zip(outputs, found, expected, strict=True):
        # float32: sums of up to 900 terms in another order
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-5, msg=name)


def test_a_constant_that_is_one_number():
    """The first state of a recurrent cell: vectors of it are not read beyond its memory."""
    graph = gn.Graph()
    x = graph.input((3, 4), name="x")
    start = gn.ops.zeros_like(x[:, :1]).expand(3, 5)
    y = x.mT @ start
    for _ in range(3):  # whatever lies behind the constant
        found = graph.compile(y, backend="c")(x=rand(3, 4))
        assert found.equal(torch.zeros(4, 5))


def test_convolutions_with_as_many_groups_as_channels():
    graph, feed, outputs = gn.Graph(), {}, []
    for channels in (1, 4, 16, 24):
        for batch in (1, 5):
            name = f"{channels} {batch}"
            shape = (batch, channels, 5, 4)
            x = graph.input(shape, name=f"x {name}", requires_grad=True)
            w = graph.parameter(rand(2 * channels, 1, 3, 2) - 0.5, name=f"w {name}")
            feed[x.name] = rand(*shape)
            y = ops.conv2d(x, w, padding=1, groups=channels)
            outputs += [y, *graph.gradients((y * y).sum(), [x, w])]
    found = graph.compile(outputs, backend="c")(feed)
    for node, mine, theirs in zip(
        outputs, found, graph.forward(feed, outputs=outputs), strict=True
    ):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-4, msg=node.name)


@pytest.mark.parametrize(("cached", "reused"), [(1, 0.1), (40, 1), (10**9, 10**9)])
@pytest.mark.parametrize("batch", [1, 3, 20])
def test_sums_in_parts_and_factors_in_the_order_of_rows(monkeypatch, cached, reused, batch):
    """What is done for large factors, here for small ones: the numbers are those of torch."""
    monkeypatch.setattr(layouts, "CACHED", cached)
    monkeypatch.setattr(layouts, "REUSED", reused)
    monkeypatch.setattr(layouts, "DEEP", 2)
    generator = torch.Generator().manual_seed(batch)
    image = torch.rand(batch, 4, 9, 8, generator=generator, dtype=torch.float64)
    weight = torch.rand(6, 2, 3, 2, generator=generator, dtype=torch.float64) - 0.5
    matrix = torch.rand(6, 7, generator=generator, dtype=torch.float64) - 0.5
    graph = gn.Graph()
    x = graph.input(image.shape, name="x", dtype=torch.float64, requires_grad=True)
    w, m = graph.parameter(weight, name="w"), graph.parameter(matrix, name="m")

    def loss_of(x, w, m, conv2d):
        y = conv2d(x, w, padding=(1, 0), stride=(1, 2), groups=2)
        return ((y.sum((2, 3)) @ m) ** 2).sum() + (y * y).mean()

    loss = loss_of(x, w, m, ops.conv2d)
    outputs = [loss, *graph.gradients(loss, [x, w, m])]
    program = graph.compile(outputs, backend="c")
    found = program(x=image)
    given = [each.clone().requires_grad_() for each in (image, weight, matrix)]
    exact = loss_of(*given, torch.nn.functional.conv2d)
    expected = [exact, *torch.autograd.grad(exact, given)]
    for mine, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, theirs.detach(), rtol=1e-12, atol=1e-12)
    assert ("for (int p = 0" in program.source) == (cached < 300)

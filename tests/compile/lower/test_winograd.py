"""Convolutions by fewer products: those of torch's autograd, and chosen where they are cheaper."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

import graphnet as gn
from graphnet.compile.ir.build import specialized
from graphnet.compile.lower.loops import Contraction
from graphnet.compile.lower.lowering import lowered
from graphnet.compile.passes import NATIVE_PASSES, optimize
from graphnet.compile.targets.c import assemble

DOUBLE = torch.float64
OF_IMAGE = {
    "one tile": ((48, 16, 4, 4), (16, 16, 3, 3), {}),
    "two by two tiles": ((16, 16, 6, 6), (20, 16, 3, 3), {}),
    "one row of tiles": ((16, 16, 4, 10), (16, 16, 3, 3), {}),
    "one column of tiles": ((16, 18, 10, 4), (16, 18, 3, 3), {}),
    "a border": ((17, 16, 6, 4), (16, 16, 3, 3), {"padding": 1}),
    "a wide border": ((16, 16, 4, 4), (16, 16, 3, 3), {"padding": 2}),
    "two borders": ((16, 16, 4, 4), (16, 16, 3, 3), {"padding": (1, 2)}),
}
"""Sizes of images and kernels, and options: several tiles overlap in every direction."""

ELSE = {
    "an odd row": ((16, 16, 5, 6), (16, 16, 3, 3), {}),
    "a stride": ((16, 16, 9, 9), (16, 16, 3, 3), {"stride": 2}),
    "a dilation": ((16, 16, 8, 8), (16, 16, 3, 3), {"dilation": 2}),
    "groups": ((16, 32, 6, 6), (32, 16, 3, 3), {"groups": 2}),
    "another kernel": ((16, 16, 8, 8), (16, 16, 5, 5), {}),
    "few channels": ((16, 3, 6, 6), (16, 3, 3, 3), {}),
    "few images": ((8, 16, 6, 6), (16, 16, 3, 3), {}),
    "more than a cache holds": ((64, 64, 18, 18), (64, 64, 3, 3), {}),
}


def drawn(shape, kernels):
    """Random numbers for an image, a weight and a bias."""
    generator = torch.Generator().manual_seed(0)
    sizes = (shape, kernels, kernels[:1])
    return [torch.randn(size, generator=generator, dtype=DOUBLE) for size in sizes]


def built(graph, case, dtype=DOUBLE, name="", bias=True):
    """The nodes of a convolution and of all its gradients."""
    shape, kernels, options = case
    sizes = {"x": shape, "w": kernels, "b": kernels[:1]}
    inputs = [
        graph.input(size, name=f"{part}{name}", dtype=dtype, requires_grad=True)
        for part, size in sizes.items()
        if bias or part != "b"
    ]
    y = gn.ops.conv2d(*inputs, **options)
    return [y, *graph.gradients((y * y.tanh()).sum(), inputs)]


def by_torch(values, options):
    """What torch's autograd makes of the numbers: the results, then the gradients."""
    leaves = [value.clone().requires_grad_() for value in values]
    with torch.enable_grad():
        y = functional.conv2d(*leaves, **options)
        return [y.detach(), *torch.autograd.grad((y * y.tanh()).sum(), leaves)]


def products_by_place(graph, nodes):
    """How many contractions are a product of matrices for each place of a tile."""
    shapes = {node.name: tuple(node.shape) for node in graph.inputs}
    program = optimize(specialized(graph, nodes, shapes)[0], NATIVE_PASSES)
    contractions = [each for each in lowered(program).statements if isinstance(each, Contraction)]
    return sum(each.sizes[0] == 16 and each.kept == 3 for each in contractions)


def program_of_all(cases, dtype=DOUBLE):
    """Many in one program, every second one with a bias: its graph, nodes, feed, and by torch."""
    graph, fed, nodes, known = gn.Graph(), {}, [], []
    for number, case in enumerate(cases):
        bias = number % 2 == 0
        values = [value.to(dtype) for value in drawn(*case[:2])[: 3 if bias else 2]]
        fed |= {f"{part}{number}": value for part, value in zip("xwb", values, strict=False)}
        nodes += built(graph, case, dtype, number, bias)
        known += by_torch(values, case[2])
    return graph, nodes, fed, known


def assert_all(cases):
    graph, nodes, fed, known = program_of_all(cases)
    assert products_by_place(graph, nodes) == 3 * len(cases)  # the results, and two gradients
    predict = graph.compile(nodes, backend="c")
    for _ in range(2):  # leftovers of the first run do not matter
        for mine, theirs in zip(predict(fed), known, strict=True):
            scale = float(theirs.abs().max())
            torch.testing.assert_close(mine, theirs, rtol=1e-12, atol=1e-12 * scale)


@pytest.mark.usefixtures("level")
def test_they_are_the_convolutions_of_torch():
    assert_all([*OF_IMAGE.values()])


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize("lanes", [8, 4, 1])
def test_vectors_of_any_width(lanes, monkeypatch):
    monkeypatch.setattr(assemble, "vector_lanes", lambda: lanes)
    assert_all([OF_IMAGE["a border"]])


def test_float32_is_as_near_as_torch():
    """The sums before and after the products round too, but there are fewer products."""
    graph, case = gn.Graph(), ((32, 32, 8, 8), (32, 32, 3, 3), {"padding": 1})
    nodes = built(graph, case, torch.float32)
    assert products_by_place(graph, nodes) == 3
    values = drawn(*case[:2])
    single = [value.float() for value in values]
    found = graph.compile(nodes, backend="c")(dict(zip("xwb", single, strict=True)))
    # torch's sums are of float32 too; how many are kept apart depends on the processor.
    for mine, other, exact in zip(
        found, by_torch(single, case[2]), by_torch(values, case[2]), strict=True
    ):
        error, of_torch = ((each - exact).abs().max() / exact.abs().max() for each in (mine, other))
        assert error <= max(4 * of_torch, 2e-6)


def test_what_spreads_an_image():
    """A transposed convolution is the gradient with respect to an image."""
    graph, (x, w, _) = gn.Graph(), drawn((16, 16, 6, 6), (16, 20, 3, 3))
    inputs = [
        graph.input(tuple(each.shape), name=n, dtype=DOUBLE) for each, n in ((x, "x"), (w, "w"))
    ]
    nodes = [gn.ops.conv_transpose2d(*inputs)]
    assert products_by_place(graph, nodes) == 1
    (found,) = graph.compile(nodes, backend="c")(x=x, w=w)
    known = functional.conv_transpose2d(x, w)
    torch.testing.assert_close(found, known, rtol=1e-12, atol=1e-12 * float(known.abs().max()))


@pytest.mark.parametrize("case", ELSE.values(), ids=[*ELSE])
def test_it_is_not_for_all(case):
    graph = gn.Graph()
    assert products_by_place(graph, built(graph, case)) == 0


def test_integers_have_no_halves():
    graph = gn.Graph()
    sizes = {"x": (16, 16, 6, 6), "w": (16, 16, 3, 3)}
    y = gn.ops.conv2d(*(graph.input(sizes[n], name=n, dtype=torch.int64) for n in sizes))
    assert products_by_place(graph, [y]) == 0
    generator = torch.Generator().manual_seed(0)
    fed = {n: torch.randint(-9, 10, size, generator=generator) for n, size in sizes.items()}
    assert graph.compile(y, backend="c")(fed).equal(functional.conv2d(fed["x"], fed["w"]))


def test_weights_that_change_between_two_uses():
    """The sums of a kernel are not used again once an update has written to it."""
    generator = torch.Generator().manual_seed(0)
    x, t = (torch.randn(16, 16, n, n, generator=generator) for n in (6, 4))
    runs = {}
    for backend in ("c", "torch"):
        torch.manual_seed(0)
        graph = gn.Graph()
        image, target = (graph.input(tuple(v.shape), name=k) for k, v in (("x", x), ("t", t)))
        loss = gn.LossMSE()(gn.Conv2d(16, 16, 3)(image), target)
        step = graph.compile(loss, gn.SGD(graph.parameters(), lr=0.5), backend=backend)
        runs[backend] = [float(step(x=x, t=t)) for _ in range(5)]
    assert runs["c"] == pytest.approx(runs["torch"], rel=1e-5)  # float32, in another order
    assert runs["c"][-1] < runs["c"][0]


def test_exported_code_takes_little_memory(tmp_path):
    """It is for processors that have none to spare."""
    graph = gn.Graph()
    y, *_ = built(graph, OF_IMAGE["two by two tiles"], torch.float32)
    values = (each.float() for each in drawn((16, 16, 6, 6), (20, 16, 3, 3)))
    example = dict(zip("xwb", values, strict=True))
    report = graph.export_c(tmp_path / "net.c", y, example=example)
    assert report.scratch < 16 * 20 * 64 * 4, "the products of all places"

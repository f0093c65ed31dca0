"""Functions that are made of other operations, and their options, beside torch's of that name.

Each is called on tensors, walked with sizes that are known and unknown, differentiated twice, and
compiled for torch and for C.
"""

from __future__ import annotations

import numpy
import pytest
import torch
from closeness import assert_close
from ops.against_torch import compare, random
from torch.nn import functional

import graphnet as gn
from graphnet import ops

X, Y, Z = random(3, 4), random(3, 4, seed=1), random(2, 3, 5, seed=2)
ROUNDED = {"rtol": 1e-5, "atol": 1e-5}  # sums of 200 numbers of float32
MASK = torch.tensor([True, False, True, True])
ROW = random(4, seed=3)

CALLS = {
    "repeat": (lambda x: x.repeat(2, 3), None, (X,)),
    "repeat, new dimensions": (lambda x: x.repeat(2, 1, 1, 3), None, (X,)),
    "repeat, none": (lambda x: x.repeat((1, 0)), None, (X,)),
    "repeat_interleave": (lambda x: x.repeat_interleave(3, 1), None, (Z,)),
    "repeat_interleave, all": (lambda x: x.repeat_interleave(2), None, (X,)),
    "flip": (lambda x: x.flip(0, -1), None, (Z,)),
    "flip, a list": (lambda x: x.flip([1]), None, (Z,)),
    "roll": (lambda x: x.roll((1, -2), (0, 1)), None, (X,)),
    "roll, a dimension twice": (lambda x: x.roll((1, 1), (1, 1)), None, (X,)),
    "roll, all": (lambda x: x.roll(5), None, (X,)),
    "sort": (lambda x: x.sort(), lambda x: tuple(x.sort()), (X,)),
    "sort, descending": (lambda x: x.sort(0, True), lambda x: tuple(x.sort(0, True)), (X,)),
    "topk": (lambda x: x.topk(2), lambda x: tuple(x.topk(2)), (X,)),
    "topk, smallest": (
        lambda x: x.topk(2, 1, False), lambda x: tuple(x.topk(2, 1, False)), (Z,)
    ),
    "argsort": (lambda x: x.argsort(0), None, (X,)),
    "round to decimals": (
        lambda x: ops.round(x, decimals=1) + x, lambda x: x.round(decimals=1) + x, (X,)
    ),
    "diagonal": (lambda x: x.diagonal(1, 1, 2), None, (Z,)),
    "detach": (lambda x: x * x.detach(), None, (X,)),
    "float and back": (lambda x: (x.long().double() * x).to(torch.float64), None, (X,)),
    "bool": (lambda x: (x > 0).double() * x + x.bool().type_as(x), None, (X,)),
    "to as another": (lambda x, y: x.to(y), None, (X, Y)),
    "softmax, dtype": (lambda x: (x * 2).long().softmax(-1, dtype=torch.float64) * x, None, (X,)),
    "sum, dtype": (lambda x: (x > 0).sum(1, dtype=torch.float64) * x.sum(), None, (X,)),
    "mean, dtype": (lambda x: (x > 0).mean(0, dtype=torch.float64) * x, None, (X,)),
    "prod, dtype": (lambda x: (x > -3).prod(0, dtype=torch.float64) * x, None, (X,)),
    "cumsum, dtype": (lambda x: (x > 0).cumsum(1, dtype=torch.float64) * x, None, (X,)),
    "ones_like, dtype": (
        lambda x: ops.ones_like(x > 0, dtype=torch.float64) * x + ops.zeros_like(x),
        lambda x: torch.ones_like(x > 0, dtype=torch.float64) * x + torch.zeros_like(x),
        (X,),
    ),
    "maximum of integers": (lambda x: x.maximum((x * 2).long()), None, (X,)),
    "clamp of integers": (lambda x: x.clamp((x - 1).long(), (x + 1).long()), None, (X,)),
    "masked_fill by a number": (
        lambda x, y: x.masked_fill(x > 0, y.sum()), None, (X, Y)
    ),
    "einsum of three": (
        lambda x, y, z: ops.einsum("ij,kj,kl->il", x, y, z),
        lambda x, y, z: torch.einsum("ij,kj,kl->il", x, y, z),
        (X, Y, random(3, 2, seed=4)),
    ),
    "einsum of four": (
        lambda x, y, z: ops.einsum("...i,ij,ij,j->...j", z, x, y, y[0]),
        lambda x, y, z: torch.einsum("...i,ij,ij,j->...j", z, x, y, y[0]),
        (X, Y, random(2, 3, seed=4)),
    ),
    **{
        f"pad, {mode}, {amounts}": (
            lambda x, a=amounts, m=mode: ops.pad(x, a, m),
            lambda x, a=amounts, m=mode: functional.pad(x, a, m),
            (Z,),
        )
        for mode in ("reflect", "replicate", "circular")
        for amounts in ((2, 1), (0, 3), (2, 0), (-1, 2), (-1, -2))
    },
    "pad of images": (
        lambda x: ops.pad(x, (1, 2, 2, 1), "reflect"),
        lambda x: functional.pad(x, (1, 2, 2, 1), "reflect"),
        (random(1, 2, 3, 4),),
    ),
    "avg_pool2d, stride ()": (
        lambda x: ops.avg_pool2d(x, 2, ()),
        lambda x: functional.avg_pool2d(x, 2, ()),
        (random(1, 2, 4, 4),),
    ),
    "a tensor in an expression": (lambda x: ROW * x - x / ROW + 2 * ROW, None, (X,)),
    "integers in an expression": (lambda x: x * torch.arange(4) + torch.tensor(3), None, (X,)),
    "a tensor in a product": (lambda x: Y.T @ (x * x), None, (X,)),
    "a condition": (lambda x: x.where(MASK, 0.0), None, (X,)),
    "a tensor as index": (lambda x: x[:, torch.tensor([0, 2, 0])], None, (X,)),
    "a list as index": (lambda x: x[[0, -1, 0]] * x[:, [1]][:1], None, (X,)),
    "a mask as index": (lambda x: x[:, MASK], None, (X,)),
    "a mask after dots": (lambda x: x[..., MASK, None], None, (X,)),
    "a node as index of a tensor": (lambda x: x + Y[:, x.argsort(1)[0]], None, (X,)),
    "positions": (
        lambda x: x * ops.arange(x.size(1)), lambda x: x * torch.arange(x.size(1)), (X,)
    ),
}  # fmt: skip
"""What is typed, what torch computes if it is written otherwise, and the tensors."""


@pytest.mark.parametrize("name", CALLS)
def test_calls_are_those_of_torch(name):
    ours, theirs, tensors = CALLS[name]
    theirs = theirs or ours
    found, expected = ours(*tensors), theirs(*tensors)
    assert_close(found, expected, rtol=1e-12, atol=1e-12)
    compare(ours, theirs, tensors)


SETTLED = ("einsum of four", "a tensor in a product", "a node as index of a tensor")
"""What is used beside a tensor of three rows, or has sizes of 1 that broadcast."""


@pytest.mark.parametrize("name", [name for name in CALLS if name not in SETTLED])
def test_sizes_may_be_fed_later(name):
    ours, theirs, tensors = CALLS[name]
    compare(ours, theirs or ours, tensors, unknown="rows")


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize("backend", ["torch", "c"])
def test_calls_are_compiled(backend):
    """All calls and their gradients in one program: on tensors, torch has shown them right."""
    graph, targets, feed = gn.Graph(), [], {}
    for number, (ours, _, tensors) in enumerate(CALLS.values()):
        with graph.scopes.inside(f"call{number}"):
            nodes = [
                graph.input(tuple(each.shape), name=f"x{number}_{place}", dtype=each.dtype,
                            requires_grad=True)
                for place, each in enumerate(tensors)
            ]  # fmt: skip
            found = ours(*nodes)
            found = found if isinstance(found, tuple) else (found,)
            targets += found
            floating = [each for each in found if each.dtype.is_floating_point]
            if floating:
                targets += graph.gradients((floating[0] * floating[0]).sum(), nodes)
        feed |= dict(zip([node.name for node in nodes], tensors, strict=True))
    predict = graph.compile(targets, backend=backend)
    expected = graph.forward(feed, outputs=targets)
    for value, wanted in zip(predict(feed), expected, strict=True):
        assert_close(value, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("draw", [ops.rand_like, ops.randn_like, ops.bernoulli])
def test_random_numbers_are_drawn_anew(draw):
    """In each walk and each step, from the generator that is given."""
    generator = torch.Generator()
    graph = gn.Graph()
    x = graph.input((None, 50), name="x")
    y = draw(x, generator=generator)
    loss = (y * graph.parameter(torch.ones(50), name="w")).sum()
    fed = torch.full((4, 50), 0.5)

    def twice(run):
        generator.manual_seed(3)
        return [run(x=fed).clone() for _ in range(2)]

    walked = twice(lambda **feed: graph.forward(feed, outputs=loss))
    assert not torch.equal(*walked)
    generator.manual_seed(3)
    torch_draws = {"rand_like": torch.rand, "randn_like": torch.randn}.get(draw.__name__)
    if torch_draws is None:
        theirs = [torch.bernoulli(fed, generator=generator).sum() for _ in range(2)]
    else:
        theirs = [torch_draws(4, 50, generator=generator).sum() for _ in range(2)]
    assert_close(walked, theirs, **ROUNDED)
    for backend in ("torch", "c"):
        sgd = gn.SGD(graph.parameters(), lr=0.0)
        assert_close(twice(graph.compile(loss, sgd, backend=backend)), walked, **ROUNDED)
        predict = graph.compile(y, backend=backend)
        drawn = twice(lambda predict=predict, **feed: predict(feed))
        assert not torch.equal(*drawn)


def test_a_constant_is_one_node_with_its_value_now():
    graph = gn.Graph()
    x = graph.input((2,), name="x")
    scale = torch.full((2,), 3.0)
    y = x * scale + scale
    scale.fill_(7.0)
    z = y + scale
    assert [node.name for node in graph.parameters()] == ["constant", "constant_1"]
    assert graph.forward(x=torch.ones(2), outputs=z).tolist() == [13.0, 13.0]
    assert not any(each.requires_grad for each in graph.parameters())


class Scaled(gn.Module):
    """A module that computes with a plain tensor."""

    def __init__(self):
        self.linear = gn.Linear(2, 2)
        self.scale = torch.tensor([2.0, 3.0])

    def build(self, x):
        return self.linear(x) * self.scale


def test_a_constant_is_no_part_of_a_state():
    module = Scaled()
    assert list(module.state_dict()) == ["linear.weight", "linear.bias"]
    x = torch.rand(5, 2)
    assert_close(module.forward(x), module.linear.forward(x) * module.scale, **ROUNDED)


def refusals():
    graph = gn.Graph()
    x = graph.input((None, 4), name="x")
    n = x.size(0)
    return {
        "a mask of unknown size": (lambda: x[MASK], gn.ShapeError, "ops.where"),
        "a mask that is a node": (lambda: x[:, x[0] > 0], gn.DtypeError, "ops.where"),
        "a mask of another size": (lambda: x[:, MASK[:3]], gn.ShapeError, r"\(3,\)"),
        "a list of fractions": (lambda: x[:, [0.5]], gn.GraphError, "lists of integers"),
        "a tensor of another dtype": (lambda: x * X[0], gn.DtypeError, "never mixed"),
        "an array": (lambda: x * numpy.ones(4), gn.GraphError, "got ndarray"),
        "a device": (lambda: x.to("cuda"), gn.GraphError, "no device"),
        "a dtype of numpy": (lambda: x.to(numpy.float32), gn.DtypeError, "one of torch's"),
        "fewer repeats": (lambda: x.repeat(2), gn.ShapeError, "for each dimension"),
        "repeats that are a node": (
            lambda: x.repeat_interleave(n), gn.GraphError, "known when the list is built"
        ),
        "as many repeats": (lambda: x.repeat_interleave([1, 2], 1), gn.ShapeError, "as many"),
        "one shift": (lambda: x.roll((1, 2)), gn.ShapeError, "one shift"),
        "shifts and dims": (lambda: x.roll((1, 2), 0), gn.ShapeError, "for each dimension"),
        "topk of too many": (lambda: x.topk(5), gn.ShapeError, "k=5"),
        "a diagonal": (lambda: x.diagonal(0, 1, 1), gn.ShapeError, "two different"),
        "too wide a border": (lambda: ops.pad(x, (4, 0), "reflect"), gn.ShapeError, "needs 5"),
        "a value in another mode": (
            lambda: ops.pad(x, (1, 0), "circular", 2), gn.GraphError, "no value"
        ),
        "no mode": (lambda: ops.pad(x, (1, 0), "wrap"), gn.RangeError, "replicate"),
        "arange of a sum": (lambda: ops.arange(n + 1), gn.GraphError, "size alone"),
        "arange of no step": (lambda: ops.arange(0, 3, 0), gn.RangeError, "no steps"),
        "integers drawn": (lambda: ops.randn_like(x.long()), gn.DtypeError, "floating"),
        "a vector that fills": (
            lambda: x.masked_fill(x > 0, x[0]), gn.ShapeError, "one number"
        ),
        "no operands": (lambda: ops.einsum("ij"), gn.GraphError, "each operand"),
    }  # fmt: skip


@pytest.mark.parametrize("name", refusals())
def test_what_is_refused(name):
    call, error, message = refusals()[name]
    with pytest.raises(error, match=message):
        call()


def test_arange_of_numbers_is_a_tensor():
    for arguments in ((5,), (2, 7), (7, 1, -2), (0, 1, 0.25), (2.5,), (3, 3)):
        assert_close(ops.arange(*arguments), torch.arange(*arguments), rtol=0, atol=0)
    assert ops.arange(3, dtype=torch.float64).dtype == torch.float64


def test_what_selects_elements_names_its_results():
    """As torch's named tuples do, for tensors and for nodes, in a module too."""
    x = torch.tensor([[3.0, 1.0, 2.0]])
    graph = gn.Graph()
    node = graph.input((None, 3), name="x")
    for call in (
        lambda x: x.max(1), lambda x: x.min(1), lambda x: x.sort(1), lambda x: x.topk(2, 1),
    ):  # fmt: skip
        expected, found = call(x), call(node)
        values, indices = found
        assert (found.values, found.indices) == (values, indices)
        for ours, theirs in ((values, expected.values), (indices, expected.indices)):
            assert torch.equal(graph.forward(x=x, outputs=ours), theirs)

    class Largest(gn.Module):
        def build(self, x):
            return x.max(1)

    assert torch.equal(Largest()(x)[0], x.max(1).values)

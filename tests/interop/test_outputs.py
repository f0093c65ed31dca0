"""Outputs come in the classes that the torch module returns them in, also when written back."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

import pytest
import torch
from closeness import assert_close
from interop.written import assert_written_back_equal
from torch import nn
from torch.utils import _pytree as pytree

import graphnet as gn


class Scores(NamedTuple):
    logits: torch.Tensor
    hidden: torch.Tensor


@dataclass
class Found:
    scores: Scores
    rest: torch.Tensor


torch.export.register_dataclass(Found)


class LibraryOutput(OrderedDict):
    """As those of libraries of models: a dict whose items are attributes too."""

    def __getattr__(self, name):
        return self[name]


pytree.register_pytree_node(
    LibraryOutput,
    lambda each: (list(each.values()), list(each)),
    lambda values, names: LibraryOutput(zip(names, values, strict=True)),
    serialized_type_name="interop.test_outputs.LibraryOutput",
)


class Model(nn.Module):
    def __init__(self, form):
        super().__init__()
        self.form, self.body, self.head = form, nn.Linear(4, 3), nn.Linear(3, 2)

    def forward(self, x):
        hidden = self.body(x).relu()
        return self.form(self.head(hidden), hidden)


FORMS = {
    "a NamedTuple": (Scores, lambda out: [out.logits, out.hidden]),
    "a NamedTuple in a dict": (
        lambda a, b: {"main": Scores(a, b), "rest": (b,)},
        lambda out: [out["main"].logits, out["main"].hidden, out["rest"][0]],
    ),
    "a dataclass": (
        lambda a, b: Found(Scores(a, b), a + 1),
        lambda out: [out.scores.logits, out.scores.hidden, out.rest],
    ),
    "an ordered dict": (lambda a, b: OrderedDict(b=a, a=b), lambda out: [out["b"], out["a"]]),
    "a class of a library": (
        lambda a, b: LibraryOutput(logits=a, hidden=b),
        lambda out: [out.logits, out.hidden],
    ),
    "a list in a tuple": (lambda a, b: ([a, b], a), lambda out: [*out[0], out[1]]),
    "a list": (lambda a, b: [a, b], lambda out: out),
    "torch's own": (lambda a, _: a.max(1), lambda out: [out.values, out.indices]),
    "none beside it": (lambda a, _: Scores(a, None), lambda out: [out.logits]),
}
"""How a model nests its two outputs, and the tensors in that."""


@pytest.mark.parametrize("name", FORMS)
def test_outputs_are_of_the_classes_of_the_torch_module(name):
    form, parts = FORMS[name]
    torch.manual_seed(0)
    net, x = Model(form), torch.randn(5, 4)
    model = gn.from_torch(net, x[:2])
    ours, theirs = model.forward(x), net(x)
    assert pytree.tree_structure(ours) == pytree.tree_structure(theirs)
    for mine, other in zip(parts(ours), parts(theirs), strict=True):
        assert_close(mine, other.detach(), rtol=1e-5, atol=1e-6)
    _, nodes = model.as_graph()
    assert all(isinstance(each, gn.Node) for each in parts(nodes))


@pytest.mark.parametrize("name", FORMS)
def test_written_back_outputs_have_the_same_fields(name):
    form, parts = FORMS[name]
    torch.manual_seed(0)
    net, x = Model(form).double(), torch.randn(3, 4, dtype=torch.float64)
    back = gn.to_torch(gn.from_torch(net, x))
    again = gn.to_torch(gn.from_torch(back, x))
    for written in (back, again):
        for mine, other in zip(parts(written(x)), parts(net(x)), strict=True):
            assert_close(mine.detach(), other.detach(), rtol=1e-12, atol=1e-12)


def test_the_gradients_of_outputs_are_given_in_their_order():
    net, x = Model(Scores).double(), torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    model = gn.from_torch(net, x)
    out = model.forward(x.detach())
    found = model.backward(Scores(torch.ones_like(out.logits), torch.zeros_like(out.hidden)))
    (wanted,) = torch.autograd.grad(net(x).logits.sum(), x)
    assert_close(found, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_the_classes_of_outputs_are_copied_and_pickled(copied):
    model = gn.from_torch(Model(Scores), torch.ones(2, 4))
    assert isinstance(copied(model).forward(torch.ones(3, 4)), Scores)


def test_the_source_defines_the_classes_of_its_outputs():
    source = gn.torch_source(gn.from_torch(Model(Scores), torch.ones(2, 4)))
    assert 'Scores = namedtuple("Scores", ["logits", "hidden"])' in source.replace("'", '"')
    assert "return Scores(logits=head, hidden=relu)" in source


class Several(nn.Module):
    def forward(self, *xs):
        return torch.cat(xs, 1).sum(1)


class FirstAndSeveral(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, first, *others, factor=2.0):
        return [self.fc(first) * factor + each for each in others]


@pytest.mark.parametrize(
    ("module", "count"),
    [(Several(), 1), (Several(), 3), (FirstAndSeveral(), 3), (FirstAndSeveral(), 1)],
)
def test_a_forward_takes_any_number_of_inputs(module, count):
    xs = [torch.randn(3, 4, dtype=torch.float64) for _ in range(count)]
    model = gn.from_torch(module.double(), *xs)
    more = [torch.randn(7, 4, dtype=torch.float64) for _ in range(count)]
    ours, theirs = (pytree.tree_leaves(each(*more)) for each in (model.forward, module))
    for mine, other in zip(ours, theirs, strict=True):
        assert_close(mine, other.detach(), rtol=1e-12, atol=1e-12)
    assert_written_back_equal(module, *more)


def test_other_dimensions_of_any_number_of_inputs_are_open():
    model = gn.from_torch(Several(), torch.ones(2, 4), torch.ones(2, 5), dynamic=[(0, 1), (0,)])
    graph, _ = model.as_graph()
    assert [each.shape for each in graph.inputs] == [(None, None), (None, 5)]

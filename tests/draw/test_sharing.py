"""What is shared is numbered, and described in a sentence."""

from __future__ import annotations

import pytest
import torch

import graphnet as gn
from graphnet.draw.scene.sharing import shared_by


class Branches(gn.Module):
    """A branch that is used twice, and a head."""

    def __init__(self):
        super().__init__()
        self.branch = gn.Sequential(gn.Linear(4, 3), gn.Tanh(), gn.Linear(3, 2))
        self.head = gn.Linear(4, 1)

    def build(self, one, other):
        return self.head(gn.ops.cat([self.branch(one), self.branch(other)], 1))


class Tied(Branches):
    """One weight of the branch is used once more."""

    def build(self, one, other):
        return super().build(one, other) + (one @ self.branch[0].weight.T).sum()


def branches(model):
    with gn.Graph() as graph:
        model(gn.Input((None, 4), name="one"), gn.Input((None, 4), name="other"))
    return graph


def normalized(statistics=True):
    """A branch with running statistics, which are read several times in one use."""
    model = Branches()
    norm = gn.BatchNorm1d(3, affine=statistics)
    model.branch = gn.Sequential(gn.Linear(4, 3), norm, gn.Linear(3, 2))
    return model


def test_running_statistics_are_shared_with_the_weights_beside_them():
    assert shared_by(branches(normalized()))[1] == [
        "branch is shared: its 9 parameter tensors are used 2 times"
    ]
    with gn.Graph() as graph:
        gn.BatchNorm1d(3)(gn.Input((None, 3), name="x"))
    assert shared_by(graph)[1] == []


def alone():
    graph = gn.Graph()
    w = graph.parameter(torch.ones(3), name="w")
    v = graph.parameter(torch.ones(3), name="v")
    w * w * v * v * v
    return graph


def unrolled():
    with gn.Graph() as graph:
        gn.Sequential(gn.RNN(4, 3))(gn.Input((5, 4), name="x"))
    return graph


def nothing():
    with gn.Graph() as graph:
        gn.Linear(2, 2)(gn.Input((2,), name="x"))
    return graph


TENSORS = "is shared: its {} parameter tensors are used {} times"
ONCE = "is shared: it is used {} times"
CASES = [
    (lambda: branches(Branches()), [f"branch {TENSORS.format(4, 2)}"]),
    (
        lambda: branches(Tied()),  # each module whose parameters are used equally often
        [
            f"branch.0.weight {ONCE.format(3)}",
            f"branch.0.bias {ONCE.format(2)}",
            f"branch.2 {TENSORS.format(2, 2)}",
        ],
    ),
    (alone, [f"w {ONCE.format(2)}", f"v {ONCE.format(3)}"]),
    (unrolled, []),
    (nothing, []),
]


@pytest.mark.parametrize(("graph", "sentences"), CASES)
def test_what_is_shared_is_said(graph, sentences):
    graph = graph()
    numbers, said = shared_by(graph)
    assert said == sentences
    assert set(numbers.values()) == set(range(len(said)))
    for node, number in numbers.items():
        assert graph.name_of(node).startswith(sentences[number].split(" is ")[0])

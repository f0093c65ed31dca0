"""The networks of the digit-pair study: outputs, parameters, sharing."""

import pytest
import torch

import graphnet as gn
from graphnet.experiments.pairs import models

PAIR = (5, 2, 14, 14)

NETWORKS = [
    # network, columns of its outputs, names of its parts
    (models.Separate, [2], {"first", "second", "compare"}),
    (models.Shared, [2], {"branch", "compare"}),
    (
        models.SeparateWithGuesses,
        [2, 2, 2],
        {"first", "second", "compare", "guess_first", "guess_second"},
    ),
    (models.Deep, [2], {"branch", "compare"}),
    (
        models.DeepWithGuesses,
        [2, 2, 2, 2],
        {"branch", "compare", "guess_first", "guess_second", "guess"},
    ),
    (models.DeepWithDigits, [2, 10, 10], {"branch", "compare", "first_digit", "second_digit"}),
    (models.DigitsAndComparator, [2, 10, 10], {"digit", "compare"}),
    (models.DigitsThenCompare, [2, 10, 10], {"digit"}),
]


def size(model: gn.Module) -> int:
    """How many numbers are learned."""
    return sum(each.top.numel() for each in model.parameters())


def count(model: gn.Module, kind: type[gn.Module]) -> int:
    return sum(isinstance(each, kind) for each in model.modules())


@pytest.mark.parametrize(("network", "columns", "parts"), NETWORKS)
def test_outputs_and_parts(network, columns, parts):
    torch.manual_seed(0)
    model = network().eval()
    outputs = model(torch.rand(PAIR))
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    assert [tuple(each.shape) for each in outputs] == [(5, each) for each in columns]
    assert {name for name, _ in model.named_children()} == parts


@pytest.mark.parametrize("network", [models.Shared, models.Deep, models.DigitsAndComparator])
def test_a_shared_branch_reads_both_digits_alike(network):
    torch.manual_seed(0)
    branch = next(iter(dict(network().eval().named_children()).values()))
    pair = torch.rand(PAIR)
    with gn.Graph().eval() as graph:
        x = gn.Input((None, 2, 14, 14), name="x")
        first, second = gn.ops.split(x, 1, dim=1)
        outputs = [branch(first), branch(second)]
    once, again = graph.forward(x=pair, outputs=outputs)
    swapped, _ = graph.forward(x=pair.flip(1), outputs=outputs)
    assert again.equal(swapped)
    assert not once.equal(again)


def test_separate_branches_have_weights_of_their_own():
    separate, shared = models.Separate(), models.Shared()
    assert size(separate.first) == size(separate.second) == size(shared.branch)
    assert size(separate.compare) == size(shared.compare)
    assert not separate.first[0].weight.top.equal(separate.second[0].weight.top)


@pytest.mark.parametrize(
    ("network", "convolutions", "layers"),
    [(models.Separate, 6, 3), (models.Shared, 3, 3), (models.Deep, 5, 3)],
)
def test_the_study_says_how_many_layers_there_are(network, convolutions, layers):
    model = network()
    assert (count(model, gn.Conv2d), count(model, gn.Linear)) == (convolutions, layers)


def test_sizes():
    assert 65_000 <= size(models.Shared()) <= 75_000
    assert 70_000 <= size(models.DigitsAndComparator()) <= 76_000


def test_less_or_equal_follows_from_the_digits():
    torch.manual_seed(0)
    model = models.DigitsThenCompare().eval()
    answer, first, second = model(torch.rand(PAIR))
    p, q = first.softmax(1), second.softmax(1)
    expected = sum(p[:, i] * q[:, j] for i in range(10) for j in range(i, 10))
    torch.testing.assert_close(answer[:, 1], expected)
    torch.testing.assert_close(answer.sum(1), torch.ones(5))


def test_sharing_can_be_seen():
    drawn = str(models.Shared().draw((100, 2, 14, 14)))
    assert "branch is shared: its 16 parameter tensors are used 2 times" in drawn


def test_a_derivative_reaches_every_parameter():
    torch.manual_seed(0)
    model = models.DeepWithGuesses()
    with gn.Graph() as graph:
        x = gn.Input((None, 2, 14, 14), name="x")
        loss = gn.ops.cat(model(x), dim=1).sum()
    graph.forward(x=torch.rand(PAIR))
    graph.backward(loss)
    assert all(each.grad is not None for each in model.parameters())

"""Lines of `forward` beside torch: values and gradients, in both modes, for any batch."""

from __future__ import annotations

from functools import cache, partial

import pytest
import torch
from closeness import assert_close
from interop.idioms import SAME, rows, special
from interop.idioms_drawn import DRAWN, SPREAD
from interop.test_zoo import compare
from interop.written import Does
from interop.zoo import Pair
from torch import nn

import graphnet as gn

EXACT = {"rtol": 1e-12, "atol": 1e-12, "equal_nan": True}


@cache
def imported(name, count=3):
    function, examples = {**SAME, **DRAWN}[name]
    module = Does(function)
    ours = gn.from_torch(module, examples(count))
    return Pair(name, module, ours, *ours.as_graph()), examples


@pytest.mark.parametrize("name", [*SAME, *DRAWN])
def test_values_and_gradients_are_those_of_torch(name):
    models, examples = imported(name)
    for training in (True, False):
        for count in (3, 5):
            compare(models, (examples(count),), training)


@pytest.mark.parametrize("name", [*SAME, *DRAWN])
def test_the_source_computes_the_same(name):
    models, examples = imported(name)
    net, x = gn.to_torch(models.ours), examples(4)
    values = []
    for each in (net, models.torch):
        torch.manual_seed(0)
        values.append(each(x))
    assert values[0].dtype == values[1].dtype
    assert_close(*values, **EXACT)


@pytest.mark.parametrize("name", ["randn_like", "tensor", "hstack", "one-hot", "cumprod"])
def test_an_example_of_one_row_leaves_the_batch_open(name):
    models, examples = imported(name, count=1)
    compare(models, (examples(5),), training=False)


@pytest.mark.parametrize("name", SPREAD)
def test_random_numbers_are_drawn_anew_and_spread_as_torchs(name):
    function, mean, variance = SPREAD[name]
    ours = gn.from_torch(Does(function), rows(3))
    net, x = gn.to_torch(ours), rows(5000).clamp(-1, 1)
    torch.manual_seed(0)
    first, second, written = ours.forward(x), ours.forward(x), net(x)
    assert not torch.equal(first, second)
    for each in (first, second, written) if mean is not None else ():
        assert each.shape == x.shape
        assert abs(each.mean() - mean) < 0.05
        assert abs(each.var() - variance) < 0.05


def test_a_permutation_has_each_number_once():
    ours = gn.from_torch(Does(lambda x: x[torch.randperm(x.shape[0])]), rows(3))
    x = rows(50)
    assert torch.equal(ours.forward(x).sort(0)[0], x)


@pytest.mark.parametrize("hard", [False, True])
def test_gradients_flow_through_gumbel_softmax(hard):
    function = partial(nn.functional.gumbel_softmax, tau=0.7, hard=hard)
    graph, y = gn.from_torch(Does(function), rows(3)).as_graph()
    value = graph.forward({graph.inputs[0]: rows(5)}, outputs=y)
    assert_close(value.sum(1), torch.ones(5, dtype=value.dtype), rtol=1e-12, atol=1e-12)
    graph.backward([y], [rows(5)])
    grad = graph.inputs[0].grad
    assert (grad.abs().sum(1) > 0).all()
    assert_close(grad.sum(1), torch.zeros_like(grad[:, 0]), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("function", [torch.fmax, torch.fmin])
def test_the_one_that_is_a_number(function):
    """Values alone: the slopes at equal values and at NaN differ between versions of torch."""
    x = special(3)
    model = gn.from_torch(Does(lambda x: function(x, x.flip(1))), x)
    assert_close(model.forward(x), function(x, x.flip(1)), **EXACT)

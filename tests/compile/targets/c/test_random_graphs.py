"""Random programs in C, many in each library: values and derivatives are those of autograd."""

from __future__ import annotations

import torch
from closeness import assert_close
from hypothesis import given
from hypothesis import strategies as st
from profiles import examples
from test_properties import execute, programs, random_leaves, total

import graphnet as gn


def by_autograd(program):
    """The values of a program, and the derivatives of their sum."""
    leaves = [each.requires_grad_() for each in random_leaves(program)]
    with torch.enable_grad():
        values, _ = execute(program, leaves)
        target = total(values, len(leaves))
    grads = torch.autograd.grad(target, leaves, allow_unused=True, materialize_grads=True)
    return [*(value.detach() for value in values), *grads]


def as_nodes(graph, program, number, feed):
    """The same in a graph, some leaves as inputs and some as parameters."""
    leaves = []
    for place, value in enumerate(random_leaves(program)):
        name = f"x{number}_{place}"
        if (number + place) % 3 == 2:
            leaves.append(graph.parameter(value, name=name))
        else:
            shape = tuple(value.shape)
            leaves.append(graph.input(shape, name=name, dtype=value.dtype, requires_grad=True))
            feed[name] = value
    values, _ = execute(program, leaves)
    return [*values, *graph.gradients(total(values, len(leaves)), leaves)]


@examples(3)
@given(st.lists(programs(), min_size=15, max_size=15))
def test_random_programs(several):
    graph, feed = gn.Graph(), {}
    targets = [as_nodes(graph, each, number, feed) for number, each in enumerate(several)]
    kept = {name: value.clone() for name, value in feed.items()}
    predict = graph.compile([node for made in targets for node in made], backend="c")
    for _ in range(2):  # leftovers of the first run do not matter
        found = iter(predict(feed))
        for program, made in zip(several, targets, strict=True):
            mine = [next(found) for _ in made]
            assert_close(mine, by_autograd(program), rtol=1e-10, atol=1e-9)
    assert_close(feed, kept, rtol=0, atol=0)
    assert predict.source.startswith("#include")

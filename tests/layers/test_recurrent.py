"""Recurrent layers against torch.nn with autograd in float64."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from layers.recurrent_pairs import (
    DOUBLE,
    EACH,
    KINDS,
    NAMES,
    SETTINGS,
    check,
    close,
    inputs_of,
    leaves,
    like,
    pair,
    randn,
    seeded,
)
from sampling import some
from torch import nn

import graphnet as gn


@pytest.mark.parametrize(("kind", "settings"), some(product(KINDS, SETTINGS), every=3), ids=str)
def test_batches_of_several_sizes_accumulate(kind, settings):
    name, options = kind
    ours, theirs = pair(name, 3, 4, **options, **settings)
    generator = seeded()
    for given, rows in [(True, 5), (True, 1), (False, 2), (False, 5), (True, 5)]:
        inputs = inputs_of(name, theirs, rows, 4, generator, given)
        check(ours, theirs, *inputs, generator=generator)
    ours.zero_grad()
    theirs.zero_grad()
    check(ours, theirs, *inputs_of(name, theirs, 2, 3, generator), generator=generator)


@EACH
@pytest.mark.parametrize("batch_first", [True, False])
def test_without_a_batch_and_of_several_lengths(name, options, batch_first):
    ours, theirs = pair(name, 3, 4, 2, bidirectional=True, batch_first=batch_first, **options)
    generator = seeded()
    with_state = [(None, 5), (2, 5), (1, 1), (0, 4), (3, 2)]
    without = [(None, 1), (2, 4), (12, 24)]
    for rows, length in [*with_state, *without]:
        given = (rows, length) in with_state
        inputs = inputs_of(name, theirs, rows, length, generator, given)
        check(ours, theirs, *inputs, generator=generator)


@NAMES
@pytest.mark.parametrize("sizes", [(1, 1), (12, 1), (1, 24), (24, 12)], ids=str)
def test_sizes_that_shapes_are_tried_with(name, sizes):
    ours, theirs = pair(name, *sizes, num_layers=2)
    generator = seeded()
    for rows in (None, 1, 12, 24, 3):
        check(ours, theirs, *inputs_of(name, theirs, rows, 2, generator), generator=generator)


@NAMES
def test_strided_input_and_large_numbers(name):
    ours, theirs = pair(name, 3, 4)
    x = randn(3, 5, 6, generator=seeded()).permute(1, 2, 0)
    check(ours, theirs, x)
    check(ours, theirs, 1000 * x, generator=seeded(1))


@NAMES
def test_one_graph_serves_all_batches(name):
    for batch_first in (True, False):
        ours, theirs = pair(name, 3, 4, batch_first=batch_first)
        generator = seeded()
        check(ours, theirs, *inputs_of(name, theirs, 5, 6, generator, False))
        graph = ours._private
        check(ours, theirs, *inputs_of(name, theirs, 2, 6, generator, False))
        assert ours._private is graph


@NAMES
@pytest.mark.parametrize("rows", [None, 4])
def test_in_a_graph_with_an_unknown_batch(name, rows):
    ours, theirs = pair(name, 3, 2, num_layers=2, batch_first=True)
    parts = 1 + (name == "LSTM")
    with gn.Graph() as graph:
        x = gn.Input((rows, 5, 3), name="x", dtype=DOUBLE, requires_grad=True)
        states = [
            gn.Input((2, rows, 2), name=f"s{i}", dtype=DOUBLE, requires_grad=True)
            for i in range(parts)
        ]
        output, last = ours(x, tuple(states) if parts > 1 else states[0])
        loss = (output * output).sum() + sum((each * each).sum() for each in leaves(last))
        slopes = graph.gradients(loss, [x, *states, *ours.parameters()])
    assert output.shape == (rows, 5, 2)
    assert [each.shape for each in leaves(last)] == [(2, rows, 2)] * parts
    graph.lint()
    generator = seeded()
    for size in (4, 4) if rows else (4, 1, 7):
        theirs.zero_grad()
        xb, state = inputs_of(name, theirs, size, 5, generator)
        wanted = like((xb, state), lambda each: each.requires_grad_())
        expected, ends = theirs(*wanted)
        total = (expected**2).sum() + sum((each**2).sum() for each in leaves(ends))
        total.backward()
        feed = {"x": xb.detach()} | {f"s{i}": each for i, each in enumerate(leaves(state))}
        values = graph.forward(feed, outputs=[loss, *slopes])
        sources = [*leaves(wanted), *theirs.parameters()]
        close(values[0], total)
        for mine, source in zip(values[1:], sources, strict=True):
            close(mine, source.grad)
    if rows is None:  # torch refuses this as well: one state is not shared by the batch
        single = {f"s{i}": each[:, :1].contiguous() for i, each in enumerate(leaves(state))}
        with pytest.raises(gn.ShapeError):
            graph.forward({"x": xb.detach()} | single)


@EACH
def test_second_derivatives(name, options):
    ours, theirs = pair(name, 2, 3, bidirectional=True, **options)
    with gn.Graph() as graph:
        x = gn.Input((4, None, 2), name="x", dtype=DOUBLE)
        (slope,) = graph.gradients((ours(x)[0] ** 3).sum(), [x])
        targets = [x, *ours.parameters()]
        curvatures = graph.gradients((slope * slope).sum(), targets)
    xb = randn(4, 3, 2, generator=seeded()).requires_grad_()
    (inner,) = torch.autograd.grad((theirs(xb)[0] ** 3).sum(), xb, create_graph=True)
    sources = [xb, *theirs.parameters()]
    expected = torch.autograd.grad((inner**2).sum(), sources, materialize_grads=True)
    for mine, other in zip(graph.forward(x=xb, outputs=curvatures), expected, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-10, atol=1e-10)


class Tagger(gn.Module):
    def __init__(self):
        self.reader = gn.LSTM(3, 4, bidirectional=True, batch_first=True, dtype=DOUBLE)
        self.head = gn.Linear(8, 2, dtype=DOUBLE)

    def build(self, x):
        return self.head(self.reader(x)[0])


def test_inside_a_module():
    torch.manual_seed(3)
    ours = Tagger()
    torch.manual_seed(3)
    reader = nn.LSTM(3, 4, bidirectional=True, batch_first=True, dtype=DOUBLE)
    head = nn.Linear(8, 2, dtype=DOUBLE)
    assert "reader.weight_hh_l0_reverse" in ours.state_dict()
    for rows in (5, 1, 2):
        x = randn(rows, 6, 3, generator=seeded(rows))
        close(ours.forward(x), head(reader(x)[0]))


@NAMES
def test_input_and_state_by_name_and_a_state_in_a_list(name):
    ours, theirs = pair(name, 3, 4)
    x, state = inputs_of(name, theirs, 2, 5, seeded())
    states = [state, list(state)] if name == "LSTM" else [state, None]
    for hx in states:
        for mine, other in zip(
            leaves(ours(input=x, hx=hx)), leaves(theirs(input=x, hx=hx)), strict=True
        ):
            close(mine, other)
    cell, other_cell = pair(f"{name}Cell", 3, 4)
    close(leaves(cell(input=x[0], hx=None))[0], leaves(other_cell(input=x[0]))[0])

"""Recurrent layers and cells against torch.nn with autograd in float64."""

from __future__ import annotations

import copy
import pickle
from itertools import product

import pytest
import torch
from torch import nn

import graphnet as gn

DOUBLE = torch.float64
KINDS = [("RNN", {}), ("RNN", {"nonlinearity": "relu"}), ("LSTM", {}), ("GRU", {})]
EACH = pytest.mark.parametrize(("name", "options"), KINDS, ids=["tanh", "relu", "LSTM", "GRU"])
NAMES = pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def randn(*shape, generator):
    return torch.randn(shape, generator=generator, dtype=DOUBLE)


def leaves(value):
    if not isinstance(value, tuple):
        return [value]
    return [leaf for each in value for leaf in leaves(each)]


def like(value, change):
    """A nested tuple of changed tensors."""
    if isinstance(value, tuple):
        return tuple(like(each, change) for each in value)
    return change(value)


def structure(value):
    return like(value, lambda each: tuple(each.shape))


def close(mine, other):
    # sums of tens of products of numbers about 1, through a few steps: rounding is below 1e-12
    torch.testing.assert_close(mine, other.detach(), rtol=1e-12, atol=1e-12)


def pair(name, *sizes, **options):
    """The same module in both kits, made from the same seed."""
    torch.manual_seed(3)
    theirs = getattr(nn, name)(*sizes, **options, dtype=DOUBLE)
    torch.manual_seed(3)
    ours = getattr(gn, name)(*sizes, **options, dtype=DOUBLE)
    return ours, theirs


def check(ours, theirs, *inputs, generator=None):
    """Values and gradients by input, state and parameters; both add up the latter."""
    generator = generator or seeded(7)
    wanted = like(inputs, lambda each: each.clone().requires_grad_())
    expected = theirs(*wanted)
    grads = like(expected, lambda each: randn(*each.shape, generator=generator))
    torch.autograd.backward(leaves(expected), leaves(grads))
    got = ours.forward(*inputs)
    assert structure(got) == structure(expected)
    for mine, other in zip(leaves(got), leaves(expected), strict=True):
        close(mine, other)
    results = ours.backward(*grads) if isinstance(grads, tuple) else ours.backward(grads)
    results = results if len(inputs) > 1 else (results,)
    assert structure(results) == structure(inputs)
    for mine, leaf in zip(leaves(results), leaves(wanted), strict=True):
        close(mine, leaf.grad)
    pairs = zip(ours.named_parameters(), theirs.named_parameters(), strict=True)
    for (mine_name, mine), (other_name, other) in pairs:
        assert mine_name == other_name
        close(mine.grad, other.grad)


def state_of(name, shape, generator):
    parts = tuple(randn(*shape, generator=generator) for _ in range(1 + ("LSTM" in name)))
    return parts if "LSTM" in name else parts[0]


def inputs_of(name, theirs, rows, length, generator, given=True):
    """A sequence and an initial state; without a batch where rows is None."""
    batch = () if rows is None else (rows,)
    shape = (length, *batch) if not theirs.batch_first else (*batch, length)
    x = randn(*shape, theirs.input_size, generator=generator)
    layers = theirs.num_layers * (1 + theirs.bidirectional)
    state = state_of(name, (layers, *batch, theirs.hidden_size), generator)
    return (x, state) if given else (x,)


SETTINGS = [
    {"num_layers": layers, "bidirectional": both, "batch_first": first, "bias": bias}
    for layers, both, first, bias in product((1, 3), (False, True), (False, True), (True, False))
    if bias or layers == 1
]


@EACH
@pytest.mark.parametrize("settings", SETTINGS, ids=lambda each: "-".join(map(str, each.values())))
def test_batches_of_several_sizes_accumulate(name, options, settings):
    ours, theirs = pair(name, 3, 4, **options, **settings)
    generator = seeded()
    for given in (True, False):
        for rows in (5, 1, 2, 5):
            inputs = inputs_of(name, theirs, rows, 6, generator, given)
            check(ours, theirs, *inputs, generator=generator)
    ours.zero_grad()
    theirs.zero_grad()
    check(ours, theirs, *inputs_of(name, theirs, 2, 3, generator), generator=generator)


@EACH
@pytest.mark.parametrize("batch_first", [True, False])
def test_without_a_batch_and_of_several_lengths(name, options, batch_first):
    ours, theirs = pair(name, 3, 4, 2, bidirectional=True, batch_first=batch_first, **options)
    generator = seeded()
    for rows, length in [(None, 5), (2, 5), (None, 1), (1, 1), (0, 4), (12, 24), (3, 2)]:
        for given in (True, False):
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


# weights


@EACH
@pytest.mark.parametrize("settings", SETTINGS, ids=lambda each: "-".join(map(str, each.values())))
def test_first_values_names_and_state_are_those_of_torch(name, options, settings):
    ours, theirs = pair(name, 3, 4, **options, **settings)
    mine, other = ours.state_dict(), theirs.state_dict()
    assert list(mine) == list(other)
    assert all(mine[key].equal(other[key]) for key in other)
    theirs.load_state_dict({key: 2 * value for key, value in mine.items()})
    ours.load_state_dict(theirs.state_dict())
    check(ours, theirs, *inputs_of(name, theirs, 2, 3, seeded()))


@NAMES
def test_copies_and_number_types(name):
    ours, theirs = pair(name, 3, 4, num_layers=2)
    inputs = inputs_of(name, theirs, 2, 3, seeded())
    check(ours, theirs, *inputs)
    for copied in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        copied.zero_grad()
        other = copy.deepcopy(theirs)
        other.zero_grad()
        check(copied, other, *inputs)
    assert ours.float().forward(inputs[0].float())[0].dtype is torch.float32
    assert getattr(gn, name)(3, 4).weight_hh_l0.dtype is torch.float32


@NAMES
def test_texts(name):
    for settings in ({}, {"num_layers": 2, "batch_first": True, "dropout": 0.5, "bias": False}):
        ours, theirs = pair(name, 3, 4, **settings)
        assert repr(ours) == repr(theirs)
    ours, theirs = pair(f"{name}Cell", 3, 4, bias=False)
    assert repr(ours) == repr(theirs)


@NAMES
@pytest.mark.filterwarnings("ignore:dropout option adds dropout")
def test_dropout_stands_between_layers(name):
    ours, theirs = pair(name, 3, 4, num_layers=2, dropout=1.0)
    inputs = inputs_of(name, theirs, 2, 3, seeded())
    check(ours, theirs, *inputs)
    ours.eval()
    theirs.eval()
    check(ours, theirs, *inputs)
    check(*pair(name, 3, 4, dropout=0.5), inputs[0])  # nothing stands behind the last layer
    some = pair(name, 3, 4, num_layers=2, dropout=0.5)[0]
    assert not some.forward(inputs[0])[0].equal(some.forward(inputs[0])[0])


# cells


@EACH
@pytest.mark.parametrize("bias", [True, False])
def test_cells(name, options, bias):
    ours, theirs = pair(f"{name}Cell", 3, 4, bias=bias, **options)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert all(ours.state_dict()[key].equal(value) for key, value in theirs.state_dict().items())
    generator = seeded()
    for batch in [(5,), (1,), (), (12,), (0,), (2,)]:
        x, state = randn(*batch, 3, generator=generator), state_of(name, (*batch, 4), generator)
        check(ours, theirs, x, state, generator=generator)
        check(ours, theirs, x, generator=generator)


@NAMES
def test_a_loop_over_a_cell(name):
    ours, theirs = pair(f"{name}Cell", 3, 4)
    sequence = randn(6, 2, 3, generator=seeded())
    mine, other = None, None
    for x in sequence:
        mine, other = ours(x, mine), theirs(x, other)
    for result, expected in zip(leaves(mine), leaves(other), strict=True):
        close(result, expected)


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


# what is refused


@NAMES
def test_a_length_that_is_unknown_or_zero(name):
    for shape, first in [((None, 2, 3), False), ((2, None, 3), True), ((None, 3), True)]:
        with gn.Graph(), pytest.raises(gn.ShapeError, match="length of the sequence"):
            x = gn.Input(shape, name="x")
            getattr(gn, name)(3, 4, batch_first=first)(x)
    with pytest.raises(gn.ShapeError, match="length of the sequence"):
        getattr(gn, name)(3, 4).forward(torch.ones(0, 2, 3))


@NAMES
@pytest.mark.parametrize("shape", [(5, 2, 4), (5, 4), (3,), (1, 5, 2, 3), ()], ids=str)
def test_inputs_that_do_not_fit(name, shape):
    with pytest.raises(gn.ShapeError, match=name):
        getattr(gn, name)(3, 4).forward(torch.ones(shape))
    with pytest.raises(gn.ShapeError, match=f"{name}Cell"):
        getattr(gn, f"{name}Cell")(3, 4).forward(torch.ones(*shape[:-1], 5))


@NAMES
@pytest.mark.parametrize("shape", [(1, 1, 4), (2, 2, 4), (1, 2, 3), (2, 4), (1, 2, 1)], ids=str)
def test_states_that_do_not_fit(name, shape):
    ours, theirs = pair(name, 3, 4)
    x, good = inputs_of(name, theirs, 2, 5, seeded())
    bad = torch.ones(shape, dtype=DOUBLE)
    bad = (leaves(good)[0], bad) if name == "LSTM" else bad
    for first in (True, False):
        with pytest.raises(gn.ShapeError):
            ours.forward(x, bad)
        if first:
            check(ours, theirs, x, good)


def test_states_of_another_kind():
    x, h = torch.ones(5, 2, 3), torch.ones(1, 2, 4)
    for module, state in [
        (gn.GRU(3, 4), (h, h)),
        (gn.LSTM(3, 4), h),
        (gn.LSTM(3, 4), (h,)),
        (gn.LSTM(3, 4), (h, h, h)),
        (gn.LSTM(3, 4), (h, None)),
        (gn.LSTM(3, 4), [h, h]),
        (gn.RNN(3, 4), "zeros"),
        (gn.RNN(3, 4), h.double()),
        (gn.GRUCell(3, 4), (h[0], h[0])),
        (gn.LSTMCell(3, 4), h[0]),
    ]:
        with pytest.raises(gn.GraphError):
            module.forward(x if "Cell" not in type(module).__name__ else x[0], state)
    for none in ((), (None,)):
        with pytest.raises((TypeError, gn.GraphError)):
            gn.GRU(3, 4).forward(*none)


@NAMES
@pytest.mark.parametrize(
    ("sizes", "options", "kind"),
    [
        ((0, 4), {}, gn.ShapeError),
        ((3, -1), {}, gn.ShapeError),
        ((3, 2.0), {}, gn.ShapeError),
        ((3, 4), {"num_layers": 0}, gn.ShapeError),
        ((3, 4), {"dropout": 1.5}, gn.RangeError),
        ((3, 4), {"dropout": -0.1}, gn.RangeError),
        ((3, 4), {"dropout": float("nan")}, gn.RangeError),
    ],
    ids=range(7),
)
def test_settings_that_make_no_sense(name, sizes, options, kind):
    with pytest.raises(kind):
        getattr(gn, name)(*sizes, **options)


@pytest.mark.parametrize("kind", [gn.RNN, gn.RNNCell])
def test_another_nonlinearity(kind):
    with pytest.raises(gn.GraphError, match="'sigmoid' came"):
        kind(3, 4, nonlinearity="sigmoid")


def test_backward_takes_a_gradient_for_each_output():
    lstm = gn.LSTM(3, 4)
    lstm.forward(torch.ones(5, 2, 3))
    with pytest.raises(gn.ShapeError, match="3 outputs; 1 came"):
        lstm.backward(torch.ones(5, 2, 4))


def test_outputs_in_a_list():
    class Both(gn.Module):
        def build(self, x):
            return [x * 2, x * 3]

    assert [each.item() for each in Both().forward(torch.ones(()))] == [2, 3]


def test_inputs_and_outputs_in_nested_tuples():
    class Nested(gn.Module):
        def build(self, x, pair):
            y, (z,) = pair
            return (x * y, (y * z,)), x * z

    module = Nested()
    one, two, three = (torch.full((2,), value) for value in (1.0, 2.0, 3.0))
    (first, (second,)), third = module.forward(one, (two, (three,)))
    assert [first[0], second[0], third[0]] == [2, 6, 3]
    by_x, (by_y, (by_z,)) = module.backward((one, (one,)), one)
    assert [by_x[0], by_y[0], by_z[0]] == [5, 4, 3]
    with pytest.raises((gn.GraphError, TypeError, ValueError)):
        module.forward(one, two, three)
    module.forward(one, (two, (three,)))

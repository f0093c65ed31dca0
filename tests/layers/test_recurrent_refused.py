"""What recurrent layers refuse; and inputs and outputs in tuples."""

from __future__ import annotations

import pytest
import torch
from layers.recurrent_pairs import DOUBLE, NAMES, check, inputs_of, leaves, pair, seeded

import graphnet as gn


@NAMES
def test_a_sequence_without_steps(name):
    with pytest.raises(gn.ShapeError, match="length of the sequence"):
        getattr(gn, name)(3, 4).forward(torch.ones(0, 2, 3))
    with gn.Graph() as graph:
        output, _ = getattr(gn, name)(3, 4)(gn.Input((None, 2, 3), name="x"))
    with pytest.raises(gn.ShapeError, match="with size 0"):
        graph.forward(x=torch.ones(0, 2, 3), outputs=output)


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
        (gn.LSTM(3, 4), [h, 3.0]),
        (gn.GRU(3, 4), (h,)),
        (gn.RNNCell(3, 4), [h[0]]),
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
    with pytest.raises(gn.GraphError, match="got 'sigmoid'"):
        kind(3, 4, nonlinearity="sigmoid")


def test_backward_takes_a_gradient_for_each_output():
    lstm = gn.LSTM(3, 4)
    lstm.forward(torch.ones(5, 2, 3))
    with pytest.raises(gn.ShapeError, match="3 outputs; got 1"):
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

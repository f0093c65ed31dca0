"""Recurrent layers over a length that is known only when it is fed: equal to torch's."""

from __future__ import annotations

import pytest
import torch
from closeness import assert_close
from layers.torch_pairs import DOUBLE, randn, seeded
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import graphnet as gn
from graphnet.ops.recurrent import RecurrentScan

CLOSE = {"rtol": 1e-12, "atol": 1e-12}
OPTIONS = {
    "plain": ("RNN LSTM GRU", {}),
    "both directions": ("RNN LSTM GRU", {"batch_first": True, "bidirectional": True}),
    "two layers": ("RNN LSTM GRU", {"num_layers": 2, "bidirectional": True, "bias": False}),
    "relu": ("RNN", {"nonlinearity": "relu", "batch_first": True}),
    "projected": ("LSTM", {"proj_size": 2, "num_layers": 2, "bidirectional": True}),
}
ROWS = [(name, each) for each, (names, _) in OPTIONS.items() for name in names.split()]


def flat(value):
    return [each for part in value for each in (part if isinstance(part, tuple) else (part,))]


class Both:
    """A layer of torch and ours, with the same weights, in a graph of open sizes."""

    def __init__(self, name, options, padded, given):
        torch.manual_seed(0)
        self.theirs = getattr(torch.nn, name)(3, 4, dtype=DOUBLE, **options)
        self.ours = getattr(gn, name)(3, 4, dtype=DOUBLE, **options)
        self.ours.load_state_dict(self.theirs.state_dict())
        self.padded, self.first = padded, self.theirs.batch_first
        rows = self.theirs.num_layers * (1 + self.theirs.bidirectional)
        sizes = [self.theirs.proj_size or 4, 4][: 1 + (name == "LSTM")] if given else []
        self.states = [(rows, size) for size in sizes]
        with gn.Graph() as self.graph:
            x = gn.Input((None, None, 3), name="x", dtype=DOUBLE, requires_grad=True)
            states = [
                gn.Input((rows, None, size), name=f"s{n}", dtype=DOUBLE, requires_grad=True)
                for n, (rows, size) in enumerate(self.states)
            ]
            lengths = gn.Input((None,), name="n", dtype=torch.int64) if padded else None
            state = (tuple(states) if name == "LSTM" else states[0]) if given else None
            output, last = self.ours(x, state, lengths=lengths)
            self.tops = [output, *(last if isinstance(last, tuple) else (last,))]
            self.loss = sum((each * each).sum() for each in self.tops)

    def feed(self, steps, lengths=(3, 5, 1, 4)):
        generator = seeded(steps)
        shape = (4, steps, 3) if self.first else (steps, 4, 3)
        feed = {"x": randn(shape, generator)}
        for number, (rows, size) in enumerate(self.states):
            feed[f"s{number}"] = randn((rows, 4, size), generator)
        return feed | ({"n": torch.tensor(lengths)} if self.padded else {})

    def expected(self, feed):
        """The output, the last state, and all gradients, from torch."""
        leaves = {name: each.clone() for name, each in feed.items()}
        floating = [each for each in leaves.values() if each.is_floating_point()]
        for each in floating:
            each.requires_grad_()
        states = [leaves[f"s{number}"] for number in range(len(self.states))]
        state = (tuple(states) if len(states) > 1 else states[0]) if states else None
        with torch.enable_grad():
            if self.padded:
                first, x = self.first, leaves["x"]
                given = pack_padded_sequence(x, feed["n"], batch_first=first, enforce_sorted=False)
                output, last = self.theirs(given, state)
                total = x.shape[1 if first else 0]
                output, _ = pad_packed_sequence(output, batch_first=first, total_length=total)
                found = flat((output, last))
            else:
                found = flat(self.theirs(leaves["x"], state))
            loss = sum((each * each).sum() for each in found)
        sources = [*self.theirs.parameters(), *floating]
        return [each.detach() for each in found], torch.autograd.grad(loss, sources)

    @property
    def sources(self):
        return [*self.ours.parameters(), *(i for i in self.graph.inputs if i.requires_grad)]


@pytest.mark.parametrize(("name", "options"), ROWS, ids=str)
@pytest.mark.parametrize(
    ("padded", "given"),
    [
        (False, False),
        (True, True),
        pytest.param(False, True, marks=pytest.mark.slow),
        pytest.param(True, False, marks=pytest.mark.slow),
    ],
)
def test_values_and_gradients_are_those_of_torch(name, options, padded, given):
    both = Both(name, OPTIONS[options][1], padded, given)
    with both.graph:
        grads = both.graph.gradients(both.loss, both.sources)
    program = both.graph.compile([*both.tops, *grads], backend="torch")
    for steps in (5, 7):
        feed = both.feed(steps)
        values, expected = both.expected(feed)
        assert_close(list(both.graph.forward(feed, outputs=both.tops)), values, **CLOSE)
        both.graph.forward(feed, outputs=both.loss)
        both.graph.backward(both.loss)
        assert_close([each.grad for each in both.sources], list(expected), **CLOSE)
        assert_close(list(program(feed)), [*values, *expected], **CLOSE)


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_native_code_unrolls_the_steps(name):
    both = Both(name, {"bidirectional": True}, padded=True, given=True)
    with both.graph:
        grads = both.graph.gradients(both.loss, both.sources)
    program = both.graph.compile([*both.tops, *grads], backend="c")  # a warning is an error
    values, expected = both.expected(both.feed(5))
    assert_close(list(program(both.feed(5))), [*values, *expected], **CLOSE)
    assert program.source.startswith("#include")


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_the_list_is_as_long_for_any_length(name):
    """One operation for each layer and direction, and one sequence needs no batch."""
    layer = getattr(gn, name)(3, 4, num_layers=2, bidirectional=True, dtype=DOUBLE)
    with gn.Graph() as graph:
        output, _ = layer(gn.Input((None, 3), name="x", dtype=DOUBLE))
    scans = [each for each in graph if isinstance(getattr(each, "op", None), RecurrentScan)]
    assert len(scans) == 4
    assert output.shape == (None, 8)
    x = randn((6, 3), seeded(1))
    theirs = getattr(torch.nn, name)(3, 4, num_layers=2, bidirectional=True, dtype=DOUBLE)
    theirs.load_state_dict(layer.state_dict())
    assert_close(graph.forward(x=x, outputs=output), theirs(x)[0].detach(), **CLOSE)


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("steps", [None, 5], ids=["scanned", "unrolled"])
def test_padding_is_never_read(name, steps):
    """NaN in the padding reaches no value and no gradient."""
    layer = getattr(gn, name)(3, 4, bidirectional=True, dtype=DOUBLE)
    with gn.Graph() as graph:
        x = gn.Input((steps, 2, 3), name="x", dtype=DOUBLE, requires_grad=True)
        n = gn.Input((2,), name="n", dtype=torch.int64)
        output, _ = layer(x, lengths=n)
        loss = (output * output).sum()
    given = randn((5, 2, 3), seeded(1))
    found = []
    for filler in (0.0, float("nan")):
        given[2:, 0] = filler
        graph.forward(x=given, n=torch.tensor([2, 5]), outputs=loss)
        graph.backward(loss)
        found.append([loss.top, x.grad, *(each.grad for each in layer.parameters())])
    assert_close(found[1], found[0], rtol=0, atol=0)


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_a_sequence_of_length_0_keeps_its_state(name):
    options = {"proj_size": 2} if name == "LSTM" else {}
    both = Both(name, options, padded=True, given=True)
    output, last = both.graph.forward(both.feed(5, (0, 5, 1, 0)), outputs=both.tops[:2])
    assert not output[:, [0, 3]].any()
    assert_close(last[:, [0, 3]], both.feed(5)["s0"][:, [0, 3]], rtol=0, atol=0)


def test_dropout_between_layers_is_that_of_torch():
    both = Both("LSTM", {"num_layers": 2, "dropout": 0.4}, padded=False, given=False)
    feed = both.feed(6)
    both.graph.train()
    torch.manual_seed(3)
    expected = both.theirs.train()(feed["x"])[0].detach()
    torch.manual_seed(3)
    assert_close(both.graph.forward(feed, outputs=both.tops[0]), expected, **CLOSE)

"""The shortest way through a step of native code: it is left as soon as anything has changed."""

from __future__ import annotations

import pytest
import torch
from compile.training import DOUBLE, assert_same, dense_feeds, dense_training

import graphnet as gn


class Late(gn.SGD):
    """A user's optimizer, whose numbers change in the sixth step."""

    def numbers(self, group, step, **scalars):
        return {**super().numbers(group, step), "intake": 1.0 if step < 6 else 2.0}


def nothing(optimizer, rate):
    """Change nothing."""


def set_rate(optimizer, rate):
    optimizer.lr = rate


def fill_rate(optimizer, rate):
    optimizer.param_groups[0]["lr"].fill_(rate)


def tensor_rate(parameters):
    return gn.SGD(parameters, lr=torch.tensor(0.1, dtype=DOUBLE))


CHANGES = {
    "nothing": (lambda p: gn.SGD(p, 0.1, momentum=0.9), nothing, True),
    "nothing in Adagrad": (lambda p: gn.Adagrad(p, 0.1), nothing, True),
    "a rate": (lambda p: gn.SGD(p, 0.1), set_rate, True),
    "a rate in a tensor": (tensor_rate, fill_rate, False),
    "the second step": (lambda p: gn.SGD(p, 0.1, momentum=0.9, dampening=0.4), nothing, False),
    "a later step": (lambda p: Late(p, 0.1, momentum=0.9), nothing, False),
    "every step": (lambda p: gn.Adam(p, 0.1), nothing, False),
    "a rate that decays": (lambda p: gn.Adagrad(p, 0.1, lr_decay=0.1), nothing, False),
}
"""The optimizer, what is changed after each third step, and whether there is a shortest way."""


def trained_by(optimizer):
    made = dense_training()
    made.optimizer = optimizer(made.optimizer.parameters)
    return made


@pytest.mark.parametrize("name", CHANGES)
def test_the_numbers_of_a_step_are_its_own(name):
    optimizer, change, is_quick = CHANGES[name]
    ours, theirs = trained_by(optimizer), trained_by(optimizer)
    step, found = ours.compiled(backend="c"), []
    for number, feed in enumerate(dense_feeds(count=12)):
        if number % 3 == 2:
            change(ours.optimizer, 0.1 / number)
            change(theirs.optimizer, 0.1 / number)
        assert_same(step(feed), theirs.walk(feed))
        found.append(step._quick is not None)
    assert_same(ours.state(), theirs.state())
    assert any(found) == is_quick


@pytest.mark.parametrize("name", [name for name in CHANGES if CHANGES[name][1] is nothing])
def test_the_numbers_of_several_steps_are_their_own(name):
    optimizer = CHANGES[name][0]
    ours, theirs = trained_by(optimizer), trained_by(optimizer)
    feeds = dense_feeds(count=12)
    batches = {key: torch.stack([feed[key] for feed in feeds]) for key in feeds[0]}
    step = ours.compiled(backend="c")
    for _ in range(2):
        expected = torch.stack([theirs.walk(feed) for feed in feeds])
        assert_same(step.many(batches), expected)
    assert_same(ours.state(), theirs.state())


def test_a_training_that_begins_anew_has_a_first_step_again():
    """The state from before the first step is loaded; its program is still there."""
    optimizer = CHANGES["the second step"][0]
    ours, theirs = trained_by(optimizer), trained_by(optimizer)
    start = [each.optimizer.state_dict() for each in (ours, theirs)]
    step, feeds = ours.compiled(backend="c"), dense_feeds(count=4)
    batches = {key: torch.stack([feed[key] for feed in feeds]) for key in feeds[0]}
    for _ in range(3):
        expected = torch.stack([theirs.walk(feed) for feed in feeds])
        assert_same(step.many(batches), expected)
        for made, state in zip((ours, theirs), start, strict=True):
            made.optimizer.load_state_dict(state)


@pytest.mark.parametrize("count", [1, 3])
def test_values_from_before_a_step_are_out_of_date(count):
    """Tensors do not count what native code writes; backward refuses the values all the same."""
    ours = dense_training()
    step, feed = ours.compiled(backend="c"), dense_feeds()[0]
    for _ in range(count):  # the first way, and then the shortest
        ours.graph.forward(feed)
        step(feed)
        with pytest.raises(gn.StateError):
            ours.graph.backward(ours.loss)

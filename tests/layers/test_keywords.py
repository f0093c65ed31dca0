"""Modules that take keywords, dicts and lists, and return dicts: beside the same in torch.nn."""

from __future__ import annotations

import pytest
import torch

import graphnet as gn

# The same products in float32, summed in another order.
CLOSE = {"rtol": 1e-5, "atol": 1e-6}


class Scored(gn.Module):
    """Two heads over a batch that is a dict, with a mask that may be left out."""

    def __init__(self):
        self.body, self.heads = gn.Linear(3, 4), gn.ModuleList([gn.Linear(4, 2), gn.Linear(4, 1)])

    def build(self, batch, extras, *, mask=None, scale=1.0, names=("class", "value")):
        h = self.body(batch["x"]).tanh() + extras[0] * batch["y"] + extras[1]
        if mask is not None:
            h = h * mask
        found = {name: head(h) * scale for name, head in zip(names, self.heads, strict=True)}
        return {**found, "hidden": [h, {"twice": h * 2}], "nothing": None}


class Theirs(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.body = torch.nn.Linear(3, 4)
        self.heads = torch.nn.ModuleList([torch.nn.Linear(4, 2), torch.nn.Linear(4, 1)])

    forward = Scored.build


def pair():
    torch.manual_seed(0)
    theirs, ours = Theirs(), Scored()
    ours.load_state_dict(theirs.state_dict())
    batch = {"y": torch.randn(5, 4), "x": torch.randn(5, 3)}
    return ours, theirs, (batch, [torch.randn(5, 1), torch.randn(1, 4)])


KEYWORDS = {
    "none": {},
    "a mask": {"mask": torch.tensor([1.0, 0.0, 1.0, 1.0])},
    "a number": {"mask": None, "scale": 2.0},
    "names": {"names": ("a", "b"), "scale": 2},
}


@pytest.mark.parametrize("name", KEYWORDS)
def test_outputs_and_gradients_are_those_of_torch(name):
    ours, theirs, arguments = pair()
    found, expected = ours(*arguments, **KEYWORDS[name]), theirs(*arguments, **KEYWORDS[name])
    torch.testing.assert_close(found, expected, **CLOSE)
    assert list(found) == list(expected)
    batch = arguments[0]
    for each in batch.values():
        each.requires_grad_()
    with torch.enable_grad():
        made = theirs(*arguments, **KEYWORDS[name])
        first, second, (hidden, twice), _ = made.values()
        wanted = (first, second, hidden, twice["twice"])
        sum(each.sum() for each in wanted).backward()
    ones = {key: torch.ones_like(value) for key, value in list(found.items())[:2]}
    ones["hidden"] = [torch.ones(5, 4), {"twice": torch.ones(5, 4)}]
    grads = ours.backward(ones)
    torch.testing.assert_close(grads[0], {key: t.grad for key, t in batch.items()}, **CLOSE)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, other.grad, **CLOSE)


def test_the_same_keywords_use_the_same_graph():
    ours, _, (batch, extras) = pair()
    ours(batch, extras, scale=2)
    kept = ours._private
    ours({"x": batch["x"][:2], "y": batch["y"][:2]}, [extras[0][:2], extras[1]], scale=2)
    assert ours._private is kept
    ours(batch, extras, scale=2.0)
    assert ours._private is not kept


def test_gradients_by_keywords_come_last():
    ours, _, (batch, extras) = pair()
    mask = torch.ones(4)
    found = ours(batch, extras, mask=mask)
    ones = {k: torch.ones_like(v) for k, v in list(found.items())[:2]}
    ones["hidden"] = [torch.ones(5, 4), {"twice": torch.ones(5, 4)}]
    *_, named = ours.backward(ones)
    assert list(named) == ["mask"] and named["mask"].shape == (4,)


def test_nodes_in_dicts_and_keywords_are_appended():
    ours, theirs, (batch, extras) = pair()
    with gn.Graph() as graph:
        nodes = {name: gn.Input(tuple(value.shape), name=name) for name, value in batch.items()}
        mask = gn.Input((4,), name="mask")
        outputs = ours(nodes, extras, mask=mask)  # the extras are constants
    value = graph.forward({**batch, "mask": torch.ones(4)}, outputs=outputs["value"])
    torch.testing.assert_close(value, theirs(batch, extras)["value"].detach(), **CLOSE)


def test_what_is_no_tensor_is_refused_among_the_inputs():
    ours, _, (batch, extras) = pair()
    with pytest.raises(gn.FeedError, match="got int"):
        ours({"x": 3, "y": batch["y"]}, extras)
    with pytest.raises(gn.FeedError, match="got object"):
        ours(batch, extras, mask=object())

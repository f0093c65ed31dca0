"""Impossible states of training: their checksums are right, and they are refused all the same."""

from __future__ import annotations

import copy

import pytest
from train.small_runs import KilledAt, KilledError, data, network, same, weights

import graphnet as gn
from graphnet.train.checkpoint_file import State
from graphnet.train.store import Store


def train(checkpoints):
    model = network(dropout=True, norm=True)
    adam = gn.Adam(model.parameters(), lr=0.02)
    before = weights(model)
    try:
        return gn.fit(
            model, gn.LossCrossEntropy(), data(), adam, epochs=3, batch_size=14, seed=5,
            compile=False, callbacks=[checkpoints, gn.EarlyStopping()],
        )  # fmt: skip
    except gn.LoadError:
        assert same(weights(model), before)
        assert not adam.state_dict()["state"]
        raise


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The state after the first step of the second epoch."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.raises(KilledError):
        train(KilledAt(folder, 4))
    return Store(folder).load()


def resumed(folder, state):
    Store(folder).save(state)
    return train(gn.Checkpoints(folder))


ORDER, NAN = "place.order", float("nan")
VALUES = [
    *(("place", name, value) for name in ("epoch", "step", "position")
      for value in (None, True, -1, 1.0, NAN, 2**64, "1", [], {"$tensor": ORDER})),
    *(("means", name, value) for name in ("totals", "weights")
      for value in (None, 1.0, "x", {"$tensor": ORDER}, [], [1], [True], [0.5, 0.5])),
    *(("means", "weights", [value]) for value in (-1.0, NAN)),
    *(("place", "stopped", value) for value in (None, 1, "no", {"$tensor": ORDER})),
    *(("place", "order", value) for value in (True, [0, 1], {"$tensor": "no"}, {"$tensor": []})),
    *(("place", "position", value) for value in (41, 10**30)),
    *(("history", "epochs", value) for value in (None, [], "x", [1], [{}, {}], [{"loss": "x"}])),
    *(("history", "losses", value) for value in (None, [1.0], {"$tensor": ORDER})),
    *(("history", "skipped", value) for value in (None, -1, 5, "x")),
    *(("random", "python", value) for value in (None, [], {"$tuple": []}, {"$tuple": [3, [], 0]})),
    *(("random", name, value) for name in ("torch", "order", "graph")
      for value in (None, 3, [1], {"$tensor": "history.losses"})),
    *(("optimizer", name, value) for name in ("state", "param_groups") for value in (None, 3, [])),
    *(("about", name, value) for name in ("settings", "list", "values")
      for value in (None, 3, [], {})),
    *(("about", name, value) for name in ("optimizer", "functions") for value in (None, 3, "x")),
    *(("about", "plateau", value) for value in (None, 3, {"factor": 0.1})),
]  # fmt: skip


@pytest.mark.parametrize(("part", "name", "value"), VALUES, ids=repr)
def test_a_state_that_cannot_be_is_refused_and_nothing_is_changed(
    part, name, value, whole, tmp_path
):
    values = copy.deepcopy(whole.values)
    values[part][name] = value
    with pytest.raises(gn.LoadError, match="does not fit this training"):
        resumed(tmp_path, State(4, whole.tensors, values))


@pytest.mark.parametrize(
    "part", ["model", "optimizer", "random", "place", "history", "callbacks", "about"]
)
@pytest.mark.parametrize("value", [None, 3, "x", [3], {}])
def test_a_part_that_is_none_is_refused(part, value, whole, tmp_path):
    values = {**whole.values, part: value}
    with pytest.raises(gn.LoadError, match="does not fit this training"):
        resumed(tmp_path, State(4, whole.tensors, values))


@pytest.mark.parametrize("value", [None, 3, "x", [3], {"w": {"$tensor": ORDER}}])
def test_what_lies_beside_the_model_is_checked_too(value, whole, tmp_path):
    with pytest.raises(gn.LoadError, match="does not fit this training"):
        resumed(tmp_path, State(4, whole.tensors, {**whole.values, "beside": value}))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (ORDER, lambda order: order[1:]),
        (ORDER, lambda order: order + 1),
        (ORDER, lambda order: order * 0),
        (ORDER, lambda order: order.int()),
        ("history.losses", lambda losses: losses.float()),
        ("history.rates", lambda rates: rates[1:]),
        ("random.torch", lambda state: state[:-1]),
        ("random.order", lambda state: state * 0),
        ("model.0.weight", lambda weight: weight.double()),
        ("optimizer.state.0.exp_avg", lambda mean: mean[:1]),
    ],
)
def test_a_tensor_that_does_not_fit_is_refused(name, change, whole, tmp_path):
    tensors = {**whole.tensors, name: change(whole.tensors[name])}
    with pytest.raises(gn.LoadError, match="does not fit this training"):
        resumed(tmp_path, State(4, tensors, whole.values))


def test_a_state_sets_nothing_but_the_place(whole, tmp_path):
    values = copy.deepcopy(whole.values)
    values["place"]["callbacks"] = values["place"]["train"] = 3
    assert len(resumed(tmp_path, State(4, whole.tensors, values))) == 3

"""A printed program: its description, what moves while it trains, and what it refuses."""

from __future__ import annotations

import js
import pytest
import torch
from compile.targets.js.programs import Walks, scripts

import graphnet as gn
from graphnet.compile.targets.js.program import printed

SHAPES = {"x": (8, 3), "t": (8,)}


def small(**options):
    """A dropout, a batch norm, a frozen parameter, and an output beside the loss."""
    torch.manual_seed(0)
    model = gn.Sequential(gn.Linear(3, 4), gn.BatchNorm1d(4), gn.Dropout(0.25), gn.Linear(4, 2))
    model[3].bias.requires_grad = False
    with gn.Graph() as graph:
        x, t = gn.Input((None, 3), name="x"), gn.Input((None,), name="t", dtype=torch.int64)
        y = model(x)
        loss = gn.LossCrossEntropy()(y, t)
        right = y.argmax(1).eq(t).sum()
    optimizer = gn.Adam(model.parameters(), lr=0.01, **options)
    return graph, loss, right, optimizer


def test_the_description_is_that_of_the_list():
    graph, loss, right, optimizer = small()
    program = printed(graph, loss, optimizer, SHAPES, [right])
    assert program.is_open
    assert program.batch == 8
    assert [each.name for each in program.nodes] == [graph.name_of(node) for node in graph]
    for node, told in zip(graph, program.nodes, strict=True):
        assert (told.index, told.kind) == (graph.index(node), node.kind)
        assert told.inputs == tuple(graph.index(each) for each in node.inputs)
        assert told.op == (node.op.name if isinstance(node, gn.Operation) else "")
        assert told.dtype == str(node.dtype).removeprefix("torch.")
        sizes = tuple("batch" if size is None else size for size in node.shape)
        assert told.shape == sizes
    walked = {"x": torch.randn(8, 3), "t": torch.zeros(8, dtype=torch.int64)}
    graph.forward(walked, outputs=loss)
    graph.backward(loss)
    reached = [node for node in graph if not node.dtype.is_floating_point or node.grad is None]
    assert [each.name for each in program.nodes if not each.flows] == [
        graph.name_of(node) for node in reached
    ]
    assert program.parameters == {
        graph.name_of(each): each.top.numel() for each in graph.parameters()
    }
    assert program.state["0.weight/exp_avg"] == (0.0, 12)
    assert program.state["1.bias/step"] == (0.0, 1)
    assert "3.bias/step" not in program.state
    assert program.numbers == {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8,
                               "weight_decay": 0.0}  # fmt: skip


def test_only_what_is_wanted_is_computed():
    graph, loss, _, optimizer = small()
    program = printed(graph, loss, optimizer, SHAPES)
    idle = [each.name for each in program.nodes if not each.computed]
    assert idle == ["argmax", "eq", "sum"]
    found = js.run(f"""{scripts([program])}
        const made = programs[0](4, given.state);
        const walks = [made.train, made.predict, made.backward, made.update];
        return {{ idle: made.values.map((each) => each === null),
          walks: walks.map((walk) => walk.map(({{ node }}) => node)),
          masks: made.masks.map(({{ node, keep, draws }}) => [node, keep, draws]) }};""",
        state={graph.name_of(each): each.top for each in graph.parameters()})  # fmt: skip
    names = [each.name for each in program.nodes]
    assert [name for name, is_idle in zip(names, found["idle"], strict=True) if is_idle] == idle
    operations = [
        each.index for each in program.nodes if each.kind == "operation" and each.computed
    ]
    train, predict, backward, update = found["walks"]
    assert train == predict == operations
    assert backward == sorted(backward, reverse=True)
    assert [names[place] for place in update] == ["0.weight", "0.bias", "1.weight", "1.bias",
                                                  "3.weight"]  # fmt: skip
    mask = names.index("2.dropout_mask")
    assert found["masks"] == [[mask, 0.75, "mask"]]


def test_a_program_that_only_predicts():
    graph, _, right, _ = small()
    program = printed(graph, None, None, SHAPES, [right])
    assert not any(each.flows for each in program.nodes)
    assert (program.numbers, program.state) == ({}, {})
    assert "backward: []," in program.source
    assert "update: []," in program.source


def test_numbers_may_move_and_programs_share_their_state():
    """A momentum that begins in the middle, between two sizes of the batch."""

    def model(momentum):
        torch.manual_seed(0)
        w = gn.Parameter(torch.tensor([[1.0], [-2.0]]), name="w")
        with gn.Graph() as graph:
            loss = (gn.Input((None, 2), name="x") @ w).square().mean()
        return graph, loss, gn.SGD([w], lr=0.1, momentum=momentum)

    graph, loss, optimizer = model(0.0)
    program = printed(graph, loss, optimizer, {"x": (3, 2)})
    batches = [torch.randn(size, 2) for size in (3, 3, 5, 5)]
    state = {"w": graph.parameters()[0].top.clone()}
    script = f"""{scripts([program])}
        const made = [3, 3, 5, 5].map((size) => programs[0](size, given.state));
        return made.map((each, step) => {{
          each.inputs.x.set(given.batches[step]);
          each.numbers.momentum = step >= 2 ? 0.9 : 0;
          each.numbers.lr = step >= 3 ? 0.01 : 0.1;
          for (const {{ run }} of each.train) run();
          each.clear();
          for (const {{ run }} of [...each.backward, ...each.update]) run();
          return given.state.w.slice();
        }});"""
    found = js.run(script, batches=batches, state=state)
    w = state["w"].double().requires_grad_()  # by torch, with the momentum from the start
    speed = torch.zeros_like(w)
    for step, (batch, made) in enumerate(zip(batches, found, strict=True)):
        with torch.enable_grad():
            grad = torch.autograd.grad((batch.double() @ w).square().mean(), w)[0]
        speed = grad + (0.9 if step >= 2 else 0.0) * speed
        w = (w - (0.01 if step >= 3 else 0.1) * speed).detach().requires_grad_()
        torch.testing.assert_close(made.double(), w.detach().flatten(), rtol=1e-6, atol=1e-7)


def test_a_missing_or_wrong_array_is_named():
    walks, graph = Walks(), gn.Graph()
    w = graph.parameter(torch.ones(3), name="layer.w")
    walks.add(graph, (graph.input((None, 3), name="x") * w).sum(), x=(2, 3))
    for state, got in (({}, "undefined"), ({"layer.w": torch.ones(2)}, "2")):
        walks.walk(0, {}, state, batch=2)
        error = walks.run()[-1]["error"]
        assert error == f'RangeError: state["layer.w"] must be an array of 3 numbers; got {got}'


def test_an_index_out_of_range_names_the_node():
    walks, graph = Walks(), gn.Graph()
    table = graph.parameter(torch.ones(3, 2), name="table")
    words = graph.input((None,), name="words", dtype=torch.int64)
    walks.add(graph, gn.ops.embedding(words, table).sum(), words=(4,))
    walks.walk(0, {"words": torch.tensor([0, 3])}, {"table": table.top}, batch=2)
    error = walks.run()[0]["error"]
    assert error == "RangeError: embedding: an index or a count is out of range"


@pytest.mark.parametrize("training", [True, False])
def test_dropout_with_a_mode_of_its_own(training):
    """A fixed mode holds in both walks; the values of a mask are drawn where there is one."""
    walks, graph = Walks(), gn.Graph()
    x = graph.input((None, 40), name="x")
    walks.add(graph, None, gn.ops.dropout(x, 0.5, training) * 1, x=(2, 40))
    for walk in ("train", "predict"):
        walks.walk(0, {"x": torch.ones(2, 40)}, batch=2, walk=walk, seed=1)
    for found in walks.run():
        assert set(found["values"][-1].tolist()) == ({0.0, 2.0} if training else {1.0})


def test_a_part_in_evaluation_stays_there_while_the_rest_trains():
    torch.manual_seed(0)
    model = gn.Sequential(gn.BatchNorm1d(2), gn.BatchNorm1d(2))
    with gn.Graph() as graph:
        loss = model(gn.Input((None, 2), name="x")).square().mean()
    model[0].eval()
    walks = Walks()
    walks.add(graph, loss, x=(4, 2))
    state = {graph.name_of(each): each.top.clone() for each in graph.parameters()}
    walks.walk(0, {"x": torch.randn(6, 2) + 3}, state, batch=6)
    after = walks.run()[0]["state"]
    assert torch.equal(after["0.running_mean"], state["0.running_mean"])
    assert not torch.equal(after["1.running_mean"], state["1.running_mean"])
    model.eval()  # all of it: a page trains, so the walk in training is in training mode
    walks = Walks()
    walks.add(graph, loss, x=(4, 2))
    walks.walk(0, {"x": torch.randn(6, 2) + 3}, state, batch=6)
    after = walks.run()[0]["state"]
    assert not torch.equal(after["0.running_mean"], state["0.running_mean"])


class OwnNumbers(gn.SGD):
    """An optimizer that computes its numbers in Python."""

    def numbers(self, group, step, **scalars):
        return {"lr": group["lr"] / step, "intake": 1.0}


class OwnUpdate(gn.Optimizer):
    """One whose rule is an update alone."""

    def update(self, group, step, value, grad):
        value.add_(grad.sign(), alpha=-group["lr"])


def test_optimizers_of_a_user():
    graph = gn.Graph()
    w = graph.parameter(torch.tensor([3.0, -1.0]), name="w")
    loss = (w * graph.input((None, 2), name="x")).sum()
    with pytest.raises(gn.GraphError, match=r"OwnNumbers\.numbers is a method in Python"):
        printed(graph, loss, OwnNumbers([w], lr=0.1), {"x": (4, 2)})
    program = printed(graph, loss, OwnUpdate([w], lr=0.5), {"x": (4, 2)})
    found = js.run(f"""{scripts([program])}
        const made = programs[0](1, given.state);
        made.inputs.x.set([2, -3]);
        for (const walk of ["train", "backward", "update"]) {{
          if (walk === "backward") made.clear();
          for (const {{ run }} of made[walk]) run();
        }}
        return given.state.w;""", state={"w": w.top.clone()})  # fmt: skip
    assert found.tolist() == [2.5, -0.5]


def test_what_has_no_form_is_named():
    graph = gn.Graph()
    x = graph.input((None, 2), name="x", dtype=torch.float16)
    with pytest.raises(gn.GraphError, match=r"as loops; got .*torch\.float16.*graph\.compile"):
        printed(graph, None, None, {"x": (3, 2)}, [x * 2])


def test_the_text_is_the_same_at_each_print():
    made = [small() for _ in range(2)]
    texts = [printed(graph, loss, opt, SHAPES, [right]).source for graph, loss, right, opt in made]
    assert texts[0] == texts[1]


def test_what_is_printed_must_be_a_loss_of_the_list_with_known_shapes():
    graph, loss, _, optimizer = small()
    y = graph["3.linear"]
    with pytest.raises(gn.GraphError, match=r"3\.linear"):
        printed(graph, y, optimizer, SHAPES)  # ten numbers are no loss
    with pytest.raises(gn.GraphError, match="shape of each input; got none for 't'"):
        printed(graph, loss, optimizer, {"x": (8, 3)})
    assert printed(graph, None, None, {"x": (8, 3)}, [y]).is_open  # nothing reads t
    with pytest.raises(gn.GraphError):
        printed(gn.Graph(), loss, optimizer, SHAPES)

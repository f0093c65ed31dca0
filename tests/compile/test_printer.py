"""The source: straight lines, names of its own, and no new memory in steady state."""

from __future__ import annotations

import ast
import gc
import math
import re

import pytest
import torch
from compile.test_layers import LAYERS, feeds
from compile.test_layers import training as layer_training
from compile.test_optimizers import EVERY
from compile.training import (
    DOUBLE,
    Training,
    assert_same,
    dense_feeds,
    dense_training,
    model_training,
    randn,
)

import graphnet as gn
from graphnet.graph import Input, Operation

FORBIDDEN = (
    ast.For, ast.While, ast.comprehension, ast.Lambda, ast.FunctionDef, ast.ClassDef, ast.Try,
    ast.With, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, ast.Yield, ast.IfExp,
)  # fmt: skip


def assert_straight(source):
    """One function of plain statements; the only condition raises."""
    module = ast.parse(source)
    (function,) = module.body
    assert isinstance(function, ast.FunctionDef)
    for statement in function.body:
        for part in ast.walk(statement):
            assert not isinstance(part, FORBIDDEN)
            if isinstance(part, ast.If):
                assert [type(each) for each in part.body] == [ast.Raise]
    assert isinstance(function.body[-1], ast.Return)
    assert_each_tensor_ends(function.body)


def assert_each_tensor_ends(lines):
    """What is deleted has been used in the line before, and is in no line after it."""
    names = [{part.id for part in ast.walk(line) if isinstance(part, ast.Name)} for line in lines]
    for place, line in enumerate(lines):
        if isinstance(line, ast.Delete):
            assert names[place] <= names[place - 1]
            assert not names[place] & set().union(*names[place + 1 :])


def assert_only_numbers_stay(step):
    """Of what a line makes anew, and no later one deletes or returns, there are only numbers."""
    (function,) = ast.parse(step.source).body
    names = [part for part in ast.walk(function) if isinstance(part, ast.Name) and part.id != "_"]
    made = {each.id for each in names if isinstance(each.ctx, ast.Store)}
    ended = {each.id for each in names if isinstance(each.ctx, ast.Del)}
    ended |= {each.id for each in ast.walk(function.body[-1]) if isinstance(each, ast.Name)}
    shapes = {re.sub(r"\W", "_", node.name): node.shape for node in step.program}
    for name in made - ended:
        wanted = (name, name.removeprefix("layer"), name.removesuffix("_"))
        assert next(shapes[each] for each in wanted if each in shapes) == (), name


def assert_sound(step, training):
    """The program is a list of the three kinds, with the update in it."""
    assert_only_numbers_stay(step)
    program = step.program
    program.lint()
    kinds = {node.kind for node in program}
    assert kinds == {"input", "parameter", "operation"}
    assert {node.name for node in program if isinstance(node, Input)} >= {"x"}
    written = {cell.top.data_ptr() for cell in program.writes}
    for parameter in training.optimizer.parameters:
        if parameter.requires_grad:
            assert parameter.arena.value.data_ptr() in written
    assert any(node.name.startswith("update") for node in program if isinstance(node, Operation))
    assert str(program)


@pytest.mark.parametrize("name", LAYERS)
def test_source_of_layers(name):
    make, shape = LAYERS[name]
    ours = layer_training(make, shape)
    step = ours.compiled()
    step(feeds(shape)[0])
    assert_straight(step.source)
    assert_sound(step, ours)


@pytest.mark.parametrize(("kind", "settings"), EVERY, ids=map(str, EVERY))
def test_source_of_optimizers(kind, settings):
    ours = dense_training(kind, **settings)
    step = ours.compiled(max_norm=1.0, clip_value=0.5)
    for feed in dense_feeds():
        step(feed)
    assert_straight(step.source)
    if settings.get("lr") != 0:
        assert_sound(step, ours)
    assert step.memory > 0


def test_new_tensors_end_after_their_last_use():
    """So the memory of one image serves for the next, and a step needs no more than its largest."""
    torch.manual_seed(0)
    model = gn.Sequential(gn.Conv2d(40, 40, 3), gn.BatchNorm2d(40), gn.ReLU(), gn.Conv2d(40, 4, 3))
    step = model_training(model, (None, 40, 30, 30)).compiled()
    step(x=randn(2, 40, 30, 30))
    assert_straight(step.source)
    lines = [line.strip() for line in step.source.splitlines()]
    second = next(place for place, line in enumerate(lines) if "layer3_conv2d_bias = " in line)
    assert "del layer0_conv2d_bias" in lines[:second]  # of which batch norm has made its own
    assert "del layer3_conv2d_bias" in lines[second:]
    assert step.profile(x=randn(2, 40, 30, 30)).lines


def test_prediction_is_straight():
    ours = dense_training()
    predict = ours.graph.compile(ours.loss, tune=False)
    predict(dense_feeds()[0])
    assert_straight(predict.source)
    predict.program.lint()


def live_tensors():
    gc.collect()
    return sum(issubclass(type(each), torch.Tensor) for each in gc.get_objects())


class Watch(torch.utils._python_dispatch.TorchDispatchMode):
    """Counts new tensors with memory of their own."""

    def __init__(self):
        super().__init__()
        self.made = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        given = {
            each.untyped_storage().data_ptr()
            for each in torch.utils._pytree.tree_leaves((args, kwargs))
            if isinstance(each, torch.Tensor)
        }
        for each in torch.utils._pytree.tree_leaves(result):
            if isinstance(each, torch.Tensor) and each.untyped_storage().data_ptr() not in given:
                self.made.append((str(function), tuple(each.shape)))
        return result


@pytest.mark.parametrize("backend", ["torch", "c"])
@pytest.mark.parametrize("kind", ["SGD", "Adam", "RMSprop", "NAdam"])
def test_no_tensor_is_left_over(kind, backend):
    ours = dense_training(kind)
    step = ours.compiled(backend=backend)
    batches = dense_feeds()
    for feed in batches * 2:
        step(feed)
    before = live_tensors()
    for number in range(100):
        step(batches[number % 5])
    assert live_tensors() == before


@pytest.mark.parametrize(
    "name", ["attention", "LSTM", "BatchNorm2d", "two Conv2d with pool", "Dropout"]
)
def test_layers_leave_no_tensor_over(name):
    make, shape = LAYERS[name]
    step = layer_training(make, shape).compiled(backend="torch")
    batches = feeds(shape)
    for feed in batches:
        step(feed)
    before = live_tensors()
    for number in range(100):
        step(batches[number % 4])
    assert live_tensors() == before


@pytest.mark.parametrize("clip", [{}, {"clip_value": 0.5}, {"max_norm": 1.0}], ids=str)
@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_no_memory_is_taken(kind, clip):
    """The lines of a dense network write into existing memory; the loss is copied out."""
    ours = dense_training(kind)
    step = ours.compiled(**clip)
    batches = dense_feeds()
    for feed in batches:
        step(feed)
    plan = step._current
    numbers = step._settings.of_all(plan.buckets)
    values = plan.values(batches[0], numbers, plan.edits)
    with torch.inference_mode(), Watch() as watch:
        plan.runner.function(*values)
    # reading the loss to see if it is finite makes a Python number, not a tensor
    assert watch.made == []


def test_memory_of_a_program():
    """Buffers are reused: a deep chain takes no more than a short one."""

    def memory(depth):
        graph = gn.Graph()
        x = graph.input((None, 100), name="x")
        y = x
        for _ in range(depth):
            y = (y * 1.01).sin()
        predict = graph.compile(y.sum(), tune=False)
        predict(x=torch.zeros(50, 100))
        return predict.memory

    assert memory(40) == memory(4)


NAMES = [
    "lr", "step", "values", "grad", "torch", "def", "lambda", "None", "True", "class", "mm", "add",
    "number_2", "one", "ones", "generator", "isfinite", "NotFinite", "x_t", "w_t", "w_flat", "x²",
    "ﬁ", "1", "a.b", "a b", "a-b", "a_b", "é", "λ", "'", '"', "\n", "#", "{x}", "layer1", "out",
    "sum_of_3", "mul_4", "split_4", "tanh_5", "onednn_linear", "convolution", "sum", "mul", "tanh",
    "momentum_buffer", "momentum_buffer_1", "lr_1", "dot", "gradients", "update", "w", "self",
    "inference_mode", "print", "range", "arguments", "start", "now", "spent", "copy_", "_", "__",
    "minus", "kept",
]  # fmt: skip


ROLES = ("input", "parameter")


@pytest.mark.parametrize(
    ("name", "role"),
    [
        pytest.param(name, role, marks=[] if role == ROLES[place % 2] else pytest.mark.slow)
        for place, name in enumerate(NAMES)
        for role in ROLES
    ],
)
def test_names_of_nodes(name, role):
    """Any name that a graph takes: none hides another in the source."""

    def make():
        graph = gn.Graph()
        x = graph.input((None, 3), name=name if role == "input" else "xx", dtype=DOUBLE)
        other = graph.input((None, 3), name="x", dtype=DOUBLE)
        weight = graph.parameter(randn(3, 3), name=name if role == "parameter" else "ww")
        second = graph.parameter(randn(3, 3, seed=1), name="v" if name == "w" else "w")
        hidden = (x @ weight.mT + other @ second.mT).tanh()
        # products, sums of rows, splits: everything with constants and names of its own
        first, rest = gn.ops.split(hidden, [1, 2], 1)
        loss = (hidden * hidden).sum() * 2.0 + (first * rest).tanh().mean() + hidden.sum(0).mean()
        optimizer = gn.SGD([weight, second], lr=0.01, momentum=0.9)
        return Training(graph, loss, optimizer), [x.name, other.name]

    (ours, names), (theirs, _) = make(), make()
    step = ours.compiled()
    for number in range(3):
        feed = {each: randn(4, 3, seed=number + 7 * place) for place, each in enumerate(names)}
        assert_same(step(feed), theirs.walk(feed))
    assert_same(ours.state(), theirs.state())
    assert_straight(step.source)
    step.profile(feed, runs=2)


def test_names_that_meet():
    """Nodes whose names differ in characters that Python does not allow."""
    graph = gn.Graph()
    inputs = [graph.input((3,), name=name, dtype=DOUBLE) for name in ("a.b", "a_b", "a-b", "a b")]
    w = graph.parameter(randn(3), name="a:b")
    total = sum((each * w for each in inputs[1:]), inputs[0] * w)
    predict = graph.compile((total * total).sum(), tune=False)
    feed = {each: randn(3, seed=place) for place, each in enumerate(inputs)}
    assert_same(predict(feed), graph.forward(feed))


def test_every_line_has_its_node():
    ours = dense_training("Adam")
    step = ours.compiled()
    step(dense_feeds()[0])
    names = {node.name for node in step.program}
    profile = step.profile(dense_feeds()[0], runs=2)
    assert {name for _, name, _ in profile.lines} <= names


def test_equal_source_for_equal_graphs():
    sources = []
    for _ in range(2):
        ours = dense_training("Adam")
        step = ours.compiled()
        step(dense_feeds()[0])
        sources.append(step.source)
    assert sources[0] == sources[1]


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan], ids=str)
def test_endless_numbers(number):
    """Options and literals that Python has no literal for, next to a parameter with such a name."""
    with gn.Graph() as graph:
        x, mask = gn.Input((3,), name="x"), gn.Input((3,), name="mask", dtype=torch.bool)
        inf = gn.Parameter(torch.tensor([1.0, 2.0, 3.0]), name="inf")
        outputs = [(x * inf).masked_fill(mask, number), x.gt(number), x * number]
    feed = {"x": torch.tensor([-1.0, 2.0, 5.0]), "mask": torch.tensor([True, False, False])}
    expected = graph.forward(feed, outputs=outputs)
    found = graph.compile(outputs, check_finite=False)(feed)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, equal_nan=True)


def test_a_limit_without_end_clips_nothing():
    with gn.Graph() as graph:
        w = gn.Parameter(torch.ones(2), name="w")
        loss = (gn.Input((2,), name="x") * w).sum()
    step = graph.compile(loss, gn.SGD([w], lr=0.1), clip_value=math.inf)
    step(x=torch.tensor([3.0, -4.0]))
    torch.testing.assert_close(w.top, torch.tensor([0.7, 1.4]))

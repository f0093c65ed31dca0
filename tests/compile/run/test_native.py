"""When a program moves to native code, and what happens where it cannot."""

from __future__ import annotations

import warnings

import pytest
import torch
from compile.targets.fakes import fake, real_compiler, runs_of, scripts
from compile.training import assert_same, assert_same_training, dense_feeds, dense_training, randn

import graphnet as gn
from graphnet.compile.ir.build import Clip
from graphnet.compile.lower.lowering import lowered
from graphnet.compile.run import native
from graphnet.compile.run.compiled import Options
from graphnet.compile.run.step import Step
from graphnet.compile.targets.c import assemble, private_folder, toolchain

BEGUN, SWITCHED = 4, 9
"""The calls in which the compiler is started, and native code takes over."""


@pytest.fixture
def soon(monkeypatch):
    """A program moves in its tenth call, as if it took a tenth of a second."""
    monkeypatch.setattr(native, "PREPARED", BEGUN)
    monkeypatch.setattr(native, "seconds_of", lambda low: 0.1)
    monkeypatch.setattr(native, "PATIENCE", SWITCHED / 10)


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """An empty cache, no choice of a compiler."""
    monkeypatch.setenv("GRAPHNET_NATIVE", str(tmp_path / "native"))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(private_folder, "_TEMPORARY", {})


@pytest.fixture
def no_compiler(monkeypatch):
    """Starting one is an error."""

    def begin(*arguments):
        raise AssertionError("a compiler is started")

    monkeypatch.setattr(toolchain, "Process", begin)
    monkeypatch.setattr(assemble, "begin", begin)


def in_c(compiled):
    return compiled.source.startswith("#include")


def switch_of(ours, count=20):
    """The calls after which the program is C, of several in a row."""
    feed = dense_feeds()[0]
    found = []
    for _ in range(count):
        ours.step(feed)
        found.append(in_c(ours.step))
    return found


# when


def test_the_call_depends_on_the_list_alone(soon, own_cache, tmp_path, monkeypatch):
    """A slow compiler is waited for, a fast one makes it no earlier."""
    path = real_compiler()
    expected = [call > SWITCHED for call in range(1, 21)]
    ours = dense_training()
    ours.compiled()
    assert switch_of(ours) == expected
    slow = fake(tmp_path, monkeypatch, f'sleep 0.5; exec {path} "$@"')
    ours = dense_training()
    ours.compiled()
    assert switch_of(ours) == expected
    assert runs_of(slow) == 1
    ours = dense_training()
    ours.compiled()
    assert switch_of(ours) == expected  # the library lies in the cache
    assert runs_of(slow) == 1


def test_a_prediction_moves_as_well(soon):
    ours = dense_training()
    predict = ours.graph.compile(ours.loss)
    feed = dense_feeds()[0]
    expected = ours.graph.forward(feed, outputs=ours.loss).clone()
    for call in range(1, 15):
        assert_same(predict(feed), expected)
        assert in_c(predict) == (call > SWITCHED)


def test_a_short_training_starts_no_compiler(no_compiler):
    ours = dense_training()
    ours.compiled()
    assert not any(switch_of(ours, native.PREPARED))


def test_with_a_known_number_of_calls_the_first_one_decides():
    low = _lowered(dense_training())
    enough = int(native.compiling_seconds(low) / native.seconds_of(low)) + 1
    assert enough > native.FEWEST
    made = [_first(dense_training(), calls) for calls in (enough // 2, enough * 2)]
    assert [in_c(each) for each in made] == [False, True]


@pytest.mark.parametrize("calls", [0, 1, native.FEWEST - 1, 2 * native.FEWEST])
def test_few_known_calls_start_no_compiler(calls, no_compiler):
    ours = dense_training()
    step = Step(ours.graph, ours.loss, ours.optimizer, Clip(), Options(calls=calls))
    for _ in range(native.PREPARED + 20):
        step(dense_feeds()[0])
    assert not in_c(step)


def _first(ours, calls):

    step = Step(ours.graph, ours.loss, ours.optimizer, Clip(), Options(calls=calls))
    step(dense_feeds()[0])
    return step


def _lowered(ours):
    step = ours.compiled(backend="c")
    step(dense_feeds()[0])
    return lowered(step.program)


# that the numbers stay


CHANGES = {
    "nothing": lambda each: None,
    "learning rate": lambda each: setattr(each.optimizer, "lr", 0.01),
    "momentum": lambda each: each.optimizer.param_groups[0].update(momentum=0.5),
    "moved": lambda each: setattr(
        each.optimizer.parameters[0], "top", each.optimizer.parameters[0].top * 1.5
    ),
    "changed in place": lambda each: each.optimizer.parameters[1].top.mul_(0.5),
    "frozen": lambda each: setattr(each.optimizer.parameters[2], "requires_grad", False),
    "evaluation": lambda each: each.graph.eval(),
    "state": lambda each: each.optimizer.load_state_dict(each.optimizer.state_dict()),
}


def test_each_change_after_the_move(soon):
    """One change after another, and another size of batch in between."""
    ours, theirs = (dense_training("SGD", momentum=0.9) for _ in range(2))
    ours.compiled()
    for name, change in CHANGES.items():
        change(ours), change(theirs)
        for rows in [4] * 12 + [3, 4]:
            feed = {"x": randn(rows, 3, seed=rows), "t": randn(rows, 2, seed=rows)}
            assert_same(ours.step(feed), theirs.walk(feed))
            assert_same(ours.state(), theirs.state())
        assert in_c(ours.step), name


@pytest.mark.parametrize("backend", ["c", "torch"])
def test_a_training_with_a_fixed_backend_is_repeated_to_the_last_bit(backend):
    """And one that is resumed goes on as if it had not ended."""

    def run(parts):
        state = None
        for part in parts:
            ours = dense_training("Adam", dtype=torch.float32)
            if state is not None:
                ours.optimizer.load_state_dict(state[1])
                for each, value in zip(ours.optimizer.parameters, state[0], strict=True):
                    each.top.copy_(value)
            step = ours.compiled(backend=backend)
            for number in part:
                step(dense_feeds(dtype=torch.float32)[number % 5])
            values = [each.top.clone() for each in ours.optimizer.parameters]
            state = values, ours.optimizer.state_dict()
        return state

    whole = run([range(30)])
    assert_same(run([range(30)]), whole, exact=True)
    assert_same(run([range(13), range(13, 30)]), whole, exact=True)


# where there is no native code


def without(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("graphnet.compile.targets.c.compilers._zig", lambda: None)


OBSTACLES = {
    "no compiler": (without, "there is no C compiler: install gcc"),
    "it fails": (lambda *given: fake(*given, "echo 'program.c:1: error: no'; exit 1"), "error: no"),
    "it writes nothing": (lambda *given: fake(*given, "exit 0"), "has written no library"),
    "it crashes": (lambda *given: fake(*given, "kill -SEGV $$"), "SIGSEGV"),
    "it writes rubbish": (
        lambda *given: fake(*given, "echo no > library.so; echo no > library.dll"),
        "cannot be loaded",
    ),
}  # fmt: skip


@scripts
@pytest.mark.parametrize("name", OBSTACLES)
def test_without_a_library_torch_computes_the_same(name, soon, own_cache, tmp_path, monkeypatch):
    """By default silently; a demand for C is answered by one line that says why."""
    obstacle, reason = OBSTACLES[name]
    obstacle(tmp_path, monkeypatch)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours = assert_same_training(dense_training, dense_feeds(), steps=20)
    assert not in_c(ours.step)
    with pytest.warns(UserWarning) as caught:
        ours = assert_same_training(
            dense_training, dense_feeds(), steps=20, options={"backend": "c"}
        )
    assert not in_c(ours.step)
    (warning,) = caught
    assert reason in str(warning.message)
    assert len(str(warning.message).splitlines()) == 1


def test_what_does_not_lower_runs_as_calls_of_torch(soon):
    def make():
        graph = gn.Graph()
        x = graph.input((None,), name="x", dtype=torch.float16)
        return graph, x * 2

    (graph, y), x = make(), torch.rand(3).half()
    with pytest.warns(UserWarning, match="no form in C: .*float16") as caught:
        predict = graph.compile(y, backend="c")
        assert predict(x=x).equal(x * 2)
    assert caught[0].filename == __file__  # the line of the user, not one of the package
    predict = graph.compile(y)
    for _ in range(15):
        assert predict(x=x).equal(x * 2)
    assert not in_c(predict)


def test_a_cache_that_cannot_be_written_is_replaced(soon, own_cache, tmp_path, monkeypatch):
    real_compiler()
    file = tmp_path / "a file"
    file.write_text("", encoding="utf-8")
    monkeypatch.setenv("GRAPHNET_NATIVE", str(file / "native"))
    ours = assert_same_training(dense_training, dense_feeds(), steps=20)
    assert in_c(ours.step)

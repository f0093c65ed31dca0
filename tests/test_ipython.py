"""IPython: a stand-in for its shell is asked and told what the real one is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from types import SimpleNamespace

import pytest
import torch

import graphnet as gn
from graphnet import ipython


class Writer:
    """Writes a traceback as Python does, in one of IPython's modes."""

    def __init__(self, mode):
        self.mode = mode

    def structured_traceback(self, kind, error, trace):
        return "".join(traceback.format_exception(error.with_traceback(trace))).splitlines()


class Shell:
    """What this package uses of IPython's shell."""

    def __init__(self, mode="Context", kernel=None):
        self.InteractiveTB = Writer(mode)
        self.published = []
        self.display_pub = SimpleNamespace(publish=lambda **given: self.published.append(given))
        self.custom_exceptions = ()
        self.handler = None
        self.shown = []
        if kernel is not None:
            self.kernel = kernel

    def set_custom_exc(self, kinds, handler):
        self.custom_exceptions, self.handler = kinds, handler

    def showtraceback(self, given, tb_offset=None):
        """Ask an error for its own form first, as the real one does."""
        own = getattr(given[1], "_render_traceback_", None)
        lines = own() if own else self.InteractiveTB.structured_traceback(*given)
        self.shown.append("\n".join(lines))

    def show(self, error):
        """Show an error that has ended a cell."""
        self.handler(self, type(error), error, error.__traceback__, tb_offset=1)
        return self.shown[-1]


@pytest.fixture
def shell(monkeypatch):
    """Puts a shell in place."""

    def put(**options):
        made = Shell(**options)
        module = SimpleNamespace(get_ipython=lambda: made)
        monkeypatch.setitem(sys.modules, "IPython", module)
        return made

    return put


def caught(call):
    try:
        call()
    except gn.GraphError as error:
        return error
    raise AssertionError("nothing was raised")


def wrong():
    return gn.Linear(2, 3).forward(torch.ones(4, 5))


def chained():
    try:
        wrong()
    except gn.GraphError as error:
        raise gn.FeedError("told") from error


@pytest.mark.parametrize("call", [wrong, chained, lambda: gn.Graph()["x"]])
def test_an_error_shows_the_frames_of_the_user_alone(call, shell):
    shell()
    error = caught(call)
    trace = error.__traceback__
    lines = "\n".join(error._render_traceback_())
    assert "test_ipython.py" in lines
    assert str(gn.__path__[0]) not in lines.replace(__file__, "")
    assert str(error) in lines
    assert error.__traceback__ is trace  # which a debugger needs


class Misspelled(gn.Module):
    """Fails in the hands of the package."""

    def build(self, x):
        return x + misspelled  # noqa: F821 - the mistake


class Failing(gn.Callback):
    def epoch(self, run):
        raise KeyError("no such curve")


class Halved(gn.Op):
    """Its derivative rule fails."""

    symbol = "x/2"

    def forward(self, x):
        return x / 2

    def grad_x(self, grad):
        raise TypeError("half is no number")


def missing_input():
    gn.Sequential(gn.Linear(2, 3)).forward(torch.ones(3, 2), torch.ones(3, 2), torch.ones(3, 2))


def wrong_name():
    gn.Sequential(gn.Linear(2, 3), Misspelled()).forward(torch.ones(4, 2))


def wrong_name_in_a_list():
    with gn.Graph():
        gn.Sequential(Misspelled())(gn.Input((None, 2), name="x"))


def wrong_rule():
    with gn.Graph() as graph:
        loss = Halved()(gn.Input((), name="x", requires_grad=True))
    graph.forward(x=torch.tensor(1.0))
    graph.backward(loss)


def failing_callback():
    model = gn.Linear(2, 1)
    data = torch.ones(4, 2), torch.ones(4, 1)
    sgd = gn.SGD(model.parameters(), lr=0.1)
    gn.fit(model, gn.LossMSE(), data, sgd, epochs=1, callbacks=[Failing()], progress=False)


PLAIN = [
    (missing_input, TypeError),
    (wrong_name, NameError),
    (wrong_name_in_a_list, NameError),
    (wrong_rule, TypeError),
    (failing_callback, KeyError),
]


@pytest.mark.parametrize(("call", "kind"), PLAIN)
def test_an_error_of_python_shows_the_frames_of_the_user_too(call, kind, shell):
    made = shell()
    ipython.shorten_tracebacks()
    with pytest.raises(kind) as info:
        call()
    trace = info.value.__traceback__
    lines = made.show(info.value)
    assert call.__name__ in lines and kind.__name__ in lines
    assert str(gn.__path__[0]) not in lines.replace(__file__, "")
    assert info.value.__traceback__ is trace
    assert ipython._of_the_user(trace) is not trace  # some frames of the package were there


@pytest.mark.parametrize(("call", "kind"), PLAIN)
def test_outside_ipython_an_error_is_as_python_makes_it(call, kind, monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    ipython.shorten_tracebacks()
    with pytest.raises(kind) as info:
        call()
    assert not hasattr(info.value, "_render_traceback_")


def other_error():
    return {}["no such key"]


def test_an_error_of_others_is_shown_as_it_is(shell):
    made = shell()
    ipython.shorten_tracebacks()
    with pytest.raises(KeyError) as info:
        other_error()
    assert "other_error" in made.show(info.value)
    assert not hasattr(info.value, "_render_traceback_")


def test_an_error_keeps_a_form_of_its_own(shell):
    class OwnError(Exception):
        def _render_traceback_(self):
            return ["mine"]

    class Raising(gn.Module):
        def build(self, x):
            raise OwnError

    made = shell()
    ipython.shorten_tracebacks()
    with pytest.raises(OwnError) as info:
        Raising().forward(torch.ones(2))
    assert made.show(info.value) == "mine"


def test_a_handler_that_is_there_stays(shell):
    made = shell()
    made.set_custom_exc((KeyError,), mine := object())
    ipython.shorten_tracebacks()
    assert (made.custom_exceptions, made.handler) == ((KeyError,), mine)


def test_interrupts_are_not_handled(shell):
    made = shell()
    ipython.shorten_tracebacks()
    assert not issubclass(KeyboardInterrupt, made.custom_exceptions)
    assert not issubclass(SystemExit, made.custom_exceptions)


def test_verbose_shows_all_frames(shell):
    shell(mode="Verbose")
    lines = "\n".join(caught(wrong)._render_traceback_())
    assert "layers/module.py" in lines.replace("\\", "/")


def test_an_error_from_within_keeps_its_frames(shell):
    shell()
    error = gn.GraphError("nowhere")
    assert "nowhere" in error._render_traceback_()[-1]


def test_errors_that_cause_each_other_end(shell):
    shell()
    first, second = gn.GraphError("first"), gn.GraphError("second")
    first.__cause__, second.__cause__ = second, first
    assert ipython._chain(first) == [first, second]


START = """
import graphnet as gn, torch
from graphnet import ops, data, schedules
x, k = torch.ones(3, 4), torch.tensor([0, 1, 2])
linear = gn.Linear(4, 2)
with gn.Graph() as graph:
    node = gn.Input((3, 4), name="x")
class Mine(gn.Module):
    def build(self, x):
        return x + misspelled
"""
CELLS = [
    ("gn.Linear(2, 3).forward(x)", "ShapeError"),
    ("gn.Sequential(linear, Mine()).forward(x)", "NameError"),
    ("ops.sum(5)", "AttributeError"),  # functions called on tensors
    ("ops.add(None, None)", "TypeError"),
    ("ops.mean(x, 0, keepdim='no')", "TypeError"),
    ("ops.size(x, x)", "TypeError"),
    ("node.size(x)", "TypeError"),  # methods
    ("node.type_as(None)", "AttributeError"),
    ("gn.ModuleDict(2.5)", "TypeError"),  # layers
    ("gn.ParameterDict([1])", "TypeError"),
    ("gn.Adam(linear.parameters(), params=[])", "TypeError"),  # optimizers and schedules
    ("gn.SGD(linear.parameters(), lr=0.1).zero_grad(x)", "RuntimeError"),
    ("schedules.one_cycle(None)", "TypeError"),
    ("gn.metrics.accuracy(None, x)", "AttributeError"),  # training
    ("gn.EarlyStopping(x)", "AttributeError"),
    ("gn.load_weights(linear, None)", "TypeError"),  # files and data
    ("data.normalized(None)", "AttributeError"),
    ("data.read_idx(None)", "TypeError"),
]
RUN = """
import contextlib, io, json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance(colors="nocolor")
start, cells = json.load(sys.stdin)
assert shell.run_cell(start).success
told = []
for cell in cells:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        error = shell.run_cell("def asked():\\n    return " + cell + "\\nasked()").error_in_exec
    told.append((type(error).__name__, out.getvalue()))
print(json.dumps(told))
"""


def test_ipython_itself_shows_the_frames_of_the_user_alone(tmp_path):
    """Whatever is called: functions, methods, layers, optimizers, files."""
    pytest.importorskip("IPython", reason="needs IPython")
    paths = {"PYTHONPATH": os.pathsep.join(sys.path), "IPYTHONDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input=json.dumps([START, [cell for cell, _ in CELLS]]),
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=300,
        env={**os.environ, **paths, "PYTHONIOENCODING": "utf-8"},
    )
    for (cell, kind), (found, text) in zip(CELLS, json.loads(done.stdout), strict=True):
        assert found == kind, cell
        assert f"return {cell}" in text, cell
        assert found in text, cell
        assert str(gn.__path__[0]) not in text, text


def test_outside_ipython_there_is_no_shell(monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert ipython.running_shell() is None
    assert not ipython.in_notebook()


def test_a_prompt_is_no_notebook(shell):
    shell()
    assert not ipython.in_notebook()
    shell(kernel=object())
    assert ipython.in_notebook()


def test_an_output_is_replaced(shell):
    made = shell(kernel=object())
    display = ipython.Display()
    display.show("<p>1</p>", "1")
    display.show("<p>2</p>", "2")
    first, second = made.published
    assert first["data"] == {"text/html": "<p>1</p>", "text/plain": "1"}
    assert (first["update"], second["update"]) == (False, True)
    assert first["transient"] == second["transient"]
    assert ipython.Display()._name != display._name

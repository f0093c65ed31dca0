"""IPython: a stand-in for its shell is asked and told what the real one is."""

from __future__ import annotations

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
        if kernel is not None:
            self.kernel = kernel


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


CELL = """
import graphnet as gn, torch
def asked(layer):
    return layer.forward(torch.ones(4, 5))
asked(gn.Linear(2, 3))
"""


def test_ipython_itself_shows_the_frames_of_the_user_alone(tmp_path):
    pytest.importorskip("IPython", reason="needs IPython")
    told = [sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor", "--quick"]
    done = subprocess.run(
        [*told, f"--ipython-dir={tmp_path}", "-c", CELL],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONIOENCODING": "utf-8"},
    )
    text = done.stdout + done.stderr
    assert "ShapeError: linear cannot be applied here" in text
    assert "asked(gn.Linear(2, 3))" in text
    assert "layers/module.py" not in text.replace("\\", "/")


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

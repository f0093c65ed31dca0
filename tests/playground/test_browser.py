"""The page of a playground in Chromium: training, the walk, points, runs, sizes, names."""

from __future__ import annotations

import json
import re

import pytest
import torch
from browser import chromium
from playground import pages

from graphnet.compile.targets.js.random import Random
from graphnet.console_text import printable
from graphnet.ops.random import drawn_from
from graphnet.playground.page import write_page

NAMES = ("plane", "rows", "groups", "fixed", "wrong_label", "hostile")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("playground")
    return {name: write_page(getattr(pages, name)(), folder / f"{name}.html") for name in NAMES}


@pytest.fixture(scope="module")
def window(files):
    with chromium(files["plane"]) as page:
        yield page


@pytest.fixture
def at(window, files):
    """Open a page in the window, as new."""

    def opened(name, width=1280, height=720):
        window.resize(width, height)
        window.prefer(color_scheme="light", reduced_motion="reduce")
        window.go(files[name])
        window.wait("typeof playground === 'object' && !playground.evaluator.running")
        return window

    yield opened
    assert window.faults == []


@pytest.fixture
def page(at):
    return at("plane")


def steps(page):
    return page.run("playground.learner.steps")


def setting(page, name):
    return page.run(f"playground.learner.settings.{name}")


def state(page):
    """The state of the network, as lists."""
    return page.run(
        "Object.fromEntries(Object.entries(playground.learner.state)"
        ".map(([name, each]) => [name, Array.from(each)]))"
    )


def measured(page):
    page.wait("!playground.evaluator.running")
    return page.run("playground.runs.now.last")


def text(page, selector):
    return page.run(f"document.querySelector({json.dumps(selector)}).textContent")


def write(page, selector, number):
    """Type a number in place of what is there."""
    page.run(f"document.querySelector({json.dumps(selector)}).select()")
    page.click(selector)
    page.run("document.activeElement.select()")
    page.type(str(number))
    page.press("Enter")


# numbers


def trained(task, steps):
    """What the walk in Python makes of the batches that the page draws; values before and after."""
    graph, order = task.graph, Random(task.seed)
    masks, count = Random(task.seed + 0x1000000), len(next(iter(task.train.values())))
    parameters = {graph.name_of(node): node for node in graph.parameters()}
    first = {name: node.top.clone() for name, node in parameters.items()}
    places, losses = [], []
    for _ in range(steps):
        places = places or order.permutation(count)
        batch, places = places[: task.batch_size], places[task.batch_size :]
        with drawn_from(masks):
            graph.forward({node: rows[batch] for node, rows in task.train.items()})
        losses.append(float(task.loss.top))
        graph.backward(task.loss)
        task.optimizer.step()
    last = {name: node.top.clone() for name, node in parameters.items()}
    for name, node in parameters.items():  # for other tests
        node.top.copy_(first[name])
    return first, last, losses


@pytest.mark.parametrize("name", ["plane", "rows"])
def test_training_is_that_of_the_walk(name, at):
    page = at(name)
    task = getattr(pages, name).__wrapped__()  # with an optimizer of its own
    first, last, losses = trained(task, 40)
    found = page.run(
        "Array.from({length: 40}, () => { playground.step(); return playground.learner.loss; })"
    )
    assert found == pytest.approx(losses, rel=1e-4)
    numbers = state(page)
    assert {*first} <= {*numbers}
    for name, values in last.items():
        moved = float((values - first[name]).double().norm())
        apart = (torch.tensor(numbers[name]).reshape(values.shape) - values).double().norm()
        assert float(apart) <= 1e-4 * max(moved, 1e-3), name


@pytest.mark.parametrize("name", ["plane", "rows"])
def test_losses_and_errors_are_those_of_the_rows(name, at):
    page = at(name)
    task = getattr(pages, name)()
    task.graph.eval()
    for part, rows in (("train", task.train), ("test", task.test)):
        if not rows:
            continue
        task.graph.forward(dict(rows))
        (target,) = (rows[node] for node in task.targets)
        labels = target.argmax(1) if target.ndim == 2 else target
        wrong = float((task.output.top.argmax(1) != labels).double().mean())
        found = measured(page)
        assert found[f"{part} loss"] == pytest.approx(float(task.loss.top), rel=1e-5)
        assert found[f"{part} error"] == pytest.approx(wrong)
    task.graph.train()


def test_the_maps_are_the_values_on_a_grid_of_the_plane(page):
    task = pages.plane()
    count, side, left, bottom = page.run(
        "[Evaluator => 0, ...[playground.evaluator].flatMap(e => [e.side, e.left, e.bottom])]"
        ".map((each, at) => at ? each : playground.evaluator.constructor.GRID)"
    )
    across = (torch.arange(count) + 0.5) / count * side
    x = (left + across).repeat(count)
    y = (bottom + across).flip(0).repeat_interleave(count)
    points = torch.stack([x, y], 1).float()
    for node in (task.output, task.graph["1.tanh"]):
        values = task.graph.forward(x=points, outputs=node)
        place = task.graph.index(node)
        found = page.run(f"Array.from(playground.evaluator.maps.get({place}))")
        assert torch.allclose(torch.tensor(found).reshape(values.shape), values, atol=1e-5)


# training


def test_a_page_begins_with_the_settings_of_python(page):
    numbers = page.run(
        "Object.fromEntries(Array.from(document.querySelectorAll('.setting input[type=number]'))"
        ".map(input => [input.id, Number(input.value)]))"
    )
    assert numbers == {
        "set-lr": 0.1, "set-momentum": 0.5, "set-weight_decay": 0,
        "set-batch": 20, "set-noise": 0, "set-seed": 3,
    }  # fmt: skip
    assert (
        page.run("document.querySelector('.speed').selectedOptions[0].textContent") == "full speed"
    )
    assert text(page, "h1") == "Points"
    assert measured(page)["step"] == 0
    assert page.run("playground.learner.program.gradients.every(g => !g || g.every(x => x === 0))")


def test_a_step_by_button_and_by_key(page):
    page.click("[data-do=step]")
    page.press("ArrowRight", times=2)
    assert steps(page) == 3
    page.wait("document.querySelector('.steps').textContent === 'step 3 · epoch 0'")
    page.press("r")
    assert steps(page) == 0


def test_play_pause_and_rewind(page):
    first = state(page)
    page.press(" ")
    page.wait("playground.learner.steps > 300")
    assert page.run("document.querySelector('.main').getAttribute('aria-label')") == "Pause"
    assert "steps/s" in text(page, ".rate") or page.run("playground.loop.rate") == 0
    page.click("[data-do=toggle]")
    before = steps(page)
    assert not page.run("playground.loop.playing")
    assert measured(page)["train loss"] < 0.2
    assert measured(page)["step"] == before == steps(page)
    page.click("[data-do=rewind]")
    assert state(page) == first
    assert text(page, ".status") == "Back to the first weights."
    assert [point["step"] for point in page.run("playground.runs.now.points")] in ([], [0])


def test_the_same_settings_give_the_same_run(page):
    run = "(() => { playground.rewind(); for (let at = 0; at < 25; at++) playground.step(); })()"
    page.run(run)
    first = state(page)
    page.run(run)
    assert state(page) == first
    write(page, "#set-seed", 4)
    assert steps(page) == 0
    page.run(run)
    assert state(page) != first


@pytest.mark.parametrize(("speed", "most"), [(2, 3), (3, 30)])
def test_slow_speeds_take_single_steps(speed, most, page):
    page.run(f"playground.setSpeed({speed})")
    page.press(" ")
    page.wait("playground.learner.steps >= 2")
    assert steps(page) <= most
    page.press("<")
    assert page.run("Number(document.querySelector('.speed').value)") == speed - 1


def test_a_loss_that_is_not_finite_stops_the_training(page):
    write(page, "#set-lr", "1e30")
    page.press(" ")
    page.wait("!playground.loop.playing")
    assert "is not finite" in text(page, ".status")
    page.press("r")
    assert measured(page)["train loss"] < 10


def test_a_long_step_is_interrupted_and_taken_up_again(page):
    page.run("for (let at = 0; at < 12; at++) playground.step()")
    whole = state(page)
    page.press("r")
    page.run("playground.learner.constructor.LONG = -1; playground.learner.isLong = true")
    calls = page.run(
        "(() => { let calls = 0;"
        "while (playground.learner.steps < 12) { playground.learner.step(0); calls++; }"
        "return calls; })()"
    )
    assert calls == 12 * 20  # one entry in each
    assert state(page) == whole


def test_a_list_of_a_fixed_batch_trains_on_full_batches(at):
    page = at("fixed")
    assert page.run("document.querySelector('#set-batch')") is None
    assert page.run("document.querySelectorAll('.rows tbody tr').length") == 8
    page.run("for (let at = 0; at < 7; at++) playground.step()")
    assert page.run("[playground.learner.epoch, playground.learner.program.batch]") == [2, 10]
    task = pages.fixed()
    batches = [
        {node: rows[at : at + 10] for node, rows in task.train.items()} for at in (0, 10, 20)
    ]
    page.press("r")
    losses = [float(task.graph.forward(batch, outputs=task.loss)) for batch in batches]
    assert measured(page)["train loss"] == pytest.approx(sum(losses) / 3, rel=1e-5)


def test_a_batch_that_the_program_refuses_stops_the_training(at):
    page = at("wrong_label")
    page.press(" ")
    page.wait("!playground.loop.playing")
    page.wait("/stopped: .*out of range/.test(document.querySelector('.status').textContent)")


# one node


def test_the_walk_goes_forward_backward_and_updates(page):
    task = pages.plane()
    names = [task.graph.name_of(node) for node in task.graph]
    whole = (
        "(() => { playground.step(); return Array.from(playground.learner.state['0.weight']); })()"
    )
    after = page.run(whole)
    page.press("r")
    events, phases = [], []
    while steps(page) == 0:
        page.press("n")
        node, phase = page.run("[playground.event.node, playground.event.phase]")
        events.append(node)
        phases.append(phase)
        assert text(page, ".card h2") == f"{node} · {names[node]}"
        assert text(page, ".status").lower() == f"{phase} at {names[node]}."
    forward = [node for node, phase in zip(events, phases, strict=True) if phase == "forward"]
    backward = [node for node, phase in zip(events, phases, strict=True) if phase == "backward"]
    updated = [names[node] for node, phase in zip(events, phases, strict=True) if phase == "update"]
    operations = [names.index(node.name) for node in task.graph if hasattr(node, "op")]
    assert (forward, backward) == (operations, operations[::-1])
    assert updated == [task.graph.name_of(node) for node in task.graph.parameters()]
    assert phases == sorted(phases, key=["forward", "backward", "update"].index)
    assert page.run("Array.from(playground.learner.state['0.weight'])") == after


def test_the_card_shows_formulas_and_numbers_of_the_walk(page):
    page.press("n")
    assert text(page, ".formula.now").startswith("linear₀ = b₀ + x · W₀ᵀ")
    assert "1 of 20 in step 1. Forward" in text(page, ".sentence")
    shown = page.run("Array.from(document.querySelectorAll('.grids td')).map(td => td.textContent)")
    values = page.run("Array.from(playground.learner.program.values[4].subarray(0, 4))")
    assert [float(each) for each in shown[:4]] == pytest.approx(values, rel=6e-3, abs=1e-3)
    page.press("n", times=7)
    now = page.run("Array.from(document.querySelectorAll('.formula.now')).map(p => p.textContent)")
    assert [line.split(" = ")[0] for line in now] == ["dL/dL", "dL/d(lossmse.squared_error)"]
    assert text(page, ".box.now title").startswith("lossmse")
    page.press("n", times=7)
    assert "Update: SGD moves it by" in text(page, ".sentence")


def test_a_number_is_written_out_and_the_program_is_shown(page):
    page.press("n")
    page.run("document.querySelector('.grids td').focus()")
    values = page.run(
        "(({x}, s) => [x[0], s['0.weight'][0], x[1], s['0.weight'][1], s['0.bias'][0]])"
        "(playground.learner.program.inputs, playground.learner.state)"
    )
    written = text(page, ".told")
    assert [float(part) for part in re.split("·|\\+", written.split("=")[0])] == pytest.approx(
        values, rel=6e-3, abs=1e-3
    )
    page.press("n")
    page.hover(".grids td")
    assert text(page, ".told").startswith("tanh(")
    assert "function backward_layer1_tanh() {" in text(page, ".card pre")
    page.run("document.querySelector('.card summary').click()")
    page.press("n")
    assert page.run("document.querySelector('.card details').open")


def test_a_layer_of_many_nodes_has_a_menu(at):
    page = at("rows")
    page.run("playground.choose(playground.data.nodes.findIndex(each => each.name === '1.rsqrt'))")
    page.run(
        "(e => { e.selectedIndex = 0; e.dispatchEvent(new Event('change')); })"
        "(document.querySelector('.card select'))"
    )
    assert text(page, ".card h2").endswith("· 1.weight")


def test_a_walk_begins_with_nothing_but_its_batch(page):
    page.press("ArrowRight", times=3)
    page.press("n")
    zero = page.run(
        "playground.data.nodes.map((node, at) => node.kind !== 'operation' || at === 4 ||"
        " playground.learner.program.values[at].every(value => value === 0))"
    )
    assert all(zero)


def test_the_rest_of_a_step_is_taken_at_once(page):
    page.press("n", times=5)
    page.press("ArrowRight")
    assert steps(page) == 1
    assert page.run("[playground.event, playground.learner.at]") == [None, None]
    assert page.run("document.querySelector('.card').hidden")


def test_play_at_the_speed_of_nodes_is_the_walk(page):
    page.run("playground.setSpeed(1)")
    page.press(" ")
    page.wait("playground.event && playground.event.node > 4")
    assert steps(page) == 0


# settings


def test_a_number_can_be_typed_and_a_slider_moved(page):
    write(page, "#set-lr", 0.5)
    assert setting(page, "lr") == 0.5
    page.run("document.querySelector('[data-slide=lr]').focus()")
    page.press("ArrowRight", times=30)
    assert setting(page, "lr") > 0.5
    assert steps(page) == 0
    x, y = page.middle("[data-slide=momentum]")
    page.click((x, y))
    assert setting(page, "momentum") == pytest.approx(0.5, abs=0.02)
    assert float(page.run("document.querySelector('#set-momentum').value")) == setting(
        page, "momentum"
    )
    page.press("Home")
    assert setting(page, "momentum") == 0
    page.press("ArrowRight")
    page.press("r")
    page.run("playground.step()")
    numbers = page.run("playground.learner.program.numbers")
    assert numbers["lr"] == setting(page, "lr")


@pytest.mark.parametrize(
    ("name", "number", "said"),
    [
        ("batch", 0, "an integer of 1 or more, at most 110"),
        ("batch", 2.5, "an integer"),
        ("batch", 111, "at most 110"),
        ("lr", -1, "a number of 0 or more"),
        ("seed", 2**32, "at most 4294967295"),
    ],
)
def test_a_wrong_number_is_refused_in_words(name, number, said, page):
    before = setting(page, name)
    write(page, f"#set-{name}", number)
    assert said in text(page, ".status")
    assert setting(page, name) == before
    assert float(page.run(f"document.querySelector('#set-{name}').value")) == before


def test_the_batch_size_holds_from_the_next_batch_on(page):
    write(page, "#set-batch", 7)
    page.run("playground.step()")
    assert page.run("playground.learner.program.batch") == 7
    assert len(page.run("Array.from(playground.learner.program.inputs.x)")) == 14


def test_each_group_of_parameters_has_its_learning_rate(at):
    page = at("groups")
    assert [text(page, f"label[for={name}]") for name in ("set-lr", "set-lr-1")] == [
        "learning rate", "learning rate, group 1",
    ]  # fmt: skip
    first = state(page)
    write(page, "#set-lr-1", 0)
    page.press("ArrowRight")
    now = state(page)
    changed = {name for name in first if "/" not in name and now[name] != first[name]}
    assert changed == {"0.weight", "0.bias"}


def test_noise_moves_the_rows_and_none_brings_them_back(page):
    rows = "Array.from(playground.learner.rows.data.x)"
    clean = page.run(rows)
    write(page, "#set-noise", 0.3)
    apart = torch.tensor(page.run(rows)) - torch.tensor(clean)
    assert float(apart.std()) == pytest.approx(0.3, rel=0.15)
    expected = Random(3 + 0x2000000)
    assert apart[:4].tolist() == pytest.approx(
        [0.3 * expected.normal() for _ in range(4)], abs=1e-6
    )
    write(page, "#set-noise", 0)
    assert page.run(rows) == clean


# points and runs


def test_a_click_adds_a_point_of_the_chosen_class(page):
    left, top, width, height = page.rectangle(".points")
    page.click(".classes label:first-child")
    page.click((left + width / 4, top + height / 4))
    assert page.run("playground.learner.rows.count") == 111
    x, y = page.run("Array.from(playground.learner.rows.row('x', 110))")
    start = page.run(
        "[playground.evaluator.left, playground.evaluator.bottom, playground.evaluator.side]"
    )
    assert x == pytest.approx(start[0] + start[2] / 4, abs=0.02)
    assert y == pytest.approx(start[1] + start[2] * 3 / 4, abs=0.02)
    assert page.run("Array.from(playground.learner.rows.row('t', 110))") == [1, 0]
    page.press("r")
    page.run("for (let at = 0; at < 12; at++) playground.step()")
    assert page.run("playground.learner.epoch") == 1
    assert len(page.run("Array.from(playground.learner.places)")) == 111
    page.click(".adding button")
    assert page.run("playground.learner.rows.count") == 110
    assert page.run("document.querySelector('.adding button').disabled")


def test_the_keyboard_adds_points_too(page):
    page.run("document.querySelector('.points').focus()")
    page.press("ArrowRight", times=3)
    page.press("ArrowUp", times=2)
    page.press("0")
    page.press("Enter")
    assert page.run("Array.from(playground.learner.rows.row('t', 110))") == [1, 0]
    assert steps(page) == 0
    page.press("Backspace")
    assert page.run("playground.learner.rows.count") == 110


def test_the_surface_says_what_was_learned(page):
    page.press(" ")
    page.wait("playground.learner.steps > 4000")
    page.press(" ")
    assert measured(page)["train error"] < 0.05
    middle, corner = page.run(
        "[[24, 24], [1, 1]].map(([x, y]) => Array.from("
        "document.querySelector('.ground').getContext('2d').getImageData(x, y, 1, 1).data))"
    )
    assert middle[0] > middle[2]  # orange inside
    assert corner[2] > corner[0]  # blue outside


def test_two_runs_are_compared(page):
    assert page.run("document.querySelector('.curves .heading button').disabled")
    page.run("for (let at = 0; at < 5; at++) { playground.step(); playground.evaluator.finish(); }")
    page.press("k")
    write(page, "#set-lr", 0.01)
    page.press("r")
    page.press("ArrowRight", times=4)
    lines = page.run(
        "Array.from(document.querySelectorAll('.legend li')).map(li => li.textContent)"
    )
    assert lines == ["run 1: learning rate 0.1×", "run 2 (now): learning rate 0.01"]
    kept, now = page.run(
        "[playground.runs.kept[0].points.length, playground.runs.now.points.length]"
    )
    assert (kept, now) == (6, 5)
    page.click(".legend button")
    assert page.run("document.querySelectorAll('.legend li').length") == 0


# the picture


def test_boxes_show_values_and_gradients(page):
    page.press("ArrowRight")
    page.press("v")
    page.wait("document.querySelector('[data-view=nodes-wide]').hidden === false")
    shown = page.run(
        "Array.from(document.querySelector('#nodes-wide-n2').querySelectorAll('text'))"
        ".map(text => text.textContent.trim()).filter(Boolean).slice(-4)"
    )
    norms = page.run(
        "[playground.learner.program.values[2], playground.learner.program.gradients[2]]"
        ".map(array => Math.hypot(...array))"
    )
    assert shown[0::2] == ["value", "grad"]
    assert [float(each) for each in shown[1::2]] == pytest.approx(norms, rel=6e-3)
    drawn = page.run(
        "Array.from(document.querySelectorAll('[data-view=nodes-wide] canvas')).map(canvas =>"
        " canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data"
        ".some(byte => byte))"
    )
    assert len(drawn) > 20
    assert all(drawn)


def test_a_box_is_chosen_by_hand_and_by_key(page):
    linear = pages.plane().graph["2.linear"].index
    key = page.run(
        "Object.entries(playground.data.views[0].boxes)"
        f".find(([, box]) => box.nodes.includes({linear}))[0]"
    )
    page.click(f"#layers-wide-{key}")
    assert text(page, ".card h2").endswith("2.linear")
    page.click(".siblings button")
    assert text(page, ".card h2").endswith("2.weight")
    page.press("Escape")
    assert page.run("document.querySelector('.card').hidden")
    page.run("document.querySelector('.picture').focus()")
    page.press("ArrowRight", times=2)
    assert page.run("playground.chosen") == 1
    assert steps(page) == 0


def test_rows_are_shown_with_their_predictions(at):
    page = at("rows")
    lines = page.run(
        "Array.from(document.querySelectorAll('.rows tbody tr')).map(row =>"
        " Array.from(row.children).map(cell => cell.textContent))"
    )
    task = pages.rows()
    task.graph.eval()
    task.graph.forward(dict(task.train))
    outputs, labels = task.output.top, task.train[task.targets[0]]
    for place, (row, label, said, output, *_) in enumerate(lines):
        assert (int(row), int(label)) == (place, int(labels[place]))
        best = int(outputs[place].argmax())
        assert said == f"{'✓' if best == labels[place] else '✗'} {best}"
        assert [float(each) for each in output.split()] == pytest.approx(
            outputs[place].tolist(), rel=6e-3, abs=1e-3
        )
    task.graph.train()
    assert len(lines) == 8


# the page


@pytest.mark.parametrize("size", [(1280, 720), (420, 800), (1920, 1080)], ids=str)
@pytest.mark.parametrize("name", ["plane", "rows"])
def test_it_fits_on_every_screen(name, size, at):
    page = at(name, *size)
    page.press("n")
    assert page.run("document.documentElement.scrollWidth <= innerWidth")
    if size[0] > 900:
        assert page.run("document.documentElement.scrollHeight <= innerHeight")
        assert page.run("(e => e.scrollHeight <= e.clientHeight)(document.querySelector('.side'))")
    for button in ("rewind", "toggle", "step", "node"):
        left, top, width, height = page.rectangle(f"[data-do={button}]")
        assert left >= 0 <= top
        assert left + width <= size[0]
        assert min(width, height) >= 36
    page.wait(
        "[document.querySelector('.picture'), document.querySelector('.box.now')]"
        ".map(e => e.getBoundingClientRect()).reduce((pane, box) => pane.left <= box.left + 1 &&"
        " pane.top <= box.top + 1 && box.right <= pane.right + 1 && box.bottom <= pane.bottom + 1)"
    )


def test_a_finger_trains_and_adds_points(at):
    page = at("plane", 420, 800)
    page.call("Emulation.setTouchEmulationEnabled", enabled=True)

    def tap(x, y):
        page.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        page.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    tap(*page.middle("[data-do=step]"))
    page.wait("playground.learner.steps === 1")
    page.run("document.querySelector('.points').scrollIntoView({ block: 'center' })")
    tap(*page.middle(".points"))
    page.wait("playground.learner.rows.count === 111")
    page.call("Emulation.setTouchEmulationEnabled", enabled=False)


def test_it_is_dark_where_the_reader_prefers_it_or_the_button_says_so(page):
    colour = "getComputedStyle(document.querySelector('.graphnet-playground')).backgroundColor"
    light = page.run(colour)
    page.press("d")
    dark = page.run(colour)
    assert light == "rgb(255, 255, 255)"
    assert dark != light
    assert page.run("playground.colours.ground") == "#11171f"
    page.press("d")
    assert page.run(colour) == light
    page.prefer(color_scheme="dark")
    page.run("delete document.querySelector('.graphnet-playground').dataset.theme")
    assert page.run(colour) == dark


def test_everything_that_can_be_used_has_a_name(page):
    page.press("n")
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    roles = {"button", "slider", "spinbutton", "combobox", "checkbox", "radio", "textbox", "image"}
    used = [node for node in nodes if node.get("role", {}).get("value") in roles]
    assert len(used) > 25
    nameless = [node for node in used if not node.get("name", {}).get("value")]
    assert nameless == []
    assert page.run("document.querySelector('.status').getAttribute('aria-live')") == "polite"


def test_the_keyboard_reaches_everything_and_shows_where_it_is(page):
    reached = []
    for _ in range(40):
        page.press("Tab")
        name, style = page.run(
            "(e => [e.dataset.do || e.id || e.className, getComputedStyle(e).outlineStyle])"
            "(document.activeElement)"
        )
        reached.append(name)
        if name in ("toggle", "set-lr", "picture", "points"):
            assert style == "solid", name
    assert {"rewind", "toggle", "step", "node", "theme", "set-lr", "picture", "points"} <= {
        *reached
    }


def test_reduced_motion_moves_less(page):
    count = (
        "new Promise(done => { let frames = 0, draws = 0;"
        "const say = playground.say.bind(playground);"
        "playground.say = (what, ...more) => { draws += what === 'frame'; say(what, ...more); };"
        "const tick = () => ++frames < 30 ? requestAnimationFrame(tick) : done(draws);"
        "playground.play(); requestAnimationFrame(tick); })"
    )
    calm = page.run(count)
    page.press("r")
    page.prefer(reduced_motion="no-preference")
    lively = page.run(count)
    page.press(" ")
    assert calm < lively


def test_the_policy_refuses_what_is_not_of_the_page(page):
    page.run(
        "(() => { const script = document.createElement('script');"
        "script.textContent = 'window.taken = true'; document.body.append(script); })()"
    )
    assert page.run("window.taken") is None
    assert len(page.faults) == 1
    assert "Content Security Policy" in page.faults.pop()


def test_hostile_names_are_shown_and_never_obeyed(at):
    page = at("hostile")
    task = pages.hostile()
    assert text(page, "h1") == printable(task.title)
    assert page.run("document.scripts.length") == 3
    assert page.run("document.querySelectorAll('img, image, a, iframe').length") == 0
    page.press("ArrowRight", times=2)
    assert steps(page) == 2
    names = page.run("playground.data.nodes.map(node => node.name)")
    assert names == [printable(task.graph.name_of(node)) for node in task.graph]
    for place in range(len(names)):
        page.run(f"playground.choose({place})")
        assert text(page, ".card h2") == f"{place} · {names[place]}"

"""Changes of all kinds between steps in C, against the walk alone.

The machine of `compile.test_state` draws them at random. Each set of sizes, modes and frozen
parameters is a program, so by default a fixed row of changes is made, with one size of batch.
"""

from __future__ import annotations

import pytest
from compile.test_state import CHANGES, Machine
from compile.test_state import test_a_run_that_is_continued_elsewhere as continued_elsewhere
from compile.test_state import test_another_dtype as another_dtype
from compile.test_state import test_two_steps_of_one_optimizer as two_steps_of_one_optimizer
from hypothesis import settings
from native import every_program
from profiles import examples
from sampling import some

ROWS = 4


@pytest.fixture(autouse=True)
def _in_c():
    with every_program("c"):
        yield


def started(kind):
    machine = Machine()
    machine.start(kind=kind, seed=0)
    return machine


def each_change(machine):
    """All changes, those that keep the program before those that need another one."""
    for number, change in enumerate(CHANGES):
        if change.__name__ not in ("mode", "freeze"):
            yield lambda change=change, number=number: machine.change(change, number % 5, number)
    yield lambda: machine.change(CHANGES[0], 0, 0)
    for number in (1, 2):  # for prediction, and back
        yield lambda number=number: machine.change(by_name("mode"), 0, number)
    for number in (1, 2):  # frozen, and not
        yield lambda number=number: machine.change(by_name("freeze"), 1, number)


def by_name(name):
    return next(each for each in CHANGES if each.__name__ == name)


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize("kind", some(["SGD", "Adam", "RMSprop", "NAdam"], 3))
def test_each_change_between_steps(kind):
    machine = started(kind)
    machine.compiled_steps(rows=ROWS, count=2)
    assert machine.ours.step.source.startswith("#include")
    for number, change in enumerate(each_change(machine)):
        change()
        machine.same()
        machine.compiled_steps(rows=ROWS, count=1)
        machine.same()
        if number % 3 == 0:
            machine.walked_step(rows=ROWS)
            machine.many_steps(rows=ROWS)
            machine.same()
    assert machine.ours.step.source.startswith("#include")


@pytest.mark.usefixtures("level")
def test_all_else_between_steps():
    machine = started("Adam")
    machine.compiled_steps(rows=ROWS, count=2)
    actions = [
        lambda: machine.accumulated_batch(rows=ROWS),
        lambda: machine.accumulated_batch(rows=ROWS),
        lambda: machine.compiled_steps(rows=ROWS, count=2),
        lambda: machine.compile_again(rows=ROWS, training=False),
        lambda: machine.compile_again(rows=ROWS, training=True),
        lambda: machine.rewind(rows=ROWS, count=2, what="both"),
        lambda: machine.rewind(rows=ROWS, count=1, what="optimizer"),
        *(lambda kind=kind: machine.wrong_feed(kind=kind) for kind in ("shape", "name", "nan")),
        lambda: machine.many_steps(rows=ROWS),
    ]
    for action in actions:
        action()
        machine.same()


@pytest.mark.parametrize("test", [continued_elsewhere, another_dtype, two_steps_of_one_optimizer])
def test_runs_of_several_parts(test):
    test()


@pytest.mark.slow
class TestMachine(Machine.TestCase):
    settings = settings(examples(100), stateful_step_count=20)

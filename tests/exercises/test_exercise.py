"""What an exercise is: a teacher's, an answer as an operation and as a layer, and its task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, get_type_hints

import pytest
import torch
from exercises.answers import MyBatchNorm, MyConv1d, MyLinear, MySigmoid

import graphnet as gn
from graphnet.exercises import ALL, Add, BatchNorm, Exercise


class Softmax(Exercise):
    """y = eˣ / Σ eˣ in each row.  Shapes: (n, k) -> (n, k)."""

    symbol = "softmax"
    shapes = ((5, 4),)
    clue_x = "Each share depends on every x of its row."

    def forward(self, x):
        return x.softmax(1)


class MySoftmax(Softmax):
    def grad_x(self, grad, top):
        return top * (grad - (grad * top).sum(1, True))


def test_a_teacher_adds_an_exercise():
    assert gn.grade(MySoftmax)

    class Alone(Softmax):
        def grad_x(self, grad, top):
            return grad * top * (1 - top)

    mark = gn.grade(Alone).marks[0]
    assert "this path is missing" in mark.hint

    class Half(Softmax):
        def grad_x(self, grad, top):
            return top * (grad - (grad * top).mean(1, True))

    assert gn.grade(Half).marks[0].hint == Softmax.clue_x


def test_a_wrong_rule_never_stays_without_a_word():
    class Cube(Exercise):
        shapes = ((5, 3),)

        def forward(self, x):
            return x * x * x

    class MyCube(Cube):
        def grad_x(self, grad, x):
            return grad * x.exp()

    assert gn.grade(MyCube).marks[0].hint.startswith("No usual mistake explains it. Take one")


def test_an_input_may_be_without_a_rule_and_inputs_may_broadcast():
    class Scale(Exercise):
        shapes = ((5, 3), (3,))
        broadcasts = True
        grad_size = None

        def forward(self, x, size):
            return x * size

    class MyScale(Scale):
        def grad_x(self, grad, size):
            return grad * size

    assert Scale.required_rules() == ["grad_x"]
    assert gn.grade(MyScale)


INCOMPLETE = {
    "no forward": ({"shapes": ((3,),)}, "needs a forward"),
    "no shapes": ({"forward": lambda self, x: x}, "a shape for each input"),
    "a parameter": (
        {"forward": lambda self, x: x, "shapes": ((3,),), "parameters": ("w",)},
        "no input 'w'",
    ),
    "a place for a name": (
        {"forward": lambda self, x: x, "shapes": ((3,),), "integers": {0: 4}},
        "no input 0; its inputs are x",
    ),
    "integers to learn": (
        {
            "forward": lambda self, x, target: x,
            "shapes": ((5, 3), (5,)),
            "integers": {"target": 3},
            "parameters": ("target",),
        },
        "'target' is in both parameters and integers",
    ),
    "a clue": ({"forward": lambda self, x: x, "shapes": ((3,),), "clue_y": ""}, "no input 'y'"),
    "a shape alone": (
        {"forward": lambda self, x, y: x, "shapes": (5, 3)},
        "a shape for each input",
    ),
    "a large shape": (
        {"forward": lambda self, x: x, "shapes": ((300, 200),)},
        "at most 256 elements",
    ),
    "an answer to another": (
        {"forward": lambda self, x: x, "shapes": ((3,),), "exercise": Add},
        "'exercise' is a reserved name",
    ),
    "a name": ({"forward": lambda self, x: x, "shapes": ((3,),), "options": 1}, "reserved name"),
}


@pytest.mark.parametrize(("members", "message"), INCOMPLETE.values(), ids=INCOMPLETE)
def test_an_incomplete_exercise_is_refused(members, message):
    with pytest.raises(gn.GraphError, match=message):
        type("Mine", (Exercise,), members)


def test_integers_are_given_by_name():
    assert get_type_hints(Exercise)["integers"] == ClassVar[Mapping[str, int]]


@pytest.mark.parametrize("base", [Exercise, Add])
@pytest.mark.parametrize(
    "name", ["required_rules", "clue", "op", "module", "task", "low", "symbol"]
)
@pytest.mark.parametrize("kind", [lambda f: f, staticmethod, classmethod])
def test_a_helper_with_a_name_of_the_exercise_is_refused(base, name, kind):
    members = {"forward": lambda self, x: x, "shapes": ((3,),), name: kind(lambda *_: None)}
    with pytest.raises(gn.GraphError, match=f"'{name}' is a reserved name"):
        type("Mine", (base,), members)


def test_a_setting_of_an_exercise_takes_no_method_away():
    with pytest.raises(gn.GraphError, match="'op' is a reserved name"):
        type("Mine", (Add,), {"op": "+"})


def test_an_answer_is_an_operation():
    x = torch.tensor([0.0, 1.0])
    assert torch.equal(MySigmoid.op()(x), x.sigmoid())
    with pytest.raises(gn.GraphError, match="lacks grad_x, grad_y"):
        Add.op()


def test_an_answer_is_a_layer_that_learns():
    generator = torch.Generator().manual_seed(0)
    weight = torch.rand(1, 2, generator=generator)
    layer = MyLinear.module(weight=weight, bias=torch.zeros(1))
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]
    with gn.Graph() as graph:
        x, t = gn.Input((None, 2), name="x"), gn.Input((None, 1), name="t")
        loss = gn.LossMSE()(layer(x), t)
    points = torch.rand(50, 2, generator=generator)
    sgd = gn.SGD(layer.parameters(), lr=0.5)
    for _ in range(200):
        value = graph.forward(x=points, t=points @ torch.tensor([[1.0], [2.0]]) + 3)
        graph.backward(loss)
        sgd.step()
    assert value < 1e-2
    assert MyBatchNorm.module().forward(torch.rand(4, 3)).shape == (4, 3)
    with pytest.raises(gn.GraphError, match="initial values for weight, bias; got 'w'"):
        MyLinear.module(w=weight)
    with pytest.raises(gn.GraphError, match="initial values for no parameters; got 'weight'"):
        MyConv1d.module(weight=weight)


@pytest.mark.parametrize("exercise", ALL)
def test_a_task_is_a_program_with_gaps(exercise):
    source = exercise.task()
    namespace = {"gn": gn}
    exec(source, namespace)
    grade = gn.grade(namespace[f"My{exercise.__name__}"])
    assert not grade.points
    if issubclass(exercise, Exercise):
        assert all(mark.fault == "it returns nothing" for mark in grade.marks[:-1])
        assert "# def forward(" in source
    assert "mistake_" not in source


def test_the_task_of_a_teachers_exercise():
    assert Softmax.task().startswith("class MySoftmax(Softmax):")
    assert "# def normalized(self, x" in BatchNorm.task()
    namespace = {"Exercise": Exercise}
    exec(  # as typed at a prompt: there is no source to show
        "class Typed(Exercise):\n    shapes = ((3,),)\n    def forward(self, x):\n        return x",
        namespace,
    )
    assert "given" not in namespace["Typed"].task()

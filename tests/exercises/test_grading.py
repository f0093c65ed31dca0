"""`gn.grade`: how an answer finds its exercise, and what costs the last point."""

from __future__ import annotations

import sys
from fractions import Fraction

import pytest
from exercises.answers import MyAdam, MyAdd, MyBatchNorm, MyMul, MyTrainingLoop

import graphnet as gn
from graphnet import ops
from graphnet.exercises import Add, AddBias, BatchNorm, Exercise, Mul, ProgramExercise, ReLU


class OwnMul(gn.Op):
    symbol = "×"

    def forward(self, x, y):
        return x * y

    def grad_x(self, grad, y):
        return grad * y

    def grad_y(self, grad, x):
        return grad * x


@pytest.mark.parametrize("exercise", [Mul, "Mul", "mul", MyMul])
def test_an_op_of_its_own_is_graded(exercise):
    assert gn.grade(OwnMul, exercise)


@pytest.mark.parametrize("name", ["batch norm", "BatchNorm", "batch_norm", "batch-norm"])
def test_an_exercise_is_named(name):
    assert gn.grade(MyBatchNorm, name).exercise == "BatchNorm"


REFUSED = {
    "an instance": ((MyAdd(),), "takes the class of an answer"),
    "no exercise": ((OwnMul,), "nor an answer to one"),
    "an unknown name": ((OwnMul, "cube"), "There is no exercise 'cube'"),
    "the base": ((Exercise,), "^Exercise is the base of all exercises; derive from one of them"),
    "the base, named": ((OwnMul, Exercise), "^Exercise is the base of all exercises"),
    "another class": ((OwnMul, int), "nor an answer to one"),
    "the base of programs": ((ProgramExercise,), "^ProgramExercise is the base of all exercises"),
    "no point": ((MyMul, None, {"grad_z": 1}), "points are grad_x, grad_y, form"),
    "a negative weight": (
        (MyMul, None, {"form": -1}),
        "the weight of form must be a finite number",
    ),
    "no weight": ((MyMul, None, {"form": "1"}), "the weight of form must be a finite number"),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_answer_is_refused(arguments, message):
    with pytest.raises(gn.GraphError, match=message):
        gn.grade(*arguments)


def test_each_rule_is_a_point():
    class Half(Add):
        def grad_x(self, grad):
            return grad

        grad_y = None

    grade = gn.grade(Half)
    assert grade.score == Fraction(1, 3)
    assert not grade
    assert "grad_y(self, grad, ...)" in grade.marks[1].hint
    assert grade.marks[2].left_out == "the rules come first"


def test_a_wrong_rule_does_not_spoil_the_others():
    class Strange(Mul):
        grad_x = 3

        def grad_y(self, grad, x):
            return grad * x

    marks = gn.grade(Strange).marks
    assert not marks[0].right
    assert marks[1].right


def test_a_helper_may_be_inherited():
    class Helped(Mul):
        def times(self, a, b):
            return a * b

        def grad_x(self, grad, y):
            return self.times(grad, y)

    class Both(Helped):
        def grad_y(self, grad, x):
            return self.times(grad, x)

    assert gn.grade(Both)


@pytest.mark.parametrize("name", ["clue", "task", "low", "op", "shapes", "exercise"])
def test_an_op_of_its_own_calls_its_helpers_as_it_likes(name):
    def grad_x(self, grad, y):
        return getattr(self, name)(grad, y)

    members = {name: lambda self, a, b: a * b, "grad_x": grad_x}
    own = type("Mine", (gn.Op,), {**vars(OwnMul), **members, "__annotations__": {}})
    assert gn.grade(own, Mul)


def test_the_last_point_asks_for_rules_that_run_on_nodes():
    class OnTensorsOnly(ReLU):
        def grad_x(self, grad, x):
            return grad * x.clone().gt(0).double()

    grade = gn.grade(OnTensorsOnly)
    assert grade.score == Fraction(1, 2)
    assert grade.marks[0].right
    assert "clone" in grade.marks[1].fault


class ByNumber(BatchNorm):
    """As textbooks have it: with the number of rows."""

    grad_weight, grad_bias = MyBatchNorm.grad_weight, MyBatchNorm.grad_bias

    def number(self, x):
        return x.shape[0]

    def grad_x(self, grad, x, weight):
        n, standard = self.number(x), self.normalized(x)
        sums = grad.sum(0) + standard * (grad * standard).sum(0)
        return (n * grad - sums) * weight / (n * self.deviation(x))


class ByLength(ByNumber):
    def number(self, x):
        return len(x)


class ByOnes(ByNumber):
    def number(self, x):
        return ops.ones_like(x).sum(0)


class ByRow(AddBias):
    grad_x = MyAdd.grad_x

    def grad_bias(self, grad):
        total = grad[0]
        for row in range(1, grad.shape[0]):
            total = total + grad[row]
        return total


class ByTensors(AddBias):
    grad_x = MyAdd.grad_x

    def grad_bias(self, grad):
        return grad.sum(axis=0)


LAST = {
    ByNumber: "shape[0] is None",
    ByLength: "there is no len()",
    ByRow: "may have no rows",
    ByTensors: "also run on nodes",
}


@pytest.mark.parametrize(("answer", "way_out"), LAST.items())
def test_the_last_point_is_explained(answer, way_out):
    grade = gn.grade(answer)
    assert all(mark.right for mark in grade.marks[:-1])
    assert way_out in grade.marks[-1].hint


def test_the_way_out_of_the_number_of_rows_gets_all_points():
    assert gn.grade(ByOnes), str(gn.grade(ByOnes))


def test_a_method_that_is_no_rule_is_reported():
    class Typo(Mul):
        def grad_Y(self, grad, x):
            return grad * x

    assert gn.grade(Typo).remarks == ("grad_Y is not a rule here; the rules are grad_x, grad_y.",)


def test_an_exercise_without_finite_values_is_refused():
    class Log(Exercise):
        shapes = ((5, 3),)

        def forward(self, x):
            return x.log()

    class MyLog(Log):
        def grad_x(self, grad, x):
            return grad / x

    with pytest.raises(gn.GraphError, match="from -2 to 2: set low and high"):
        gn.grade(MyLog)


def test_what_the_exercise_gives_stays_as_it_is():
    class Constant(Add):
        shapes = ((0,), (0,))

        def forward(self, x, y):
            return (x + y) * 0

        def grad_x(self, grad):
            return grad * 0

        def grad_y(self, grad):
            return grad * 0

    grade = gn.grade(Constant)
    assert grade.score == 0
    assert grade.remarks == (
        "forward is given by the exercise: yours was not used.",
        "shapes is given by the exercise: yours was not used.",
    )


def test_a_rule_that_raises_shows_the_shapes():
    class Misfit(Add):
        def grad_x(self, grad):
            return grad.reshape(2, 2)

    mark = gn.grade(Misfit).marks[0]
    assert mark.fault.startswith("it raises RuntimeError")
    assert mark.hint == "It reads grad (5, 3)."


class HalfRight(Mul):
    grad_x = MyMul.grad_x

    def grad_y(self, grad, x):
        return grad


def test_points_have_weights():
    grade = gn.grade(HalfRight, weights={"grad_x": 2.5, "form": 0})
    assert (grade.points, grade.total) == (Fraction(5, 2), Fraction(7, 2))
    assert grade.score == Fraction(5, 7)
    assert grade.headline.endswith("2.5 of 3.5 points.")
    assert gn.grade(MyMul, weights={"grad_x": 0, "grad_y": 0, "form": 0}).score == 0
    assert gn.grade(MyMul, weights={"grad_x": 0, "grad_y": 0, "form": 0})


def test_mathematics_and_form_are_apart():
    class OnTensorsOnly(Mul):
        grad_y = MyMul.grad_y

        def grad_x(self, grad, y):
            return grad * y.clone()

    grade = gn.grade(OnTensorsOnly)
    assert (grade.mathematics, grade.form, grade.points) == (2, 0, 2)
    assert (gn.grade(MyMul).mathematics, gn.grade(MyMul).form) == (2, 1)
    assert (gn.grade(HalfRight).mathematics, gn.grade(HalfRight).form) == (1, 0)


ENDS = {
    "an exit": (lambda: sys.exit(3), "it ends the program by SystemExit: 3"),
    "an error": (lambda: 1 / 0, "it raises ZeroDivisionError"),
    "not begun": (lambda: throw(NotImplementedError()), "it is not written yet"),
}


def throw(error):
    raise error


@pytest.mark.parametrize(("action", "fault"), ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("answer", [MyAdam, MyTrainingLoop])
def test_a_program_that_fails_is_graded(answer, action, fault):
    mine = type("Mine", (answer,), {answer.exercise.method: lambda *_: action()})
    grade = gn.grade(mine)
    assert all(mark.fault.startswith(fault) for mark in grade.marks[:-1])
    assert grade.marks[-1].left_out == "the results come first"


def test_a_program_of_its_own_is_graded():
    class Plain:
        update = MyAdam.update
        lr, beta1, beta2, eps = 0.1, 0.9, 0.999, 1e-8

    assert gn.grade(Plain, "adam")
    assert gn.grade(Plain, "training loop").marks[0].fault == "it is not written yet"


def test_a_mistake_that_an_exercise_names_is_no_part_of_its_task():
    class Half(Exercise):
        shapes = ((5, 3),)

        def forward(self, x):
            return x.exp()

        def mistake_power(self, still, x):
            """This is the rule
            for a power."""
            return still.x.exp() * x * x / 2

    class MyHalf(Half):
        def grad_x(self, grad, x):
            return grad * x * x.exp()

    assert gn.grade(MyHalf).marks[0].hint == "This is the rule for a power."
    assert "mistake" not in Half.task()
    assert Half.required_rules() == ["grad_x"]

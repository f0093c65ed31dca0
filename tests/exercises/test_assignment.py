"""What a teacher hands out: cells that nbgrader takes, a notebook, and tests for pytest."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from exercises.answers import MyAdam, MyBatchNorm, MyCrossEntropy, MyMul, MyRNNCell, MySigmoid

import graphnet as gn
from graphnet import __main__ as program
from graphnet.exercises import ALL, Exercise

REGION = re.compile(r"( *)### BEGIN SOLUTION\n.*?### END SOLUTION", re.DOTALL)
ROOT = Path(gn.__file__).parents[1]


def for_students(source):
    """What `nbgrader generate_assignment` makes of a cell, by its documentation."""
    return REGION.sub(r"\1# YOUR CODE HERE\n\1raise NotImplementedError()", source)


def points_of(answer, tests):
    """What `nbgrader autograde` gives: the last line of the tests, run after the answer."""
    namespace = {"gn": gn}
    exec(answer, namespace)
    *lines, last = tests.splitlines()
    exec("\n".join(lines), namespace)
    return eval(last, namespace)


@pytest.mark.parametrize("exercise", ALL)
def test_the_cells_are_as_nbgrader_wants_them(exercise, capsys):
    answer, tests = gn.exercises.cell(exercise)
    ours, theirs = answer["metadata"]["nbgrader"], tests["metadata"]["nbgrader"]
    assert {key: ours[key] for key in ("grade", "solution", "locked")} == {
        "grade": False, "solution": True, "locked": False,
    }  # fmt: skip
    assert {key: theirs[key] for key in ("grade", "solution", "locked")} == {
        "grade": True, "solution": False, "locked": True,
    }  # fmt: skip
    assert theirs["points"] == len(exercise.points())
    assert "points" not in ours
    for data in (ours, theirs):
        assert data["schema_version"] == 3
        assert re.fullmatch(r"[\w-]+", data["grade_id"], re.ASCII)
    assert len(REGION.findall(answer["source"])) == len(exercise.required_rules())
    assert points_of(for_students(answer["source"]), tests["source"]) == 0
    assert "it is not written yet" in capsys.readouterr().out


@pytest.mark.parametrize("answer", [MyMul, MyCrossEntropy, MyBatchNorm, MyAdam])
def test_a_solution_fills_the_gaps(answer):
    weights = {"form": 0.5}
    mine, tests = gn.exercises.cell(answer.exercise, answer, weights)
    worth = len(answer.points()) - 0.5
    assert tests["metadata"]["nbgrader"]["points"] == worth
    assert points_of(mine["source"], tests["source"]) == worth
    hidden = for_students(mine["source"])
    assert hidden == for_students(gn.exercises.cell(answer.exercise)[0]["source"])
    assert points_of(hidden, tests["source"]) == 0


class Short(gn.exercises.ReLU):
    def grad_x(self, grad, x): return grad * (x > 0)  # fmt: skip


class Lambda(gn.exercises.ReLU):
    grad_x = lambda self, grad, x: grad * (x > 0)  # noqa: E731 - a student may


def test_a_rule_in_one_line_is_a_solution_too():
    cells = gn.exercises.cell("relu", Short)
    assert points_of(*(each["source"] for each in cells)) == 2


def typed():
    namespace = {"gn": gn}
    exec("class A(gn.exercises.ReLU):\n    def grad_x(self, grad): return grad", namespace)
    return namespace["A"]


REFUSED = {
    "an unknown exercise": (("cube",), "There is no exercise 'cube'"),
    "a number": ((3,), "exercise must be an exercise or its name, such as 'mul'; got 3"),
    "helpers": (("rnn cell", MyRNNCell), "MyRNNCell has the method inner too"),
    "a part": (("mul", MySigmoid), "MySigmoid has no method grad_y|has no method grad_x"),
    "a lambda": (("relu", Lambda), "must be written with def|is unknown"),
    "no source": (("relu", typed()), "The source of A.grad_x is unknown"),
    "a point": (("mul", None, {"grad_z": 1}), "Mul has no point 'grad_z'"),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED)
def test_what_makes_no_cell_is_refused(arguments, message):
    with pytest.raises(gn.GraphError, match=message):
        gn.exercises.cell(*arguments)


def test_a_notebook_is_valid():
    text = gn.exercises.assignment_notebook(*ALL, title="Sheet 1", weights={"Mul": {"form": 3}})
    book = nbformat.reads(text, as_version=nbformat.NO_CONVERT)
    nbformat.validate(book)
    assert book.cells[0].source.startswith("# Sheet 1\n")
    points = [each.metadata.nbgrader.get("points") for each in book.cells]
    assert points[:6] == [None, None, None, 3, None, 5]
    names = [each.metadata.nbgrader.grade_id for each in book.cells]
    assert len({*names}) == len(names) == 2 * len(ALL) + 2


def run_pytest(folder):
    return subprocess.run(
        [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


def test_a_file_for_pytest_has_a_test_for_each_point(tmp_path):
    """Without an answer, with a wrong one, and with right ones of any name."""
    for name in ("missing", "empty", "wrong", "right", "renamed", "an_op"):
        source = gn.exercises.pytest_source("mul", name)
        (tmp_path / f"test_{name}.py").write_text(source, encoding="utf-8")
    wrong = f"import graphnet as gn\n{gn.exercises.Mul.task()}".replace(
        "    ...", "    return grad"
    )
    (tmp_path / "wrong.py").write_text(wrong, encoding="utf-8")
    right = "import graphnet as gn\nclass MyMul(gn.exercises.Mul):\n"
    right += "    def grad_x(self, grad, y):\n        return grad * y\n"
    right += "    def grad_y(self, grad, x):\n        return grad * x\n"
    (tmp_path / "right.py").write_text(right, encoding="utf-8")
    (tmp_path / "empty.py").write_text("from graphnet.exercises import Mul\n", encoding="utf-8")
    sum_too = "class MyAdd(gn.exercises.Add):\n    def grad_x(self, grad):\n        return grad\n"
    renamed = right.replace("MyMul", "Product") + sum_too
    (tmp_path / "renamed.py").write_text(renamed, encoding="utf-8")
    op = right.replace("MyMul(gn.exercises.Mul)", "Product(gn.Op)")
    op += "    symbol = 'x'\n\n    def forward(self, x, y):\n        return x * y\n"
    (tmp_path / "an_op.py").write_text(op, encoding="utf-8")
    ran = run_pytest(tmp_path).stdout
    assert "There is no missing.py: write your answer into a file of this name." in ran
    assert "empty.py has no class that derives from Mul: begin with `class MyMul(" in ran
    assert "ModuleNotFoundError" not in ran
    assert "WRONG: " in ran
    assert "9 failed, 9 passed" in ran


def test_an_exercise_of_a_teacher_is_handed_out_too():
    class Cube(Exercise):
        shapes = ((5, 3),)

        def forward(self, x):
            return x * x * x

    _, tests = gn.exercises.cell(Cube)
    assert tests["source"].startswith("grade = gn.grade(MyCube, Cube)")
    assert "gn.grade(answer(), answer().exercise)" in gn.exercises.pytest_source(Cube)
    with pytest.raises(gn.GraphError, match="named like a variable, such as mul; got 'my-mul'"):
        gn.exercises.pytest_source("mul", "my-mul")


def written(tmp_path, *arguments):
    assert (
        program.main(["assignment", *arguments[:-1], "--out", str(tmp_path / arguments[-1])]) == 0
    )
    return (tmp_path / arguments[-1]).read_text(encoding="utf-8")


def test_the_command_writes_each_form(tmp_path, capsys):
    book = json.loads(written(tmp_path, "mul", "relu", "--weight", "mul.form=2", "week 1.ipynb"))
    assert [each["metadata"]["nbgrader"].get("points") for each in book["cells"]][2:] == [
        None, 4, None, 2,
    ]  # fmt: skip
    assert 'importlib.import_module("answers")' in written(tmp_path, "mul", "test_answers.py")
    namespace = {}
    exec(written(tmp_path, "mul", "adam", "sheet.py"), namespace)
    assert gn.grade(namespace["MyMul"]).points == 0
    assert "sheet.py: Mul, Adam" in capsys.readouterr().out


WRONG = {
    "an ending": (["mul", "--out", "sheet.doc"], "--out ends in .ipynb or .py"),
    "two in a test": (["mul", "relu", "--out", "test_both.py"], "for one exercise"),
    "it exists": (["mul", "--out", "there.py"], "it may have answers in it"),
    "no folder": (["mul", "--out", "none/sheet.py"], "cannot be written"),
    "no exercise": (["cube", "--out", "a.py"], "There is no exercise 'cube'"),
}


@pytest.mark.parametrize(("arguments", "message"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_written_is_refused(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("there.py").write_text("x = 1", encoding="utf-8")
    assert program.main(["assignment", *arguments]) == 1
    assert message in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there.py"]

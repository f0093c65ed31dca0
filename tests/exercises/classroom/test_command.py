"""`python -m graphnet grade`: every submission ends as marks with a reason, and always the same."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from itertools import cycle
from pathlib import Path
from types import SimpleNamespace

import pytest
from exercises.classroom.hostile import HANGING, HOSTILE, RIGHT, SECONDS

from graphnet import __main__ as program
from graphnet.exercises.classroom import pool, worker
from graphnet.exercises.classroom.pool import Worker

ROOT = Path(program.__file__).parents[1]
MUL = ["--exercise", "mul"]
POSIX = pytest.mark.skipif(not worker.FORKS, reason="limits need a system that forks")


@pytest.fixture(scope="module")
def workers():
    """Two processes for all gradings of this file: they have imported torch, and fork."""
    both = Worker(), Worker()
    yield both
    for each in both:
        each.stop()


@pytest.fixture(autouse=True)
def _lent(workers, monkeypatch):
    """A grading in this process takes these workers, and leaves them alive."""
    turns = cycle(workers)

    def lend():
        return SimpleNamespace(grade=next(turns).grade, stop=lambda: None)

    monkeypatch.setattr(pool, "Worker", lend)


def write(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def graded(tmp_path, files, *options):
    """The rows of the CSV table by student, after grading these files."""
    folder = write(tmp_path / "in", files)
    table, pages = tmp_path / "out.csv", tmp_path / "pages"
    arguments = ["grade", str(folder), "--csv", str(table), "--pages", str(pages), "--jobs", "2"]
    arguments += options
    assert program.main(arguments) == 0
    with table.open(encoding="utf-8", newline="") as rows:
        return {row["student"].removeprefix("'"): row for row in csv.DictReader(rows)}


@POSIX
@pytest.mark.parametrize(
    ("submissions", "seconds"), [(HOSTILE, 20), (HANGING, SECONDS)], ids=["at once", "hanging"]
)
def test_every_submission_ends_as_marks_with_a_reason(submissions, seconds, tmp_path):
    files = {name: content for name, (content, _, _) in submissions.items()}
    rows = graded(tmp_path, files, *MUL, "--timeout", str(seconds), "--memory", "300")
    assert len(rows) == len(submissions)
    for name, (_, points, reason) in submissions.items():
        row = rows[name.rpartition(".")[0]]
        reason = row["reasons"] if reason is None else reason
        assert (row["points"], reason in row["reasons"]) == (str(points), True), (name, row)
        assert bool(row["reasons"]) == bool(reason), row
    kept = {path.name: path.read_bytes() for path in (tmp_path / "in").iterdir()}
    written = {n: c.encode() if isinstance(c, str) else c for n, c in files.items()}
    assert kept == written
    assert len(list((tmp_path / "pages" / "feedback").iterdir())) == len(submissions)


def test_a_result_is_the_same_each_time_and_for_any_number_of_jobs(tmp_path):
    address = (
        "import graphnet as gn\nclass MyMul(gn.exercises.Mul):\n    def grad_x(self, grad, y):\n"
    )
    address += "        raise ValueError(object(), self)\n    def grad_y(self, grad):\n"
    address += "        import random, torch\n        return grad * random.random() * torch.rand(1)"
    files = {"a.py": RIGHT, "b.py": address, "c.py": "raise ValueError(object())", "d.txt": ""}
    found = []
    for jobs in "12":
        graded(tmp_path, files, *MUL, "--jobs", jobs)
        paths = [tmp_path / "out.csv", *sorted((tmp_path / "pages").rglob("*.html"))]
        found.append([path.read_bytes() for path in paths])
    assert found[0] == found[1]
    assert len(found[0]) == 6


def test_mathematics_and_form_are_apart_and_points_have_weights(tmp_path):
    files = {"ada.py": RIGHT.replace("grad * y", "grad * y.clone()")}
    weights = ["--weight", "grad_x=2.5", "--weight", "Mul.form=0.5"]
    row = graded(tmp_path, files, *MUL, *weights)["ada"]
    assert (row["points"], row["total"]) == ("3.5", "4")
    assert (row["points of mathematics"], row["total of mathematics"]) == ("3.5", "3.5")
    assert (row["points of form"], row["total of form"]) == ("0", "0.5")
    assert (row["Mul.grad_x"], row["Mul.grad_y"], row["Mul.form"]) == ("2.5", "1", "0")
    assert row["reasons"].startswith("form: second derivatives: ")


def test_one_is_counted_as_one(tmp_path, capsys):
    graded(tmp_path, {"ada.py": RIGHT}, *MUL)
    said = capsys.readouterr().out
    assert "the table, and 0 pairs of similar submissions" in said
    assert "1 page, one for each student" in said


def test_several_exercises_in_folders(tmp_path):
    relu = "from graphnet.exercises import ReLU\nclass MyReLU(ReLU):\n"
    relu += "    def grad_x(self, grad, x):\n        return grad * (x > 0)\n"
    notebook = {"cells": [
        {"cell_type": "markdown", "source": ["# Mine"]},
        {"cell_type": "code", "source": ["%matplotlib inline\n", "import helper\n", RIGHT]},
        {"cell_type": "code", "source": relu},
    ]}  # fmt: skip
    files = {
        "ada/mul.py": RIGHT,
        "ada/my_relu.py": "while True: pass",
        "ada/.hidden.py": "no python",
        "ada/__pycache__/x.py": "no python",
        "bob/both.ipynb": json.dumps(notebook),
        "bob/helper.py": "x = 1",
        "cid/read me.txt": "",
    }
    options = [*MUL, "relu", "--timeout", str(SECONDS)]
    rows = graded(tmp_path, files, *options)
    assert [row["points"] for row in rows.values()] == ["3", "5", "0"]
    assert rows["ada"]["reasons"] == f"ReLU: my_relu.py: it was stopped after {SECONDS} seconds"
    assert rows["ada"]["files"] == "mul.py; my_relu.py"
    assert "there is read me.txt" in rows["cid"]["reasons"]


@POSIX
def test_a_file_that_is_none_is_not_read(tmp_path):
    """A link may lead to what the teacher alone may read, and a pipe is never read to its end."""
    (tmp_path / "secret.py").write_text("PASSWORD = 1", encoding="utf-8")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.py").symlink_to(tmp_path / "secret.py")
    (tmp_path / "in" / "linked").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "in" / "pipe.py")
    rows = graded(tmp_path, {"large.py": "# " + "x" * 3_000_000}, *MUL)
    assert [row["points"] for row in rows.values()] == ["0"] * 4
    assert rows["large"]["reasons"] == "large.py cannot be read: Larger than 2,000,000 bytes"
    pages = [path.read_text(encoding="utf-8") for path in (tmp_path / "pages").rglob("*.html")]
    assert not any("PASSWORD" in text for text in pages)


@POSIX
def test_names_that_are_no_text(tmp_path):
    folder = write(tmp_path / "in", {"two\nlines.py": RIGHT})
    try:
        (folder / os.fsdecode(b"caf\xe9.py")).write_text(RIGHT, encoding="utf-8")
    except OSError:
        pytest.skip("this file system takes only names in UTF-8")
    rows = graded(tmp_path, {}, *MUL)
    assert [row["points"] for row in rows.values()] == ["3", "3"]


def test_an_exercise_of_a_teacher(tmp_path):
    source = "import graphnet as gn\nclass Cube(gn.exercises.Exercise):\n    shapes = ((5, 3),)\n"
    source += "    def forward(self, x):\n        return x * x * x\n"
    answer = "from teacher import Cube\nclass MyCube(Cube):\n    def grad_x(self, grad, x):\n"
    answer += "        return 3 * grad * x * x\n"
    write(tmp_path, {"teacher.py": source})
    files = {"ada.py": answer, "bob.py": answer.replace("3 * ", "")}
    rows = graded(tmp_path, files, "--exercise", f"{tmp_path / 'teacher.py'}:Cube")
    assert [row["points"] for row in rows.values()] == ["2", "0"]


def test_the_pages_of_each_table_are_apart(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for week in ("week1", "week2"):
        write(tmp_path / f"in-{week}", {f"{week}.py": RIGHT})
        assert program.main(["grade", f"in-{week}", *MUL, "--csv", f"{week}.csv"]) == 0
        assert [p.stem for p in Path(week, "feedback").iterdir()] == [week]
        assert week in Path(week, "index.html").read_text(encoding="utf-8")
    assert program.main(["grade", "in-week1", *MUL, "--csv", "in-week1.csv"]) == 0
    assert Path("in-week1-pages", "index.html").exists()
    assert [path.name for path in Path("in-week1").iterdir()] == ["week1.py"]


def test_old_feedback_goes_and_what_others_wrote_stays(tmp_path):
    folder = tmp_path / "pages" / "feedback"
    graded(tmp_path, {"ada.py": RIGHT, "bob.py": RIGHT}, *MUL)
    (folder / "notes.html").write_text("<p>mine</p>", encoding="utf-8")
    (tmp_path / "in" / "bob.py").unlink()
    graded(tmp_path, {}, *MUL)
    assert sorted(path.name for path in folder.iterdir()) == ["ada.html", "notes.html"]


def test_it_is_said_which_of_two_answers_of_one_name_is_graded(tmp_path):
    wrong = RIGHT.replace("grad * y", "grad")
    notebook = json.dumps({"cells": [{"cell_type": "code", "source": wrong}]})
    files = {
        "ada/a.py": RIGHT, "ada/b.py": wrong,
        "bob/a.py": RIGHT, "bob/use.py": "from a import MyMul\nassert MyMul.grad_x",
        "cid.py": wrong + RIGHT,
        "dan/a.py": RIGHT, "dan/b.ipynb": notebook,
        "eve/x/a.py": RIGHT, "eve/y/a.py": wrong,
    }  # fmt: skip
    rows = graded(tmp_path, files, *MUL)
    assert [row["points"] for row in rows.values()] == ["1", "3", "3", "1", "1"]
    assert "MyMul of b.py is graded, not MyMul of a.py." in rows["ada"]["reasons"]
    assert rows["bob"]["reasons"] == rows["cid"]["reasons"] == ""
    assert "MyMul of b.ipynb is graded, not MyMul of a.py." in rows["dan"]["reasons"]
    assert "MyMul of y/a.py is graded, not MyMul of x/a.py." in rows["eve"]["reasons"]


REFUSED = {
    "no folder": (["nowhere", *MUL], "There is no folder 'nowhere'"),
    "an empty one": (["empty", *MUL], "is empty: it should hold a file ada.py"),
    "an exercise": (["in", "--exercise", "cube"], "There is no exercise 'cube'"),
    "a file": (["in", "--exercise", "no.py:Cube"], "There is no file 'no.py'"),
    "no exercise in it": (["in", "--exercise", "in/ada.py:Cube"], "defines no exercise 'Cube'"),
    "a point": (["in", *MUL, "--weight", "grad_z=1"], "the points are Mul.grad_x, Mul.grad_y"),
    "no number": (["in", *MUL, "--weight", "grad_x"], "POINT=NUMBER, such as grad_x=2"),
    "less than 0": (["in", *MUL, "--weight", "form=-1"], "finite number of 0 or more; got -1.0"),
    "no time": (["in", *MUL, "--timeout", "0"], "--timeout must be more than 0 seconds"),
    "no memory": (["in", *MUL, "--memory", "0"], "--memory must be at least 1; got 0"),
    "no jobs": (["in", *MUL, "--jobs", "0"], "--jobs must be at least 1; got 0"),
    "a fraction": (["in", *MUL, "--similar", "80"], "--similar must be from 0 to 1; got 80"),
    "among them": (["in", *MUL, "--csv", "in/a.csv"], "in the folder of the submissions"),
    "pages": (["in", *MUL, "--pages", "in/pages"], "in the folder of the submissions"),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_graded_is_refused(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "in", {"ada.py": RIGHT})
    (tmp_path / "empty").mkdir()
    assert program.main(["grade", *arguments]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "grades").exists()


@pytest.mark.slow  # that a command is found is seen in `tests/test_command.py`
def test_the_command_as_typed(tmp_path):
    write(tmp_path / "in", {"ada.py": RIGHT, "torch.py": "raise SystemExit", "json.py": "1/0"})
    ran = subprocess.run(
        [sys.executable, "-P", "-m", "graphnet", "grade", "in", *MUL],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=300,
    )
    assert "ada      3 of 3" in ran.stdout
    assert (tmp_path / "grades" / "index.html").exists()
    assert not ran.stderr

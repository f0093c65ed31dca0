"""A worker that dies or hangs costs one mark, and is replaced."""

from __future__ import annotations

import sys

import pytest
from exercises.classroom.hostile import RIGHT

from graphnet import GraphError
from graphnet.exercises.classroom import pool, worker
from graphnet.exercises.classroom.pool import Job, Worker
from graphnet.exercises.classroom.results import sheet_of
from graphnet.exercises.operations import Mul

READY = b'{"reusable": true}'
POPEN = pool.subprocess.Popen


@pytest.fixture
def job(tmp_path):
    path = tmp_path / "ada.py"
    path.write_text(RIGHT, encoding="utf-8")
    return Job([path], "mul", 60, 1000)


def marks_of(reply):
    return [mark.right for mark in sheet_of(Mul, reply, {}, 60).marks]


def test_a_worker_that_dies_is_started_again(job):
    mine = Worker()
    try:
        assert marks_of(mine.grade(job)) == [True] * 3
        if mine._process is not None:  # it forks: the same process grades the next one
            mine._process.kill()
            mine._process.wait()
            sheet = sheet_of(Mul, mine.grade(job), {}, 60)
            assert "its process ended before there was a grade" in sheet.reason
        assert marks_of(mine.grade(job)) == [True] * 3
    finally:
        mine.stop()


def test_a_worker_that_hangs_is_stopped(job, monkeypatch):
    mine = Worker()
    for line, key in ((b"", "status"), (None, "timeout")):
        monkeypatch.setattr(
            Worker, "_line", lambda _, s, line=line: READY if s == pool._START else line
        )
        assert set(mine.grade(job)) == {key}
    assert mine._process is None


@pytest.mark.slow  # each of its workers imports torch
def test_without_forks_each_job_has_its_own_worker(job, monkeypatch, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import os\ndel os.fork\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    mine = Worker()
    for _ in range(2):
        assert marks_of(mine.grade(job)) == [True] * 3
    (tmp_path / "loop.py").write_text("while True: pass", encoding="utf-8")
    reply = mine.grade(Job([tmp_path / "loop.py"], "mul", 1, 1000))
    assert reply.get("timeout") or "it was stopped after 1 seconds" in reply["reason"]
    rule = RIGHT.replace("return grad * x", "while True: pass")
    (tmp_path / "rule.py").write_text(rule, encoding="utf-8")
    assert marks_of(mine.grade(Job([tmp_path / "rule.py"], "mul", 2, 1000))) == [True, False, False]
    assert marks_of(mine.grade(job)) == [True] * 3
    mine.stop()


def test_a_worker_that_does_not_start_is_an_error(job, monkeypatch):
    command = [sys.executable, "-c", ""]
    monkeypatch.setattr(pool.subprocess, "Popen", lambda _, **options: POPEN(command, **options))
    with pytest.raises(GraphError, match="does not start"):
        Worker().grade(job)


STRANGE = {
    "nothing": {},
    "no list": {"marks": 3},
    "another point": {"marks": [["grad_z", "", "", ""]]},
    "short": {"marks": [["grad_x"], ["grad_y"], ["form"]]},
    "no texts": {"marks": [3, 4]},
}


@pytest.mark.parametrize("reply", STRANGE.values(), ids=STRANGE)
def test_a_strange_reply_is_no_grade(reply):
    sheet = sheet_of(Mul, reply, {}, 60)
    assert not any(mark.right for mark in sheet.marks)
    assert sheet.reason or sheet.marks[0].fault


def test_a_job_is_done_in_this_process_only_under_limits(monkeypatch, job, tmp_path):
    """The order in which a worker protects itself before it runs anything."""
    calls = []
    for name in ("limit_resources", "forbid", "graded"):
        monkeypatch.setattr(worker, name, lambda *_, name=name: calls.append(name))
    monkeypatch.setattr(worker.os, "chdir", lambda *_: calls.append("chdir"))
    monkeypatch.setattr(sys, "dont_write_bytecode", sys.dont_write_bytecode)
    worker.result_of(
        {
            "files": [],
            "exercise": "mul",
            "seconds": 1,
            "megabytes": 1,
            "known": [],
            "work": str(tmp_path),
        },
        str,
    )
    assert calls == ["chdir", "limit_resources", "forbid", "graded"]

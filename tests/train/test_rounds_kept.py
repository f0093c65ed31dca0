"""Finished rounds are on disk, whatever happens after them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from math import inf
from pathlib import Path

import pytest
import torch

from graphnet.errors import LoadError
from graphnet.train.rounds import rounds


def sample(seed):
    return {"total": torch.rand(1000).sum(), "curve": torch.rand(3)}


def contents(results):
    return [(each.seed, each.numbers, each.curves) for each in results]


def never(seed):
    raise AssertionError(f"seed {seed} ran again")


def test_finished_rounds_do_not_run_again(tmp_path):
    first = rounds(sample, 2, directory=tmp_path / "new" / "folder")
    again = rounds(never, 2, directory=tmp_path / "new" / "folder")
    assert again.results == first.results
    more = rounds(sample, 3, directory=tmp_path / "new" / "folder")
    assert more.results[:2] == first.results
    assert contents(more) == contents(rounds(sample, 3))


def test_a_failed_round_runs_again(tmp_path):
    def make(seed, broken):
        if broken and seed == 1:
            raise OSError("the disk is away")
        return {"x": seed}

    with pytest.warns(RuntimeWarning, match="the disk is away"):
        rounds(partial(make, broken=True), 3, directory=tmp_path)
    assert len(rounds(partial(make, broken=False), 3, directory=tmp_path)) == 3


def test_a_damaged_round_runs_again(tmp_path):
    rounds(sample, 3, directory=tmp_path)
    (tmp_path / "round-1.json").write_text("{", encoding="utf-8")
    with pytest.warns(UserWarning, match=r"round-1\.json is not an intact round"):
        again = rounds(sample, 3, directory=tmp_path)
    assert contents(again) == contents(rounds(never, 3, directory=tmp_path))


def test_rounds_of_other_settings_are_refused(tmp_path):
    settings = {"lr": 0.1, "sizes": (2, 25), "name": None}
    rounds(sample, 1, directory=tmp_path, settings=settings)
    rounds(never, 1, directory=tmp_path, settings=settings)
    with pytest.raises(
        LoadError, match=r"lr is 0\.1 there and 0\.2 here; name is None there and mis"
    ):
        rounds(never, 1, directory=tmp_path, settings={"lr": 0.2, "sizes": [2, 25]})
    with pytest.raises(LoadError, match=r"lr is 0\.1 there and missing here"):
        rounds(never, 1, directory=tmp_path)


def test_an_interruption_keeps_what_is_finished(tmp_path):
    def make(seed):
        if seed == 2:
            raise KeyboardInterrupt
        return {"x": seed}

    with pytest.raises(KeyboardInterrupt):
        rounds(make, 4, directory=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["round-0.json", "round-1.json"]


@pytest.mark.parametrize(
    ("number", "code"),
    [pytest.param(signal.SIGINT, -signal.SIGINT, marks=pytest.mark.slow), (signal.SIGTERM, 143)],
)
def test_signals_end_all_workers(number, code, tmp_path):
    program = """
import sys
from graphnet.train.rounds import rounds

def make(seed):
    import os, pathlib, time
    pathlib.Path(sys.argv[1], f"worker-{os.getpid()}").touch()
    time.sleep(60 if seed > 1 else 0)
    return {"x": seed}

rounds(make, 6, workers=2, directory=sys.argv[1])
"""
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        start_new_session=True,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    _wait(lambda: len(list(tmp_path.glob("round-*.json"))) == 2)
    time.sleep(0.2)
    if number == signal.SIGINT:
        os.killpg(child.pid, number)  # as a terminal does
    else:
        os.kill(child.pid, number)
    _, text = child.communicate(timeout=30)
    assert child.returncode == code
    assert ("KeyboardInterrupt" in text) == (number == signal.SIGINT)
    workers = [int(path.name.partition("-")[2]) for path in tmp_path.glob("worker-*")]
    assert workers
    _wait(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))


def _wait(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_disk_that_refuses_does_not_lose_a_round(tmp_path):
    (tmp_path / "round-1.json").mkdir()
    with (
        pytest.warns(UserWarning, match=r"round-1\.json cannot be read"),
        pytest.warns(UserWarning, match=r"round-1\.json cannot be written"),
    ):
        results = rounds(lambda seed: {"x": seed}, 2, directory=tmp_path)
    assert [each.numbers["x"] for each in results] == [0, 1]


def test_a_file_is_json_that_others_can_read(tmp_path):
    rounds(lambda seed: {"x": 0.1, "y": [inf, 1]}, 1, directory=tmp_path, settings={"lr": 1})
    record = json.loads(
        (tmp_path / "round-0.json").read_text(encoding="utf-8"), parse_constant=never
    )
    assert (record["seed"], record["numbers"], record["settings"]) == (0, {"x": 0.1}, {"lr": 1})

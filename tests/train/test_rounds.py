"""Rounds: the same numbers wherever they run, and none lost."""

from __future__ import annotations

import os
import random
import signal
import time
from functools import partial
from math import inf

import pytest
import torch
from joblib import parallel_config
from joblib.externals.loky import get_reusable_executor

from graphnet.errors import GraphError
from graphnet.train.rounds import rounds


@pytest.fixture(scope="module", autouse=True)
def _end_the_workers():
    yield
    get_reusable_executor().shutdown(wait=True)


def trainer(drawn=True):
    """A tiny training, defined inside a function: workers need not find this file.

    Args:
        drawn: whether it draws from Python's own generator too.
    """

    def make(seed):
        import random

        import torch

        import graphnet as gn

        points, labels = gn.data.disk(200)
        points = points.to(torch.get_default_dtype())
        model = gn.Sequential(gn.Linear(2, 20), gn.Tanh(), gn.Linear(20, 2))
        with gn.Graph() as graph:
            loss = gn.LossMSE()(model(gn.Input((None, 2), name="x")), gn.Input((None, 2), name="t"))
        sgd, curve = gn.SGD(model.parameters(), lr=0.1), []
        for _ in range(5):
            feed = {"x": points, "t": gn.data.one_hot(labels, 2).to(points.dtype)}
            curve.append(float(graph.forward(feed)))
            graph.backward(loss)
            sgd.step()
        total = torch.rand(300_000).sum()  # many threads would add in another order
        record = {"loss": curve, "total": total, "twice": 2 * seed}
        return {**record, "drawn": random.random()} if drawn else record

    return make


def contents(results):
    """Everything that must be the same everywhere: all but the seconds."""
    return [(each.seed, each.numbers, each.curves) for each in results]


def test_a_round_for_each_seed_in_their_order():
    results = rounds(lambda seed: {"twice": 2 * seed}, 3)
    assert contents(results) == [(seed, {"twice": 2.0 * seed}, {}) for seed in range(3)]
    results = rounds(lambda seed: {"twice": 2 * seed}, seeds=(7, 3))
    assert [each.seed for each in results] == [7, 3]
    assert len(rounds(lambda seed: {})) == 10


def test_rounds_differ_and_come_again():
    first, second = (rounds(trainer(), 2) for _ in range(2))
    assert contents(first) == contents(second)
    assert first[0].numbers["total"] != first[1].numbers["total"]
    assert first[0].curves["loss"] != first[1].curves["loss"]


def test_the_caller_finds_all_as_it_was():
    torch.manual_seed(5), random.seed(5)
    before = torch.get_rng_state(), random.getstate(), torch.get_num_threads()
    seen = []
    rounds(lambda seed: seen.append(torch.get_num_threads()) or {}, 2, threads=3)
    with pytest.raises(GraphError):
        rounds(lambda seed: {}[seed], 2, threads=3)
    assert seen == [3, 3]
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (random.getstate(), torch.get_num_threads()) == before[1:]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_processes_give_the_same_numbers(dtype):
    torch.set_default_dtype(dtype)
    try:
        here = rounds(trainer(), 4, workers=1)
        assert contents(rounds(trainer(), 4, workers=2)) == contents(here)
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")  # of jax, if another test uses it
@pytest.mark.parametrize(
    "backend", ["threading", pytest.param("multiprocessing", marks=pytest.mark.slow)]
)
def test_other_back_ends_give_the_same_numbers(backend):
    """Threads take turns; the processes of multiprocessing return their results all at once."""
    make = partial(_sample, 100_000)
    with parallel_config(backend=backend, n_jobs=2):
        assert contents(rounds(make, 5)) == contents(rounds(make, 5, workers=1))


def _sample(size, seed):
    return {"total": torch.rand(size).sum()}


@pytest.mark.slow  # the page on rounds, which is run too, starts a cluster
def test_dask_gives_the_same_numbers():
    """Two processes of two threads each: rounds in one process take turns.

    Dask's own threads draw from Python's generator, at unpredictable moments.
    """
    from dask.distributed import Client, LocalCluster

    make = trainer(drawn=False)
    cluster = LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=None)
    with cluster, Client(cluster), parallel_config(backend="dask"):
        there = rounds(make, 6)
    assert contents(there) == contents(rounds(make, 6))


def test_the_order_is_that_of_the_seeds_not_of_the_ends(tmp_path):
    def make(seed):
        deadline = time.monotonic() + 60
        while seed == 0 and not (tmp_path / "2").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        others = sorted(path.name for path in tmp_path.iterdir())
        (tmp_path / str(seed)).touch()
        return {"last": others == ["1", "2"], "waited": time.monotonic() - deadline + 60}

    results = rounds(make, 3, workers=2)
    assert [each.seed for each in results] == [0, 1, 2]
    assert [each.numbers["last"] for each in results] == [1, 0, 0]
    assert all(each.seconds >= each.numbers["waited"] for each in results)


def test_rounds_inside_of_rounds():
    def make(seed):
        from graphnet.train.rounds import rounds

        return {"inner": rounds(lambda seed: {"x": seed}, 3, workers=2).mean("x")}

    assert (
        contents(rounds(make, 2, workers=2))
        == contents(rounds(make, 2))
        == [
            (0, {"inner": 1.0}, {}),
            (1, {"inner": 1.0}, {}),
        ]
    )


# failures


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failure_does_not_lose_the_others(workers):
    def digit(seed):
        raise KeyError("no such digit")

    def make(seed):
        return {"x": digit(seed) if seed == 1 else seed}

    with pytest.warns(RuntimeWarning, match="2 of 3 .* seed 1 failed: KeyError: 'no such digit'"):
        results = rounds(make, 3, workers=workers)
    assert [each.seed for each in results] == [0, 2]
    (failure,) = results.failures
    assert (failure.seed, failure.error) == (1, "KeyError: 'no such digit'")
    lines = [line.strip() for line in failure.traceback.splitlines()]
    for code in (
        'raise KeyError("no such digit")',
        'return {"x": digit(seed) if seed == 1 else seed}',
    ):
        assert lines[lines.index(code) - 1].startswith(f'File "{__file__}", line ')  # workers, too
    assert "rounds_once" not in failure.traceback


def test_a_worker_that_dies_does_not_lose_the_others(tmp_path):
    def make(seed):

        if seed == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return {"x": seed}

    with pytest.warns(RuntimeWarning, match="3 of 4"):
        results = rounds(make, 4, workers=2, directory=tmp_path)
    assert [each.seed for each in results] == [0, 2, 3]
    (failure,) = results.failures
    assert (failure.seed, "ended its worker process" in failure.error) == (1, True)
    assert "SIGKILL" in failure.traceback
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"round-{seed}.json" for seed in (0, 2, 3)
    ]


def test_an_exit_ends_this_process_but_not_by_a_worker():
    def make(seed):
        if seed == 0:
            raise SystemExit(143)
        return {"x": seed}

    with pytest.raises(SystemExit):
        rounds(make, 2)
    with pytest.warns(RuntimeWarning, match="seed 0 failed: SystemExit: 143"):
        assert len(rounds(make, 2, workers=2)) == 1


@pytest.mark.slow  # each death of a worker starts all of them anew
def test_a_worker_that_is_killed_once_gives_its_round_after_all(tmp_path):
    def make(seed, mark=tmp_path / "mark"):

        if seed == 0 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return {"x": seed}

    results = rounds(make, 3, workers=2)
    assert [each.seed for each in results] == [0, 1, 2]


@pytest.mark.parametrize("workers", [1, 2])
def test_nothing_but_failures_is_an_error(workers):
    with pytest.raises(GraphError, match=r"(?s)3 rounds all failed.*seed 4.*ZeroDivisionError"):
        rounds(lambda seed: 1 / 0, seeds=[4, 0, 1], workers=workers)


def test_all_that_failed_show_the_line_of_the_first():
    def make(seed):
        raise ValueError(seed)  # the cause

    with pytest.raises(GraphError, match="# the cause"):
        rounds(make, 2, workers=2)


def test_what_cannot_be_sent_is_an_error():
    generator = (each for each in ())
    with pytest.raises(GraphError, match=r"sent to other processes.*workers=1"):
        rounds(lambda seed: {"x": len(list(generator))}, 2, workers=2)
    assert len(rounds(lambda seed: {"x": len(list(generator))}, 2)) == 2


# arguments and progress


def never(seed):
    raise AssertionError(f"seed {seed} ran")


MISTAKES = [
    ({"n": 0}, "n must be an integer of 1 or more; got 0"),
    ({"n": 2.0}, "n must be an integer"),
    ({"n": True}, "n must be an integer"),
    ({"n": None}, "n must be an integer"),
    ({"workers": 0}, "workers must be an integer of 1 or more; got 0"),
    ({"workers": -1}, "workers must be an integer"),
    ({"threads": 0}, "threads must be an integer"),
    ({"threads": None}, "threads must be an integer"),
    ({"seeds": []}, "seeds must be one or more integers from 0"),
    ({"seeds": [-1]}, r"from 0 to 2\*\*63 - 1"),
    ({"seeds": [2**63]}, r"from 0 to 2\*\*63 - 1"),
    ({"seeds": [3, 1, 3, 1]}, "got 1, 3 more than once"),
    ({"seeds": [0.5]}, "a list of integers"),
    ({"seeds": 5}, "a list of integers"),
    ({"make": {"x": 1}}, "make must be a function of a seed; got {'x': 1}"),
    ({"directory": __file__}, "cannot be one"),
    ({"directory": "d", "settings": {"x": {1, 2}}}, "as JSON"),
]


@pytest.mark.parametrize(("arguments", "words"), MISTAKES)
def test_a_wrong_argument_is_refused(arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(GraphError, match=words):
        rounds(**{"make": never, **arguments})


def test_progress_is_quiet_off_a_terminal(capsys):
    rounds(lambda seed: {"x": inf}, 2)
    assert capsys.readouterr() == ("", "")
    rounds(lambda seed: {"x": inf}, 2, progress=True)
    assert "/2 [" in capsys.readouterr().err
    rounds(lambda seed: {"x": inf}, 2, progress=False)
    assert capsys.readouterr() == ("", "")
